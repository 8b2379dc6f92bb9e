//! From a file to the tree: what the plan says is what becomes of it, and a second look finds nothing to do.

use std::collections::BTreeMap;

use jackfield_resource_allocator::{
    Act, ResourceId, Tree,
    plan::{Deed, Extent, Outline, Wanted},
};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::{
    edits::{act, counter},
    model::Model,
};

/// Nodes of a file; some bear the id of a node that is there, somewhere.
fn outline() -> impl Strategy<Value = Outline> {
    let node = (
        prop::collection::vec(0..3_u8, 1..4),
        prop::option::weighted(0.5, 1..12_u64),
        prop::collection::btree_map(Just("a".to_owned()), (0..3_u8).prop_map(|number| json!(number)), 0..2),
    );
    prop::collection::vec(node, 1..8).prop_map(|nodes| Outline {
        nodes: nodes
            .into_iter()
            .map(|(path, id, properties)| Wanted {
                path: path.iter().map(|name| format!("n{name}")).collect(),
                id: id.map(ResourceId::from_number),
                properties,
                unknown: BTreeMap::new(),
            })
            .collect(),
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn what_a_file_says_becomes_so(before in prop::collection::vec(act(), 0..20), outline in outline(), exact in any::<bool>()) {
        let (mut tree, mut ids) = (Tree::new(), counter());
        before.into_iter().for_each(|act| drop(tree.act(act, &mut ids)));
        let untouched = tree.clone();
        let extent = if exact { Extent::Exact } else { Extent::Named };
        let Ok(plan) = tree.plan(outline.clone(), "/", extent, &mut ids) else { return Ok(()) };
        prop_assert_eq!(&tree, &untouched);
        prop_assert_eq!(plan.edit.is_none(), plan.steps.is_empty(), "{:?}", plan.steps);
        let edited = plan.edit.clone().map(|edit| tree.apply(edit).unwrap());
        let now = Model::of(&tree);
        for node in &outline.nodes {
            let there = &now.0[&node.path];
            prop_assert!(node.properties.iter().all(|(key, value)| there.get(key) == Some(value)));
            if exact {
                prop_assert_eq!(there, &node.properties);
            }
            let id = node.id.clone().filter(|id| untouched.row(id).is_some());
            let path = format!("/{}", node.path.join("/"));
            if let Some(id) = id {
                prop_assert_eq!(tree.path(&id), path);
            }
        }
        for (path, properties) in &now.0 {
            let is_named = outline.nodes.iter().any(|node| node.path.starts_with(path));
            prop_assert!(!exact || is_named, "{:?} is not in the file", path);
            let id = tree.spot(&format!("/{}", path.join("/"))).unwrap().node;
            if !is_named && let Some(row) = untouched.row(&id) {
                prop_assert_eq!(properties, &row.properties);
            }
        }
        let again = tree.plan(outline, "/", extent, &mut ids).unwrap();
        prop_assert_eq!(again.steps, []);
        if let Some(edited) = edited {
            tree.undo(&edited.edit, edited.inverse).unwrap();
            prop_assert_eq!(tree.rows().collect::<Vec<_>>(), untouched.rows().collect::<Vec<_>>());
        }
    }

    #[test]
    fn a_tree_is_what_its_own_file_says(acts in prop::collection::vec(act(), 0..30)) {
        let (mut tree, mut ids) = (Tree::new(), counter());
        acts.into_iter().for_each(|act| drop(tree.act(act, &mut ids)));
        let file = Outline::of(&tree);
        prop_assert_eq!(tree.plan(file.clone(), "/", Extent::Exact, &mut ids).unwrap().steps, []);
        let mut other = Tree::new();
        if let Some(edit) = other.plan(file, "/", Extent::Exact, &mut ids).unwrap().edit {
            other.apply(edit).unwrap();
        }
        let rows = |tree: &Tree| tree.rows().filter(|row| row.parent.is_some()).cloned().collect::<Vec<_>>();
        prop_assert_eq!(rows(&other), rows(&tree));
    }
}

fn lab() -> Tree {
    let (mut tree, mut ids) = (Tree::new(), counter());
    for (parent, name, properties) in [
        ("/", "tb1", json!({})),
        ("/tb1", "r1", json!({"ports": 4, "model": "ex4300"})),
        ("/tb1", "r2", json!({"ports": 8})),
    ] {
        let properties = serde_json::from_value(properties).unwrap();
        tree.act(Act::Set { parent: parent.to_owned(), name: name.to_owned(), properties }, &mut ids)
            .unwrap();
    }
    tree
}

fn wanted(path: &[&str], id: Option<u64>, properties: Value) -> Wanted {
    Wanted {
        path: path.iter().map(|name| (*name).to_owned()).collect(),
        id: id.map(ResourceId::from_number),
        properties: serde_json::from_value(properties).unwrap(),
        unknown: BTreeMap::new(),
    }
}

#[test]
fn a_plan_is_read_line_by_line() {
    let tree = lab();
    let file = Outline {
        nodes: vec![
            wanted(&["tb1", "r2"], Some(2), json!({"ports": 5})),
            wanted(&["tb1", "r1"], Some(3), json!({})),
            wanted(&["tb2", "r9"], None, json!({"kind": "router"})),
        ],
    };
    let mut ids = counter();
    let plan = tree.plan(file, "/", Extent::Exact, &mut ids).unwrap();
    let lines: Vec<_> = plan
        .steps
        .iter()
        .map(|step| {
            let deed = match &step.deed {
                Deed::Create => "+".to_owned(),
                Deed::Change => "~".to_owned(),
                Deed::Move { from } => format!("{from} >"),
                Deed::Delete => "-".to_owned(),
            };
            let text =
                |value: &Option<Value>| value.as_ref().map_or_else(|| "-".to_owned(), Value::to_string);
            let changes = step.properties.iter();
            let changes: Vec<_> = changes
                .map(|change| format!("{} {} to {}", change.key, text(&change.before), text(&change.after)))
                .collect();
            format!("{deed} {} {}", step.path, changes.join(", "))
        })
        .collect();
    assert_eq!(
        lines,
        [
            "/tb1/r2 > /tb1/r1 ports 8 to -",
            "/tb1/r1 > /tb1/r2 model \"ex4300\" to -, ports 4 to 5",
            "+ /tb2 ",
            "+ /tb2/r9 kind - to \"router\"",
        ]
    );
}

#[test]
fn what_an_undo_takes_away_is_told_by_its_whole_path() {
    let (mut tree, mut ids) = (Tree::new(), counter());
    let nodes = [&["q"][..], &["q", "w"], &["q", "w", "e"]];
    let outline = Outline { nodes: nodes.iter().map(|path| wanted(path, None, json!({}))).collect() };
    let plan = tree.plan(outline, "/", Extent::Named, &mut ids).unwrap();
    let done = tree.apply(plan.edit.unwrap()).unwrap();
    let undone = tree.undo(&done.edit, done.inverse).unwrap();
    let (steps, count) = tree.told(&undone, 10);
    let paths: Vec<&str> = steps.iter().map(|step| step.path.as_str()).collect();
    assert_eq!((paths, count), (vec!["/q/w/e", "/q/w", "/q"], 3));
}

#[test]
fn what_stands_in_the_way_is_named() {
    let tree = lab();
    let plan = |nodes: Vec<Wanted>| {
        tree.plan(Outline { nodes }, "/", Extent::Named, &mut || ResourceId::from_number(0xff))
            .unwrap_err()
            .to_string()
    };
    assert_eq!(
        plan(vec![wanted(&["tb1", "r2"], Some(2), json!({}))]),
        "`/tb1/r2` cannot be put there: another resource is there, which the file does not name; move it away, or let the file say all there is"
    );
    assert_eq!(
        plan(vec![wanted(&["x"], None, json!({})), wanted(&["x"], None, json!({}))]),
        "at `/x`: the file has it twice"
    );
    assert_eq!(
        plan(vec![wanted(&["x"], Some(7), json!({})), wanted(&["y"], Some(7), json!({}))]),
        "the id 0000000007 belongs to `/x`"
    );
    assert_eq!(
        plan(vec![wanted(&["tb1", ".."], None, json!({}))]),
        "at `/tb1/..`: `..` cannot be a name: it would look like a way up"
    );
}
