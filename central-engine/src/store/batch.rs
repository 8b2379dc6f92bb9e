//! One commit of the engine loop, and its reverse: what a restarted engine reads.

use std::{collections::BTreeMap, sync::Arc};

use jackfield_protocol::{
    event::RunEvent,
    id::{AttemptId, EpName, LeaseId, RunId, TestIndex},
    plan::{PlannedTest, RunPlan},
    time::Time,
};
use jackfield_resource_allocator::{
    ResourceId,
    book::{Health, Lease},
};
use jackfield_scheduler::effect::{AttemptRow, EpRow, PartRow, Row, RunRow};

use super::{
    Restored, StoreError,
    attempt::{self, Artifact},
    audit::{self, Deed},
    db::Conn,
    ep::{self, EpSeen},
    event, health,
    job::{self, Work},
    lease, part, plan, run,
    submission::{self, Submission},
};

/// Leases that are over and are read again, so that wear goes on to spread.
const WORN_MAX: u32 = 2_000;

/// Everything that some events led to. Written whole, or not at all.
#[derive(Clone, Debug, Default)]
pub struct Batch {
    /// When, for work that is due at once.
    pub now: Time,
    /// The scheduler's rows in the order it gave them; the last write of a key wins.
    pub rows: Vec<Row>,
    /// Events to show once they are stored.
    pub events: Vec<RunEvent>,
    /// Work for later.
    pub jobs: Vec<Work>,
    /// What EPs said of themselves.
    pub seen: Vec<EpSeen>,
    /// Files that attempts left.
    pub artifacts: Vec<Artifact>,
    /// What people did, for the audit log.
    pub audit: Vec<Deed>,
    /// Keys of clients that started a run.
    pub submissions: Vec<Submission>,
}

/// The rows by table, each key once.
#[derive(Default)]
struct Tables {
    plans: BTreeMap<RunId, Arc<RunPlan>>,
    runs: BTreeMap<RunId, RunRow>,
    queued: BTreeMap<(RunId, TestIndex), Vec<PlannedTest>>,
    parts: BTreeMap<(RunId, u32), PartRow>,
    attempts: BTreeMap<AttemptId, AttemptRow>,
    leases: BTreeMap<LeaseId, Lease>,
    health: BTreeMap<ResourceId, Health>,
    eps: BTreeMap<EpName, EpRow>,
}

impl Batch {
    /// Whether there is nothing to write.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
            && self.events.is_empty()
            && self.jobs.is_empty()
            && self.seen.is_empty()
            && self.artifacts.is_empty()
            && self.audit.is_empty()
            && self.submissions.is_empty()
    }

    /// Plans that are new, and runs whose plan grew.
    pub(super) fn changed_plans(&self) -> BTreeMap<RunId, Option<Arc<RunPlan>>> {
        let mut changed = BTreeMap::new();
        for row in &self.rows {
            match row {
                Row::Plan { run, plan } => {
                    changed.insert(*run, Some(Arc::clone(plan)));
                }
                Row::Queued { run, .. } => {
                    changed.insert(*run, None);
                }
                Row::Run(_)
                | Row::Part(_)
                | Row::Attempt(_)
                | Row::Lease(_)
                | Row::Health(_)
                | Row::Ep(_) => {}
            }
        }
        changed
    }
}

fn sort(rows: Vec<Row>) -> Tables {
    let mut tables = Tables::default();
    for row in rows {
        match row {
            Row::Plan { run, plan } => drop(tables.plans.insert(run, plan)),
            Row::Run(row) => drop(tables.runs.insert(row.run, row)),
            Row::Queued { run, first, tests } => drop(tables.queued.insert((run, first), tests)),
            Row::Part(row) => drop(tables.parts.insert((row.run, row.part), row)),
            Row::Attempt(row) => drop(tables.attempts.insert(row.attempt, *row)),
            Row::Lease(row) => drop(tables.leases.insert(row.id, *row)),
            Row::Health(row) => drop(tables.health.insert(row.spot.node.clone(), *row)),
            Row::Ep(row) => drop(tables.eps.insert(row.ep.clone(), row)),
        }
    }
    tables
}

pub(super) async fn write(conn: &mut Conn, batch: Batch) -> Result<(), StoreError> {
    let tables = sort(batch.rows);
    for (run, plan) in &tables.plans {
        plan::insert(conn, *run, plan).await?;
    }
    for ((run, first), tests) in tables.queued {
        plan::queue(conn, run, first, tests).await?;
    }
    for row in tables.runs.values() {
        run::update(conn, row).await?;
    }
    part::upsert(conn, tables.parts.into_values()).await?;
    attempt::upsert(conn, tables.attempts.into_values()).await?;
    lease::write(conn, tables.leases.into_values().collect()).await?;
    health::write(conn, tables.health.into_values()).await?;
    for row in tables.eps.values() {
        ep::upsert(conn, row).await?;
    }
    event::insert(conn, &batch.events).await?;
    for seen in &batch.seen {
        ep::see(conn, seen).await?;
    }
    attempt::keep_artifacts(conn, &batch.artifacts).await?;
    for Deed { who, action, target, detail } in &batch.audit {
        audit::add(conn, batch.now, who.as_str(), (action, target), detail).await?;
    }
    for submission in &batch.submissions {
        submission::insert(conn, submission).await?;
    }
    job::enqueue(conn, batch.now, &batch.jobs).await
}

pub(super) async fn load(conn: &mut Conn) -> Result<Restored, StoreError> {
    let mut rows = Vec::new();
    rows.extend(ep::list(conn).await?.into_iter().map(Row::Ep));
    let open = run::open(conn).await?;
    for row in open {
        let run = row.run;
        let plan = plan::fetch(conn, run).await?;
        let plan = plan.ok_or_else(|| StoreError::corrupt(format!("run {run} has no plan")))?;
        rows.push(Row::Plan { run, plan: Arc::new(plan) });
        rows.push(Row::Run(row));
        let queued = plan::queued(conn, run).await?.into_iter();
        rows.extend(queued.map(|(first, tests)| Row::Queued { run, first, tests }));
        rows.extend(part::of_run(conn, run).await?.into_iter().map(Row::Part));
        let attempts = attempt::of_tests(conn, run, 0..u32::MAX).await?;
        rows.extend(attempts.into_iter().map(|row| Row::Attempt(Box::new(row))));
    }
    // Those that are over say what unfinished runs were given, and what has rested longest.
    let leases = [lease::ended(conn, WORN_MAX).await?, lease::given(conn).await?, lease::open(conn).await?];
    rows.extend(leases.into_iter().flatten().map(|lease| Row::Lease(Box::new(lease))));
    rows.extend(health::all(conn).await?.into_iter().map(|health| Row::Health(Box::new(health))));
    Ok(Restored { rows, last_lease: lease::last(conn).await? })
}
