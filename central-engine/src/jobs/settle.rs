//! What comes of a job that was tried: its row is changed, what follows from it is promised, and the run says what people
//! have to know. Decided once, from the result alone, and stored until that succeeds: the deed itself is never repeated
//! because its note could not be stored.
//!
//! A store may take a change and lose the answer. So each change is of a kind that does nothing when it comes again, and
//! only the first one promises and tells anything.

use jackfield_protocol::{
    event::{Fact, RunEvent},
    id::RunId,
    time::Time,
};
use jackfield_scheduler::Event;

use super::{End, Tried};
use crate::{
    app::App,
    limits,
    store::{
        self, Conn, StoreError,
        job::{JobRow, Work},
    },
};

/// What a job has come to.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Settlement {
    pub(super) id: u64,
    run: RunId,
    change: Change,
    /// The lab's database has the results of the run.
    saved: bool,
    /// For the events of its run.
    told: Vec<String>,
}

#[derive(Clone, Debug, PartialEq)]
enum Change {
    /// It is done, and this is to be done next.
    Done(Vec<Work>),
    /// It failed so many times now: to be tried again at `due`, or given up. `work` is what is left to do of it.
    Failed { work: Work, tries: u32, due: Option<Time>, error: String },
}

/// Decides what a job has come to.
pub(super) fn decide(job: &JobRow, tried: Tried, now: Time) -> Settlement {
    let tries = job.tries.saturating_add(1);
    let name = job.work.told();
    let failed = |work: &Work, due: Option<Time>, error: &anyhow::Error, mut told: Vec<String>| {
        let (work, error) = (work.clone(), format!("{error:#}"));
        let first = job.tries == 0;
        match due {
            Some(due) if first => {
                told.push(format!("{name} failed: {error}; it is tried again, first at {due}"))
            }
            Some(_) => {}
            None => told.push(format!("{name} is given up after {tries} tries: {error}{}", remedy(&work))),
        }
        (Change::Failed { work, tries, due, error }, told)
    };
    let again = |error: &anyhow::Error, work: &Work, told| failed(work, next_try(now, tries), error, told);
    let (change, told, saved) = match tried {
        Ok(End::Done { next, told }) => (Change::Done(next), done(job, told), false),
        Ok(End::Saved) => (Change::Done(Vec::new()), done(job, Vec::new()), true),
        Ok(End::Hopeless(error)) => {
            let (change, told) = failed(&job.work, None, &error, Vec::new());
            (change, told, false)
        }
        Ok(End::Rest { work, error, told }) => {
            let (change, told) = again(&error, &work, told);
            (change, told, false)
        }
        Ok(End::NotSaved(error)) | Err(error) => {
            let (change, told) = again(&error, &job.work, Vec::new());
            (change, told, false)
        }
    };
    if let Change::Failed { due, error, .. } = &change {
        let then = if due.is_some() { "it is tried again" } else { "it is given up" };
        tracing::warn!(run.id = %job.work.run(), job.tries = tries, "{name}: {error}; {then}");
    }
    Settlement { id: job.id, run: job.work.run(), change, saved, told }
}

/// What is told of a job that is done: also that it is, where its failure was told before.
fn done(job: &JobRow, mut told: Vec<String>) -> Vec<String> {
    if job.tries > 0 {
        told.push(format!("{} succeeded at try {}", job.work.told(), job.tries.saturating_add(1)));
    }
    told
}

/// What a person can do about a job that was given up.
fn remedy(work: &Work) -> String {
    let run = work.run();
    match work {
        Work::SaveRun { .. } => format!("; when that is mended: `jackfield runs insert {run}`"),
        Work::WriteReports { .. } => format!("; the reports can be had with `jackfield runs report {run}`"),
        Work::RunHook { .. }
        | Work::FinishRun { .. }
        | Work::MailRun { .. }
        | Work::MailPerson { .. }
        | Work::CallWebhooks { .. }
        | Work::CallWebhook { .. } => String::new(),
    }
}

