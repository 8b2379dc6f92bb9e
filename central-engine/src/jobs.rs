//! Work that was promised in a commit and is done afterwards: scripts around runs, reports, mail, inserts, packed logs.
//!
//! ```text
//! RunHook ──▶ the loop hears how it ended
//! FinishRun ─▶ logs are whole and packed ──▶ WriteReports, MailRun, SaveRun, CallWebhooks ──▶ CallWebhook      each tried again on its own
//! ```
//!
//! Beside runs, there are letters to persons: of their leases, and of devices that were taken out of service (`remind`).
//!
//! A job is a row until it is done, so a crash loses none; one that was under way is done again. What fails is tried again
//! after a wait that doubles, and given up in the end; its run says so, and its last error stays readable at
//! `/runs/{run}/jobs`. Each kind has places of its own: mail servers that hang keep nobody from the lab's database.

mod compared;
mod finish;
mod hook;
mod leftovers;
pub(crate) mod mail;
pub(crate) mod remind;
mod report;
pub(crate) mod retention;
mod save;
mod settle;
pub(crate) mod webhook;

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use actix_web::web;
use anyhow::{Context as _, Result};
use jackfield_protocol::id::RunId;
use jackfield_reporting::results::Results;
use tokio::{task::JoinSet, time::Instant};

use self::settle::Settlement;
pub(crate) use self::{report::outbox_notice, save::live::keep_inserting};
use crate::{
    app::App,
    clock, limits,
    run::{results, tags},
    store::{
        self, StoreError,
        job::{JobRow, Kind, Work},
    },
};

/// How a job ended.
enum End {
    /// It is done; this is to be done next, and this is told in the run's events.
    Done { next: Vec<Work>, told: Vec<String> },
    /// It cannot be done, however often it is tried.
    Hopeless(anyhow::Error),
    /// The lab's database has the results.
    Saved,
    /// The lab's database has not all of them, and what it has is known.
    NotSaved(anyhow::Error),
    /// A part of it is done; this is left, for this reason.
    Rest { work: Work, error: anyhow::Error, told: Vec<String> },
}

impl End {
    fn done() -> Self {
        Self::Done { next: Vec::new(), told: Vec::new() }
    }
}

/// An error is tried again.
type Tried = Result<End>;

/// Does jobs until the engine goes down. What is under way then is done again at the next start.
pub async fn work(app: web::Data<App>) {
    leftovers::end(&app.terms.lives, &app.terms.life, app.jobs.hook_grace).await;
    let mut worker = Worker::new(app);
    loop {
        let wait = worker.turn().await;
        tokio::select! {
            biased;
            () = worker.app.stop.cancelled() => return,
            Some(ended) = worker.tasks.join_next(), if !worker.tasks.is_empty() => worker.take_end(ended).await,
            () = worker.app.store.work_added().notified() => {}
            () = tokio::time::sleep(wait) => {}
        }
    }
}

/// Who does the jobs.
struct Worker {
    app: web::Data<App>,
    tasks: JoinSet<(JobRow, Tried)>,
    /// Jobs that are being tried, or whose end is not stored yet: none of them is begun again.
    under_way: BTreeMap<u64, Kind>,
    unsettled: BTreeMap<u64, Unsettled>,
}

/// What a job has come to, which the store did not take.
struct Unsettled {
    settlement: Settlement,
    at: Instant,
    wait: Duration,
}

impl Worker {
    fn new(app: web::Data<App>) -> Self {
        Self { app, tasks: JoinSet::new(), under_way: BTreeMap::new(), unsettled: BTreeMap::new() }
    }

    /// Notes what is to be noted and starts what is due; the answer is how long there is nothing to do.
    async fn turn(&mut self) -> Duration {
        self.settle_rest().await;
        let wait = match self.start_due().await {
            Ok(wait) => wait,
            Err(error) => {
                tracing::error!("cannot read what is to be done: {}", error.chain());
                limits::JOB_STORE_WAIT
            }
        };
        let next = self.unsettled.values().map(|unsettled| unsettled.at).min();
        next.map_or(wait, |at| wait.min(at.saturating_duration_since(Instant::now())))
    }

