//! Listeners of a dialogue, and the one that writes it down: asciicast v2, with secrets struck out before they reach the disk.
//!
//! Secrets are those that are known from the beginning, those that are sent as such, and what is sent after the device asked for one; from then
//! on each is struck out wherever it stands.

use std::{
    io::Write,
    sync::{Arc, Mutex},
};

use jackfield_protocol::secret::Secret;
use tokio::time::Instant;

use crate::{channel::Window, clock, limits::RECORDING_BYTES_MAX};

pub mod cast;
pub mod redact;
pub mod typed;

use redact::Redactor;
use typed::Typed;

/// One who listens to a dialogue. Called in the order of events; must not block.
pub trait Tap: Send {
    /// What the device said.
    fn output(&mut self, bytes: &[u8]);
    /// What it was sent; stars for a secret.
    fn input(&mut self, bytes: &[u8]);
    /// What [`Tap::input`] is told in other words next: it is secret, and must be seen nowhere.
    fn secret(&mut self, _bytes: &[u8]) {}
    /// Something that the device said was taken for what a key of its profile describes.
    fn taken(&mut self, _text: &str, _key: &str) {}
    /// The terminal has another size.
    fn resize(&mut self, _window: Window) {}
    /// A place people look for: a step, a test.
    fn mark(&mut self, _label: &str) {}
    /// The dialogue is over.
    fn end(&mut self) {}
}

/// Writes asciicast v2: a header line, then `[seconds, "o", "text"]` for each event.
pub struct Recorder<W: Write + Send> {
    to: W,
    begun: Instant,
    written: u64,
    full: bool,
    output: Redactor,
    input: Redactor,
    typed: Typed,
    broken_tail: Vec<u8>,
}

impl<W: Write + Send> Recorder<W> {
    /// Begins a recording; `secrets` never appear in it.
    pub fn new(to: W, title: &str, window: Window, secrets: &[Secret]) -> Self {
        let secrets: Vec<&str> = secrets.iter().map(Secret::expose_for_striking_out).collect();
        let mut recorder = Self {
            to,
            begun: clock::now(),
            written: 0,
            full: false,
            output: Redactor::new(&secrets),
            input: Redactor::new(&secrets),
            typed: Typed::default(),
            broken_tail: Vec::new(),
        };
        let header = serde_json::json!({
            "version": 2,
            "width": window.columns,
            "height": window.rows,
            "timestamp": clock::wall().0.div_euclid(1000),
            "title": title,
        });
        recorder.line(&header.to_string());
        recorder
    }

    /// Strikes out these too, from now on.
    pub fn hide(&mut self, secrets: &[impl AsRef<[u8]>]) {
        self.output.add(secrets);
        self.input.add(secrets);
    }

    fn line(&mut self, line: &str) {
        if self.full {
            return;
        }
        let bytes = u64::try_from(line.len()).unwrap_or(u64::MAX).saturating_add(1);
        if self.written.saturating_add(bytes) > RECORDING_BYTES_MAX {
            self.full = true;
            let seconds = self.seconds();
            self.write(&serde_json::json!([seconds, "m", "the recording is full and ends here"]).to_string());
            return;
        }
        self.written = self.written.saturating_add(bytes);
        self.write(line);
    }

    fn write(&mut self, line: &str) {
        // In one piece: a cut leaves whole lines, and a chatty device costs one call each.
        if let Err(error) = self.to.write_all(format!("{line}\n").as_bytes()) {
            tracing::warn!(%error, "a recording cannot be written and ends here");
            self.full = true;
        }
    }

    fn event(&mut self, kind: &str, text: &str) {
        if !text.is_empty() {
            let seconds = self.seconds();
            self.line(&serde_json::json!([seconds, kind, text]).to_string());
        }
    }

    /// Since the beginning, to the millisecond.
    fn seconds(&self) -> f64 {
        let millis = clock::now().saturating_duration_since(self.begun).as_millis();
        f64::from(u32::try_from(millis).unwrap_or(u32::MAX)) / 1000.0
    }

