//! The device's end of a terminal: lines from bytes, echo, login, pages, and what goes wrong on purpose.

use std::{future::poll_fn, io, sync::Arc};

use jackfield_config::simulated::{Fault, LoginAnswer, LoginAsk, ModelLogin};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{
    device::{Device, Place, Reply},
    power::Power,
    questions,
};
use crate::{
    channel::{Channel, read},
    limits::SIMULATED_LINE_BYTES_MAX,
};

/// What a line editor sends to wipe the line it has drawn.
const WIPE: &[u8] = b"\r\x1b[0K";
/// Wrong logins before the connection is closed.
const LOGIN_TRIES: u32 = 3;
/// Bytes of one piece of a flood.
const FLOOD_BYTES: usize = 32 * 1024;
/// Bytes that wait to be sent together.
const OUTGOING_BYTES: usize = 16 * 1024;

pub(super) struct Terminal {
    channel: Box<dyn Channel>,
    device: Arc<Device>,
    tasks: TaskTracker,
    stop: CancellationToken,
    power: Arc<Power>,
    incoming: Vec<u8>,
    /// Bytes of `incoming` that were taken.
    taken: usize,
    /// What is to be shown, sent when there is nothing left to read: an echo need not be a packet for each letter.
    outgoing: Vec<u8>,
    after_return: bool,
    /// What stands before the line that is typed.
    prompt: String,
}

/// What a person did at the keyboard.
enum Key {
    Line(String),
    Interrupt,
    End,
}

impl Terminal {
    pub(super) fn new(
        channel: Box<dyn Channel>,
        device: Arc<Device>,
        tasks: TaskTracker,
        stop: CancellationToken,
        power: Arc<Power>,
    ) -> Self {
        Self {
            channel,
            device,
            tasks,
            stop,
            power,
            incoming: Vec::new(),
            taken: 0,
            outgoing: Vec::new(),
            after_return: false,
            prompt: String::new(),
        }
    }

    pub(super) async fn run(mut self, ask_login: bool) -> io::Result<()> {
        self.talk(ask_login).await?;
        self.flush().await?;
        self.channel.close().await;
        Ok(())
    }

    async fn talk(&mut self, ask_login: bool) -> io::Result<()> {
        let banner = self.device.banner();
        self.show(&banner).await?;
        if let Some(login) = self.device.model().login.clone().filter(|_| ask_login)
            && !self.log_in(&login).await?
        {
            return Ok(());
        }
        let (mut place, mut reply) = self.device.enter();
        loop {
            if !self.give(&reply, &place).await? {
                break;
            }
            reply = match self.line(!reply.hidden).await? {
                Key::End => break,
                Key::Interrupt => Reply { prompt: reply.prompt, ..Reply::default() },
                Key::Line(line) => {
                    if self.device.model().redraws {
                        self.show(&reply.prompt).await?;
                    }
                    self.device.line(&mut place, &line)
                }
            };
        }
        Ok(())
    }

    async fn log_in(&mut self, login: &ModelLogin) -> io::Result<bool> {
        for _ in 0..LOGIN_TRIES {
            if !self.ask(login, false).await? {
                return Ok(false);
            }
            self.show(&login.user_prompt).await?;
            let Key::Line(user) = self.line(true).await? else { return Ok(false) };
            self.show(&login.password_prompt).await?;
            let Key::Line(password) = self.line(false).await? else { return Ok(false) };
            if user.trim() == login.user && password == login.password && self.ask(login, true).await? {
                return Ok(true);
            }
            self.show(&format!("{}\n", login.failed)).await?;
        }
        Ok(false)
    }

