//! What selectors mean, what is said of wrong ones, and that finding by columns finds what looking at all finds.

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{Selector, Sight, select::Look};
use crate::{Edit, ResourceId, Tree};

fn id(number: u64) -> ResourceId {
    ResourceId::from_number(number)
}

fn put(tree: &mut Tree, number: u64, path: &str, properties: Value) {
    let (parent, name) = path.rsplit_once('/').unwrap();
    let Value::Object(properties) = properties else { panic!() };
    let parent = if parent.is_empty() { "/" } else { parent };
    tree.set(name, parent, properties.into_iter().collect(), id(number)).unwrap();
}

/// Two beds; a router with two ports to one switch, and one with a port to each.
fn lab() -> Tree {
    let mut tree = Tree::new();
    for (number, path, properties) in [
        (1, "/tb1", json!({"site": "cluj"})),
        (
            2,
            "/tb1/r1",
            json!({"kind": "router", "ports": 8, "model": "ex4300", "tags": ["10g", "lab"], "version": "15.10"}),
        ),
        (3, "/tb1/r1/p1", json!({"kind": "port", "speed": 10, "link": "/tb1/s1/p1"})),
        (4, "/tb1/r1/p2", json!({"kind": "port", "speed": "1", "link": "/tb1/s1/p2"})),
        (5, "/tb1/s1", json!({"kind": "switch", "ports": "48", "broken": false, "tag": "10g, core"})),
        (6, "/tb1/s1/p1", json!({"kind": "port"})),
        (7, "/tb1/s1/p2", json!({"kind": "port"})),
        (8, "/tb2", json!({})),
        (
            9,
            "/tb2/r2",
            json!({"kind": "router", "ports": 2, "model": "mx 80", "broken": "power", "version": "15.2"}),
        ),
        (10, "/tb2/r2/p1", json!({"kind": "port", "link": "/tb1/s1"})),
        (11, "/tb2/r2/p2", json!({"kind": "port", "link": "/tb2/s2"})),
        (
            12,
            "/tb2/s2",
            json!({"kind": "switch", "ports": "four", "power": {"snmp": {"outlet": 3}}, "password": "hunter2", "web": "http://a:hunter2@b/"}),
        ),
    ] {
        put(&mut tree, number, path, properties);
    }
    tree
}

fn found(tree: &Tree, selector: &str) -> String {
    let selector = Selector::parse(selector).unwrap_or_else(|error| panic!("{selector}: {error}"));
    let again = Selector::parse(&selector.to_string()).unwrap_or_else(|error| panic!("{selector}: {error}"));
    assert_eq!(again.to_string(), selector.to_string(), "it is written as it is read");
    let found = tree.select(&selector, Sight::All, &ResourceId::root(), None, 100).unwrap();
    found.nodes.iter().map(|id| tree.path(id)).collect::<Vec<_>>().join(" ")
}

#[test]
fn a_selector_means_what_a_person_reads() {
    let tree = lab();
    for (selector, paths) in [
        ("kind=router", "/tb1/r1 /tb2/r2"),
        ("kind == router, ports>=4", "/tb1/r1"),
        // A text that counts is compared as a number, and one that does not is not.
        ("ports>=4", "/tb1/r1 /tb1/s1"),
        ("ports<4", "/tb2/r2"),
        ("kind in (switch, phone), ports=48", "/tb1/s1"),
        ("kind in (switch, router), model not in (ex4300)", "/tb1/s1 /tb2/r2 /tb2/s2"),
        ("kind=router, !broken", "/tb1/r1"),
        ("broken", "/tb2/r2"),
        ("kind=switch, broken!=power", "/tb1/s1 /tb2/s2"),
        ("tag=10g", "/tb1/r1 /tb1/s1"),
        ("tags in (core)", "/tb1/s1"),
        ("model=\"mx 80\" | model~EX4?00", "/tb1/r1 /tb2/r2"),
        ("model~m*0", "/tb2/r2"),
        ("version>15.2", "/tb1/r1"),
        ("speed=1 | speed=10", "/tb1/r1/p1 /tb1/r1/p2"),
        ("speed=\"10\"", "/tb1/r1/p1"),
        ("name=r1 | id=0000000009", "/tb1/r1 /tb2/r2"),
        ("path~/tb2/s*", "/tb2/s2"),
        ("power.snmp.outlet=3", "/tb2/s2"),
        ("power", "/tb2/s2"),
        ("parent(site=cluj)", "/tb1/r1 /tb1/s1"),
        ("above(site=cluj), kind=port, speed", "/tb1/r1/p1 /tb1/r1/p2"),
        ("child(kind=port, speed>=10)", "/tb1/r1"),
        ("kind=router, child(kind=port)>=2", "/tb1/r1 /tb2/r2"),
        ("below(kind=port)>=4", "/tb1"),
        ("child(kind=port)=1", ""),
        // Two ports to the same switch, not one to each of two.
        ("kind=router, link(kind=switch)>=2", "/tb1/r1"),
        ("kind=router, link(kind=switch)", "/tb1/r1 /tb2/r2"),
        ("kind=switch, link(kind=router)=1", "/tb2/s2"),
        ("kind=switch, link(name=r1)=2", "/tb1/s1"),
        ("kind=router, !link(name=s2)", "/tb1/r1"),
        ("!(kind=port | kind=router | kind=switch)", "/tb1 /tb2"),
    ] {
        assert_eq!(found(&tree, selector), paths, "{selector}");
    }
}

