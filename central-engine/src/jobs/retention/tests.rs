use std::{
    future::poll_fn,
    net::SocketAddr,
    pin::pin,
    task::Poll,
    time::{Duration, SystemTime},
};

use jackfield_protocol::{
    event::RunState,
    id::{AttemptId, BlobHash, TestIndex},
    log::Stream,
    plan::RunPlan,
};
use jackfield_scheduler::effect::Row;

use super::*;
use crate::{
    logs::LogKey,
    store::{
        attempt::Artifact,
        job::Work,
        tests::fixture::{attempts, begun, failed, passed, plan, run_row},
    },
};

/// The runs of [`lab`], but for the one that goes on.
const ENDED: std::ops::RangeInclusive<u64> = 1..=12;
const KEPT: RunId = RunId(2);
const MAIL_IS_DUE: RunId = RunId(3);
const NOT_SAVED: RunId = RunId(4);
const GOES_ON: RunId = RunId(13);
/// Those that go where the newest three stay.
const GONE: [u64; 6] = [1, 5, 6, 7, 8, 9];

struct Lab {
    app: web::Data<App>,
    _folder: tempfile::TempDir,
}

fn file_of(run: u64) -> Vec<u8> {
    format!("print({run})").into_bytes()
}

fn attempt_of(run: RunId) -> AttemptId {
    AttemptId { run, test: TestIndex(0), attempt: 1 }
}

/// A lab with these rules and runs, each with a file, an artifact and a log of its own, and a file that all share.
async fn lab(rules: &str) -> Lab {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("engine.toml"), format!("[retention]\n{rules}\n")).unwrap();
    let (lab, settings) = crate::open_lab(folder.path(), None).unwrap();
    std::fs::create_dir_all(&settings.data.folder).unwrap();
    let (app, _) = crate::assemble(lab, settings, SocketAddr::from(([127, 0, 0, 1], 8000))).await.unwrap();
    for run in ENDED.map(RunId).chain([GOES_ON]) {
        let mut plan = RunPlan::clone(&plan("demo", 2));
        plan.files.insert("tests/t0.py".into(), app.blobs.put(&file_of(run.0)).unwrap());
        plan.files.insert("tests/t1.py".into(), app.blobs.put(b"shared").unwrap());
        app.store.commit(begun(run, &plan.into(), RunState::Running)).await.unwrap();
        let hash = app.blobs.put(format!("capture of {run}").as_bytes()).unwrap();
        let mut batch = attempts([passed(run, 0), failed(run, 1)]);
        batch.artifacts.push(Artifact { attempt: attempt_of(run), name: "x.pcap".into(), hash });
        if run != GOES_ON {
            batch.rows.push(Row::Run(run_row(run, RunState::Completed)));
        }
        app.store.commit(batch).await.unwrap();
        app.logs.write(attempt_of(run), Stream::Cli, 0, format!("log of {run}")).await.unwrap();
    }
    let mut conn = app.store.write().await.unwrap();
    assert!(store::retention::keep(&mut conn, KEPT, true).await.unwrap());
    let work = [Work::MailRun { run: MAIL_IS_DUE, to: Default::default() }, Work::SaveRun { run: NOT_SAVED }];
    store::job::enqueue(&mut conn, Time(1), &work).await.unwrap();
    let save = store::job::of_run(&mut conn, NOT_SAVED).await.unwrap().remove(0);
    store::job::failed(&mut conn, save.id, &save.work, 20, None, "no such table").await.unwrap();
    conn.commit().await.unwrap();
    Lab { app, _folder: folder }
}

impl Lab {
    /// Everything that was stored by content was stored long ago.
    fn make_files_old(&self) {
        let long_ago = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000);
        for shard in std::fs::read_dir(self.app.blobs.folder()).unwrap() {
            for file in std::fs::read_dir(shard.unwrap().path()).unwrap() {
                let file = std::fs::File::options().write(true).open(file.unwrap().path()).unwrap();
                file.set_modified(long_ago).unwrap();
            }
        }
    }

    async fn is_there(&self, run: RunId) -> bool {
        store::run::summary(&mut self.app.store.read().await.unwrap(), run).await.unwrap().is_some()
    }

    fn has(&self, bytes: &[u8]) -> bool {
        self.app.blobs.contains(&BlobHash(*blake3::hash(bytes).as_bytes()))
    }

    /// Looks at each run: whole, or gone. Which are gone.
    async fn gone(&self) -> Vec<u64> {
        let mut gone = Vec::new();
        for run in ENDED.map(RunId).chain([GOES_ON]) {
            if !self.is_there(run).await {
                gone.push(run.0);
                continue;
            }
            let plan = self.app.store.plan(run).await.unwrap().unwrap();
            assert!(plan.files.values().all(|hash| self.app.blobs.contains(hash)), "files of run {run}");
            let mut conn = self.app.store.read().await.unwrap();
            let counts = store::run::summary(&mut conn, run).await.unwrap().unwrap().counts;
            assert_eq!(counts.values().sum::<u32>(), 2, "tests of run {run}");
            assert_eq!(
                store::event::after(&mut conn, run, 0, 9).await.unwrap().len(),
                1,
                "events of run {run}"
            );
            let kept = store::attempt::artifacts(&mut conn, attempt_of(run)).await.unwrap();
            assert!(self.app.blobs.contains(&kept[0].hash), "artifact of run {run}");
            let key = LogKey { attempt: attempt_of(run), stream: Stream::Cli };
            let log = self.app.logs.read(key, 0, 99).await.unwrap();
            assert_eq!(log.bytes, format!("log of {run}").into_bytes());
        }
        gone
    }

    /// Nothing is left of these runs, and nothing of others is missing.
    async fn check_gone(&self, expect: &[u64]) {
        assert_eq!(self.gone().await, expect);
        let with_logs = self.app.logs.runs().await.unwrap();
        for run in expect {
            assert!(!with_logs.contains(&RunId(*run)), "logs of run {run}");
            assert!(!self.has(&file_of(*run)), "file of run {run}");
            assert!(!self.has(format!("capture of {run}").as_bytes()), "artifact of run {run}");
        }
        assert!(self.has(b"shared"));
        let mut conn = self.app.store.read().await.unwrap();
        assert_eq!(store::retention::half_gone(&mut conn).await.unwrap(), []);
        for run in expect {
            assert_eq!(store::event::after(&mut conn, RunId(*run), 0, 9).await.unwrap(), []);
            assert_eq!(store::retention::artifacts(&mut conn, RunId(*run)).await.unwrap(), BTreeSet::new());
        }
        let lines = store::audit::list(&mut conn, &store::audit::Filter::default(), None, 99).await.unwrap();
        let mut told: Vec<u64> = lines
            .iter()
            .filter(|line| line.action == "run.prune")
            .map(|line| line.target.parse().unwrap())
            .collect();
        told.sort_unstable();
        assert_eq!(told, expect, "one line for each");
    }
}

