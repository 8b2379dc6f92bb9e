//! Whatever people do to the tree, alone, together, and backwards.

use std::collections::BTreeMap;

use jackfield_resource_allocator::{Act, Edit, ResourceError, ResourceId, Tree};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::model::Model;

/// Ids one after the other.
pub(crate) fn counter() -> impl FnMut() -> ResourceId {
    let mut last = 0;
    move || {
        last += 1;
        ResourceId::from_number(last)
    }
}

pub(crate) fn act() -> impl Strategy<Value = Act> {
    let name = || (0..4_u8).prop_map(|number| format!("n{number}"));
    let path = || {
        prop::collection::vec(0..4_u8, 0..4).prop_map(|names| {
            names.iter().fold(String::new(), |path, name| format!("{path}/n{name}"))
                + if names.is_empty() { "/" } else { "" }
        })
    };
    let properties = prop::collection::btree_map(
        prop_oneof![Just("a".to_owned()), Just("b".to_owned())],
        prop_oneof![Just(Value::Null), (0..3_u8).prop_map(|number| json!(number))],
        0..3,
    );
    prop_oneof![
        4 => (path(), name(), properties).prop_map(|(parent, name, properties)| Act::Set { parent, name, properties }),
        1 => (path(), name()).prop_map(|(query, name)| Act::Rename { query, name }),
        1 => path().prop_map(|query| Act::Rename { query: format!("{query}:a"), name: "b".to_owned() }),
        1 => path().prop_map(|query| Act::Delete { query }),
        1 => path().prop_map(|query| Act::Delete { query: format!("{query}:b") }),
        2 => (path(), path(), prop::option::of(name())).prop_map(|(query, parent, name)| Act::Move { query, parent, name }),
        2 => (path(), path(), prop::option::of(name())).prop_map(|(query, parent, name)| Act::Copy { query, parent, name }),
    ]
}

proptest! {
    #[test]
    fn the_tree_does_what_a_list_of_paths_would(acts in prop::collection::vec(act(), 1..40)) {
        let (mut tree, mut model, mut ids) = (Tree::new(), Model::default(), counter());
        for act in acts {
            let version = tree.version();
            let done = tree.act(act.clone(), &mut ids);
            let wanted = model.act(&act);
            prop_assert_eq!(done.is_ok(), wanted, "{:?}: {:?}", act, done);
            prop_assert_eq!(tree.version(), version + u64::from(wanted));
            prop_assert_eq!(&Model::of(&tree), &model, "{:?}", act);
            let rows: Vec<_> = tree.rows().cloned().collect();
            prop_assert_eq!(&Tree::from_rows(tree.version(), rows).unwrap(), &tree);
        }
    }

    #[test]
    fn several_things_are_done_together_or_not_at_all(
        before in prop::collection::vec(act(), 0..12), acts in prop::collection::vec(act(), 1..8),
    ) {
        let (mut tree, mut model, mut ids) = (Tree::new(), Model::default(), counter());
        before.into_iter().for_each(|act| drop(tree.act(act, &mut ids)));
        model.clone_from(&Model::of(&tree));
        let (untouched, version) = (model.clone(), tree.version());
        let first_wrong = acts.iter().position(|act| !model.act(act));
        match (tree.act_all(acts, &mut ids), first_wrong) {
            (Ok(edited), None) => {
                prop_assert_eq!(edited.version, version + 1);
                prop_assert_eq!(&Model::of(&tree), &model);
                tree.undo(&edited.edit, edited.inverse).unwrap();
            }
            (Err((number, _)), Some(wrong)) => prop_assert_eq!((number, tree.version()), (wrong, version)),
            (done, wrong) => prop_assert!(false, "{done:?}, and the model fails at {wrong:?}"),
        }
        prop_assert_eq!(&Model::of(&tree), &untouched);
    }

    /// What is taken back is as it was, whatever else happened; where somebody touched the same, nothing is done.
    #[test]
    fn an_edit_is_taken_back_unless_somebody_touched_the_same(
        acts in prop::collection::vec(act(), 1..25), back in prop::collection::vec(any::<prop::sample::Index>(), 1..6),
    ) {
        let (mut tree, mut ids) = (Tree::new(), counter());
        let mut done: Vec<(Edit, Edit)> = Vec::new();
        for act in acts {
            if let Ok(edited) = tree.act(act, &mut ids) {
                done.push((edited.edit, edited.inverse));
            }
        }
        for index in back {
            if done.is_empty() {
                break;
            }
            let before = tree.clone();
            let (edit, inverse) = done[index.index(done.len())].clone();
            match tree.undo(&edit, inverse) {
                Err(error) => {
                    prop_assert!(matches!(error, ResourceError::NotUndone { .. }), "{error}");
                    prop_assert_eq!(&tree, &before);
                }
                Ok(undone) => {
                    let mut redone = tree.clone();
                    redone.undo(&undone.edit, undone.inverse.clone()).unwrap();
                    prop_assert_eq!(Model::of(&redone), Model::of(&before));
                    let ids = |tree: &Tree| tree.rows().cloned().collect::<Vec<_>>();
                    prop_assert_eq!(ids(&redone), ids(&before));
                    done.push((undone.edit, undone.inverse));
                }
            }
        }
        // The last is always taken back.
        if let Some((edit, inverse)) = done.pop() {
            tree.undo(&edit, inverse).unwrap();
        }
    }
}

