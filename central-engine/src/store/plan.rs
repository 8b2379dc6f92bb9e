//! Plans of runs: written once, compressed, and kept decoded for the runs people look at.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use jackfield_protocol::{
    id::{RunId, TestIndex},
    plan::{PlannedTest, RunPlan},
};

use super::{
    StoreError,
    db::{Conn, binds},
    reseal::place,
};
use crate::limits;

/// Decoded plans of the runs that were looked at last.
///
/// What was read from the store may be older than a commit in between. So each change of a plan begins a generation, and
/// what was read in an earlier one is used, but not kept.
#[derive(Debug, Default)]
pub(super) struct Plans(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    plans: VecDeque<(RunId, Arc<RunPlan>)>,
    generation: u64,
}

/// The state of the plans when a look at the store began.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Generation(u64);

impl Plans {
    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn get(&self, run: RunId) -> Option<Arc<RunPlan>> {
        let mut kept = self.kept();
        let at = kept.plans.iter().position(|(known, _)| *known == run)?;
        let found = kept.plans.remove(at)?;
        let plan = Arc::clone(&found.1);
        kept.plans.push_back(found);
        Some(plan)
    }

    /// To be asked before a plan is read from the store.
    pub(super) fn generation(&self) -> Generation {
        Generation(self.kept().generation)
    }

    /// Keeps a plan that was read from the store, unless any has changed since.
    pub(super) fn put_read(&self, run: RunId, plan: Arc<RunPlan>, read: Generation) {
        let mut kept = self.kept();
        if kept.generation == read.0 {
            kept.put(run, plan);
        }
    }

    /// A plan has changed: `plan`, or what the store says now.
    pub(super) fn changed(&self, run: RunId, plan: Option<Arc<RunPlan>>) {
        let mut kept = self.kept();
        kept.generation = kept.generation.wrapping_add(1);
        kept.plans.retain(|(known, _)| *known != run);
        if let Some(plan) = plan {
            kept.put(run, plan);
        }
    }
}

impl Kept {
    fn put(&mut self, run: RunId, plan: Arc<RunPlan>) {
        self.plans.retain(|(known, _)| *known != run);
        self.plans.push_back((run, plan));
        while self.plans.len() > limits::PLANS_CACHED_MAX {
            self.plans.pop_front();
        }
    }
}

/// Writes the plan of a new run, and the run's own row with what never changes.
pub(super) async fn insert(conn: &mut Conn, run: RunId, plan: &Arc<RunPlan>) -> Result<(), StoreError> {
    let tests = u64::try_from(plan.tests.len()).unwrap_or(u64::MAX);
    let sql = "INSERT INTO run (id, project, owner, tests, temporary, retry_of, is_open, state, submitted, seq) \
               VALUES ($1, $2, $3, $4, $5, $6, 1, 'queued', 0, 0)";
    let (user, options) = (plan.user.as_str(), &plan.options);
    let retry_of = options.retry_of.map(|run| run.0);
    let binds = binds![run.0, plan.project.as_str(), user, tests, options.temporary, retry_of];
    conn.run(sql, binds).await?;
    let shared = Arc::clone(plan);
    let body = encode(move || serde_json::to_vec(&*shared)).await?;
    let body = conn.seal().seal(&plan_place(run), &body)?;
    conn.run("INSERT INTO plan (run, body) VALUES ($1, $2)", binds![run.0, body]).await?;
    super::counter::raise(conn, super::counter::RUN, run.0).await
}

/// Writes tests that were added while the run ran.
pub(super) async fn queue(
    conn: &mut Conn,
    run: RunId,
    first: TestIndex,
    tests: Vec<PlannedTest>,
) -> Result<(), StoreError> {
    let count = u32::try_from(tests.len()).unwrap_or(u32::MAX);
    let body = encode(move || serde_json::to_vec(&tests)).await?;
    let body = conn.seal().seal(&queued_place(run, first), &body)?;
    let sql = "INSERT INTO queued (run, first_test, body) VALUES ($1, $2, $3) \
               ON CONFLICT (run, first_test) DO UPDATE SET body = excluded.body";
    conn.run(sql, binds![run.0, first.0, body]).await?;
    let sql = "UPDATE run SET tests = CASE WHEN tests < $2 THEN $2 ELSE tests END WHERE id = $1";
    conn.run(sql, binds![run.0, first.0.saturating_add(count)]).await?;
    Ok(())
}

