//! Steps beside the dialogue: files and commands of an SSH session, and the serial line under one.

use std::{collections::BTreeMap, path::Path, str::FromStr, time::Duration};

use jackfield_config::steps::{Beside, FileWay, Step};
use serde_json::json;

use super::{Failure, StepEnvironment, act::blame, run::Runner};
use crate::{
    beside::{Executed, Status},
    clock::Deadline,
    limits::{BREAK_DEFAULT, STEP_FILE_BYTES_MAX},
    line::{LineOrder, ModemLines},
    session::run_beside,
    transfer::{self, Moved, Way},
};

impl From<FileWay> for Way {
    fn from(way: FileWay) -> Self {
        match way {
            FileWay::Auto => Self::Either,
            FileWay::Sftp => Self::Sftp,
            FileWay::Scp => Self::Scp,
        }
    }
}

impl<E: StepEnvironment> Runner<'_, E> {
    pub(super) async fn act_beside(
        &mut self,
        step: &Step,
        beside: &Beside,
        clock: Deadline,
    ) -> Result<(), Failure> {
        match beside {
            Beside::Put { local, remote, way } => self.put(step, (local, remote), *way, clock).await,
            Beside::Get { remote, local, way } => {
                self.get(step, (remote, local.as_deref()), *way, clock).await
            }
            Beside::Execute { command, allow_error } => {
                self.execute(step, command, *allow_error, clock).await
            }
            Beside::SetLine { values } => self.set_line(step, values).await,
            Beside::ModemLines => self.modem_lines(step).await,
            Beside::SendBreak { span } => self.send_break(step, *span).await,
            Beside::WaitBreak => self.wait_break(step, clock).await,
        }
    }

    async fn put(
        &mut self,
        step: &Step,
        (local, remote): (&str, &str),
        way: FileWay,
        clock: Deadline,
    ) -> Result<(), Failure> {
        let (local, remote) = (self.fill(local).await?, self.fill(remote).await?);
        let here = self.environment.source(&local).await.map_err(Failure::test)?;
        let beside = self.session(step).await?.beside().map_err(blame)?;
        let moved = transfer::put(beside.as_ref(), &here, &remote, way.into(), clock).await;
        let moved = moved.map_err(|error| blame(error.into()))?;
        self.show(&format!("put {local} to {remote}"), told(&moved));
        Ok(())
    }

    /// A file that is not kept is the step's output; one that is, or a folder, is only told of.
    async fn get(
        &mut self,
        step: &Step,
        (remote, local): (&str, Option<&str>),
        way: FileWay,
        clock: Deadline,
    ) -> Result<(), Failure> {
        let remote = self.fill(remote).await?;
        if let Some(local) = local {
            let local = self.fill(local).await?;
            let here = self.environment.place(&local).map_err(Failure::test)?;
            let moved = self.fetch(step, &remote, &here, way, clock).await?;
            self.show(&format!("get {remote} as {local}"), told(&moved));
            return Ok(());
        }
        let scratch =
            tempfile::tempdir().map_err(|error| Failure::lab(format!("a temporary folder: {error}")))?;
        let here = scratch.path().join("got");
        let moved = self.fetch(step, &remote, &here, way, clock).await?;
        if moved.bytes > STEP_FILE_BYTES_MAX || here.is_dir() {
            let what = if here.is_dir() { "a folder" } else { "too large to look at" };
            let reason = format!("`{remote}` is {what} ({}): keep it with `to`", told(&moved));
            return Err(Failure::test(reason));
        }
        let bytes = std::fs::read(&here).map_err(|error| Failure::lab(format!("`{remote}`: {error}")))?;
        self.show(&format!("get {remote}"), String::from_utf8_lossy(&bytes).into_owned());
        Ok(())
    }

    async fn fetch(
        &mut self,
        step: &Step,
        remote: &str,
        here: &Path,
        way: FileWay,
        clock: Deadline,
    ) -> Result<Moved, Failure> {
        let beside = self.session(step).await?.beside().map_err(blame)?;
        let moved = transfer::get(beside.as_ref(), remote, here, way.into(), clock).await;
        moved.map_err(|error| blame(error.into()))
    }

    async fn execute(
        &mut self,
        step: &Step,
        command: &str,
        allow_error: bool,
        clock: Deadline,
    ) -> Result<(), Failure> {
        let command = self.fill(command).await?;
        let beside = self.session(step).await?.beside().map_err(blame)?;
        let left = run_beside(beside.as_ref(), &command, clock.span()).await.map_err(blame)?;
        let Executed { output, error, status, cut } = left;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        self.show(&command, text(&output));
        let error = text(&error);
        if !error.is_empty() {
            self.log(error.trim_end());
        }
        let ended = match status {
            Some(Status::Code(code)) => code.to_string(),
            Some(Status::Signal(signal)) => signal,
            None => String::new(),
        };
        self.set("status", ended.clone());
        if cut {
            return Err(Failure::test(format!(
                "`{command}` says more than is kept; write it to a file and `get` that"
            )));
        }
        if !allow_error && ended != "0" {
            let how = if ended.is_empty() { "without a status".to_owned() } else { format!("with {ended}") };
            let words = super::check::excerpt(&error);
            return Err(Failure::product(format!("`{command}` ended {how}: {words}")));
        }
        Ok(())
    }

    async fn set_line(&mut self, step: &Step, values: &BTreeMap<String, String>) -> Result<(), Failure> {
        let mut filled = BTreeMap::new();
        for (key, value) in values {
            filled.insert(key.as_str(), self.fill(value).await?);
        }
        let orders = line_orders(&filled)?;
        let session = self.session(step).await?;
        for order in orders {
            session.order(order).await.map_err(blame)?;
        }
        Ok(())
    }

    async fn modem_lines(&mut self, step: &Step) -> Result<(), Failure> {
        let session = self.session(step).await?;
        let ModemLines { cts, dsr, ri, cd } = session.modem_lines().await.map_err(blame)?;
        self.show("modem lines", json!({"cts": cts, "dsr": dsr, "ri": ri, "cd": cd}).to_string());
        Ok(())
    }

    async fn send_break(&mut self, step: &Step, span: Option<Duration>) -> Result<(), Failure> {
        let session = self.session(step).await?;
        session.order(LineOrder::Break(span.unwrap_or(BREAK_DEFAULT))).await.map_err(blame)
    }

    async fn wait_break(&mut self, step: &Step, clock: Deadline) -> Result<(), Failure> {
        let session = self.session(step).await?;
        session.wait_break(clock.span()).await.map_err(blame)
    }
}

