//! Commands and their answers.

use std::{collections::BTreeSet, sync::Arc};

use super::{
    Session, SessionError,
    answer::{Answering, Done, Proof, Step},
    calm::Calm,
    clean,
    habits::{Echo, Expected},
    known::names_something,
    order::Order,
    parts::Parts,
    stand::End,
    stream::{STREAM_READ_BYTES_MAX, Stream},
};
use crate::{
    clock::Deadline,
    expect::ExpectError,
    limits::{PAGES_MAX, PROMPTS_MAX, QUESTIONS_MAX},
    profile::Asks,
};

/// Why the end of an answer is not certain before a prompt of several lines that its profile does not describe.
const OPEN_ABOVE: &str = "the line above its prompt is another one each time, and cannot be told from the end of the answer: \
                          describe the whole prompt in `prompt` of `profile_settings`";

/// A command that was given.
struct Given<'o> {
    order: &'o Order,
    asked: &'o [Asks],
    habits: Expected,
}

impl Session {
    pub(super) async fn run_command(
        &mut self,
        command: &str,
        deadline: Deadline,
    ) -> Result<String, SessionError> {
        self.run_order(&Order::new(command), deadline).await
    }

    /// Gives a command and returns its answer.
    pub(super) async fn run_order(
        &mut self,
        order: &Order,
        deadline: Deadline,
    ) -> Result<String, SessionError> {
        order.check()?;
        if let Some(answer) = self.run_help(order, deadline).await? {
            return Ok(answer);
        }
        let (answer, done) = self.send_and_await(order, deadline, None).await?;
        let answer = self.whole_answer(answer, &order.line, deadline).await?;
        self.check_end(&answer, order, &done)?;
        let answer = self.shown(answer, order, &done);
        // One that turned a page, or was sent where a text paused, brought no prompt: another one was sent.
        let may_have_turned = done.is_ahead || done.empty_lines > 1;
        if may_have_turned && self.kind.shows_pager(&answer) {
            // The pager that no profile of this kind expects, or a text: next time it is seen.
            self.habits.loses_ahead = true;
            return Err(order.uncertain(
                "its answer has a line that looks like a pager's, which the empty line that asks for the prompt may have turned: give it again",
            ));
        }
        Ok(answer)
    }

    /// Sends a command; its answer is all that comes up to its prompt, without its echo, where it had one; but for what went into the file
    /// meanwhile.
    pub(super) async fn send_and_await(
        &mut self,
        order: &Order,
        deadline: Deadline,
        stream: Option<&mut Stream>,
    ) -> Result<(Vec<u8>, Done), SessionError> {
        let asked = order.asked()?;
        self.await_late_ends(&order.line, deadline).await?;
        self.get_in_step(&order.line, deadline).await?;
        let ending = self.kind.profile.line_ending.clone();
        let mut line = self.encoded(&order.line.replace('\n', &ending))?;
        line.extend_from_slice(ending.as_bytes());
        let settle = self.dialogue.settle();
        let habits = match &stream {
            // What is in a file is not looked at again: nothing may have turned its pages.
            Some(_) => self.habits.before(order, &self.kind.profile, settle),
            None => self.habits.before_command(order, &self.kind, settle),
        };
        if habits.is_ahead {
            line.extend_from_slice(ending.as_bytes());
        }
        self.habits.loses_ahead |= self.kind.undoes_setup(&order.line);
        let sent = self.dialogue.send(&line, deadline).await;
        sent.map_err(|source| order.failed(source))?;
        let given = Given { order, asked: &asked, habits };
        match self.await_answer(&given, deadline, stream).await {
            Ok((answer, done)) => {
                self.dialogue.took(&done.prompt, done.proof.told());
                self.learn(&order.line, &done);
                Ok((answer, done))
            }
            Err(error) => {
                self.unanswered.add(&order.line, &error);
                Err(error)
            }
        }
    }

    /// Whether a line was logged at a prompt that may have been the end of an answer: behind a line that was not ended, or where what is logged is
    /// what was asked for.
    fn is_logged_behind(&self, answer: &[u8], order: &Order) -> bool {
        let prompt = self.known.last();
        if !names_something(prompt) {
            return false;
        }
        if order.keep_unasked || self.kind.asks_for_logs(&order.line) {
            let mut lines = answer.split(|byte| *byte == b'\n');
            return lines.any(|line| {
                line.strip_prefix(prompt.as_bytes()).is_some_and(|rest| self.kind.is_unasked(rest))
            });
        }
        let before = self.kind.before_unasked(answer).unwrap_or_default();
        let line = End::of(before, self.kind.profile.encoding).line;
        line.trim() != prompt.trim() && line.trim_end().ends_with(prompt.trim_end())
    }