    async fn take_end(&mut self, ended: Result<(JobRow, Tried), tokio::task::JoinError>) {
        match ended {
            Ok((job, tried)) => {
                let settlement = settle::decide(&job, tried, clock::now());
                self.settle(settlement, limits::JOB_STORE_WAIT).await;
            }
            // Its number stays under way: a job that panics is not tried again before a restart.
            Err(error) => tracing::error!(%error, "a job panicked"),
        }
    }

    /// Stores what a job has come to; where the store does not take it, this alone is tried again.
    async fn settle(&mut self, settlement: Settlement, wait: Duration) {
        let id = settlement.id;
        match settle::store(&self.app, &settlement, clock::now()).await {
            Ok(()) => {
                self.app.feed.notices_changed();
                self.unsettled.remove(&id);
                self.under_way.remove(&id);
            }
            Err(error) => {
                let at = Instant::now() + wait;
                tracing::error!(
                    job.id = id,
                    "the end of a job is not stored; that is tried again in {} s: {}",
                    wait.as_secs(),
                    error.chain()
                );
                let wait = wait.saturating_mul(2).min(limits::JOB_STORE_WAIT_MAX);
                self.unsettled.insert(id, Unsettled { settlement, at, wait });
            }
        }
    }

    async fn settle_rest(&mut self) {
        let now = Instant::now();
        let due: Vec<u64> =
            self.unsettled.iter().filter(|(_, unsettled)| unsettled.at <= now).map(|(id, _)| *id).collect();
        for id in due {
            if let Some(Unsettled { settlement, wait, .. }) = self.unsettled.remove(&id) {
                self.settle(settlement, wait).await;
            }
        }
    }

    /// Starts the jobs that are due; the answer is how long to wait for the next.
    async fn start_due(&mut self) -> Result<Duration, StoreError> {
        let mut conn = self.app.store.read().await?;
        let now = clock::now();
        for kind in Kind::ALL {
            let busy: BTreeSet<u64> =
                self.under_way.iter().filter(|(_, of)| **of == kind).map(|(id, _)| *id).collect();
            let free = limits::JOBS_AT_ONCE_MAX.saturating_sub(busy.len());
            if free == 0 {
                continue;
            }
            // The rows under way are among those that are due: ask for that many more.
            let batch =
                u32::try_from(limits::JOBS_AT_ONCE_MAX.saturating_add(busy.len())).unwrap_or(u32::MAX);
            let due = store::job::due(&mut conn, kind, now, batch).await?;
            for job in due.into_iter().filter(|job| !busy.contains(&job.id)).take(free) {
                self.start(kind, job);
            }
        }
        self.app.job_counts.store(store::job::counts(&mut conn).await?);
        let next = store::job::next_due(&mut conn, now).await?;
        let wait = next.map_or(limits::JOB_IDLE_WAIT_MILLIS, |next| next.millis_since(now));
        Ok(Duration::from_millis(wait.clamp(1, limits::JOB_IDLE_WAIT_MILLIS)))
    }

    fn start(&mut self, kind: Kind, job: JobRow) {
        self.under_way.insert(job.id, kind);
        let app = self.app.clone();
        self.tasks.spawn(async move {
            let tried = attempt(&app, &job).await;
            (job, tried)
        });
    }
}

async fn attempt(app: &App, job: &JobRow) -> Tried {
    match &job.work {
        Work::RunHook { run, hook, path } => {
            hook::run(app, hook::Script { run: *run, hook: *hook, path }).await
        }
        Work::FinishRun { run } => finish::run(app, *run).await,
        Work::WriteReports { run } => report::run(app, *run).await,
        Work::MailRun { run, to } => mail::run(app, *run, to).await,
        Work::MailPerson { letter } => mail::person::run(app, letter).await,
        Work::SaveRun { run } => save::run(app, *run).await,
        Work::CallWebhooks { run } => webhook::all(app, *run).await,
        Work::CallWebhook { run, webhook } => webhook::one(app, *run, webhook).await,
    }
}

/// Everything of a run that ended.
async fn results_of(app: &App, run: RunId) -> Result<Results> {
    let results = results::gather(&app.store, run, app.facts.clone()).await?;
    let mut results = results.with_context(|| format!("run {run} is not in the store"))?;
    let blobs = app.blobs.clone();
    let tagged = tokio::task::spawn_blocking(move || {
        tags::fill(&mut results, &blobs);
        results
    });
    Ok(tagged.await?)
}

#[cfg(test)]
mod tests;
