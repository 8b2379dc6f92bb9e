//! One day: what clients, the EP and readers do, and what must hold at its end.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use actix_web::web;
use jackfield_protocol::{
    event::Fact,
    id::{RunId, SuiteIndex},
    plan::{HookScript, PlannedTest, RunPlan, Save},
};
use jackfield_scheduler::Event;
use jackfield_tests::dice::Dice;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::{
    ep::Ep,
    mail::{self, Taken},
};
use crate::{
    app::App,
    engine::Start,
    jobs,
    lab_db::tests as lab_db,
    store::{self, Store, audit::Deed, faults::Faults, tests::fixture},
};

/// Rounds until everything that was begun must have come to its end: half an hour of virtual time.
const ROUNDS_MAX: u32 = 2_500;

pub(super) struct Day {
    seed: u64,
    app: web::Data<App>,
    folder: tempfile::TempDir,
    dice: Dice,
    ep: Ep,
    clients: JoinSet<Answer>,
    /// The runs by the keys of those who started them.
    started: BTreeMap<String, BTreeSet<RunId>>,
    keys: u32,
    queued: BTreeMap<RunId, BTreeSet<String>>,
    tests: u32,
    taken: Taken,
    calm: Arc<AtomicBool>,
    /// While it waits, time does not go on by itself.
    _still: std::sync::mpsc::Sender<()>,
}

/// What a client was answered.
enum Answer {
    Started(String, RunId),
    Queued(RunId, String),
    Nothing,
}

impl Day {
    pub(super) async fn begin(seed: u64) -> Self {
        let (still, held) = std::sync::mpsc::channel::<()>();
        tokio::task::spawn_blocking(move || held.recv());
        let taken = Taken::default();
        let (calm, faults) = (Arc::new(AtomicBool::new(false)), Faults::default());
        let port = mail::serve(seed, Arc::clone(&taken), Arc::clone(&calm), faults.clone()).await;
        let folder = folder();
        write_lab(folder.path(), port).await;
        let (lab, settings) = crate::open_lab(folder.path(), None).unwrap();
        std::fs::create_dir_all(&settings.data.folder).unwrap();
        let address = SocketAddr::from(([127, 0, 0, 1], 8000));
        let (app, commands) = crate::assemble(lab, settings, address).await.unwrap();
        tokio::spawn(pass_time([app.store.faults().clone(), faults], app.stop.clone()));
        let (failure, _) = tokio::sync::mpsc::channel(1);
        tokio::spawn(crate::keep_running(app.clone(), Default::default(), commands, failure));
        tokio::spawn(jobs::work(app.clone()));
        Self {
            seed,
            app,
            folder,
            dice: Dice::new(seed),
            ep: Ep::new("EP-1"),
            clients: JoinSet::new(),
            started: BTreeMap::new(),
            keys: 0,
            queued: BTreeMap::new(),
            tests: 0,
            taken,
            calm,
            _still: still,
        }
    }

    pub(super) fn store(&self) -> &Store {
        &self.app.store
    }

    /// How often the EP was cut off.
    pub(super) fn ep_lost(&self) -> u32 {
        self.ep.lost
    }

    /// So many rounds in which clients come.
    pub(super) async fn work(&mut self, rounds: u32) {
        for _ in 0..rounds {
            match self.dice.below(6) {
                0 if self.dice.percent(50) => self.submit(),
                1..5 => self.queue(),
                _ => {}
            }
            self.round().await;
        }
    }

    async fn round(&mut self) {
        self.ep.step(&self.app, &mut self.dice).await;
        let millis = self.dice.between(1, 1_500);
        tokio::time::sleep(Duration::from_millis(millis)).await;
        while let Some(done) = self.clients.try_join_next() {
            match done.unwrap() {
                Answer::Started(key, run) => drop(self.started.entry(key).or_default().insert(run)),
                Answer::Queued(run, test) => drop(self.queued.entry(run).or_default().insert(test)),
                Answer::Nothing => {}
            }
        }
    }

    /// One key, asked for twice at once, once more later, and again by whoever was answered with an error.
    fn submit(&mut self) {
        self.keys += 1;
        let key = format!("ci-{}", self.keys);
        let mut plan = RunPlan::clone(&fixture::plan("demo", 2));
        plan.options.save = Save::Save;
        if self.dice.percent(20) {
            plan.options.script_pre = Some(HookScript { path: "hangs.sh".into(), ep: None });
        }
        for wait in [0, 0, self.dice.between(1, 20_000)] {
            let (app, key, plan) = (self.app.clone(), key.clone(), plan.clone());
            self.clients.spawn(async move {
                tokio::time::sleep(Duration::from_millis(wait)).await;
                loop {
                    let start = Start {
                        plan: plan.clone(),
                        key: Some(key.clone()),
                        deed: ("run.start", "demo".to_owned()),
                    };
                    match app.engine.start(start).await {
                        Ok(run) => return Answer::Started(key, run),
                        Err(_) => tokio::time::sleep(Duration::from_secs(2)).await,
                    }
                }
            });
        }
    }

