//! One test that prints a gigabyte, while another runs beside it: until the last byte is stored, and each is the right one.

use std::{
    process::{Command, Stdio},
    time::Duration,
};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::{
    Measure,
    lab::{Lab, megabytes, now, peak_megabytes, project, seconds, wait},
    median,
};

/// What the test prints over and over; a prime number of bytes, so that no two frames of the log are alike.
const BLOCK_BYTES: usize = 1_048_573;
const BLOCKS: usize = 1_024;
/// How long the log may take to be stored.
const LIMIT: Duration = Duration::from_secs(120);

pub(crate) fn measure(rounds: usize) -> Result<Vec<Measure>> {
    let mut figures: [Vec<f64>; 8] = Default::default();
    for _ in 0..rounds {
        figures.iter_mut().zip(round()?).for_each(|(list, figure)| list.push(figure));
    }
    let [rate, tls, floor, verdict, ep_grew, engine_grew, beside, alone] = figures.map(median);
    Ok(vec![
        Measure::own("1 GB of log, until its last byte is stored", rate, "MB/s", "at least 150 MB/s")
            .against("sh | cat > file", floor)
            .holds(rate >= 150.0),
        Measure::own("1 GB of log by TLS", tls, "MB/s", "at least 0.85 x")
            .against("without TLS", rate)
            .holds(tls >= 0.85 * rate),
        Measure::own("the verdict of its test", verdict, "s", "for the reader"),
        Measure::own("EP's memory grew by", ep_grew, "MB", "under 64 MB").holds(ep_grew < 64.0),
        Measure::own("engine's memory grew by", engine_grew, "MB", "under 64 MB").holds(engine_grew < 64.0),
        Measure::own("another run meanwhile", beside, "s", "within 0.5 s of alone")
            .against("alone", alone)
            .holds(beside < alone + 0.5),
    ])
}

/// One gigabyte: our rate, without and with TLS, and that of a pipe into a file in MB/s, seconds to the verdict, MB that EP and engine grew by,
/// and seconds of another run beside it and alone.
fn round() -> Result<[f64; 8]> {
    let mut lab = Lab::start("logs")?;
    let block = block();
    let text = lab.write("block", &block)?;
    let printer =
        format!("#!/bin/sh\ni=0\nwhile [ $i -lt {BLOCKS} ]; do cat {}; i=$((i+1)); done\n", text.display());
    let loud = lab.write("tests/loud", printer.as_bytes())?;
    lab.write("tests/quiet", b"#!/bin/sh\nexit 0\n")?;
    let ep = lab.start_ep("EP-1", "lanes = 1\n")?;
    lab.start_ep("EP-2", "")?;
    let by_tls = lab.by_tls();
    lab.start_ep("EP-3", &by_tls)?;
    let write = |name: &str, test: &str, ep: &str| {
        let file = lab
            .write(&format!("projects/{name}.xml"), project(&[(name, ep, vec![test.to_owned()])]).as_bytes());
        file.map(|file| file.to_string_lossy().into_owned())
    };
    let [plain, tls, quiet] =
        [write("loud", "loud", "EP-1")?, write("tls", "loud", "EP-3")?, write("quiet", "quiet", "EP-2")?];

    let alone = seconds(&mut lab.command(&["run", &quiet]))?;
    let (ep_before, engine_before) = (megabytes(ep)?, megabytes(lab.engine_pid())?);
    let target = lab.folder().join("floor");
    let floor = seconds(
        Command::new("sh").args(["-c", &format!("{} | cat > {}", loud.display(), target.display())]),
    )?;
    std::fs::remove_file(&target)?;
    let plain = print(&lab, &plain, &quiet)?;
    let (ep_peak, engine_peak) = (peak_megabytes(ep)?, peak_megabytes(lab.engine_pid())?);
    check_bytes(&lab, &plain.attempt, &block)?;
    let tls = print(&lab, &tls, &quiet)?;
    check_bytes(&lab, &tls.attempt, &block)?;
    Ok([
        1024.0 / plain.took,
        1024.0 / tls.took,
        1024.0 / floor,
        plain.verdict,
        ep_peak - ep_before,
        engine_peak - engine_before,
        plain.beside,
        alone,
    ])
}

/// A run that printed, in seconds.
struct Printed {
    took: f64,
    verdict: f64,
    beside: f64,
    attempt: String,
}

/// Runs the project that prints, with another beside it, until the last byte of its log is stored.
fn print(lab: &Lab, loud: &str, quiet: &str) -> Result<Printed> {
    let mut run = lab.command(&["run", loud, "--json"]);
    let begin = now();
    let child = run.stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?;
    let beside = seconds(&mut lab.command(&["run", quiet]))?;
    let output = child.wait_with_output()?;
    let verdict = begin.elapsed().as_secs_f64();
    let run: Value = serde_json::from_slice(&output.stdout).context("the run's JSON")?;
    let attempt = run.pointer("/tests/0/attempt").and_then(Value::as_str).context("an attempt")?.to_owned();
    wait(LIMIT, "the last byte of the log", || is_whole(lab, &attempt).ok()?.then_some(()))?;
    Ok(Printed { took: begin.elapsed().as_secs_f64(), verdict, beside, attempt })
}

/// Lines of letters that repeat nowhere within the block.
fn block() -> Vec<u8> {
    let mut state = 88_172_645_463_325_252_u64;
    let mut text = Vec::with_capacity(BLOCK_BYTES + 32);
    while text.len() < BLOCK_BYTES {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        text.extend_from_slice(format!("{:06} {state:016x}\n", text.len() / 24).as_bytes());
    }
    text.truncate(BLOCK_BYTES);
    text
}

fn is_whole(lab: &Lab, attempt: &str) -> Result<bool> {
    let output = lab.run(&["runs", "logs", attempt, "--json"], 0)?;
    let state: Value = serde_json::from_slice(&output.stdout)?;
    let number = |key: &str| state.pointer(&format!("/0/{key}")).and_then(Value::as_u64);
    Ok(number("expected").is_some() && number("stored") >= number("expected"))
}

/// The log as the engine gives it back is what was printed, to the byte.
fn check_bytes(lab: &Lab, attempt: &str, block: &[u8]) -> Result<()> {
    let mut wanted = blake3::Hasher::new();
    for _ in 0..BLOCKS {
        wanted.update(block);
    }
    let mut child = lab.command(&["runs", "logs", attempt]).stdout(Stdio::piped()).spawn()?;
    let mut stored = blake3::Hasher::new();
    stored.update_reader(child.stdout.take().context("a pipe")?)?;
    ensure!(child.wait()?.success(), "`runs logs` says that the log is not whole");
    ensure!(stored.finalize() == wanted.finalize(), "the log that is stored is not what the test printed");
    Ok(())
}