/// The page of the book: its lab, and what each selector of its table finds there.
#[test]
fn the_page_means_what_it_says() {
    let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/selectors.md")).unwrap();
    let mut tree = Tree::new();
    for (number, line) in
        (1..).zip(page.lines().filter_map(|line| line.strip_prefix("jackfield resource set ")))
    {
        let (path, properties) = line.split_once(' ').unwrap_or((line, ""));
        put(&mut tree, number, path, Value::Object(words(properties)));
    }
    let table =
        page.lines().filter_map(|line| line.strip_prefix("| `")?.strip_suffix(" |")?.split_once("` | "));
    let rows: Vec<_> = table.filter(|(_, finds)| finds.starts_with("`/")).collect();
    assert!(rows.len() > 15, "the table of the page was not found");
    for (selector, finds) in rows {
        assert_eq!(found(&tree, &selector.replace("\\|", "|")), finds.replace('`', ""), "{selector}");
    }
    let needs = page.lines().filter_map(|line| line.strip_prefix("| `")?.split_once("` | "));
    let needs = needs.skip_while(|(text, _)| *text != "kind=router, ports>=4").skip(1);
    let needs = needs.skip_while(|(text, _)| *text != "kind=router, ports>=4");
    let mut read = 0;
    for (text, _) in needs {
        crate::needs::Needs::parse(text)
            .unwrap_or_else(|error| panic!("{text}: {error}"))
            .fit_ever(&tree)
            .unwrap();
        read += 1;
    }
    assert_eq!(read, 4);
}

/// `key=value` as a shell takes it apart, and as `resource set` reads it.
fn words(line: &str) -> serde_json::Map<String, Value> {
    let mut words = vec![String::new()];
    let mut is_quoted = false;
    for letter in line.chars() {
        match letter {
            '\'' => is_quoted = !is_quoted,
            ' ' if !is_quoted => words.push(String::new()),
            letter => words.last_mut().unwrap().push(letter),
        }
    }
    let pairs = words.iter().filter_map(|word| word.split_once('='));
    let value = |text: &str| serde_json::from_str(text).unwrap_or_else(|_text| json!(text));
    pairs.map(|(key, text)| (key.to_owned(), value(text))).collect()
}

#[test]
fn what_is_wrong_is_told_with_its_place_and_what_to_write() {
    let deep = "(".repeat(40);
    let many = vec!["a"; 300].join(",");
    let long = "a".repeat(5_000);
    let calls = "below(".repeat(40);
    let told = [
        "",
        "kind=",
        "kind=router,",
        "kind=router ports>=4",
        "kind=router and ports>=4",
        "kind in router",
        "model in (a",
        "ports>=",
        "kind=\"router",
        "children(kind=port)",
        "child(kind=port)>=x",
        "a b",
        "=4",
        "kind=(a)",
        "(kind=router",
        "kind=router)",
        "a;b",
        "$(reboot)",
        "dut:kind=router",
        "ports=>4",
        &deep,
        &many,
        &long,
        &calls,
    ]
    .map(|text| {
        let shown: String = text.chars().take(30).collect();
        format!("{shown:30} {}", Selector::parse(text).unwrap_err())
    });
    insta::assert_snapshot!(told.join("\n"));
}

