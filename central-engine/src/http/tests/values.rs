//! Test configurations and global parameters: listed with who uses them, edited by the version that was seen, and who may.

use std::{fs::Permissions, os::unix::fs::PermissionsExt as _};

use actix_web::http::Method;
use jackfield_protocol::error::ErrorCode;
use serde_json::{Value, json};

use super::{lab::Lab, projects::send};
use crate::{auth::Scope, store};

const CONFIG: &str = "<root>\n  <!-- mine -->\n  <folder>\n    <fname>port</fname>\n    <param><name>rate</name><value>10, 100</value><type>iterator</type></param>\n    <param><name>lane</name><value>1..3</value><type>iterator</type></param>\n  </folder>\n</root>\n";

fn write(lab: &Lab, name: &str, text: &str) {
    let file = lab.folder.path().join(name);
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    std::fs::write(file, text).unwrap();
}

fn on_disk(lab: &Lab, name: &str) -> Option<String> {
    std::fs::read_to_string(lab.folder.path().join(name)).ok()
}

#[actix_web::test]
async fn the_list_says_what_each_makes_of_a_test_and_who_uses_it() {
    let lab = Lab::new().await;
    let token = lab.token(Scope::Admin).await;
    write(&lab, "configs/rates", CONFIG);
    write(&lab, "configs/deep/slow.xml", "<root></root>");
    write(&lab, "configs/broken", "<root><folder></root>");
    let uses = |config: &str| {
        format!(
            "<Root><TestSuite><tsName>A</tsName>{config}<TestCase><tcName>a.py</tcName>{config}</TestCase></TestSuite></Root>"
        )
    };
    write(&lab, "projects/one.xml", &uses("<ConfigFiles><Config name=\"rates\"/></ConfigFiles>"));
    write(
        &lab,
        "projects/two.xml",
        &uses("<ConfigFiles><Config name=\"/deep/slow.xml\" enabled=\"false\"/></ConfigFiles>"),
    );
    write(&lab, "projects/three.xml", "<Root><Config");
    let list: Value = lab.get(&token, "/test-configs").await.expect(200).json();
    let facts: Vec<Value> = list["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| {
            json!([row["name"], row["file"], row["iterators"], row["copies"], row["errors"], row["used_by"]])
        })
        .collect();
    assert_eq!(
        facts,
        [
            json!(["broken", "configs/broken", 0, 1, 1, {}]),
            json!(["deep/slow", "configs/deep/slow.xml", 0, 1, 0, {"two": 2}]),
            json!(["rates", "configs/rates", 2, 6, 0, {"one": 2}]),
        ]
    );
}

#[actix_web::test]
async fn a_test_configuration_is_changed_and_put_by_the_version_that_was_seen() {
    let lab = Lab::new().await;
    let token = lab.token(Scope::Admin).await;
    write(&lab, "configs/rates", CONFIG);
    let edit = async |body: Value| lab.post(&token, "/test-configs/edit", body).await;
    let changes = json!([
        {"change": "value", "at": [0, 0], "value": "1..4"},
        {"change": "insert", "parent": [0], "before": 9, "items": [{"kind": "value", "name": "duplex", "value": "full", "type": "string"}]},
    ]);
    let edited: Value = edit(json!({"config": "rates", "changes": changes})).await.expect(200).json();
    assert_eq!(
        (&edited["copies"], &edited["good"], &edited["exists"]),
        (&json!(12), &json!(true), &json!(true))
    );
    assert_eq!(edited["about"], json!([[0, 2]]));
    assert_eq!(
        (&edited["items"][2]["count"], &edited["items"][2]["values"]),
        (&json!(4), &json!(["1", "2", "3", "4"]))
    );
    assert_eq!(on_disk(&lab, "configs/rates").unwrap(), CONFIG, "nothing is written");

    let put = async |header: (&'static str, &str), xml: &str, unfinished: bool| {
        let body = json!({"xml": xml, "unfinished": unfinished});
        send(&lab, &token, (Method::PUT, "/test-configs/rates"), header, body).await
    };
    let etag = lab.get(&token, "/test-configs/rates").await.expect(200).header("etag").to_owned();
    let xml = edited["xml"].as_str().unwrap();
    assert_eq!(put(("If-Match", "\"another\""), xml, false).await.expect(412).problem(), ErrorCode::Changed);
    assert_eq!(put(("If-None-Match", "*"), xml, false).await.expect(409).problem(), ErrorCode::AlreadyExists);
    let saved = put(("If-Match", &etag), xml, false).await.expect(200);
    assert_eq!(on_disk(&lab, "configs/rates").as_deref(), Some(xml));
    send(
        &lab,
        &token,
        (Method::GET, "/test-configs/rates"),
        ("If-None-Match", saved.header("etag")),
        Value::Null,
    )
    .await
    .expect(304);
    // Work in progress is kept, and what is no XML is not.
    let endless = xml.replace("1..4", "1..99999999");
    assert_eq!(put(("If-Match", "*"), &endless, false).await.expect(422).problem(), ErrorCode::BadFile);
    let unfinished: Value = put(("If-Match", "*"), &endless, true).await.expect(200).json();
    assert_eq!(unfinished["good"], json!(false));
    put(("If-Match", "*"), "<root>", true).await.expect(422);

    let delete = async |etag: &str| {
        send(&lab, &token, (Method::DELETE, "/test-configs/rates"), ("If-Match", etag), Value::Null).await
    };
    delete(&etag).await.expect(412);
    delete("*").await.expect(204);
    delete("*").await.expect(404);
    assert_eq!(put(("If-Match", "*"), xml, false).await.expect(412).problem(), ErrorCode::Changed);
    // One that is not there begins empty, and is new when it is put.
    let opened: Value = edit(json!({"config": "rates"})).await.expect(200).json();
    assert_eq!((&opened["exists"], &opened["file"]), (&json!(false), &json!("configs/rates")));
    put(("If-None-Match", "*"), opened["xml"].as_str().unwrap(), false).await.expect(200);
}

