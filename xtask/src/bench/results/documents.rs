//! The documents of a run of 100,000 tests.

use std::io;

use anyhow::Result;

use super::inserts::stopped;
use crate::bench::{
    Measure,
    lab::{Lab, now, project},
    median,
};

const TESTS: usize = 100_000;

pub(super) fn measure(lab: &Lab, rounds: usize) -> Result<Vec<Measure>> {
    let names: Vec<String> = (0..100).map(|suite| format!("suite{suite}")).collect();
    let suites: Vec<_> =
        names.iter().map(|name| (name.as_str(), "EP-none", vec!["t.sh".to_owned(); TESTS / 100])).collect();
    let file = lab.write("projects/large.xml", project(&suites).as_bytes())?;
    let number = stopped(lab, &file.to_string_lossy())?;
    let mut measures = Vec::new();
    for (what, path) in [
        ("HTML", "report.html"),
        ("JUnit", "junit.xml"),
        ("CSV", "report.csv"),
        ("JSON", "report.json"),
        ("TAP", "report.tap"),
    ] {
        let mut times = Vec::new();
        for _ in 0..rounds {
            let begin = now();
            io::copy(&mut lab.stream(&format!("/runs/{number}/{path}"))?, &mut io::sink())?;
            times.push(begin.elapsed().as_secs_f64());
        }
        let seconds = median(times);
        measures.push(
            Measure::own(format!("100,000 tests as {what}"), seconds, "s", "under 2 s").holds(seconds < 2.0),
        );
    }
    Ok(measures)
}