    /// An error where the end of an answer is not certain for that.
    pub(super) fn check_end(&self, answer: &[u8], order: &Order, done: &Done) -> Result<(), SessionError> {
        if done.is_open_above {
            return Err(order.uncertain(OPEN_ABOVE));
        }
        let why = "something was logged behind what may be the prompt, which cannot be told from the end of its answer: give it again";
        if self.is_logged_behind(answer, order) { Err(order.uncertain(why)) } else { Ok(()) }
    }

    /// An answer as people see it.
    fn shown(&mut self, answer: Vec<u8>, order: &Order, done: &Done) -> String {
        let went_on = self.kind.went_on(&answer);
        let mut answer = self.cleaned(answer, order);
        if went_on {
            // The prompt behind which it went on is no part of it.
            let lines = answer.lines().filter(|line| !self.known.has(line));
            answer = lines.collect::<Vec<_>>().join("\n");
        }
        self.take_beginning_off(&mut answer, done.is_echoed);
        self.take_end_off(&mut answer, done.proof);
        answer
    }

    /// Whole lines of an answer as a terminal shows them, without what came unasked.
    pub(super) fn cleaned(&mut self, lines: Vec<u8>, order: &Order) -> String {
        let kind = Arc::clone(&self.kind);
        let mut lines = kind.without_redrawn(lines);
        if !order.keep_unasked && !kind.asks_for_logs(&order.line) {
            let lifted;
            (lines, lifted) = kind.without_unasked(lines);
            if !lifted.is_empty() {
                self.dialogue
                    .took(&clean::text(&lifted, kind.profile.encoding), "unasked: lifted out of the answer");
            }
            self.unasked.add(&lifted);
        }
        clean::text(&lines, kind.profile.encoding)
    }

    /// Takes in what an answer has shown of the device.
    pub(super) fn learn(&mut self, command: &str, done: &Done) {
        self.known.learn(&done.prompt, PROMPTS_MAX);
        if matches!(done.proof, Proof::Again { .. }) {
            self.known.learn_above(&done.above);
        }
        self.habits.learn(command, done);
    }

    fn is_of_prompt(&self, line: &str) -> bool {
        self.known.has(line) || self.known.is_above(line)
    }

    /// Takes off what stands before an answer and is none of it.
    pub(super) fn take_beginning_off(&self, answer: &mut String, is_echoed: bool) {
        if !is_echoed {
            // Without its echo nothing says where an answer begins: a prompt that was drawn again before it is none of it.
            let begins = answer.split_inclusive('\n').take_while(|line| {
                line.trim().is_empty() || (line.ends_with('\n') && self.is_of_prompt(line))
            });
            let begin: usize = begins.map(str::len).sum();
            answer.drain(..begin);
            // On a shell that echoes nothing it stands before the first line.
            let last = self.known.last();
            let names = names_something(last);
            while names && answer.starts_with(last) {
                answer.drain(..last.len());
            }
        }
        let blank = answer.len().saturating_sub(answer.trim_start_matches('\n').len());
        if blank > 0 {
            answer.drain(..blank);
        }
    }

    /// Takes off what stands behind an answer and is none of it: blanks, and a prompt that was drawn more often than it was asked for.
    pub(super) fn take_end_off(&self, answer: &mut String, proof: Proof) {
        let is_proven = !matches!(proof, Proof::Again { at_first: false });
        answer.truncate(answer.trim_end_matches([' ', '\n']).len());
        while let Some(rest) = self.known.before_last(answer, is_proven) {
            answer.truncate(rest);
        }
    }

    /// Everything up to the next prompt, pages joined, questions answered.
    async fn await_answer(
        &mut self,
        given: &Given<'_>,
        deadline: Deadline,
        mut stream: Option<&mut Stream>,
    ) -> Result<(Vec<u8>, Done), SessionError> {
        let mut parts = Parts::default();
        let done = self.collect(given, deadline, stream.as_deref_mut(), &mut parts).await;
        match (done, stream) {
            (Ok(done), _) => Ok((parts.into_bytes(), done)),
            (Err(error), None) => Err(error),
            (Err(error), Some(stream)) => {
                stream.keep(parts.into_bytes());
                Err(error)
            }
        }
    }

