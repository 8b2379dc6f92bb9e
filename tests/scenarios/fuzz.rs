//! Garbage at every door: HTTP by the engine's own description, the link of EPs, the local API of tests. Nothing panics, hangs or grows, and what
//! is said properly afterwards is answered properly.
//!
//! Short by default; `JACKFIELD_FUZZ_SECONDS` makes it as long as one likes, `JACKFIELD_FUZZ_SEED` another one.

mod http;
mod link;
mod local;

use std::{
    fs,
    time::{Duration, Instant},
};

use jackfield_tests::{Bench, dice::Dice};
use serde_json::{Map, Value, json};

/// Seconds for each door where nobody says how many.
const SECONDS: u64 = 8;
/// An answer that takes longer counts as none.
const ANSWER: Duration = Duration::from_secs(10);

/// How long, and with which dice.
pub(crate) struct Campaign {
    seed: u64,
    seconds: u64,
    dice: Dice,
    end: Instant,
}

impl Campaign {
    #[expect(clippy::disallowed_methods, reason = "a person says how long, and real programs take real time")]
    pub(crate) fn begin() -> Self {
        let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse().ok());
        let seed = number("JACKFIELD_FUZZ_SEED").unwrap_or(1);
        let seconds = number("JACKFIELD_FUZZ_SECONDS").unwrap_or(SECONDS);
        Self { seed, seconds, dice: Dice::new(seed), end: Instant::now() + Duration::from_secs(seconds) }
    }

    #[expect(clippy::disallowed_methods, reason = "real programs take real time")]
    pub(crate) fn goes_on(&self) -> bool {
        Instant::now() < self.end
    }

    pub(crate) fn dice(&mut self) -> &mut Dice {
        &mut self.dice
    }
}

/// Texts that have broken something somewhere.
const TEXTS: [&str; 26] = [
    "",
    " ",
    "0",
    "-1",
    "1",
    "999999999999999999999999",
    "1e309",
    "NaN",
    "null",
    "true",
    "..",
    "../../etc/passwd",
    "~",
    "$HOME",
    "/",
    "//",
    "\u{0}",
    "\n",
    "\u{202e}txet",
    "😀",
    "'; DROP TABLE run;--",
    "{{7*7}}",
    "%s%n",
    "1.0.1",
    "x.system",
    "a:b/c?d#e",
];

/// Some text.
pub(crate) fn text(dice: &mut Dice) -> String {
    match dice.below(12) {
        0 => "a".repeat(usize::try_from(dice.between(200, 20_000)).unwrap()),
        1 => (0..dice.below(40))
            .filter_map(|_| char::from_u32(u32::try_from(dice.below(0x3000)).unwrap()))
            .collect(),
        _ => dice.pick(&TEXTS).copied().unwrap_or_default().to_owned(),
    }
}

/// Some JSON of any shape.
pub(crate) fn any(dice: &mut Dice, depth: u32) -> Value {
    match dice.below(if depth == 0 { 5 } else { 7 }) {
        0 => Value::Null,
        1 => dice.percent(50).into(),
        2 => json!(*dice.pick(&[0_i64, 1, -1, i64::MAX, i64::MIN, 65_536, 4_294_967_296]).unwrap()),
        3 => json!(*dice.pick(&[0.5, -1e300, 1e-300]).unwrap()),
        4 => text(dice).into(),
        5 => (0..dice.below(4)).map(|_| any(dice, depth - 1)).collect(),
        _ => Value::Object(
            (0..dice.below(4)).map(|_| (text(dice), any(dice, depth - 1))).collect::<Map<_, _>>(),
        ),
    }
}

/// The same with one value in it changed, left out or put in.
pub(crate) fn bent(dice: &mut Dice, value: &mut Value) {
    match value {
        Value::Object(fields) if !fields.is_empty() && dice.percent(85) => {
            let at = usize::try_from(dice.below(u64::try_from(fields.len()).unwrap())).unwrap();
            let name = fields.keys().nth(at).cloned().unwrap();
            match dice.below(6) {
                0 => drop(fields.remove(&name)),
                1 => drop(fields.insert(text(dice), any(dice, 2))),
                _ => bent(dice, fields.get_mut(&name).unwrap()),
            }
        }
        Value::Array(items) if !items.is_empty() && dice.percent(85) => {
            let at = usize::try_from(dice.below(u64::try_from(items.len()).unwrap())).unwrap();
            bent(dice, items.get_mut(at).unwrap());
        }
        _ => *value = any(dice, 2),
    }
}

/// Descriptors and memory of a process, in kilobytes.
fn weight(pid: u32) -> (usize, u64) {
    let open = fs::read_dir(format!("/proc/{pid}/fd")).map(Iterator::count).unwrap_or_default();
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let memory = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:")?.trim().strip_suffix("kB")?.trim().parse().ok());
    (open, memory.unwrap_or_default())
}

/// The engine lives, panicked nowhere, and holds not much more than before.
pub(crate) fn check_whole(bench: &mut Bench, before: (usize, u64)) {
    let pid = bench.engine().pid();
    assert!(bench.engine().ended().is_none(), "the engine ended: {}", bench.engine_log());
    let log = bench.engine_log();
    assert!(!log.contains("panicked"), "{log}");
    let closed = jackfield_tests::wait::until(Duration::from_secs(20), "connections to be closed", || {
        Ok((weight(pid).0 <= before.0 + 40).then_some(()))
    });
    closed.unwrap_or_else(|error| panic!("{error}: {} descriptors before, {} now", before.0, weight(pid).0));
    let now = weight(pid).1;
    assert!(now < before.1 + 400_000, "the engine grew from {} KB to {now} KB", before.1);
}

pub(crate) fn weigh(bench: &mut Bench) -> (usize, u64) {
    weight(bench.engine().pid())
}
