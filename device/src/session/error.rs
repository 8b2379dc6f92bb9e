//! Why a session did not do what it was asked, and who is to blame.

use std::path::PathBuf;

use crate::{
    expect::{ExpectError, PatternError},
    profile::{KindError, UnknownProfile},
    record::redact::Redactor,
    screen::keys::UnknownKey,
    ssh::SshError,
    transfer::TransferError,
};

/// Why a session did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    /// The device cannot be reached.
    #[error("{target} cannot be reached: {why}")]
    Unreachable {
        /// Where.
        target: String,
        /// Why.
        why: String,
    },
    /// It was reached, but did not let us in.
    #[error("login to {target} failed: {why}")]
    Login {
        /// Where.
        target: String,
        /// Why.
        why: String,
    },
    /// SSH has its own reasons.
    #[error("{target}: {source}")]
    Ssh {
        /// Where.
        target: String,
        /// Why.
        source: SshError,
    },
    /// It did not say what was awaited.
    #[error("{doing}: {source}")]
    Expect {
        /// What was being done.
        doing: String,
        /// What came instead.
        source: ExpectError,
    },
    /// The device refused a line.
    #[error("the device refused `{line}`: {answer}")]
    Refused {
        /// What it refused.
        line: String,
        /// What it said.
        answer: String,
    },
    /// The resource's profile does not exist.
    #[error(transparent)]
    Profile(#[from] UnknownProfile),
    /// What the resource writes anew of its profile is wrong.
    #[error("the resource's `profile_settings` do not fit: {0}")]
    ProfileSettings(String),
    /// The session cannot say whose answer came: nothing more is sent until its device stands at its prompt.
    #[error("{doing}: uncertain: {why}")]
    Uncertain {
        /// What was being done.
        doing: String,
        /// What is not certain, and what the device said last.
        why: String,
    },
    /// A command has a line end in it.
    #[error(
        "`{command}` is more than one line: give each line as a command of its own, or all of them to `config`"
    )]
    SeveralLines {
        /// The command, its line ends shown.
        command: String,
    },
    /// An answer to a question cannot be given.
    #[error("the answer to `{asks}` cannot be given: {why}")]
    Answer {
        /// The pattern of the question.
        asks: String,
        /// Why not.
        why: &'static str,
    },
    /// An item of configuration cannot be given.
    #[error("nothing was configured: {0}")]
    Item(String),
    /// A text has letters that the device has not.
    #[error("`{text}` cannot be sent: the device's encoding {encoding} has not all of its letters")]
    Letters {
        /// The text.
        text: String,
        /// The encoding of the profile.
        encoding: &'static str,
    },
    /// More came than may wait for the end of an answer.
    #[error("the answer to `{command}` is larger than {} MiB: let it go into a file as it comes, by `command_to_file`", crate::limits::WINDOW_BYTES_MAX / (1024 * 1024))]
    TooLarge {
        /// The command.
        command: String,
    },
    /// An answer that went into a file did not come to its end, or refused the command; the file tells what came.
    #[error("{failed}; what came is in {}", path.display())]
    Kept {
        /// Why it is not what was wanted.
        failed: Box<SessionError>,
        /// The file.
        path: PathBuf,
    },
    /// The profile does not know how.
    #[error("profile `{profile}` has no {what}")]
    Unsupported {
        /// Which profile.
        profile: String,
        /// What it lacks.
        what: String,
    },
    /// A file was not moved.
    #[error(transparent)]
    Transfer(#[from] TransferError),
    /// A command beside the dialogue did not come to its end.
    #[error("`{command}` beside the session: {why}")]
    Beside {
        /// Which.
        command: String,
        /// Why.
        why: String,
    },
    /// The line under the dialogue did not do what it was told.
    #[error("{target}: {why}")]
    Line {
        /// Where.
        target: String,
        /// Why.
        why: String,
    },
    /// A pattern cannot be awaited.
    #[error(transparent)]
    Pattern(#[from] PatternError),
    /// A key that there is not.
    #[error(transparent)]
    Key(#[from] UnknownKey),
    /// The session has no screen.
    #[error("the session has no screen: give it one with `screen = \"80x24\"`, or turn it on first")]
    NoScreen,
}

impl From<KindError> for SessionError {
    fn from(error: KindError) -> Self {
        match error {
            KindError::Unknown(unknown) => Self::Profile(unknown),
            KindError::Pattern(pattern) => Self::Pattern(pattern),
            KindError::Settings(why) => Self::ProfileSettings(why),
        }
    }
}

impl SessionError {
    /// Whether the connection was there and is gone.
    pub fn is_lost(&self) -> bool {
        match self {
            Self::Expect { source, .. } => {
                matches!(source, ExpectError::Ended { .. } | ExpectError::Broken { .. })
            }
            Self::Kept { failed, .. } => failed.is_lost(),
            Self::Unreachable { .. }
            | Self::Login { .. }
            | Self::Ssh { .. }
            | Self::Refused { .. }
            | Self::Profile(_)
            | Self::ProfileSettings(_)
            | Self::Uncertain { .. }
            | Self::SeveralLines { .. }
            | Self::Answer { .. }
            | Self::Item(_)
            | Self::Letters { .. }
            | Self::TooLarge { .. }
            | Self::Unsupported { .. }
            | Self::Transfer(_)
            | Self::Beside { .. }
            | Self::Line { .. }
            | Self::Pattern(_)
            | Self::Key(_)
            | Self::NoScreen => false,
        }
    }

    /// Whether the lab is to blame: the device is not there, does not let us in, or went away.
    pub fn is_lab(&self) -> bool {
        match self {
            Self::Unreachable { .. }
            | Self::Login { .. }
            | Self::Ssh { .. }
            | Self::Beside { .. }
            | Self::Uncertain { .. }
            | Self::Line { .. } => true,
            // It is the resource that says so.
            Self::ProfileSettings(_) => true,
            Self::Transfer(error) => !error.is_test(),
            Self::Kept { failed, .. } => failed.is_lab(),
            Self::Expect { source, .. } => match source {
                ExpectError::Ended { .. } | ExpectError::Broken { .. } => true,
                ExpectError::Timeout { seen, .. } => seen.is_unheard(),
                ExpectError::Pattern(_) => false,
            },
            Self::Refused { .. }
            | Self::SeveralLines { .. }
            | Self::Answer { .. }
            | Self::Item(_)
            | Self::Letters { .. }
            | Self::TooLarge { .. }
            | Self::Profile(_)
            | Self::Unsupported { .. }
            | Self::Pattern(_)
            | Self::Key(_)
            | Self::NoScreen => false,
        }
    }

    /// Whether the test itself is to blame: it asks for what there is not.
    pub fn is_test(&self) -> bool {
        match self {
            Self::Profile(_)
            | Self::Unsupported { .. }
            | Self::Pattern(_)
            | Self::Key(_)
            | Self::SeveralLines { .. }
            | Self::Answer { .. }
            | Self::Item(_)
            | Self::Letters { .. }
            | Self::TooLarge { .. }
            | Self::NoScreen => true,
            Self::Expect { source, .. } => matches!(source, ExpectError::Pattern(_)),
            Self::Transfer(error) => error.is_test(),
            Self::Kept { failed, .. } => failed.is_test(),
            Self::Unreachable { .. }
            | Self::Login { .. }
            | Self::Ssh { .. }
            | Self::Beside { .. }
            | Self::Line { .. }
            | Self::ProfileSettings(_)
            | Self::Uncertain { .. }
            | Self::Refused { .. } => false,
        }
    }
}

impl SessionError {
    /// The same error without secrets in its words.
    pub(super) fn without(self, secrets: &Redactor) -> Self {
        let clean = |text: String| secrets.text(&text);
        match self {
            Self::Unreachable { target, why } => Self::Unreachable { target, why: clean(why) },
            Self::Login { target, why } => Self::Login { target, why: clean(why) },
            Self::Expect { doing, source } => {
                Self::Expect { doing: clean(doing), source: source.without(secrets) }
            }
            Self::Refused { line, answer } => Self::Refused { line: clean(line), answer: clean(answer) },
            Self::Uncertain { doing, why } => Self::Uncertain { doing: clean(doing), why: clean(why) },
            Self::SeveralLines { command } => Self::SeveralLines { command: clean(command) },
            Self::Item(why) => Self::Item(clean(why)),
            Self::Letters { text, encoding } => Self::Letters { text: clean(text), encoding },
            Self::TooLarge { command } => Self::TooLarge { command: clean(command) },
            Self::Beside { command, why } => Self::Beside { command: clean(command), why: clean(why) },
            Self::Line { target, why } => Self::Line { target, why: clean(why) },
            Self::Kept { failed, path } => Self::Kept { failed: Box::new(failed.without(secrets)), path },
            // Names and files, and what SSH says of itself: nothing that was sent.
            Self::Ssh { .. }
            | Self::Answer { .. }
            | Self::Profile(_)
            | Self::ProfileSettings(_)
            | Self::Unsupported { .. }
            | Self::Transfer(_)
            | Self::Pattern(_)
            | Self::Key(_)
            | Self::NoScreen => self,
        }
    }
}
