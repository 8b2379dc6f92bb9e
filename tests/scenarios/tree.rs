//! The tree of resources while people, tests and files change it, and while others have some of it.

use std::{fs, time::Duration};

use jackfield_protocol::{
    event::RunState,
    lease::{LeaseState, LeaseView},
};
use jackfield_tests::{Bench, api::Api, wait};
use serde_json::{Value, json};

use crate::{
    health::on_sut,
    people::{ROLES, join},
    twister::samples,
    typing::{done, follow, refused, type_in, typed},
};

const LIMIT: Duration = Duration::from_secs(60);

/// Paths and properties of all there is.
fn tree(api: &Api) -> Value {
    fn walk(node: &Value, all: &mut serde_json::Map<String, Value>) {
        all.insert(node["path"].as_str().unwrap().to_owned(), node["meta"].clone());
        node["children"].as_array().unwrap().iter().for_each(|child| walk(child, all));
    }
    let mut all = serde_json::Map::new();
    walk(&api.get("/resources/tree").unwrap(), &mut all);
    Value::Object(all)
}

fn version(api: &Api) -> u64 {
    api.get::<Value>("/resources?query=/").unwrap().get("version").and_then(Value::as_u64).unwrap()
}

/// Status and problem of an edit that must be refused.
#[track_caller]
fn problem(api: &Api, method: &str, path: &str, body: &Value) -> (u16, Value) {
    let (status, text) = api.request(method, path, Some(body)).unwrap();
    assert!(status >= 400, "{path} {body}: {status} {text}");
    (status, serde_json::from_str(&text).unwrap())
}

#[test]
fn the_page_about_the_tree_does_what_it_says() {
    let bench = Bench::start("").unwrap();
    let (lines, bodies) = follow(&bench, "resources.md");
    assert_eq!((lines, bodies.len()), (11, 1));
    // It stands in the middle of the page, where its lines would shift the numbers of those after it.
    let made: Value = bench.api.post("/resources/edits", &bodies[0]).unwrap();
    assert_eq!(made["version"], 8);
    assert_eq!(tree(&bench.api)["/tb1/r3/r2"], json!({"kind": "router", "ports": 12}));
    assert_eq!(tree(&bench.api)["/tb1/r1"], json!({"kind": "router"}));
}

/// The words of a text without the numbers and instants that a lab's past and the clock give it.
fn worded(text: &str) -> String {
    let is_told = |word: &&str| word.starts_with('/') || !word.contains(|c: char| c.is_ascii_digit());
    text.split_whitespace().filter(is_told).collect::<Vec<_>>().join(" ")
}

#[test]
fn the_pages_about_selectors_and_leases_show_what_is_said() {
    let bench = Bench::start("").unwrap();
    let ana = join(&bench, "ana", &ROLES).unwrap();
    done(&bench, &bench.api, "jackfield resource set /tb1 && jackfield resource set /tb1/router1");
    let mut commands = 0;
    for name in ["selectors", "leases"] {
        let page = format!("{}/../docs/{name}.md", env!("CARGO_MANIFEST_DIR"));
        let page = fs::read_to_string(page).unwrap();
        for block in page.split("```").skip(1).step_by(2) {
            let (kind, text) = block.split_once('\n').unwrap();
            if kind == "sh" && text.starts_with("jackfield resource set") {
                done(&bench, &bench.api, &format!("set -e\n{text}"));
            }
            if kind == "console" {
                commands += type_in(&bench, &ana, text, worded);
            }
        }
    }
    assert_eq!(commands, 3);
}

