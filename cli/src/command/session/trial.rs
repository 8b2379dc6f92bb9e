//! `jackfield session try`: a profile tried on a device, with what it takes for what.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use anyhow::{Result, bail};
use jackfield_device::{
    record::Tap,
    session::{Session, SessionError},
    target::SessionTarget,
};

use self::remedy::{At, Heard};
use super::reach::{self, Said};
use crate::{exit::Exit, output::say};

mod remedy;

/// Letters of a text that are shown.
const SHOWN_MAX: usize = 100;

/// Log in to a device with a profile, without an engine, and show step by step what is taken for what: questions and their answers, what
/// looks like a prompt and whether it comes again, levels, lines that set up, echoes, pages, what is lifted out of answers.
#[derive(clap::Args)]
pub(crate) struct Trial {
    /// `telnet://[USER@]HOST[:PORT]`, `ssh://…`, `tcp://…`, `rfc2217://…`, or `serial:/dev/ttyUSB0`.
    #[arg(required_unless_present = "program", conflicts_with = "program")]
    target: Option<String>,
    #[command(flatten)]
    said: Said,
    /// A command to give when logged in; may stand several times.
    #[arg(long, short, value_name = "COMMAND")]
    command: Vec<String>,
    /// Seconds for the login, and for each command.
    #[arg(long, value_name = "SECONDS", default_value_t = 30)]
    timeout: u64,
    /// A program of this machine, in a terminal of its own.
    #[arg(last = true)]
    program: Vec<String>,
}

impl Trial {
    pub(crate) fn run(&self) -> Result<Exit> {
        let (mut properties, _) = reach::place(self.target.as_deref(), &self.program)?;
        let mut settings = reach::settings()?;
        self.said.fill(&mut properties, &mut settings)?;
        reach::add_password(&mut properties, false)?;
        let target = SessionTarget::from_properties(&properties)?;
        let profile = settings.profiles.get(&target.profile)?;
        let described = match profile.description.as_str() {
            "" => String::new(),
            description => format!(" ({description})"),
        };
        say(&format!("profile `{}`{described}, {}", profile.name, target.connect))?;
        let prompt = profile.prompt.clone();
        let heard = Arc::<Mutex<Heard>>::default();
        let teller = Teller { heard: Arc::clone(&heard) };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let timeout = Duration::from_secs(self.timeout);
        let tried = runtime.block_on(async {
            let mut session = Session::open(target, &settings, timeout, vec![Box::new(teller)])
                .await
                .map_err(Failure::Login)?;
            let commands = self.commands(&mut session, timeout).await;
            session.close().await;
            commands
        });
        let Err(failure) = tried else {
            say("all of it was understood")?;
            return Ok(Exit::Done);
        };
        let heard = heard.lock().unwrap_or_else(PoisonError::into_inner);
        bail!("{}\n{}", failure.told(), failure.remedy(&heard, &prompt))
    }

    async fn commands(&self, session: &mut Session, timeout: Duration) -> Result<(), Failure> {
        for command in &self.command {
            let answer = session.command(command, timeout).await.map_err(Failure::Command)?;
            let lines = answer.lines().count();
            let refused = session.refusal(&answer).map(|line| format!(", refused: `{line}` ([errors])"));
            let line = format!("  answer   {lines} lines{}", refused.unwrap_or_default());
            say(&line).map_err(Failure::Telling)?;
            for line in answer.lines() {
                say(&format!("         | {line}")).map_err(Failure::Telling)?;
            }
        }
        Ok(())
    }
}

/// Where it went wrong.
enum Failure {
    Login(SessionError),
    Command(SessionError),
    Telling(anyhow::Error),
}

impl Failure {
    fn told(&self) -> String {
        match self {
            Self::Login(error) | Self::Command(error) => error.to_string(),
            Self::Telling(error) => error.to_string(),
        }
    }

    /// What the one who tries may change, by what the device said last.
    fn remedy(&self, heard: &Heard, prompt: &str) -> String {
        let at = match self {
            Self::Telling(_) => return String::new(),
            Self::Login(SessionError::Unreachable { .. } | SessionError::Ssh { .. }) => {
                return "the profile was not used yet: this is about the way to the device".to_owned();
            }
            Self::Login(_) if !heard.has_prompt => At::Login,
            Self::Login(_) | Self::Command(SessionError::Uncertain { .. }) => At::Prompt,
            Self::Command(_) => At::Command,
        };
        remedy::remedy(at, heard, prompt)
    }
}

/// Says what it hears.
struct Teller {
    heard: Arc<Mutex<Heard>>,
}

impl Teller {
    fn heard(&self) -> std::sync::MutexGuard<'_, Heard> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Tap for Teller {
    fn output(&mut self, bytes: &[u8]) {
        self.heard().hear(&String::from_utf8_lossy(bytes));
    }

    fn input(&mut self, bytes: &[u8]) {
        let text = String::from_utf8_lossy(bytes);
        let sent =
            if text.trim().is_empty() { "an empty line".to_owned() } else { format!("`{}`", shown(&text)) };
        // Who does not listen any more misses nothing.
        drop(say(&format!("  sent     {sent}")));
    }

    fn taken(&mut self, text: &str, key: &str) {
        self.heard().take(text, key);
        for line in text.lines() {
            drop(say(&format!("  took     `{}`  for {key}", shown(line))));
        }
    }

    fn mark(&mut self, label: &str) {
        drop(say(&format!("  note     {label}")));
    }
}

fn shown(text: &str) -> String {
    let text = text.trim().escape_debug().to_string().replace("\\'", "'").replace("\\\"", "\"");
    text.chars().take(SHOWN_MAX).collect()
}
