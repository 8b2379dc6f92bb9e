//! The telnet protocol without a socket: bytes in, data and answers out (RFC 854, 855, 1143).
//!
//! What arrives may be cut anywhere; the same bytes give the same data and the same answers. `IAC IAC` is one byte of data, `CR NUL`
//! is a carriage return, commands and sub-negotiations never reach the data.

use std::collections::BTreeMap;

use super::{
    com_port::{ComPort, Order},
    option::{Answer, Side, code},
};
use crate::{
    channel::Window,
    limits::{TELNET_ANSWERS_MAX, TELNET_SUB_BYTES_MAX},
};

const IAC: u8 = 255;
const DONT: u8 = 254;
const DO: u8 = 253;
const WONT: u8 = 252;
const WILL: u8 = 251;
const SB: u8 = 250;
const SE: u8 = 240;
const AYT: u8 = 246;
const BRK: u8 = 243;
const SUB_IS: u8 = 0;
const SUB_SEND: u8 = 1;
const ENVIRON_VAR: u8 = 0;
const ENVIRON_VALUE: u8 = 1;

/// Which end of the line we are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// We dialled: the device echoes, we tell terminal and size.
    Client,
    /// We are the (simulated) device.
    Server,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Place {
    #[default]
    Data,
    AfterReturn,
    Command,
    Option(u8),
    SubOption,
    Sub(u8),
    SubCommand(u8),
}

/// One end of a telnet connection.
#[derive(Debug)]
pub struct Codec {
    role: Role,
    place: Place,
    ours: BTreeMap<u8, Side>,
    theirs: BTreeMap<u8, Side>,
    sub: Vec<u8>,
    answers: u32,
    terminal: String,
    user: String,
    window: Window,
    peer_window: Option<Window>,
    com_port: Option<ComPort>,
    breaks: u32,
}

impl Codec {
    /// A codec at the start of a connection.
    pub fn new(role: Role, window: Window, user: &str) -> Self {
        Self {
            role,
            place: Place::Data,
            ours: BTreeMap::new(),
            theirs: BTreeMap::new(),
            sub: Vec::new(),
            answers: 0,
            terminal: "vt100".to_owned(),
            user: user.to_owned(),
            window,
            peer_window: None,
            com_port: None,
            breaks: 0,
        }
    }

    /// The same, wanting a serial line behind the connection.
    #[must_use]
    pub fn with_com_port(mut self) -> Self {
        self.com_port = Some(ComPort::default());
        self
    }

    /// The same, telling another kind of terminal when asked.
    #[must_use]
    pub fn with_terminal(mut self, terminal: &str) -> Self {
        terminal.clone_into(&mut self.terminal);
        self
    }

    /// What we say first. A server echoes, needs no go-ahead, and would like to know the size; a client lets the device begin, but for a
    /// serial line, which it wants whole: eight bits both ways.
    pub fn greet(&mut self, out: &mut Vec<u8>) {
        let (ours, theirs): (&[u8], &[u8]) = match (self.role, &self.com_port) {
            (Role::Server, _) => (&[code::ECHO, code::SGA], &[code::SGA, code::NAWS]),
            (Role::Client, Some(_)) => {
                (&[code::COM_PORT, code::BINARY, code::SGA], &[code::BINARY, code::SGA])
            }
            (Role::Client, None) => (&[], &[]),
        };
        for (verb, options) in [(WILL, ours), (DO, theirs)] {
            for &option in options {
                let side = if verb == WILL { &mut self.ours } else { &mut self.theirs };
                if side.entry(option).or_default().ask() == Answer::Agree {
                    out.extend_from_slice(&[IAC, verb, option]);
                }
            }
        }
    }

    /// Whether the peer lets us at the serial line; none while it has not said.
    pub(super) fn has_line(&self) -> Option<bool> {
        let side = self.ours.get(&code::COM_PORT)?;
        if side.is_on() { Some(true) } else { side.is_off().then_some(false) }
    }

    /// What the peer said about its serial line.
    pub(super) fn com_port(&mut self) -> Option<&mut ComPort> {
        self.com_port.as_mut()
    }

    /// An order to the serial line.
    pub(super) fn order(&mut self, order: &Order, out: &mut Vec<u8>) {
        let body = [&[order.code], order.value.as_slice()].concat();
        Self::write_sub(code::COM_PORT, &body, out);
    }

    /// Asks who serves the line.
    pub(super) fn ask_signature(&mut self, out: &mut Vec<u8>) {
        Self::write_sub(code::COM_PORT, &ComPort::ask_signature(), out);
    }

    /// A break, as telnet itself knows it.
    pub(super) fn send_break(out: &mut Vec<u8>) {
        out.extend_from_slice(&[IAC, BRK]);
    }

