//! What persons do with leases, asked by those who may and by those who may not.

use std::collections::BTreeSet;

use jackfield_protocol::{
    error::{ErrorCode, Problem},
    lease::{LeaseEnded, LeaseState, LeaseView},
};
use serde_json::{Value, json};

use super::lab::Lab;
use crate::auth::Scope;

async fn bed(lab: &Lab, admin: &str) {
    for (parent, name) in [("/", "tb1"), ("/tb1", "r1"), ("/tb1", "r2")] {
        let body = json!({"parent": parent, "name": name});
        lab.with(admin, actix_web::http::Method::PUT, "/resources", Some(body)).await.expect(201);
    }
}

const ROLES: [&str; 3] = ["VIEW_REPORTS", "LOCK_TESTBED", "LOCK_SUT"];

#[actix_web::test]
async fn a_device_has_one_holder_and_others_read_who() {
    let lab = Lab::new().await;
    let admin = lab.token(Scope::Admin).await;
    bed(&lab, &admin).await;
    let (ana, bob) = (lab.person("ana", &ROLES).await, lab.person("bob", &ROLES).await);
    let take = json!({"resources": ["/tb1/r1"], "reason": "bug 1234", "for_millis": 7_200_000});
    let lease: LeaseView = lab.post(&ana, "/leases", take).await.expect(201).json();
    assert_eq!((lease.state, lease.name.as_str(), lease.id.0), (LeaseState::Active, "/tb1/r1", 1));
    let refused = lab.post(&bob, "/leases", json!({"resources": ["/tb1"]})).await.expect(409);
    assert_eq!(refused.problem(), ErrorCode::Held);
    let problem: Problem = refused.json();
    assert!(problem.title.starts_with("ana has /tb1/r1 until 20"), "{}", problem.title);
    let queued: LeaseView = lab
        .post(&bob, "/leases", json!({"resources": ["/tb1"], "wait_millis": 60_000}))
        .await
        .expect(202)
        .json();
    assert_eq!((queued.state, queued.place), (LeaseState::Waiting, Some(1)));
    assert!(queued.waits_for.unwrap().contains("ana has /tb1/r1"));
    lab.post(&bob, "/leases/1/release", json!({})).await.expect(403);
    let over: LeaseView = lab.post(&ana, "/leases/1/release", json!({})).await.expect(200).json();
    assert_eq!(over.ended.unwrap().how, LeaseEnded::Holder);
    let got: LeaseView = lab.get(&bob, "/leases/2").await.expect(200).json();
    assert_eq!(got.state, LeaseState::Active);
    let audit = lab.get(&admin, "/audit").await.expect(200).text();
    assert!(audit.contains("lease.take") && audit.contains("lease 1 of /tb1/r1"), "{audit}");
}

#[actix_web::test]
async fn a_lease_is_extended_shared_handed_over_and_taken_away() {
    let lab = Lab::new().await;
    let admin = lab.token(Scope::Admin).await;
    bed(&lab, &admin).await;
    let (ana, bob) = (lab.person("ana", &ROLES).await, lab.person("bob", &ROLES).await);
    lab.post(&ana, "/leases", json!({"resources": ["/tb1/r1"], "context": {"build": "417"}}))
        .await
        .expect(201);
    let longer: LeaseView =
        lab.post(&ana, "/leases/1/extend", json!({"for_millis": 10_800_000})).await.expect(200).json();
    assert!(longer.until > longer.since);
    lab.post(&ana, "/leases/1/extend", json!({})).await.expect(400);
    lab.post(&ana, "/leases/1/allow", json!({"user": "nobody"})).await.expect(404);
    let with: LeaseView = lab.post(&ana, "/leases/1/allow", json!({"user": "bob"})).await.expect(200).json();
    assert_eq!(with.guests, BTreeSet::from(["bob".into()]));
    let next: LeaseView = lab.post(&ana, "/leases/1/transfer", json!({"to": "bob"})).await.expect(200).json();
    assert_eq!((next.id.0, next.user.unwrap().as_str(), next.guests.len()), (2, "bob", 0));
    assert_eq!(next.context["build"], "417");
    let force = json!({"reason": "the rack moves"});
    lab.post(&ana, "/leases/2/force", force.clone()).await.expect(403);
    lab.post(&admin, "/leases/2/force", json!({"reason": " "})).await.expect(400);
    let gone: LeaseView = lab.post(&admin, "/leases/2/force", force).await.expect(200).json();
    let end = gone.ended.unwrap();
    assert_eq!(
        (end.how, end.by.unwrap().as_str(), end.reason.as_str()),
        (LeaseEnded::Force, "admin", "the rack moves")
    );
    let all: Value = lab.get(&bob, "/leases?ended=true&resource=/tb1").await.expect(200).json();
    assert_eq!(all["items"].as_array().unwrap().len(), 2, "{all}");
    let none: Value = lab.get(&bob, "/leases").await.expect(200).json();
    assert_eq!(none["items"], json!([]));
}

