use actix_web::{http::Method, test::TestRequest};
use jackfield_protocol::error::ErrorCode;
use serde_json::{Value, json};

use super::lab::{Got, Lab};
use crate::{auth::Scope, http::health};

async fn put_blob(lab: &Lab, token: &str, hash: &str, bytes: &[u8]) -> Got {
    let request = TestRequest::put()
        .uri(&format!("/api/v1/blobs/{hash}"))
        .insert_header(("Authorization", format!("Bearer {token}")));
    lab.send(request.set_payload(bytes.to_vec())).await
}

#[actix_web::test]
async fn files_travel_by_their_hash() {
    let lab = Lab::new().await;
    let token = lab.token(Scope::Ep).await;
    let bytes: Vec<u8> = (0..700_000_u32).map(|number| u8::try_from(number % 251).unwrap()).collect();
    let hash = blake3::hash(&bytes).to_hex().to_string();
    lab.get(&token, &format!("/blobs/{hash}")).await.expect(404);
    put_blob(&lab, &token, &hash, &bytes).await.expect(201);
    put_blob(&lab, &token, &hash, &bytes).await.expect(204);
    let got = lab.get(&token, &format!("/blobs/{hash}")).await.expect(200);
    assert!(got.body == bytes);
    assert!(got.header("cache-control").contains("immutable"));
    let etag = got.header("etag").to_owned();
    let get = |name: &'static str, value: String| {
        let request = TestRequest::get()
            .uri(&format!("/api/v1/blobs/{hash}"))
            .insert_header(("Authorization", format!("Bearer {token}")));
        lab.send(request.insert_header((name, value)))
    };
    assert!(get("If-None-Match", etag).await.expect(304).body.is_empty());
    let part = get("Range", "bytes=299999-600000".to_owned()).await.expect(206);
    assert!(part.body == bytes[299_999..=600_000]);
    let wrong = put_blob(&lab, &token, &"ab".repeat(32), b"other").await.expect(400);
    assert_eq!(wrong.problem(), ErrorCode::BadRequest);
    lab.get(&token, &format!("/blobs/{}", "ab".repeat(32))).await.expect(404);
    lab.get(&token, "/blobs/../../etc/passwd").await.expect(404);
    lab.get(&token, "/blobs/xyz").await.expect(404);
}

#[actix_web::test]
async fn the_tree_is_edited_by_version() {
    let lab = Lab::new().await;
    let token = lab.token(Scope::Admin).await;
    let set = async |body: Value| lab.with(&token, Method::PUT, "/resources", Some(body)).await;
    let made = set(json!({"name": "lab", "parent": "/"})).await.expect(201);
    let etag = made.header("etag").to_owned();
    let got: Value =
        set(json!({"name": "router", "parent": "/lab", "properties": {"ip": "10.0.0.1", "port": 23}}))
            .await
            .expect(201)
            .json();
    assert_eq!(
        set(json!({"name": "router", "parent": "/lab", "properties": {"port": null}}))
            .await
            .expect(200)
            .json::<Value>()["id"],
        got["id"]
    );
    let node: Value = lab.get(&token, "/resources?query=/lab/router").await.expect(200).json();
    assert_eq!((&node["meta"], &node["path"]), (&json!({"ip": "10.0.0.1"}), &json!("/lab/router")));
    assert_eq!(
        lab.get(&token, "/resources?query=/lab/router:ip").await.expect(200).json::<Value>(),
        json!("10.0.0.1")
    );
    let request = TestRequest::delete()
        .uri("/api/v1/resources?query=/lab")
        .insert_header(("Authorization", format!("Bearer {token}")))
        .insert_header(("If-Match", etag));
    assert_eq!(lab.send(request).await.expect(412).problem(), ErrorCode::Changed);
    lab.post(&token, "/resources/rename", json!({"query": "/lab/router", "name": "core"})).await.expect(200);
    assert_eq!(
        lab.post(&token, "/resources/rename", json!({"query": "/lab/router", "name": "x"}))
            .await
            .expect(404)
            .problem(),
        ErrorCode::NotFound
    );
    let tree: Value = lab.get(&token, "/resources/tree").await.expect(200).json();
    assert_eq!(tree["children"][0]["children"][0]["name"], json!("core"));
    lab.with(&token, Method::DELETE, "/resources?query=/lab", None).await.expect(200);
    assert_eq!(lab.get(&token, "/resources/tree").await.json::<Value>()["children"], json!([]));
    lab.with(&token, Method::DELETE, "/resources?query=/", None).await.expect(409);
}

