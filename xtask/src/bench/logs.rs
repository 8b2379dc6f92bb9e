//! One test that prints a gigabyte, while another runs beside it.

use std::process::{Command, Stdio};

use anyhow::{Context, Result};
use serde_json::Value;

use super::{
    Measure,
    lab::{Lab, megabytes, now, peak_megabytes, project, seconds},
};

const BYTES: u64 = 1 << 30;

pub(crate) fn measure() -> Result<Vec<Measure>> {
    let mut lab = Lab::start("logs")?;
    let printer = format!("#!/bin/sh\nexec head -c {BYTES} /dev/zero\n");
    let loud = lab.write("tests/loud", printer.as_bytes())?;
    lab.write("tests/quiet", b"#!/bin/sh\nexit 0\n")?;
    let ep = lab.start_ep("EP-1", "lanes = 1\n")?;
    lab.start_ep("EP-2", "")?;
    let write = |name: &str, xml: String| lab.write(&format!("projects/{name}.xml"), xml.as_bytes());
    let loud_project = write("loud", project(&[("loud", "EP-1", vec!["loud".to_owned()])]))?;
    let quiet_project = write("quiet", project(&[("quiet", "EP-2", vec!["quiet".to_owned()])]))?;
    let quiet = quiet_project.to_string_lossy().into_owned();

    let alone = seconds(&mut lab.command(&["run", &quiet]))?;
    let (ep_before, engine_before) = (megabytes(ep)?, megabytes(lab.engine_pid())?);
    let target = lab.folder().join("floor");
    let floor = seconds(
        Command::new("sh").args(["-c", &format!("{} | cat > {}", loud.display(), target.display())]),
    )?;
    let mut run = lab.command(&["run", &loud_project.to_string_lossy(), "--json"]);
    let begin = now();
    let child = run.stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?;
    let beside = seconds(&mut lab.command(&["run", &quiet]))?;
    let output = child.wait_with_output()?;
    let took = begin.elapsed().as_secs_f64();
    let run: Value = serde_json::from_slice(&output.stdout).context("the run's JSON")?;
    let attempt = run.pointer("/tests/0/attempt").and_then(Value::as_str).context("an attempt")?;
    let stored = stored_bytes(&lab, attempt)?;
    let (ep_peak, engine_peak) = (peak_megabytes(ep)?, peak_megabytes(lab.engine_pid())?);
    let rate = 1024.0 / took;
    let own = |name, value: f64, unit, goal, holds: bool| Measure {
        name,
        value,
        unit,
        floor: None,
        ratio: None,
        goal,
        holds: Some(holds),
    };
    Ok(vec![
        Measure {
            floor: Some(1024.0 / floor),
            ratio: Some(rate * floor / 1024.0),
            ..own("1 GB of log through EP and engine", rate, "MB/s", "at least 150 MB/s", rate >= 150.0)
        },
        own("bytes of it that are stored", stored, "MB", "all 1024", stored >= 1024.0),
        own("EP's memory grew by", ep_peak - ep_before, "MB", "under 64 MB", ep_peak - ep_before < 64.0),
        own(
            "engine's memory grew by",
            engine_peak - engine_before,
            "MB",
            "under 64 MB",
            engine_peak - engine_before < 64.0,
        ),
        Measure {
            floor: Some(alone),
            ratio: Some(beside / alone),
            ..own(
                "another run meanwhile (floor: alone)",
                beside,
                "s",
                "within 0.5 s of alone",
                beside < alone + 0.5,
            )
        },
    ])
}

/// How much of the log the engine has, in MB.
fn stored_bytes(lab: &Lab, attempt: &str) -> Result<f64> {
    let mut child = lab.command(&["runs", "logs", attempt]).stdout(Stdio::piped()).spawn()?;
    let bytes = std::io::copy(&mut child.stdout.take().context("a pipe")?, &mut std::io::sink())?;
    child.wait()?;
    Ok(f64::from(u32::try_from(bytes / 1024)?) / 1024.0)
}
