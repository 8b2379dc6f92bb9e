//! A run that waits for a device which a person has: how soon it goes on when they give it back.

use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use serde_json::{Value, json};

use super::http::{Asker, Connection};
use crate::bench::{
    Measure,
    lab::{Lab, now, wait},
    median,
};

const ROUNDS: usize = 15;
const LIMIT: Duration = Duration::from_secs(30);
const PROJECT: &str = "<Root><dbautosave>nosave</dbautosave><TestSuite><tsName>a</tsName><Needs>kind=router</Needs>\
    <TestCase><tcName>t.sh</tcName></TestCase></TestSuite></Root>";

pub(super) fn measure() -> Result<Vec<Measure>> {
    let mut lab = Lab::start("waits")?;
    lab.write("tests/t.sh", b"#!/bin/sh\nexit 0\n")?;
    let file = lab.write("projects/waits.xml", PROJECT.as_bytes())?.to_string_lossy().into_owned();
    lab.start_ep("EP-1", "")?;
    let mut connection = Asker::admin(&lab)?.connect()?;
    let router = json!({"parent": "/", "name": "r1", "properties": {"kind": "router"}});
    connection.done("PUT", "/resources", &router)?;
    let mut times = Vec::new();
    for _ in 0..ROUNDS {
        let lease = connection.take("/r1", &json!({}))?;
        let submitted: Value = serde_json::from_slice(&lab.run(&["submit", &file, "--json"], 0)?.stdout)?;
        let run = submitted.get("run").and_then(Value::as_u64).context("no number of the run")?;
        wait(LIMIT, "the run to wait", || {
            let why = connection.done("GET", &format!("/runs/{run}/why"), &Value::Null).ok()?;
            why.as_array()?.first().map(drop)
        })?;
        let begin = now();
        connection.release(lease)?;
        until_it_runs(&mut connection, run)?;
        times.push(begin.elapsed().as_secs_f64() * 1_000.0);
        wait(LIMIT, "the end of the run", || {
            (state(&mut connection, run).ok()? == "completed").then_some(())
        })?;
    }
    let middle = median(times);
    Ok(vec![
        Measure::own(
            "a device is given back: the run that waits for it goes on",
            middle,
            "ms",
            "under 50 ms",
        )
        .holds(middle < 50.0),
    ])
}

fn state(connection: &mut Connection, run: u64) -> Result<String> {
    let run = connection.done("GET", &format!("/runs/{run}"), &Value::Null)?;
    Ok(run.get("state").and_then(Value::as_str).context("a state")?.to_owned())
}

fn until_it_runs(connection: &mut Connection, run: u64) -> Result<()> {
    let end = now() + LIMIT;
    while now() < end {
        if state(connection, run)? != "queued" {
            return Ok(());
        }
    }
    bail!("run {run} waits for a device that is free")
}