    /// Takes one break that came and was not told: telnet's own, or one that the server of a serial line tells of.
    pub(super) fn take_break(&mut self) -> bool {
        let breaks = match &mut self.com_port {
            Some(line) if line.breaks > 0 => &mut line.breaks,
            Some(_) | None => &mut self.breaks,
        };
        let is_there = *breaks > 0;
        *breaks = breaks.saturating_sub(1);
        is_there
    }

    /// Asks the server of a serial line to tell of each break.
    pub(super) fn ask_breaks(&mut self, out: &mut Vec<u8>) {
        self.order(&ComPort::ask_breaks(), out);
    }

    /// Whether the peer has negotiated more than any peer needs to, and is not answered any more.
    pub fn is_weary(&self) -> bool {
        self.answers > TELNET_ANSWERS_MAX
    }

    /// Whether data to the peer are eight bits wide.
    pub fn is_binary_out(&self) -> bool {
        self.ours.get(&code::BINARY).is_some_and(|side| side.is_on())
    }

    /// Whether data from the peer are eight bits wide.
    pub fn is_binary_in(&self) -> bool {
        self.theirs.get(&code::BINARY).is_some_and(|side| side.is_on())
    }

    /// Whether the peer echoes what it is sent.
    pub fn peer_echoes(&self) -> bool {
        self.theirs.get(&code::ECHO).is_some_and(|side| side.is_on())
    }

    /// The size of the peer's terminal, where it told.
    pub fn peer_window(&self) -> Option<Window> {
        self.peer_window
    }

    /// Takes what arrived: data go to `data`, answers to `out`.
    pub fn receive(&mut self, mut bytes: &[u8], data: &mut Vec<u8>, out: &mut Vec<u8>) {
        while let Some((&byte, rest)) = bytes.split_first() {
            if self.place == Place::Data {
                // Plain text goes through in one piece, line ends and all; only IAC and NUL need a look.
                let plain = memchr::memchr2(IAC, 0, bytes).unwrap_or(bytes.len());
                if let Some((text, rest)) = bytes.split_at_checked(plain).filter(|_| plain > 0) {
                    data.extend_from_slice(text);
                    if text.last() == Some(&b'\r') && !self.is_binary_in() {
                        self.place = Place::AfterReturn;
                    }
                    bytes = rest;
                    continue;
                }
            }
            self.step(byte, data, out);
            bytes = rest;
        }
    }

    fn step(&mut self, byte: u8, data: &mut Vec<u8>, out: &mut Vec<u8>) {
        self.place = match (self.place, byte) {
            (Place::Data | Place::AfterReturn, IAC) => Place::Command,
            (Place::Data | Place::AfterReturn, b'\r') => {
                data.push(b'\r');
                if self.is_binary_in() { Place::Data } else { Place::AfterReturn }
            }
            (Place::AfterReturn, 0) => Place::Data,
            (Place::Data | Place::AfterReturn, byte) => {
                data.push(byte);
                Place::Data
            }
            (Place::Command, IAC) => {
                data.push(IAC);
                Place::Data
            }
            (Place::Command, verb @ (DO | DONT | WILL | WONT)) => Place::Option(verb),
            (Place::Command, SB) => Place::SubOption,
            (Place::Command, AYT) => {
                self.answers = self.answers.saturating_add(1);
                if self.answers <= TELNET_ANSWERS_MAX {
                    out.extend_from_slice(b"\r\n[yes]\r\n");
                }
                Place::Data
            }
            (Place::Command, command) => {
                self.breaks = self.breaks.saturating_add(u32::from(command == BRK));
                Place::Data
            }
            (Place::Option(verb), option) => {
                self.negotiate(verb, option, out);
                Place::Data
            }
            (Place::SubOption, option) => {
                self.sub.clear();
                Place::Sub(option)
            }
            (Place::Sub(option), IAC) => Place::SubCommand(option),
            (Place::Sub(option), byte) => {
                self.keep_sub(byte);
                Place::Sub(option)
            }
            (Place::SubCommand(option), IAC) => {
                self.keep_sub(IAC);
                Place::Sub(option)
            }
            (Place::SubCommand(option), SE) => {
                self.end_sub(option, out);
                Place::Data
            }
            // Anything else after IAC ends a sub-negotiation that the peer left open, and is that command.
            (Place::SubCommand(_), verb @ (DO | DONT | WILL | WONT)) => Place::Option(verb),
            (Place::SubCommand(_), _) => Place::Data,
        };
    }

    fn keep_sub(&mut self, byte: u8) {
        if self.sub.len() < TELNET_SUB_BYTES_MAX {
            self.sub.push(byte);
        }
    }

