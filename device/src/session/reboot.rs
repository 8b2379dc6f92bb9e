//! A device that goes and comes back: started anew on purpose.
//!
//! ```text
//! command ─▶ going ─▶ (gone ─▶ dialled again) ─▶ login ─▶ proof: has it been down? ─▶ back
//!                      (a console stays)  ▲                        │ no
//!                                         └────────────────────────┘
//! ```
//!
//! A device on its way down may still let us in, and a shell that is about to be killed shows its prompt once more. Where the profile knows a
//! proof, that is told from a device that is back.

use std::time::Duration;

use jackfield_config::{profile::Reboot, steps::Awaited};

use super::{Session, SessionError, login};
use crate::{
    clock::Deadline,
    connect::connect,
    expect::{ExpectError, Patterns},
    target::Connect,
};

/// Time between two tries to reach a device that is on its way back.
const TRY_EVERY: Duration = Duration::from_millis(500);
/// Time of one try; a device that is half awake may take a connection and say nothing.
const ONE_TRY: Duration = Duration::from_secs(20);
/// Time for the command that proves a start; a device that does not answer it is started anew without.
const PROOF_LIMIT: Duration = Duration::from_secs(10);
/// Questions that one reboot may ask.
const QUESTIONS_MAX: u32 = 8;

/// What leads to a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    /// A line that is there while the device is not.
    Console,
    /// A line that may be such a one: it is waited at, and dialled anew where nothing comes of it.
    Perhaps,
    /// A service of the device itself, gone with it.
    Service,
}

impl Session {
    pub(super) async fn run_reboot(&mut self, timeout: Option<Duration>) -> Result<(), SessionError> {
        let Some(reboot) = self.kind.profile.reboot.clone() else {
            let profile = self.kind.profile.name.clone();
            return Err(SessionError::Unsupported { profile, what: "[reboot]".to_owned() });
        };
        let deadline = Deadline::after(timeout.unwrap_or(reboot.timeout));
        self.dialogue.mark("reboot");
        let before = self.proof(Deadline::after(PROOF_LIMIT.min(deadline.left()))).await;
        self.send_away(&reboot, before.is_some(), deadline).await?;
        let way = self.way(&reboot, before.is_some());
        if self.dialogue.has_ended() || way == Way::Service {
            self.dialogue.hang_up().await;
            tokio::time::sleep(reboot.pause.min(deadline.left())).await;
        }
        self.come_back(way, before.as_deref(), deadline).await
    }

    fn way(&self, reboot: &Reboot, has_proof: bool) -> Way {
        match self.target.connect {
            Connect::Rfc2217 { .. } | Connect::Tcp(_) | Connect::Serial { .. } | Connect::Process(_) => {
                Way::Console
            }
            Connect::Telnet(_) if reboot.console => Way::Console,
            // Without a proof a prompt on the old line would prove nothing.
            Connect::Telnet(_) if has_proof => Way::Perhaps,
            Connect::Telnet(_) | Connect::Ssh(_) => Way::Service,
        }
    }

    /// What the profile's proof says now; none where there is no proof, or the device does not know it.
    async fn proof(&mut self, deadline: Deadline) -> Option<String> {
        let command = self.kind.profile.reboot.as_ref()?.proof.clone()?;
        let answer = self.run_command(&command, deadline).await.ok()?;
        (!answer.trim().is_empty() && self.refusal(&answer).is_none()).then_some(answer)
    }

