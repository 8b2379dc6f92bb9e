//! `cargo xtask faults`: what the model of devices is worth. Each fault that was found in dialogues has a patch in `device/tests/model/faults`
//! that takes back what holds it off. Each is taken back alone, in a copy of the project, and the model plays: a fault that no seed sees is a
//! fault of the model. Whoever changes the model or the session runs this, since a seed plays another device then.

mod patch;

use std::{
    fs,
    ops::Range,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::Duration,
};

use anyhow::{Context, Result, bail};

use self::patch::Patch;
use crate::command::{self, Steps, root};

/// Where the patches are.
const PATCHES: &str = "device/tests/model/faults";
/// The test that plays.
const PLAYS: &str = "every_answer_is_the_right_one_or_an_error";
/// A fault may have the model play without end.
const PLAY_SECS_MAX: u64 = 600;
const LOOK: Duration = Duration::from_millis(50);

/// Take back what holds off each fault of a dialogue, and see that the model of devices finds it.
#[derive(clap::Args)]
pub(crate) struct Faults {
    /// Only those whose names contain one of these; that nothing is seen where nothing is taken back is looked at where all are played.
    names: Vec<String>,
    /// Play these seeds, FROM..TO, and not those that the patch names.
    #[arg(long, value_parser = |text: &str| patch::seeds_of(text).map_err(|why| format!("{why:#}")))]
    seeds: Option<Range<u64>>,
}

/// A patch and its name.
type Named = (String, Patch);

impl Faults {
    pub(crate) fn run(&self) -> Result<()> {
        let all = patches()?;
        let is_wanted =
            |name: &str| self.names.is_empty() || self.names.iter().any(|part| name.contains(part.as_str()));
        let names = all.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>().join(", ");
        let wanted: Vec<Named> = all.into_iter().filter(|(name, _)| is_wanted(name)).collect();
        if wanted.is_empty() {
            bail!("no fault is called so: there are {names}");
        }
        let mut steps = Steps::of(wanted.len() + usize::from(self.names.is_empty()));
        let copy = Copy::new()?;
        let seeds_of = |patch: &Patch| self.seeds.clone().unwrap_or_else(|| patch.seeds.clone());
        if self.names.is_empty() {
            steps.next("nothing is taken back");
            let seeds = distinct(wanted.iter().map(|(_, patch)| seeds_of(patch)));
            if let Some(seen) = copy.play(&seeds)? {
                bail!("the model sees a fault where nothing is taken back: {seen}");
            }
        }
        let mut unseen = Vec::new();
        for (name, patch) in &wanted {
            steps.next(&format!("{name}: {}", patch.fault));
            let seeds = seeds_of(patch);
            let seen =
                copy.play_without(patch, seeds.clone()).with_context(|| format!("taking back `{name}`"))?;
            match seen {
                Some(seen) => eprintln!("      {seen}"),
                None => unseen.push(format!("{name} (seeds {}..{})", seeds.start, seeds.end)),
            }
        }
        if !unseen.is_empty() {
            bail!("the model does not see {}", unseen.join(", "));
        }
        Ok(())
    }
}

/// All of them, by name.
fn patches() -> Result<Vec<Named>> {
    let folder = root().join(PATCHES);
    let entries = fs::read_dir(&folder).with_context(|| format!("reading `{}`", folder.display()))?;
    let mut files = entries.map(|entry| Ok(entry?.path())).collect::<Result<Vec<PathBuf>>>()?;
    files.sort();
    let read = |file: &PathBuf| {
        let name = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let patch =
            fs::read_to_string(file).map_err(anyhow::Error::from).and_then(|text| Patch::parse(&text));
        Ok((name, patch.with_context(|| format!("`{}`", file.display()))?))
    };
    files.iter().map(read).collect()
}

/// Ranges put together where they meet, in order.
fn distinct(ranges: impl Iterator<Item = Range<u64>>) -> Vec<Range<u64>> {
    let mut ranges: Vec<_> = ranges.collect();
    ranges.sort_by_key(|range| range.start);
    let mut joined: Vec<Range<u64>> = Vec::new();
    for range in ranges {
        match joined.last_mut().filter(|last| range.start <= last.end) {
            Some(last) => last.end = last.end.max(range.end),
            None => joined.push(range),
        }
    }
    joined
}

/// A copy of the project, in which fixes are taken back.
struct Copy {
    tree: PathBuf,
    build: PathBuf,
}

impl Copy {
    /// What stands here now. Files that are the same are left alone: what was built of them is built.
    fn new() -> Result<Self> {
        let room = root().join("target/faults");
        let copy = Self { tree: room.join("tree"), build: room.join("build") };
        let listed = Command::new("git")
            .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
            .current_dir(root())
            .output()
            .context("asking git for the files")?;
        for name in String::from_utf8(listed.stdout)?.split_terminator('\0') {
            // One that was removed and not committed is there for Git alone.
            let Ok(bytes) = fs::read(root().join(name)) else { continue };
            copy.write(name, &bytes)?;
        }
        Ok(copy)
    }

