//! The terminal of the person: raw while a console is open, as it was before on every way out.

use std::io::{ErrorKind, IsTerminal, Read, Write};

use anyhow::Result;
use jackfield_device::channel::Window;
use jackfield_protocol::console::PersonToEp;
use rustix::termios::{OptionalActions, Termios, tcgetattr, tcgetwinsize, tcsetattr};
use tokio::sync::mpsc;

use crate::output;

/// Pieces of typed text that wait to be sent; reading waits for room.
const TYPED_MAX: usize = 64;

/// A raw terminal; dropped, it is what it was.
pub(super) struct Terminal {
    before: Termios,
}

/// Lines and characters of a terminal.
#[derive(Clone, Copy, Debug)]
pub(super) struct Size {
    rows: u16,
    columns: u16,
}

/// The size of the terminal in front of a person; where there is none, what devices are told that tests talk to.
pub(in crate::command) fn window() -> Window {
    let Size { rows, columns } = match std::io::stdin().is_terminal() {
        true => size(),
        false => return Window::default(),
    };
    Window { rows, columns }
}

fn size() -> Size {
    match tcgetwinsize(std::io::stdin()) {
        Ok(size) if size.ws_row > 0 && size.ws_col > 0 => Size { rows: size.ws_row, columns: size.ws_col },
        // A terminal that does not say is taken for the most common one.
        _ => Size { rows: 24, columns: 80 },
    }
}

impl From<Size> for PersonToEp {
    fn from(Size { rows, columns }: Size) -> Self {
        Self::Resize { rows, columns }
    }
}

impl Terminal {
    pub(super) fn raw() -> Result<Self> {
        let stdin = std::io::stdin();
        let before = tcgetattr(&stdin)?;
        let mut raw = before.clone();
        raw.make_raw();
        tcsetattr(&stdin, OptionalActions::Now, &raw)?;
        Ok(Self { before })
    }

    pub(super) fn size(&self) -> Size {
        size()
    }

    /// Says something between what the device says.
    pub(super) fn tell(&self, text: &str) {
        output::talk(&format!("\r\n[{text}]\r"));
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        if let Err(error) = tcsetattr(std::io::stdin(), OptionalActions::Now, &self.before) {
            output::talk(&format!("the terminal cannot be set back ({error}); type `reset`"));
        }
        output::talk("");
    }
}

/// What is typed, as it comes; ends with the input.
pub(super) fn typed() -> mpsc::Receiver<Vec<u8>> {
    let (to, typed) = mpsc::channel(TYPED_MAX);
    std::thread::spawn(move || {
        let mut bytes = [0; 4096];
        loop {
            let count = match std::io::stdin().lock().read(&mut bytes) {
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Ok(0) | Err(_) => return,
                Ok(count) => count,
            };
            if to.blocking_send(bytes.get(..count).unwrap_or_default().to_vec()).is_err() {
                return;
            }
        }
    });
    typed
}

/// Prints what the device said; false where nobody reads it any more.
pub(super) fn print(bytes: &[u8]) -> Result<bool> {
    let mut out = std::io::stdout().lock();
    match out.write_all(bytes).and_then(|()| out.flush()) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(false),
        done => Ok(done.map(|()| true)?),
    }
}
