//! Failures as they travel: a code for scripts, a sentence for people.

use serde::{Deserialize, Serialize};

/// What went wrong, as one word that scripts may compare. The table of `docs/api.md`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum ErrorCode {
    /// The request cannot be read: not JSON, a field missing or of the wrong kind.
    BadRequest,
    /// A file a person wrote has problems; they are listed.
    BadFile,
    /// No or no valid session or token.
    Unauthenticated,
    /// This user may not do this.
    Forbidden,
    /// There is no such thing.
    NotFound,
    /// The name is taken.
    AlreadyExists,
    /// Someone else holds it.
    Held,
    /// It changed since it was read (`If-Match`).
    Changed,
    /// It cannot be done in the state the thing is in: a run that has ended cannot be paused.
    WrongState,
    /// Larger than the named limit.
    TooLarge,
    /// More often than the named limit.
    TooMany,
    /// Engine and EP speak no common protocol version.
    ProtocolVersion,
    /// An EP of this name is connected from elsewhere.
    NameTaken,
    /// The disk is full, or the store does not answer; nothing was done.
    Storage,
    /// The engine is going down; try again.
    Unavailable,
    /// A fault of ours.
    Internal,
}

impl ErrorCode {
    /// The HTTP status that carries it.
    pub fn status(self) -> u16 {
        match self {
            Self::BadRequest => 400,
            Self::BadFile => 422,
            Self::Unauthenticated => 401,
            Self::Forbidden => 403,
            Self::NotFound => 404,
            Self::AlreadyExists | Self::Held | Self::WrongState | Self::NameTaken => 409,
            Self::Changed => 412,
            Self::TooLarge => 413,
            Self::TooMany => 429,
            Self::ProtocolVersion => 426,
            Self::Storage => 507,
            Self::Unavailable => 503,
            Self::Internal => 500,
        }
    }
}

/// A problem document (RFC 9457, `application/problem+json`), also the error of the link and of the local API.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Problem {
    /// For scripts.
    pub code: ErrorCode,
    /// The HTTP status.
    pub status: u16,
    /// For people: what is wrong, and what to do.
    pub title: String,
    /// The field of the request that is to blame.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// Every problem of a file, where [`ErrorCode::BadFile`] says so.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub problems: Vec<FileProblem>,
    /// What only the log of whoever answers is told: what a database or disk said. Never sent.
    #[serde(skip)]
    pub cause: Option<String>,
}

impl Problem {
    /// A problem that one sentence tells.
    pub fn new(code: ErrorCode, title: impl Into<String>) -> Self {
        let (status, title) = (code.status(), title.into());
        Self { code, status, title, field: None, problems: Vec::new(), cause: None }
    }

    /// The same, with what the log of whoever answers is to be told of it.
    #[must_use]
    pub fn because(mut self, cause: impl Into<String>) -> Self {
        self.cause = Some(cause.into());
        self
    }

    /// The same, with the field that is to blame.
    #[must_use]
    pub fn field(mut self, field: impl Into<String>) -> Self {
        self.field = Some(field.into());
        self
    }
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.title)?;
        if let Some(field) = &self.field {
            write!(f, " (field `{field}`)")?;
        }
        self.problems.iter().try_for_each(|problem| write!(f, "\n{problem}"))
    }
}

impl std::error::Error for Problem {}

/// How bad a problem of a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The file can be used, but perhaps not as meant.
    Warning,
    /// The file cannot be used.
    Error,
}

/// One problem of a file that a person wrote.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FileProblem {
    /// How bad it is.
    pub severity: Severity,
    /// The file.
    pub file: String,
    /// From 1; 0 where the whole file is meant.
    pub line: u32,
    /// In characters, from 1; 0 where the whole line is meant.
    pub column: u32,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub help: String,
}

impl std::fmt::Display for FileProblem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let word = match self.severity {
            Severity::Warning => "warning",
            Severity::Error => "error",
        };
        write!(f, "{}", self.file)?;
        if self.line > 0 {
            write!(f, ":{}", self.line)?;
        }
        if self.column > 0 {
            write!(f, ":{}", self.column)?;
        }
        write!(f, ": {word}: {}", self.message)?;
        if !self.help.is_empty() {
            write!(f, "; {}", self.help)?;
        }
        Ok(())
    }
}