    /// Collects the parts of an answer, up to its end.
    async fn collect(
        &mut self,
        given: &Given<'_>,
        deadline: Deadline,
        mut stream: Option<&mut Stream>,
        parts: &mut Parts,
    ) -> Result<Done, SessionError> {
        let Given { order, asked, habits } = *given;
        let (kind, known) = (Arc::clone(&self.kind), self.known.clone());
        let mut answering = Answering::new(&kind, &known, &order.line, asked, habits);
        let mut given = BTreeSet::new();
        let mut questions = 0_usize;
        loop {
            let step = match &mut stream {
                Some(stream) => {
                    self.next_step_of(&mut answering, order, deadline, Some((stream, parts))).await
                }
                None => self.next_step(&mut answering, order, deadline).await,
            };
            let step =
                step.inspect_err(|_| self.habits.strays.set(answering.strays(), answering.strays()))?;
            self.habits.loses_ahead |= answering.has_lost_ahead() || matches!(step, Step::Page { .. });
            let (begin, text) = (answering.begin(), answering.text_begin());
            self.unasked.add(self.dialogue.pending().get(..begin).unwrap_or_default());
            let echo = self.dialogue.pending().get(begin..text).unwrap_or_default();
            self.unasked.add(&kind.lifted_from_echo(echo));
            match step {
                Step::Page { begin, after_last } => {
                    let page = clean::text(
                        self.dialogue.pending().get(begin..).unwrap_or_default(),
                        kind.profile.encoding,
                    );
                    self.dialogue.took(&page, if after_last { "[pager] end" } else { "[pager] more" });
                    let page = self.dialogue.take_pending();
                    match kind.pager.as_ref().filter(|_| habits.is_ahead || answering.empty_lines() > 0) {
                        Some(pager) => parts.turn_all(page, text, begin, pager),
                        None => parts.turn(page, text, begin),
                    }
                    self.turn_page(order, after_last, parts.pages, deadline).await?;
                }
                Step::Reply { place, line } => {
                    self.dialogue.took(&line, "a question: [[questions]], or one that this command may ask");
                    parts.add(self.dialogue.take_pending(), text);
                    // A device that asks the same again has not taken the secret: it is given once, or the device may shut the door.
                    let is_new = given.insert((place, line.clone()));
                    questions = questions.saturating_add(1);
                    if questions > QUESTIONS_MAX || (!is_new && self.is_given_once(order, place, &line)) {
                        return Err(order.refused(&line));
                    }
                    self.reply(order, place, &line, deadline).await?;
                }
                Step::Done(done) => {
                    let mut bytes = self.dialogue.take_pending();
                    let behind = bytes.split_off(done.end.min(bytes.len()));
                    self.unasked.add(&kind.without_unasked(behind).1);
                    if done.is_echoed {
                        self.dialogue.took(&order.line, "the echo of the command");
                    }
                    parts.add(bytes, done.text);
                    return Ok(done);
                }
                Step::Read | Step::Quiet(_) | Step::AskAgain => {}
            }
            answering.goes_on();
        }
    }

    /// Reads until something is to be done that takes what has come.
    pub(super) async fn next_step(
        &mut self,
        answering: &mut Answering<'_>,
        order: &Order,
        deadline: Deadline,
    ) -> Result<Step, SessionError> {
        self.next_step_of(answering, order, deadline, None).await
    }

    /// The same for an answer that goes into a file as it comes.
    async fn next_step_of(
        &mut self,
        answering: &mut Answering<'_>,
        order: &Order,
        deadline: Deadline,
        mut stream: Option<(&mut Stream, &mut Parts)>,
    ) -> Result<Step, SessionError> {
        let failed = |source| order.failed(source);
        let most = if stream.is_some() { STREAM_READ_BYTES_MAX } else { usize::MAX };
        let mut calm = Calm::default();
        loop {
            if let Some((stream, parts)) = &mut stream {
                self.let_go(stream, parts, answering, order).await?;
            }
            if self.dialogue.was_cut() {
                return Err(SessionError::TooLarge { command: order.line.clone() });
            }
            let mut step = answering.look(self.dialogue.pending());
            loop {
                let read = match step {
                    Step::Read => self.dialogue.read_within(deadline.left()).await,
                    Step::Quiet(quiet) if quiet.is_zero() => {
                        // Nobody looks how long this stands there: a quiet before something else counts for nothing.
                        calm.broken();
                        self.dialogue.read_at_most(most)
                    }
                    Step::Quiet(quiet) => {
                        let lasted = calm.lasted(&self.kind, self.dialogue.pending());
                        if self.learns_of_none_drawn(&calm, answering) {
                            break;
                        }
                        let rest = quiet.saturating_sub(lasted);
                        self.dialogue.read_within(rest.min(deadline.left())).await
                    }
                    Step::AskAgain => {
                        calm.broken();
                        let line = self.kind.profile.line_ending.clone();
                        self.dialogue.send(line.as_bytes(), deadline).await.map_err(failed)?;
                        step = answering.asked(self.dialogue.pending());
                        continue;
                    }
                    Step::Page { .. } | Step::Reply { .. } | Step::Done(_) => return Ok(step),
                };
                let has_come = read.map_err(failed)?;
                if self.dialogue.has_ended() {
                    let last = answering.at_the_end(self.dialogue.pending());
                    return last.ok_or_else(|| self.not_answered(order, answering, deadline));
                }
                if has_come && !deadline.left().is_zero() {
                    break;
                }
                if matches!(step, Step::Read) || deadline.left().is_zero() {
                    return Err(self.not_answered(order, answering, deadline));
                }
                if self.learns_of_none_drawn(&calm, answering) {
                    break;
                }
                step = answering.quiet();
            }
        }
    }

