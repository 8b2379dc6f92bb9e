//! Test files and predefined suites as people look for them and edit them, and who hears of it.

use std::process::Command;

use actix_web::{http::Method, test::TestRequest};
use jackfield_protocol::{error::ErrorCode, event::RunState, id::RunId};
use serde_json::{Value, json};

use super::{
    lab::{Got, Lab},
    projects::send,
};
use crate::{
    auth::Scope,
    feed::Next,
    store::tests::fixture::{begun, plan},
};

async fn lab() -> (Lab, String) {
    let lab = Lab::new().await;
    for (name, text) in [
        ("tests/ping.py", "# <title>Ping all ports</title>\nprint('router')\n"),
        ("tests/switch/vlan.tcl", "# <title>VLANs</title>\nputs router\n"),
        ("tests/switch/image", "\0router"),
        (
            "projects/night.xml",
            "<Root>\n  <TestSuite>\n    <tsName>Smoke</tsName>\n    <TestCase>\n      <tcName>ping.py</tcName>\n    </TestCase>\n  </TestSuite>\n</Root>\n",
        ),
    ] {
        let file = lab.folder.path().join(name);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, text).unwrap();
    }
    let token = lab.token(Scope::Admin).await;
    (lab, token)
}

async fn put(lab: &Lab, token: &str, file: &str, header: (&'static str, &str), text: &'static str) -> Got {
    let request = TestRequest::put()
        .uri(&format!("/api/v1/test-texts/{file}"))
        .insert_header(("Authorization", format!("Bearer {token}")))
        .insert_header(header)
        .set_payload(text);
    lab.send(request).await
}

#[actix_web::test]
async fn a_test_file_is_written_over_the_version_that_was_read() {
    let (lab, token) = lab().await;
    let read = lab.get(&token, "/test-texts/ping.py").await.expect(200);
    let etag = read.header("etag").to_owned();
    let saved = put(&lab, &token, "ping.py", ("If-Match", &etag), "print(2)\n").await.expect(200);
    assert_eq!(saved.json::<Value>()["file"], json!("tests/ping.py"));
    let late = put(&lab, &token, "ping.py", ("If-Match", &etag), "print(3)\n").await.expect(412);
    assert_eq!(late.problem(), ErrorCode::Changed);
    assert_eq!(std::fs::read_to_string(lab.folder.path().join("tests/ping.py")).unwrap(), "print(2)\n");
    put(&lab, &token, "new/one.py", ("If-None-Match", "*"), "x").await.expect(200);
    assert_eq!(
        put(&lab, &token, "new/one.py", ("If-None-Match", "*"), "y").await.expect(409).problem(),
        ErrorCode::AlreadyExists
    );
    for name in ["..%2Fprojects%2Fnight.xml", ".git%2Fconfig", "%2Fetc%2Fx", "switch"] {
        assert_eq!(
            put(&lab, &token, name, ("x", "y"), "x").await.expect(400).problem(),
            ErrorCode::BadRequest,
            "{name}"
        );
    }
    let version = saved.header("etag").to_owned();
    send(&lab, &token, (Method::DELETE, "/test-texts/ping.py"), ("If-Match", &etag), Value::Null)
        .await
        .expect(412);
    send(&lab, &token, (Method::DELETE, "/test-texts/ping.py"), ("If-Match", &version), Value::Null)
        .await
        .expect(204);
    lab.get(&token, "/test-texts/ping.py").await.expect(404);
}

#[actix_web::test]
async fn files_are_found_by_name_by_title_and_by_what_stands_in_them() {
    let (lab, token) = lab().await;
    let names = async |query: &str| {
        let found: Value = lab.get(&token, &format!("/test-finds?{query}")).await.expect(200).json();
        let items = found["items"].as_array().unwrap().clone();
        assert_eq!(found["count"], json!(items.len()));
        items.iter().map(|item| item["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(names("").await, ["ping.py", "switch/image", "switch/vlan.tcl"]);
    assert_eq!(names("words=SWITCH").await, ["switch/image", "switch/vlan.tcl"]);
    assert_eq!(names("words=ports%20ping").await, ["ping.py"], "by its title");
    assert_eq!(names("words=router").await, [""; 0]);
    assert_eq!(names("words=router&content=true").await, ["ping.py", "switch/vlan.tcl"], "not in a program");
    let found: Value = lab.get(&token, "/test-finds?words=puts&content=true").await.expect(200).json();
    assert_eq!(found["items"][0]["line"], json!({"number": 2, "text": "puts router"}));
    let shown: Value = lab.get(&token, "/test-files/ping.py").await.expect(200).json();
    assert_eq!((&shown["used_by"], &shown["file"]), (&json!({"night": 1}), &json!("tests/ping.py")));
}

#[actix_web::test]
async fn the_last_results_of_a_file_are_those_of_its_tests() {
    let (lab, token) = lab().await;
    let run = plan("demo", 3);
    let file = run.tests[1].file.to_string();
    lab.app.store.commit(begun(RunId(1), &run, RunState::Running)).await.unwrap();
    let got: Value = lab.get(&token, &format!("/test-results?file={file}")).await.expect(200).json();
    let rows: Vec<_> = got["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| (row["run"].clone(), row["test"].clone()))
        .collect();
    assert_eq!(rows, [(json!(1), json!(1))]);
    let none: Value = lab.get(&token, "/test-results?file=ping.py").await.expect(200).json();
    assert_eq!(none["items"], json!([]));
}

fn git(lab: &Lab, arguments: &[&str]) {
    let mut command = Command::new("git");
    command.arg("-C").arg(lab.folder.path()).args(["-c", "user.name=Ana", "-c", "user.email=ana@lab"]);
    let done = command.args(arguments).output().unwrap();
    assert!(done.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&done.stderr));
}

#[actix_web::test]
async fn the_history_of_a_file_is_that_of_git() {
    let (lab, token) = lab().await;
    let history = async |file: &str| lab.get(&token, &format!("/test-history/{file}")).await;
    assert_eq!(history("ping.py").await.expect(404).problem(), ErrorCode::NotFound);
    git(&lab, &["init", "--quiet", "--initial-branch=main"]);
    let new: Value = history("ping.py").await.expect(200).json();
    assert_eq!((&new["state"], &new["commits"]), (&json!("new"), &json!([])));
    git(&lab, &["add", "tests/ping.py"]);
    git(&lab, &["commit", "--quiet", "--message", "Ping"]);
    put(&lab, &token, "ping.py", ("x", "y"), "print(2)\n").await.expect(200);
    let changed: Value = history("ping.py").await.expect(200).json();
    assert_eq!((&changed["state"], &changed["branch"]), (&json!("changed"), &json!("main")));
    let commit = &changed["commits"][0];
    assert_eq!((&commit["author"], &commit["subject"]), (&json!("Ana"), &json!("Ping")));
    let version = format!("/test-versions/{}/ping.py", commit["commit"].as_str().unwrap());
    assert!(lab.get(&token, &version).await.expect(200).text().contains("Ping all ports"));
    lab.get(&token, "/test-versions/HEAD/ping.py").await.expect(404);
    lab.get(&token, "/test-versions/12ab/ping.py").await.expect(404);
}

#[actix_web::test]
async fn suites_are_exported_and_put_into_another_project() {
    let (lab, token) = lab().await;
    let xml = std::fs::read_to_string(lab.folder.path().join("projects/night.xml")).unwrap();
    let export = async |header: (&'static str, &str), items: Value| {
        send(&lab, &token, (Method::PUT, "/suites/smoke"), header, json!({"xml": xml, "items": items})).await
    };
    assert_eq!(export(("If-None-Match", "*"), json!([])).await.expect(400).problem(), ErrorCode::BadRequest);
    assert_eq!(
        export(("If-None-Match", "*"), json!([[0, 0]])).await.expect(400).problem(),
        ErrorCode::BadRequest
    );
    let made: Value = export(("If-None-Match", "*"), json!([[0]])).await.expect(200).json();
    assert_eq!(made["file"], json!("suites/smoke.xml"));
    export(("If-None-Match", "*"), json!([[0]])).await.expect(409);
    let list: Value = lab.get(&token, "/suites").await.expect(200).json();
    assert_eq!(
        list["items"],
        json!([{"name": "smoke", "file": "suites/smoke.xml", "version": made["version"], "suites": ["Smoke"], "tests": 1}])
    );
    let change = json!({"change": "suite", "name": "smoke", "parent": [], "before": 0, "salt": "s"});
    let body = json!({"project": "night", "xml": "<Root>\n</Root>\n", "changes": [change]});
    let edited: Value = lab.post(&token, "/projects/edit", body).await.expect(200).json();
    assert_eq!(
        (&edited["items"][1]["name"], &edited["items"][2]["name"]),
        (&json!("Smoke"), &json!("ping.py"))
    );
    let change = json!({"change": "suite", "name": "none", "parent": [], "before": 0, "salt": "s"});
    lab.post(&token, "/projects/edit", json!({"project": "night", "changes": [change]})).await.expect(404);
    std::fs::write(lab.folder.path().join("suites/bad.xml"), "<Root>").unwrap();
    let list: Value = lab.get(&token, "/suites").await.expect(200).json();
    assert!(list["items"][0]["problem"].as_str().unwrap().contains("suites/bad.xml:1"), "{list}");
    send(&lab, &token, (Method::DELETE, "/suites/smoke"), ("If-Match", "\"x\""), Value::Null)
        .await
        .expect(412);
    send(&lab, &token, (Method::DELETE, "/suites/smoke"), ("x", "y"), Value::Null).await.expect(204);
    for name in ["..%2Fx", ".x", "a%2Fb"] {
        let path = format!("/suites/{name}");
        let got =
            send(&lab, &token, (Method::PUT, &path), ("x", "y"), json!({"xml": xml, "items": [[0]]})).await;
        assert!([400, 404].contains(&got.status.as_u16()), "{name}: {}", got.text());
    }
}

#[actix_web::test]
async fn whoever_watches_is_told_who_saved_which_file() {
    let (lab, token) = lab().await;
    let (mut watcher, _) = lab.app.feed.watch(None);
    let xml = "<Root>\n</Root>\n";
    let saved = lab
        .with(&token, Method::PUT, "/projects/night", Some(json!({"xml": xml, "unfinished": true})))
        .await
        .expect(200);
    let version = saved.json::<Value>()["version"].clone();
    lab.post(&token, "/projects/rename", json!({"project": "night", "to": "day"})).await.expect(204);
    put(&lab, &token, "ping.py", ("x", "y"), "print(2)\n").await.expect(200);
    let mut told = std::collections::BTreeMap::new();
    while told.len() < 3 {
        let Next::Changes(changes) = watcher.next().await else { panic!("a gap") };
        for (_, change) in changes.into_iter().filter(|(_, change)| change.topic == "file") {
            let data: Value = serde_json::from_str(&change.json).unwrap();
            assert_eq!(data["by"], json!("admin"));
            told.insert(data["file"].as_str().unwrap().to_owned(), data["version"].clone());
        }
    }
    assert_eq!((&told["projects/night.xml"], &told["projects/day.xml"]), (&Value::Null, &version));
    assert!(told["tests/ping.py"].is_string());
}
