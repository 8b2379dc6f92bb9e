//! Projects that are edited: the versions of their files, changes of a text, who may.

use actix_web::{http::Method, test::TestRequest};
use jackfield_protocol::{error::ErrorCode, event::RunState, id::RunId};
use jackfield_scheduler::effect::AttemptState;
use serde_json::{Value, json};

use super::lab::{Got, Lab};
use crate::{
    auth::Scope,
    store::tests::fixture::{attempt, attempts, begun, failed, passed, plan},
};

const TEXT: &str = "<Root>\n  <!-- mine -->\n  <TestSuite>\n    <tsName>A</tsName>\n    <TestCase>\n      <tcName>a.py</tcName>\n    </TestCase>\n  </TestSuite>\n</Root>\n";

/// A lab with a project `demo` and its test, and somebody who may do everything.
async fn lab() -> (Lab, String) {
    let lab = Lab::new().await;
    let folder = lab.folder.path();
    for (name, text) in
        [("projects/demo.xml", TEXT), ("tests/a.py", "# <title>Ping</title>\n"), ("tests/b/c.sh", "")]
    {
        let file = folder.join(name);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, text).unwrap();
    }
    let token = lab.token(Scope::Admin).await;
    (lab, token)
}

fn on_disk(lab: &Lab, name: &str) -> Option<String> {
    std::fs::read_to_string(lab.folder.path().join(format!("projects/{name}.xml"))).ok()
}