    /// Gives the command and answers its questions, until the device says that it goes, or is gone.
    async fn send_away(
        &mut self,
        reboot: &Reboot,
        has_proof: bool,
        deadline: Deadline,
    ) -> Result<(), SessionError> {
        let failed = |source: ExpectError| SessionError::Expect { doing: "reboot".to_owned(), source };
        let ending = self.kind.profile.line_ending.clone();
        self.dialogue.take_pending();
        let command = format!("{}{ending}", reboot.command);
        self.dialogue.send(command.as_bytes(), deadline).await.map_err(failed)?;
        let mut awaited: Vec<Awaited> =
            reboot.questions.iter().map(|question| Awaited::Pattern(question.asks.clone())).collect();
        awaited.push(Awaited::End);
        awaited.extend(reboot.going.clone().map(Awaited::Pattern));
        if reboot.going.is_none() || has_proof {
            awaited.push(Awaited::Timeout);
        }
        let patterns = Patterns::new(&awaited)?;
        for _ in 0..QUESTIONS_MAX {
            // Where nothing says that it goes, its silence does; where a proof will tell, that counts for more than words.
            let limit = match (&reboot.going, has_proof) {
                (None, _) => Deadline::after(reboot.pause.max(TRY_EVERY).min(deadline.left())),
                (Some(_), true) => Deadline::after(ONE_TRY.min(deadline.left())),
                (Some(_), false) => deadline,
            };
            let seen = self.dialogue.expect(&patterns, limit).await.map_err(failed)?;
            let Some(question) = reboot.questions.get(seen.index) else { return Ok(()) };
            self.dialogue.send(question.reply(&ending).as_bytes(), deadline).await.map_err(failed)?;
        }
        let profile = self.kind.profile.name.clone();
        Err(SessionError::Unsupported { profile, what: format!("end of questions after {QUESTIONS_MAX}") })
    }

    /// Tries until there is a session with a device that has been down; the last reason is the one that counts.
    async fn come_back(
        &mut self,
        way: Way,
        before: Option<&str>,
        deadline: Deadline,
    ) -> Result<(), SessionError> {
        let mut last = None;
        loop {
            let heard = self.heard();
            let tried = if self.dialogue.has_ended() {
                self.renew(Deadline::after(ONE_TRY.min(deadline.left()))).await
            } else {
                self.stay(way, deadline).await
            };
            let proven = match tried {
                Ok(()) => self.prove(before, deadline).await,
                Err(error) => Err(error),
            };
            let Err(error) = proven else { return Ok(()) };
            let is_mute = !self.dialogue.has_ended() && self.heard() == heard;
            // That nothing more was heard says less than what was.
            let error = if is_mute { last.take().unwrap_or(error) } else { error };
            if deadline.left() <= TRY_EVERY {
                return Err(error);
            }
            last = Some(error);
            if way == Way::Service || (way == Way::Perhaps && is_mute) {
                self.dialogue.hang_up().await;
            }
            tokio::time::sleep(TRY_EVERY).await;
        }
    }

    /// Waits on the line that is there for the device to ask who we are. What follows has little time: a shell that is killed under it answers
    /// no more.
    async fn stay(&mut self, way: Way, deadline: Deadline) -> Result<(), SessionError> {
        self.begin_anew();
        let one_try = ONE_TRY.min(deadline.left());
        let login = if way == Way::Console { deadline } else { Deadline::after(one_try) };
        Box::pin(login::log_in(self, login)).await?;
        Box::pin(login::settle_in(self, Deadline::after(ONE_TRY.min(deadline.left())))).await
    }

    /// Whether the device has been down since the proof was asked for.
    async fn prove(&mut self, before: Option<&str>, deadline: Deadline) -> Result<(), SessionError> {
        let Some(before) = before else { return Ok(()) };
        let now = self.proof(Deadline::after(PROOF_LIMIT.min(deadline.left()))).await;
        if now.is_some_and(|now| now != before) {
            return Ok(());
        }
        let why = "it was told to start anew, and has not been down yet".to_owned();
        Err(SessionError::Login { target: self.target.connect.to_string(), why })
    }

    /// Connects and logs in again; the record goes on.
    async fn renew(&mut self, deadline: Deadline) -> Result<(), SessionError> {
        let profile = std::sync::Arc::clone(&self.kind.profile);
        let connected = Box::pin(connect(&self.target, &self.settings, &profile, deadline)).await?;
        self.dialogue.go_on_with(connected);
        self.begin_anew();
        Box::pin(login::make_ready(self, deadline)).await
    }
}