    /// Asks what else there is to ask; false where an answer was wrong.
    async fn ask(&mut self, login: &ModelLogin, after_password: bool) -> io::Result<bool> {
        for ask in login.asks.iter().filter(|ask| ask.after_password == after_password) {
            self.show(&format!("{}{}", ask.text, ask.prompt)).await?;
            if !self.is_answered(ask).await? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    async fn is_answered(&mut self, ask: &LoginAsk) -> io::Result<bool> {
        if ask.answer == LoginAnswer::Key {
            let key = self.byte().await?;
            self.send(b"\r\n").await?;
            return Ok(key.is_some());
        }
        let Key::Line(line) = self.line(!ask.hidden).await? else { return Ok(false) };
        Ok(questions::is_right(ask, &line))
    }

    /// Shows a reply and the prompt; false when the connection is over.
    async fn give(&mut self, reply: &Reply, place: &Place) -> io::Result<bool> {
        if !reply.delay.is_zero() {
            self.flush().await?;
            tokio::time::sleep(reply.delay).await;
        }
        if self.device.model().redraws && !reply.text.is_empty() {
            self.send(WIPE).await?;
        }
        self.plan(reply);
        match reply.fault {
            None => {}
            Some(Fault::Hang) => return self.hang().await,
            Some(Fault::Flood) => return self.flood().await,
            Some(Fault::Reboot) => return self.reboot(reply).await,
            Some(Fault::Garble) => self.send(b"\xff\xfe\x00\x1b[999;999H\xc3\x28\x80\r\n").await?,
            Some(Fault::Drop) => {
                let half = reply.text.len() / 2;
                let cut = (0..=half).rev().find(|at| reply.text.is_char_boundary(*at)).unwrap_or(0);
                self.show(reply.text.get(..cut).unwrap_or_default()).await?;
                return Ok(false);
            }
        }
        if !self.pages(&reply.text, place.page_lines).await? || reply.close {
            return Ok(false);
        }
        self.show(&reply.prompt).await?;
        if let Some((after, text)) = &reply.result {
            self.flush().await?;
            tokio::time::sleep(*after).await;
            self.show(&format!("{text}{}", reply.prompt)).await?;
        }
        self.prompt.clone_from(&reply.prompt);
        Ok(true)
    }

    /// Changes that come later are made later, also when this connection is gone.
    fn plan(&self, reply: &Reply) {
        for (after, changes) in reply.later.clone() {
            let (device, stop) = (Arc::clone(&self.device), self.stop.clone());
            self.tasks.spawn(async move {
                tokio::select! {
                    () = stop.cancelled() => {}
                    () = tokio::time::sleep(after) => device.change(&changes),
                }
            });
        }
    }

    /// Says what there is to say, and cuts everyone off.
    async fn reboot(&mut self, reply: &Reply) -> io::Result<bool> {
        self.show(&reply.text).await?;
        self.flush().await?;
        let (power, stop, down) = (Arc::clone(&self.power), self.stop.clone(), reply.down);
        self.device.reset();
        power.go_down();
        self.tasks.spawn(async move { power.come_up(down, stop).await });
        Ok(false)
    }

    /// Never answers again; the other side may leave.
    async fn hang(&mut self) -> io::Result<bool> {
        self.flush().await?;
        loop {
            self.incoming.clear();
            if read(self.channel.as_mut(), &mut self.incoming).await? == 0 {
                return Ok(false);
            }
        }
    }

    /// Sends without end and without a line end.
    async fn flood(&mut self) -> io::Result<bool> {
        let piece = vec![b'#'; FLOOD_BYTES];
        loop {
            self.send(&piece).await?;
        }
    }

    /// Shows a text page by page; false when the other side left.
    async fn pages(&mut self, text: &str, page_lines: Option<usize>) -> io::Result<bool> {
        let Some((page_lines, more)) =
            page_lines.and_then(|lines| Some((lines, self.device.model().pager.as_ref()?.text.clone())))
        else {
            self.show(text).await?;
            return Ok(true);
        };
        let lines: Vec<&str> = text.split_inclusive('\n').collect();
        let mut pages = lines.chunks(page_lines).peekable();
        while let Some(page) = pages.next() {
            self.show(&page.concat()).await?;
            if pages.peek().is_none() {
                break;
            }
            self.show(&more).await?;
            match self.byte().await? {
                None => return Ok(false),
                Some(key) => {
                    let wipe = format!("\r{}\r", " ".repeat(more.chars().count()));
                    self.send(wipe.as_bytes()).await?;
                    if matches!(key, b'q' | b'Q' | 3) {
                        break;
                    }
                }
            }
        }
        Ok(true)
    }

    async fn byte(&mut self) -> io::Result<Option<u8>> {
        loop {
            if let Some(&byte) = self.incoming.get(self.taken) {
                self.taken = self.taken.saturating_add(1);
                // The line feed or NUL of a return that was already taken.
                if std::mem::take(&mut self.after_return) && matches!(byte, b'\n' | 0) {
                    continue;
                }
                self.after_return = byte == b'\r';
                return Ok(Some(byte));
            }
            self.flush().await?;
            self.incoming.clear();
            self.taken = 0;
            if read(self.channel.as_mut(), &mut self.incoming).await? == 0 {
                return Ok(None);
            }
        }
    }

    /// A line as a person types it: rubout and kill work, ^C begins anew, ^D at its start ends the dialogue.
    async fn line(&mut self, echo: bool) -> io::Result<Key> {
        let mut line: Vec<u8> = Vec::new();
        loop {
            let Some(byte) = self.byte().await? else { return Ok(Key::End) };
            match byte {
                b'\r' | b'\n' => {
                    self.send(b"\r\n").await?;
                    return Ok(Key::Line(String::from_utf8_lossy(&line).into_owned()));
                }
                3 => {
                    self.send(b"^C\r\n").await?;
                    return Ok(Key::Interrupt);
                }
                4 if line.is_empty() => return Ok(Key::End),
                8 | 127 => {
                    let rubbed_out = line.pop().is_some();
                    if rubbed_out && echo {
                        self.send(b"\x08 \x08").await?;
                    }
                }
                21 => {
                    let wipe = b"\x08 \x08".repeat(line.len());
                    line.clear();
                    if echo {
                        self.send(&wipe).await?;
                    }
                }
                byte if byte < b' ' => {}
                byte if line.len() < SIMULATED_LINE_BYTES_MAX => {
                    line.push(byte);
                    if echo && self.device.model().redraws_keys {
                        let drawn = format!("\r{}{}\x1b[K", self.prompt, String::from_utf8_lossy(&line));
                        self.send(drawn.as_bytes()).await?;
                    } else if echo {
                        self.send(&[byte]).await?;
                    }
                }
                _ => {}
            }
        }
    }

    /// Shows a text of ours, with the line ends of a terminal.
    async fn show(&mut self, text: &str) -> io::Result<()> {
        self.send(text.replace('\n', "\r\n").as_bytes()).await
    }

    /// Takes bytes to be sent; large ones go out at once.
    async fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.outgoing.extend_from_slice(bytes);
        if self.outgoing.len() < OUTGOING_BYTES { Ok(()) } else { self.flush().await }
    }

    async fn flush(&mut self) -> io::Result<()> {
        let outgoing = std::mem::take(&mut self.outgoing);
        let mut bytes: &[u8] = &outgoing;
        while !bytes.is_empty() {
            let taken = poll_fn(|cx| self.channel.poll_write(cx, bytes)).await?;
            if taken == 0 {
                return Err(io::ErrorKind::WriteZero.into());
            }
            bytes = bytes.get(taken..).unwrap_or_default();
        }
        poll_fn(|cx| self.channel.poll_flush(cx)).await
    }
}
