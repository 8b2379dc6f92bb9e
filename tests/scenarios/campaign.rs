//! A campaign against a lab under load: engine and EPs killed and stopped, clocks set, a disk filled, spools damaged, in any order. At its end each
//! test has one verdict, none was begun twice, and every loss says what was lost.
//!
//! Short by default; `JACKFIELD_BLOWS` says how many blows fall (200 take half an hour), `JACKFIELD_FUZZ_SEED` in which order.

use std::{collections::BTreeMap, fs, path::PathBuf, time::Duration};

use jackfield_protocol::{
    id::RunId,
    verdict::{Cause, TestState, Verdict},
};
use jackfield_tests::{Bench, dice::Dice, full_disk::SmallDisk, wait};
use rustix::process::Signal;

use crate::crash::{SHORT, check_verdicts};

/// Blows where nobody says how many.
const BLOWS: u64 = 12;
/// Tests of one run.
const TESTS: usize = 60;
const LIMIT: Duration = Duration::from_secs(180);
const EPS: [&str; 2] = ["EP-1", "EP-2"];

/// What may happen to a lab.
#[derive(Clone, Copy, Debug)]
enum Blow {
    Engine,
    Ep,
    Both,
    Spool,
    Disk,
    Clock,
    Stop,
}

const SOME: [Blow; 12] = [
    Blow::Engine,
    Blow::Engine,
    Blow::Engine,
    Blow::Ep,
    Blow::Ep,
    Blow::Ep,
    Blow::Both,
    Blow::Both,
    Blow::Spool,
    Blow::Disk,
    Blow::Clock,
    Blow::Stop,
];

struct Lab {
    bench: Bench,
    disk: SmallDisk,
    /// Each for the EP that it is for.
    runs: Vec<(&'static str, RunId)>,
}

impl Lab {
    fn start() -> Self {
        let mut bench = Bench::start(SHORT).unwrap();
        let text = format!(
            "#!/bin/sh\necho $JACKFIELD_ATTEMPT >> {}\necho begin\nsleep 0.05\necho end\n",
            bench.path().join("ran").display()
        );
        bench.write("tests/step.sh", &text).unwrap();
        let work = bench.path().join("small");
        let disk = SmallDisk::mount(&work, 48).unwrap();
        let clock = bench.path().join("clock");
        fs::write(&clock, "+0").unwrap();
        bench.set_clock_by(&clock);
        bench.kill_engine();
        bench.start_engine().unwrap();
        bench.start_ep("EP-1", &format!("work = {:?}\n", work.join("work"))).unwrap();
        bench.start_ep("EP-2", "").unwrap();
        Self { bench, disk, runs: Vec::new() }
    }

    /// Two runs are under way, one for each EP.
    fn load(&mut self) {
        for ep in EPS {
            let case = "<TestCase><tcName>step.sh</tcName></TestCase>".repeat(TESTS);
            let xml = format!(
                "<Root><OnEpLost>wait</OnEpLost><TestSuite><tsName>a</tsName><EpId>{ep}</EpId>{case}</TestSuite></Root>"
            );
            let is_open = |run: RunId| {
                let tests = self.bench.api.tests(run).unwrap_or_default();
                tests.iter().any(|test| !matches!(test.state, TestState::Ended(_)))
            };
            if !self.runs.iter().any(|(of, run)| *of == ep && is_open(*run)) {
                let run = self.bench.api.submit("load", &xml).unwrap();
                self.runs.push((ep, run));
            }
        }
    }

    /// Waits until a few more tests have begun.
    fn breathe(&self, tests: usize) {
        let before = begun(&self.bench).len();
        // A lab that has nothing left to do begins none.
        drop(wait::until(Duration::from_secs(5), "tests to begin", || {
            Ok((begun(&self.bench).len() >= before + tests).then_some(()))
        }));
    }

    fn spool(&self, ep: &str) -> PathBuf {
        let work = if ep == "EP-1" {
            self.bench.path().join("small/work")
        } else {
            self.bench.path().join("eps/EP-2/work")
        };
        work.join("reports")
    }