#[test]
fn edits_are_made_together_known_after_a_kill_and_taken_back() {
    let mut bench = Bench::start("").unwrap();
    for (parent, name) in [("/", "tb1"), ("/tb1", "r1"), ("/tb1", "r2")] {
        bench.api.set_resource(parent, name, &json!({"ports": 4})).unwrap();
    }
    let before = tree(&bench.api);
    let edits = json!({"edits": [
        {"do": "set", "parent": "/tb1/r1", "name": "p1", "properties": {"speed": 10}},
        {"do": "copy", "query": "/tb1/r1", "parent": "/", "name": "r9"},
        {"do": "rename", "query": "/tb1/r1:ports", "name": "ports"},
        {"do": "move", "query": "/tb1", "parent": "/tb1/r1"}
    ]});
    let (status, said) = problem(&bench.api, "POST", "/resources/edits", &edits);
    assert_eq!(
        (status, &said["code"], &said["field"]),
        (409, &json!("wrong_state"), &json!("edits.3")),
        "{said}"
    );
    assert_eq!(
        said["title"],
        "edit 4 of the list: `/tb1` cannot be put into `/tb1/r1`, which is in it; none of them was made"
    );
    assert_eq!((tree(&bench.api), version(&bench.api)), (before.clone(), 3));
    let mut good = edits.clone();
    good["edits"].as_array_mut().unwrap().pop();
    let made: Value = bench.api.post("/resources/edits", &good).unwrap();
    assert_eq!(made["version"], 4);
    let after = tree(&bench.api);
    assert_eq!(after["/r9/p1"], json!({"speed": 10}));
    bench.kill_engine();
    bench.start_engine().unwrap();
    assert_eq!((tree(&bench.api), version(&bench.api)), (after.clone(), 4));
    let history: Value = bench.api.get("/resources/history?resource=/r9").unwrap();
    let newest = &history["items"][0];
    assert_eq!(
        (&newest["version"], &newest["who"], &newest["action"]),
        (&json!(4), &json!("admin"), &json!("resource.edit"))
    );
    // Somebody else changes what was made: that is not taken back over their heads.
    bench.api.set_resource("/r9", "p1", &json!({"speed": 100})).unwrap();
    let (status, said) = problem(&bench.api, "POST", "/resources/undo", &json!({"version": 4}));
    assert_eq!((status, &said["code"]), (412, &json!("changed")), "{said}");
    assert!(said["title"].as_str().unwrap().contains("was changed again; undo that first"), "{said}");
    bench.api.post::<Value>("/resources/undo", &json!({"version": 5})).unwrap();
    bench.api.post::<Value>("/resources/undo", &json!({"version": 4})).unwrap();
    assert_eq!(tree(&bench.api), before);
    // And made again, by undoing what undid it.
    bench.api.post::<Value>("/resources/undo", &json!({"version": 7})).unwrap();
    assert_eq!(tree(&bench.api), after);
    let (status, _) = problem(&bench.api, "POST", "/resources/undo", &json!({"version": 4711}));
    assert_eq!(status, 404);
}

#[test]
fn what_somebody_has_is_not_moved_and_bears_its_new_name() {
    let mut bench = Bench::start("").unwrap();
    for (parent, name) in [("/", "tb1"), ("/tb1", "r1"), ("/tb1", "r2"), ("/", "tb2")] {
        bench.api.set_resource(parent, name, &json!({"kind": "router"})).unwrap();
    }
    bench.api.set_sut("core.system", "router", "/tb1/r1").unwrap();
    bench.write("tests/a.sh", "#!/bin/sh\nexit 0\n").unwrap();
    bench.start_ep("EP-1", "").unwrap();
    let admin = bench.api.clone();
    let ana = join(&bench, "ana", &ROLES).unwrap();
    let bob = join(&bench, "bob", &ROLES).unwrap();
    done(&bench, &ana, "jackfield lease take /tb1/r1 --for 2h --reason 'bug 1234'");
    let before = tree(&admin);
    for what in ["/tb1/r1", "/tb1"] {
        refused(&bench, &admin, &format!("jackfield resource move {what} /tb2"), "ana has /tb1/r1 until 20");
    }
    refused(&bench, &admin, "jackfield resource delete /tb1", "ana has /tb1/r1 until 20");
    let batch = json!({"edits": [{"do": "delete", "query": "/tb1/r2"}, {"do": "move", "query": "/tb1/r1", "parent": "/tb2"}]});
    let (status, said) = problem(&admin, "POST", "/resources/edits", &batch);
    assert_eq!((status, &said["code"]), (409, &json!("held")), "{said}");
    bench.write("empty.csv", "path\n/tb9\n").unwrap();
    refused(&bench, &admin, "jackfield resource apply empty.csv --exact", "ana has /tb1/r1 until 20");
    assert_eq!(tree(&admin), before);
    // Whoever waits would wait at the old place, and whoever has booked it would come there.
    let run = bob.submit("night", &on_sut("a.sh")).unwrap();
    let waits = || {
        Ok((bob.run(run)?.state == RunState::Queued
            && bob.get::<Value>(&format!("/runs/{run}/why"))?.to_string().contains("ana has"))
        .then_some(()))
    };
    wait::until(LIMIT, "the run to wait", waits).unwrap();
    // A rack is renamed under everybody's hands.
    done(&bench, &admin, "jackfield resource rename /tb1 rack7");
    let lease: LeaseView = ana.get("/leases/1").unwrap();
    assert_eq!((lease.state, lease.name.as_str()), (LeaseState::Active, "/rack7/r1"));
    let (code, said) = typed(&bench, &bob, "jackfield lease take /rack7/r1");
    assert!(code == 2 && said.contains("ana has /rack7/r1 until 20"), "{said}");
    bench.kill_engine();
    bench.start_engine().unwrap();
    let lease: LeaseView = ana.get("/leases/1").unwrap();
    assert_eq!((lease.state, lease.name.as_str()), (LeaseState::Active, "/rack7/r1"));
    done(&bench, &ana, "jackfield lease release /rack7/r1");
    assert_eq!(bob.wait(run, LIMIT).unwrap().state, RunState::Completed);
    // Free, it goes, and the SUT with it: who has the SUT has the rack that it is in now against others.
    done(&bench, &admin, "jackfield resource move /rack7/r1 /tb2");
    done(&bench, &bob, "jackfield lease take --sut core.system --for 1h");
    let (code, said) = typed(&bench, &ana, "jackfield lease take /tb2");
    assert!(code == 2 && said.contains("bob has"), "{said}");
    done(&bench, &ana, "jackfield lease take /rack7 --for 1h");
    // Booked for later is not moved either.
    done(&bench, &ana, "jackfield lease release /rack7");
    let lease: Value = ana
        .post(
            "/leases",
            &json!({"resources": ["/rack7/r2"], "begin": in_two_hours(&ana), "for_millis": 3_600_000}),
        )
        .unwrap();
    refused(&bench, &admin, "jackfield resource move /rack7/r2 /", "ana");
    ana.post::<Value>(&format!("/leases/{}/release", lease["id"]), &json!({})).unwrap();
    done(&bench, &admin, "jackfield resource move /rack7/r2 /");
}

