//! The measures of dialogues: `dialogues TELNET-PORT SSH-PORT USER KEY ROUNDS` against two `fast_device`s, each figure beside that of
//! a bare loop over the same bytes in the same round. One JSON object a line.

#[path = "dialogues/bare.rs"]
mod bare;
#[path = "dialogues/bare_libssh2.rs"]
mod bare_libssh2;

use std::{collections::BTreeMap, error::Error, fs, io::Write, sync::Arc, time::Duration};

use jackfield_config::steps::Awaited;
use jackfield_device::{
    expect::Patterns,
    session::{Session, SessionSettings},
    target::SessionTarget,
};
use rustix::time::{ClockId, clock_gettime};
use serde_json::{Value, json};
use tokio::time::Instant;

use bare::{BareSsh, BareTelnet};
use bare_libssh2::BareLibssh2;

type Failed = Box<dyn Error + Send + Sync>;

const TIMEOUT: Duration = Duration::from_secs(120);
/// A thousand commands, in batches that take turns with the floor's: where the kernel puts the two sides of a dialogue makes a
/// factor of two, and changes within a second.
const COMMANDS: u32 = 100;
const BATCHES: u32 = 10;
const LOGINS: u32 = 11;
/// Large answers over SSH in a round.
const LARGE: u32 = 5;
const SESSIONS: usize = 500;
/// What answers to the literal and to the regular expression.
const PROMPT: &str = "router#";
const PROMPT_REGEX: &str = r"[\w.:@/-]{1,64}(?:\([\w.:/ -]{1,64}\))?[#>] ?$";

/// Where the two devices are.
struct Lab {
    telnet: u16,
    ssh: u16,
    user: String,
    key: String,
    settings: SessionSettings,
}