#[test]
fn somebody_elses_change_is_not_undone_with_ones_own() {
    let (mut tree, mut ids) = (Tree::new(), counter());
    let set = |tree: &mut Tree, ids: &mut dyn FnMut() -> ResourceId, key: &str, value: u8| {
        let properties = BTreeMap::from([(key.to_owned(), json!(value))]);
        let act = Act::Set { parent: "/".to_owned(), name: "r1".to_owned(), properties };
        let edited = tree.act(act, ids).unwrap();
        (edited.edit, edited.inverse)
    };
    let made = set(&mut tree, &mut ids, "a", 1);
    let changed = set(&mut tree, &mut ids, "a", 2);
    let beside = set(&mut tree, &mut ids, "b", 1);
    let error = tree.undo(&made.0, made.1).unwrap_err();
    assert_eq!(error.to_string(), "it cannot be undone any more: `/r1` was changed again; undo that first");
    // Another property of the same resource is another thing.
    tree.undo(&changed.0, changed.1).unwrap();
    assert_eq!(tree.get("/r1").unwrap().into_value()["meta"], json!({"a": 1, "b": 1}));
    tree.undo(&beside.0, beside.1).unwrap();
    assert_eq!(tree.get("/r1").unwrap().into_value()["meta"], json!({"a": 1}));
}

#[test]
fn a_copy_is_linked_within_itself_and_shares_no_cable() {
    let (mut tree, mut ids) = (Tree::new(), counter());
    let mut set = |tree: &mut Tree, parent: &str, name: &str, properties: Value| {
        let properties = serde_json::from_value(properties).unwrap();
        tree.act(Act::Set { parent: parent.to_owned(), name: name.to_owned(), properties }, &mut ids)
            .unwrap()
            .id
    };
    set(&mut tree, "/", "tb1", json!({"site": "cluj"}));
    set(&mut tree, "/", "core", json!({}));
    set(&mut tree, "/tb1", "r1", json!({"link": "/core"}));
    let r2 = set(&mut tree, "/tb1", "r2", json!({"link": "/tb1/r1"}));
    set(&mut tree, "/tb1", "r3", json!({"links": ["/core", "/tb1/r2", r2.to_string(), "/gone"]}));
    let copy = Act::Copy { query: "/tb1".to_owned(), parent: "/".to_owned(), name: Some("tb2".to_owned()) };
    let mut next = 0x00ab_0000;
    let edited = tree
        .act(copy, &mut || {
            next += 1;
            ResourceId::from_number(next)
        })
        .unwrap();
    assert_eq!(edited.changed.len(), 4);
    let value = |query: &str| tree.get(query).unwrap().into_value();
    assert_eq!(value("/tb2:site"), json!("cluj"));
    assert_eq!(value("/tb2/r1")["meta"], json!({}));
    assert_eq!(value("/tb2/r2:link"), json!("/tb2/r1"));
    assert_eq!(value("/tb2/r3:links"), json!(["/tb2/r2", value("/tb2/r2")["id"]]));
    assert_eq!(value("/tb1/r3:links"), json!(["/core", "/tb1/r2", r2.to_string(), "/gone"]));
}

#[test]
fn what_cannot_be_is_refused_in_words() {
    let (mut tree, mut ids) = (Tree::new(), counter());
    for (parent, name) in [("/", "tb1"), ("/tb1", "r1"), ("/", "сор")] {
        let set = Act::Set { parent: parent.to_owned(), name: name.to_owned(), properties: BTreeMap::new() };
        tree.act(set, &mut ids).unwrap();
    }
    let text = |text: &str| text.to_owned();
    let before = tree.clone();
    for (act, said) in [
        (
            Act::Move { query: text("/tb1"), parent: text("/tb1/r1"), name: None },
            "`/tb1` cannot be put into `/tb1/r1`, which is in it",
        ),
        (
            Act::Move { query: text("/"), parent: text("/tb1"), name: Some(text("x")) },
            "the root of the tree can be neither renamed nor deleted",
        ),
        (
            Act::Copy { query: text("/tb1/r1"), parent: text("/tb1"), name: None },
            "`/tb1/r1` exists already; choose another name, or delete it first",
        ),
        (
            Act::Set { parent: text("/"), name: text("ｃｏｐ"), properties: BTreeMap::new() },
            "`ｃｏｐ` cannot be a name: it looks like `/сор`, which is there",
        ),
        (
            Act::Set { parent: text("/"), name: text(".."), properties: BTreeMap::new() },
            "`..` cannot be a name: it would look like a way up",
        ),
        (
            Act::Set {
                parent: text("/"),
                name: text("tb1"),
                properties: BTreeMap::from([(text("note"), json!("x".repeat(1 << 20)))]),
            },
            "the properties of `/tb1` would take 1048587 bytes; a resource may have 1048576",
        ),
    ] {
        assert_eq!(tree.act(act, &mut ids).unwrap_err().to_string(), said);
    }
    assert_eq!(tree.act_all(Vec::new(), &mut ids).unwrap_err().1, ResourceError::Nothing);
    assert_eq!(tree, before);
}

#[test]
fn what_would_be_too_deep_is_not_moved() {
    let (mut tree, mut ids) = (Tree::new(), counter());
    let mut path = "/".to_owned();
    for _ in 0..40 {
        tree.act(
            Act::Set { parent: path.clone(), name: "n".to_owned(), properties: BTreeMap::new() },
            &mut ids,
        )
        .unwrap();
        path = format!("{}/n", path.trim_end_matches('/'));
    }
    tree.act(
        Act::Copy { query: "/n".to_owned(), parent: "/".to_owned(), name: Some("m".to_owned()) },
        &mut ids,
    )
    .unwrap();
    let error =
        tree.act(Act::Move { query: "/m".to_owned(), parent: path, name: None }, &mut ids).unwrap_err();
    assert!(matches!(error, ResourceError::TooDeep { limit: 64, .. }), "{error}");
}
