//! What a simulated device asks on the way in, beside user and password, and whether an answer is right: on a console one question after
//! the other, over SSH in rounds (keyboard-interactive).

use std::borrow::Cow;

use jackfield_config::simulated::{LoginAnswer, LoginAsk, ModelLogin};
use russh::server::Auth;

use crate::totp::Totp;

/// Whether an answer is right.
pub(super) fn is_right(ask: &LoginAsk, answer: &str) -> bool {
    match &ask.answer {
        LoginAnswer::Line(line) => answer.trim() == line,
        LoginAnswer::Key => true,
        LoginAnswer::Code(secret) => Totp::parse(secret).is_ok_and(|totp| totp.accepts(answer)),
    }
}

/// A login over SSH by questions, one a round.
#[derive(Debug, Default)]
pub(super) struct Rounds {
    /// Rounds that were answered.
    answered: usize,
}

/// A round.
enum Round<'l> {
    Ask(&'l LoginAsk),
    Password,
    /// Real servers (PAM) say "welcome" with a last round that asks nothing.
    Welcome,
}

impl Rounds {
    /// What is said to an answer; none: the first question is asked. A device without a login lets everyone in.
    pub(super) fn next(&mut self, login: Option<&ModelLogin>, user: &str, answer: Option<&[u8]>) -> Auth {
        let Some(login) = login else { return Auth::Accept };
        let rounds = rounds(login);
        match answer {
            None => self.answered = 0,
            Some(answer) => {
                let answer = String::from_utf8_lossy(answer);
                let is_right = match rounds.get(self.answered) {
                    Some(Round::Ask(ask)) => is_right(ask, &answer),
                    Some(Round::Password) => user == login.user && answer == login.password,
                    Some(Round::Welcome) => return Auth::Accept,
                    None => false,
                };
                if !is_right {
                    return Auth::reject();
                }
                self.answered = self.answered.saturating_add(1);
            }
        }
        match rounds.get(self.answered) {
            Some(Round::Ask(ask)) => question(&ask.text, vec![(Cow::Owned(ask.prompt.clone()), !ask.hidden)]),
            Some(Round::Password) => question("", vec![(Cow::Borrowed("Password: "), false)]),
            Some(Round::Welcome) | None => question("", Vec::new()),
        }
    }
}

fn rounds(login: &ModelLogin) -> Vec<Round<'_>> {
    let asks = |after: bool| login.asks.iter().filter(move |ask| ask.after_password == after).map(Round::Ask);
    asks(false).chain([Round::Password]).chain(asks(true)).chain([Round::Welcome]).collect()
}

fn question(instructions: &str, prompts: Vec<(Cow<'static, str>, bool)>) -> Auth {
    let instructions = Cow::Owned(instructions.to_owned());
    Auth::Partial { name: Cow::Borrowed(""), instructions, prompts: Cow::Owned(prompts) }
}