/// Figures by name: ours and the floor of each round, and the unit.
#[derive(Default)]
struct Figures(BTreeMap<String, (Vec<f64>, Vec<f64>, &'static str)>);

impl Figures {
    fn add(&mut self, name: impl Into<String>, ours: f64, floor: Option<f64>, unit: &'static str) {
        let entry = self.0.entry(name.into()).or_insert_with(|| (Vec::new(), Vec::new(), unit));
        entry.0.push(ours);
        entry.1.extend(floor);
    }

    fn print(self) -> std::io::Result<()> {
        let mut out = std::io::stdout().lock();
        for (name, (ours, floor, unit)) in self.0 {
            let floor = (!floor.is_empty()).then(|| median(floor));
            writeln!(
                out,
                "{}",
                json!({ "name": name, "value": median(ours), "floor": floor, "unit": unit })
            )?;
        }
        Ok(())
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> Result<(), Failed> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [telnet, ssh, user, key, rounds] = arguments.as_slice() else {
        return Err("usage: dialogues TELNET-PORT SSH-PORT USER KEY ROUNDS".into());
    };
    let known_hosts = std::env::temp_dir().join(format!("jackfield-dialogues-{}", std::process::id()));
    let lab = Lab {
        telnet: telnet.parse()?,
        ssh: ssh.parse()?,
        user: user.clone(),
        key: key.clone(),
        settings: SessionSettings::new(&known_hosts),
    };
    let rounds = rounds.parse()?;
    // As in an EP: on a worker, where what arrives is seen without another thread's help.
    let figures = tokio::spawn(async move { rounds_of(&lab, rounds).await }).await??;
    fs::remove_file(known_hosts)?;
    figures.print()?;
    Ok(())
}

async fn rounds_of(lab: &Lab, rounds: u32) -> Result<Figures, Failed> {
    let mut figures = Figures::default();
    for _ in 0..rounds {
        telnet_round(lab, &mut figures).await?;
        for library in ["russh", "libssh2"] {
            ssh_round(lab, library, &mut figures).await?;
        }
    }
    many(lab, &mut figures).await?;
    Ok(figures)
}

async fn telnet_round(lab: &Lab, figures: &mut Figures) -> Result<(), Failed> {
    let (mut ours, mut floor) = (Vec::new(), Vec::new());
    for _ in 0..LOGINS {
        let begin = Instant::now();
        lab.open("telnet").await?.command("show version", TIMEOUT).await?;
        ours.push(millis(begin));
        let begin = Instant::now();
        BareTelnet::open(lab.telnet)?.command("show version")?;
        floor.push(millis(begin));
    }
    figures.add("telnet: connect, log in, one command", median(ours), Some(median(floor)), "ms");
    let (mut session, mut bare) = (lab.open("telnet").await?, BareTelnet::open(lab.telnet)?);
    telnet_commands(&mut session, &mut bare, figures).await?;
    for megabytes in [1, 10, 100] {
        let command = format!("show tech {megabytes}");
        let begin = Instant::now();
        let bytes = bare.command(&command)?;
        let floor = rate(bytes, begin);
        let exact = Patterns::new(&[Awaited::Exact(format!("\n{PROMPT}"))])?;
        let ours = awaited(&mut session, &command, &exact).await?;
        figures.add(format!("telnet: {megabytes} MB to a literal prompt"), ours, Some(floor), "MB/s");
        if megabytes == 10 {
            let ours = awaited(&mut session, &command, &Patterns::regexes(&[PROMPT_REGEX])?).await?;
            figures.add("telnet: 10 MB to a regex prompt", ours, Some(floor), "MB/s");
            let ours = answered(&mut session, &command).await?;
            figures.add("telnet: 10 MB as the answer of a command", ours, Some(floor), "MB/s");
        }
    }
    session.close().await;
    Ok(())
}

/// The floor under each library that speaks SSH.
enum Bare {
    Russh(Box<BareSsh>),
    Libssh2(BareLibssh2),
}

impl Bare {
    async fn open(lab: &Lab, library: &str) -> Result<Self, Failed> {
        Ok(match library {
            "libssh2" => Self::Libssh2(BareLibssh2::open(lab.ssh, &lab.user, &lab.key)?),
            _ => Self::Russh(Box::new(Box::pin(BareSsh::open(lab.ssh, &lab.user, &lab.key)).await?)),
        })
    }

    async fn command(&mut self, command: &str) -> Result<usize, Failed> {
        match self {
            Self::Russh(bare) => bare.command(command).await,
            Self::Libssh2(bare) => Ok(bare.command(command)?),
        }
    }
}

async fn ssh_round(lab: &Lab, library: &str, figures: &mut Figures) -> Result<(), Failed> {
    let named = |what| {
        let by = if library == "russh" { "SSH" } else { "SSH by libssh2" };
        format!("{by}: {what}")
    };
    let begin = Instant::now();
    let mut session = lab.open(library).await?;
    session.command("show version", TIMEOUT).await?;
    let ours = millis(begin);
    let begin = Instant::now();
    let mut bare = Bare::open(lab, library).await?;
    bare.command("show version").await?;
    figures.add(named("connect, log in, one command"), ours, Some(millis(begin)), "ms");
    for _ in 0..BATCHES {
        let begin = Instant::now();
        for _ in 0..COMMANDS {
            session.command("show version", TIMEOUT).await?;
        }
        let ours = f64::from(COMMANDS) / begin.elapsed().as_secs_f64();
        let begin = Instant::now();
        for _ in 0..COMMANDS {
            bare.command("show version").await?;
        }
        let floor = f64::from(COMMANDS) / begin.elapsed().as_secs_f64();
        figures.add(named("show version of 40 lines"), ours, Some(floor), "1/s");
    }
    // By turns, and by the processor's time as well: that of a busy machine is not ours.
    let (mut ours_cpu, mut floor_cpu) = (0.0, 0.0);
    for _ in 0..LARGE {
        let (begin, before) = (Instant::now(), cpu());
        let bytes = bare.command("show tech 10").await?;
        let (floor, between) = (rate(bytes, begin), cpu());
        let ours = answered(&mut session, "show tech 10").await?;
        figures.add(named("10 MB as the answer of a command"), ours, Some(floor), "MB/s");
        floor_cpu += between - before;
        ours_cpu += cpu() - between;
    }
    let each = 1e3 / f64::from(LARGE);
    figures.add(named("processor time of 10 MB"), ours_cpu * each, Some(floor_cpu * each), "ms");
    session.close().await;
    Ok(())
}

async fn telnet_commands(
    session: &mut Session,
    bare: &mut BareTelnet,
    figures: &mut Figures,
) -> Result<(), Failed> {
    for _ in 0..BATCHES {
        let begin = Instant::now();
        for _ in 0..COMMANDS {
            let answer = session.command("show version", TIMEOUT).await?;
            assert!(answer.starts_with("Cisco IOS Software line 00") && answer.lines().count() == 40);
        }
        let ours = f64::from(COMMANDS) / begin.elapsed().as_secs_f64();
        let begin = Instant::now();
        for _ in 0..COMMANDS {
            bare.command("show version")?;
        }
        let floor = f64::from(COMMANDS) / begin.elapsed().as_secs_f64();
        figures.add("telnet: show version of 40 lines", ours, Some(floor), "1/s");
    }
    Ok(())
}

/// MB/s of a large output that is awaited by patterns, and kept.
async fn awaited(session: &mut Session, command: &str, patterns: &Patterns) -> Result<f64, Failed> {
    let begin = Instant::now();
    session.send(command, true, TIMEOUT).await?;
    let seen = session.expect(patterns, TIMEOUT).await?;
    Ok(rate(seen.before.len(), begin))
}

async fn answered(session: &mut Session, command: &str) -> Result<f64, Failed> {
    let begin = Instant::now();
    let answer = session.command(command, TIMEOUT).await?;
    Ok(rate(answer.len(), begin))
}

/// Many sessions at once: each answers, and what they cost.
async fn many(lab: &Lab, figures: &mut Figures) -> Result<(), Failed> {
    let (memory, cpu) = (status("VmRSS:")?, cpu());
    let begin = Instant::now();
    let target = Arc::new(lab.target("telnet")?);
    let opening = (0..SESSIONS).map(|_| {
        let (target, settings) = (Arc::clone(&target), lab.settings.clone());
        tokio::spawn(async move {
            let mut session = Session::open((*target).clone(), &settings, TIMEOUT, Vec::new()).await?;
            session.command("show version", TIMEOUT).await?;
            Ok::<_, jackfield_device::session::SessionError>(session)
        })
    });
    let mut sessions = Vec::new();
    for opened in opening.collect::<Vec<_>>() {
        sessions.push(opened.await??);
    }
    figures.add("500 sessions: opened, each with an answer", begin.elapsed().as_secs_f64(), None, "s");
    let each = (status("VmRSS:")? - memory) / f64::from(u32::try_from(SESSIONS)?);
    figures.add("500 sessions: memory of each", each, None, "KiB");
    figures.add("500 sessions: CPU of opening all", self::cpu() - cpu, None, "s");
    let begin = Instant::now();
    for session in &mut sessions {
        session.command("show version", TIMEOUT).await?;
    }
    figures.add("500 sessions: one more answer of all", begin.elapsed().as_secs_f64(), None, "s");
    Ok(())
}

impl Lab {
    /// A target over telnet, or over SSH by a library.
    fn target(&self, way: &str) -> Result<SessionTarget, Failed> {
        let properties = match way {
            "russh" | "libssh2" => {
                json!({ "protocol": "ssh", "ssh_backend": way, "host": "127.0.0.1", "port": self.ssh, "user": self.user, "key": self.key, "profile": "ios", "host_key": "accept-new" })
            }
            _ => {
                json!({ "protocol": "telnet", "host": "127.0.0.1", "port": self.telnet, "user": "lab", "password": "lab", "profile": "ios" })
            }
        };
        let properties: BTreeMap<String, Value> = serde_json::from_value(properties)?;
        Ok(SessionTarget::from_properties(&properties)?)
    }

    async fn open(&self, way: &str) -> Result<Session, Failed> {
        Ok(Session::open(self.target(way)?, &self.settings, TIMEOUT, Vec::new()).await?)
    }
}

fn millis(begin: Instant) -> f64 {
    begin.elapsed().as_secs_f64() * 1e3
}

fn rate(bytes: usize, begin: Instant) -> f64 {
    let bytes = u32::try_from(bytes).map_or(f64::NAN, f64::from);
    bytes / 1e6 / begin.elapsed().as_secs_f64()
}

fn status(key: &str) -> Result<f64, Failed> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix(key)).ok_or("no such line")?;
    Ok(line.trim().trim_end_matches("kB").trim().parse()?)
}

/// Seconds of CPU so far.
fn cpu() -> f64 {
    // Ticks of /proc are a tenth of what is measured.
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Duration::try_from(time).unwrap_or_default().as_secs_f64()
}
