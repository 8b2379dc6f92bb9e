//! Work that was promised in a commit, kept until it is done.

use jackfield_protocol::{event::Hook, id::RunId, time::Time};
use jackfield_scheduler::effect::Job;
use serde::{Deserialize, Serialize};

use super::{
    StoreError,
    db::{Conn, Line, binds},
    json,
};

/// What a job does; the scheduler's jobs and those of other parts of the engine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "job", rename_all = "snake_case")]
pub enum Work {
    /// Run a script around a run.
    RunHook {
        /// Which run.
        run: RunId,
        /// Before or after it.
        hook: Hook,
        /// The script: a path on the engine's host.
        path: String,
    },
    /// Write the files of a run that ended, and compress its logs.
    FinishRun {
        /// Which run.
        run: RunId,
    },
    /// Insert the results of a run into the lab's database.
    SaveRun {
        /// Which run.
        run: RunId,
    },
    /// Write the reports of a run into the outbox.
    WriteReports {
        /// Which run.
        run: RunId,
    },
    /// Send the summary mail of a run.
    MailRun {
        /// Which run.
        run: RunId,
        /// Those who have not got it yet; nobody named means everybody.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        to: Vec<String>,
    },
    /// Send a mail to a person.
    MailPerson {
        /// The mail.
        letter: Letter,
    },
    /// Look which webhooks want to hear of a run.
    CallWebhooks {
        /// Which run.
        run: RunId,
    },
    /// Tell a webhook of a run.
    CallWebhook {
        /// Which run.
        run: RunId,
        /// The name of the webhook.
        webhook: String,
    },
}

/// A mail to one person, about no run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Letter {
    /// The address.
    pub to: String,
    /// The same whenever the same is told again, and no other's: a name for a file, and for the mail.
    pub key: String,
    /// The subject.
    pub subject: String,
    /// The text.
    pub text: String,
    /// An event of a calendar beside it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calendar: Option<String>,
}

impl Letter {
    /// It is about no run.
    pub fn of(&self) -> RunId {
        RunId(0)
    }
}

/// What jobs have places together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Scripts around runs.
    Hook,
    /// Logs of runs that ended.
    Finish,
    /// Files for the outbox.
    Report,
    /// Inserts into the lab's database.
    Save,
    /// Mail.
    Mail,
    /// Webhooks.
    Webhook,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Hook, Self::Finish, Self::Report, Self::Save, Self::Mail, Self::Webhook];

    /// As one word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Hook => "hook",
            Self::Finish => "finish",
            Self::Report => "report",
            Self::Save => "save",
            Self::Mail => "mail",
            Self::Webhook => "webhook",
        }
    }
}

/// How many jobs are not done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct JobCounts {
    /// To be done, or tried again.
    pub waiting: u64,
    /// Given up.
    pub given_up: u64,
}

/// A job with how often it was tried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobRow {
    /// Its number.
    pub id: u64,
    /// What to do.
    pub work: Work,
    /// How often it was tried and failed.
    pub tries: u32,
    /// When to try it next; none when it was given up.
    pub due: Option<Time>,
    /// Why it failed last.
    pub error: String,
}

impl Work {
    /// The run it belongs to.
    pub fn run(&self) -> RunId {
        match self {
            Self::RunHook { run, .. }
            | Self::FinishRun { run }
            | Self::SaveRun { run }
            | Self::WriteReports { run }
            | Self::MailRun { run, .. }
            | Self::CallWebhooks { run }
            | Self::CallWebhook { run, .. } => *run,
            Self::MailPerson { letter } => letter.of(),
        }
    }
}

impl Work {
    /// Its kind.
    pub fn kind(&self) -> Kind {
        match self {
            Self::RunHook { .. } => Kind::Hook,
            Self::FinishRun { .. } => Kind::Finish,
            Self::WriteReports { .. } => Kind::Report,
            Self::SaveRun { .. } => Kind::Save,
            Self::MailRun { .. } | Self::MailPerson { .. } => Kind::Mail,
            Self::CallWebhooks { .. } | Self::CallWebhook { .. } => Kind::Webhook,
        }
    }

    /// What it does, as a sentence begins.
    pub fn told(&self) -> String {
        match self {
            Self::RunHook { hook, path, .. } => format!("the {} script {path}", hook.as_str()),
            Self::FinishRun { .. } => "packing the logs".to_owned(),
            Self::WriteReports { .. } => "writing the reports into the outbox".to_owned(),
            Self::SaveRun { .. } => "inserting the results into the lab's database".to_owned(),
            Self::MailRun { .. } => "sending the mail".to_owned(),
            Self::MailPerson { letter } => {
                format!("sending the mail to {} (`{}`)", letter.to, letter.subject)
            }
            Self::CallWebhooks { .. } => "looking for webhooks".to_owned(),
            Self::CallWebhook { webhook, .. } => format!("calling webhook `{webhook}`"),
        }
    }
}

impl From<Job> for Work {
    fn from(job: Job) -> Self {
        match job {
            Job::RunHook { run, hook, path } => Self::RunHook { run, hook, path: path.to_string() },
            Job::FinishRun { run } => Self::FinishRun { run },
        }
    }
}

