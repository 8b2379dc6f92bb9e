//! What running tests have asked people, until it is answered or its time is over.
//!
//! A question's number is that of the event that announced it, so it is unique in its run for good.

use std::collections::BTreeMap;

use jackfield_protocol::{
    error::{ErrorCode, Problem},
    event::{Fact, RunEvent},
    id::{AttemptId, EpName, Epoch, RunId, UserName},
    link::{Ask, CallResult, EngineToEp, Interact, InteractKind},
    time::Time,
};
use serde_json::Value;

/// A test's question or breakpoint, as it came over a link.
#[derive(Debug)]
pub(crate) struct Asked {
    /// Where the answer goes.
    pub(crate) ep: EpName,
    /// The connection it came over.
    pub(crate) epoch: Epoch,
    /// The call to answer.
    pub(crate) call: u64,
    /// Who asks.
    pub(crate) attempt: AttemptId,
    /// What.
    pub(crate) interact: Interact,
}

impl Asked {
    /// A question as an EP passes it on.
    pub(crate) fn new(ep: EpName, epoch: Epoch, call: u64, attempt: AttemptId, ask: Ask) -> Self {
        let interact = match ask {
            Ask::Interact(interact) => interact,
            Ask::Breakpoint { locals } => Interact {
                kind: InteractKind::Message,
                message: format!("breakpoint; local variables:\n{locals}"),
                options: Vec::new(),
                default: Value::Null,
                timeout_millis: 0,
            },
        };
        Self { ep, epoch, call, attempt, interact }
    }
}

/// A question with its number, and when its time is over (never, for a breakpoint).
#[derive(Debug)]
struct Pending {
    asked: Asked,
    until: Option<Time>,
}

/// An answer on its way: to the EP, and into the run's events.
#[derive(Debug)]
pub(crate) struct Given {
    pub(crate) ep: EpName,
    pub(crate) epoch: Epoch,
    pub(crate) message: EngineToEp,
    pub(crate) run: RunId,
    pub(crate) fact: Fact,
}

/// All open questions.
#[derive(Debug, Default)]
pub(crate) struct Questions {
    open: BTreeMap<(RunId, u64), Pending>,
}

impl Questions {
    /// Keeps a question under the number of the event that announces it.
    pub(crate) fn ask(&mut self, now: Time, question: u64, asked: Asked) {
        let limit = asked.interact.timeout_millis;
        let until = (limit > 0).then(|| now.plus_millis(limit));
        self.open.insert((asked.attempt.run, question), Pending { asked, until });
    }

    /// A person's answer.
    ///
    /// # Errors
    /// There is no such question, or the answer is not one of its options.
    pub(crate) fn answer(
        &mut self,
        run: RunId,
        question: u64,
        answer: Value,
        by: UserName,
    ) -> Result<Given, Problem> {
        let pending = self.open.get(&(run, question)).ok_or_else(|| {
            let title =
                format!("run {run} has no open question {question}; it was answered, or its time is over");
            Problem::new(ErrorCode::NotFound, title)
        })?;
        check(&pending.asked.interact, &answer)?;
        let pending = self.open.remove(&(run, question)).ok_or_else(|| {
            Problem::new(ErrorCode::Internal, "the question went away while it was answered")
        })?;
        Ok(given(run, question, pending, answer, Some(by)))
    }

    /// Questions whose time is over, each with its default as the answer.
    pub(crate) fn expired(&mut self, now: Time) -> Vec<Given> {
        let over: Vec<(RunId, u64)> = self
            .open
            .iter()
            .filter(|(_, pending)| pending.until.is_some_and(|until| until <= now))
            .map(|(key, _)| *key)
            .collect();
        over.into_iter()
            .filter_map(|(run, question)| {
                let pending = self.open.remove(&(run, question))?;
                let default = pending.asked.interact.default.clone();
                Some(given(run, question, pending, default, None))
            })
            .collect()
    }

    /// Forgets what an attempt asked: it has ended.
    pub(crate) fn forget(&mut self, attempt: AttemptId) {
        self.open.retain(|_, pending| pending.asked.attempt != attempt);
    }