    /// A test more for a run that goes on, while others read its plan, as pages and reports do.
    fn queue(&mut self) {
        let runs: BTreeSet<RunId> = self.started.values().flatten().copied().collect();
        // Those that are most likely open: many come to one at once.
        let newest: Vec<RunId> = runs.into_iter().rev().take(3).collect();
        let Some(run) = self.dice.pick(&newest).copied() else { return };
        self.tests += 1;
        let id = format!("more-{}", self.tests);
        let test = PlannedTest::new(id.as_str(), SuiteIndex(0), "tests/more.py");
        let (app, wait) = (self.app.clone(), Duration::from_millis(self.dice.between(0, 1_000)));
        self.clients.spawn(async move {
            let by = jackfield_protocol::id::UserName::from("ana");
            let deed = Deed::new(&by, "run.queue", run, id.as_str());
            let queued = Event::TestsQueued { run, suite: SuiteIndex(0), tests: vec![test], by };
            tokio::time::sleep(wait).await;
            match app.engine.deed(vec![queued], deed).await {
                Ok(()) => {
                    // Whoever was told that it is there finds it there, from now on.
                    for _ in 0..4 {
                        if let Ok(Some(plan)) = app.store.plan(run).await {
                            let is_there = plan.tests.iter().any(|test| *test.id == *id);
                            assert!(is_there, "run {run} was given {id}, and its plan does not have it");
                        }
                        tokio::time::sleep(Duration::from_millis(1_000)).await;
                    }
                    Answer::Queued(run, id)
                }
                Err(_) => Answer::Nothing,
            }
        });
        for _ in 0..5 {
            let (app, wait) = (self.app.clone(), self.dice.between(0, 2_000));
            self.clients.spawn(async move {
                tokio::time::sleep(Duration::from_millis(wait)).await;
                drop(app.store.plan(run).await);
                Answer::Nothing
            });
        }
    }

    /// Lets everything come to its end, and looks at what is left.
    pub(super) async fn end(&mut self) {
        let seed = self.seed;
        self.calm.store(true, Ordering::Relaxed);
        for round in 0.. {
            if round >= ROUNDS_MAX {
                let jobs = store::job::list(&mut self.store().read().await.unwrap(), None, 9).await.unwrap();
                let why = self
                    .app
                    .engine
                    .ask(|scheduler| scheduler.runs().map(|run| scheduler.why(run)).collect::<Vec<_>>());
                panic!("seed {seed}: the day does not end: {jobs:?}, {:?}", why.await);
            }
            self.round().await;
            if round % 20 == 0 && self.clients.is_empty() && self.is_over().await {
                break;
            }
        }
        self.check().await;
        self.app.stop.cancel();
    }

    async fn is_over(&self) -> bool {
        let open = self.app.engine.ask(|scheduler| scheduler.runs().count());
        let open = tokio::time::timeout(Duration::from_secs(1), open).await;
        let jobs = store::job::counts(&mut self.store().read().await.unwrap()).await.unwrap();
        matches!(open, Ok(Ok(0))) && jobs.waiting == 0
    }

    async fn check(&self) {
        let seed = self.seed;
        let mut all = BTreeSet::new();
        for (key, runs) in &self.started {
            assert_eq!(runs.len(), 1, "seed {seed}: key {key} started {runs:?}");
            all.extend(runs);
        }
        assert_eq!(u32::try_from(self.started.len()).unwrap(), self.keys, "seed {seed}: nobody is forgotten");
        let mut conn = self.store().read().await.unwrap();
        let filter = store::run::Filter::default();
        let listed = store::run::list(&mut conn, &filter, None, 1_000).await.unwrap().items;
        let listed: BTreeSet<RunId> = listed.into_iter().map(|run| run.id).collect();
        assert_eq!(listed, all, "seed {seed}: each key started one run, and nothing else did");
        let left = store::job::list(&mut conn, None, 100).await.unwrap();
        assert!(left.is_empty(), "seed {seed}: {left:?}");
        let audited =
            store::audit::list(&mut conn, &store::audit::Filter::default(), None, 1_000).await.unwrap();
        let starts = audited.iter().filter(|line| line.action == "run.start").count();
        assert_eq!(starts, all.len(), "seed {seed}: a line of the audit log for each");
        drop(conn);
        for run in all {
            self.check_run(run).await;
        }
    }