#[actix_web::test]
async fn who_may_read_a_file_may_read_it_after_it_was_written_and_nobody_else() {
    let lab = Lab::new().await;
    let token = lab.token(Scope::Admin).await;
    let file = lab.folder.path().join("configs/rates");
    for mode in [0o600, 0o666] {
        write(&lab, "configs/rates", CONFIG);
        std::fs::set_permissions(&file, Permissions::from_mode(mode)).unwrap();
        let (put, body) = ((Method::PUT, "/test-configs/rates"), json!({"xml": CONFIG}));
        send(&lab, &token, put, ("If-Match", "*"), body).await.expect(200);
        assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o7777, mode);
    }
}

#[actix_web::test]
async fn what_cannot_be_is_told_and_nothing_outside_is_touched() {
    let lab = Lab::new().await;
    let token = lab.token(Scope::Admin).await;
    write(&lab, "configs/rates", CONFIG);
    for (changes, field) in [
        (json!([{"change": "name", "at": [0], "name": "a/b"}]), "changes[0]"),
        (
            json!([{"change": "name", "at": [0], "name": "x"}, {"change": "value", "at": [0], "value": "1"}]),
            "changes[1]",
        ),
        (json!([{"change": "move", "items": [[0]], "parent": [0, 0], "before": 0}]), "changes[0]"),
    ] {
        let asked = json!({"config": "rates", "changes": changes});
        let refused = lab.post(&token, "/test-configs/edit", asked).await.expect(400);
        assert!(refused.text().contains(&format!("\"field\":\"{field}\"")), "{}", refused.text());
    }
    for wrong in [
        json!([{"change": "type", "at": [0, 0], "type": "colour"}]),
        json!([{"change": "turn", "at": [0]}]),
        json!([{"change": "value", "at": [-1], "value": "1"}]),
    ] {
        lab.post(&token, "/test-configs/edit", json!({"config": "rates", "changes": wrong}))
            .await
            .expect(400);
    }
    let broken = json!({"config": "rates", "xml": "<root>\n<folder>"});
    let shown: Value = lab.post(&token, "/test-configs/edit", broken).await.expect(200).json();
    assert!(shown["items"].is_null() && !shown["problems"].as_array().unwrap().is_empty(), "{shown}");
    write(&lab, "engine.toml", "");
    for outside in ["../engine.toml", "/etc/passwd", ".hidden", "", "new/deeper", "a\u{0}b"] {
        lab.post(&token, "/test-configs/edit", json!({"config": outside, "xml": CONFIG})).await.expect(400);
    }
    for outside in ["..%2Fengine.toml", "%2Fetc%2Fpasswd", ".hidden"] {
        let got = send(
            &lab,
            &token,
            (Method::PUT, &format!("/test-configs/{outside}")),
            ("If-None-Match", "*"),
            json!({"xml": CONFIG}),
        )
        .await;
        got.expect(400);
        lab.get(&token, &format!("/test-configs/{outside}")).await.expect(404);
    }
    assert_eq!(on_disk(&lab, "engine.toml").as_deref(), Some(""));
}