#[test]
fn secrets_are_neither_asked_for_nor_tried() {
    let tree = lab();
    for (selector, secret) in [
        ("password=hunter2", true),
        ("!below(login.Passwd~h*)", true),
        ("kind=a", false),
        ("kind=password", false),
    ] {
        assert_eq!(Selector::parse(selector).unwrap().looks_at_secrets(), secret, "{selector}");
    }
    let selector = Selector::parse("web~*hunter2*").unwrap();
    let look = |sight| tree.select(&selector, sight, &ResourceId::root(), None, 9).unwrap().nodes.len();
    assert_eq!((look(Sight::All), look(Sight::Open)), (1, 0));
}

#[test]
fn a_secret_among_tags_is_not_tried_either() {
    let mut tree = Tree::new();
    put(&mut tree, 1, "/a", json!({"tags": ["10g", "http://ana:hunter2@a/"]}));
    put(&mut tree, 2, "/b", json!({"tag": "10g http://ana:hun,ter2@b/"}));
    let found = |selector: &str, sight| {
        let selector = Selector::parse(selector).unwrap();
        tree.select(&selector, sight, &ResourceId::root(), None, 9).unwrap().nodes.len()
    };
    for (selector, all, open) in
        [("tag~*hunter2*", 1, 0), ("tag~ter2*", 1, 0), ("tag=10g", 2, 1), ("tag", 2, 2)]
    {
        assert_eq!((found(selector, Sight::All), found(selector, Sight::Open)), (all, open), "{selector}");
    }
}

#[test]
fn what_would_take_too_long_is_refused() {
    let mut tree = Tree::new();
    put(&mut tree, 1, "/a", json!({}));
    for number in 0..3_000 {
        put(
            &mut tree,
            10 + number,
            &format!("/a/n{number}"),
            json!({"text": "x".repeat(4_000), "link": "/a"}),
        );
    }
    let pattern = "*x".repeat(60);
    let clauses = vec![format!("!text~{pattern}y"); 120].join(",");
    let selector = Selector::parse(&format!("!below({clauses}), zzz | !below(text~{pattern}y)")).map(drop);
    assert!(selector.is_err(), "it is longer than a text may be");
    let nested = (0..14).fold("text~*y".to_owned(), |inner, _| format!("below({inner})=0"));
    let selector = Selector::parse(&vec![nested; 12].join(",")).unwrap();
    let found = tree.select(&selector, Sight::All, &ResourceId::root(), None, 10);
    assert!(found.is_ok_and(|found| found.nodes.len() == 10), "what is known of a node is not asked again");
}

#[test]
fn pages_follow_each_other_in_the_order_of_paths() {
    let tree = lab();
    for selector in ["kind=port", "!kind=router"] {
        let selector = Selector::parse(selector).unwrap();
        let all = tree.select(&selector, Sight::All, &ResourceId::root(), None, 100).unwrap().nodes;
        let (mut pages, mut after) = (Vec::new(), None);
        loop {
            let page = tree.select(&selector, Sight::All, &ResourceId::root(), after.as_deref(), 2).unwrap();
            after = page.nodes.last().map(|id| tree.path(id));
            pages.extend(page.nodes);
            if !page.more {
                break;
            }
        }
        assert_eq!(pages, all);
        let below = tree.select(&selector, Sight::All, &id(8), None, 100).unwrap().nodes;
        assert!(below.iter().all(|id| tree.path(id).starts_with("/tb2")), "{below:?}");
    }
}

#[test]
fn nothing_found_names_the_clause_that_leaves_nothing() {
    let tree = lab();
    for (selector, why) in [
        ("kind=ruter", "no resource has kind=ruter"),
        ("kind=router, ports>=48", "none of the 2 with kind=router has ports>=48"),
        ("kind=router, ports>=4, broken", "none of the 1 with kind=router, ports>=4 has broken"),
        ("kind=a | kind=b", "no resource has kind=a | kind=b"),
    ] {
        assert_eq!(tree.why_none(&Selector::parse(selector).unwrap(), Sight::All).unwrap(), why);
    }
}

