//! The tree as tests and people use it, its files, and what an edit promises.

use std::collections::BTreeMap;

use crate::{Answer, Edit, ResourceError, ResourceId, Suts, Tree};
use jackfield_protocol::{
    error::ErrorCode,
    id::{EpName, SutName, UserName},
};
use proptest::prelude::*;
use serde_json::{Value, json};

fn id(number: u64) -> ResourceId {
    ResourceId::from_number(number)
}

fn properties(pairs: &[(&str, Value)]) -> BTreeMap<String, Value> {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), value.clone())).collect()
}

/// `/tb1/dev1/port1` with an address at `dev1`.
fn bench() -> Tree {
    let mut tree = Tree::new();
    tree.set("tb1", "/", properties(&[]), id(1)).unwrap();
    tree.set("dev1", "/tb1", properties(&[("ip", json!("10.0.0.1")), ("lines", json!([1, 2]))]), id(2))
        .unwrap();
    tree.set("port1", "/tb1/dev1", properties(&[("speed", json!(100))]), id(3)).unwrap();
    tree
}

fn value(tree: &Tree, query: &str) -> Value {
    tree.get(query).unwrap().into_value()
}

#[test]
fn a_node_is_found_by_path_and_id_and_so_is_one_property() {
    let tree = bench();
    for query in ["/tb1/dev1", "tb1/dev1/", "0000000002"] {
        let Answer::Node(node) = tree.get(query).unwrap() else { panic!("{query} is a node") };
        assert_eq!((node.id.as_str(), node.path.as_str(), node.version), ("0000000002", "/tb1/dev1", 3));
        assert_eq!(node.children, ["0000000003"]);
    }
    assert_eq!(value(&tree, "/tb1/dev1:ip"), json!("10.0.0.1"));
    assert_eq!(value(&tree, "0000000003:speed"), json!(100));
    assert_eq!(value(&tree, "/")["path"], json!("/"));
}

#[test]
fn what_is_wrong_is_said_with_the_nearest_right_thing() {
    let mut tree = bench();
    for (error, code, text) in [
        (
            tree.get("/tb1/dev9/port1").unwrap_err(),
            ErrorCode::NotFound,
            "there is no resource `/tb1/dev9/port1`; the nearest that exists is `/tb1`; there is dev1",
        ),
        (
            tree.get("/tb1/dev1:mac").unwrap_err(),
            ErrorCode::NotFound,
            "`/tb1/dev1` has no property `mac`; there is ip, lines",
        ),
        (
            tree.rename("/tb1/dev1", "a/b").unwrap_err(),
            ErrorCode::BadRequest,
            "`a/b` cannot be a name: `/` and `:` have a meaning in queries",
        ),
        (
            tree.rename("/tb1/dev1:ip", "lines").unwrap_err(),
            ErrorCode::AlreadyExists,
            "`/tb1/dev1:lines` exists already; choose another name, or delete it first",
        ),
        (
            tree.set("x", "/tb1", BTreeMap::new(), id(3)).unwrap_err(),
            ErrorCode::AlreadyExists,
            "the id 0000000003 belongs to `/tb1/dev1/port1`",
        ),
        (
            tree.delete("/").unwrap_err(),
            ErrorCode::WrongState,
            "the root of the tree can be neither renamed nor deleted",
        ),
    ] {
        assert_eq!((error.code(), error.to_string().as_str()), (code, text));
    }
    assert_eq!(tree, bench(), "a refused edit changes nothing");
}

#[test]
fn set_merges_null_removes_and_an_empty_link_goes() {
    let mut tree = bench();
    let change =
        properties(&[("ip", json!("10.0.0.9")), ("lines", Value::Null), ("_id", json!("0000000003"))]);
    let edited = tree.set("dev1", "/tb1", change, id(99)).unwrap();
    assert!(!edited.created);
    assert_eq!(edited.id, id(2));
    assert_eq!(value(&tree, "/tb1/dev1")["meta"], json!({"ip": "10.0.0.9", "_id": "0000000003"}));
    tree.set("dev1", "1/tb1", properties(&[("_id", json!(""))]), id(99)).unwrap_err();
    tree.set("/dev1/", "/tb1", properties(&[("_id", json!(""))]), id(99)).unwrap();
    assert_eq!(value(&tree, "/tb1/dev1")["meta"], json!({"ip": "10.0.0.9"}));
}