/// An instant two hours from now, by the engine's clock.
fn in_two_hours(api: &Api) -> Value {
    let lease: Value =
        api.post("/leases", &json!({"resources": ["/rack7"], "for_millis": 7_200_000})).unwrap();
    api.post::<Value>(&format!("/leases/{}/release", lease.get("id").unwrap()), &json!({})).unwrap();
    lease.get("until").unwrap().clone()
}

#[test]
fn hostile_input_is_refused_and_harms_nothing() {
    let bench = Bench::start("").unwrap();
    let api = &bench.api;
    for (parent, name, properties) in [
        ("/", "tb1", json!({})),
        ("/tb1", "cop", json!({"link": "/tb1/r2", "password": "P"})),
        ("/tb1", "r2", json!({"link": "/tb1/cop"})),
    ] {
        api.set_resource(parent, name, &properties).unwrap();
    }
    let before = tree(api);
    let long = "x".repeat(1024 * 1024);
    refuse_names(api, &long);
    refuse_requests(api, &long);
    refuse_depth(api);
    // A circle of links, and selectors that would look at everything again and again.
    let found: Value = api.get("/resources/find?selector=link(link(link(name%3Dr2)))").unwrap();
    assert!(found["items"].is_array());
    let explode = format!("{}kind{}", "below(".repeat(200), ")".repeat(200));
    let (status, _) = api.request("GET", &format!("/resources/find?selector={explode}"), None).unwrap();
    assert_eq!(status, 400);
    assert_eq!(tree(api), before);
    refuse_the_stale_and_the_curious(&bench);
    assert_eq!(tree(api), before);
}

fn refuse_names(api: &Api, long: &str) {
    let set = |name: &str| json!({"parent": "/tb1", "name": name, "properties": {}});
    for (name, why) in [
        ("..", "way up"),
        (".", "way up"),
        ("a/b", "have a meaning in queries"),
        ("a:b", "have a meaning in queries"),
        ("c\u{043e}p", "look alike"),
        ("\u{0441}\u{043e}\u{0440}", "it looks like `/tb1/cop`"),
        ("ｃｏｐ", "it looks like `/tb1/cop`"),
        ("cop\u{200b}", "not seen"),
        ("\u{202e}poc", "not seen"),
        ("a\u{7}b", "control character"),
        ("", "empty"),
        (long, "longer than 255 bytes"),
    ] {
        let (status, said) = problem(api, "PUT", "/resources", &set(name));
        assert!((400..=422).contains(&status), "{name:.20}: {status}");
        let title = said.get("title").and_then(Value::as_str).unwrap();
        assert!(title.contains(why) && title.len() < 1_000, "{name:.20}: {title:.200}");
    }
}

