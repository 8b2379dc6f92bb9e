//! Who may call what: every route of the OpenAPI document asked by every kind of caller, against the real engine.
//!
//! The table is a snapshot, so that a change of it is read in a review. A route that is new is in it by itself.

use std::{collections::BTreeSet, fmt::Write as _};

use actix_web::{http::Method, test::TestRequest};
use jackfield_protocol::{
    event::RunState,
    id::{RunId, UserName},
};
use serde_json::{Value, json};

use super::{access::every_address, lab::Lab};
use crate::{
    auth::{self, Role, Scope},
    clock,
    lab::resources::Change,
    store::{
        self,
        account::Account,
        tests::fixture::{attempts, begun, passed, plan},
        token::{Joined, TokenRow},
    },
};

/// What anybody may call.
const OPEN: [&str; 5] = ["/api/v1/login", "/authority.pem", "/healthz", "/metrics", "/api/openapi.json"];

async fn account(lab: &Lab, name: &str, groups: &[&str], roles: &[&str], disabled: bool) -> UserName {
    let texts = |all: &[&str]| all.iter().map(|text| (*text).to_owned()).collect::<BTreeSet<_>>();
    let name = UserName::from(name);
    let account = Account {
        name: name.clone(),
        password: String::new(),
        groups: texts(groups),
        roles: texts(roles),
        disabled,
        idle_millis: None,
        created: clock::now(),
    };
    let mut conn = lab.app.store.write().await.unwrap();
    store::account::put(&mut conn, &account).await.unwrap();
    conn.commit().await.unwrap();
    name
}

async fn token(lab: &Lab, owner: &UserName, scope: Scope) -> String {
    let made = auth::make_token(&lab.app.store, owner, "t", scope, clock::now()).await.unwrap();
    made.expose_for_owner().to_owned()
}

/// A name for each caller, and their token.
async fn let_in(lab: &Lab) -> Vec<(String, String)> {
    let mut callers = Vec::new();
    for role in Role::ALL {
        let user = account(lab, &format!("only-{}", role.as_str()), &[], &[role.as_str()], false).await;
        callers.push((role.as_str().to_owned(), token(lab, &user, Scope::Admin).await));
    }
    let none = account(lab, "none", &[], &[], false).await;
    callers.push(("(no role)".to_owned(), token(lab, &none, Scope::Admin).await));
    for group in ["viewer", "tester"] {
        let user = account(lab, &format!("a-{group}"), &[group], &[], false).await;
        callers.push((format!("group {group}"), token(lab, &user, Scope::Admin).await));
    }
    for scope in Scope::ALL {
        callers.push((format!("admin's {} token", scope.as_str()), token(lab, &"admin".into(), scope).await));
    }
    callers
}

/// Those whose word counts for nothing.
async fn shut_out(lab: &Lab) -> Vec<(&'static str, Option<String>)> {
    let closed = account(lab, "closed", &["admin"], &[], true).await;
    let gone = account(lab, "gone", &["admin"], &[], false).await;
    let (of_closed, of_gone) =
        (token(lab, &closed, Scope::Admin).await, token(lab, &gone, Scope::Admin).await);
    let (expired, revoked) = (auth::random_token().unwrap(), auth::random_token().unwrap());
    let now = clock::now();
    let mut conn = lab.app.store.write().await.unwrap();
    store::account::delete(&mut conn, &gone).await.unwrap();
    for (secret, expires) in [(&expired, Some(now)), (&revoked, None)] {
        let (owner, name, scope) = ("admin".into(), "t".to_owned(), "admin".to_owned());
        let row =
            TokenRow { id: 0, owner, name, scope, created: now, expires, used: None, joined: Joined::Any };
        let id =
            store::token::insert(&mut conn, &auth::token_hash(secret.expose_for_hash()), &row).await.unwrap();
        if expires.is_none() {
            store::token::delete(&mut conn, id).await.unwrap();
        }
    }
    conn.commit().await.unwrap();
    vec![
        ("nobody", None),
        ("an empty token", Some(String::new())),
        ("a made-up token", Some("jf_0123456789abcdef".to_owned())),
        ("an expired token", Some(expired.expose_for_owner().to_owned())),
        ("a revoked token", Some(revoked.expose_for_owner().to_owned())),
        ("the token of a closed account", Some(of_closed)),
        ("the token of a deleted account", Some(of_gone)),
    ]
}