/// Looks, and is killed at the so manieth step; whether it was done before.
async fn killed_at(app: &App, mut steps: usize) -> bool {
    let mut work = pin!(look(app));
    poll_fn(|context| match steps.checked_sub(1) {
        None => Poll::Ready(false),
        Some(left) => {
            steps = left;
            work.as_mut().poll(context).map(|_look| true)
        }
    })
    .await
}

#[tokio::test]
async fn the_newest_stay_and_what_is_wanted_does_too() {
    let lab = lab("runs = 3").await;
    lab.make_files_old();
    let due = due(&lab.app).await.unwrap();
    assert_eq!(due.going.iter().map(|going| going.run.0).collect::<Vec<_>>(), GONE);
    assert_eq!(lab.gone().await, Vec::<u64>::new(), "to look at what would go removes nothing");
    let done = look(&lab.app).await;
    assert_eq!((done.runs, done.files, &done.error), (6, 12, &None), "{done:?}");
    lab.check_gone(&GONE).await;
    let again = look(&lab.app).await;
    assert_eq!((again.runs, again.files), (0, 0));
}

#[tokio::test]
async fn a_kill_in_the_middle_loses_nothing_else_and_is_made_up_for() {
    let mut ends = BTreeSet::new();
    for steps in (5..1_000).step_by(41) {
        let lab = lab("runs = 3").await;
        lab.make_files_old();
        let done = killed_at(&lab.app, steps).await;
        let gone = lab.gone().await;
        assert!(gone.iter().all(|run| GONE.contains(run)), "{gone:?} after {steps} steps");
        ends.insert(gone.len());
        let rest = look(&lab.app).await;
        assert_eq!(rest.error, None);
        lab.check_gone(&GONE).await;
        if done {
            break;
        }
    }
    assert!(ends.len() > 3, "it was killed at different places: {ends:?}");
}

#[tokio::test]
async fn a_clock_far_ahead_of_all_that_is_known_lets_nothing_go_for_its_age() {
    let lab = lab("age = \"1d\"").await;
    lab.make_files_old();
    // The store's newest moment is of 1970, and it is later.
    let found = due(&lab.app).await.unwrap();
    assert_eq!(found.going, []);
    assert!(found.doubt.unwrap().contains("`jackfield runs prune` says so"));
    let nothing = look(&lab.app).await;
    assert_eq!((nothing.runs, nothing.files), (0, 0));
    lab.app.retention.ask();
    let done = look(&lab.app).await;
    assert_eq!(done.runs, 9, "all that have ended but the three that are wanted");
}

#[tokio::test]
async fn without_rules_only_files_that_nobody_names_go() {
    let lab = lab("").await;
    lab.app.blobs.put(b"of nobody").unwrap();
    lab.make_files_old();
    let done = look(&lab.app).await;
    assert_eq!((done.runs, done.files, done.file_bytes), (0, 1, 9), "{done:?}");
    assert_eq!(lab.gone().await, Vec::<u64>::new());
}

#[tokio::test]
async fn a_clock_far_ahead_empties_no_outbox() {
    let lab = lab("outbox = \"1d\"").await;
    std::fs::create_dir_all(&lab.app.jobs.outbox).unwrap();
    let file = std::fs::File::create(lab.app.jobs.outbox.join("run-1-a.eml")).unwrap();
    file.set_modified(std::time::SystemTime::UNIX_EPOCH).unwrap();
    assert_eq!(look(&lab.app).await.outbox, 0);
    lab.app.retention.ask();
    assert_eq!(look(&lab.app).await.outbox, 1);
}