#[test]
fn names_change_and_ids_stay() {
    let mut tree = bench();
    tree.rename("/tb1/dev1", "router").unwrap();
    tree.rename("/tb1/router:ip", "address").unwrap();
    assert_eq!(value(&tree, "0000000002:address"), json!("10.0.0.1"));
    assert_eq!(value(&tree, "/tb1/router/port1")["id"], json!("0000000003"));
    let removed = tree.delete("/tb1/router").unwrap().removed;
    assert_eq!(removed, [id(2), id(3)]);
    assert_eq!(tree.len(), 1);
}

#[test]
fn a_tree_that_is_too_deep_is_refused() {
    let mut tree = Tree::new();
    let mut parent = "/".to_owned();
    let error = (1..100).find_map(|level| {
        let set = tree.set("n", &parent, BTreeMap::new(), id(level)).err();
        parent = id(level).to_string();
        set
    });
    assert!(matches!(error, Some(ResourceError::TooDeep { limit: 64, .. })));
}

#[test]
fn twisters_file_comes_back_as_it_was() {
    let file = json!({
        "path": [], "version": 4, "meta": {}, "name": "/",
        "children": {"tb1": {"path": ["tb1"], "meta": {"rack": 3}, "id": "f1950165cd", "note": "kept", "children": {
            "dev_1": {"path": ["tb1", "dev_1"], "meta": {"name": "switch"}, "id": "0c651e3670", "children": {}}}}}
    });
    let tree = Tree::from_json(file.clone()).unwrap();
    assert_eq!(tree.version(), 4);
    assert_eq!(value(&tree, "/tb1/dev_1:name"), json!("switch"));
    assert_eq!(tree.to_json(), file);
    let rows: Vec<_> = tree.rows().cloned().collect();
    assert_eq!(Tree::from_rows(4, rows).unwrap(), tree);
}

#[test]
fn a_bad_file_is_refused_with_its_place() {
    let node = |body: Value| json!({"children": {"tb1": body}});
    for (file, at, problem) in [
        (json!([]), "/", "it must be a JSON object"),
        (node(json!(5)), "/tb1", "it must be a JSON object"),
        (node(json!({"id": "xyz"})), "/tb1", "`id` must be ten hexadecimal digits, not \"xyz\""),
        (node(json!({"id": "f1950165cd", "children": []})), "/tb1", "`children` must be a JSON object"),
        (json!({"id": "f1950165cd"}), "/", "`path` must hold the name of the SUT"),
        (
            json!({"children": {"a": {"id": "f1950165cd"}, "b": {"id": "f1950165cd"}}}),
            "/a",
            "the id f1950165cd belongs to `/b`",
        ),
    ] {
        let error = Tree::from_json(file).unwrap_err();
        assert_eq!(error, ResourceError::BadFile { at: at.to_owned(), problem: problem.to_owned() });
    }
}

fn suts() -> Suts {
    let file = json!({
        "path": ["bench.user"], "meta": {"_epnames_ana": "EP-1; EP-2;"}, "id": "7b92547f54",
        "children": {
            "router": {"path": ["bench.user", "router"], "meta": {"_id": "0000000002"}, "id": "322e317f2e", "children": {}},
            "lost": {"path": ["bench.user", "lost"], "meta": {"_id": "00000000ff"}, "id": "322e317f2f", "children": {}}}
    });
    let sut = Tree::from_json(file.clone()).unwrap();
    assert_eq!(sut.to_json(), file);
    let mut suts = Suts::default();
    suts.insert(SutName::from("bench.user"), sut);
    suts
}