#[actix_web::test]
async fn suts_are_put_and_taken() {
    let lab = Lab::new().await;
    let token = lab.token(Scope::Admin).await;
    let body = json!({"id": "00000000b0", "meta": {"_epnames_admin": "EP-1"}, "children": {}});
    lab.with(&token, Method::PUT, "/suts/bench.system", Some(body.clone())).await.expect(201);
    lab.with(&token, Method::PUT, "/suts/bench", Some(body)).await.expect(400);
    lab.with(&token, Method::PUT, "/suts/x.admin", Some(json!([1]))).await.expect(422);
    let list: Value = lab.get(&token, "/suts").await.expect(200).json();
    assert_eq!(list["items"], json!([{"name": "bench.system", "version": 1, "components": 0}]));
    let got = lab.get(&token, "/suts/bench.system").await.expect(200);
    assert_eq!(
        (got.header("etag"), &got.json::<Value>()["meta"]["_epnames_admin"]),
        ("\"1\"", &json!("EP-1"))
    );
    lab.with(&token, Method::DELETE, "/suts/bench.system", None).await.expect(200);
    lab.get(&token, "/suts/bench.system").await.expect(404);
}

#[actix_web::test]
async fn projects_are_listed_read_and_checked() {
    let lab = Lab::new().await;
    let token = lab.token(Scope::Run).await;
    let folder = lab.folder.path();
    std::fs::create_dir_all(folder.join("projects")).unwrap();
    std::fs::create_dir_all(folder.join("tests")).unwrap();
    std::fs::write(folder.join("tests/hello.py"), "print('hello')\n").unwrap();
    let xml = "<Root>\n<TestSuite>\n<tsName>One</tsName>\n<TestCase>\n<tcName>hello.py</tcName>\n</TestCase>\n</TestSuite>\n</Root>\n";
    std::fs::write(folder.join("projects/demo.xml"), xml).unwrap();
    let list: Value = lab.get(&token, "/projects").await.expect(200).json();
    assert_eq!(list["items"], json!(["demo"]));
    assert_eq!(lab.get(&token, "/projects/demo").await.expect(200).text(), xml);
    for outside in
        ["/projects/../engine.toml", "/projects/..%2F..%2Fetc%2Fpasswd", "/projects/.jackfield/engine.sqlite"]
    {
        lab.get(&token, outside).await.expect(404);
    }
    let broken = json!({"project": "x.xml", "xml": "<Root>\n<TestSuite>"});
    let checked: Value = lab.post(&token, "/projects/check", broken).await.expect(200).json();
    assert_eq!(checked["good"], json!(false));
    assert!(checked["problems"][0]["line"].as_u64().unwrap() > 0, "{checked}");
    lab.post(&token, "/projects/check", json!({"project": "none"})).await.expect(404);
}

#[actix_web::test]
async fn a_project_is_put_with_its_line_of_the_audit_log_or_not_at_all() {
    let lab = Lab::new().await;
    let token = lab.token(Scope::Admin).await;
    let folder = lab.folder.path().join("projects");
    let put = async |name: &str, xml: &str| {
        lab.with(&token, Method::PUT, &format!("/projects/{name}"), Some(json!({"xml": xml}))).await
    };
    let lines = async || {
        let log: Value = lab.get(&token, "/audit").await.expect(200).json();
        let of_projects =
            log["items"].as_array().unwrap().iter().filter(|line| line["action"] == "project.put");
        of_projects.map(|line| format!("{} {}", line["target"], line["detail"])).collect::<Vec<_>>()
    };
    let suite = "<Root><TestSuite><tsName>One</tsName></TestSuite></Root>";
    put("demo", suite).await.expect(200);
    put("broken", "<Root><TestSuite>").await.expect(422);
    put("..", suite).await.expect(400);
    let second = suite.replace("One", "Two");
    put("demo", &second).await.expect(200);
    assert_eq!(std::fs::read_to_string(folder.join("demo.xml")).unwrap(), second);
    assert_eq!(lines().await, ["\"demo\" \"\"", "\"demo\" \"\""]);
    let left: Vec<_> = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["demo.xml"], "nothing half written stays");
}