    /// Whether it was just seen that the device draws no prompt behind lines that come unasked.
    fn learns_of_none_drawn(&mut self, calm: &Calm, answering: &mut Answering<'_>) -> bool {
        let is_new = self.habits.draws_again && calm.has_drawn_none();
        if is_new {
            self.habits.draws_none_again();
            answering.draws_none_again();
        }
        is_new
    }

    /// Why there is no answer.
    fn not_answered(&self, order: &Order, answering: &Answering<'_>, deadline: Deadline) -> SessionError {
        let source = self.dialogue.not_seen(format!("the prompt `{}`", self.prompt()), deadline);
        if !matches!(source, ExpectError::Timeout { .. }) || !answering.has_candidate() {
            return order.failed(source);
        }
        let always_echoes = self.habits.echo == Echo::Always && !answering.is_echoed();
        let why = if always_echoes {
            "a prompt came, but not the echo of the command, which this device has sent before each answer"
        } else if answering.has_none_of_its_own(self.dialogue.pending()) {
            "a prompt came, but none that the command alone can have brought: this device echoes nothing, so whether it has read it is not known"
        } else {
            "what looks like its prompt came, but did not come again when it was asked for"
        };
        order.uncertain(format!("{why} ({:.1?}); {}", deadline.span(), self.dialogue.seen()))
    }

    async fn turn_page(
        &mut self,
        order: &Order,
        after_last: bool,
        pages: u32,
        deadline: Deadline,
    ) -> Result<(), SessionError> {
        let profile = &self.kind.profile;
        if pages > PAGES_MAX {
            let what = format!("end of pages after {PAGES_MAX}");
            return Err(SessionError::Unsupported { profile: profile.name.clone(), what });
        }
        let key =
            profile.pager.as_ref().map(|pager| if after_last { &pager.end_answer } else { &pager.answer });
        let key = key.cloned().unwrap_or_default();
        self.dialogue.send(key.as_bytes(), deadline).await.map_err(|source| order.failed(source))
    }

    /// Answers a question as the one who gave the command says, or the profile.
    async fn reply(
        &mut self,
        order: &Order,
        place: usize,
        question: &str,
        deadline: Deadline,
    ) -> Result<(), SessionError> {
        let kind = Arc::clone(&self.kind);
        let ending = &kind.profile.line_ending;
        let sent = match order.reply(place, question) {
            Some((reply, is_secret)) => {
                let mut text =
                    if is_secret { self.encoded_secret(reply.text())? } else { self.encoded(reply.text())? };
                text.extend_from_slice(if reply.enter { ending.as_bytes() } else { &[] });
                if is_secret {
                    self.dialogue.send_secret(&text, deadline).await
                } else {
                    self.dialogue.send(&text, deadline).await
                }
            }
            None => {
                let question = kind.profile.questions.get(place.saturating_sub(order.replies.len()));
                let reply = question.map(|question| question.reply(ending)).unwrap_or_default();
                self.dialogue.send(reply.as_bytes(), deadline).await
            }
        };
        sent.map_err(|source| order.failed(source))
    }

    /// Whether an answer to a question is one that is given once.
    fn is_given_once(&self, order: &Order, place: usize, question: &str) -> bool {
        let asks_password = || self.kind.login.password.is_match(question.as_bytes());
        order.reply(place, question).is_some_and(|(reply, _)| reply.is_secret || asks_password())
    }

    /// A text in the letters of the device.
    pub(super) fn encoded(&self, text: &str) -> Result<Vec<u8>, SessionError> {
        let encoding = self.kind.profile.encoding;
        let bytes = encoding.bytes(text).map(std::borrow::Cow::into_owned);
        bytes.ok_or_else(|| SessionError::Letters { text: text.to_owned(), encoding: encoding.name() })
    }
}
