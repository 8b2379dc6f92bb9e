//! The life of a run of 100,000 tests: checked, accepted, stopped, reported and looked at, and what memory that needs.

use std::time::Duration;

use anyhow::{Context, Result};
use serde_json::Value;

use super::{
    Measure,
    lab::{Lab, now, peak_megabytes, project, seconds, wait},
    median,
};

const TESTS: usize = 100_000;
/// How long a stop, or the reports after it, may take before the measure is given up.
const LIMIT: Duration = Duration::from_secs(120);

pub(crate) fn measure(rounds: usize) -> Result<Vec<Measure>> {
    let mut figures: [Vec<f64>; 9] = Default::default();
    for _ in 0..rounds {
        figures.iter_mut().zip(round()?).for_each(|(list, figure)| list.push(figure));
    }
    let [check, submit, list, stop, page, filtered, html, show, peak] = figures.map(median);
    let under =
        |name, value: f64, unit, goal, most| Measure::own(name, value, unit, goal).holds(value < most);
    Ok(vec![
        under("100,000 tests: project check", check, "s", "under 3 s", 3.0),
        under("100,000 tests: submitted and accepted", submit, "s", "under 3 s", 3.0),
        under("runs list meanwhile", list, "s", "under 0.1 s", 0.1),
        under("100,000 tests: stop, until it is seen", stop, "s", "under 2 s", 2.0),
        under("a page of its tests", page, "s", "under 0.05 s", 0.05),
        under("a page of those that did not pass", filtered, "s", "under 0.1 s", 0.1),
        under("its HTML report over HTTP", html, "s", "under 3 s", 3.0),
        under("runs show, all tests", show, "s", "under 3 s", 3.0),
        under("engine's peak memory through all that", peak, "MB", "under 500 MB", 500.0),
    ])
}

fn round() -> Result<[f64; 9]> {
    let mut lab = Lab::start("start")?;
    lab.write("tests/t.sh", b"#!/bin/sh\nexit 0\n")?;
    let suites: Vec<(String, Vec<String>)> =
        (0..100).map(|suite| (format!("suite{suite}"), vec!["t.sh".to_owned(); TESTS / 100])).collect();
    let suites: Vec<(&str, &str, Vec<String>)> =
        suites.iter().map(|(name, files)| (name.as_str(), "EP-1", files.clone())).collect();
    let file = lab.write("projects/large.xml", project(&suites).as_bytes())?;
    let file = file.to_string_lossy().into_owned();
    lab.start_ep("EP-1", "")?;
    let check = seconds(&mut lab.command(&["project", "check", &file]))?;
    let submit = seconds(&mut lab.command(&["submit", &file]))?;
    let list = seconds(&mut lab.command(&["runs", "list"]))?;
    wait(LIMIT, "the first tests to pass", || (counted(&lab, "PASS").ok()? > 100).then_some(()))?;
    let begin = now();
    lab.run(&["runs", "stop", "1"], 0)?;
    wait(LIMIT, "the end of the run", || (run(&lab).ok()?.get("state")? == "stopped").then_some(()))?;
    let stop = begin.elapsed().as_secs_f64();
    wait(LIMIT, "the report", || {
        let outbox = std::fs::read_dir(lab.folder().join("lab/outbox")).ok()?;
        let mut names = outbox.flatten().filter_map(|entry| entry.file_name().into_string().ok());
        names.any(|name| name.ends_with(".report.html") && !name.starts_with('.')).then_some(())
    })?;
    let got = |path: &str| {
        let begin = now();
        lab.get(path)?;
        Ok::<_, anyhow::Error>(begin.elapsed().as_secs_f64())
    };
    let page = got("/runs/1/tests?limit=200&after=50000")?;
    let filtered = got("/runs/1/tests?limit=200&state=NOT_EXECUTED")?;
    let html = got("/runs/1/report.html")?;
    got("/runs/1/junit.xml")?;
    let show = seconds(&mut lab.command(&["runs", "show", "1"]))?;
    let peak = peak_megabytes(lab.engine_pid())?;
    Ok([check, submit, list, stop, page, filtered, html, show, peak])
}

fn run(lab: &Lab) -> Result<Value> {
    Ok(serde_json::from_slice(&lab.get("/runs/1")?)?)
}

fn counted(lab: &Lab, verdict: &str) -> Result<u64> {
    let run = run(lab)?;
    run.pointer(&format!("/counts/{verdict}")).and_then(Value::as_u64).context("no count")
}
