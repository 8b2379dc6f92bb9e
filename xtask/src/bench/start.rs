//! How long a project of 100,000 tests takes to be validated, expanded and accepted, and what memory that needs.

use anyhow::Result;

use super::{
    Measure,
    lab::{Lab, peak_megabytes, project, seconds},
    median,
};

const TESTS: usize = 100_000;

pub(crate) fn measure(rounds: usize) -> Result<Vec<Measure>> {
    let lab = Lab::start("start")?;
    lab.write("tests/t.sh", b"#!/bin/sh\nexit 0\n")?;
    let suites: Vec<(String, Vec<String>)> =
        (0..100).map(|suite| (format!("suite{suite}"), vec!["t.sh".to_owned(); TESTS / 100])).collect();
    let suites: Vec<(&str, &str, Vec<String>)> =
        suites.iter().map(|(name, files)| (name.as_str(), "EP-1", files.clone())).collect();
    let file = lab.write("projects/large.xml", project(&suites).as_bytes())?;
    let file = file.to_string_lossy().into_owned();
    let mut check = Vec::new();
    let mut submit = Vec::new();
    let mut list = Vec::new();
    for _ in 0..rounds {
        check.push(seconds(&mut lab.command(&["project", "check", &file]))?);
        submit.push(seconds(&mut lab.command(&["submit", &file]))?);
        list.push(seconds(&mut lab.command(&["runs", "list"]))?);
    }
    let peak = peak_megabytes(lab.engine_pid())?;
    let own = |name, value: f64, unit, goal, holds| Measure {
        name,
        value,
        unit,
        floor: None,
        ratio: None,
        goal,
        holds,
    };
    let (check, submit, list) = (median(check), median(submit), median(list));
    Ok(vec![
        own("100,000 tests: project check", check, "s", "under 3 s", Some(check < 3.0)),
        own("100,000 tests: submitted and accepted", submit, "s", "under 3 s", Some(submit < 3.0)),
        own("engine's peak memory after that", peak, "MB", "under 500 MB", Some(peak < 500.0)),
        own("runs list meanwhile", list, "s", "under 0.1 s", Some(list < 0.1)),
    ])
}