#[actix_web::test]
async fn a_project_is_shown_before_it_is_started_and_started_as_one_wants() {
    let lab = Lab::new().await;
    let token = lab.token(Scope::Run).await;
    let folder = lab.folder.path();
    std::fs::create_dir_all(folder.join("projects")).unwrap();
    std::fs::create_dir_all(folder.join("tests")).unwrap();
    for test in ["a.py", "b.py"] {
        std::fs::write(folder.join("tests").join(test), "print('hello')\n").unwrap();
    }
    let field = "<UserDefined><propName>build</propName><propValue>7</propValue></UserDefined>";
    let test = |file: &str| format!("<TestCase><tcName>{file}</tcName><ID>id-{file}</ID></TestCase>");
    let suite = |name: &str, more: &str, file: &str| {
        format!("<TestSuite><tsName>{name}</tsName>{more}{}</TestSuite>", test(file))
    };
    let suites = suite("One", field, "a.py") + &suite("Two", "<EpId>EP-1</EpId>", "b.py");
    std::fs::write(folder.join("projects/demo.xml"), format!("<Root>{field}{suites}</Root>")).unwrap();
    let shown: Value =
        lab.post(&token, "/projects/check", json!({"project": "demo"})).await.expect(200).json();
    assert_eq!(shown["preview"], json!([{"name": "One"}, {"name": "Two", "ep": "EP-1"}]));
    assert_eq!(shown["preview_tests"][1]["id"], json!("id-b.py"));
    assert_eq!(
        shown["fields"],
        json!([{"name": "build", "label": "build", "mandatory": false, "value": "7"}])
    );
    let body = json!({"project": "demo", "fields": {"build": "8", "note": "x"}, "labels": {"site": "cluj"}});
    let run: Value = lab.post(&token, "/runs", body).await.expect(201).json();
    let plan: Value = lab.get(&token, &format!("/runs/{}/plan", run["run"])).await.expect(200).json();
    assert_eq!(plan["options"]["user_defined"], json!({"build": "8", "note": "x"}));
    assert_eq!(plan["suites"][0]["user_defined"], json!({"build": "8"}));
    assert_eq!(plan["suites"][0]["place"]["labels"], json!({"site": "cluj"}));
    let place = &plan["suites"][1]["place"];
    assert_eq!((&place["ep"], &place["labels"]), (&json!("EP-1"), &json!({})), "it names its EP");
}

#[actix_web::test]
async fn people_see_how_the_engine_is_and_who_is_there() {
    let lab = Lab::new().await;
    let admin = lab.token(Scope::Admin).await;
    super::super::health::look(&lab.app).await;
    let engine: Value = lab.get(&admin, "/engine").await.expect(200).json();
    assert_eq!((&engine["healthy"], &engine["parts"]["loop"]), (&json!(true), &json!("ok")));
    assert_eq!((&engine["counts"]["runs"], &engine["counts"]["eps_idle"]), (&json!(0), &json!(0)));
    assert!(engine["disk"]["total"].as_u64() >= engine["disk"]["free"].as_u64());
    let body = json!({"user": "admin", "password": lab.password});
    lab.send(TestRequest::post().uri("/api/v1/login").set_json(body)).await.expect(200);
    let sessions: Value = lab.get(&admin, "/sessions").await.expect(200).json();
    assert_eq!(sessions["items"][0]["user"], json!("admin"));
    assert!(!sessions.to_string().contains("hash"), "{sessions}");
    let line = "2026-11-20 WARN the disk is nearly full";
    std::io::Write::write_all(&mut crate::own_log::OwnLog, format!("{line}\n").as_bytes()).unwrap();
    let log: Value = lab.get(&admin, "/engine/log").await.expect(200).json();
    let lines = log["items"].as_array().unwrap();
    assert!(lines.iter().any(|kept| kept["text"] == json!(line)), "{log}");
    let reader = lab.token(Scope::Read).await;
    lab.get(&reader, "/engine").await.expect(200);
    lab.get(&reader, "/engine/log").await.expect(403);
}

