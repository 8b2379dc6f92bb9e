use actix_web::{http::Method, test::TestRequest};
use jackfield_protocol::{
    error::ErrorCode,
    event::{Fact, RunEvent, RunState},
    id::RunId,
    time::Time,
};
use serde_json::{Value, json};

use super::lab::{Got, Lab};
use crate::{
    auth::Scope,
    feed::Next,
    store::{
        Batch,
        tests::fixture::{begun, plan},
    },
};

const RUN: RunId = RunId(1);

type Happening<'a> = std::pin::Pin<Box<dyn Future<Output = ()> + 'a>>;

/// The events of a stream: id, topic, data.
fn events(got: &Got) -> Vec<(String, String, Value)> {
    let text = got.text();
    let blocks = text.split("\n\n").filter(|block| block.starts_with("id: "));
    blocks
        .map(|block| {
            let field = |name: &str| {
                let line = block.lines().find_map(|line| line.strip_prefix(name)).unwrap();
                line.to_owned()
            };
            (field("id: "), field("event: "), serde_json::from_str(&field("data: ")).unwrap())
        })
        .collect()
}

/// Reads the feed from a position on, while something happens; ends when the feed has told of these topics.
async fn watched(lab: &Lab, after: &str, until: &[&str], happen: Happening<'_>) -> Got {
    let token = lab.token(Scope::Read).await;
    let request = TestRequest::get()
        .uri("/api/v1/live")
        .insert_header(("Authorization", format!("Bearer {token}")))
        .insert_header(("Last-Event-ID", after.to_owned()));
    // Before anything was told: what is told first may be told before the reader comes.
    let begin = lab.app.feed.watch(None).0.position();
    let end = async {
        while lab.app.feed.watchers() == 0 {
            tokio::task::yield_now().await;
        }
        let (mut own, _) = lab.app.feed.watch(Some(begin));
        happen.await;
        let mut missing = until.to_vec();
        while !missing.is_empty() {
            let Next::Changes(changes) = own.next().await else { panic!("a gap") };
            missing.retain(|topic| !changes.iter().any(|(_, change)| change.topic == *topic));
        }
        // What is told ends with the engine.
        lab.app.stop.cancel();
    };
    futures_util::future::join(Box::pin(lab.send(request)), Box::pin(end)).await.0
}

async fn begin(lab: &Lab) {
    lab.app.store.commit(begun(RUN, &plan("demo", 3), RunState::Running)).await.unwrap();
    let fact = Fact::Note { text: "begun".into() };
    let events = vec![RunEvent { run: RUN, seq: 9, at: Time(9), fact }];
    lab.app.store.commit(Batch { events: events.clone(), ..Batch::default() }).await.unwrap();
    lab.app.live.publish(&events);
}

#[actix_web::test]
async fn the_lab_is_told_as_it_changes() {
    let lab = Lab::new().await;
    let admin = lab.token(Scope::Admin).await;
    let got = watched(
        &lab,
        "",
        &["resources", "leases", "health", "consoles", "notices"],
        Box::pin(async {
            begin(&lab).await;
            let body = json!({"parent": "/", "name": "tb9", "properties": {"site": "lab2"}});
            lab.with(&admin, Method::PUT, "/resources", Some(body)).await.expect(201);
        }),
    )
    .await
    .expect(200);
    assert_eq!(got.header("content-type"), "text/event-stream");
    let events = events(&got);
    let (_, topic, hello) = &events[0];
    assert_eq!((topic.as_str(), &hello["resumed"]), ("hello", &json!(false)));
    assert!(hello["now"].is_string() && hello["started"].is_string());
    let of = |topic: &str| events.iter().find(|event| event.1 == topic).map(|event| event.2.clone());
    assert_eq!(of("resources").unwrap()["version"], json!(1));
    for list in ["leases", "health", "consoles", "notices"] {
        assert_eq!(of(list), Some(json!([])), "{list}");
    }
}