/// What the columns give, and what looking at each node gives.
fn agree(tree: &Tree, text: &str) -> Result<(), TestCaseError> {
    let selector = Selector::parse(text).unwrap();
    let page = tree.select(&selector, Sight::All, &ResourceId::root(), None, 1_000).unwrap();
    let found: Vec<_> = page.nodes.iter().map(|id| tree.path(id)).collect();
    let fits = |id: &ResourceId| {
        let look = Look::new(tree, Sight::All);
        let fits = tree.nodes.get(id).is_some_and(|node| look.fits(node, &selector.term));
        look.check().unwrap();
        fits
    };
    let all: Vec<_> = tree
        .walk()
        .map(|node| (ResourceId::parse(&node.id).unwrap_or_else(ResourceId::root), node.path))
        .filter(|(id, path)| path != "/" && fits(id))
        .map(|(_, path)| path)
        .collect();
    prop_assert_eq!(found, all, "{}", text);
    Ok(())
}

fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(json!(4)),
        Just(json!(4.0)),
        Just(json!("4")),
        Just(json!("no")),
        Just(json!(true)),
        Just(json!(null)),
        Just(json!(["a", 4])),
        Just(json!([])),
        Just(json!({"a": 4})),
        Just(json!("x".repeat(200))),
        Just(json!("a")),
    ]
}

fn clause() -> impl Strategy<Value = String> {
    let key = prop_oneof![Just("a"), Just("b"), Just("tag"), Just("name"), Just("a.a")];
    let test = prop_oneof![
        Just(""),
        Just("=4"),
        Just("!=4"),
        Just(">=4"),
        Just("<a"),
        Just(" in (a, 4)"),
        Just("~*x"),
        Just("=\"4\""),
        Just("=true"),
        Just("=n1"),
    ];
    (key, test).prop_map(|(key, test)| format!("{key}{test}"))
}

fn selector() -> impl Strategy<Value = String> {
    clause().prop_recursive(3, 8, 3, |inner| {
        prop_oneof![
            (inner.clone(), inner.clone()).prop_map(|(one, other)| format!("({one}), ({other})")),
            (inner.clone(), inner.clone()).prop_map(|(one, other)| format!("({one}) | ({other})")),
            inner.clone().prop_map(|one| format!("!({one})")),
            (inner, prop_oneof![Just("child"), Just("below"), Just("parent"), Just("above"), Just("link")])
                .prop_map(|(one, near)| format!("{near}({one})")),
        ]
    })
}

proptest! {
    #[test]
    fn columns_find_what_looking_at_all_finds_through_every_edit(
        nodes in prop::collection::vec((0_usize..8, prop::collection::btree_map(prop_oneof![Just("a"), Just("b"), Just("tag")], value(), 0..3)), 1..12),
        edits in prop::collection::vec((0_u64..14, 0_u8..3, value()), 0..12),
        asked in prop::collection::vec(selector(), 1..6),
    ) {
        let mut tree = Tree::new();
        let mut paths = vec![String::new()];
        for (number, (parent, properties)) in nodes.into_iter().enumerate() {
            let parent = paths[parent % paths.len()].clone();
            let path = format!("{parent}/n{number}");
            let properties: BTreeMap<_, _> = properties.into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
            put(&mut tree, u64::try_from(number).unwrap(), &path, json!(properties));
            paths.push(path);
        }
        agree(&tree, &asked[0])?;
        for (number, edit, value) in edits {
            let edit = match edit {
                0 => Edit::Merge { id: id(number), properties: BTreeMap::from([("a".to_owned(), value)]) },
                1 => {
                    let Some(parent) = tree.row(&id(number)).and_then(|row| row.parent.clone()) else { continue };
                    Edit::Move { id: id(number), parent, name: format!("m{number}") }
                }
                _ => Edit::Remove { id: id(number) },
            };
            let before = tree.clone();
            if let Ok(edited) = tree.apply(edit) && number % 2 == 0 {
                tree.apply(edited.inverse).unwrap();
                prop_assert_eq!(&tree.nodes, &before.nodes);
            }
        }
        for text in &asked {
            agree(&tree, text)?;
        }
    }

    #[test]
    fn no_text_is_too_much_for_the_parser(text in "[a-z(),|!=<>~:;\"' 0-9*$]{0,60}") {
        if let Ok(selector) = Selector::parse(&text) {
            let again = Selector::parse(&selector.to_string());
            prop_assert_eq!(again.map(|again| again.to_string()), Ok(selector.to_string()));
        }
    }
}
