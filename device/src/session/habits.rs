//! What a session has learned of how its device answers.

use std::time::Duration;

use jackfield_config::profile::Profile;

use super::{
    answer::{Done, Proof},
    order::Order,
    strays::Strays,
};
use crate::profile::Kind;

/// Whether a device echoes what it is sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Echo {
    /// No command was answered yet.
    #[default]
    Unknown,
    /// Each answer began with it.
    Always,
    /// Not the last one.
    Not,
}

/// What was learned since the dialogue began.
#[derive(Clone, Debug)]
pub(super) struct Habits {
    pub(super) echo: Echo,
    /// An empty line has brought the prompt again.
    pub(super) has_answered: bool,
    /// An empty line has brought nothing.
    is_mute: bool,
    /// Prompts that may still come for empty lines.
    pub(super) strays: Strays,
    /// An empty line that was sent with a command was lost, or something else took it; or may be.
    pub(super) loses_ahead: bool,
    /// It may draw its prompt again behind lines that come unasked.
    pub(super) draws_again: bool,
    /// Lines that it shows above its prompt, and its profile does not describe.
    above: usize,
}

impl Default for Habits {
    fn default() -> Self {
        let (echo, strays) = (Echo::default(), Strays::default());
        Self {
            echo,
            has_answered: false,
            is_mute: false,
            strays,
            loses_ahead: false,
            draws_again: true,
            above: 0,
        }
    }
}

/// What counts for one command.
#[derive(Clone, Copy, Debug)]
pub(super) struct Expected {
    /// An empty line brings the prompt again, and does nothing else.
    pub(super) may_ask: bool,
    /// It was seen to.
    pub(super) has_answered: bool,
    pub(super) echo: Echo,
    pub(super) settle: Duration,
    /// The command is not expected to say anything.
    pub(super) is_silent: bool,
    /// Prompts that may come before it is answered, for empty lines that were sent before.
    pub(super) strays: usize,
    /// The same where no prompt is drawn again behind lines that come unasked.
    pub(super) strays_at_least: usize,
    /// The empty line that brings the prompt again is sent with the command.
    pub(super) is_ahead: bool,
    /// It may draw its prompt again behind lines that come unasked.
    pub(super) draws_again: bool,
    /// Lines that it shows above its prompt, and its profile does not describe.
    pub(super) above: usize,
}

impl Habits {
    /// What counts for a command that is about to be given.
    pub(super) fn before(&mut self, order: &Order, profile: &Profile, settle: Duration) -> Expected {
        Expected {
            may_ask: self.may_ask(profile),
            has_answered: self.has_answered,
            // Who draws its prompt into its answers draws over its echo, too.
            echo: if profile.answer_end.is_some() { Echo::Unknown } else { self.echo },
            settle,
            is_silent: order.is_silent,
            strays: self.strays.most(),
            strays_at_least: self.strays.least(),
            is_ahead: false,
            draws_again: self.draws_again,
            above: self.above,
        }
    }

    /// The same for a command that is given, and may ask nothing: there the empty line needs no turn of its own, where the device was seen to
    /// answer one, and to echo.
    pub(super) fn before_command(&mut self, order: &Order, kind: &Kind, settle: Duration) -> Expected {
        let expected = self.before(order, &kind.profile, settle);
        let is_ahead = expected.may_ask
            && expected.has_answered
            && expected.echo == Echo::Always
            && expected.strays == 0
            && !self.loses_ahead
            // The first of two prompts with lines above them is looked for where one was asked for alone.
            && self.above == 0
            && !order.is_item
            && order.replies.is_empty()
            && (kind.pager.is_none() || !kind.profile.setup.is_empty())
            && kind.profile.goes_on.is_empty()
            && !kind.profile.prompt_before_answer
            && kind.is_plain(&order.line);
        Expected { is_ahead, ..expected }
    }

    /// Whether the prompt can be asked for with an empty line.
    pub(super) fn may_ask(&self, profile: &Profile) -> bool {
        profile.login.confirm && profile.answer_end.is_none() && !self.is_mute
    }

    /// The device draws no prompt again behind lines that come unasked: none of those that stood there was.
    pub(super) fn draws_none_again(&mut self) {
        self.draws_again = false;
        self.strays.were_all_drawn();
    }

    /// Takes in what an answer has shown.
    pub(super) fn learn(&mut self, command: &str, done: &Done) {
        self.strays.set(done.strays, done.strays_at_least);
        if !command.trim().is_empty() {
            self.echo = match (self.echo, done.is_echoed) {
                (Echo::Unknown | Echo::Always, true) => Echo::Always,
                (Echo::Unknown | Echo::Always | Echo::Not, false) => Echo::Not,
                // One echo that was lost says little of the others.
                (Echo::Not, true) => Echo::Unknown,
            };
        }
        match done.proof {
            Proof::Again { .. } => {
                self.has_answered = true;
                self.above = done.above.len();
            }
            Proof::Mute => self.is_mute = true,
            Proof::Looks => {}
        }
    }
}
