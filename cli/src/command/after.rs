//! What the engine does with a run that has ended: reports for its outbox, mail, inserts. Whoever looks at a run is told
//! what of it is still to be done, what fails, and what a person is asked for.

use std::time::Duration;

use anyhow::Result;
use jackfield_protocol::{id::RunId, time::Time};
use serde::{Deserialize, Serialize};

use crate::{
    client::Client,
    output::{self, table},
};

/// Work that is not done.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Job {
    /// Its number.
    pub(crate) id: u64,
    /// Which run's.
    #[serde(default)]
    pub(crate) run: Option<RunId>,
    /// What is to be done, as one word.
    pub(crate) work: String,
    /// How often it failed.
    pub(crate) tries: u32,
    /// When it is tried next; none where it was given up.
    pub(crate) due: Option<Time>,
    /// Why it failed.
    pub(crate) error: String,
}

/// Of a run, what is asked here.
#[derive(Debug, Deserialize)]
pub(crate) struct Detail {
    #[serde(default)]
    database: String,
    /// The runs that run again what did not pass in it.
    #[serde(default)]
    pub(crate) retried_by: Vec<RunId>,
}

/// What lists do not tell of a run.
pub(crate) fn detail(client: &Client, run: RunId) -> Result<Detail> {
    client.get(&format!("/runs/{run}"))
}

/// The work that a run left.
pub(crate) fn jobs_of(client: &Client, run: RunId) -> Result<Vec<Job>> {
    client.get(&format!("/runs/{run}/jobs"))
}

/// What a person should know of it, as lines; empty where all is well.
pub(crate) fn lines(client: &Client, run: RunId) -> Result<Vec<String>> {
    let mut lines: Vec<String> =
        jobs_of(client, run)?.iter().filter(|job| job.tries > 0).map(|job| line(run, job)).collect();
    let detail = detail(client, run)?;
    if detail.database == "ask" {
        lines.push(format!(
            "run {run}: its project asks before results go into the lab's database: `jackfield runs insert {run}`"
        ));
    }
    Ok(lines)
}

/// Looks for work that was not tried yet, before its outcome is told.
const LOOKS_MAX: u32 = 20;
/// Between two of them.
const LOOK: Duration = Duration::from_millis(50);

/// Says it to whoever waited for the run, once all of it was tried, or after a moment.
pub(crate) fn tell(client: &Client, run: RunId) -> Result<()> {
    for _ in 0..LOOKS_MAX {
        if jobs_of(client, run)?.iter().all(|job| job.tries > 0) {
            break;
        }
        std::thread::sleep(LOOK);
    }
    lines(client, run)?.iter().for_each(|line| output::talk(line));
    Ok(())
}

fn line(run: RunId, job: &Job) -> String {
    let Job { work, tries, due, error, .. } = job;
    let then = match due {
        Some(due) => format!("is tried again at {due}"),
        None => "was given up".to_owned(),
    };
    format!("run {run}: {work} failed ({tries} times) and {then}: {error}")
}

/// A table of jobs.
pub(crate) fn show(jobs: &[Job]) -> String {
    if jobs.is_empty() {
        return "nothing is left to do".to_owned();
    }
    let mut rows = table(&["ID", "RUN", "WORK", "TRIES", "NEXT", "LAST ERROR"]);
    for job in jobs {
        let next = job.due.map_or_else(|| "given up".to_owned(), |due| due.to_string());
        let run = job.run.map_or_else(String::new, |run| run.to_string());
        rows.add_row(vec![
            job.id.to_string(),
            run,
            job.work.clone(),
            job.tries.to_string(),
            next,
            job.error.clone(),
        ]);
    }
    rows.trim_fmt()
}
