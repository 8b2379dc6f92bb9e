//! A play: one device, and a test that works with it for a while.

use std::{collections::BTreeMap, time::Duration};

use jackfield_device::{
    channel::Raw,
    expect::ExpectError,
    record::Tap,
    session::{Order, Reply, Session, SessionError, SessionSettings},
    target::SessionTarget,
};
use jackfield_tests::dice::Dice;
use serde_json::{Value, json};
use tokio::{
    io::DuplexStream,
    sync::mpsc,
    time::{Instant, sleep},
};

use crate::{
    book::{self, FLOOD, SECRET, Takes},
    device::{Event, Events, Model},
    traits::{Traits, Way},
    wire::{Wire, is_traced},
};

const SESSIONS: u32 = 2;
const COMMANDS: u32 = 7;
const TIMEOUT: Duration = Duration::from_secs(40);
const USER: &str = "lab";
const PASSWORD: &str = "lab-secret-99";

/// What a seed led to.
#[derive(Default)]
pub(crate) struct Played {
    pub(crate) right: u32,
    pub(crate) errors: u32,
    pub(crate) faults: Vec<String>,
}

struct Play {
    dice: Dice,
    traits: Traits,
    events: Events,
    lines: mpsc::UnboundedSender<DuplexStream>,
    settings: SessionSettings,
    played: Played,
    /// Commands that were given with answers to what they ask.
    answered: BTreeMap<String, String>,
    number: u32,
}

pub(crate) async fn play(seed: u64) -> Played {
    let mut dice = Dice::new(seed);
    let traits = Traits::of_seed(seed, &mut dice);
    let (lines, coming) = mpsc::unbounded_channel();
    let events = Events::default();
    let wire = Wire::new(&traits, coming, dice.fork());
    let device = tokio::spawn(Model::new(traits.clone(), wire, events.clone()).run());
    let folder = tempfile::tempdir().unwrap();
    let settings = SessionSettings::new(folder.path().join("known_hosts"));
    let (played, answered) = (Played::default(), BTreeMap::new());
    let mut play = Play { dice, traits, events, lines, settings, played, answered, number: 0 };
    for round in 0..SESSIONS {
        play.session(round).await;
    }
    let Play { played, lines, .. } = play.judged();
    drop(lines);
    device.await.unwrap();
    played
}

/// Shows what the session sends, and when.
struct Traced(Instant);

impl Tap for Traced {
    fn output(&mut self, _bytes: &[u8]) {}

    fn input(&mut self, bytes: &[u8]) {
        eprintln!("{:>6} ms → {}", self.0.elapsed().as_millis(), bytes.escape_ascii());
    }

    fn taken(&mut self, text: &str, key: &str) {
        eprintln!("{:>6} ms = {text:?} taken for {key}", self.0.elapsed().as_millis());
    }
}

fn taps() -> Vec<Box<dyn Tap>> {
    if is_traced() { vec![Box::new(Traced(Instant::now()))] } else { Vec::new() }
}

impl Play {
    fn fault(&mut self, text: String) {
        let traits = &self.traits;
        self.played
            .faults
            .push(format!("{} ({}, {:?}, {:?})", text, traits.profile, traits.way, traits.echo));
    }

    fn target(&self) -> SessionTarget {
        let mut properties = json!({
            "protocol": "tcp", "host": "model", "port": 1, "user": USER, "password": PASSWORD,
            "profile": self.traits.profile, "profile_settings": self.traits.settings,
        });
        if self.traits.way == Way::Ssh {
            *properties.get_mut("protocol").unwrap() = json!("ssh");
        }
        let properties: BTreeMap<String, Value> =
            properties.as_object().unwrap().clone().into_iter().collect();
        SessionTarget::from_properties(&properties).unwrap()
    }

    /// One session, from the login until it is dropped or lost.
    async fn session(&mut self, round: u32) {
        let (near, far) = tokio::io::duplex(256 * 1024);
        self.lines.send(far).unwrap();
        let (channel, target) = (Box::new(Raw::new(near)), self.target());
        let opened = Session::over(channel, target, &self.settings, TIMEOUT, taps()).await;
        let mut session = match opened {
            Ok(session) => session,
            Err(error) => {
                // A console that was left in the middle of something is not understood by all who come next.
                self.played.errors += 1;
                if !self.traits.is_nasty() && (round == 0 || self.traits.way != Way::Console) {
                    self.fault(format!("no login: {error}"));
                }
                return;
            }
        };
        let mut told = String::new();
        let first = self.logged().len();
        let mut is_clean = round == 0;
        for _ in 0..COMMANDS {
            is_clean &= self.command(&mut session).await;
            sleep(Duration::from_millis(self.dice.below(3) * self.dice.below(2_000))).await;
            told += &session.unasked().unwrap_or_default();
        }
        // Whatever it still had to say is there by now.
        sleep(TIMEOUT).await;
        told += &session.unasked().unwrap_or_default();
        if is_clean {
            let lost: Vec<u32> = self
                .logged()
                .into_iter()
                .skip(first)
                .filter(|number| !told.contains(&format!("({number})")))
                .collect();
            if !lost.is_empty() {
                self.fault(format!("logged and never told: {lost:?} of {told:?}"));
            }
        }
    }