pub(super) async fn send(
    lab: &Lab,
    token: &str,
    how: (Method, &str),
    header: (&'static str, &str),
    body: Value,
) -> Got {
    let request = TestRequest::with_uri(&format!("/api/v1{}", how.1)).method(how.0);
    let request = request.insert_header(("Authorization", format!("Bearer {token}"))).insert_header(header);
    lab.send(if body.is_null() { request } else { request.set_json(body) }).await
}

#[actix_web::test]
async fn only_the_version_that_was_read_is_replaced() {
    let (lab, token) = lab().await;
    let put = async |header: (&'static str, &str), xml: &str| {
        send(&lab, &token, (Method::PUT, "/projects/demo"), header, json!({"xml": xml})).await
    };
    let read = lab.get(&token, "/projects/demo").await.expect(200);
    let etag = read.header("etag").to_owned();
    send(&lab, &token, (Method::GET, "/projects/demo"), ("If-None-Match", &etag), Value::Null)
        .await
        .expect(304);
    let second = TEXT.replace("mine", "ours");
    let saved = put(("If-Match", &etag), &second).await.expect(200);
    assert_eq!(saved.json::<Value>()["file"], json!("projects/demo.xml"));
    // The version is the content's: saved twice, by hand, by another page.
    assert_eq!(put(("If-Match", &etag), &second).await.expect(412).problem(), ErrorCode::Changed);
    put(("If-Match", saved.header("etag")), TEXT).await.expect(200);
    std::fs::write(lab.folder.path().join("projects/demo.xml"), &second).unwrap();
    assert_eq!(put(("If-Match", &etag), TEXT).await.expect(412).problem(), ErrorCode::Changed);
    assert_eq!(on_disk(&lab, "demo").unwrap(), second);
    // A new one is never written over another, and one that went is not made again unseen.
    assert_eq!(put(("If-None-Match", "*"), TEXT).await.expect(409).problem(), ErrorCode::AlreadyExists);
    std::fs::remove_file(lab.folder.path().join("projects/demo.xml")).unwrap();
    let gone = put(("If-Match", &etag), TEXT).await.expect(412);
    assert!(gone.text().contains("not there any more"), "{}", gone.text());
    // Whatever version there is: there must be one.
    assert_eq!(put(("If-Match", "*"), TEXT).await.expect(412).problem(), ErrorCode::Changed);
    assert_eq!(on_disk(&lab, "demo"), None);
    put(("If-None-Match", "*"), TEXT).await.expect(200);
    put(("If-Match", "*"), &second).await.expect(200);
}

#[actix_web::test]
async fn work_in_progress_is_kept_and_what_is_no_xml_is_not() {
    let (lab, token) = lab().await;
    let put = async |xml: &str, unfinished: bool| {
        let body = json!({"xml": xml, "unfinished": unfinished});
        send(&lab, &token, (Method::PUT, "/projects/demo"), ("If-Match", "*"), body).await
    };
    let wrong = TEXT.replace("<tsName>A", "<Repeat>x</Repeat><tsName>A");
    assert_eq!(put(&wrong, false).await.expect(422).problem(), ErrorCode::BadFile);
    let saved: Value = put(&wrong, true).await.expect(200).json();
    assert_eq!((&saved["good"], on_disk(&lab, "demo").unwrap()), (&json!(false), wrong.clone()));
    put("<Root><TestSuite>", true).await.expect(422);
    assert_eq!(on_disk(&lab, "demo").unwrap(), wrong);
}

/// An answer with what is different in it, as a page makes it.
fn applied(before: &Value, since: &Value) -> (String, Vec<Value>) {
    let number = |value: &Value| usize::try_from(value.as_u64().unwrap()).unwrap();
    let (text, items) = (&since["text"], &since["items"]);
    let mut units: Vec<u16> = before["xml"].as_str().unwrap().encode_utf16().collect();
    let (at, removed) = (number(&text["at"]), number(&text["removed"]));
    units.splice(at..at + removed, text["added"].as_str().unwrap().encode_utf16());
    let mut all = before["items"].as_array().unwrap().clone();
    let (at, removed) = (number(&items["at"]), number(&items["removed"]));
    for item in &mut all[at + removed..] {
        item["line"] = json!(item["line"].as_i64().unwrap() + items["lines"].as_i64().unwrap());
    }
    all.splice(at..at + removed, items["added"].as_array().unwrap().iter().cloned());
    (String::from_utf16(&units).unwrap(), all)
}

#[actix_web::test]
async fn a_change_said_of_an_answer_leads_to_what_the_whole_text_does() {
    let (lab, token) = lab().await;
    let post = async |path: &str, body: Value| lab.post(&token, path, body).await;
    let mut before: Value = post("/projects/edit", json!({"project": "demo"})).await.expect(200).json();
    let changes = [
        json!({"change": "insert", "parent": [0], "before": 0, "items": [{"kind": "test", "file": "é😀.py"}, {"kind": "test", "file": "none.py"}]}),
        json!({"change": "set", "at": [0, 0], "field": "Repeat", "value": "3"}),
        json!({"change": "property", "at": [0, 1], "name": "Optional", "value": "true"}),
        json!({"change": "set", "at": [0], "field": "Repeat", "value": "x"}),
        json!({"change": "move", "items": [[0, 2]], "parent": [0], "before": 0}),
        json!({"change": "remove", "items": [[0, 1]]}),
    ];
    for change in changes {
        let asked = json!({"project": "demo", "xml": before["xml"], "changes": [change]});
        let since = json!({"project": "demo", "answer": before["answer"], "changes": [change]});
        let since: Value = post("/projects/edit/since", since).await.expect(200).json();
        let whole: Value = post("/projects/edit", asked).await.expect(200).json();
        let (xml, items) = applied(&before, &since);
        assert_eq!(json!(xml), whole["xml"], "{change}: {since}");
        assert_eq!(json!(items), whole["items"], "{change}: {since}");
        for same in ["version", "about", "problems", "good", "tests"] {
            assert_eq!(since[same], whole[same], "{change}: {same}");
        }
        before = whole;
    }
}

#[actix_web::test]
async fn a_change_of_an_answer_that_is_not_kept_is_refused_and_one_that_cannot_be_made_loses_nothing() {
    let (lab, token) = lab().await;
    let since = async |answer: &Value, changes: Value| {
        let body = json!({"project": "demo", "answer": answer, "changes": changes});
        lab.post(&token, "/projects/edit/since", body).await
    };
    let opened: Value =
        lab.post(&token, "/projects/edit", json!({"project": "demo"})).await.expect(200).json();
    let wrong = json!([{"change": "set", "at": [7], "field": "Repeat", "value": "3"}]);
    let right = json!([{"change": "set", "at": [0], "field": "Repeat", "value": "3"}]);
    since(&opened["answer"], wrong).await.expect(400);
    let edited: Value = since(&opened["answer"], right.clone()).await.expect(200).json();
    // The one before it is gone: its text is another one now.
    since(&opened["answer"], right.clone()).await.expect(404);
    since(&json!("0.0"), right.clone()).await.expect(404);
    since(&edited["answer"], right).await.expect(200);
}

#[actix_web::test]
async fn a_text_is_changed_and_nothing_is_written() {
    let (lab, token) = lab().await;
    let edit = async |body: Value| lab.post(&token, "/projects/edit", body).await;
    let opened: Value = edit(json!({"project": "demo"})).await.expect(200).json();
    assert_eq!(
        (&opened["xml"], &opened["file"], &opened["good"]),
        (&json!(TEXT), &json!("projects/demo.xml"), &json!(true))
    );
    let etag = lab.get(&token, "/projects/demo").await.header("etag").to_owned();
    assert_eq!(format!("\"{}\"", opened["version"].as_str().unwrap()), etag);
    let names: Vec<&str> =
        opened["items"].as_array().unwrap().iter().map(|item| item["kind"].as_str().unwrap()).collect();
    assert_eq!(names, ["project", "suite", "test"]);

    let changes = json!([
        {"change": "insert", "parent": [0], "before": 9, "items": [{"kind": "test", "file": "b/c.sh"}, {"kind": "test", "file": "none.py"}]},
        {"change": "move", "items": [[0, 1]], "parent": [0], "before": 0},
        {"change": "set", "at": [0], "field": "Repeat", "value": "x"},
        {"change": "property", "at": [0, 1], "name": "Optional", "value": "true"},
    ]);
    let edited: Value = edit(json!({"project": "demo", "changes": changes})).await.expect(200).json();
    insta::assert_snapshot!(edited["xml"].as_str().unwrap());
    assert_eq!(edited["about"], json!([[0, 1]]));
    let problems: Vec<(u64, &str)> = edited["problems"]
        .as_array()
        .unwrap()
        .iter()
        .map(|problem| (problem["item"].as_u64().unwrap(), problem["severity"].as_str().unwrap()))
        .collect();
    assert_eq!(problems, [(1, "error"), (4, "warning")], "{}", edited["problems"]);
    // Each test says how often it would run, and by which ID it is asked for.
    let opened: Value = edit(json!({"project": "demo", "changes": [{"change": "set", "at": [0, 0], "field": "Repeat", "value": "3"}]})).await.expect(200).json();
    assert_eq!(opened["items"][2]["attempts"], json!(3));
    let only = json!({"project": "demo", "xml": opened["xml"], "only": [opened["items"][2]["id"]], "temporary": true});
    let run: Value = lab.post(&token, "/runs", only).await.expect(201).json();
    let plan: Value = lab.get(&token, &format!("/runs/{}/plan", run["run"])).await.expect(200).json();
    assert_eq!(plan["tests"].as_array().unwrap().len(), 3);
    // What is asked of a draft is asked of its text.
    let again: Value = edit(json!({"project": "demo", "xml": edited["xml"], "changes": [{"change": "set", "at": [0], "field": "Repeat", "value": ""}]})).await.expect(200).json();
    assert_eq!(again["problems"].as_array().unwrap().len(), 1, "a test that is not there: {again}");
    assert_eq!(on_disk(&lab, "demo").unwrap(), TEXT);
}

#[actix_web::test]
async fn test_configurations_are_named_and_their_iterators_are_counted() {
    let (lab, token) = lab().await;
    let config = "<root><folder><fname>port</fname><param><name>rate</name><value>1..4</value><type>iterator</type></param></folder></root>";
    std::fs::create_dir_all(lab.folder.path().join("configs")).unwrap();
    std::fs::write(lab.folder.path().join("configs/rates"), config).unwrap();
    let edit = async |changes: Value| {
        let asked = json!({"project": "demo", "changes": changes});
        lab.post(&token, "/projects/edit", asked).await
    };
    let added: Value =
        edit(json!([{"change": "add_config", "at": [0, 0], "name": "rates"}])).await.expect(200).json();
    let named = json!({"name": "rates", "enabled": true, "default_only": false, "stop_on_fail": false});
    assert_eq!((&added["items"][2]["configs"], &added["items"][2]["attempts"]), (&json!([named]), &json!(4)));
    let one: Value = edit(json!([
        {"change": "add_config", "at": [0], "name": "rates"},
        {"change": "set_config", "at": [0], "nth": 0, "flag": "default_only", "on": true},
    ]))
    .await
    .expect(200)
    .json();
    assert_eq!(one["items"][2]["attempts"], json!(1), "of the suite it holds for the test: {one}");
    for wrong in [
        json!([{"change": "remove_config", "at": [0, 0], "nth": 0}]),
        json!([{"change": "add_config", "at": [0, 0], "name": ""}]),
        json!([{"change": "set_config", "at": [0, 0], "nth": 0, "flag": "turn", "on": true}]),
        json!([{"change": "order_config", "at": [0, 0], "nth": 0}]),
    ] {
        assert_eq!(edit(wrong.clone()).await.expect(400).problem(), ErrorCode::BadRequest, "{wrong}");
    }
}

#[actix_web::test]
async fn a_change_that_cannot_be_made_says_which_and_why() {
    let (lab, token) = lab().await;
    let edit = async |changes: Value| {
        lab.post(&token, "/projects/edit", json!({"project": "demo", "changes": changes})).await
    };
    let refused = edit(json!([
        {"change": "set", "at": [0], "field": "Repeat", "value": "2"},
        {"change": "move", "items": [[0]], "parent": [0], "before": 0},
    ]))
    .await
    .expect(400);
    assert!(refused.text().contains("\"field\":\"changes[1]\""), "{}", refused.text());
    for wrong in [
        json!([{"change": "set", "at": [7], "field": "Repeat", "value": "2"}]),
        json!([{"change": "set", "at": [0], "field": "Repaet", "value": "2"}]),
        json!([{"change": "insert", "parent": [], "before": 0, "items": [{"kind": "test", "file": "a.py"}]}]),
        json!([{"change": "remove", "items": [[]]}]),
        json!([{"change": "turn", "at": [0]}]),
        json!([{"change": "set", "at": [0], "field": "Repeat", "value": "2", "colour": "red"}]),
        json!([{"change": "set", "at": [-1], "field": "Repeat", "value": "2"}]),
    ] {
        assert_eq!(edit(wrong.clone()).await.expect(400).problem(), ErrorCode::BadRequest, "{wrong}");
    }
    // What is no XML has no items, and nothing in it can be changed.
    let broken = json!({"project": "demo", "xml": "<Root>\n<TestSuite>"});
    let shown: Value = lab.post(&token, "/projects/edit", broken).await.expect(200).json();
    assert!(shown["items"].is_null() && shown["problems"][0]["line"] == json!(2), "{shown}");
    let broken =
        json!({"project": "demo", "xml": "<Root>", "changes": [{"change": "remove", "items": [[0]]}]});
    assert_eq!(lab.post(&token, "/projects/edit", broken).await.expect(422).problem(), ErrorCode::BadFile);
    for outside in ["../engine", "/etc/passwd", ".hidden", "a/b", ""] {
        lab.post(&token, "/projects/edit", json!({"project": outside, "xml": TEXT})).await.expect(400);
    }
    lab.post(&token, "/projects/edit", json!({"project": "none"})).await.expect(404);
}

#[actix_web::test]
async fn projects_are_renamed_and_deleted_by_the_version_that_was_seen() {
    let (lab, token) = lab().await;
    let rename = async |to: &str, etag: &str| {
        let body = json!({"project": "demo", "to": to});
        send(&lab, &token, (Method::POST, "/projects/rename"), ("If-Match", etag), body).await
    };
    std::fs::write(lab.folder.path().join("projects/other.xml"), "<Root/>").unwrap();
    let etag = lab.get(&token, "/projects/demo").await.header("etag").to_owned();
    rename("night", "\"of something else\"").await.expect(412);
    assert_eq!(rename("other", &etag).await.expect(409).problem(), ErrorCode::AlreadyExists);
    for outside in ["../night", "a/b", ".night", ""] {
        rename(outside, &etag).await.expect(400);
    }
    rename("night", &etag).await.expect(204);
    assert_eq!((on_disk(&lab, "demo"), on_disk(&lab, "night").as_deref()), (None, Some(TEXT)));
    rename("again", &etag).await.expect(404);

    let delete = async |name: &str, etag: &str| {
        send(&lab, &token, (Method::DELETE, &format!("/projects/{name}")), ("If-Match", etag), Value::Null)
            .await
    };
    delete("night", "\"of something else\"").await.expect(412);
    delete("night", &etag).await.expect(204);
    delete("night", &etag).await.expect(404);
    for outside in ["..%2Fengine.toml", "%2Fetc%2Fpasswd"] {
        delete(outside, "*").await.expect(404);
    }
    let log: Value = lab.get(&token, "/audit").await.expect(200).json();
    let told: Vec<&str> =
        log["items"].as_array().unwrap().iter().filter_map(|line| line["action"].as_str()).collect();
    assert_eq!(&told[..2], ["project.delete", "project.rename"]);
}

#[actix_web::test]
async fn test_files_are_listed_and_say_what_they_are() {
    let (lab, token) = lab().await;
    let list: Value = lab.get(&token, "/test-files").await.expect(200).json();
    assert_eq!(list["items"], json!(["a.py", "b/c.sh"]));
    let file: Value = lab.get(&token, "/test-files/a.py").await.expect(200).json();
    assert_eq!((&file["tags"], &file["bytes"]), (&json!({"title": "Ping"}), &json!(22)));
    for outside in [
        "/test-files/none.py",
        "/test-files/..%2F..%2Fetc%2Fpasswd",
        "/test-files/%2Fetc%2Fpasswd",
        "/test-files/b",
    ] {
        lab.get(&token, outside).await.expect(404);
    }
}

#[actix_web::test]
async fn the_newest_runs_of_each_project_are_told() {
    let (lab, token) = lab().await;
    for (run, project) in [(1, "a"), (2, "b"), (3, "a"), (4, "a")] {
        lab.app.store.commit(begun(RunId(run), &plan(project, 1), RunState::Completed)).await.unwrap();
    }
    let told: Value = lab.get(&token, "/project-results?each=2").await.expect(200).json();
    let runs = |project: &Value| {
        let runs =
            project["runs"].as_array().unwrap().iter().map(|run| run["id"].clone()).collect::<Vec<_>>();
        (project["project"].clone(), runs)
    };
    let told: Vec<_> = told["items"].as_array().unwrap().iter().map(runs).collect();
    assert_eq!(told, [(json!("a"), vec![json!(4), json!(3)]), (json!("b"), vec![json!(2)])]);
    // Who may only run tests sees their own: the runs of the fixture are ana's.
    lab.post(&token, "/users", json!({"name": "dan", "password": "correct horse", "roles": ["RUN_TESTS"]}))
        .await
        .expect(201);
    let body = json!({"user": "dan", "password": "correct horse", "token": "x"});
    let dan: Value = lab.post("", "/login", body).await.expect(200).json();
    let own: Value = lab.get(dan["token"].as_str().unwrap(), "/project-results").await.expect(200).json();
    assert_eq!(own["items"], json!([]));
}

#[actix_web::test]
async fn how_long_tests_took_lately_is_told_by_file() {
    let (lab, token) = lab().await;
    for (run, state) in
        [(1, RunState::Completed), (2, RunState::Completed), (3, RunState::Stopped), (4, RunState::Running)]
    {
        lab.app.store.commit(begun(RunId(run), &plan("night", 3), state)).await.unwrap();
        // The first took 345 ms, the second none at all, and the third was sent to no EP.
        let rows =
            [failed(RunId(run), 0), passed(RunId(run), 1), attempt(RunId(run), 2, 0, AttemptState::Ended)];
        lab.app.store.commit(attempts(rows)).await.unwrap();
    }
    let told: Value = lab.get(&token, "/project-durations?project=night").await.expect(200).json();
    assert_eq!(
        told["items"],
        json!([
            {"file": "tests/t0.py", "millis": 345, "attempts": 2},
            {"file": "tests/t1.py", "millis": 0, "attempts": 2},
        ]),
        "those of runs that went to their end"
    );
    let other: Value = lab.get(&token, "/project-durations?project=day").await.expect(200).json();
    assert_eq!(other["items"], json!([]));
    lab.get(&token, "/project-durations").await.expect(400);
}
