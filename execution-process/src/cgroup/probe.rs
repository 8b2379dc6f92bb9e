//! Tries a group before the first test depends on it: a process is put into one, and ended with it.

use std::process::Stdio;

use tokio::process::Command;

use super::{Groups, place::REMEDY};
use crate::limits::CGROUP_PROBE_LIMIT;

/// No attempt has this name.
const NAME: &str = "probe";

/// An error is a sentence with its remedy.
pub(super) async fn run(groups: &Groups) -> Result<(), String> {
    let told = |why: String| {
        format!("a control group in `{}` cannot be used: {why}; {REMEDY}", groups.folder.display())
    };
    let group = groups.make(NAME).map_err(|error| told(error.to_string()))?;
    let tried = live_in(&group).await;
    group.end().await;
    tried.map_err(told)
}

async fn live_in(group: &super::Group) -> Result<(), String> {
    let (ours, theirs) = std::os::unix::net::UnixStream::pair().map_err(|error| error.to_string())?;
    let (program, words) = group.starter().split_first().ok_or("there is no program to try it with")?;
    // It waits for a word that is never said.
    let mut command = Command::new(program);
    command.args(words).arg("true").env_clear().kill_on_drop(true);
    command.stdin(Stdio::from(std::os::fd::OwnedFd::from(theirs)));
    let mut child = command.spawn().map_err(|error| format!("`{}`: {error}", program.display()))?;
    drop(command);
    let pid = child.id().and_then(|pid| i32::try_from(pid).ok()).ok_or("its process ended at once")?;
    group.put(pid).map_err(|error| format!("no process can be put there: {error}"))?;
    if !group.processes().contains(&pid) {
        return Err("a process that was put there is not there".to_owned());
    }
    group.kill();
    let ended = tokio::time::timeout(CGROUP_PROBE_LIMIT, child.wait()).await;
    drop(ours);
    match ended {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err("its process did not end with it".to_owned()),
    }
}
