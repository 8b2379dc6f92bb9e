//! Questions of running tests to the engine, and their answers.

use std::collections::BTreeMap;

use jackfield_protocol::{
    error::{ErrorCode, Problem},
    id::AttemptId,
    link::{Ask, Call, CallResult, EpToEngine, SAID_BYTES_MAX},
};
use serde_json::Value;
use tokio::sync::oneshot;

use super::Daemon;
use crate::{
    event::Question,
    limits::{CALLS_MAX, QUESTION_BYTES_MAX},
    report_size::json_bytes,
};

type Answer = oneshot::Sender<Result<Value, Problem>>;

/// The questions that are not answered.
#[derive(Debug, Default)]
pub(super) struct Calls {
    next_id: u64,
    open: BTreeMap<u64, Open>,
}

#[derive(Debug)]
struct Open {
    attempt: AttemptId,
    question: Question,
    answer: Answer,
    /// It was said on the connection that is, so it may have been done when that breaks.
    said: bool,
}

impl Calls {
    /// What to say again on a new connection: all that is open.
    pub(super) fn again(&mut self) -> Vec<EpToEngine> {
        let messages = self.open.iter_mut().map(|(id, open)| {
            open.said = true;
            open.question.message(*id, open.attempt)
        });
        messages.collect()
    }

    /// The connection broke: what changes something and may have been done is not done twice.
    pub(super) fn disconnected(&mut self) {
        let lost: Vec<u64> = self
            .open
            .iter()
            .filter(|(_, open)| open.said && !repeats(&open.question))
            .map(|(id, _)| *id)
            .collect();
        for open in lost.into_iter().filter_map(|id| self.open.remove(&id)) {
            let title = "the connection to the engine broke before it answered; look whether it was done";
            let _ = open.answer.send(Err(Problem::new(ErrorCode::Unavailable, title)));
        }
        self.open.values_mut().for_each(|open| open.said = false);
    }

    pub(super) fn answered(&mut self, id: u64, result: CallResult) {
        if let Some(open) = self.open.remove(&id) {
            let _ = open.answer.send(match result {
                CallResult::Ok(value) => Ok(value),
                CallResult::Error(problem) => Err(problem),
            });
        }
    }

    /// The test that asked is gone.
    pub(super) fn forget(&mut self, attempt: AttemptId) {
        if !self.open.is_empty() {
            self.open.retain(|_, open| open.attempt != attempt);
        }
    }
}

/// How long a call may be, as JSON. A question waits for a person, many of them may, and a person reads no more than this.
fn most(question: &Question) -> usize {
    match question {
        Question::Ask(Ask::Interact(_) | Ask::Breakpoint { .. }) => QUESTION_BYTES_MAX,
        Question::Call(_) => SAID_BYTES_MAX,
    }
}

/// Whether asking twice is as good as asking once.
fn repeats(question: &Question) -> bool {
    let call = match question {
        Question::Ask(Ask::Interact(_) | Ask::Breakpoint { .. }) => return true,
        Question::Call(call) => call,
    };
    match call {
        Call::GetResource { .. }
        | Call::GetSut { .. }
        | Call::GetBinding { .. }
        | Call::GetGlobal { .. }
        | Call::SetGlobal { .. } => true,
        Call::SetResource { .. } | Call::RenameResource { .. } | Call::DeleteResource { .. } => false,
    }
}

impl Daemon {
    /// Asks the engine for a test; while there is no connection the question waits.
    pub(super) fn ask(&mut self, attempt: AttemptId, question: Question, answer: Answer) {
        if self.calls.open.len() >= CALLS_MAX {
            let title = format!("more than {CALLS_MAX} questions wait for the engine");
            let _ = answer.send(Err(Problem::new(ErrorCode::TooMany, title)));
            return;
        }
        let bytes = match &question {
            Question::Call(call) => json_bytes(call),
            Question::Ask(ask) => json_bytes(ask),
        };
        let most = most(&question);
        if bytes > most {
            let most = most >> 10;
            let title = format!(
                "this has {bytes} bytes, and the engine takes {most} KB of it at once; keep it as an artifact, or say it in parts"
            );
            let _ = answer.send(Err(Problem::new(ErrorCode::TooLarge, title)));
            return;
        }
        self.calls.next_id = self.calls.next_id.saturating_add(1);
        let id = self.calls.next_id;
        let said = self.link.control.is_some();
        let message = question.message(id, attempt);
        self.calls.open.insert(id, Open { attempt, question, answer, said });
        self.say(message);
    }
}
