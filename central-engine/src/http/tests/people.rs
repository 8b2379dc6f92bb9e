//! What the pages of people stand on: roles in words, browsers that are signed out, and an audit log that is looked through.

use actix_web::{
    http::{Method, header},
    test::TestRequest,
};
use jackfield_protocol::time::Time;
use serde_json::{Value, json};

use super::lab::Lab;
use crate::{
    auth::{self, Role, Scope},
    store,
};

/// Signs somebody in, and answers their cookie.
async fn sign_in(lab: &Lab, user: &str, password: &str) -> String {
    let request =
        TestRequest::post().uri("/api/v1/login").set_json(json!({"user": user, "password": password}));
    let got = lab.send(request).await.expect(200);
    got.headers.get(header::SET_COOKIE).unwrap().to_str().unwrap().split(';').next().unwrap().to_owned()
}

async fn by_cookie(lab: &Lab, method: Method, path: &str, cookie: &str) -> super::lab::Got {
    let request = TestRequest::with_uri(&format!("/api/v1{path}")).method(method);
    lab.send(request.insert_header((header::COOKIE, cookie.to_owned()))).await
}

#[actix_web::test]
async fn everybody_reads_what_each_role_opens() {
    let lab = Lab::new().await;
    let token = lab.token(Scope::Read).await;
    let roles: Value = lab.get(&token, "/roles").await.expect(200).json();
    let roles = roles["items"].as_array().unwrap();
    assert_eq!(roles.len(), Role::ALL.len());
    let of = |word: &str| roles.iter().find(|role| role["role"] == json!(word)).unwrap()["opens"].clone();
    assert!(of("RUN_TESTS").as_str().unwrap().contains("start, stop and answer runs"));
    assert_eq!(of("CHANGE_PLUGINS"), Value::Null);
}

#[actix_web::test]
async fn browsers_are_listed_and_signed_out_by_who_may() {
    let lab = Lab::new().await;
    let admin = lab.token(Scope::Admin).await;
    for (name, roles) in [("ana", json!([])), ("olga", json!(["CHANGE_SERVICES"]))] {
        let user = json!({"name": name, "password": "a long password", "roles": roles});
        lab.post(&admin, "/users", user).await.expect(201);
    }
    let (one, two) =
        (sign_in(&lab, "ana", "a long password").await, sign_in(&lab, "ana", "a long password").await);
    let olga = sign_in(&lab, "olga", "a long password").await;
    let seen = async |cookie: &str| -> Vec<Value> {
        let list: Value = by_cookie(&lab, Method::GET, "/sessions", cookie).await.expect(200).json();
        list["items"].as_array().unwrap().clone()
    };
    // One's own, of which one is the one that asks; who operates the engine sees all, and ends their own only.
    let own = seen(&one).await;
    assert_eq!((own.len(), own.iter().filter(|session| session["here"] == json!(true)).count()), (2, 1));
    assert_eq!(seen(&olga).await.len(), 3);
    let end = async |cookie: &str, id: &Value| {
        by_cookie(&lab, Method::DELETE, &format!("/sessions/{}", id.as_str().unwrap()), cookie).await
    };
    let (here, there): (Vec<_>, Vec<_>) = own.iter().partition(|session| session["here"] == json!(true));
    end(&olga, &there[0]["id"]).await.expect(404);
    end(&one, &there[0]["id"]).await.expect(204);
    end(&one, &there[0]["id"]).await.expect(404);
    by_cookie(&lab, Method::GET, "/me", &two).await.expect(401);
    // Who changes users signs anybody out; a token that lends little nobody.
    let reader = lab.token(Scope::Run).await;
    let path = format!("/sessions/{}", here[0]["id"].as_str().unwrap());
    lab.with(&reader, Method::DELETE, &path, None).await.expect(403);
    lab.with(&admin, Method::DELETE, &path, None).await.expect(204);
    by_cookie(&lab, Method::GET, "/me", &one).await.expect(401);
    // What names a session opens nothing.
    let secret = auth::token_hash(olga.trim_start_matches("jackfield="));
    let listed: Value = lab.get(&admin, "/sessions").await.expect(200).json();
    assert!(
        !listed.to_string().contains(&secret)
            && secret.starts_with(listed["items"][0]["id"].as_str().unwrap())
    );
}

#[actix_web::test]
async fn the_audit_log_is_looked_through() {
    let lab = Lab::new().await;
    let token = lab.token(Scope::Admin).await;
    let mut conn = lab.app.store.write().await.unwrap();
    for (at, who, action, target, detail) in [
        (1_000, "ana", "run.start", "nightly_1", "50% of it"),
        (2_000, "ana", "runs.prune", "", ""),
        (3_000, "bob", "run.stop", "41", "the bed is broken"),
        (4_000, "engine", "user.create", "ana", "first"),
    ] {
        store::audit::add(&mut conn, Time(at), who, (action, target), detail).await.unwrap();
    }
    conn.commit().await.unwrap();
    let found = async |query: &str| -> Vec<String> {
        let until = Time(5_000).to_string();
        let page: Value = lab.get(&token, &format!("/audit?until={until}&{query}")).await.expect(200).json();
        page["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|line| line["action"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(found("").await, ["user.create", "run.stop", "runs.prune", "run.start"]);
    assert_eq!(found("who=ana").await, ["runs.prune", "run.start"]);
    assert_eq!(found("action=run.").await, ["run.stop", "run.start"]);
    assert_eq!(found("action=run").await, ["run.stop", "runs.prune", "run.start"]);
    // Words in any order and case, and signs that mean something to a database.
    assert_eq!(found("text=BROKEN%20bob").await, ["run.stop"]);
    assert_eq!(found("text=50%25").await, ["run.start"]);
    assert_eq!(found("text=nightly_").await, ["run.start"]);
    assert_eq!(found("text=_%25").await, Vec::<String>::new());
    assert_eq!(found(&format!("from={}", Time(3_000))).await, ["user.create", "run.stop"]);
    assert_eq!(found("limit=1&who=ana").await, ["runs.prune"]);
    lab.get(&token, "/audit?from=yesterday").await.expect(400);
}
