//! What is one user's alone, in a run that others may see.

use actix_web::test::TestRequest;
use serde_json::{Value, json};

use super::lab::Lab;
use crate::auth::Scope;

/// An account with roles of its own, and a token that its log-in gave.
async fn person(lab: &Lab, name: &str, roles: &[&str]) -> String {
    let admin = lab.token(Scope::Admin).await;
    let account = json!({"name": name, "password": "correct horse", "roles": roles});
    lab.post(&admin, "/users", account).await.expect(201);
    let body = json!({"user": name, "password": "correct horse", "token": "x"});
    let got = lab.send(TestRequest::post().uri("/api/v1/login").set_json(body)).await.expect(200);
    got.json::<Value>()["token"].as_str().unwrap().to_owned()
}

fn write(lab: &Lab, file: &str, text: &str) {
    let path = lab.folder.path().join(file);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

/// Ana's run of a test of her own and one of all, with a library, a profile and a template that are hers.
async fn run_of_ana(lab: &Lab, ana: &str) -> Value {
    write(lab, "users/ana/tests/mine/own.sh", "#!/bin/sh\n# ana's own test\n");
    write(lab, "users/ana/tests/mine/beside.txt", "ana's own data\n");
    write(lab, "users/ana/libs/own_lib.py", "ana = 'own library'\n");
    write(lab, "users/ana/profiles/site.toml", "# ana's own profile\nbased_on = \"linux\"\n");
    write(lab, "users/ana/templates/own.textfsm", "Value A (\\S+)\n\nStart\n  ^${A} -> Record\n");
    write(lab, "tests/all.sh", "#!/bin/sh\n# everybody's test\n");
    let cases =
        "<TestCase><tcName>mine/own.sh</tcName></TestCase><TestCase><tcName>all.sh</tcName></TestCase>";
    let xml = format!(
        "<Root><libraries>own_lib.py</libraries><TestSuite><tsName>S</tsName>{cases}</TestSuite></Root>"
    );
    let run: Value = lab.post(ana, "/runs", json!({"project": "p.xml", "xml": xml})).await.expect(201).json();
    run["run"].clone()
}

#[actix_web::test]
async fn private_files_of_a_run_stay_their_users() {
    let lab = Lab::new().await;
    let ana = person(&lab, "ana", &["RUN_TESTS"]).await;
    let bob = person(&lab, "bob", &["RUN_TESTS", "VIEW_REPORTS", "CHANGE_SERVICES"]).await;
    let run = run_of_ana(&lab, &ana).await;
    let of_ana: Value = lab.get(&ana, &format!("/runs/{run}/plan")).await.expect(200).json();
    let private = of_ana["private"]["files"].as_array().unwrap();
    assert_eq!(private.len(), 4, "test, what stands beside it, library, templates: {of_ana}");
    for hash in private {
        // Who may only start tests fetches what their own run took.
        lab.get(&ana, &format!("/blobs/{}", hash.as_str().unwrap())).await.expect(200);
    }
    let shown = lab.get(&bob, &format!("/runs/{run}/plan")).await.expect(200);
    for hash in private {
        assert!(!shown.text().contains(hash.as_str().unwrap()), "{}", shown.text());
    }
    assert!(!shown.text().contains("ana's own profile"), "{}", shown.text());
    let shown: Value = shown.json();
    let hash_of = |plan: &Value, name: &str| {
        let files = plan["files"].as_object().unwrap();
        files.iter().find(|(file, _)| file.ends_with(name)).map(|(_, hash)| hash.clone()).unwrap()
    };
    assert_eq!(hash_of(&shown, "own.sh"), Value::Null);
    assert_eq!(hash_of(&shown, "all.sh"), hash_of(&of_ana, "all.sh"), "everybody's files are everybody's");
    assert_eq!(shown["tests"], of_ana["tests"], "and what the run is, is seen by all who may see it");
}

#[actix_web::test]
async fn nobody_runs_tests_of_theirs_beside_private_files_of_others() {
    let lab = Lab::new().await;
    let ana = person(&lab, "ana", &["RUN_TESTS"]).await;
    let bob = person(&lab, "bob", &["RUN_TESTS", "VIEW_REPORTS", "CHANGE_SERVICES"]).await;
    let run = run_of_ana(&lab, &ana).await;
    let body = json!({"files": ["all.sh"]});
    let refused = lab.post(&bob, &format!("/runs/{run}/queue"), body.clone()).await.expect(403);
    assert!(refused.text().contains("files of ana's own"), "{}", refused.text());
    lab.post(&ana, &format!("/runs/{run}/queue"), body).await.expect(200);
    lab.post(&ana, &format!("/runs/{run}/stop"), json!({"now": true})).await.expect(204);
    let refused = lab.post(&bob, &format!("/runs/{run}/retry"), json!({})).await.expect(403);
    assert!(refused.text().contains("only ana can run it again"), "{}", refused.text());
    lab.post(&ana, &format!("/runs/{run}/retry"), json!({})).await.expect(201);
}

#[actix_web::test]
async fn a_private_file_that_is_queued_later_stays_private() {
    let lab = Lab::new().await;
    let ana = person(&lab, "ana", &["RUN_TESTS"]).await;
    let bob = person(&lab, "bob", &["RUN_TESTS", "VIEW_REPORTS", "CHANGE_SERVICES"]).await;
    write(&lab, "users/ana/tests/late.sh", "#!/bin/sh\n# ana's late test\n");
    write(&lab, "tests/all.sh", "#!/bin/sh\n# everybody's test\n");
    let xml =
        "<Root><TestSuite><tsName>S</tsName><TestCase><tcName>all.sh</tcName></TestCase></TestSuite></Root>";
    let run: Value =
        lab.post(&ana, "/runs", json!({"project": "p.xml", "xml": xml})).await.expect(201).json();
    let queue = format!("/runs/{}/queue", run["run"]);
    let refused = lab.post(&bob, &queue, json!({"files": ["late.sh"]})).await.expect(403);
    assert!(refused.text().contains("ana's own"), "{}", refused.text());
    lab.post(&bob, &queue, json!({"files": ["all.sh"]})).await.expect(200);
    lab.post(&ana, &queue, json!({"files": ["late.sh"]})).await.expect(200);
    let plan = format!("/runs/{}/plan", run["run"]);
    let of_ana: Value = lab.get(&ana, &plan).await.expect(200).json();
    let late = |plan: &Value| plan["tests"].as_array().unwrap().last().unwrap()["content"].clone();
    assert!(late(&of_ana).is_string(), "{of_ana}");
    let shown: Value = lab.get(&bob, &plan).await.expect(200).json();
    assert_eq!(late(&shown), Value::Null, "{shown}");
}