fn refuse_requests(api: &Api, long: &str) {
    for (method, path, body) in [
        ("PUT", "/resources", json!({"parent": "/../..", "name": "x"})),
        ("PUT", "/resources", json!({"parent": 5, "name": "x"})),
        ("PUT", "/resources", json!({"parent": "/", "name": ["x"]})),
        ("PUT", "/resources", json!({"parent": "/tb1:cop", "name": "x"})),
        ("PUT", "/resources", json!({"parent": "/tb1", "name": "cop", "properties": {"note": long}})),
        ("PUT", "/resources", json!({"parent": "/tb1", "name": "cop", "properties": {"": 1}})),
        ("PUT", "/resources", json!({"parent": "/tb1", "name": "cop", "properties": [1]})),
        ("POST", "/resources/rename", json!({"query": "/", "name": "x"})),
        ("POST", "/resources/move", json!({"query": "/tb1", "parent": "/tb1/cop"})),
        ("POST", "/resources/move", json!({"query": "/tb1/cop", "parent": "/nowhere"})),
        ("POST", "/resources/copy", json!({"query": "/tb1/cop", "parent": "/tb1"})),
        ("POST", "/resources/edits", json!({"edits": []})),
        ("POST", "/resources/edits", json!({"edits": [{"do": "explode"}]})),
        (
            "POST",
            "/resources/edits",
            json!({"edits": vec![json!({"do": "delete", "query": "/tb1"}); 10_001]}),
        ),
        ("POST", "/resources/undo", json!({"version": -1})),
        ("POST", "/resources/apply", json!({"text": "path\n/tb1/..\n", "name": "x.csv"})),
        ("POST", "/resources/apply", json!({"text": "path\n/tb1/c\u{043e}p\n", "name": "x.csv"})),
        ("POST", "/resources/apply", json!({"text": "{\"a\":".repeat(10_000), "format": "resources"})),
        ("POST", "/resources/apply", json!({"text": "a: &a [*a]", "format": "pyats"})),
        ("POST", "/resources/apply", json!({"text": "x", "format": "docx"})),
        ("POST", "/resources/apply", json!({"text": "path\n/x\n", "name": "x.csv", "into": "/nowhere"})),
    ] {
        let (status, said) = problem(api, method, path, &body);
        assert!((400..=422).contains(&status), "{method} {path}: {status} {said}");
        assert!(said.get("title").and_then(Value::as_str).unwrap().len() < 1_000, "{method} {path}");
    }
}

/// Ten thousand levels, one by one and in one file.
fn refuse_depth(api: &Api) {
    let mut path = "/tb1".to_owned();
    let mut level = 1;
    let refused = loop {
        let body = json!({"parent": path, "name": "n"});
        let (status, text) = api.request("PUT", "/resources", Some(&body)).unwrap();
        if status >= 400 {
            break text;
        }
        path.push_str("/n");
        level += 1;
        assert!(level < 100, "no end to it");
    };
    assert!(refused.contains("deeper than 64 levels"), "{refused}");
    api.request("DELETE", "/resources?query=/tb1/n", None).unwrap();
    let deep = format!("path\n{}\n", "/n".repeat(10_000));
    let (status, said) = problem(api, "POST", "/resources/apply", &json!({"text": deep, "name": "x.csv"}));
    assert_eq!((status, said.get("code")), (413, Some(&json!("too_large"))), "{:.300}", said.to_string());
}

/// A stale version, and somebody else's secrets.
fn refuse_the_stale_and_the_curious(bench: &Bench) {
    let guest = join(bench, "guest", &["VIEW_REPORTS"]).unwrap();
    for path in ["/resources/export?format=csv", "/resources/export", "/resources/history", "/resources/tree"]
    {
        let (status, text) = guest.request("GET", path, None).unwrap();
        assert!(
            status == 200 && !text.contains("\"P\"") && !text.contains(",P,") && !text.contains("\\\"P\\\""),
            "{path}: {text}"
        );
    }
    // Comparing would find secrets out.
    let guess = json!({"text": "path,password\n/tb1/cop,P\n", "name": "x.csv"});
    assert_eq!(guest.request("POST", "/resources/plan", Some(&guess)).unwrap().0, 403);
    assert_eq!(
        guest
            .request("POST", "/resources/apply", Some(&json!({"text": "path\n/x\n", "name": "x.csv"})))
            .unwrap()
            .0,
        403
    );
    bench.write("x.csv", "path,a\n/tb1,1\n").unwrap();
    let why = "it changed since you read it: you saw version 1, now it is";
    refused(bench, &bench.api, "jackfield resource apply x.csv --if-version 1", why);
}