    fn write(&self, name: &str, bytes: &[u8]) -> Result<()> {
        let file = self.tree.join(name);
        if fs::read(&file).is_ok_and(|there| there == bytes) {
            return Ok(());
        }
        let folder = file.parent().unwrap_or(&self.tree);
        let written = fs::create_dir_all(folder).and_then(|()| fs::write(&file, bytes));
        written.with_context(|| format!("writing `{}`", file.display()))
    }

    /// The first thing that the model sees where a fix is taken back.
    fn play_without(&self, patch: &Patch, seeds: Range<u64>) -> Result<Option<String>> {
        // Of the copy: whoever waits may go on with the project meanwhile.
        let read = |name: &str| {
            let file = self.tree.join(name);
            fs::read_to_string(&file).with_context(|| format!("reading `{}`", file.display()))
        };
        let applied = patch.applied(read)?;
        let stood = applied.keys().map(|name| Ok((*name, read(name)?))).collect::<Result<Vec<_>>>()?;
        for (name, text) in &applied {
            self.write(name, text.as_bytes())?;
        }
        let seen = self.play(&[seeds]);
        for (name, text) in &stood {
            self.write(name, text.as_bytes())?;
        }
        seen
    }

    /// The first thing that the model sees as it stands here.
    fn play(&self, seeds: &[Range<u64>]) -> Result<Option<String>> {
        let program = self.build()?;
        for seeds in seeds {
            if let Some(seen) = self.play_some(&program, seeds)? {
                return Ok(Some(seen));
            }
        }
        Ok(None)
    }

    fn play_some(&self, program: &Path, seeds: &Range<u64>) -> Result<Option<String>> {
        let log = self.build.join("played.txt");
        let output = fs::File::create(&log).with_context(|| format!("writing `{}`", log.display()))?;
        let mut playing = Command::new(program)
            .args(["--exact", PLAYS])
            .current_dir(self.tree.join("device"))
            .env("JACKFIELD_MODEL_SEEDS", format!("{}..{}", seeds.start, seeds.end))
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output)
            .spawn()
            .context("starting the model")?;
        let has_passed = ended(&mut playing)?;
        let said = fs::read_to_string(&log)?;
        match (said.lines().find(|line| line.starts_with("seed ")), has_passed) {
            (Some(seen), _) => Ok(Some(seen.to_owned())),
            (None, Some(true)) => Ok(None),
            (None, Some(false)) => bail!("the model failed, and names no seed:\n{said}"),
            (None, None) => bail!("the model did not end within {PLAY_SECS_MAX} s"),
        }
    }

    /// The test's program.
    fn build(&self) -> Result<PathBuf> {
        let built = command::cargo()
            .args(["test", "--locked", "--package", "jackfield-device", "--test", "model", "--no-run"])
            .arg("--message-format=json-render-diagnostics")
            .current_dir(&self.tree)
            .env("CARGO_TARGET_DIR", &self.build)
            .output()
            .context("starting cargo")?;
        if !built.status.success() {
            bail!("it cannot be built:\n{}", String::from_utf8_lossy(&built.stderr));
        }
        let program = |line: &str| {
            let message: serde_json::Value = serde_json::from_str(line).ok()?;
            let is_model = message.pointer("/target/name")?.as_str()? == "model";
            let program = message.get("executable")?.as_str().map(PathBuf::from);
            program.filter(|_| is_model)
        };
        String::from_utf8(built.stdout)?
            .lines()
            .find_map(program)
            .context("cargo names no program of the model")
    }
}

/// Whether it has passed; none where its time was over, and it was ended.
fn ended(playing: &mut Child) -> Result<Option<bool>> {
    let looks = u128::from(PLAY_SECS_MAX) * 1000 / LOOK.as_millis();
    for _ in 0..looks {
        if let Some(status) = playing.try_wait()? {
            return Ok(Some(status.success()));
        }
        thread::sleep(LOOK);
    }
    playing.kill()?;
    playing.wait()?;
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The model itself is played by `cargo xtask faults` alone: that builds the session once for each.
    #[test]
    fn each_patch_takes_back_something_that_stands_there() {
        let patches = patches().unwrap();
        assert!(!patches.is_empty());
        for (name, patch) in patches {
            let read = |file: &str| Ok(fs::read_to_string(root().join(file))?);
            if let Err(why) = patch.applied(read) {
                panic!("{name}: {why:#}");
            }
        }
    }

    #[test]
    fn seeds_are_played_once() {
        assert_eq!(distinct([5..9, 0..3, 2..4, 9..10].into_iter()), [0..4, 5..10]);
    }
}
