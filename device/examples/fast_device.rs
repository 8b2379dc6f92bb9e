//! A router that is never the slower side of a measure: `fast_device PORT` speaks telnet there (user and password `lab`), a thread
//! per connection; `fast_device stdio` is the same router on standard input and output, for a forced command of sshd.
//!
//! `show version` has 40 lines, `show tech N` has N million bytes, `exit` leaves; anything else is answered with the prompt.

use std::{
    error::Error,
    fs::OpenOptions,
    io::{self, BufRead, BufReader, Write},
    net::{TcpListener, TcpStream},
};

const PROMPT: &[u8] = b"router#";
const BLOCK_BYTES: usize = 64 * 1024;
/// WILL ECHO, WILL SGA.
const GREETING: [u8; 6] = [255, 251, 1, 255, 251, 3];
const IAC: u8 = 255;

fn main() -> Result<(), Box<dyn Error>> {
    match std::env::args().nth(1).as_deref() {
        Some("stdio") => on_terminal()?,
        Some(port) => {
            for connection in TcpListener::bind(("127.0.0.1", port.parse()?))?.incoming() {
                let connection = connection?;
                // A client that leaves in the middle is no fault.
                std::thread::spawn(move || drop(on_telnet(&connection)));
            }
        }
        None => return Err("usage: fast_device PORT | stdio".into()),
    }
    Ok(())
}

/// The terminal of the session echoes, and makes CR LF of LF.
fn on_terminal() -> io::Result<()> {
    let mut to = OpenOptions::new().write(true).open("/dev/stdout")?;
    to.write_all(PROMPT)?;
    for line in BufReader::new(io::stdin()).lines() {
        if !answer(&line?, "\n", Vec::new(), &mut to)? {
            break;
        }
    }
    Ok(())
}

fn on_telnet(connection: &TcpStream) -> io::Result<()> {
    connection.set_nodelay(true)?;
    let mut to = connection;
    let mut from = Typed { from: BufReader::new(connection), to, returned: false };
    to.write_all(&GREETING)?;
    loop {
        to.write_all(b"\r\nUser Access Verification\r\n\r\nUsername: ")?;
        let Some((user, echo)) = from.line(Echo::Yes)? else { return Ok(()) };
        to.write_all(&[echo.as_slice(), b"Password: "].concat())?;
        let Some((password, _)) = from.line(Echo::No)? else { return Ok(()) };
        if user == b"lab" && password == b"lab" {
            break;
        }
        to.write_all(b"\r\n% Login invalid\r\n")?;
    }
    to.write_all(&[b"\r\n", PROMPT].concat())?;
    while let Some((line, echo)) = from.line(Echo::Yes)? {
        if !answer(&String::from_utf8_lossy(&line), "\r\n", echo, &mut to)? {
            break;
        }
    }
    Ok(())
}

/// Whether what is typed is shown.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Echo {
    Yes,
    No,
}

/// What a client types.
struct Typed<'c> {
    from: BufReader<&'c TcpStream>,
    to: &'c TcpStream,
    /// The last line ended with CR; LF or NUL after it belong to it, and may never come.
    returned: bool,
}

impl Typed<'_> {
    /// A line ended by CR LF, CR NUL, CR or LF, without telnet commands, and the rest of its echo: what came in several pieces was
    /// echoed piece by piece, for clients that wait for it.
    fn line(&mut self, echo: Echo) -> io::Result<Option<(Vec<u8>, Vec<u8>)>> {
        let mut line = Vec::new();
        let mut echoed = 0;
        loop {
            if self.from.buffer().is_empty() && line.len() > echoed && echo == Echo::Yes {
                self.to.write_all(line.get(echoed..).unwrap_or_default())?;
                echoed = line.len();
            }
            let Some(byte) = self.next()? else { return Ok(None) };
            let returned = std::mem::replace(&mut self.returned, byte == b'\r');
            match byte {
                IAC => self.skip_option()?,
                b'\n' | 0 if returned => {}
                b'\r' | b'\n' => {
                    let rest = [line.get(echoed..).unwrap_or_default(), b"\r\n"].concat();
                    return Ok(Some((line, rest)));
                }
                byte => line.push(byte),
            }
        }
    }

    fn skip_option(&mut self) -> io::Result<()> {
        let verb = self.due()?;
        if (251..=254).contains(&verb) {
            self.due()?;
        } else if verb == 250 {
            while self.due()? != IAC || self.due()? != 240 {}
        }
        Ok(())
    }

    fn next(&mut self) -> io::Result<Option<u8>> {
        let byte = self.from.fill_buf()?.first().copied();
        if byte.is_some() {
            self.from.consume(1);
        }
        Ok(byte)
    }

    fn due(&mut self) -> io::Result<u8> {
        self.next()?.ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
    }
}

/// Answers a command in as few writes as can be; false where it ends the session.
fn answer(line: &str, end: &str, mut out: Vec<u8>, to: &mut impl Write) -> io::Result<bool> {
    let command = line.trim();
    if command == "exit" {
        return Ok(false);
    }
    if command == "show version" {
        for number in 0..40 {
            write!(
                out,
                "Cisco IOS Software line {number:02}, Version 15.2(4)M, RELEASE SOFTWARE uptime is 1 week{end}"
            )?;
        }
    } else if let Some(megabytes) = command.strip_prefix("show tech ") {
        to.write_all(&out)?;
        out.clear();
        tech(megabytes.parse().unwrap_or(1), end, to)?;
    }
    out.extend_from_slice(PROMPT);
    to.write_all(&out)?;
    Ok(true)
}

fn tech(megabytes: usize, end: &str, to: &mut impl Write) -> io::Result<()> {
    let mut block = Vec::new();
    for number in 0.. {
        if block.len() >= BLOCK_BYTES {
            break;
        }
        write!(
            block,
            "{number:06} interface GigabitEthernet0/{:03} is up, line protocol is up, mtu 1500 bytes{end}",
            number % 1000
        )?;
    }
    let mut left = megabytes * 1_000_000;
    while left > 0 {
        let piece = block.get(..left.min(block.len())).unwrap_or_default();
        to.write_all(piece)?;
        left -= piece.len();
    }
    to.write_all(end.as_bytes())
}