const TESTBED: &str = "testbed: {name: lab}\ndevices:\n  r1: {type: router, os: ios, connections: {cli: {protocol: ssh, ip: 10.0.0.1}}, credentials: {default: {username: u, password: p}}}\n\
  s1: {type: switch}\ntopology:\n  r1: {interfaces: {Gi0/1: {link: l1, type: ethernet}}}\n  s1: {interfaces: {Gi0/2: {link: l1, type: ethernet}}}\n";

#[test]
fn files_of_other_tools_come_in_and_ours_go_out_and_in_again() {
    let bench = Bench::start("").unwrap();
    let api = &bench.api;
    bench.write("testbed.yaml", TESTBED).unwrap();
    bench.write("env.yaml", "targets:\n  board:\n    resources:\n      NetworkService: {address: 10.0.0.2, username: root}\n    drivers: {SSHDriver: {}}\n").unwrap();
    bench.write("hosts", "[phones]\nph[1:2] ansible_host=10.0.0.3\n").unwrap();
    let said = done(&bench, api, "jackfield resource import testbed.yaml");
    assert!(said.contains("`/lab/r1:password` is a plain secret in the file"), "{said}");
    let said = done(&bench, api, "jackfield resource import env.yaml");
    assert!(
        said.contains("warning: what the drivers of `board` do (SSHDriver) is not carried over"),
        "{said}"
    );
    done(&bench, api, "jackfield resource import hosts");
    let there = tree(api);
    assert_eq!(there["/lab/r1"]["host"], "10.0.0.1");
    assert_eq!(there["/board/NetworkService"]["host"], "10.0.0.2");
    assert_eq!(there["/ph2"]["groups"], json!(["phones"]));
    // The picture of the cables is known to selectors.
    assert_eq!(
        done(&bench, api, "jackfield resource find 'kind=router, link(kind=interface)' --paths").trim(),
        "/lab/r1"
    );
    for file in ["lab.json", "lab.csv"] {
        let format = if file.ends_with("csv") { "csv" } else { "resources" };
        done(&bench, api, &format!("jackfield resource export --format {format} -o {file}"));
        let said = done(&bench, api, &format!("jackfield resource plan {file} --exact"));
        assert!(said.contains("the tree is as the file says"), "{said}");
    }
    // All of it goes, and comes back with its ids.
    let ids = api.get::<Value>("/resources/tree").unwrap();
    for path in ["/lab", "/board", "/ph1", "/ph2"] {
        done(&bench, api, &format!("jackfield resource delete {path}"));
    }
    done(&bench, api, "jackfield resource apply lab.csv");
    assert_eq!(api.get::<Value>("/resources/tree").unwrap(), ids);
}

#[test]
fn twisters_own_files_come_in_go_out_and_come_in_again() {
    let Some(data) = samples().map(|samples| samples.join("config")) else { return };
    let bench = Bench::start("").unwrap();
    let api = &bench.api;
    let at = data.display();
    done(&bench, api, &format!("jackfield resource import {at}/resources.json"));
    done(&bench, api, &format!("jackfield sut import {at}/sut/user_sut.json --name user_sut.user"));
    done(&bench, api, "jackfield sut export user_sut.user -o sut.json");
    let body = |text: &str| {
        let mut value: Value = serde_json::from_str(text).unwrap();
        value.as_object_mut().unwrap().remove("version");
        value
    };
    let ours = fs::read_to_string(bench.lab().join("sut.json")).unwrap();
    assert_eq!(body(&ours), body(&fs::read_to_string(data.join("sut/user_sut.json")).unwrap()));
    done(&bench, api, "jackfield resource export -o resources.json");
    let ours = fs::read_to_string(bench.lab().join("resources.json")).unwrap();
    assert_eq!(body(&ours), body(&fs::read_to_string(data.join("resources.json")).unwrap()));
    done(&bench, api, "jackfield resource delete /tb1");
    done(&bench, api, &format!("jackfield resource import {at}/hwconfig.xml"));
    let first = tree(api);
    assert_eq!(first["/TB-001/DUT1"]["TerminalServerPort"], "5014");
    done(&bench, api, "jackfield resource export --format hwconfig -o hwconfig.xml");
    let said = done(&bench, api, "jackfield resource plan hwconfig.xml --exact");
    assert!(said.contains("the tree is as the file says"), "{said}");
}