/// Stores what a job has come to. Done again after an answer that was lost, it changes nothing more.
pub(super) async fn store(app: &App, settlement: &Settlement, now: Time) -> Result<(), StoreError> {
    let Settlement { id, run, change, saved, told } = settlement;
    let mut conn = app.store.write().await?;
    let (is_news, promised) = match change {
        Change::Done(next) => {
            let is_news = store::job::done(&mut conn, *id).await?;
            if is_news {
                store::job::enqueue(&mut conn, now, next).await?;
            }
            (is_news, !next.is_empty())
        }
        Change::Failed { work, tries, due, error } => {
            (store::job::failed(&mut conn, *id, work, *tries, *due, error).await?, false)
        }
    };
    if *saved {
        store::saved::done(&mut conn, *run, now).await?;
    }
    let news: &[String] = if is_news { told } else { &[] };
    let shown = tell(&mut conn, *run, news, now).await?;
    conn.commit().await?;
    if promised {
        app.store.wake_jobs();
    }
    match shown {
        Some(events) => app.live.publish(&events),
        None => tell_open(app, *run, news).await,
    }
    Ok(())
}

/// Adds to the events of a run that has ended; of one that goes on, the loop alone numbers the events.
async fn tell(
    conn: &mut Conn,
    run: RunId,
    told: &[String],
    now: Time,
) -> Result<Option<Vec<RunEvent>>, StoreError> {
    let mut events = Vec::new();
    for text in told {
        let fact = Fact::Note { text: text.clone() };
        let Some(event) = store::event::append(conn, run, now, fact).await? else { return Ok(None) };
        events.push(event);
    }
    Ok(Some(events))
}

async fn tell_open(app: &App, run: RunId, told: &[String]) {
    for text in told {
        let noted = Event::Noted { run, fact: Fact::Note { text: text.clone() } };
        if let Err(problem) = app.engine.event(noted).await {
            tracing::warn!(run.id = %run, "the run does not say what became of its work: {problem}");
        }
    }
}

/// When to try again after so many failures; none when it is enough.
pub(super) fn next_try(now: Time, tries: u32) -> Option<Time> {
    let doubled = 1_u64.checked_shl(tries.saturating_sub(1)).unwrap_or(u64::MAX);
    let wait = limits::JOB_RETRY_MILLIS.saturating_mul(doubled).min(limits::JOB_RETRY_MILLIS_MAX);
    (tries < limits::JOB_TRIES_MAX).then(|| now.plus_millis(wait))
}

#[cfg(test)]
mod tests {
    use anyhow::anyhow;

    use super::*;

    fn job(tries: u32) -> JobRow {
        JobRow {
            id: 3,
            work: Work::SaveRun { run: RunId(7) },
            tries,
            due: Some(Time(0)),
            error: String::new(),
        }
    }

    #[test]
    fn waits_double_up_to_a_limit_and_end() {
        let wait = |tries| next_try(Time(0), tries).map(|due| due.0);
        assert_eq!((wait(1), wait(2), wait(3)), (Some(5_000), Some(10_000), Some(20_000)));
        assert_eq!(wait(limits::JOB_TRIES_MAX - 1), Some(600_000));
        assert_eq!(wait(limits::JOB_TRIES_MAX), None);
        let all: i64 = (1..limits::JOB_TRIES_MAX).filter_map(wait).sum();
        assert!(all > 2 * 60 * 60 * 1_000, "docs/reports.md says more than two hours");
    }

    #[test]
    fn the_run_hears_of_the_first_failure_of_the_end_and_of_success_in_between() {
        let told = |tries, tried: Tried| decide(&job(tries), tried, Time(0)).told;
        let refused = || Err(anyhow!("no such table: results"));
        assert_eq!(
            told(0, refused()),
            [
                "inserting the results into the lab's database failed: no such table: results; it is tried again, first at \
              1970-01-01T00:00:05.000Z"
            ]
        );
        assert!(told(1, refused()).is_empty(), "once is enough");
        assert_eq!(
            told(limits::JOB_TRIES_MAX - 1, refused()),
            [
                "inserting the results into the lab's database is given up after 20 tries: no such table: results; when that is \
              mended: `jackfield runs insert 7`"
            ]
        );
        let done = || Ok(End::Done { next: Vec::new(), told: Vec::new() });
        assert!(told(0, done()).is_empty());
        assert_eq!(told(2, done()), ["inserting the results into the lab's database succeeded at try 3"]);
    }
}
