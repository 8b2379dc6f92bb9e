//! What a session has learned of how its device answers.

use std::{collections::BTreeSet, time::Duration};

use jackfield_config::profile::Profile;

use super::{
    answer::{Done, Proof},
    order::Order,
};
use crate::limits::PROVEN_COMMANDS_MAX;

/// Whether a device echoes what it is sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Echo {
    /// No command was answered yet.
    #[default]
    Unknown,
    /// Each answer began with it.
    Always,
    /// Not each.
    Not,
}

/// What was learned since the dialogue began.
#[derive(Clone, Debug, Default)]
pub(super) struct Habits {
    pub(super) echo: Echo,
    /// An empty line has brought the prompt again.
    pub(super) has_answered: bool,
    /// An empty line has brought nothing.
    is_mute: bool,
    /// Commands whose answers were proven to end where their prompt stood first.
    proven: BTreeSet<String>,
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
    /// The end of an answer to this command was proven before.
    pub(super) is_proven: bool,
    /// The command is not expected to say anything.
    pub(super) is_silent: bool,
}

impl Habits {
    /// What counts for a command that is about to be given.
    pub(super) fn before(&self, order: &Order, profile: &Profile, settle: Duration) -> Expected {
        Expected {
            may_ask: self.may_ask(profile),
            has_answered: self.has_answered,
            // Who draws its prompt into its answers draws over its echo, too.
            echo: if profile.answer_end.is_some() { Echo::Unknown } else { self.echo },
            settle,
            is_proven: self.proven.contains(&order.line),
            is_silent: order.is_silent,
        }
    }

    /// Whether the prompt can be asked for with an empty line.
    pub(super) fn may_ask(&self, profile: &Profile) -> bool {
        profile.login.confirm && profile.answer_end.is_none() && !self.is_mute
    }

    /// Takes in what an answer has shown.
    pub(super) fn learn(&mut self, command: &str, done: &Done) {
        if !command.trim().is_empty() {
            self.echo = match (self.echo, done.is_echoed) {
                (Echo::Unknown | Echo::Always, true) => Echo::Always,
                (Echo::Unknown | Echo::Always, false) | (Echo::Not, _) => Echo::Not,
            };
        }
        match done.proof {
            Proof::Again { at_first } => {
                self.has_answered = true;
                if at_first && done.is_echoed {
                    if self.proven.len() >= PROVEN_COMMANDS_MAX {
                        self.proven.clear();
                    }
                    self.proven.insert(command.to_owned());
                } else {
                    self.proven.remove(command);
                }
            }
            Proof::Mute => self.is_mute = true,
            Proof::Looks => {}
        }
    }
}
