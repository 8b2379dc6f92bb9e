//! A device that a person has on a console is waited for, as one that answers late would be.

use std::time::Duration;

use jackfield_protocol::{
    error::{ErrorCode, Problem},
    id::AttemptId,
    link::Call,
    resource::Resource,
};
use serde_json::Value;
use tokio::{
    sync::{mpsc, oneshot},
    time::{Instant, sleep},
};

use crate::event::Event;
use crate::limits::HELD_DEVICE_LOOK;

/// What the tree says of a device that is about to be opened; when the time to open is over, the error names who has it.
pub(crate) async fn device(
    events: &mpsc::UnboundedSender<Event>,
    attempt: AttemptId,
    resource: &str,
    timeout: Duration,
) -> Result<Resource, Problem> {
    let deadline = Instant::now() + timeout;
    loop {
        let question = Call::GetResource { query: resource.to_owned(), open: true }.into();
        let (answer, answered) = oneshot::channel();
        let _ = events.send(Event::Question { attempt, question, answer });
        let gone = |_gone| Problem::new(ErrorCode::WrongState, "the test has ended");
        match answered.await.map_err(gone)? {
            Ok(found) => return node(resource, found),
            Err(problem)
                if problem.code == ErrorCode::Held && Instant::now() + HELD_DEVICE_LOOK < deadline =>
            {
                sleep(HELD_DEVICE_LOOK).await;
            }
            Err(problem) => return Err(problem),
        }
    }
}

/// An answer that must be a node of the tree.
pub(crate) fn node(resource: &str, found: Value) -> Result<Resource, Problem> {
    serde_json::from_value(found).map_err(|error| {
        let title =
            format!("`{resource}` is no resource that can be opened; name a node, not one property: {error}");
        Problem::new(ErrorCode::NotFound, title).field("resource")
    })
}

#[cfg(test)]
mod tests {
    use jackfield_protocol::id::{RunId, TestIndex};
    use serde_json::json;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn who_has_a_device_is_waited_for_and_then_named() {
        let held = || Err(Problem::new(ErrorCode::Held, "ana has it"));
        let there = || Ok(json!({"id": "00", "path": "/lab/r1", "meta": {}, "children": [], "version": 1}));
        let attempt = AttemptId { run: RunId(1), test: TestIndex(0), attempt: 1 };
        for (limit, frees_after, expect) in [(5, 3, Ok("/lab/r1")), (2, 3, Err("ana has it"))] {
            let (events, mut inbox) = mpsc::unbounded_channel();
            let engine = async {
                let mut asked = 0;
                while let Some(Event::Question { answer, question, .. }) = inbox.recv().await {
                    let asked_for = Call::GetResource { query: "/lab/r1".to_owned(), open: true };
                    assert_eq!(question, asked_for.into());
                    drop(answer.send(if asked < frees_after { held() } else { there() }));
                    asked += 1;
                }
            };
            let asking = device(&events, attempt, "/lab/r1", Duration::from_secs(limit));
            let found = tokio::select! { found = asking => found, () = engine => panic!("it gave up") };
            let found =
                found.as_ref().map(|node| node.path.as_str()).map_err(|problem| problem.title.as_str());
            assert_eq!(found, expect);
        }
    }
}
