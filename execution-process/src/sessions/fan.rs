//! Those who watch a session: each gets what the device says, and none of them can hold it up.
//!
//! What waits for one watcher is bounded; one who is slower than the device for longer than that is dropped. Somebody who comes late
//! sees the last of what was said first.

use std::{
    collections::VecDeque,
    fs::File,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use jackfield_device::{
    channel::Window,
    record::{Recorder, Tap, redact::Redactor, typed::Typed},
};
use jackfield_protocol::{
    id::{ConsoleId, UserName},
    secret::Secret,
};
use tokio::sync::mpsc;

use crate::limits::{SCREEN_BYTES_MAX, WAITING_BYTES_MAX};

/// The watchers of one session. Cheap to clone.
#[derive(Clone, Default)]
pub(crate) struct Fan(Arc<Mutex<Inner>>);

#[derive(Default)]
struct Inner {
    screen: VecDeque<u8>,
    secrets: Vec<Secret>,
    /// Secrets that were typed, in the device's encoding.
    learned: Vec<Vec<u8>>,
    /// What the test and the person type.
    typed: Typed,
    watchers: Vec<Watcher>,
    /// Who types instead of the test.
    typing: Option<(ConsoleId, UserName)>,
    /// What the one who types keeps.
    recorder: Option<Arc<Mutex<Recorder<File>>>>,
    ended: Arc<AtomicBool>,
}

struct Watcher {
    to: mpsc::UnboundedSender<Seen>,
    waiting: Arc<AtomicUsize>,
    redactor: Option<Redactor>,
}

/// What a watcher sees.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Seen {
    /// The device said this.
    Output(Vec<u8>),
    /// Somebody types from now on, or nobody does.
    Typing(Option<(ConsoleId, UserName)>),
}

/// Why a watcher sees nothing more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lost {
    /// The session is closed.
    Ended,
    /// It fell too far behind.
    Slow,
}

/// The view of one watcher.
#[derive(Debug)]
pub(crate) struct Watch {
    from: mpsc::UnboundedReceiver<Seen>,
    waiting: Arc<AtomicUsize>,
    ended: Arc<AtomicBool>,
}

impl Watch {
    /// What comes next; nothing is lost when the wait is given up.
    pub(crate) async fn next(&mut self) -> Result<Seen, Lost> {
        match self.from.recv().await {
            Some(seen) => {
                if let Seen::Output(bytes) = &seen {
                    self.waiting.fetch_sub(bytes.len(), Ordering::Relaxed);
                }
                Ok(seen)
            }
            None if self.ended.load(Ordering::Acquire) => Err(Lost::Ended),
            None => Err(Lost::Slow),
        }
    }

    /// Whether so little waits that the device may be asked for more.
    pub(crate) fn has_room(&self) -> bool {
        self.waiting.load(Ordering::Relaxed) < WAITING_BYTES_MAX / 4
    }
}

impl Fan {
    /// What those who may not type do not see.
    pub(crate) fn hide(&self, secrets: Vec<Secret>) {
        self.inner().secrets = secrets;
    }

    /// What must not reach the disk.
    pub(crate) fn secrets(&self) -> Vec<Secret> {
        self.inner().secrets.clone()
    }

    /// Looks on from now: what the device said last, and a view of what follows. Who may type could ask the device for its secrets and
    /// sees all; others see stars.
    pub(crate) fn watch(&self, may_type: bool) -> (Vec<u8>, Watch) {
        let mut inner = self.inner();
        let (to, from) = mpsc::unbounded_channel();
        let waiting = Arc::new(AtomicUsize::new(0));
        let hidden: Vec<&str> = inner.secrets.iter().map(Secret::expose_for_striking_out).collect();
        let mut redactor = (!may_type).then(|| Redactor::new(&hidden));
        if let Some(redactor) = &mut redactor {
            redactor.add(&inner.learned);
        }
        let screen: Vec<u8> = inner.screen.iter().copied().collect();
        let screen = redactor.as_mut().map_or_else(|| screen.clone(), |redactor| redactor.push(&screen));
        let _ = to.send(Seen::Typing(inner.typing.clone()));
        let ended = Arc::clone(&inner.ended);
        if !ended.load(Ordering::Acquire) {
            inner.watchers.push(Watcher { to, waiting: Arc::clone(&waiting), redactor });
        }
        (screen, Watch { from, waiting, ended })
    }

    /// Who types instead of the test.
    pub(crate) fn typing(&self) -> Option<(ConsoleId, UserName)> {
        self.inner().typing.clone()
    }

    /// Whether the device waits for something that nobody is to read.
    pub(crate) fn is_asked_for_secret(&self) -> bool {
        self.inner().typed.is_asked_for_secret()
    }

    /// Somebody types from now on and keeps a recording of it, or nobody does.
    pub(crate) fn set_typing(
        &self,
        typing: Option<(ConsoleId, UserName)>,
        recorder: Option<Arc<Mutex<Recorder<File>>>>,
    ) {
        let mut inner = self.inner();
        if let Some(recorder) = &recorder {
            recorder.lock().unwrap_or_else(PoisonError::into_inner).hide(&inner.learned);
        }
        inner.recorder = recorder;
        inner.typing.clone_from(&typing);
        inner.watchers.retain(|watcher| watcher.to.send(Seen::Typing(typing.clone())).is_ok());
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        // A panic between two statements of this module leaves at worst a watcher too few.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn keep(&mut self, bytes: &[u8]) {
        let last = bytes.get(bytes.len().saturating_sub(SCREEN_BYTES_MAX)..).unwrap_or_default();
        let over = self.screen.len().saturating_add(last.len()).saturating_sub(SCREEN_BYTES_MAX);
        self.screen.drain(..over.min(self.screen.len()));
        self.screen.extend(last);
    }
}