#[actix_web::test]
async fn machines_see_how_the_engine_is() {
    let lab = Lab::new().await;
    health::look(&lab.app).await;
    let health: Value = lab.send(TestRequest::get().uri("/healthz")).await.expect(200).json();
    assert_eq!((&health["healthy"], &health["parts"]["store"]), (&json!(true), &json!("ok")));
    let metrics = lab.send(TestRequest::get().uri("/metrics")).await.expect(200).text();
    for line in [
        "jackfield_runs_open 0",
        "jackfield_eps{state=\"idle\"} 0",
        "# TYPE jackfield_jobs gauge",
        "jackfield_resident_bytes ",
    ] {
        assert!(metrics.contains(line), "{line} is not in {metrics}");
    }
    lab.app.store.close().await;
    let before: Value = lab.send(TestRequest::get().uri("/healthz")).await.expect(200).json();
    assert_eq!(before["healthy"], json!(true), "whoever asks costs the engine no look");
    health::look(&lab.app).await;
    let sick: Value = lab.send(TestRequest::get().uri("/healthz")).await.expect(503).json();
    assert_eq!(sick["healthy"], json!(false));
    assert_eq!(sick["parts"]["loop"], json!("ok"));
}

#[actix_web::test]
async fn pages_come_with_a_policy_and_are_cached_by_content() {
    let lab = Lab::new().await;
    for path in ["/", "/runs", "/runs/41", "/eps", "/login", "/nothing"] {
        let got = lab.send(TestRequest::get().uri(path)).await.expect(200);
        assert!(got.header("content-security-policy").starts_with("default-src 'none'"), "{path}");
        let again =
            TestRequest::get().uri(path).insert_header(("If-None-Match", got.header("etag").to_owned()));
        assert!(lab.send(again).await.expect(304).body.is_empty());
    }
    for path in ["/assets/no-such-file.js", "/api/nothing"] {
        lab.send(TestRequest::get().uri(path)).await.expect(404);
    }
}

#[actix_web::test]
async fn what_keeps_results_from_the_database_is_told_before_the_run() {
    let lab = Lab::new().await;
    let token = lab.token(Scope::Run).await;
    let folder = lab.folder.path();
    std::fs::create_dir_all(folder.join("tests")).unwrap();
    std::fs::write(folder.join("tests/hello.py"), "print('hello')\n").unwrap();
    let db = "<Root>\n<db_config><url>sqlite:lab.db</url></db_config>\n<insert_section>\n\
        <field ID=\"Release\" Type=\"UserSelect\" Level=\"Suite\" Mandatory=\"true\" SQLQuery=\"SELECT name, note FROM releases ORDER BY name\"/>\n\
        <sql_statement>INSERT INTO r VALUES ('$Release')</sql_statement>\n</insert_section>\n</Root>\n";
    let client = crate::lab_db::tests::Client::new("sqlite:lab.db", folder);
    client.run("CREATE TABLE releases (name TEXT, note TEXT)").await;
    client.run("INSERT INTO releases VALUES ('2.0', ''), ('2.1', 'the new one')").await;
    std::fs::write(folder.join("db.xml"), db).unwrap();
    let project = |save: &str| {
        format!(
            "<Root><dbautosave>{save}</dbautosave>\n<TestSuite><tsName>One</tsName>\n\
             <TestCase><tcName>hello.py</tcName></TestCase></TestSuite></Root>\n"
        )
    };
    let submit = async |save: &str, status: u16, fields: Value| {
        let body = json!({"project": "p.xml", "xml": project(save), "fields": fields});
        lab.post(&token, "/runs", body).await.expect(status).json::<Value>().to_string()
    };
    let told = submit("save", 422, json!({})).await;
    assert!(told.contains("field `Release` is mandatory, and suite One has no value for it"), "{told}");
    assert!(
        told.contains("--field Release=VALUE") && told.contains("one of: 2.0, 2.1 (the new one)"),
        "{told}"
    );
    assert!(
        submit("ask", 201, json!({})).await.contains("is mandatory"),
        "a person may still decide against saving"
    );
    submit("save", 201, json!({"Release": "2.1"})).await;
    assert!(!submit("nosave", 201, json!({})).await.contains("Release"), "nothing is to be saved");
    std::fs::write(folder.join("db.xml"), db.replace("<url>sqlite:lab.db</url>", "<server>db1</server>"))
        .unwrap();
    let told = submit("save", 201, json!({"Release": "2.1"})).await;
    assert!(
        told.contains("results will not be saved: <db_config> has a <server> and no <database>"),
        "{told}"
    );
}
