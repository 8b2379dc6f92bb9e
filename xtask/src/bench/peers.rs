//! The same thousand trivial tests through us and through other runners that give each test a process of its own.
//!
//! Everyone runs one test at a time, with all that its answer costs: starting, collecting, running, reporting. A runner that needs
//! long runs the beginning of the list; every figure is per test.

mod list;

use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Result, bail};

use self::list::{PEERS, Peer, Tests};
use super::{
    Measure,
    lab::{Lab, project, seconds},
    median,
};
use crate::command::root;

/// Tests in the list.
const TESTS: usize = 1_000;

pub(crate) fn measure(rounds: usize) -> Result<Vec<Measure>> {
    let mut lab = Lab::start("peers")?;
    lab.start_ep("EP-1", "")?;
    let mut programs = Ours::lay_out(&lab, Tests::Programs)?;
    let mut scripts = Ours::lay_out(&lab, Tests::Scripts)?;
    let ready = |peer: Peer| {
        let ours = match peer.tests {
            Tests::Programs => &programs,
            Tests::Scripts => &scripts,
        };
        Runner::get_ready(peer, &lab.folder().join(peer.program), &ours.files)
    };
    let mut runners = PEERS.map(ready);
    for _ in 0..rounds {
        programs.time(&lab)?;
        scripts.time(&lab)?;
        for runner in &mut runners {
            runner.time()?;
        }
    }
    let (programs, scripts) = (per_test(programs.times, TESTS), per_test(scripts.times, TESTS));
    let compare = |runner: Runner| match runner.peer.tests {
        Tests::Programs => runner.against(programs),
        Tests::Scripts => runner.against(scripts),
    };
    Ok(runners.into_iter().map(compare).collect())
}

/// One of the lists as a project of ours.
struct Ours {
    files: Vec<PathBuf>,
    project: String,
    times: Vec<f64>,
}

impl Ours {
    /// Writes tests and project, and runs it once: caches are warm then, and each test has passed.
    fn lay_out(lab: &Lab, tests: Tests) -> Result<Self> {
        let names: Vec<String> = (1..=TESTS).map(|number| tests.name(number)).collect();
        let write = |name: &String| lab.write(&format!("tests/{name}"), &tests.text(name)?);
        let files = names.iter().map(write).collect::<Result<_>>()?;
        let file = format!("projects/{}.xml", tests.folder());
        let file = lab.write(&file, project(&[("all", "EP-1", names)]).as_bytes())?;
        let project = file.to_string_lossy().into_owned();
        lab.run(&["run", &project], 0)?;
        Ok(Self { files, project, times: Vec::new() })
    }

    fn time(&mut self, lab: &Lab) -> Result<()> {
        self.times.push(seconds(&mut lab.command(&["run", &self.project]))?);
        Ok(())
    }
}

/// A peer on this machine.
struct Runner {
    peer: Peer,
    /// Runs its tests, or why it cannot be timed.
    command: Result<Command, &'static str>,
    times: Vec<f64>,
}

impl Runner {
    /// Lays out the peer's tests and runs them once, which must show that each has passed.
    fn get_ready(peer: Peer, folder: &Path, tests: &[PathBuf]) -> Self {
        let tests = tests.get(..peer.count).unwrap_or(tests);
        let command = match find(peer.program) {
            None => Err(peer.absent),
            Some(program) => try_out(&peer, &program, folder, tests).map_err(|error| {
                eprintln!("{error:#}");
                "does not work here, see above"
            }),
        };
        if let Err(why) = &command {
            eprintln!("{} is not measured: {why}", peer.program);
        }
        Self { peer, command, times: Vec::new() }
    }

    fn time(&mut self) -> Result<()> {
        if let Ok(command) = &mut self.command {
            self.times.push(seconds(command)?);
        }
        Ok(())
    }

    /// Our milliseconds per test against the peer's.
    fn against(self, ours: f64) -> Measure {
        let measure = |goal| Measure::own(self.peer.name, ours, "ms", goal);
        match self.command {
            Err(why) => measure(why),
            Ok(_) => {
                let theirs = per_test(self.times, self.peer.count);
                measure("ahead of it").against(self.peer.program, theirs).holds(ours < theirs)
            }
        }
    }
}

/// The command that runs these tests; it has done so once.
fn try_out(peer: &Peer, program: &Path, folder: &Path, tests: &[PathBuf]) -> Result<Command> {
    std::fs::create_dir_all(folder)?;
    let mut command = (peer.lay_out)(program, folder, tests)?;
    let output = command.stdin(Stdio::null()).output()?;
    let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    let wanted = peer.says.replace("{}", &tests.len().to_string());
    if !output.status.success() || !said.contains(&wanted) {
        bail!("{command:?} ended with {} and did not say `{wanted}`, but:\n{said}", output.status);
    }
    Ok(command)
}

/// A program of the project's own Python environment, of the system, or of the search path.
fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = [root().join("target/python/bin"), PathBuf::from("/usr/bin")];
    let mut files =
        folders.into_iter().chain(std::env::split_paths(&path)).map(|folder| folder.join(program));
    files.find(|file| file.is_file())
}

/// Milliseconds that each of some tests takes.
fn per_test(times: Vec<f64>, tests: usize) -> f64 {
    median(times) * 1_000.0 / u32::try_from(tests).map_or(f64::NAN, f64::from)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    /// What is not installed is said; what is there must run a short list and say that each test has passed.
    #[test]
    fn every_peer_that_is_here_runs_the_list() {
        let folder = std::env::temp_dir().join(format!("jackfield-peers-{}", std::process::id()));
        for peer in PEERS {
            let Some(program) = find(peer.program) else {
                eprintln!("{}: {}", peer.program, peer.absent);
                continue;
            };
            let list = folder.join(peer.program).join("tests");
            std::fs::create_dir_all(list.join(peer.tests.folder())).unwrap();
            let write = |number| {
                let file = list.join(peer.tests.name(number));
                std::fs::write(&file, peer.tests.text(&peer.tests.name(number))?)?;
                std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o755))?;
                Ok(file)
            };
            let files: Vec<PathBuf> = (1..=3).map(write).collect::<Result<_>>().unwrap();
            let mut command = try_out(&peer, &program, &folder.join(peer.program), &files).unwrap();
            assert!(seconds(&mut command).unwrap() > 0.0, "{}", peer.name);
        }
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