/// What was moved, in words.
fn told(moved: &Moved) -> String {
    let Moved { bytes, files, skipped, way } = moved;
    let left = if skipped.is_empty() { String::new() } else { format!("; left out: {}", skipped.join(", ")) };
    format!("{bytes} bytes, files: {files}, by {way}{left}")
}

/// A value that may come from a variable is read when it is used.
fn line_orders(values: &BTreeMap<&str, String>) -> Result<Vec<LineOrder>, Failure> {
    let speed = value(values, "speed", "a number of bits per second such as 9600")?;
    let framing = value(values, "framing", "data bits, parity and stop bits, like 8N1 or 7E2")?;
    let flow = value(values, "flow", "none, hardware or software")?;
    let mut orders = Vec::new();
    if speed.is_some() || framing.is_some() || flow.is_some() {
        orders.push(LineOrder::Set { speed, framing, flow });
    }
    orders.extend(value(values, "dtr", "true or false")?.map(LineOrder::Dtr));
    orders.extend(value(values, "rts", "true or false")?.map(LineOrder::Rts));
    Ok(orders)
}

fn value<T: FromStr>(values: &BTreeMap<&str, String>, key: &str, remedy: &str) -> Result<Option<T>, Failure> {
    let Some(text) = values.get(key) else { return Ok(None) };
    let wrong = |_| Failure::test(format!("`{key}` of `set_line` is `{text}`; write {remedy}"));
    text.trim().parse().map(Some).map_err(wrong)
}
