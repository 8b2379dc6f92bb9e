//! The device file of a serial line, set raw.

use std::{
    io,
    os::fd::OwnedFd,
    path::Path,
    task::{Context, Poll, ready},
};

use rustix::{
    fs::{Mode, OFlags},
    termios::{
        self, ControlModes, InputModes, OptionalActions, QueueSelector, Termios, isatty, tcgetattr, tcsetattr,
    },
};
use serial2::SerialPort;
use tokio::io::unix::AsyncFd;

use super::lock;
use crate::line::{Flow, Framing, Line, Parity};

pub(super) struct Port(AsyncFd<OwnedFd>);

impl Port {
    /// Opens it for us alone and sets it; an error names who has it.
    pub(super) fn open(device: &Path, line: Line) -> io::Result<Self> {
        Self::try_open(device, line).map_err(|error| lock::explain(device, error))
    }

    /// The same without looking for reasons, for one who tries often.
    pub(super) fn try_open(device: &Path, line: Line) -> io::Result<Self> {
        let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let fd = rustix::fs::open(device, flags, Mode::empty())?;
        if !isatty(&fd) {
            let why = format!("`{}` is no serial line", device.display());
            return Err(io::Error::new(io::ErrorKind::InvalidInput, why));
        }
        lock::take(&fd)?;
        let port = Self(watched(fd)?);
        port.set(line)?;
        Ok(port)
    }

    /// Sets it, and sees whether it took everything: a line that cannot do what it is asked says nothing by itself.
    pub(super) fn set(&self, line: Line) -> io::Result<()> {
        let mut wanted = tcgetattr(&self.0)?;
        wanted.make_raw();
        frame(&mut wanted, line.framing);
        flow(&mut wanted, line.flow);
        // A break would be a byte of nothing, or a signal to whoever has the line for a terminal.
        wanted.input_modes |= InputModes::PARMRK;
        wanted.input_modes -=
            InputModes::IGNBRK | InputModes::BRKINT | InputModes::INPCK | InputModes::ISTRIP;
        wanted.control_modes |= ControlModes::CLOCAL | ControlModes::CREAD;
        wanted.set_speed(line.speed)?;
        tcsetattr(&self.0, OptionalActions::Now, &wanted)?;
        let is = tcgetattr(&self.0)?;
        let framing =
            ControlModes::CSIZE | ControlModes::PARENB | ControlModes::PARODD | ControlModes::CSTOPB;
        let cannot = |what: String| io::Error::new(io::ErrorKind::Unsupported, what);
        if is.output_speed() != line.speed {
            let why = format!("the line cannot be set to {} bits per second", line.speed);
            return Err(cannot(why));
        }
        if (is.control_modes & framing) != (wanted.control_modes & framing) {
            return Err(cannot(format!("the line cannot be set to {}", line.framing)));
        }
        Ok(())
    }

    /// Does something with its modem lines, which not every line has.
    pub(super) fn modem<T>(&self, what: impl FnOnce(&SerialPort) -> io::Result<T>) -> io::Result<T> {
        let line = SerialPort::from(self.another_hold()?);
        what(&line).map_err(|error| {
            let lacks = [rustix::io::Errno::NOTTY, rustix::io::Errno::INVAL];
            if lacks.iter().any(|lack| error.raw_os_error() == Some(lack.raw_os_error())) {
                let why = "it has no modem lines (DTR, RTS, CTS, DSR, RI, CD), as a pseudo terminal has none";
                io::Error::new(io::ErrorKind::Unsupported, why)
            } else {
                error
            }
        })
    }

    /// The same line once more, for a thread that waits on it.
    pub(super) fn another_hold(&self) -> io::Result<OwnedFd> {
        self.0.get_ref().try_clone()
    }

    pub(super) fn purge(&self) -> io::Result<()> {
        Ok(termios::tcflush(&self.0, QueueSelector::IOFlush)?)
    }

    pub(super) fn poll_read(&self, cx: &mut Context<'_>, into: &mut [u8]) -> Poll<io::Result<usize>> {
        loop {
            let mut readable = ready!(self.0.poll_read_ready(cx))?;
            let read = readable.try_io(|fd| Ok(rustix::io::read(fd.get_ref(), &mut *into)?));
            if let Ok(result) = read {
                return Poll::Ready(result);
            }
        }
    }

    pub(super) fn poll_write(&self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        loop {
            let mut writable = ready!(self.0.poll_write_ready(cx))?;
            if let Ok(result) = writable.try_io(|fd| Ok(rustix::io::write(fd.get_ref(), bytes)?)) {
                return Poll::Ready(result);
            }
        }
    }
}

#[expect(
    deprecated,
    reason = "its heir is unsafe to call, since a type might close its file early; an OwnedFd does not"
)]
fn watched(fd: OwnedFd) -> io::Result<AsyncFd<OwnedFd>> {
    AsyncFd::new(fd)
}

/// Whether the device behind a file is not there any more.
pub(super) fn is_gone(error: &io::Error) -> bool {
    let gone = [rustix::io::Errno::IO, rustix::io::Errno::NODEV, rustix::io::Errno::NXIO];
    error.raw_os_error().is_some_and(|code| gone.iter().any(|gone| gone.raw_os_error() == code))
}

fn frame(termios: &mut Termios, framing: Framing) {
    let modes = &mut termios.control_modes;
    modes.remove(ControlModes::CSIZE | ControlModes::PARENB | ControlModes::PARODD | ControlModes::CSTOPB);
    modes.remove(ControlModes::CMSPAR);
    modes.insert(match framing.data_bits {
        5 => ControlModes::CS5,
        6 => ControlModes::CS6,
        7 => ControlModes::CS7,
        _ => ControlModes::CS8,
    });
    modes.insert(match framing.parity {
        Parity::None => ControlModes::empty(),
        Parity::Odd => ControlModes::PARENB | ControlModes::PARODD,
        Parity::Even => ControlModes::PARENB,
        Parity::Mark => ControlModes::PARENB | ControlModes::PARODD | ControlModes::CMSPAR,
        Parity::Space => ControlModes::PARENB | ControlModes::CMSPAR,
    });
    if framing.stop_bits == 2 {
        modes.insert(ControlModes::CSTOPB);
    }
}

fn flow(termios: &mut Termios, flow: Flow) {
    termios.control_modes.remove(ControlModes::CRTSCTS);
    termios.input_modes.remove(InputModes::IXON | InputModes::IXOFF | InputModes::IXANY);
    match flow {
        Flow::None => {}
        Flow::Hardware => termios.control_modes.insert(ControlModes::CRTSCTS),
        Flow::Software => termios.input_modes.insert(InputModes::IXON | InputModes::IXOFF),
    }
}