#[actix_web::test]
async fn who_comes_back_gets_what_changed_since() {
    let lab = Lab::new().await;
    let (watcher, _) = lab.app.feed.watch(None);
    let position = watcher.position().to_string();
    let got = watched(&lab, &position, &["run"], Box::pin(begin(&lab))).await;
    let events = events(&got);
    assert_eq!((&events[0].0, &events[0].2["resumed"]), (&position, &json!(true)));
    let (_, _, run) = events.iter().find(|event| event.1 == "run").unwrap();
    assert_eq!((&run["id"], &run["project"], &run["tests"]), (&json!(1), &json!("demo"), &json!(3)));
}

#[actix_web::test]
async fn a_deed_that_has_begun_is_done_when_its_client_has_gone() {
    let lab = Lab::new().await;
    let admin = lab.token(Scope::Admin).await;
    let body = json!({"parent": "/", "name": "tb9", "properties": {}});
    let deed = Box::pin(lab.with(&admin, Method::PUT, "/resources", Some(body)));
    // Once on its way, and given up: it waits for the store.
    let begun = futures_util::future::select(deed, Box::pin(tokio::task::yield_now())).await;
    assert!(matches!(begun, futures_util::future::Either::Right(_)), "it was answered at once");
    drop(begun);
    lab.app.tasks.close();
    lab.app.tasks.wait().await;
    let tree = lab.get(&admin, "/resources/tree").await.expect(200).text();
    assert!(tree.contains("tb9"), "{tree}");
}

#[actix_web::test]
async fn a_position_is_one_or_is_refused_and_another_lifes_begins_anew() {
    let lab = Lab::new().await;
    let token = lab.token(Scope::Read).await;
    let refused = lab.get(&token, "/live?after=yesterday").await.expect(400);
    assert_eq!(refused.problem(), ErrorCode::BadRequest);
    lab.send(TestRequest::get().uri("/api/v1/live")).await.expect(401);
    let got = watched(&lab, "0.0", &["leases"], Box::pin(async {})).await;
    assert_eq!(events(&got)[0].2["resumed"], json!(false));
}

#[actix_web::test]
async fn lists_beside_the_feed_say_the_same() {
    let lab = Lab::new().await;
    let token = lab.token(Scope::Read).await;
    for list in ["leases", "notices", "questions"] {
        let got: Value = lab.get(&token, &format!("/{list}")).await.expect(200).json();
        assert_eq!(got, json!({"items": []}), "{list}");
    }
}

#[actix_web::test]
async fn who_may_see_only_their_own_runs_is_told_of_those_alone() {
    let lab = Lab::new().await;
    let admin = lab.token(Scope::Admin).await;
    let bob = json!({"name": "bob", "password": "correct horse", "roles": ["RUN_TESTS"]});
    lab.post(&admin, "/users", bob).await.expect(201);
    let log_in = json!({"user": "bob", "password": "correct horse", "token": "x"});
    let got = lab.send(TestRequest::post().uri("/api/v1/login").set_json(log_in)).await.expect(200);
    let bob = got.json::<Value>()["token"].as_str().unwrap().to_owned();
    let request =
        TestRequest::get().uri("/api/v1/live").insert_header(("Authorization", format!("Bearer {bob}")));
    // Ana's run.
    let end = Box::pin(async {
        while lab.app.feed.watchers() == 0 {
            tokio::task::yield_now().await;
        }
        let (mut own, _) = lab.app.feed.watch(None);
        begin(&lab).await;
        loop {
            let Next::Changes(changes) = own.next().await else { panic!("a gap") };
            if changes.iter().any(|(_, change)| change.topic == "run") {
                break;
            }
        }
        lab.app.stop.cancel();
    });
    let got = futures_util::future::join(Box::pin(lab.send(request)), end).await.0.expect(200);
    let topics: Vec<String> = events(&got).into_iter().map(|event| event.1).collect();
    assert_eq!(topics, ["hello"]);
}