#[actix_web::test]
async fn who_may_change_the_bed_does_with_leases_of_others_as_with_their_own_and_takes_none() {
    let lab = Lab::new().await;
    let admin = lab.token(Scope::Admin).await;
    bed(&lab, &admin).await;
    let (ana, rack) = (lab.person("ana", &ROLES).await, lab.person("rack", &["CHANGE_TESTBED"]).await);
    let take = json!({"resources": ["/tb1/r1"]});
    lab.post(&rack, "/leases", take.clone()).await.expect(403);
    lab.post(&ana, "/leases", take.clone()).await.expect(201);
    lab.post(&rack, "/leases/1/extend", json!({"for_millis": 3_600_000})).await.expect(200);
    lab.post(&rack, "/leases/1/allow", json!({"user": "rack"})).await.expect(200);
    let over: LeaseView = lab.post(&rack, "/leases/1/release", json!({})).await.expect(200).json();
    assert_eq!(over.ended.unwrap().how, LeaseEnded::Holder);
    lab.post(&ana, "/leases", take).await.expect(201);
    let next: LeaseView =
        lab.post(&rack, "/leases/2/transfer", json!({"to": "rack"})).await.expect(200).json();
    assert_eq!(next.user.unwrap().as_str(), "rack");
}

#[actix_web::test]
async fn a_guest_whose_account_is_gone_is_put_out() {
    let lab = Lab::new().await;
    let admin = lab.token(Scope::Admin).await;
    bed(&lab, &admin).await;
    let ana = lab.person("ana", &ROLES).await;
    lab.person("bob", &ROLES).await;
    lab.post(&ana, "/leases", json!({"resources": ["/tb1/r1"]})).await.expect(201);
    lab.post(&ana, "/leases/1/allow", json!({"user": "bob"})).await.expect(200);
    lab.with(&admin, actix_web::http::Method::DELETE, "/users/bob", None).await.expect(204);
    let out = json!({"user": "bob", "allowed": false});
    let alone: LeaseView = lab.post(&ana, "/leases/1/allow", out).await.expect(200).json();
    assert_eq!(alone.guests, BTreeSet::new());
}

#[actix_web::test]
async fn a_sut_is_taken_by_its_short_name_ones_own_first() {
    let lab = Lab::new().await;
    let admin = lab.token(Scope::Admin).await;
    let ana = lab.person("ana", &ROLES).await;
    let mut taken = Vec::new();
    for (number, owner) in (1..).zip(["system", "user", "ana"]) {
        let name = format!("core.{owner}");
        let sut = json!({"path": [name], "meta": {}, "id": format!("0000000a0{number}"), "children": {}});
        let path = format!("/suts/{name}");
        lab.with(&admin, actix_web::http::Method::PUT, &path, Some(sut)).await.expect(201);
        let lease: LeaseView = lab.post(&ana, "/leases", json!({"suts": ["core"]})).await.expect(201).json();
        taken.push(lease.name);
    }
    assert_eq!(taken, ["core.system", "core.user", "core.ana"]);
}

