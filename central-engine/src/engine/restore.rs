//! From the store's rows to a scheduler that knows what they say: how every engine starts, also after a failed commit.

use std::collections::BTreeMap;

use jackfield_protocol::{id::RunId, plan::RunPlan, time::Time};
use jackfield_resource_allocator::book::Upkeep;
use jackfield_scheduler::{
    Limits, Restored, RestoredRun, Scheduler,
    effect::{Row, RunRow},
};
use std::sync::Arc;

use crate::{
    lab::resources::Links,
    store::{self, Store, StoreError},
};

/// Reads every row that matters to the future and makes a scheduler of them.
///
/// # Errors
/// The store does not answer, or holds rows that no run can be made of.
pub(crate) async fn scheduler(
    store: &Store,
    limits: Limits,
    (links, upkeep): (Links, Upkeep),
    now: Time,
) -> Result<Scheduler, StoreError> {
    let store::Restored { rows, last_lease } = store.load().await?;
    let mut restored = Restored { limits, last_lease, links, upkeep, ..Restored::default() };
    let mut runs: BTreeMap<RunId, Pieces> = BTreeMap::new();
    for row in rows {
        match row {
            Row::Plan { run, plan } => runs.entry(run).or_default().plan = Some(plan),
            Row::Run(row) => {
                let run = row.run;
                runs.entry(run).or_default().row = Some(row);
            }
            Row::Queued { run, first, tests } => {
                runs.entry(run).or_default().rest.queued.push((first, tests))
            }
            Row::Part(row) => runs.entry(row.run).or_default().rest.parts.push(row),
            Row::Attempt(row) => runs.entry(row.attempt.run).or_default().rest.attempts.push(*row),
            Row::Lease(row) => restored.leases.push(*row),
            Row::Health(row) => restored.health.push(*row),
            Row::Ep(row) => restored.eps.push(row),
        }
    }
    for (run, pieces) in runs {
        restored.runs.push(pieces.join(run)?);
    }
    Ok(Scheduler::restore(now, restored))
}

/// The rows of one run, as they come.
#[derive(Default)]
struct Pieces {
    row: Option<RunRow>,
    plan: Option<Arc<RunPlan>>,
    rest: Rest,
}

#[derive(Default)]
struct Rest {
    queued: Vec<(jackfield_protocol::id::TestIndex, Vec<jackfield_protocol::plan::PlannedTest>)>,
    parts: Vec<jackfield_scheduler::effect::PartRow>,
    attempts: Vec<jackfield_scheduler::effect::AttemptRow>,
}

impl Pieces {
    fn join(self, run: RunId) -> Result<RestoredRun, StoreError> {
        let Self { row: Some(row), plan: Some(plan), rest: Rest { queued, parts, attempts } } = self else {
            return Err(StoreError::Corrupt(format!("run {run} has no row or no plan")));
        };
        Ok(RestoredRun { row, plan, queued, parts, attempts })
    }
}