    fn negotiate(&mut self, verb: u8, option: u8, out: &mut Vec<u8>) {
        let about_us = matches!(verb, DO | DONT);
        let supported = if about_us { self.we_can(option) } else { self.they_may(option) };
        let side = if about_us { &mut self.ours } else { &mut self.theirs }.entry(option).or_default();
        let was_on = side.is_on();
        let answer =
            if matches!(verb, DO | WILL) { side.peer_agrees(supported) } else { side.peer_refuses() };
        let turned_on = side.is_on() && !was_on;
        let say = match (answer, about_us) {
            (Answer::Silent, _) => None,
            (Answer::Agree, true) => Some(WILL),
            (Answer::Agree, false) => Some(DO),
            (Answer::Refuse, true) => Some(WONT),
            (Answer::Refuse, false) => Some(DONT),
        };
        if let Some(say) = say {
            // A peer that negotiates without end is no longer answered; its data still are data.
            self.answers = self.answers.saturating_add(1);
            if self.answers <= TELNET_ANSWERS_MAX {
                out.extend_from_slice(&[IAC, say, option]);
            }
        }
        if about_us && turned_on && option == code::NAWS {
            let body = self.window_body();
            self.send_sub(code::NAWS, &body, out);
        }
    }

    /// Options that we use ourselves when the peer asks for them.
    fn we_can(&self, option: u8) -> bool {
        match self.role {
            Role::Client => {
                let plain =
                    matches!(option, code::BINARY | code::SGA | code::TTYPE | code::NAWS | code::NEW_ENVIRON);
                plain || (option == code::COM_PORT && self.com_port.is_some())
            }
            Role::Server => matches!(option, code::BINARY | code::SGA | code::ECHO),
        }
    }

    /// Options that the peer may use.
    fn they_may(&self, option: u8) -> bool {
        match self.role {
            Role::Client => {
                let plain = matches!(option, code::BINARY | code::SGA | code::ECHO);
                plain || (option == code::COM_PORT && self.com_port.is_some())
            }
            Role::Server => matches!(option, code::BINARY | code::SGA | code::NAWS),
        }
    }

    fn end_sub(&mut self, option: u8, out: &mut Vec<u8>) {
        let sub = std::mem::take(&mut self.sub);
        let on = self.ours.get(&option).is_some_and(|side| side.is_on());
        match (option, sub.as_slice()) {
            (code::TTYPE, [SUB_SEND, ..]) if on => {
                let body = [&[SUB_IS], self.terminal.as_bytes()].concat();
                self.send_sub(option, &body, out);
            }
            (code::NEW_ENVIRON, [SUB_SEND, ..]) if on => {
                let mut body = vec![SUB_IS];
                if !self.user.is_empty() {
                    body.push(ENVIRON_VAR);
                    body.extend_from_slice(b"USER");
                    body.push(ENVIRON_VALUE);
                    body.extend_from_slice(self.user.as_bytes());
                }
                self.send_sub(option, &body, out);
            }
            (code::NAWS, &[c1, c0, r1, r0]) => {
                let (columns, rows) = (u16::from_be_bytes([c1, c0]), u16::from_be_bytes([r1, r0]));
                self.peer_window = Some(Window { rows, columns });
            }
            (code::COM_PORT, sub) => {
                if let Some(answer) = self.com_port.as_mut().and_then(|line| line.hear(sub)) {
                    self.send_sub(option, &answer, out);
                }
            }
            _ => {}
        }
        self.sub = sub;
    }

    /// An answer; a peer that asks without end gets no more of them.
    fn send_sub(&mut self, option: u8, body: &[u8], out: &mut Vec<u8>) {
        self.answers = self.answers.saturating_add(1);
        if self.answers <= TELNET_ANSWERS_MAX {
            Self::write_sub(option, body, out);
        }
    }

    fn write_sub(option: u8, body: &[u8], out: &mut Vec<u8>) {
        out.extend_from_slice(&[IAC, SB, option]);
        for &byte in body {
            out.push(byte);
            if byte == IAC {
                out.push(IAC);
            }
        }
        out.extend_from_slice(&[IAC, SE]);
    }

    fn window_body(&self) -> Vec<u8> {
        [self.window.columns.to_be_bytes(), self.window.rows.to_be_bytes()].concat()
    }

    /// Our terminal has another size; told where the peer wants to know.
    pub fn resize(&mut self, window: Window, out: &mut Vec<u8>) {
        self.window = window;
        if self.ours.get(&code::NAWS).is_some_and(|side| side.is_on()) {
            Self::write_sub(code::NAWS, &self.window_body(), out);
        }
    }

    /// Data to the peer, escaped. A lone carriage return becomes `CR NUL`, as the protocol wants; `CR LF` stays.
    pub fn send(&self, data: &[u8], out: &mut Vec<u8>) {
        let binary = self.is_binary_out();
        let mut following = data.iter().skip(1);
        for &byte in data {
            let next = following.next();
            out.push(byte);
            if byte == IAC {
                out.push(IAC);
            } else if byte == b'\r' && !binary && next != Some(&b'\n') {
                out.push(0);
            }
        }
    }
}
