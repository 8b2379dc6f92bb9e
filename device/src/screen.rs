//! The screen of a terminal, for programs that fill it: menus, editors, `top`.
//!
//! A terminal of asciinema's draws what the device sends; it keeps no lines that have scrolled away, so its memory is that of its size.
//! What a device asks its terminal (where is the cursor, what are you) is answered, as a terminal would.
//!
//! - [`view`] is what stands on it, and the ways to look for something there;
//! - [`keys`] are the keys of its keyboard by their names.

pub mod keys;
pub mod view;

mod questions;

use avt::Terminal;

use crate::channel::Window;
use questions::{Question, Questions};
use view::View;

/// Bytes of answers that wait to be sent; a device that asks on and does not listen is answered no more.
const ANSWER_BYTES_MAX: usize = 1024;

/// A screen that is drawn on as bytes arrive.
pub struct Screen {
    terminal: Terminal,
    window: Window,
    /// The first bytes of a character whose others have not come.
    broken: Vec<u8>,
    questions: Questions,
    answers: Vec<u8>,
}

impl Screen {
    /// An empty one.
    pub fn new(window: Window) -> Self {
        let (terminal, window) = blank(window);
        Self { terminal, window, broken: Vec::new(), questions: Questions::default(), answers: Vec::new() }
    }

    /// Draws what came.
    pub fn feed(&mut self, bytes: &[u8]) {
        let mut rest = bytes;
        while !rest.is_empty() {
            let (upto, question) = self.questions.next(rest);
            let (piece, after) = rest.split_at_checked(upto).unwrap_or((rest, &[]));
            self.draw(piece);
            if let Some(question) = question {
                self.answer(question);
            }
            rest = after;
        }
    }

    fn draw(&mut self, bytes: &[u8]) {
        if self.broken.is_empty() {
            self.broken = draw_text(&mut self.terminal, bytes);
        } else {
            let joined = [std::mem::take(&mut self.broken).as_slice(), bytes].concat();
            self.broken = draw_text(&mut self.terminal, &joined);
        }
    }

    fn answer(&mut self, question: Question) {
        let answer = match question {
            Question::Alive => "\x1b[0n".to_owned(),
            Question::Cursor => {
                let cursor = self.view().cursor;
                format!("\x1b[{};{}R", cursor.row.saturating_add(1), cursor.column.saturating_add(1))
            }
            // A VT220 without graphics.
            Question::Kind => "\x1b[?62c".to_owned(),
            Question::Version => "\x1b[>1;10;0c".to_owned(),
        };
        if self.answers.len().saturating_add(answer.len()) <= ANSWER_BYTES_MAX {
            self.answers.extend_from_slice(answer.as_bytes());
        }
    }

    /// What the device is to be told; those who send it take it off.
    pub(crate) fn answers(&mut self) -> &mut Vec<u8> {
        &mut self.answers
    }

    /// What stands on it.
    pub fn view(&self) -> View {
        View::of(&self.terminal, self.window)
    }

    /// Its size.
    pub fn window(&self) -> Window {
        self.window
    }

    /// Gives it another size; a program that fills it draws it anew when it is told.
    pub fn resize(&mut self, window: Window) {
        self.terminal.resize(usize::from(window.columns), usize::from(window.rows));
        self.window = Window { rows: window.rows.max(1), columns: window.columns.max(1) };
    }

    /// Empty again, as for a new connection.
    pub(crate) fn clear(&mut self) {
        *self = Self::new(self.window);
    }

    /// Whether the program wants the cursor keys as applications do.
    pub(crate) fn wants_application_keys(&self) -> bool {
        self.terminal.cursor_key_app_mode()
    }
}

fn blank(window: Window) -> (Terminal, Window) {
    let window = Window { rows: window.rows.max(1), columns: window.columns.max(1) };
    let terminal = Terminal::new(usize::from(window.columns), usize::from(window.rows));
    #[expect(clippy::expect_used, reason = "rows and columns are at least one")]
    (terminal.expect("a terminal with rows and columns can be made"), window)
}

/// Draws text that may end within a character; answers with the bytes of that one.
fn draw_text(terminal: &mut Terminal, bytes: &[u8]) -> Vec<u8> {
    let mut rest = bytes;
    loop {
        match std::str::from_utf8(rest) {
            Ok(text) => {
                terminal.feed(text);
                return Vec::new();
            }
            Err(error) => {
                let (valid, after) = rest.split_at_checked(error.valid_up_to()).unwrap_or((rest, &[]));
                terminal.feed(String::from_utf8_lossy(valid).as_ref());
                let Some(wrong) = error.error_len() else { return after.to_vec() };
                terminal.feed(char::REPLACEMENT_CHARACTER);
                rest = after.get(wrong..).unwrap_or_default();
            }
        }
    }
}

#[cfg(test)]
mod tests;