/// Promises work; a part of the transaction that led to it.
///
/// # Errors
/// The store does not answer.
pub async fn enqueue(conn: &mut Conn, now: Time, work: &[Work]) -> Result<(), StoreError> {
    if work.is_empty() {
        return Ok(());
    }
    let count = u64::try_from(work.len()).unwrap_or(u64::MAX);
    let first = super::counter::take(conn, super::counter::JOB, count).await?;
    let sql = "INSERT INTO job (id, run, kind, body, tries, due, error) VALUES ($1, $2, $3, $4, 0, $5, '')";
    for (id, work) in (first..).zip(work) {
        conn.run(sql, binds![id, work.run().0, work.kind().as_str(), json(work)?, now.0]).await?;
    }
    Ok(())
}

/// Jobs that are not done, newest first; `after` is the number of the last one already seen.
///
/// # Errors
/// The store does not answer, or a row cannot be read.
pub async fn list(conn: &mut Conn, after: Option<u64>, limit: u32) -> Result<Vec<JobRow>, StoreError> {
    let sql = "SELECT id, body, tries, due, error FROM job WHERE id < $1 ORDER BY id DESC LIMIT $2";
    let before = after.and_then(|after| i64::try_from(after).ok()).unwrap_or(i64::MAX);
    conn.rows(sql, binds![before, limit]).await?.iter().map(read).collect()
}

/// How many jobs are not done.
///
/// # Errors
/// The store does not answer.
pub async fn counts(conn: &mut Conn) -> Result<JobCounts, StoreError> {
    let line = conn.row("SELECT COUNT(*), COUNT(due) FROM job", vec![]).await?;
    let Some(line) = line else { return Ok(JobCounts::default()) };
    let (all, waiting): (u64, u64) = (line.number(0)?, line.number(1)?);
    Ok(JobCounts { waiting, given_up: all.saturating_sub(waiting) })
}

/// The jobs of one run that are not done.
///
/// # Errors
/// The store does not answer, or a row cannot be read.
pub async fn of_run(conn: &mut Conn, run: RunId) -> Result<Vec<JobRow>, StoreError> {
    let sql = "SELECT id, body, tries, due, error FROM job WHERE run = $1 ORDER BY id";
    conn.rows(sql, binds![run.0]).await?.iter().map(read).collect()
}

/// The next jobs of a kind whose time has come, oldest first.
///
/// # Errors
/// The store does not answer, or a row cannot be read.
pub async fn due(conn: &mut Conn, kind: Kind, now: Time, limit: u32) -> Result<Vec<JobRow>, StoreError> {
    let sql =
        "SELECT id, body, tries, due, error FROM job WHERE kind = $1 AND due <= $2 ORDER BY id LIMIT $3";
    conn.rows(sql, binds![kind.as_str(), now.0, limit]).await?.iter().map(read).collect()
}

/// When the earliest job is due of those that are not due yet.
///
/// # Errors
/// The store does not answer.
pub async fn next_due(conn: &mut Conn, now: Time) -> Result<Option<Time>, StoreError> {
    let line = conn.row("SELECT MIN(due) FROM job WHERE due > $1", binds![now.0]).await?;
    Ok(line.map(|line| line.int_opt(0)).transpose()?.flatten().map(Time))
}

/// It is done; false where that is known already.
///
/// # Errors
/// The store does not answer.
pub async fn done(conn: &mut Conn, id: u64) -> Result<bool, StoreError> {
    Ok(conn.run("DELETE FROM job WHERE id = $1", binds![id]).await? > 0)
}

/// It waits no more for its next try.
///
/// # Errors
/// The store does not answer.
pub async fn hurry(conn: &mut Conn, id: u64, now: Time) -> Result<(), StoreError> {
    let sql = "UPDATE job SET due = $2 WHERE id = $1 AND due > $2";
    conn.run(sql, binds![id, now.0]).await.map(drop)
}

/// The job of this number; none where it is done.
///
/// # Errors
/// The store does not answer, or the row cannot be read.
pub async fn find(conn: &mut Conn, id: u64) -> Result<Option<JobRow>, StoreError> {
    let sql = "SELECT id, body, tries, due, error FROM job WHERE id = $1";
    conn.row(sql, binds![id]).await?.as_ref().map(read).transpose()
}

/// It is tried now, also where it was given up.
///
/// # Errors
/// The store does not answer.
pub async fn try_again(conn: &mut Conn, id: u64, now: Time) -> Result<(), StoreError> {
    let sql = "UPDATE job SET due = $2 WHERE id = $1 AND (due IS NULL OR due > $2)";
    conn.run(sql, binds![id, now.0]).await.map(drop)
}

/// It failed for the `tries`th time, and this is left of it: to be tried again at `due`, or given up. False where that is
/// known already.
///
/// # Errors
/// The store does not answer.
pub async fn failed(
    conn: &mut Conn,
    id: u64,
    work: &Work,
    tries: u32,
    due: Option<Time>,
    error: &str,
) -> Result<bool, StoreError> {
    let sql = "UPDATE job SET body = $2, tries = $3, due = $4, error = $5 WHERE id = $1 AND tries < $3";
    let binds = binds![id, json(work)?, tries, due.map(|time| time.0), error];
    Ok(conn.run(sql, binds).await? > 0)
}

fn read(line: &Line) -> Result<JobRow, StoreError> {
    Ok(JobRow {
        id: line.number(0)?,
        work: line.json(1)?,
        tries: line.number(2)?,
        due: line.int_opt(3)?.map(Time),
        error: line.text(4)?,
    })
}