    /// Text of bytes that may end within a character; the rest waits for its other half.
    fn output_text(&mut self, bytes: &[u8]) -> String {
        let mut all = std::mem::take(&mut self.broken_tail);
        all.extend_from_slice(bytes);
        if let Err(error) = std::str::from_utf8(&all)
            && error.error_len().is_none()
        {
            self.broken_tail = all.split_off(error.valid_up_to());
        }
        String::from_utf8_lossy(&all).into_owned()
    }
}

impl<W: Write + Send> Tap for Recorder<W> {
    fn output(&mut self, bytes: &[u8]) {
        let said = self.typed.said(bytes);
        let clean = self.output.push(&said);
        let text = self.output_text(&clean);
        self.event("o", &text);
    }

    fn input(&mut self, bytes: &[u8]) {
        let shown = self.typed.shown(bytes);
        if let Some(secret) = self.typed.take_secret() {
            self.hide(&[secret]);
        }
        let mut clean = self.input.push(shown);
        clean.extend(self.input.finish());
        self.event("i", &String::from_utf8_lossy(&clean));
    }

    fn secret(&mut self, bytes: &[u8]) {
        self.typed.hide(bytes);
    }

    fn resize(&mut self, window: Window) {
        self.event("r", &format!("{}x{}", window.columns, window.rows));
    }

    fn mark(&mut self, label: &str) {
        self.event("m", &self.input.text(label));
    }

    fn end(&mut self) {
        let mut rest = self.output.finish();
        rest.splice(0..0, std::mem::take(&mut self.broken_tail));
        self.event("o", &String::from_utf8_lossy(&rest));
        if let Err(error) = self.to.flush() {
            tracing::warn!(%error, "the end of a recording could not be written");
        }
    }
}

/// A tap that several may share; a transcript that a test's log follows.
impl<T: Tap> Tap for Arc<Mutex<T>> {
    fn output(&mut self, bytes: &[u8]) {
        self.lock().unwrap_or_else(std::sync::PoisonError::into_inner).output(bytes);
    }

    fn input(&mut self, bytes: &[u8]) {
        self.lock().unwrap_or_else(std::sync::PoisonError::into_inner).input(bytes);
    }

    fn secret(&mut self, bytes: &[u8]) {
        self.lock().unwrap_or_else(std::sync::PoisonError::into_inner).secret(bytes);
    }

    fn resize(&mut self, window: Window) {
        self.lock().unwrap_or_else(std::sync::PoisonError::into_inner).resize(window);
    }

    fn mark(&mut self, label: &str) {
        self.lock().unwrap_or_else(std::sync::PoisonError::into_inner).mark(label);
    }

    fn end(&mut self) {
        self.lock().unwrap_or_else(std::sync::PoisonError::into_inner).end();
    }
}

#[cfg(test)]
mod planted;

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Clone, Default)]
    pub(super) struct Shared(pub(super) Arc<Mutex<Vec<u8>>>);

    impl Write for Shared {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_recording_reads_as_asciicast_without_the_secret() {
        let file = Shared::default();
        let mut recorder = Recorder::new(file.clone(), "r1", Window::default(), &[Secret::new("geheim")]);
        recorder.output(b"Password: ge");
        recorder.output(b"heim\r\ncaf\xc3");
        recorder.output(b"\xa9# ");
        recorder.input(b"show geheim\r");
        recorder.mark("step 1");
        recorder.end();
        let text = String::from_utf8(file.0.lock().unwrap().clone()).unwrap();
        let (header, events) = text.split_once('\n').unwrap();
        let header: serde_json::Value = serde_json::from_str(header).unwrap();
        assert_eq!((&header["version"], &header["width"]), (&2.into(), &250.into()));
        insta::assert_snapshot!(events, @r#"
        [0.0,"o","Password: "]
        [0.0,"o","********\r\ncaf"]
        [0.0,"o","é# "]
        [0.0,"i","show ********\r"]
        [0.0,"m","step 1"]
        "#);
    }
}
