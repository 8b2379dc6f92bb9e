//! A control group of version 2 that a test may divide, gone with it.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use anyhow::{Context, Result};

use crate::{present, wait};

static COUNT: AtomicU32 = AtomicU32::new(0);

const LIMIT: Duration = Duration::from_secs(10);

/// A group below the first one of this machine.
#[derive(Debug)]
pub struct ControlGroup(PathBuf);

impl ControlGroup {
    /// Makes one. None where somebody has said that this machine does without (`cgroup2`).
    ///
    /// # Errors
    /// It cannot be made: it takes root.
    pub fn new() -> Result<Option<Self>> {
        let mounts = fs::read_to_string("/proc/mounts")?;
        let mounted = mounts.lines().find(|line| line.split(' ').nth(2) == Some("cgroup2"));
        let root = mounted.and_then(|line| line.split(' ').nth(1)).unwrap_or("/sys/fs/cgroup").to_owned();
        if present::left_out("cgroup2", &format!("{root}/cgroup.procs")) {
            return Ok(None);
        }
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let folder = Path::new(&root).join(format!("jackfield-test-{}-{count}", std::process::id()));
        fs::create_dir(&folder).with_context(|| format!("making {}", folder.display()))?;
        Ok(Some(Self(folder)))
    }

    /// Where it is.
    pub fn folder(&self) -> &Path {
        &self.0
    }

    /// What stands below it, however deep.
    pub fn below(&self) -> Vec<PathBuf> {
        let (mut found, mut folders) = (Vec::new(), vec![self.0.clone()]);
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
                if entry.path().is_dir() {
                    folders.push(entry.path());
                    found.push(entry.path());
                }
            }
        }
        found
    }
}

impl Drop for ControlGroup {
    fn drop(&mut self) {
        // A group goes when the last of its processes is gone, a moment after the kill.
        drop(fs::write(self.0.join("cgroup.kill"), "1"));
        drop(wait::until(LIMIT, "a control group to be empty", || {
            self.below().iter().rev().for_each(|inner| drop(fs::remove_dir(inner)));
            Ok(fs::remove_dir(&self.0).is_ok().then_some(()))
        }));
    }
}
