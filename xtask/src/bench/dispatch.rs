//! What it costs to run a test: a thousand trivial executables, and a thousand trivial Python scripts.

use std::{os::unix::fs::MetadataExt as _, process::Command};

use anyhow::Result;

use super::{
    Measure,
    lab::{Lab, project, seconds},
    median,
};

/// Tests of each kind.
const TESTS: usize = 1_000;
/// A user that Debian always has, and that runs nothing: tests are run as this one to see what that costs.
const OTHER_USER: &str = "games";
/// The same Python for the floor and for us.
const PYTHON: &str = "/usr/bin/python3";

pub(crate) fn measure(rounds: usize) -> Result<Vec<Measure>> {
    let mut lab = Lab::start("dispatch")?;
    let Projects { one_true, tls_true, one_python, two_python, as_user } = lay_out(&mut lab)?;
    let tests = lab.folder().join("lab/tests");
    let xargs = |kind: &str, program: &str| {
        let list = format!("cd {}/{kind} && ls | xargs -P1 -n1 {program}", tests.display());
        let mut command = Command::new("sh");
        command.args(["-c", &list]);
        command
    };
    let mut figures: [Vec<f64>; 6] = Default::default();
    let mut as_users: [Vec<f64>; 2] = Default::default();
    for round in 0..=rounds {
        let each = [
            seconds(&mut xargs("true", "/bin/true"))?,
            seconds(&mut lab.command(&["run", &one_true]))?,
            seconds(&mut lab.command(&["run", &tls_true]))?,
            seconds(&mut xargs("py", PYTHON))?,
            seconds(&mut lab.command(&["run", &one_python]))?,
            seconds(&mut lab.command(&["run", &two_python]))?,
        ];
        let others = match &as_user {
            Some([programs, scripts]) => {
                vec![
                    seconds(&mut lab.command(&["run", programs]))?,
                    seconds(&mut lab.command(&["run", scripts]))?,
                ]
            }
            None => Vec::new(),
        };
        // The first round warms caches on both sides.
        if round > 0 {
            figures.iter_mut().zip(each).for_each(|(list, figure)| list.push(figure));
            as_users.iter_mut().zip(others).for_each(|(list, figure)| list.push(figure));
        }
    }
    let [xargs_true, our_true, tls, xargs_python, our_python, two] = figures.map(median);
    let (programs, scripts) = (our_true <= 1.5 * xargs_true, our_python * 3.0 <= xargs_python);
    let mut measures = vec![
        Measure::own("1,000 executables, one EP", our_true, "s", "at most 1.5 x")
            .against("xargs -P1", xargs_true)
            .holds(programs),
        Measure::own("1,000 executables, one EP by TLS", tls, "s", "at most 1.15 x")
            .against("without TLS", our_true)
            .holds(tls <= 1.15 * our_true),
        Measure::own("1,000 Python scripts, one EP", our_python, "s", "at most 1/3")
            .against("xargs -P1 python3", xargs_python)
            .holds(scripts),
        Measure::own("1,000 Python scripts, two EPs", two, "s", "1.5 x faster than one EP")
            .against("one EP", our_python)
            .holds(two * 1.5 <= our_python),
    ];
    if as_user.is_some() {
        let [programs, scripts] = as_users.map(median);
        let names = ["1,000 executables as another user", "1,000 Python scripts as another user"];
        let each = [(names[0], programs, our_true), (names[1], scripts, our_python)];
        measures.extend(each.map(|(name, figure, own)| {
            Measure::own(name, figure, "s", "at most 1.5 x")
                .against("as the EP's own", own)
                .holds(figure <= 1.5 * own)
        }));
    }
    Ok(measures)
}

/// The file of each project.
struct Projects {
    one_true: String,
    tls_true: String,
    one_python: String,
    two_python: String,
    /// Programs and scripts of an EP whose tests run as another user; none where this one may not become it.
    as_user: Option<[String; 2]>,
}

/// Writes tests and projects, and starts two EPs, one that reaches the engine by TLS, and one whose tests run as another user.
fn lay_out(lab: &mut Lab) -> Result<Projects> {
    let names =
        |kind: &str, ending: &str| (1..=TESTS).map(|n| format!("{kind}/t{n:04}{ending}")).collect::<Vec<_>>();
    let (programs, scripts) = (names("true", ""), names("py", ".py"));
    for (number, (program, script)) in programs.iter().zip(&scripts).enumerate() {
        lab.write(&format!("tests/{program}"), &std::fs::read("/bin/true")?)?;
        lab.write(&format!("tests/{script}"), format!("# {number}\nassert 1 + 1 == 2\n").as_bytes())?;
    }
    let python = format!("[interpreters]\npython = {PYTHON:?}\n");
    lab.start_ep("EP-1", &python)?;
    lab.start_ep("EP-2", &python)?;
    let by_tls = lab.by_tls();
    lab.start_ep("EP-3", &by_tls)?;
    let has_user = may_become_other()?;
    if has_user {
        lab.start_ep("EP-4", &format!("run_as = {OTHER_USER:?}\n{python}"))?;
    } else {
        eprintln!("what run_as costs is not measured: that takes root, and a user `{OTHER_USER}`");
    }
    let (first, second) = scripts.split_at(TESTS / 2);
    let write = |name: &str, suites: &[(&str, &str, Vec<String>)]| {
        let file = lab.write(&format!("projects/{name}.xml"), project(suites).as_bytes());
        file.map(|file| file.to_string_lossy().into_owned())
    };
    let as_user = if has_user {
        let programs = write("user_true", &[("all", "EP-4", programs.clone())])?;
        Some([programs, write("user_python", &[("all", "EP-4", scripts.clone())])?])
    } else {
        None
    };
    Ok(Projects {
        as_user,
        one_true: write("one_true", &[("all", "EP-1", programs.clone())])?,
        tls_true: write("tls_true", &[("all", "EP-3", programs)])?,
        one_python: write("one_python", &[("all", "EP-1", scripts.clone())])?,
        two_python: write(
            "two_python",
            &[("one", "EP-1", first.to_vec()), ("two", "EP-2", second.to_vec())],
        )?,
    })
}

fn may_become_other() -> Result<bool> {
    let is_root = std::fs::metadata("/proc/self")?.uid() == 0;
    let users = std::fs::read_to_string("/etc/passwd")?;
    Ok(is_root && users.lines().any(|line| line.split(':').next() == Some(OTHER_USER)))
}
