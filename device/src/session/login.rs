//! From a connection to the first prompt: questions answered, a silent console woken, the prompt proven.
//!
//! ```text
//! connected ──▶ [listens] ──a question of the login, nothing behind it──▶ answered ──▶ [listens]
//!                  │  ▲ quiet: woken, where it waits for that
//!                  ├──the same question again──▶ refused: the device's own words are the reason
//!                  └──what looks like a prompt──▶ asked for again with an empty line, and proven as the end of an answer is
//! ```
//!
//! Words in a banner or a message of the day are no questions: a question is a line at which the device waits. A password is sent only to the
//! question that follows the user's name, or where the device has been quiet behind it, and never to a line that says more than the question.

mod asks;
mod text;

use std::{sync::Arc, time::Duration};

use self::asks::Asks;
use super::{
    Session, SessionError,
    answer::{Answering, Step},
    clean,
    habits::Echo,
    known::names_device,
    order::Order,
    stand::End,
};
use crate::{
    clock::Deadline,
    expect::ExpectError,
    limits::{PROMPT_BYTES_MAX, PROMPTS_MAX},
    profile::Kind,
    target::{Connect, Secret},
    totp::Totp,
};

/// Questions of one login; a device that asks on does not let us in.
const QUESTIONS_MAX: u32 = 16;
/// Looks at a silent console before it is nudged: so often it must have been silent in a row.
const LOOKS: u32 = 4;
/// A console that says nothing, or nothing that is known, is nudged after this long, where its profile names no other time.
const NUDGE: Duration = Duration::from_secs(3);
/// Quiet time before a line is taken for a prompt that says little: frames of banners come in pieces.
const BARE_SETTLE: Duration = Duration::from_millis(50);
/// The same where it is not asked for again, since nobody has logged in.
const BARE_UNPROVEN: Duration = Duration::from_secs(1);
/// Quiet time before a question is answered behind a login that SSH has done already.
const AFTER_SSH: Duration = Duration::from_secs(1);
/// Quiet time before a question that comes again is taken for a refusal.
const REFUSAL_SETTLE: Duration = Duration::from_secs(1);
/// Lines of the device's own words in an error.
const WORDS_MAX: usize = 4;

/// Logs in, and makes the device ready as profile and target say.
pub(super) async fn make_ready(session: &mut Session, deadline: Deadline) -> Result<(), SessionError> {
    if !session.target.login {
        return Ok(());
    }
    log_in(session, deadline).await?;
    settle_in(session, deadline).await
}

/// Answers questions until there is a prompt.
pub(super) async fn log_in(session: &mut Session, deadline: Deadline) -> Result<(), SessionError> {
    Login::new(session).run(deadline).await
}

/// From the first prompt to the level that the target names, and through what the profile sets up.
pub(super) async fn settle_in(session: &mut Session, deadline: Deadline) -> Result<(), SessionError> {
    session.come_out_of_config(deadline).await?;
    if let Some(level) = session.target.level.clone() {
        session.go_to_level(&level, deadline).await?;
    }
    let kind = Arc::clone(&session.kind);
    for line in &kind.profile.setup {
        // A device that does not know one of these is used as it is.
        let answer = session.run_order(&Order::new(line.as_str()).that_says_nothing(), deadline).await?;
        session.habits.loses_ahead |= session.refusal_of(line, &answer).is_some();
    }
    if kind.profile.setup.iter().any(|line| line.contains("-echo")) {
        // A shell that was told not to echo.
        session.habits.echo = Echo::Unknown;
    }
    if let Some(window) = session.screen_window() {
        // What made the device ready may have made its lines longer.
        session.set_screen(window).await?;
    }
    Ok(())
}

/// What is done next: something is answered when the device has been quiet for so long.
struct Sight {
    asks: Asks,
    quiet: Duration,
}

/// A login on its way.
struct Login<'s> {
    session: &'s mut Session,
    kind: Arc<Kind>,
    given: Vec<Asks>,
    /// What the device has said since the last answer, until it was answered again.
    words: String,
    last_line: String,
    nudges: usize,
    /// What was typed at a line that was none of its questions: the device may still read it.
    ahead: Vec<Asks>,
}