async fn status(lab: &Lab, method: &Method, path: &str, token: Option<&str>) -> u16 {
    asked(lab, method, path, token, json!({})).await
}

async fn asked(lab: &Lab, method: &Method, path: &str, token: Option<&str>, body: Value) -> u16 {
    let request = TestRequest::with_uri(path).method(method.clone());
    let request = match token {
        Some(token) => request.insert_header(("Authorization", format!("Bearer {token}"))),
        None => request,
    };
    let request = if method == Method::GET { request } else { request.set_json(body) };
    lab.status(request).await
}

#[actix_web::test]
async fn every_route_is_open_to_whom_the_table_says_and_to_nobody_else() {
    let lab = Lab::new().await;
    let (callers, strangers) = (let_in(&lab).await, shut_out(&lab).await);
    let mut table = String::new();
    for (method, path) in every_address(&lab).await {
        // A token that nobody has: a caller who deletes their own is not known any more.
        let path = path.replace("/tokens/1", "/tokens/999999").replace("/suts/sut", "/suts/x.system");
        if OPEN.contains(&path.as_str()) {
            writeln!(table, "{method} {path}: anybody").unwrap();
            continue;
        }
        if path.starts_with("/api/v1/shared/") || path.starts_with("/api/v1/calendar/feed/") {
            // It asks for a link, and for nobody's account.
            let everybody = strangers.iter().map(|(_, token)| token.as_deref());
            for token in everybody.chain(callers.iter().map(|(_, token)| Some(&**token))) {
                assert_eq!(status(&lab, &method, &path, token).await, 404, "{method} {path}");
            }
            writeln!(table, "{method} {path}: whoever has the link").unwrap();
            continue;
        }
        for (stranger, token) in &strangers {
            let found = status(&lab, &method, &path, token.as_deref()).await;
            assert_eq!(found, 401, "{method} {path} for {stranger}");
        }
        let mut open = Vec::new();
        for (caller, token) in &callers {
            match status(&lab, &method, &path, Some(token)).await {
                401 => panic!("{method} {path} does not know {caller}"),
                403 => {}
                _ => open.push(caller.as_str()),
            }
        }
        writeln!(table, "{method} {path}: {}", open.join(", ")).unwrap();
    }
    insta::assert_snapshot!(table);
}

/// What a caller gets who asks for something of ana's: the status tells what of it they may know and do.
async fn of_anas(lab: &Lab, method: &Method, path: &str, token: &str) -> u16 {
    let mut conn = lab.app.store.write().await.unwrap();
    let row = TokenRow {
        id: 0,
        owner: "ana".into(),
        name: "t".to_owned(),
        scope: "run".to_owned(),
        created: clock::now(),
        expires: None,
        used: None,
        joined: Joined::Any,
    };
    let fresh = auth::random_token().unwrap();
    let id = store::token::insert(&mut conn, &auth::token_hash(fresh.expose_for_hash()), &row).await.unwrap();
    conn.commit().await.unwrap();
    let put = Change::PutSut { name: "x.ana".into(), body: json!({"meta": {"password": "P"}}) };
    lab.app.resources.edit(&"ana".into(), None, put).await.unwrap();
    let path = path.replace("/tokens/1", &format!("/tokens/{id}")).replace("/suts/sut", "/suts/x.ana");
    // Right, so that it is not refused before it is asked whose the run is.
    let body = match path.rsplit('/').next() {
        Some("queue") => json!({"files": ["t0.py"]}),
        Some("dequeue") => json!({"tests": [0]}),
        _ if path.contains("/questions/") => json!({"answer": "yes"}),
        _ => json!({}),
    };
    asked(lab, method, &path, Some(token), body).await
}

