//! A thousand EPs, connected and heartbeating, on one engine.

use std::{
    io::{BufRead, BufReader},
    process::Stdio,
    time::Duration,
};

use anyhow::{Context, Result};

use super::{
    Measure,
    lab::{Lab, cpu_seconds, megabytes, now},
    median,
};
use crate::command::{cargo, root, run};

const EPS: u32 = 1_000;
/// How long they are watched once all are there.
const WATCH: Duration = Duration::from_secs(5);

pub(crate) fn measure(rounds: usize) -> Result<Vec<Measure>> {
    run(cargo().args([
        "build",
        "--profile",
        "dist",
        "--locked",
        "--package",
        "jackfield-execution-process",
        "--example",
        "many_eps",
    ]))?;
    let mut figures: [Vec<f64>; 3] = Default::default();
    for _ in 0..rounds {
        figures.iter_mut().zip(round()?).for_each(|(list, figure)| list.push(figure));
    }
    let [connect, each, share] = figures.map(median);
    Ok(vec![
        Measure::own("1,000 EPs: until all are connected", connect, "s", "for the reader"),
        Measure::own("engine's memory per EP", each, "KB", "for the reader"),
        Measure::own("engine's CPU while they heartbeat", share, "% core", "for the reader"),
    ])
}

/// Seconds until all are connected, KB of the engine's memory for each, and the share of a core that they cost.
fn round() -> Result<[f64; 3]> {
    let lab = Lab::start("eps")?;
    let made = lab.run(&["token", "create", "many", "--scope", "ep", "--days", "1"], 0)?;
    let token = String::from_utf8(made.stdout)?.trim().to_owned();
    let before = megabytes(lab.engine_pid())?;
    let mut many = std::process::Command::new(root().join("target/dist/examples/many_eps"));
    many.args([lab.url(), &token, &EPS.to_string()]).stdout(Stdio::piped());
    let begin = now();
    let mut many = many.spawn()?;
    let mut said = BufReader::new(many.stdout.take().context("a pipe")?).lines();
    let connected = said.next().context("the EPs ended before they were connected")??;
    let connect = begin.elapsed().as_secs_f64();
    anyhow::ensure!(connected == "connected", "the EPs said: {connected}");
    let (cpu, from) = (cpu_seconds(lab.engine_pid())?, now());
    std::thread::sleep(WATCH);
    let share = (cpu_seconds(lab.engine_pid())? - cpu) / from.elapsed().as_secs_f64() * 100.0;
    let each = (megabytes(lab.engine_pid())? - before) * 1024.0 / f64::from(EPS);
    many.kill()?;
    many.wait()?;
    Ok([connect, each, share])
}
