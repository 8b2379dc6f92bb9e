//! The corpus of `fuzz/` and seeded mutations of it, on every build: what a fuzzer has found stays mended.
#![expect(clippy::unwrap_used, reason = "a corpus that cannot be read has failed the test")]

use std::{
    fs,
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
};

use jackfield_device::invariants::{TARGETS, Target};

/// Mutations of each file of a corpus.
const MUTATIONS: u64 = 150;
/// A mutation is no longer than this.
const BYTES_MAX: usize = 3 * 1024;
/// Bytes that mean something to one of the parsers.
const SPECIAL: [u8; 16] = [0, 7, 8, 10, 13, 24, 0x1b, b'[', b';', b'm', b'#', b' ', 0xc3, 240, 250, 255];

fn corpus(target: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus").join(target);
    let entries = fs::read_dir(&folder).unwrap_or_else(|error| panic!("`{}`: {error}", folder.display()));
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

/// A small generator (xorshift): the same seed gives the same bytes on every machine.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, below: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % u64::try_from(below.max(1)).unwrap()).unwrap()
    }

    fn byte(&mut self) -> u8 {
        if self.roll(2) == 0 {
            let place = self.roll(SPECIAL.len());
            SPECIAL.get(place).copied().unwrap()
        } else {
            u8::try_from(self.roll(256)).unwrap()
        }
    }
}

/// Some bytes of a file, changed in a few places: overwritten, inserted, cut out, doubled, joined with another file.
fn mutated(original: &[u8], other: &[u8], seed: u64) -> Vec<u8> {
    let mut dice = Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    let mut bytes = original.to_vec();
    for _ in 0..=dice.roll(6) {
        let (at, count) = (dice.roll(bytes.len() + 1), dice.roll(24) + 1);
        let end = (at + count).min(bytes.len());
        match dice.roll(5) {
            0 => bytes.insert(at, dice.byte()),
            1 => drop(bytes.drain(at..end)),
            2 => bytes.splice(at..at, bytes.get(at..end).unwrap().to_vec()).for_each(drop),
            3 => {
                let from = dice.roll(other.len() + 1);
                let piece = other.get(from..).unwrap().iter().take(count).copied().collect::<Vec<u8>>();
                bytes.splice(at..end, piece).for_each(drop);
            }
            _ => bytes.get_mut(at..end).unwrap().iter_mut().for_each(|byte| *byte = dice.byte()),
        }
    }
    bytes.truncate(BYTES_MAX);
    bytes
}

fn holds(target: Target, bytes: &[u8], told: &str) {
    let result = catch_unwind(AssertUnwindSafe(|| target(bytes)));
    assert!(result.is_ok(), "{told} breaks a promise; its bytes: {}", bytes.escape_ascii());
}

fn replay(name: &str) {
    let (_, target) = TARGETS.into_iter().find(|(known, _)| *known == name).unwrap();
    let files = corpus(name);
    assert!(!files.is_empty(), "the corpus of {name} is empty");
    let read: Vec<Vec<u8>> = files.iter().map(|file| fs::read(file).unwrap()).collect();
    let others = read.iter().cycle().skip(1);
    for ((file, bytes), other) in files.iter().zip(&read).zip(others) {
        let told = file.file_name().unwrap().to_string_lossy().into_owned();
        holds(target, bytes, &format!("{name}: {told}"));
        for seed in 0..MUTATIONS {
            holds(target, &mutated(bytes, other, seed), &format!("{name}: {told}, mutation {seed}"));
        }
    }
}

#[test]
fn every_target_has_a_test_here_and_a_binary_for_the_fuzzer() {
    let names: Vec<&str> = TARGETS.iter().map(|(name, _)| *name).collect();
    assert_eq!(
        names,
        ["telnet", "clean", "matcher", "prompt", "screen", "redact", "textfsm", "cast", "sftp", "scp"]
    );
    let manifest =
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/Cargo.toml")).unwrap();
    for name in names {
        assert!(manifest.contains(&format!("path = \"fuzz_targets/{name}.rs\"")), "{name} has no binary");
    }
}

#[test]
fn telnet() {
    replay("telnet");
}

#[test]
fn clean() {
    replay("clean");
}

#[test]
fn matcher() {
    replay("matcher");
}

#[test]
fn prompt() {
    replay("prompt");
}

#[test]
fn screen() {
    replay("screen");
}

#[test]
fn redact() {
    replay("redact");
}

#[test]
fn textfsm() {
    replay("textfsm");
}

#[test]
fn cast() {
    replay("cast");
}

#[test]
fn sftp() {
    replay("sftp");
}

#[test]
fn scp() {
    replay("scp");
}