impl Inner {
    /// Whoever may not type sees stars in its place from now on.
    fn learn(&mut self, secret: Vec<u8>) {
        let fresh = std::slice::from_ref(&secret);
        for redactor in self.watchers.iter_mut().filter_map(|watcher| watcher.redactor.as_mut()) {
            redactor.add(fresh);
        }
        if let Some(recorder) = &mut self.recorder {
            recorder.lock().unwrap_or_else(PoisonError::into_inner).hide(fresh);
        }
        self.learned.push(secret);
    }
}

impl Watcher {
    /// False where it is gone, or too far behind.
    fn show(&mut self, bytes: &[u8]) -> bool {
        let bytes = match &mut self.redactor {
            Some(redactor) => redactor.push(bytes),
            None => bytes.to_vec(),
        };
        let waits = self.waiting.fetch_add(bytes.len(), Ordering::Relaxed);
        waits.saturating_add(bytes.len()) <= WAITING_BYTES_MAX && self.to.send(Seen::Output(bytes)).is_ok()
    }
}

impl Tap for Fan {
    fn output(&mut self, bytes: &[u8]) {
        let mut inner = self.inner();
        inner.keep(bytes);
        inner.typed.said(bytes);
        inner.watchers.retain_mut(|watcher| watcher.show(bytes));
        if let Some(recorder) = &mut inner.recorder {
            recorder.output(bytes);
        }
    }

    fn input(&mut self, bytes: &[u8]) {
        let mut inner = self.inner();
        let shown = inner.typed.shown(bytes);
        if let Some(recorder) = &mut inner.recorder {
            if shown != bytes {
                recorder.secret(bytes);
            }
            recorder.input(shown);
        }
        if let Some(secret) = inner.typed.take_secret() {
            inner.learn(secret);
        }
    }

    fn secret(&mut self, bytes: &[u8]) {
        let mut inner = self.inner();
        inner.typed.hide(bytes);
        if let Some(recorder) = &mut inner.recorder {
            recorder.secret(bytes);
        }
    }

    fn resize(&mut self, window: Window) {
        if let Some(recorder) = &mut self.inner().recorder {
            recorder.resize(window);
        }
    }

    fn mark(&mut self, label: &str) {
        if let Some(recorder) = &mut self.inner().recorder {
            recorder.mark(label);
        }
    }

    fn end(&mut self) {
        let mut inner = self.inner();
        inner.ended.store(true, Ordering::Release);
        inner.watchers.clear();
        inner.recorder = None;
    }
}

impl std::fmt::Debug for Fan {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Fan").field("watchers", &self.inner().watchers.len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn output(watch: &mut Watch) -> Result<Vec<u8>, Lost> {
        loop {
            if let Seen::Output(bytes) = watch.next().await? {
                return Ok(bytes);
            }
        }
    }

    #[tokio::test]
    async fn who_comes_late_sees_the_last_and_what_follows() {
        let mut fan = Fan::default();
        fan.output(&vec![b'x'; 2 * SCREEN_BYTES_MAX]);
        fan.output(b"\r\nr1# ");
        let (screen, mut watch) = fan.watch(true);
        assert_eq!(screen.len(), SCREEN_BYTES_MAX);
        assert!(screen.ends_with(b"x\r\nr1# "));
        assert_eq!(watch.next().await, Ok(Seen::Typing(None)));
        fan.output(b"show");
        assert_eq!(output(&mut watch).await, Ok(b"show".to_vec()));
        fan.end();
        assert_eq!(output(&mut watch).await, Err(Lost::Ended));
        assert_eq!(output(&mut fan.watch(true).1).await, Err(Lost::Ended));
    }

    #[tokio::test]
    async fn a_slow_watcher_is_dropped_and_nobody_else() {
        let mut fan = Fan::default();
        let ((_, mut slow), (_, mut quick)) = (fan.watch(true), fan.watch(true));
        for _ in 0..3 {
            fan.output(&vec![b'x'; WAITING_BYTES_MAX / 2]);
            assert!(output(&mut quick).await.is_ok());
        }
        assert!(!slow.has_room());
        assert!(output(&mut slow).await.is_ok());
        assert!(output(&mut slow).await.is_ok());
        assert_eq!(output(&mut slow).await, Err(Lost::Slow));
        assert!(quick.has_room());
    }

    #[tokio::test]
    async fn who_may_not_type_sees_stars() {
        let mut fan = Fan::default();
        fan.hide(vec![Secret::new("geheim")]);
        fan.output(b"key geheim\r\nkey ge");
        let ((told, mut open), (stars, mut shut)) = (fan.watch(true), fan.watch(false));
        fan.output(b"heim!");
        assert_eq!(
            (told.as_slice(), output(&mut open).await.unwrap()),
            (&b"key geheim\r\nkey ge"[..], b"heim!".to_vec())
        );
        assert_eq!(
            (stars.as_slice(), output(&mut shut).await.unwrap()),
            (&b"key ********\r\nkey "[..], b"********!".to_vec())
        );
    }
}
