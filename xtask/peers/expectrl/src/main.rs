//! The measures of dialogues through the crate expectrl: `jackfield-peer-expectrl TELNET-PORT SSH-PORT USER KEY`, one JSON object a line.
//!
//! As its documentation shows it, with the system's telnet and ssh in a terminal; and on a socket of its own, which is the least that it costs.

use std::{
    error::Error,
    io::{self, Read, Write},
    net::TcpStream,
    time::{Duration, Instant},
};

use expectrl::{Expect, process::NonBlocking, session::Session};

const SECONDS_MAX: u64 = 60;
const COMMANDS: u32 = 1000;
const LOGINS: usize = 3;
const PROMPT: &str = "router#";

type Failed = Box<dyn Error>;

/// A socket, as a stream of this crate's sessions.
struct Socket(TcpStream);

impl Read for Socket {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.0.read(into)
    }
}

impl Write for Socket {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

impl NonBlocking for Socket {
    fn set_blocking(&mut self, on: bool) -> io::Result<()> {
        self.0.set_nonblocking(!on)
    }
}

/// How the device is reached.
#[derive(Clone, Copy)]
enum Way<'w> {
    Telnet(u16),
    Socket(u16),
    Ssh(u16, &'w str, &'w str),
}

/// A dialogue, whatever carries it.
enum Client {
    Terminal(expectrl::session::OsSession),
    Socket(Session<(), Socket>),
}

impl Client {
    fn open(way: Way<'_>) -> Result<Self, Failed> {
        let limit = Some(Duration::from_secs(SECONDS_MAX));
        let terminal = |command: String| -> Result<Self, Failed> {
            let mut session = expectrl::spawn(command)?;
            session.set_expect_timeout(limit);
            Ok(Self::Terminal(session))
        };
        let (mut client, logs_in) = match way {
            Way::Telnet(port) => (terminal(format!("telnet 127.0.0.1 {port}"))?, true),
            Way::Socket(port) => {
                let stream = TcpStream::connect(("127.0.0.1", port))?;
                stream.set_nodelay(true)?;
                let mut session = Session::new((), Socket(stream))?;
                session.set_expect_timeout(limit);
                (Self::Socket(session), true)
            }
            Way::Ssh(port, user, key) => {
                let options = "-o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR";
                (terminal(format!("ssh -i {key} -p {port} {options} {user}@127.0.0.1"))?, false)
            }
        };
        if logs_in {
            for question in ["Username: ", "Password: "] {
                client.until(question)?;
                client.say("lab")?;
            }
        }
        client.until(PROMPT)?;
        Ok(client)
    }

    fn say(&mut self, line: &str) -> Result<(), Failed> {
        match self {
            Self::Terminal(session) => session.send_line(line)?,
            Self::Socket(session) => session.send(format!("{line}\r\n"))?,
        }
        Ok(())
    }

    /// How many bytes came before it, and with it.
    fn until(&mut self, wanted: &str) -> Result<usize, Failed> {
        let seen = match self {
            Self::Terminal(session) => session.expect(wanted)?,
            Self::Socket(session) => session.expect(wanted)?,
        };
        Ok(seen.before().len() + wanted.len())
    }

    fn command(&mut self, command: &str) -> Result<usize, Failed> {
        self.say(command)?;
        self.until(PROMPT)
    }
}

fn figure(who: &str, name: &str, value: f64) -> Result<(), Failed> {
    let line = serde_json::json!({"peer": who, "name": name, "value": value});
    writeln!(io::stdout().lock(), "{line}")?;
    Ok(())
}

fn measure(who: &str, kind: &str, way: Way<'_>) -> Result<(), Failed> {
    let mut logins = Vec::new();
    for _ in 0..LOGINS {
        let begin = Instant::now();
        Client::open(way)?.command("show version")?;
        logins.push(begin.elapsed().as_secs_f64() * 1e3);
    }
    logins.sort_by(f64::total_cmp);
    let middle = logins.get(LOGINS / 2).copied().unwrap_or(f64::NAN);
    figure(who, &format!("{kind}: connect, log in, one command"), middle)?;
    let mut client = Client::open(way)?;
    let begin = Instant::now();
    for _ in 0..COMMANDS {
        client.command("show version")?;
    }
    let rate = f64::from(COMMANDS) / begin.elapsed().as_secs_f64();
    figure(who, &format!("{kind}: show version of 40 lines"), rate)?;
    let begin = Instant::now();
    let bytes = client.command("show tech 10")?;
    if bytes < 9_500_000 {
        return Err(format!("the answer was cut at {bytes} bytes").into());
    }
    let megabytes = f64::from(u32::try_from(bytes)?) / 1e6;
    figure(who, &format!("{kind}: 10 MB as the answer of a command"), megabytes / begin.elapsed().as_secs_f64())
}

fn main() -> Result<(), Failed> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [telnet, ssh, user, key] = arguments.as_slice() else {
        return Err("usage: jackfield-peer-expectrl TELNET-PORT SSH-PORT USER KEY".into());
    };
    let (telnet, ssh) = (telnet.parse()?, ssh.parse()?);
    for (who, kind, way) in [
        ("expectrl", "telnet", Way::Telnet(telnet)),
        ("expectrl, on a socket", "telnet", Way::Socket(telnet)),
        ("expectrl", "SSH", Way::Ssh(ssh, user, key)),
    ] {
        if let Err(error) = measure(who, kind, way) {
            eprintln!("{who} over {kind} is measured no further: {error}");
        }
    }
    Ok(())
}