#[actix_web::test]
async fn global_parameters_are_written_and_what_tests_set_is_shown_and_forgotten() {
    let lab = Lab::new().await;
    let token = lab.token(Scope::Admin).await;
    let changes = json!([
        {"change": "insert", "parent": [], "before": 0, "items": [{"kind": "folder", "name": "net"}]},
        {"change": "insert", "parent": [0], "before": 0, "items": [{"kind": "value", "name": "gw", "value": "10.0.0.1", "type": "string"}]},
    ]);
    let made: Value = lab.post(&token, "/globals/edit", json!({"changes": changes})).await.expect(200).json();
    assert_eq!((&made["exists"], &made["file"]), (&json!(false), &json!("globals.xml")));
    let put = async |header: (&'static str, &str), xml: &Value| {
        send(&lab, &token, (Method::PUT, "/globals"), header, json!({"xml": xml})).await
    };
    lab.get(&token, "/globals").await.expect(404);
    put(("If-Match", "*"), &made["xml"]).await.expect(412);
    put(("If-None-Match", "*"), &made["xml"]).await.expect(200);
    put(("If-None-Match", "*"), &made["xml"]).await.expect(409);
    // A test sees it at once, and what tests set goes before it until it is forgotten.
    let (globals, admin) = (&lab.app.globals, "admin".into());
    assert_eq!(globals.get(&admin, "net/gw").await.unwrap(), json!("10.0.0.1"));
    globals.set(&admin, "net/gw", json!("10.9.9.9")).await.unwrap();
    let set: Value = lab.get(&token, "/globals/set-by-tests").await.expect(200).json();
    assert_eq!(set["items"], json!([{"path": "net/gw", "value": "10.9.9.9"}]));
    let forget = async || lab.with(&token, Method::DELETE, "/globals/set-by-tests/net%2Fgw", None).await;
    forget().await.expect(204);
    forget().await.expect(404);
    assert_eq!(globals.get(&admin, "net/gw").await.unwrap(), json!("10.0.0.1"));
    let filter = store::audit::Filter { action: Some("globals.".to_owned()), ..Default::default() };
    let told = store::audit::list(&mut lab.app.store.read().await.unwrap(), &filter, None, 9).await.unwrap();
    assert_eq!(
        told.iter().map(|line| line.action.as_str()).collect::<Vec<_>>(),
        ["globals.forget", "globals.put"]
    );
}

#[actix_web::test]
async fn a_user_with_a_file_of_their_own_edits_that() {
    let lab = Lab::new().await;
    let token = lab.token(Scope::Admin).await;
    let text = |value: &str| format!("<root><param><name>a</name><value>{value}</value></param></root>");
    write(&lab, "globals.xml", &text("all"));
    write(&lab, "users/admin/globals.xml", &text("mine"));
    let opened: Value = lab.post(&token, "/globals/edit", json!({})).await.expect(200).json();
    assert_eq!((&opened["file"], &opened["xml"]), (&json!("users/admin/globals.xml"), &json!(text("mine"))));
    send(&lab, &token, (Method::PUT, "/globals"), ("If-Match", "*"), json!({"xml": text("new")}))
        .await
        .expect(200);
    assert_eq!(on_disk(&lab, "users/admin/globals.xml"), Some(text("new")));
    assert_eq!(on_disk(&lab, "globals.xml"), Some(text("all")));
    // A link out of the lab is no place to write to.
    let outside = tempfile::tempdir().unwrap();
    std::fs::write(outside.path().join("g.xml"), text("out")).unwrap();
    std::fs::remove_file(lab.folder.path().join("users/admin/globals.xml")).unwrap();
    std::os::unix::fs::symlink(
        outside.path().join("g.xml"),
        lab.folder.path().join("users/admin/globals.xml"),
    )
    .unwrap();
    send(&lab, &token, (Method::PUT, "/globals"), ("If-Match", "*"), json!({"xml": text("x")}))
        .await
        .expect(400);
    assert_eq!(std::fs::read_to_string(outside.path().join("g.xml")).unwrap(), text("out"));
}
