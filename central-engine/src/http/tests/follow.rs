//! Several feeds in one answer.

use jackfield_protocol::{
    error::ErrorCode,
    event::{Fact, RunEvent, RunState},
    id::{AttemptId, RunId, TestIndex},
    log::Stream,
    time::Time,
};
use serde_json::{Value, json};

use super::lab::Lab;
use crate::{
    auth::Scope,
    limits,
    store::{Batch, tests::fixture::*},
};

const RUN: RunId = RunId(1);

/// The events of an answer: topic and data.
fn events(text: &str) -> Vec<(String, Value)> {
    let blocks = text.split("\n\n").filter(|block| block.contains("event: "));
    blocks
        .map(|block| {
            let field =
                |name: &str| block.lines().find_map(|line| line.strip_prefix(name)).unwrap().to_owned();
            (field("event: "), serde_json::from_str(&field("data: ")).unwrap())
        })
        .collect()
}

/// A lab with a run that has ended, and a log of it.
async fn ended() -> (Lab, String) {
    let lab = Lab::new().await;
    let token = lab.token(Scope::Read).await;
    let attempt = AttemptId { run: RUN, test: TestIndex(0), attempt: 1 };
    lab.app.store.commit(begun(RUN, &plan("demo", 2), RunState::Completed)).await.unwrap();
    lab.app.store.commit(attempts([passed(RUN, 0)])).await.unwrap();
    lab.app.logs.write(attempt, Stream::Cli, 0, b"one\ntwo\n").await.unwrap();
    let fact = Fact::Ended { state: RunState::Completed, counts: Default::default() };
    let events = vec![RunEvent { run: RUN, seq: 2, at: Time(9), fact }];
    lab.app.store.commit(Batch { events, ..Batch::default() }).await.unwrap();
    (lab, token)
}

#[actix_web::test]
async fn runs_and_logs_are_told_in_one_answer_each_to_its_end() {
    let (lab, token) = ended().await;
    let got = lab.get(&token, "/follow?runs=1:0,7:0&logs=1.0.1:cli,1.0.1:nothing").await.expect(200);
    assert_eq!(got.header("content-type"), "text/event-stream");
    let told = events(&got.text());
    let of = |topic: &str| told.iter().rfind(|event| event.0 == topic).map(|event| event.1.clone());
    assert_eq!(of("run/1/run").unwrap()["fact"], json!("ended"));
    assert_eq!(of("run/1/over"), Some(json!({})));
    assert_eq!(of("run/7/refused").unwrap()["code"], json!("not_found"));
    assert_eq!(of("log/1.0.1/cli/growth").unwrap()["lines"], json!(2));
    assert_eq!(of("log/1.0.1/nothing/refused").unwrap()["code"], json!("not_found"));
}

#[actix_web::test]
async fn the_lab_is_followed_with_the_rest() {
    let (lab, token) = ended().await;
    let end = async {
        while lab.app.feed.watchers() == 0 {
            tokio::task::yield_now().await;
        }
        lab.app.stop.cancel();
    };
    let got = futures_util::future::join(lab.get(&token, "/follow?lab="), end).await.0.expect(200);
    let told = events(&got.text());
    assert_eq!((told[0].0.as_str(), &told[0].1["resumed"]), ("lab/hello", &json!(false)));
    // The engine goes down: that is no end of what was followed.
    assert!(told.iter().all(|event| !event.0.ends_with("/over")), "{told:?}");
}

#[actix_web::test]
async fn what_makes_no_sense_is_refused_with_its_place() {
    let (lab, token) = ended().await;
    for (query, field, told) in [
        ("runs=one:1", "runs", "`one:1` cannot be followed; write it like `8:120`"),
        ("runs=1", "runs", "`1` cannot be followed"),
        ("logs=1.0:cli", "logs", "write it like `8.0.1:cli`"),
        ("lab=yesterday", "lab", ""),
    ] {
        let got = lab.get(&token, &format!("/follow?{query}")).await.expect(400);
        assert_eq!(got.problem(), ErrorCode::BadRequest);
        let problem: Value = got.json();
        assert_eq!(problem["field"], json!(field), "{query}");
        assert!(problem["title"].as_str().unwrap().contains(told), "{problem}");
    }
    let many = vec!["1:0"; limits::FOLLOWED_MAX + 1].join(",");
    let got = lab.get(&token, &format!("/follow?runs={many}")).await.expect(400);
    assert!(got.text().contains("100 runs and logs"), "{}", got.text());
}

#[actix_web::test]
async fn others_runs_are_not_there_for_who_may_not_see_them() {
    let (lab, _) = ended().await;
    let admin = lab.token(Scope::Admin).await;
    let bob = json!({"name": "bob", "password": "correct horse", "roles": ["RUN_TESTS"]});
    lab.post(&admin, "/users", bob).await.expect(201);
    let log_in = json!({"user": "bob", "password": "correct horse", "token": "x"});
    let bob: Value = lab.post("", "/login", log_in).await.expect(200).json();
    let got = lab.get(bob["token"].as_str().unwrap(), "/follow?runs=1:0&logs=1.0.1:cli").await.expect(200);
    let topics: Vec<String> = events(&got.text()).into_iter().map(|event| event.0).collect();
    assert_eq!(topics, ["run/1/refused", "log/1.0.1/cli/refused"]);
}
