//! What it costs to run a test: a thousand trivial executables, and a thousand trivial Python scripts.

use std::process::Command;

use anyhow::Result;

use super::{
    Measure,
    lab::{Lab, project, seconds},
    median,
};

/// Tests of each kind.
const TESTS: usize = 1_000;
/// The same Python for the floor and for us.
const PYTHON: &str = "/usr/bin/python3";

pub(crate) fn measure(rounds: usize) -> Result<Vec<Measure>> {
    let mut lab = Lab::start("dispatch")?;
    let [one_true, tls_true, one_python, two_python] = lay_out(&mut lab)?;
    let tests = lab.folder().join("lab/tests");
    let xargs = |kind: &str, program: &str| {
        let list = format!("cd {}/{kind} && ls | xargs -P1 -n1 {program}", tests.display());
        let mut command = Command::new("sh");
        command.args(["-c", &list]);
        command
    };
    let mut figures: [Vec<f64>; 6] = Default::default();
    for round in 0..=rounds {
        let each = [
            seconds(&mut xargs("true", "/bin/true"))?,
            seconds(&mut lab.command(&["run", &one_true]))?,
            seconds(&mut lab.command(&["run", &tls_true]))?,
            seconds(&mut xargs("py", PYTHON))?,
            seconds(&mut lab.command(&["run", &one_python]))?,
            seconds(&mut lab.command(&["run", &two_python]))?,
        ];
        // The first round warms caches on both sides.
        if round > 0 {
            figures.iter_mut().zip(each).for_each(|(list, figure)| list.push(figure));
        }
    }
    let [xargs_true, our_true, tls, xargs_python, our_python, two] = figures.map(median);
    let (programs, scripts) = (our_true <= 1.5 * xargs_true, our_python * 3.0 <= xargs_python);
    Ok(vec![
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
    ])
}

/// Writes tests and projects, and starts two EPs, and one that reaches the engine by TLS; the answer is each project's file.
fn lay_out(lab: &mut Lab) -> Result<[String; 4]> {
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
    let (first, second) = scripts.split_at(TESTS / 2);
    let write = |name: &str, suites: &[(&str, &str, Vec<String>)]| {
        let file = lab.write(&format!("projects/{name}.xml"), project(suites).as_bytes());
        file.map(|file| file.to_string_lossy().into_owned())
    };
    Ok([
        write("one_true", &[("all", "EP-1", programs.clone())])?,
        write("tls_true", &[("all", "EP-3", programs)])?,
        write("one_python", &[("all", "EP-1", scripts.clone())])?,
        write("two_python", &[("one", "EP-1", first.to_vec()), ("two", "EP-2", second.to_vec())])?,
    ])
}