#[actix_web::test]
async fn what_makes_no_sense_or_is_not_allowed_is_refused_and_changes_nothing() {
    let lab = Lab::new().await;
    let admin = lab.token(Scope::Admin).await;
    bed(&lab, &admin).await;
    let ana = lab.person("ana", &["VIEW_REPORTS", "LOCK_TESTBED"]).await;
    let long = "x".repeat(2_000);
    for (body, status) in [
        (json!({}), 400),
        (json!({"resources": []}), 400),
        (json!({"resources": ["/tb1/none"]}), 404),
        (json!({"resources": ["/tb1:ip"]}), 400),
        (json!({"resources": ["/tb1/../tb1"]}), 404),
        (json!({"resources": ["/tb1"], "for_millis": 0}), 400),
        (json!({"resources": ["/tb1"], "for_millis": u64::MAX}), 400),
        (json!({"resources": ["/tb1"], "for_millis": -5}), 400),
        (json!({"resources": ["/tb1"], "reason": long}), 400),
        (json!({"resources": ["/tb1"], "reason": "two\nlines"}), 400),
        (json!({"resources": ["/tb1"], "patience_millis": 1}), 400),
        (json!({"resources": ["/tb1"], "priority": 1}), 403),
        (json!({"resources": ["/tb1"], "begin": "9999-01-01T00:00:00Z", "for_millis": 5}), 400),
        (json!({"suts": ["core"]}), 403),
    ] {
        let got = lab.post(&ana, "/leases", body.clone()).await;
        assert_eq!(got.status.as_u16(), status, "{body}: {}", got.text());
    }
    assert_eq!(lab.post(&admin, "/leases", json!({"suts": ["core"]})).await.status.as_u16(), 404);
    for path in ["/leases/7", "/leases/7/beat", "/leases/7/release"] {
        let got = if path.ends_with('7') {
            lab.get(&ana, path).await
        } else {
            lab.post(&ana, path, json!({})).await
        };
        assert_eq!(got.status.as_u16(), 404, "{path}: {}", got.text());
    }
    let all: Value = lab.get(&ana, "/leases?ended=true").await.expect(200).json();
    assert_eq!(all["items"], json!([]));
}

#[actix_web::test]
async fn what_was_done_to_a_lease_is_told_to_whoever_sees_leases() {
    let lab = Lab::new().await;
    let admin = lab.token(Scope::Admin).await;
    bed(&lab, &admin).await;
    let (ana, bob) = (lab.person("ana", &ROLES).await, lab.person("bob", &["VIEW_REPORTS"]).await);
    lab.post(&ana, "/leases", json!({"resources": ["/tb1/r1"], "reason": "as in lease 7 of bob"}))
        .await
        .expect(201);
    lab.post(&ana, "/leases/1/extend", json!({"for_millis": 10_800_000})).await.expect(200);
    lab.post(&ana, "/leases/1/allow", json!({"user": "bob"})).await.expect(200);
    lab.post(&ana, "/leases/1/transfer", json!({"to": "bob"})).await.expect(200);
    let story = |got: Value| -> Vec<String> {
        let text = |deed: &Value, field: &str| deed[field].as_str().unwrap_or_default().to_owned();
        let deeds = got["items"].as_array().cloned().unwrap_or_default();
        deeds.iter().map(|deed| format!("{} {}", text(deed, "who"), text(deed, "action"))).collect()
    };
    let of_first = story(lab.get(&bob, "/leases/1/story").await.expect(200).json());
    assert_eq!(of_first, ["ana lease.take", "ana lease.extend", "ana lease.allow", "ana lease.transfer"]);
    let of_next = story(lab.get(&bob, "/leases/2/story").await.expect(200).json());
    assert_eq!(of_next, ["ana lease.transfer"]);
    lab.get(&bob, "/leases/7/story").await.expect(404);
    let outside = lab.person("eve", &["RUN_TESTS"]).await;
    lab.get(&outside, "/leases/1/story").await.expect(403);
}

#[actix_web::test]
async fn who_leases_reads_to_whom_something_can_be_given() {
    let lab = Lab::new().await;
    let admin = lab.token(Scope::Admin).await;
    let (ana, bob) = (lab.person("ana", &ROLES).await, lab.person("bob", &["VIEW_REPORTS"]).await);
    let closed = json!({"disabled": true});
    lab.person("gone", &ROLES).await;
    lab.with(&admin, actix_web::http::Method::PUT, "/users/gone", Some(closed)).await.expect(200);
    let people: Value = lab.get(&ana, "/people").await.expect(200).json();
    let names: Vec<_> = people["items"].as_array().unwrap().iter().map(|each| each["name"].clone()).collect();
    assert!(names.contains(&json!("bob")) && !names.contains(&json!("gone")), "{names:?}");
    lab.get(&bob, "/people").await.expect(403);
}