/// The plan as it was accepted, without the tests that came later.
pub(super) async fn fetch(conn: &mut Conn, run: RunId) -> Result<Option<RunPlan>, StoreError> {
    let Some(line) = conn.row("SELECT body FROM plan WHERE run = $1", binds![run.0]).await? else {
        return Ok(None);
    };
    decode(conn.seal().open(&plan_place(run), &line.bytes(0)?)?).await.map(Some)
}

/// Tests that came later, by the number of the first.
pub(super) async fn queued(
    conn: &mut Conn,
    run: RunId,
) -> Result<Vec<(TestIndex, Vec<PlannedTest>)>, StoreError> {
    let sql = "SELECT first_test, body FROM queued WHERE run = $1 ORDER BY first_test";
    let mut all = Vec::new();
    for line in conn.rows(sql, binds![run.0]).await? {
        let first = TestIndex(line.number(0)?);
        let body = conn.seal().open(&queued_place(run, first), &line.bytes(1)?)?;
        all.push((first, decode(body).await?));
    }
    Ok(all)
}

/// The plan with every test, those that came later included.
pub(super) async fn whole(conn: &mut Conn, run: RunId) -> Result<Option<RunPlan>, StoreError> {
    let Some(mut plan) = fetch(conn, run).await? else { return Ok(None) };
    for (_, tests) in queued(conn, run).await? {
        plan.tests.extend(tests);
    }
    Ok(Some(plan))
}

fn plan_place(run: RunId) -> String {
    place("plan", &[run.to_string()])
}

fn queued_place(run: RunId, first: TestIndex) -> String {
    place("queued", &[run.to_string(), first.to_string()])
}

async fn encode(
    json: impl FnOnce() -> Result<Vec<u8>, serde_json::Error> + Send + 'static,
) -> Result<Vec<u8>, StoreError> {
    blocking(move || {
        let text =
            json().map_err(|error| StoreError::corrupt(format!("a plan cannot be written: {error}")))?;
        zstd::bulk::compress(&text, 1)
            .map_err(|error| StoreError::corrupt(format!("a plan cannot be packed: {error}")))
    })
    .await
}

/// The plan of a run, and tests that came later, as they were written.
pub(super) async fn texts(conn: &mut Conn, run: RunId) -> Result<Vec<Vec<u8>>, StoreError> {
    let mut bodies = Vec::new();
    for line in conn.rows("SELECT body FROM plan WHERE run = $1", binds![run.0]).await? {
        bodies.push(conn.seal().open(&plan_place(run), &line.bytes(0)?)?);
    }
    let sql = "SELECT first_test, body FROM queued WHERE run = $1";
    for line in conn.rows(sql, binds![run.0]).await? {
        let first = TestIndex(line.number(0)?);
        bodies.push(conn.seal().open(&queued_place(run, first), &line.bytes(1)?)?);
    }
    blocking(move || {
        let unpacked = bodies.iter().map(|body| zstd::stream::decode_all(body.as_slice()));
        unpacked
            .collect::<Result<_, _>>()
            .map_err(|error| StoreError::corrupt(format!("a plan cannot be unpacked: {error}")))
    })
    .await
}

async fn decode<T: serde::de::DeserializeOwned + Send + 'static>(body: Vec<u8>) -> Result<T, StoreError> {
    blocking(move || {
        let reader = zstd::stream::read::Decoder::new(body.as_slice())
            .map_err(|error| StoreError::corrupt(format!("a plan cannot be unpacked: {error}")))?;
        serde_json::from_reader(std::io::BufReader::new(reader))
            .map_err(|error| StoreError::corrupt(format!("a plan cannot be read: {error}")))
    })
    .await
}

/// Plans of 100,000 tests take a while to pack: not on a thread that serves sockets.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StoreError> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|error| StoreError::corrupt(format!("packing a plan did not finish: {error}")))?
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::tests::fixture::plan;

    #[test]
    fn what_was_read_before_a_change_is_not_kept() {
        let (plans, run) = (Plans::default(), RunId(1));
        let read = plans.generation();
        // A commit adds a test, between the look at the store and its answer.
        plans.changed(run, None);
        plans.put_read(run, plan("demo", 1), read);
        assert!(plans.get(run).is_none(), "the old plan would be shown for good");
        plans.put_read(run, plan("demo", 2), plans.generation());
        assert_eq!(plans.get(run).unwrap().tests.len(), 2);
    }
}