    async fn check_run(&self, run: RunId) {
        let seed = self.seed;
        let queued = self.queued.get(&run).cloned().unwrap_or_default();
        let plan = self.store().plan(run).await.unwrap().unwrap();
        let known: BTreeSet<String> = plan.tests.iter().map(|test| test.id.to_string()).collect();
        assert!(
            queued.is_subset(&known),
            "seed {seed}: run {run} was given {queued:?}, its plan has {known:?}"
        );
        let mut conn = self.store().read().await.unwrap();
        let summary = store::run::summary(&mut conn, run).await.unwrap().unwrap();
        assert_eq!(usize::try_from(summary.tests).unwrap(), plan.tests.len(), "seed {seed}: run {run}");
        let rows = store::attempt::of_tests(&mut conn, run, 0..summary.tests).await.unwrap();
        let ended = rows.iter().filter(|row| row.end.is_some()).count();
        assert_eq!(ended, plan.tests.len(), "seed {seed}: each test of run {run} has ended once");
        let events = store::event::after(&mut conn, run, 0, 10_000).await.unwrap();
        let ends = events.iter().filter(|event| matches!(event.fact, Fact::Ended { .. })).count();
        assert_eq!(ends, 1, "seed {seed}: run {run}");
        assert!(
            events.iter().zip(1..).all(|(event, seq)| event.seq == seq),
            "seed {seed}: run {run} counts on"
        );
        drop(conn);
        let id = format!("<jackfield-run-{run}.");
        for (who, times) in [("<ana@x.example>", 1), ("<slow@x.example>", 1), ("<gone@x.example>", 0)] {
            let taken = self.taken.lock().unwrap();
            let got: u32 = taken
                .iter()
                .filter(|((mail, to), _)| mail.starts_with(&id) && to == who)
                .map(|(_, times)| times)
                .sum();
            let told: Vec<_> =
                events.iter().filter(|event| matches!(event.fact, Fact::Note { .. })).collect();
            assert_eq!(got, times, "seed {seed}: mails of run {run} for {who}: {taken:?}; {told:?}");
        }
        let sql = format!("SELECT CAST(COUNT(*) AS TEXT) FROM results WHERE run = {run}");
        let saved = lab_db::text(self.folder.path(), &sql).await.unwrap();
        assert_eq!(
            saved,
            plan.tests.len().to_string(),
            "seed {seed}: rows of run {run} in the lab's database"
        );
    }
}

/// Lets time go on until the day is over, in small steps, except while the database or the mail server works.
async fn pass_time(workers: [Faults; 2], over: CancellationToken) {
    while !over.is_cancelled() {
        tokio::task::spawn_blocking(std::thread::yield_now).await.unwrap();
        if !workers.iter().any(Faults::is_busy) {
            tokio::time::advance(Duration::from_millis(20)).await;
        }
    }
}

/// In memory, where the machine has such a place: a day makes thousands of small files durable.
fn folder() -> tempfile::TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap()
}

async fn write_lab(folder: &std::path::Path, port: u16) {
    let write = |name: &str, text: &str| std::fs::write(folder.join(name), text).unwrap();
    let email = format!(
        "<Root>\n<Enabled>1</Enabled>\n<SMTPPath>127.0.0.1:{port}</SMTPPath>\n<From>lab@x.example</From>\n\
         <To>ana@x.example;slow@x.example;gone@x.example</To>\n<Subject>done</Subject>\n<Message>done</Message>\n</Root>\n"
    );
    write("email.xml", &email);
    let sql = "INSERT INTO results (run, test) VALUES ($jackfield_run, '$twister_tc_name')";
    write(
        "db.xml",
        &format!(
            "<Root>\n<db_config><url>sqlite:results.db</url></db_config>\n<insert_section>\n\
             <sql_statement>{sql}</sql_statement>\n</insert_section>\n</Root>\n"
        ),
    );
    write("engine.toml", "[hooks]\ntimeout = \"20s\"\nstop_grace = \"1s\"\n[mail]\ntimeout = \"60s\"\n");
    write("hangs.sh", "#!/bin/sh\nexec sleep 100000\n");
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(folder.join("hangs.sh"), mode).unwrap();
    lab_db::execute(folder, "CREATE TABLE results (run INTEGER, test TEXT)").await;
}