    fn strike(&mut self, blow: Blow, dice: &mut Dice) {
        let ep = *dice.pick(&EPS).unwrap();
        match blow {
            Blow::Engine => {
                self.bench.kill_engine();
                self.bench.start_engine().unwrap();
            }
            Blow::Ep => {
                self.bench.kill_ep(ep);
                self.bench.start_ep(ep, "").unwrap();
            }
            Blow::Both => {
                self.bench.kill_engine();
                self.bench.kill_ep(ep);
                self.bench.launch_ep(ep, "").unwrap();
                self.bench.start_engine().unwrap();
            }
            Blow::Spool => {
                self.bench.kill_engine();
                self.breathe(1);
                self.bench.kill_ep(ep);
                damage(&self.spool(ep), dice);
                self.bench.launch_ep(ep, "").unwrap();
                self.bench.start_engine().unwrap();
            }
            Blow::Disk => {
                self.disk.fill().unwrap();
                self.breathe(3);
                if dice.percent(50) {
                    self.bench.kill_ep("EP-1");
                    self.disk.make_room().unwrap();
                    self.bench.start_ep("EP-1", "").unwrap();
                } else {
                    self.disk.make_room().unwrap();
                }
            }
            Blow::Clock => {
                let hours = dice.between(1, 12);
                let sign = if dice.percent(50) { '+' } else { '-' };
                fs::write(self.bench.path().join("clock"), format!("{sign}{hours}h")).unwrap();
            }
            Blow::Stop => {
                self.bench.ep(ep).signal(Signal::STOP);
                self.breathe(5);
                self.bench.ep(ep).signal(Signal::CONT);
            }
        }
    }
}

/// Turns some bytes of a spool over.
fn damage(spool: &PathBuf, dice: &mut Dice) {
    let Ok(mut bytes) = fs::read(spool) else { return };
    for _ in 0..3 {
        let at = usize::try_from(dice.below(u64::try_from(bytes.len()).unwrap())).unwrap();
        if let Some(byte) = bytes.get_mut(at) {
            *byte ^= 0x41;
        }
    }
    fs::write(spool, bytes).unwrap();
}

/// The attempts that were begun, each as often as it was.
fn begun(bench: &Bench) -> Vec<String> {
    let text = fs::read_to_string(bench.path().join("ran")).unwrap_or_default();
    text.lines().map(str::to_owned).collect()
}

/// One verdict for each test, which is what was begun, once; and each loss says so.
fn check(lab: &Lab) -> BTreeMap<&'static str, usize> {
    let mut times: BTreeMap<String, usize> = BTreeMap::new();
    for attempt in begun(&lab.bench) {
        let test = attempt.rsplit_once('.').unwrap().0.to_owned();
        *times.entry(test).or_default() += 1;
    }
    let twice: Vec<_> = times.iter().filter(|(_, times)| **times > 1).collect();
    assert!(twice.is_empty(), "begun twice: {twice:?}");
    let mut counts = BTreeMap::new();
    for (_, run) in &lab.runs {
        let tests = lab.bench.api.tests(*run).unwrap();
        assert_eq!(tests.len(), TESTS);
        check_verdicts(&lab.bench.api.events(*run).unwrap(), &tests);
        for test in tests {
            let was_begun = times.contains_key(&format!("{run}.{}", test.test));
            if test.state == TestState::Ended(Verdict::Pass) {
                assert!(was_begun, "{run}.{} passed and never ran", test.test);
                *counts.entry("passed").or_default() += 1;
            } else {
                assert_eq!(test.cause, Some(Cause::Lab), "{run}.{}: {}", test.test, test.reason);
                assert!(!test.reason.is_empty(), "{run}.{} is lost without a word", test.test);
                *counts.entry("lost, and told").or_default() += 1;
            }
        }
    }
    counts
}

#[test]
#[expect(clippy::disallowed_methods, reason = "a person says how long")]
fn a_lab_that_is_struck_again_and_again_tells_one_truth() {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse().ok());
    let (blows, seed) =
        (number("JACKFIELD_BLOWS").unwrap_or(BLOWS), number("JACKFIELD_FUZZ_SEED").unwrap_or(1));
    let mut dice = Dice::new(seed);
    let mut lab = Lab::start();
    for number in 0..blows {
        lab.load();
        lab.breathe(usize::try_from(dice.between(1, 8)).unwrap());
        // The first ones are one of each kind.
        let blow = usize::try_from(number).ok().and_then(|number| SOME.get(number).copied());
        let blow = blow.or_else(|| dice.pick(&SOME).copied()).unwrap();
        eprintln!("seed {seed}, blow {number}: {blow:?}");
        lab.strike(blow, &mut dice);
    }
    for (_, run) in &lab.runs {
        lab.bench.api.wait(*run, LIMIT).unwrap();
    }
    let counts = check(&lab);
    eprintln!("{blows} blows, {} runs: {counts:?}", lab.runs.len());
    assert!(counts.get("passed").is_some_and(|passed| *passed > TESTS), "{counts:?}");
    let log = lab.bench.engine_log();
    assert!(!log.contains("panicked"), "{log}");
}