    fn logged(&self) -> Vec<u32> {
        let events = self.events.lock().unwrap();
        let logged = |event: &Event| match event {
            Event::Logged(number) => Some(*number),
            Event::Typed(_) | Event::User(_) | Event::Answered { .. } => None,
        };
        events.iter().filter_map(logged).collect()
    }

    /// Gives a command; whether it was answered.
    async fn command(&mut self, session: &mut Session) -> bool {
        let mut template = self.dice.pick(&self.traits.commands).copied().unwrap();
        if book::question(template).is_some() && self.dice.one_in(2) {
            template = self.dice.pick(&self.traits.commands).copied().unwrap();
        }
        self.number += 1;
        // Some are given again and again, as by one who polls.
        let number = if self.dice.one_in(3) { 0 } else { self.number };
        let command = template.replace('N', &number.to_string());
        let timeout =
            if self.dice.one_in(10) { Duration::from_millis(self.dice.below(900) + 50) } else { TIMEOUT };
        let mut order = Order::new(command.as_str());
        let question = book::question(&command);
        if let Some(question) = &question
            && !self.dice.one_in(4)
        {
            let reply = Reply::new(question.pattern, question.reply.as_str());
            order.replies = vec![if question.takes == Takes::Secret { reply.secret() } else { reply }];
            self.answered.insert(command.clone(), question.reply.clone());
        }
        let is_answered = !order.replies.is_empty();
        if self.dice.one_in(30) {
            self.several_lines(session).await;
        }
        let wanted = book::answer(&self.traits, &command);
        match session.give(&order, timeout).await {
            Ok(answer) if answer == wanted && (question.is_none() || is_answered) => {
                self.played.right += 1;
                return true;
            }
            Ok(answer) => self.fault(format!("`{command}`: {answer:?} is not {wanted:?}")),
            // What is larger than may wait is told as such, and the rest of it is no answer.
            Err(SessionError::TooLarge { .. }) if command == FLOOD => {}
            Err(error) => {
                let asks = question.filter(|_| !is_answered);
                self.failed(&command, &error, asks.as_ref(), timeout);
            }
        }
        false
    }

    /// What is more than one line is no command.
    async fn several_lines(&mut self, session: &mut Session) {
        let given = session.command("show clock 1\nshow clock 2", TIMEOUT).await;
        if !matches!(given, Err(SessionError::SeveralLines { .. })) {
            self.fault(format!("two lines were given as one command: {given:?}"));
        }
    }

    /// Whether an error is one that may be.
    fn failed(
        &mut self,
        command: &str,
        error: &SessionError,
        asks: Option<&book::Question>,
        timeout: Duration,
    ) {
        self.played.errors += 1;
        let is_late = matches!(error, SessionError::Expect { source: ExpectError::Timeout { .. }, .. });
        if let (Some(question), true, true) = (asks, is_late, timeout == TIMEOUT) {
            let text = error.to_string();
            if !text.contains(question.asks.trim()) && !self.traits.is_nasty() {
                self.fault(format!("`{command}`: the error does not show what it asks: {text}"));
            }
            return;
        }
        let may_fail =
            timeout < TIMEOUT || matches!(error, SessionError::Uncertain { .. }) || self.traits.is_nasty();
        if !may_fail {
            self.fault(format!("`{command}`: {error}"));
        }
    }

    /// What the device has seen that it should not have.
    fn judged(mut self) -> Self {
        let events = std::mem::take(&mut *self.events.lock().unwrap());
        for event in events {
            match event {
                Event::Logged(_) => {}
                Event::Typed(line) => {
                    if line.contains(PASSWORD) || line.contains(SECRET) {
                        self.fault(format!("a secret was typed as a command: {line:?}"));
                    }
                    if self.traits.way == Way::Ssh && line == USER {
                        self.fault("a name was typed as a command, where SSH has let us in".to_owned());
                    }
                }
                Event::User(user) => {
                    if !matches!(user.as_str(), USER | "") {
                        self.fault(format!("typed as the user's name: {user:?}"));
                    }
                }
                Event::Answered { command, text } => {
                    let wanted = self.answered.get(&command);
                    if wanted != Some(&text) {
                        self.fault(format!("`{command}` asked, and was answered {text:?}, not {wanted:?}"));
                    }
                }
            }
        }
        self
    }
}
