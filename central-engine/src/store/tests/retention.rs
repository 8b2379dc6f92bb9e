use std::collections::BTreeSet;

use jackfield_protocol::{
    event::RunState,
    id::{BlobHash, RunId},
    time::Time,
};
use jackfield_scheduler::effect::Row;

use super::{
    both::both,
    fixture::{attempts, begun, failed, passed, plan, run_row},
};
use crate::store::{self, Batch, attempt::Artifact, job::Work};

const OLD: RunId = RunId(4);
const OPEN: RunId = RunId(5);

#[tokio::test]
async fn a_run_goes_in_two_steps_and_its_neighbour_stays() {
    for fresh in both().await {
        let store = &fresh.store;
        let contents = BlobHash([0x1f; 32]);
        for run in [OLD, OPEN] {
            let mut plan = jackfield_protocol::plan::RunPlan::clone(&plan("demo", 2));
            plan.files.insert("tests/t0.py".into(), BlobHash([u8::try_from(run.0).unwrap(); 32]));
            store.commit(begun(run, &plan.into(), RunState::Running)).await.unwrap();
            let mut batch = attempts([passed(run, 0), failed(run, 1)]);
            let attempt = passed(run, 0).attempt;
            batch.artifacts.push(Artifact { attempt, name: "x".into(), hash: contents });
            store.commit(batch).await.unwrap();
        }
        let ended = Batch { rows: vec![Row::Run(run_row(OLD, RunState::Completed))], ..Batch::default() };
        store.commit(ended).await.unwrap();

        let mut conn = store.write().await.unwrap();
        let found = store::retention::ended(&mut conn).await.unwrap();
        assert_eq!(found.len(), 1);
        let about = (found[0].run, found[0].ended, found[0].kept, found[0].wanted);
        assert_eq!(about, (OLD, Time(9_000), false, false));
        assert!(store::retention::may_go(&mut conn, OLD).await.unwrap());
        assert!(!store::retention::may_go(&mut conn, OPEN).await.unwrap());
        assert!(!store::retention::may_go(&mut conn, RunId(99)).await.unwrap());
        assert!(store::retention::keep(&mut conn, OLD, true).await.unwrap());
        assert!(!store::retention::keep(&mut conn, RunId(99), true).await.unwrap());
        assert!(!store::retention::may_go(&mut conn, OLD).await.unwrap());
        assert!(store::run::summary(&mut conn, OLD).await.unwrap().unwrap().kept);
        assert!(store::retention::keep(&mut conn, OLD, false).await.unwrap());
        store::job::enqueue(&mut conn, Time(1), &[Work::FinishRun { run: OLD }]).await.unwrap();
        assert!(!store::retention::may_go(&mut conn, OLD).await.unwrap());
        assert!(store::retention::ended(&mut conn).await.unwrap()[0].wanted);
        assert_eq!(store::retention::newest_moment(&mut conn, Time(9_001)).await.unwrap(), Some(Time(9_000)));
        assert_eq!(store::retention::newest_moment(&mut conn, Time(1_001)).await.unwrap(), Some(Time(1_000)));
        conn.commit().await.unwrap();

        let files: BTreeSet<BlobHash> = [4, 5, 0x1f].map(|byte| BlobHash([byte; 32])).into();
        assert_eq!(store::retention::named_contents(store).await.unwrap(), files);
        let mut conn = store.write().await.unwrap();
        store::retention::forget(&mut conn, OLD).await.unwrap();
        conn.commit().await.unwrap();
        let mut conn = store.write().await.unwrap();
        assert_eq!(store::retention::half_gone(&mut conn).await.unwrap(), [OLD]);
        let both: BTreeSet<RunId> = [OLD, OPEN].into();
        assert_eq!(store::retention::there(&mut conn, &both).await.unwrap(), [OPEN].into());
        while store::retention::clear_some(&mut conn, OLD).await.unwrap() {}
        conn.commit().await.unwrap();
        let mut conn = store.read().await.unwrap();
        assert_eq!(store::retention::half_gone(&mut conn).await.unwrap(), []);
        assert_eq!(store::retention::artifacts(&mut conn, OLD).await.unwrap(), BTreeSet::new());
        assert_eq!(store::retention::artifacts(&mut conn, OPEN).await.unwrap(), [contents].into());
        drop(conn);
        let files: BTreeSet<BlobHash> = [5, 0x1f].map(|byte| BlobHash([byte; 32])).into();
        assert_eq!(store::retention::named_contents(store).await.unwrap(), files);
        assert_eq!(store.plan(OPEN).await.unwrap().unwrap().tests.len(), 2);
    }
}