#[test]
fn a_link_leads_from_a_component_to_its_resource_and_below_it() {
    let (suts, beds) = (suts(), bench());
    let ask = |query: &str, follow| suts.get(query, follow, &beds).map(Answer::into_value);
    assert_eq!(ask("/bench.user/router", false).unwrap()["path"], json!("/bench.user/router"));
    assert_eq!(ask("/bench.user/router", true).unwrap()["path"], json!("/tb1/dev1"));
    assert_eq!(ask("/bench.user/router:ip", true).unwrap(), json!("10.0.0.1"));
    assert_eq!(ask("/bench.user/router/port1:speed", true).unwrap(), json!(100));
    assert_eq!(ask("322e317f2e:_id", false).unwrap(), json!("0000000002"));
    let error = ask("/bench.user/lost", true).unwrap_err();
    assert_eq!(
        error.to_string(),
        "`/bench.user/lost` links to resource 00000000ff, which does not exist; set its `_id` to one that does"
    );
    assert!(ask("/nowhere.user", true).is_err());
}

#[test]
fn a_sut_names_the_eps_of_a_user() {
    let eps = suts().eps(&SutName::from("bench.user"), &UserName::from("ana"));
    assert_eq!(eps, [EpName::from("EP-1"), EpName::from("EP-2")]);
    assert!(suts().eps(&SutName::from("bench.user"), &UserName::from("bob")).is_empty());
}

/// One call with small numbers, so that calls meet.
fn call() -> impl Strategy<Value = (u8, u8, u8)> {
    (0..4_u8, 0..6_u8, 0..6_u8)
}

fn make(tree: &mut Tree, (kind, a, b): (u8, u8, u8), next: u64) -> Option<Edit> {
    let nodes: Vec<_> = tree.walk().map(|node| node.path).collect();
    let at = nodes[usize::from(a) % nodes.len()].clone();
    let edited = match kind {
        0 | 1 => {
            tree.set(&format!("n{b}"), &at, properties(&[("p", json!(b)), ("q", Value::Null)]), id(next))
        }
        2 => tree.rename(&at, &format!("n{b}")),
        _ => tree.delete(&at),
    };
    edited.ok().map(|edited| edited.inverse)
}

proptest! {
    #[test]
    fn inverses_lead_back(calls in prop::collection::vec(call(), 1..30)) {
        let mut tree = Tree::new();
        let mut before = Vec::new();
        for (next, call) in (1..).zip(calls) {
            let rows: Vec<_> = tree.rows().cloned().collect();
            if let Some(inverse) = make(&mut tree, call, next) {
                before.push((rows, inverse));
            }
            let rows: Vec<_> = tree.rows().cloned().collect();
            prop_assert_eq!(&Tree::from_rows(tree.version(), rows).unwrap(), &tree);
            prop_assert_eq!(&Tree::from_json(tree.to_json()).unwrap(), &tree);
        }
        while let Some((rows, inverse)) = before.pop() {
            tree.apply(inverse).unwrap();
            let now: Vec<_> = tree.rows().cloned().collect();
            prop_assert_eq!(now, rows);
        }
    }
}

#[test]
fn a_large_tree_answers_at_once() {
    let mut tree = Tree::new();
    for bed in 0..100_u64 {
        tree.set(&format!("tb{bed}"), "/", BTreeMap::new(), id(bed * 1_001 + 1)).unwrap();
        for dev in 1..=1_000 {
            let path = format!("/tb{bed}");
            tree.set(
                &format!("dev{dev}"),
                &path,
                properties(&[("n", json!(dev))]),
                id(bed * 1_001 + 1 + dev),
            )
            .unwrap();
        }
    }
    assert_eq!(tree.len(), 100_100);
    for _ in 0..10_000 {
        assert_eq!(value(&tree, "/tb99/dev1000:n"), json!(1_000));
    }
}

#[test]
fn twisters_own_samples_come_back_as_they_were() {
    let data = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/twister/data/config");
    for (name, nodes) in [("resources.json", 4), ("sut/user_sut.json", 3)] {
        let Ok(text) = std::fs::read_to_string(data.join(name)) else {
            println!("{} is absent: the sample is not tried", data.join(name).display());
            continue;
        };
        let file: Value = serde_json::from_str(&text).unwrap();
        let tree = Tree::from_json(file.clone()).unwrap();
        assert_eq!((tree.len(), tree.to_json()), (nodes, file), "{name}");
    }
}