#[actix_web::test]
async fn what_is_somebody_elses_is_open_to_whom_the_table_says() {
    let lab = Lab::new().await;
    // The run of the fixture is ana's.
    lab.app.store.commit(begun(RunId(1), &plan("demo", 2), RunState::Running)).await.unwrap();
    lab.app.store.commit(attempts([passed(RunId(1), 0)])).await.unwrap();
    let mut callers = Vec::new();
    for (name, roles) in [
        ("ana", &["RUN_TESTS", "CHANGE_SUT"][..]),
        ("tester", &["RUN_TESTS", "CHANGE_SUT"]),
        ("viewer", &["VIEW_REPORTS"]),
        ("operator", &["RUN_TESTS", "CHANGE_SERVICES"]),
        ("chief", &["CHANGE_USERS", "CHANGE_SUT", "RUN_TESTS"]),
    ] {
        callers.push((name, lab.person(name, roles).await));
    }
    let mut table = String::new();
    for (method, path) in every_address(&lab).await {
        if !["/runs/1", "/attempts/", "/suts/sut", "/tokens/1"].iter().any(|own| path.contains(own)) {
            continue;
        }
        let mut row = Vec::new();
        for (caller, token) in &callers {
            row.push(format!("{caller} {}", of_anas(&lab, &method, &path, token).await));
        }
        writeln!(table, "{method} {path}: {}", row.join(", ")).unwrap();
    }
    insta::assert_snapshot!(table);
}

/// Who stands where to a lease of ana's.
const NEIGHBOURS: [(&str, &[&str]); 7] = [
    ("ana", &["LOCK_TESTBED", "VIEW_REPORTS", "RUN_TESTS"]),
    ("guest", &["LOCK_TESTBED", "VIEW_REPORTS", "RUN_TESTS"]),
    ("neighbour", &["LOCK_TESTBED", "LOCK_SUT", "VIEW_REPORTS", "RUN_TESTS"]),
    ("viewer", &["VIEW_REPORTS"]),
    ("tester", &["RUN_TESTS"]),
    ("operator", &["CHANGE_SERVICES", "LOCK_TESTBED"]),
    ("keeper", &["CHANGE_TESTBED", "VIEW_REPORTS"]),
];

/// A lease that ana has just taken, shared with the guest, on a device that nobody had before.
async fn of_ana(lab: &Lab, admin: &str, ana: &str, device: u64) -> String {
    let name = format!("d{device}");
    let body = json!({"parent": "/", "name": name});
    lab.with(admin, Method::PUT, "/resources", Some(body)).await.expect(201);
    let take = json!({"resources": [format!("/{name}")], "reason": "bug"});
    let lease: Value = lab.post(ana, "/leases", take).await.expect(201).json();
    let lease = lease["id"].to_string();
    lab.post(ana, &format!("/leases/{lease}/allow"), json!({"user": "guest"})).await.expect(200);
    lease
}

#[actix_web::test]
async fn leases_files_and_consoles_of_others_are_open_to_whom_the_table_says() {
    let lab = Lab::new().await;
    let admin = lab.token(Scope::Admin).await;
    let mut callers = Vec::new();
    for (name, roles) in NEIGHBOURS {
        callers.push((name, lab.person(name, roles).await));
    }
    let ep = token(&lab, &"admin".into(), Scope::Ep).await;
    let ana = callers[0].1.clone();
    let hash = lab.app.blobs.put(b"a file of ana's run").unwrap();
    let (mut table, mut device) = (String::new(), 0);
    for (method, path) in every_address(&lab).await {
        let is_lease = path.contains("/leases/lease");
        let is_file = path.contains("/blobs/");
        if !is_lease && !is_file && !path.ends_with("/console") {
            continue;
        }
        let mut row = Vec::new();
        for (caller, secret) in callers.iter().map(|(name, secret)| (*name, secret)).chain([("an EP", &ep)]) {
            device += 1;
            let lease = of_ana(&lab, &admin, &ana, device).await;
            let body = match path.rsplit('/').next() {
                Some("extend") => json!({"for_millis": 10_800_000}),
                Some("allow") => json!({"user": "viewer"}),
                Some("transfer") => json!({"to": "neighbour"}),
                Some("force") => json!({"reason": "night"}),
                _ => json!({}),
            };
            let path = path.replace("/leases/lease", &format!("/leases/{lease}"));
            let path = path.replace(&"ab".repeat(32), &hash.to_string());
            let path = path.replace("/console", &format!("/console?resource=/d{device}&take=true"));
            row.push(format!("{caller} {}", asked(&lab, &method, &path, Some(secret), body).await));
        }
        writeln!(table, "{method} {path}: {}", row.join(", ")).unwrap();
    }
    insta::assert_snapshot!(table);
}
