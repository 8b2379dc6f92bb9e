//! Which processor a side of a dialogue runs on.
//!
//! Where the kernel puts the two sides makes a factor of two and more: on one processor each waits for the other's turn, on two each wakes the other
//! across. It changes its mind within a second, and figures had two modes. So the device has a processor of its own, and what is measured, its floor
//! and its peers have another, the same for all.

use std::{ffi::OsStr, fs, process::Command};

use anyhow::{Context, Result};

use crate::command;

/// The processors of a measure, until it is dropped.
pub(crate) struct Places {
    /// That of the device; none where the machine has only one.
    device: Option<String>,
    /// Those that we were given.
    before: String,
}

impl Places {
    /// Goes to a processor with all that is started from now on, and keeps another for devices.
    pub(crate) fn take() -> Result<Self> {
        let before = allowed()?;
        let each = each(&before);
        let ([device, client, ..], true) = (each.as_slice(), has_taskset()) else {
            eprintln!(
                "device, subject and floor share what the machine has: two processors and taskset would part them"
            );
            return Ok(Self { device: None, before });
        };
        eprintln!(
            "the device runs on processor {device}; what is measured, its floor and its peers on processor {client}"
        );
        go_to(&client.to_string())?;
        Ok(Self { device: Some(device.to_string()), before })
    }

    /// A command on the processor of the device.
    pub(crate) fn device(&self, program: impl AsRef<OsStr>) -> Command {
        match &self.device {
            None => Command::new(program),
            Some(processor) => {
                let mut command = Command::new("taskset");
                command.args(["-c", processor]).arg(program);
                command
            }
        }
    }
}

impl Drop for Places {
    fn drop(&mut self) {
        if self.device.is_some() {
            // What follows is slower, and no more wrong.
            drop(go_to(&self.before));
        }
    }
}

fn has_taskset() -> bool {
    command::succeeds(Command::new("taskset").arg("--version"))
}

fn go_to(processors: &str) -> Result<()> {
    let mut taskset = Command::new("taskset");
    taskset.args(["-a", "-p", "-c", processors]).arg(std::process::id().to_string());
    command::run(taskset.stdout(std::process::Stdio::null())).context("choosing a processor")
}

/// The processors that we may use, as the kernel writes them: `0-1,4`.
fn allowed() -> Result<String> {
    let status = fs::read_to_string("/proc/self/status").context("reading what the kernel lets us use")?;
    let line = status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:"));
    Ok(line.context("the kernel does not tell which processors it lets us use")?.trim().to_owned())
}

fn each(list: &str) -> Vec<u32> {
    let range = |part: &str| {
        let (from, to) = part.split_once('-').unwrap_or((part, part));
        Some(from.parse::<u32>().ok()?..=to.parse().ok()?)
    };
    list.split(',').filter_map(range).flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processors_are_read_as_the_kernel_writes_them() {
        assert_eq!(each("0-1,4"), [0, 1, 4]);
        assert_eq!(each("7"), [7]);
        assert_eq!(each(""), [0; 0]);
    }

    #[test]
    fn a_measure_goes_to_one_processor_and_back() {
        let before = allowed().unwrap();
        let places = Places::take().unwrap();
        let parts = places.device.is_some();
        let ours = each(&allowed().unwrap());
        if parts {
            assert_eq!(ours.len(), 1);
            let device =
                places.device("sh").args(["-c", "grep Cpus_allowed_list /proc/self/status"]).output();
            let told = String::from_utf8(device.unwrap().stdout).unwrap();
            let device = each(told.rsplit('\t').next().unwrap().trim());
            assert!(device.len() == 1 && device != ours, "{device:?} and {ours:?}");
        }
        drop(places);
        assert_eq!(allowed().unwrap(), before);
    }
}
