//! Packets on an interface of this machine, written down around a test or a part of one.
//!
//! `tcpdump` does it: it is what labs have and trust, and it alone needs the right to listen. It writes to a file that is kept with
//! the attempt; whatever a test leaves running ends with it.

use std::{
    collections::BTreeMap,
    ffi::OsString,
    fs::File,
    path::{Path, PathBuf},
    process::Stdio,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use jackfield_protocol::{
    error::{ErrorCode, Problem},
    id::{AttemptId, RunId},
};
use rustix::process::{Pid, Resource, Rlimit, Signal};
use serde::Serialize;
use tokio::{
    io::{AsyncBufReadExt, BufReader, Lines},
    process::{Child, ChildStderr, Command},
};

use crate::limits::{
    CAPTURE_SILENCE_LOOKS, CAPTURE_SILENCE_PAUSE, CAPTURE_START_LIMIT, CAPTURE_STOP_LIMIT, CAPTURES_MAX,
};
use crate::{host::find_program, process, settings::folder_name};

/// The program, and the Debian package of the same name.
const TCPDUMP: &str = "tcpdump";

/// What to write down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Wanted {
    /// An interface of this machine, or `any`.
    pub(crate) interface: String,
    /// An expression of pcap-filter(7); empty: everything.
    pub(crate) filter: String,
    /// The name it is stopped by, and its file's; none: the interface's.
    pub(crate) name: Option<String>,
}

impl Wanted {
    /// Reads the property of a test: an interface, then a filter.
    pub(crate) fn of_property(text: &str) -> Self {
        let (interface, filter) = text.trim().split_once(char::is_whitespace).unwrap_or((text.trim(), ""));
        Self { interface: interface.to_owned(), filter: filter.trim().to_owned(), name: None }
    }
}

/// What came of a capture; of the kernel's own counting.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Captured {
    /// Packets in the file.
    pub(crate) packets: u64,
    /// Packets that came faster than they could be written.
    pub(crate) dropped: u64,
    /// Size of the file.
    pub(crate) bytes: u64,
}

/// Every capture that runs on this EP.
#[derive(Clone, Debug)]
pub(crate) struct PacketCaptures(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    folder: PathBuf,
    /// What stands in the environment of what this EP starts.
    mark: (OsString, OsString),
    bytes_max: u64,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    running: BTreeMap<(AttemptId, String), Capture>,
    /// Files by attempt, under the names by which they are kept.
    files: BTreeMap<AttemptId, BTreeMap<Arc<str>, PathBuf>>,
}

#[derive(Debug)]
struct Capture {
    child: Child,
    said: Lines<BufReader<ChildStderr>>,
    file: PathBuf,
}

impl PacketCaptures {
    /// None yet. Files are made below `folder`, each of at most `bytes_max`; `mark` is a variable for the environment.
    pub(crate) fn new(folder: PathBuf, mark: (OsString, OsString), bytes_max: u64) -> Self {
        Self(Arc::new(Shared { folder, mark, bytes_max, state: Mutex::default() }))
    }

    /// Begins to write down; from the answer on, no packet is missed.
    pub(crate) async fn start(&self, attempt: AttemptId, wanted: Wanted) -> Result<String, Problem> {
        let name = wanted.name.clone().unwrap_or_else(|| wanted.interface.clone());
        let file_name: Arc<str> = format!("{}.pcap", folder_name(&name)).into();
        let key = (attempt, name.clone());
        {
            let state = self.state();
            let of_attempt = state.running.keys().filter(|(of, _)| *of == attempt).count();
            if state.running.contains_key(&key)
                || state.files.get(&attempt).is_some_and(|files| files.contains_key(&file_name))
            {
                let title =
                    format!("there is a capture `{name}` of this test already; give this one another name");
                return Err(Problem::new(ErrorCode::AlreadyExists, title).field("name"));
            }
            if of_attempt >= CAPTURES_MAX {
                let title = format!("{CAPTURES_MAX} captures of this test run; stop one");
                return Err(Problem::new(ErrorCode::TooMany, title));
            }
        }
        let folder = self.run_folder(attempt.run);
        let file = folder.join(format!("{}.{}-{file_name}", attempt.test, attempt.attempt));
        let capture = self.0.begin(&folder, file.clone(), &wanted).await?;
        let mut state = self.state();
        state.running.insert(key, capture);
        state.files.entry(attempt).or_default().insert(file_name, file);
        Ok(name)
    }

    /// Ends a capture; its file is kept with the attempt.
    pub(crate) async fn stop(&self, attempt: AttemptId, name: &str) -> Result<Captured, Problem> {
        let found = self.state().running.remove(&(attempt, name.to_owned()));
        match found {
            Some(capture) => Ok(capture.end().await),
            None => {
                let title = format!("no capture `{name}` of this test runs; start it with capture_start");
                Err(Problem::new(ErrorCode::NotFound, title).field("capture"))
            }
        }
    }

    /// The files of an attempt that has ended, by the names under which they are kept, and where they are.
    pub(crate) async fn leave(&self, attempt: AttemptId) -> Vec<(Arc<str>, PathBuf)> {
        let (running, files) = {
            let mut state = self.state();
            let running: Vec<Capture> = state
                .running
                .extract_if(.., |(of, _), _| *of == attempt)
                .map(|(_, capture)| capture)
                .collect();
            (running, state.files.remove(&attempt).unwrap_or_default())
        };
        for capture in running {
            capture.end().await;
        }
        files.into_iter().collect()
    }

