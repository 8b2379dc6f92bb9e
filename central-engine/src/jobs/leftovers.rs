//! Scripts that an earlier life of this engine started and did not see end: it was killed, and they go on. Their jobs are
//! done again, so they are ended first: two of them at once would flash one board together.
//!
//! They are known by a word in their environment that all their children have too, whatever groups and sessions these
//! made. Nothing is written down when one starts, so nothing can be lost between the start and the note.

use std::{collections::BTreeSet, time::Duration};

use rustix::process::{Pid, Signal, kill_process, test_kill_process};

use crate::{clock, limits, store::life::Lives};

/// Names the life of the engine that started a script.
pub(super) const LIFE: &str = "JACKFIELD_ENGINE_LIFE";

/// Ends what earlier lives left: TERM, grace, KILL.
pub(super) async fn end(lives: &Lives, present: &str, grace: Duration) {
    let old: BTreeSet<String> = lives.keys().filter(|life| *life != present).cloned().collect();
    let found = tokio::task::spawn_blocking(move || processes(&old)).await.unwrap_or_default();
    if found.is_empty() {
        return;
    }
    tracing::warn!("{} processes of scripts of the engine's life before go on; they are ended", found.len());
    signal(&found, Signal::TERM);
    if !gone_within(&found, grace).await {
        signal(&found, Signal::KILL);
        // A process that even KILL does not end hangs in the kernel; nothing can be done about it here.
        gone_within(&found, limits::LEFTOVER_KILL_WAIT).await;
    }
}

/// The processes whose environment names one of these lives.
fn processes(old: &BTreeSet<String>) -> Vec<Pid> {
    let Ok(all) = std::fs::read_dir("/proc") else { return Vec::new() };
    let of_old = |pid: &i32| {
        // Processes of others cannot be read, and are not ours.
        let environment = std::fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        environment.split(|byte| *byte == 0).any(|entry| {
            let life = entry.strip_prefix(LIFE.as_bytes()).and_then(|rest| rest.strip_prefix(b"="));
            life.and_then(|life| std::str::from_utf8(life).ok()).is_some_and(|life| old.contains(life))
        })
    };
    let pids = all.flatten().filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
    pids.filter(of_old).filter_map(Pid::from_raw).collect()
}

fn signal(pids: &[Pid], signal: Signal) {
    // One that is gone needs no signal.
    let left = pids.iter().filter(|pid| kill_process(**pid, signal).is_ok()).count();
    tracing::debug!("{left} processes got {signal:?}");
}

async fn gone_within(pids: &[Pid], wait: Duration) -> bool {
    let until = clock::steady().checked_add(wait);
    while pids.iter().any(|pid| test_kill_process(*pid).is_ok()) {
        if until.is_none_or(|until| clock::steady() >= until) {
            return false;
        }
        tokio::time::sleep(limits::LEFTOVER_LOOK).await;
    }
    true
}

#[cfg(test)]
mod tests {
    use std::process::{Command, Stdio};

    use super::*;

    #[tokio::test]
    async fn scripts_of_an_earlier_life_end_with_their_children() {
        let mut script = Command::new("/bin/sh");
        script.arg("-c").arg("setsid sh -c 'trap \"\" TERM; echo ready; while :; do sleep 1; done'");
        let mut script = script.env(LIFE, "old").stdout(Stdio::piped()).spawn().unwrap();
        let mut other = Command::new("/bin/sleep").arg("60").env(LIFE, "other lab").spawn().unwrap();
        let mut ready = [0; 6];
        std::io::Read::read_exact(&mut script.stdout.take().unwrap(), &mut ready).unwrap();
        let lives = Lives::from([("old".to_owned(), None), ("new".to_owned(), None)]);
        // A child that has ended and that nobody asked for stays in the list: somebody has to ask.
        let asks = std::thread::spawn(move || script.wait());
        end(&lives, "new", Duration::from_millis(50)).await;
        asks.join().unwrap().unwrap();
        assert!(processes(&BTreeSet::from(["old".to_owned()])).is_empty());
        assert!(other.try_wait().unwrap().is_none(), "of another lab");
        other.kill().unwrap();
        other.wait().unwrap();
    }
}