impl<'s> Login<'s> {
    fn new(session: &'s mut Session) -> Self {
        let kind = Arc::clone(&session.kind);
        let (given, ahead, words, last_line) = (Vec::new(), Vec::new(), String::new(), String::new());
        Self { session, kind, given, words, last_line, nudges: 0, ahead }
    }

    async fn run(mut self, deadline: Deadline) -> Result<(), SessionError> {
        for _ in 0..QUESTIONS_MAX {
            let asks = self.next(deadline).await?;
            if asks == Asks::Prompt {
                return self.prove(deadline).await;
            }
            self.hear();
            self.session.dialogue.took(&self.last_line, &asks.key());
            match asks {
                Asks::User => self.give_user(deadline).await?,
                Asks::Password => self.give_password(deadline).await?,
                Asks::OldPassword => self.give_old_password(deadline).await?,
                Asks::NewPassword => self.give_new_password(deadline).await?,
                Asks::Code => self.give_code(deadline).await?,
                Asks::Question(place) => self.reply(place, deadline).await?,
                Asks::Wake | Asks::Prompt => self.nudge(deadline).await?,
            }
            self.given.push(asks);
        }
        Err(self.failed(format!("it asked {QUESTIONS_MAX} times; see profile `{}`", self.kind.profile.name)))
    }

    fn has_given(&self, asks: Asks) -> bool {
        self.given.contains(&asks)
    }

    /// Whether the channel itself has asked who we are.
    fn is_by_ssh(&self) -> bool {
        matches!(self.session.target.connect, Connect::Ssh(_))
    }

    /// Whether an empty line would be none of the login's answers.
    fn is_let_in(&self) -> bool {
        self.is_by_ssh()
            || self.has_given(Asks::User)
            || self.has_given(Asks::Password)
            || self.ahead.contains(&Asks::Password)
    }

    fn failed(&self, why: String) -> SessionError {
        SessionError::Login { target: self.session.target.connect.to_string(), why }
    }

    /// Takes in what was said before an answer.
    fn hear(&mut self) {
        let pending = self.session.dialogue.take_pending();
        let text = clean::text(&pending, self.kind.profile.encoding);
        let (words, line) = text.rsplit_once('\n').unwrap_or(("", &text));
        self.words = words.to_owned();
        self.last_line = line.trim().to_owned();
    }

    /// The next thing that the device waits for.
    async fn next(&mut self, deadline: Deadline) -> Result<Asks, SessionError> {
        let nudge = self.kind.profile.login.nudge.unwrap_or(NUDGE);
        let nudges = !nudge.is_zero();
        let (mut looks, mut heard) = (0, self.session.heard());
        loop {
            self.take_back();
            let sight = self.sight();
            let quiet = sight
                .as_ref()
                .map_or(if nudges { nudge / LOOKS } else { deadline.left() }, |sight| sight.quiet);
            let dialogue = &mut self.session.dialogue;
            let read = if quiet.is_zero() {
                dialogue.read_what_is_there()
            } else {
                dialogue.read_within(quiet.min(deadline.left())).await
            };
            let has_come = read.map_err(|source| self.failed(source.to_string()))?;
            if self.session.dialogue.has_ended() {
                return Err(self.hung_up(deadline));
            }
            if has_come && !deadline.left().is_zero() {
                continue;
            }
            if let Some(sight) = sight.filter(|_| quiet.is_zero() || !deadline.left().is_zero()) {
                return Ok(sight.asks);
            }
            if deadline.left().is_zero() {
                return Err(self.unseen(deadline));
            }
            // One that talks is left alone: it may be starting, and an empty line would stop its boot loader.
            let now = self.session.heard();
            looks = if now == heard || self.kind.profile.login.nudge_always { looks + 1 } else { 0 };
            heard = now;
            if looks >= LOOKS && deadline.left() > nudge / LOOKS {
                self.nudge(deadline).await?;
                looks = 0;
            }
        }
    }