    /// Where the files of a run are.
    pub(crate) fn run_folder(&self, run: RunId) -> PathBuf {
        self.0.folder.join(run.to_string())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // A panic between two statements of this module cannot leave the maps half changed.
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shared {
    async fn begin(&self, folder: &Path, file: PathBuf, wanted: &Wanted) -> Result<Capture, Problem> {
        let lab = |title: String| Problem::new(ErrorCode::Unavailable, title);
        let program = find_program(TCPDUMP).ok_or_else(|| {
            lab(format!("`{TCPDUMP}` is not installed on this EP: apt-get install {TCPDUMP}"))
        })?;
        let output = std::fs::create_dir_all(folder)
            .and_then(|()| File::create(&file))
            .map_err(|error| lab(format!("`{}` cannot be written: {error}", file.display())))?;
        let mut command = Command::new(program);
        command.args(["-n", "-U", "--immediate-mode", "-w", "-", "-i", &wanted.interface, "--"]);
        command.args((!wanted.filter.is_empty()).then_some(&wanted.filter));
        command.env(&self.mark.0, &self.mark.1).stdin(Stdio::null()).stdout(output).stderr(Stdio::piped());
        let mut child = command
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| lab(format!("`{TCPDUMP}`: {error}")))?;
        limit_size(&child, self.bytes_max);
        let stderr = child.stderr.take().ok_or_else(|| lab(format!("`{TCPDUMP}` cannot be heard")))?;
        let mut said = BufReader::new(stderr).lines();
        match tokio::time::timeout(CAPTURE_START_LIMIT, listening(&mut said)).await {
            Ok(Ok(())) => Ok(Capture { child, said, file }),
            Ok(Err(last)) => Err(lab(refused(&wanted.interface, &last))),
            Err(_) => Err(lab(format!(
                "`{TCPDUMP}` did not begin to listen on `{}` in {CAPTURE_START_LIMIT:?}",
                wanted.interface
            ))),
        }
    }
}

/// A capture ends by itself when its file is as large as an artifact may be.
fn limit_size(child: &Child, bytes_max: u64) {
    let pid = child.id().and_then(|pid| i32::try_from(pid).ok()).and_then(Pid::from_raw);
    let limit = Rlimit { current: Some(bytes_max), maximum: Some(bytes_max) };
    let _ = rustix::process::prlimit(pid, Resource::Fsize, limit);
}

/// Waits until it listens; otherwise the last words before its end.
async fn listening(said: &mut Lines<BufReader<ChildStderr>>) -> Result<(), String> {
    let mut last = String::new();
    while let Ok(Some(line)) = said.next_line().await {
        if line.contains("listening on") {
            return Ok(());
        }
        last = line;
    }
    Err(last)
}

/// Why nothing is captured, with the remedy.
fn refused(interface: &str, last: &str) -> String {
    let last = last.strip_prefix("tcpdump: ").unwrap_or(last);
    let lower = last.to_lowercase();
    let remedy = if lower.contains("permission") || lower.contains("not permitted") {
        "; give tcpdump the right once: setcap cap_net_raw,cap_net_admin=eip /usr/bin/tcpdump"
    } else if lower.contains("no such device") {
        "; `ip link` on this EP lists its interfaces"
    } else {
        ""
    };
    format!("nothing can be captured on `{interface}`: {last}{remedy}")
}

impl Capture {
    async fn end(mut self) -> Captured {
        if let Some(pid) = self.child.id().and_then(|pid| i32::try_from(pid).ok()).and_then(Pid::from_raw) {
            wait_for_silence(pid).await;
            let _ = rustix::process::kill_process(pid, Signal::INT);
        }
        let mut captured = Captured::default();
        let last_words = async {
            while let Ok(Some(line)) = self.said.next_line().await {
                count(&line, &mut captured);
            }
            let _ = self.child.wait().await;
        };
        if tokio::time::timeout(CAPTURE_STOP_LIMIT, last_words).await.is_err() {
            let _ = self.child.kill().await;
        }
        captured.bytes = std::fs::metadata(&self.file).map_or(0, |file| file.len());
        captured
    }
}

/// What the kernel still has for it would be lost with the signal; it sleeps when there is nothing.
async fn wait_for_silence(pid: Pid) {
    for _ in 0..CAPTURE_SILENCE_LOOKS {
        tokio::time::sleep(CAPTURE_SILENCE_PAUSE).await;
        if process::is_asleep(pid.as_raw_nonzero().get()) {
            break;
        }
    }
}

/// `12 packets captured`, `0 packets dropped by kernel`.
fn count(line: &str, captured: &mut Captured) {
    let Some((number, what)) = line.split_once(' ') else { return };
    let Ok(number) = number.parse() else { return };
    if what.contains("captured") {
        captured.packets = number;
    } else if what.contains("dropped by kernel") {
        captured.dropped = number;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_property_is_an_interface_and_a_filter() {
        for (text, interface, filter) in
            [("eth0", "eth0", ""), (" lo  tcp port 23 ", "lo", "tcp port 23"), ("any\tarp", "any", "arp")]
        {
            let wanted = Wanted::of_property(text);
            assert_eq!((wanted.interface.as_str(), wanted.filter.as_str()), (interface, filter));
        }
    }

    #[test]
    fn last_words_are_counted() {
        let mut captured = Captured::default();
        for line in [
            "12 packets captured",
            "24 packets received by filter",
            "3 packets dropped by kernel",
            "1 packet captured x",
            "",
        ] {
            count(line, &mut captured);
        }
        assert_eq!(captured, Captured { packets: 1, dropped: 3, bytes: 0 });
    }

    #[test]
    fn what_is_refused_says_what_to_do() {
        let text = refused("eth9", "tcpdump: eth9: No such device exists");
        assert_eq!(
            text,
            "nothing can be captured on `eth9`: eth9: No such device exists; `ip link` on this EP lists its interfaces"
        );
        assert!(
            refused("eth0", "tcpdump: eth0: You don't have permission to capture on that device")
                .contains("setcap")
        );
    }
}
