//! An EP as the loop sees it: it keeps what it was given and what it has to say until it is told that this is stored, and
//! says hello again whenever its connection is cut.

use std::collections::BTreeMap;

use jackfield_protocol::{
    attempt::AttemptEnd,
    id::{AttemptId, EpName, Epoch},
    link::{Ended, EngineToEp, Held, HeldState, Hello, Host},
    secret::Secret,
    time::Time,
    verdict::{DecidedBy, Outcome},
};
use jackfield_scheduler::Event;
use jackfield_tests::dice::Dice;
use tokio::sync::{mpsc, oneshot};

use crate::{app::App, auth::Pass, clock, engine::Command};

/// What it says of an attempt.
#[derive(Clone)]
enum Said {
    Started(AttemptId, Time),
    Ended(Box<Ended>),
}

impl Said {
    /// As the loop hears it over a connection.
    fn event(self, ep: EpName, epoch: Epoch) -> Event {
        match self {
            Self::Started(attempt, at) => Event::AttemptStarted { ep, epoch, attempt, at },
            Self::Ended(ended) => Event::AttemptEnded { ep, epoch, ended },
        }
    }
}

pub(super) struct Ep {
    name: EpName,
    link: Option<(Epoch, mpsc::Receiver<EngineToEp>)>,
    /// What it was given and has not ended, with whether it runs.
    held: Vec<(AttemptId, bool)>,
    /// What it has said and nobody has acknowledged.
    spool: BTreeMap<u64, Said>,
    seq: u64,
    /// How often its connection was cut.
    pub(super) lost: u32,
}

impl Ep {
    pub(super) fn new(name: &str) -> Self {
        Self { name: name.into(), link: None, held: Vec::new(), spool: BTreeMap::new(), seq: 0, lost: 0 }
    }

    /// Hears what there is, and does one thing.
    pub(super) async fn step(&mut self, app: &App, dice: &mut Dice) {
        if self.link.is_none() {
            self.connect(app).await;
        }
        self.hear(app).await;
        if self.link.is_none() || dice.percent(50) {
            return;
        }
        let Some((attempt, runs)) = self.held.first_mut() else { return };
        let attempt = *attempt;
        if !*runs {
            *runs = true;
            self.report(app, Said::Started(attempt, clock::now())).await;
        } else if dice.percent(40) {
            self.held.remove(0);
            self.ended(app, attempt, Outcome::pass(DecidedBy::Declared)).await;
        }
    }

    async fn ended(&mut self, app: &App, attempt: AttemptId, outcome: Outcome) {
        let ended = Box::new(Ended {
            attempt,
            at: clock::now(),
            end: AttemptEnd { elapsed_millis: 1, ..AttemptEnd::of(outcome) },
            artifacts: [].into(),
        });
        self.report(app, Said::Ended(ended)).await;
    }

    async fn report(&mut self, app: &App, said: Said) {
        self.seq += 1;
        self.spool.insert(self.seq, said.clone());
        self.say(app, self.seq, said).await;
    }

    async fn say(&self, app: &App, seq: u64, said: Said) {
        if let Some((epoch, _)) = &self.link {
            let (ep, epoch) = (self.name.clone(), *epoch);
            let event = said.event(ep.clone(), epoch);
            drop(app.engine.tell(Command::Report { ep, epoch, seq, event }).await);
        }
    }

    async fn connect(&mut self, app: &App) {
        let (outgoing, queue) = mpsc::channel(1_000);
        let (reply, answer) = oneshot::channel();
        let (hello, pass) = (Box::new(self.hello()), Pass { token: 1, owner: "admin".into(), is_new: false });
        drop(app.engine.tell(Command::Connect { hello, pass, outgoing, reply }).await);
        // The loop may be away for a while: then the next step tries again.
        let wait = std::time::Duration::from_millis(100);
        if let Ok(Ok(Ok(epoch))) = tokio::time::timeout(wait, answer).await {
            self.link = Some((epoch, queue));
            for (seq, said) in self.spool.clone() {
                self.say(app, seq, said).await;
            }
        }
    }

    fn hello(&self) -> Hello {
        let state = |runs: bool| if runs { HeldState::Running } else { HeldState::Queued };
        let held = self.held.iter().map(|(attempt, runs)| Held { attempt: *attempt, state: state(*runs) });
        let over = self.spool.values().filter_map(|said| match said {
            Said::Ended(ended) => Some(Held { attempt: ended.attempt, state: HeldState::Ended }),
            Said::Started(..) => None,
        });
        Hello {
            version_min: 1,
            version_max: 1,
            ep: self.name.clone(),
            instance: "the one".to_owned(),
            life: String::new(),
            token: Secret::default(),
            software: String::new(),
            host: Host::default(),
            labels: [].into(),
            capabilities: Vec::new(),
            lanes: 1,
            pool: None,
            held: held.chain(over).collect(),
            runs: Vec::new(),
            scripts: Vec::new(),
            notices: Vec::new(),
            records_lost: false,
        }
    }

    async fn hear(&mut self, app: &App) {
        loop {
            let Some((_, queue)) = &mut self.link else { return };
            let message = match queue.try_recv() {
                Ok(message) => message,
                Err(mpsc::error::TryRecvError::Empty) => return,
                Err(mpsc::error::TryRecvError::Disconnected) => {
                    self.link = None;
                    self.lost += 1;
                    return;
                }
            };
            match message {
                EngineToEp::Welcome(welcome) => {
                    self.held.retain(|(attempt, _)| welcome.keep.contains(attempt));
                }
                EngineToEp::Assign(assignment) => self.held.push((assignment.attempt, false)),
                EngineToEp::Ack { seq } => self.spool.retain(|said, _| *said > seq),
                EngineToEp::Stop { attempts, outcome } => {
                    for attempt in attempts {
                        if self.held.iter().any(|(held, _)| *held == attempt) {
                            self.held.retain(|(held, _)| *held != attempt);
                            self.ended(app, attempt, outcome.clone()).await;
                        }
                    }
                }
                EngineToEp::TakeBack { attempts } => self.give_back(app, attempts).await,
                EngineToEp::Refused(_)
                | EngineToEp::OpenRun(_)
                | EngineToEp::RunScript(_)
                | EngineToEp::StopScript { .. }
                | EngineToEp::CloseRun { .. }
                | EngineToEp::LogStored { .. }
                | EngineToEp::Answer { .. }
                | EngineToEp::AskSessions { .. }
                | EngineToEp::AskModules { .. }
                | EngineToEp::OpenConsole(_)
                | EngineToEp::Power(_)
                | EngineToEp::Heartbeat => {}
            }
        }
    }

    async fn give_back(&mut self, app: &App, mut attempts: Vec<AttemptId>) {
        attempts.retain(|wanted| self.held.contains(&(*wanted, false)));
        self.held.retain(|(held, _)| !attempts.contains(held));
        if let Some((epoch, _)) = &self.link {
            let (ep, epoch) = (self.name.clone(), *epoch);
            let returned = Event::AttemptsReturned { ep, epoch, attempts };
            drop(app.engine.tell(Command::FromEp(returned)).await);
        }
    }
}