    /// Forgets what an EP asked before it connected anew; a test that still runs asks again.
    pub(crate) fn forget_ep(&mut self, ep: &EpName) {
        self.open.retain(|_, pending| pending.asked.ep != *ep);
    }

    /// Forgets what came over a connection that is gone; a test that still runs asks again over the next.
    pub(crate) fn forget_connection(&mut self, ep: &EpName, epoch: Epoch) {
        self.open.retain(|_, pending| pending.asked.ep != *ep || pending.asked.epoch != epoch);
    }

    /// When the next question's time is over.
    pub(crate) fn deadline(&self) -> Option<Time> {
        self.open.values().filter_map(|pending| pending.until).min()
    }
}

/// Whether the answer is of the kind that was asked for.
fn check(interact: &Interact, answer: &Value) -> Result<(), Problem> {
    let refuse = |wanted: String| {
        Err(Problem::new(ErrorCode::BadRequest, format!("the answer {answer} is not {wanted}"))
            .field("answer"))
    };
    match interact.kind {
        InteractKind::Message => Ok(()),
        InteractKind::Input if answer.is_string() => Ok(()),
        InteractKind::Input => refuse("a text".to_owned()),
        InteractKind::Decide if answer.is_boolean() => Ok(()),
        InteractKind::Decide => refuse("true or false".to_owned()),
        InteractKind::Options if interact.options.iter().any(|option| answer == option) => Ok(()),
        InteractKind::Options => refuse(format!("one of: {}", interact.options.join(", "))),
    }
}

fn given(run: RunId, question: u64, pending: Pending, answer: Value, by: Option<UserName>) -> Given {
    let Asked { ep, epoch, call, .. } = pending.asked;
    let message = EngineToEp::Answer { id: call, result: CallResult::Ok(answer.clone()) };
    Given { ep, epoch, message, run, fact: Fact::Answered { question, by, answer } }
}

/// The announcement of a question, for its number.
pub(crate) fn announced(events: &[RunEvent], attempt: AttemptId) -> Option<u64> {
    let announces =
        |event: &&RunEvent| matches!(&event.fact, Fact::Asked { attempt: asked, .. } if *asked == attempt);
    events.iter().rev().find(announces).map(|event| event.seq)
}

#[cfg(test)]
mod tests {
    use jackfield_protocol::id::TestIndex;
    use serde_json::json;

    use super::*;

    fn asked(kind: InteractKind, timeout_millis: u64) -> Asked {
        Asked {
            ep: "EP-1".into(),
            epoch: Epoch(1),
            call: 7,
            attempt: AttemptId { run: RunId(41), test: TestIndex(3), attempt: 1 },
            interact: Interact {
                kind,
                message: "is the LED green?".to_owned(),
                options: vec!["green".to_owned(), "red".to_owned()],
                default: json!("red"),
                timeout_millis,
            },
        }
    }

    #[test]
    fn an_answer_must_fit_its_question() {
        let mut questions = Questions::default();
        questions.ask(Time(0), 5, asked(InteractKind::Options, 0));
        let by = || UserName::from("ana");
        let wrong = questions.answer(RunId(41), 5, json!("blue"), by()).unwrap_err();
        assert_eq!(wrong.title, "the answer \"blue\" is not one of: green, red");
        assert!(questions.answer(RunId(41), 6, json!("green"), by()).is_err());
        let given = questions.answer(RunId(41), 5, json!("green"), by()).unwrap();
        assert!(matches!(given.message, EngineToEp::Answer { id: 7, .. }));
        assert!(questions.answer(RunId(41), 5, json!("green"), by()).is_err(), "only once");
    }

    #[test]
    fn when_nobody_answers_the_default_is_taken() {
        let mut questions = Questions::default();
        questions.ask(Time(0), 5, asked(InteractKind::Options, 1_000));
        assert_eq!(questions.deadline(), Some(Time(1_000)));
        assert!(questions.expired(Time(999)).is_empty());
        let given = questions.expired(Time(1_000));
        assert_eq!(given.len(), 1);
        assert_eq!(given[0].fact, Fact::Answered { question: 5, by: None, answer: json!("red") });
        assert_eq!(questions.deadline(), None);
    }
}
