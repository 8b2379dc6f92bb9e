//! Logs by line, over HTTP.

use jackfield_protocol::{
    error::{ErrorCode, Problem},
    event::RunState,
    id::{AttemptId, RunId, TestIndex},
    log::Stream,
};
use jackfield_scheduler::effect::AttemptState;
use serde_json::{Value, json};

use super::lab::Lab;
use crate::{auth::Scope, store::tests::fixture::*};

const RUN: RunId = RunId(1);
const ATTEMPT: AttemptId = AttemptId { run: RUN, test: TestIndex(0), attempt: 1 };

/// An attempt that has ended, with this log.
async fn with_log(text: &'static [u8]) -> (Lab, String) {
    let lab = Lab::new().await;
    let token = lab.token(Scope::Read).await;
    lab.app.store.commit(begun(RUN, &plan("demo", 2), RunState::Running)).await.unwrap();
    lab.app.store.commit(attempts([passed(RUN, 0)])).await.unwrap();
    lab.app.logs.write(ATTEMPT, Stream::Cli, 0, text).await.unwrap();
    (lab, token)
}

/// The words of a search.
async fn words(lab: &Lab, token: &str, query: &str) -> Vec<Value> {
    let answer = lab.get(token, &format!("/attempts/1.0.1/logs/cli/search?{query}")).await;
    let text = answer.expect(200).text();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[actix_web::test]
async fn lines_are_fetched_by_their_numbers() {
    let (lab, token) = with_log("one\r\ntw\u{f6}\n\u{1b}[31m<b>\u{202e}\n\u{0}\nlast".as_bytes()).await;
    let lines = |query: &str| {
        let path = format!("/attempts/1.0.1/logs/cli/lines?{query}");
        let (lab, token) = (&lab, token.clone());
        async move { lab.get(&token, &path).await.expect(200).json::<Value>() }
    };
    assert_eq!(
        lines("from=2&count=2").await,
        json!({"size": 28, "lines": 5, "items": [
            {"line": 2, "from": 5, "bytes": 4, "text": "tw\u{f6}"},
            {"line": 3, "from": 10, "bytes": 11, "text": "\u{1b}[31m<b>\u{202e}"},
        ]})
    );
    let numbers = |found: Value| {
        found["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|line| line["line"].as_u64().unwrap())
            .collect::<Vec<_>>()
    };
    assert_eq!(numbers(lines("last=2").await), [4, 5]);
    assert_eq!(numbers(lines("last=99").await), [1, 2, 3, 4, 5]);
    assert_eq!(numbers(lines("").await), [1, 2, 3, 4, 5]);
    assert_eq!(numbers(lines("count=0").await), [0_u64; 0]);
    assert_eq!(numbers(lines("from=6").await), [0_u64; 0]);
    for wrong in ["/attempts/1.7.1/logs/cli/lines", "/attempts/1.0.1/logs/nothing/lines"] {
        assert_eq!(lab.get(&token, wrong).await.problem(), ErrorCode::NotFound, "{wrong}");
    }
    assert_eq!(
        lab.get(&token, "/attempts/1.0.1/logs/cli/lines?from=x").await.problem(),
        ErrorCode::BadRequest
    );
}

#[actix_web::test]
async fn a_line_that_is_cut_ends_with_a_whole_character() {
    let long: &'static str = Box::leak("\u{20ac}".repeat(2_000).into_boxed_str());
    let (lab, token) = with_log(long.as_bytes()).await;
    let found: Value = lab.get(&token, "/attempts/1.0.1/logs/cli/lines").await.expect(200).json();
    let line = &found["items"][0];
    assert_eq!((&line["bytes"], &line["cut"]), (&json!(6_000), &json!(true)));
    assert_eq!(line["text"].as_str().unwrap(), "\u{20ac}".repeat(1_365));
}

#[actix_web::test]
async fn a_search_tells_lines_and_places_as_browsers_count() {
    let (lab, token) =
        with_log("alpha\n\u{1f600} Beta, beta\nno errors\nERROR: x\n## look (line 3)\n".as_bytes()).await;
    assert_eq!(
        words(&lab, &token, "text=beta").await,
        [
            json!({"type": "hit", "line": 2, "from": 6, "text": "\u{1f600} Beta, beta", "ranges": [[3, 7], [9, 13]]}),
            json!({"type": "progress", "searched": 58, "hits": 1}),
            json!({"type": "end", "searched": 58, "hits": 1}),
        ]
    );
    let found = |words: Vec<Value>| words.iter().filter_map(|word| word["line"].as_u64()).collect::<Vec<_>>();
    assert_eq!(found(words(&lab, &token, "text=beta&case=true").await), [2]);
    assert_eq!(found(words(&lab, &token, "pattern=%5E%5Ba-z%5D").await), [1, 3, 4]);
    assert_eq!(found(words(&lab, &token, "pattern=%5E%5Ba-z%5D&case=true").await), [1, 3]);
    assert_eq!(found(words(&lab, &token, "find=errors").await), [4]);
    assert_eq!(found(words(&lab, &token, "find=steps").await), [5]);
    assert_eq!(found(words(&lab, &token, "pattern=.&from=4").await), [4, 5]);
    assert_eq!(
        words(&lab, &token, "pattern=.&from=9").await,
        [
            json!({"type": "progress", "searched": 0, "hits": 0}),
            json!({"type": "end", "searched": 0, "hits": 0})
        ]
    );
    assert_eq!(
        words(&lab, &token, "text=nowhere").await.last(),
        Some(&json!({"type": "end", "searched": 58, "hits": 0}))
    );
}

#[actix_web::test]
async fn a_search_that_makes_no_sense_says_which_part_of_it() {
    let (lab, token) = with_log(b"x\n").await;
    for (query, field, told) in [
        ("", "pattern", "say what to look for: one of `pattern`, `text` and `find`"),
        ("pattern=a&text=b", "pattern", "say what to look for: one of `pattern`, `text` and `find`"),
        ("pattern=", "pattern", "the pattern is empty"),
        ("text=", "text", "the pattern is empty"),
        ("pattern=a%28", "pattern", "unclosed group"),
    ] {
        let got = lab.get(&token, &format!("/attempts/1.0.1/logs/cli/search?{query}")).await;
        let problem: Problem = got.json();
        assert_eq!((problem.code, problem.field.as_deref()), (ErrorCode::BadRequest, Some(field)), "{query}");
        assert!(problem.title.contains(told), "{}", problem.title);
    }
}

#[actix_web::test]
async fn growth_is_told_until_nothing_more_will_come() {
    let (lab, token) = with_log(b"one\ntwo").await;
    let growth = || async { lab.get(&token, "/attempts/1.0.1/logs/cli/growth").await.expect(200).text() };
    assert_eq!(
        growth().await,
        "event: growth\ndata: {\"lines\":2,\"logs\":{\"cli\":7},\"over\":true,\"size\":7}\n\n"
    );
    // While it runs, its log is not over; the engine that goes down ends the answer.
    let mut running = passed(RUN, 0);
    running.state = AttemptState::Started;
    lab.app.store.commit(attempts([running])).await.unwrap();
    lab.app.stop.cancel();
    assert_eq!(
        growth().await,
        "event: growth\ndata: {\"lines\":2,\"logs\":{\"cli\":7},\"over\":false,\"size\":7}\n\n"
    );
}

#[actix_web::test]
async fn lines_say_when_they_came_where_it_is_asked_for() {
    let (lab, token) = with_log(b"one\ntwo\n").await;
    let found: Value = lab.get(&token, "/attempts/1.0.1/logs/cli/lines?times=true").await.expect(200).json();
    let at = found["items"][1]["at"].as_str().unwrap();
    assert!(at.ends_with('Z') && at.contains('T'), "{at}");
    let text = lab.get(&token, "/attempts/1.0.1/logs/cli?timestamps=true").await.expect(200).text();
    assert_eq!(text, format!("{at} one\n{at} two\n"));
    let rest = lab.get(&token, "/attempts/1.0.1/logs/cli?timestamps=true&from=5").await.expect(200).text();
    assert_eq!(rest, format!("{at} wo\n"));
    let followed = lab.get(&token, "/attempts/1.0.1/logs/cli?timestamps=true&follow=true").await.text();
    assert_eq!(followed, text);
    assert_eq!(lab.get(&token, "/attempts/1.0.1/logs/cli").await.text(), "one\ntwo\n");
}