    /// The end of what it has said, before lines that came unasked at its first prompt.
    fn end(&self) -> End<'_> {
        let pending = self.session.dialogue.pending();
        End::of(self.kind.before_unasked(pending).unwrap_or(pending), self.kind.profile.encoding)
    }

    /// What the device waits for, by the end of what it has said.
    fn sight(&self) -> Option<Sight> {
        let settle = self.session.dialogue.settle();
        let end = self.end();
        let asked = &self.kind.login;
        if let Some(question) = end.question(&asked.questions) {
            let quiet = if question.at_once { Duration::ZERO } else { settle };
            return Some(Sight { asks: Asks::Question(question.place), quiet });
        }
        if end.waits() {
            if let Some(sight) = self.login_question(&end) {
                return Some(sight);
            }
            if end.ends_with(&self.kind.prompt).is_some() {
                let may_ask = self.is_let_in() && self.kind.profile.login.confirm;
                let quiet = if !may_ask && !names_device(end.line.trim()) {
                    // Frames of banners come in pieces, and what is not asked for again is not proven.
                    settle.max(BARE_UNPROVEN)
                } else if !may_ask {
                    settle
                } else if names_device(end.line.trim()) {
                    Duration::ZERO
                } else {
                    settle.min(BARE_SETTLE)
                };
                return Some(Sight { asks: Asks::Prompt, quiet });
            }
        }
        let is_ended = end.line.trim().is_empty();
        if is_ended && !self.kind.profile.login.confirm && end.ends_with(&self.kind.prompt).is_some() {
            // A greeting is all that some protocols have for a prompt, and its line is ended.
            return Some(Sight { asks: Asks::Prompt, quiet: settle.max(BARE_UNPROVEN) });
        }
        let quiet = settle.saturating_mul(3);
        if is_ended && let Some(place) = end.question_above(&asked.questions) {
            return Some(Sight { asks: Asks::Question(place), quiet });
        }
        end.lines_have(&asked.wake).then_some(Sight { asks: Asks::Wake, quiet })
    }

    fn login_question(&self, end: &End<'_>) -> Option<Sight> {
        let asked = &self.kind.login;
        let settle = self.session.dialogue.settle();
        // Where SSH has let us in, lines like these stand in messages of the day; a terminal server that asks again waits.
        let settle = if self.is_by_ssh() { settle.max(AFTER_SSH) } else { settle };
        // A question that comes again is a refusal, or stands in a message of the day, which goes on.
        let settle = if self.has_given(Asks::Password) { settle.max(REFUSAL_SETTLE) } else { settle };
        let settle = if self.ahead.is_empty() { settle } else { settle.max(REFUSAL_SETTLE) };
        let in_turn = self.is_in_turn(end);
        if end.line_has(&asked.new_password) == Some(true) {
            return Some(Sight { asks: Asks::NewPassword, quiet: settle });
        }
        // Some call a password a passcode.
        let may_be_code = self.session.target.totp.is_some() || end.line_has(&asked.password) != Some(true);
        if may_be_code && end.line_has(&asked.code) == Some(true) {
            return Some(Sight { asks: Asks::Code, quiet: settle });
        }
        if end.line_has(&asked.password) == Some(true) {
            let line = end.line.to_ascii_lowercase();
            let is_old = line.contains("old") || line.contains("current");
            if self.is_by_ssh() && !self.has_given(Asks::User) {
                return None;
            }
            let asks =
                if is_old && self.has_given(Asks::Password) { Asks::OldPassword } else { Asks::Password };
            let is_next = in_turn && self.given.last() == Some(&Asks::User);
            let quiet = if is_next { Duration::ZERO } else { settle };
            return Some(Sight { asks, quiet: quiet.max(self.may_read_ahead(asks)) });
        }
        if end.line_has(&asked.user) == Some(true) {
            let is_bare = !end.line.trim().contains(' ');
            let is_first = self.given.is_empty() && !self.is_by_ssh();
            // A nudge that was still on its way is answered by the same question: the name that was given comes behind it.
            let may_be_nudged = self.nudges > 0 && self.given.last() == Some(&Asks::User);
            let quiet = match (is_first && is_bare, may_be_nudged) {
                (true, _) => Duration::ZERO,
                (false, true) => settle.max(REFUSAL_SETTLE),
                (false, false) => settle,
            };
            return Some(Sight { asks: Asks::User, quiet: quiet.max(self.may_read_ahead(Asks::User)) });
        }
        None
    }

    /// Whether nothing came since the last answer but its echo, and this question.
    fn is_in_turn(&self, end: &End<'_>) -> bool {
        let before = self.session.dialogue.pending().get(..end.begin()).unwrap_or_default();
        let text = clean::text(before, self.kind.profile.encoding);
        let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        let user = self.session.target.user.as_deref().unwrap_or_default();
        lines.all(|line| line == user)
    }

    async fn reply(&mut self, place: usize, deadline: Deadline) -> Result<(), SessionError> {
        let question = self.kind.profile.login.questions.get(place);
        let reply =
            question.map(|question| question.reply(&self.kind.profile.line_ending)).unwrap_or_default();
        self.send(reply.as_bytes(), false, deadline).await
    }

    async fn give_user(&mut self, deadline: Deadline) -> Result<(), SessionError> {
        if self.has_given(Asks::User) && self.has_given(Asks::Password) {
            return Err(self.refused());
        }
        let user = self.session.target.user.clone();
        let user =
            user.ok_or_else(|| self.failed("it asks for a user: add `user` to the resource".to_owned()))?;
        self.answer(&user, false, deadline).await
    }

    async fn give_password(&mut self, deadline: Deadline) -> Result<(), SessionError> {
        if self.has_given(Asks::Password) {
            return Err(self.refused());
        }
        let password = self.session.target.password.clone();
        self.give_secret(password, "password", deadline).await
    }

    async fn give_old_password(&mut self, deadline: Deadline) -> Result<(), SessionError> {
        if self.session.target.new_password.is_none() {
            return Err(self.must_be_changed());
        }
        let password = self.session.target.password.clone();
        self.give_secret(password, "password", deadline).await
    }

    fn must_be_changed(&self) -> SessionError {
        let said = self.said().map(|said| format!("{said}; ")).unwrap_or_default();
        self.failed(format!(
            "{said}it wants another password (`{}`): change it on the device, or give the resource `new_password`",
            self.last_line
        ))
    }

    async fn give_new_password(&mut self, deadline: Deadline) -> Result<(), SessionError> {
        let Some(new) = self.session.target.new_password.clone() else {
            return Err(self.must_be_changed());
        };
        self.session.dialogue.mark("the password is changed to `new_password`");
        self.give_secret(Some(new), "new_password", deadline).await
    }

    async fn give_code(&mut self, deadline: Deadline) -> Result<(), SessionError> {
        if self.has_given(Asks::Code) {
            return Err(self.refused());
        }
        let code = self.session.target.totp.as_ref().map(Totp::code);
        let code = code.ok_or_else(|| {
            self.failed(format!(
                "it asks for a one-time code (`{}`): add `totp_secret` to the resource, or its answer to [[login.questions]] of the profile",
                self.last_line
            ))
        })?;
        self.answer(&code, true, deadline).await
    }

    async fn give_secret(
        &mut self,
        secret: Option<Secret>,
        property: &str,
        deadline: Deadline,
    ) -> Result<(), SessionError> {
        let secret = secret.ok_or_else(|| {
            self.failed(format!("it asks for a password: add `{property}` to the resource"))
        })?;
        self.answer(secret.expose_for_device(), true, deadline).await
    }

    async fn answer(&mut self, text: &str, secret: bool, deadline: Deadline) -> Result<(), SessionError> {
        let mut line = self.session.encoded(text)?;
        line.extend_from_slice(self.kind.profile.line_ending.as_bytes());
        self.send(&line, secret, deadline).await
    }

    async fn send(&mut self, bytes: &[u8], secret: bool, deadline: Deadline) -> Result<(), SessionError> {
        let dialogue = &mut self.session.dialogue;
        let sent = if secret {
            dialogue.send_secret(bytes, deadline).await
        } else {
            dialogue.send(bytes, deadline).await
        };
        sent.map_err(|source| self.failed(source.to_string()))
    }

    async fn nudge(&mut self, deadline: Deadline) -> Result<(), SessionError> {
        let profile = &self.kind.profile;
        self.nudges = self.nudges.saturating_add(1);
        let text = profile.login.nudge_text.clone().unwrap_or_else(|| profile.line_ending.clone());
        self.send(text.as_bytes(), false, deadline).await
    }

    /// Asks for the first prompt again, and believes it when it comes; before a login nothing is asked, where an empty line would be a user's name.
    async fn prove(&mut self, deadline: Deadline) -> Result<(), SessionError> {
        let end = self.end();
        if !self.is_let_in() || !self.kind.profile.login.confirm || end.line.trim().is_empty() {
            let line = end.line.clone();
            self.session.dialogue.take_pending();
            self.session
                .dialogue
                .took(&line, "prompt (not asked for again: [login] confirm, or nobody has logged in)");
            self.session.known.learn(&line, PROMPTS_MAX);
            return Ok(());
        }
        let (kind, mut known, order) = (Arc::clone(&self.kind), self.session.known.clone(), Order::default());
        // One that echoes not even line ends shows the next behind it.
        known.learn(
            Some(&*end.line).filter(|line| names_device(line.trim())).unwrap_or_default(),
            PROMPTS_MAX,
        );
        // The prompt that stands here may be that of the first of them.
        let nudges = self.nudges.saturating_sub(1);
        self.session.habits.strays.set(nudges, nudges);
        let expected = self.session.habits.before(&order, &kind.profile, self.session.dialogue.settle());
        let mut answering = Answering::new(&kind, &known, "", &[], expected).at_once();
        let step = self.session.next_step(&mut answering, &order, deadline).await;
        match step {
            Ok(Step::Done(done)) => {
                self.session.dialogue.take_pending();
                self.session.dialogue.took(&done.prompt, done.proof.told());
                self.session.learn("", &done);
                Ok(())
            }
            // A pager or a question of the profile before the first prompt.
            Ok(Step::Page { .. } | Step::Reply { .. } | Step::Read | Step::Quiet(_) | Step::AskAgain) => {
                Err(self.unseen(deadline))
            }
            Err(_) if self.session.dialogue.has_ended() => Err(self.hung_up(deadline)),
            Err(_) => Err(self.unproven(deadline)),
        }
    }

    /// The same question again: what stands before it is the reason.
    fn refused(&self) -> SessionError {
        let said = self.said().unwrap_or_else(|| format!("it asks again `{}`", self.last_line));
        let what =
            if self.has_given(Asks::Code) { "user, password or one-time code" } else { "user or password" };
        self.failed(format!("{what} is wrong: {said}"))
    }

    /// The device's own words since the last answer.
    fn said(&self) -> Option<String> {
        let words = self.words.trim();
        if words.is_empty() {
            return None;
        }
        let told = self.kind.login.failed.find(words.as_bytes()).and_then(|found| {
            let from = words.get(..found.start())?.rfind('\n').map_or(0, |at| at.saturating_add(1));
            words.get(from..)?.lines().next()
        });
        let lines: Vec<&str> = words.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
        let last = lines.get(lines.len().saturating_sub(WORDS_MAX)..).unwrap_or_default().join("; ");
        Some(format!("the device says `{}`", told.map_or(last, |line| line.trim().to_owned())))
    }

    fn hung_up(&mut self, deadline: Deadline) -> SessionError {
        let seen = self.session.dialogue.not_seen("a login or a prompt".to_owned(), deadline);
        let pending = self.session.dialogue.pending().to_vec();
        self.words = clean::text(&pending, self.kind.profile.encoding);
        let is_refusal = self.kind.login.failed.is_match(self.words.as_bytes());
        if is_refusal && self.has_given(Asks::Password) {
            let said = self.said().unwrap_or_default();
            return self.failed(format!("{said}; {seen}"));
        }
        self.failed(seen.to_string())
    }

    /// The time that counts is that of the whole login.
    fn unseen(&mut self, deadline: Deadline) -> SessionError {
        let pending = self.session.dialogue.pending();
        let end = End::of(pending, self.kind.profile.encoding);
        if end.line.len() > PROMPT_BYTES_MAX {
            let (bytes, begin) = (end.line.len(), end.line.chars().take(40).collect::<String>());
            return self.failed(format!(
                "it sends a line that does not end: {bytes} bytes that begin with `{}`",
                begin.trim()
            ));
        }
        let seen: ExpectError = self.session.dialogue.not_seen("a login or a prompt".to_owned(), deadline);
        self.failed(format!("{seen} (is `{}` the right profile?)", self.kind.profile.name))
    }
}
