//! A device that goes and comes back: started anew on purpose.

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
/// Questions that one reboot may ask.
const QUESTIONS_MAX: u32 = 8;

impl Session {
    pub(super) async fn run_reboot(&mut self, timeout: Option<Duration>) -> Result<(), SessionError> {
        let Some(reboot) = self.kind.profile.reboot.clone() else {
            let profile = self.kind.profile.name.clone();
            return Err(SessionError::Unsupported { profile, what: "[reboot]".to_owned() });
        };
        let deadline = Deadline::after(timeout.unwrap_or(reboot.timeout));
        self.dialogue.mark("reboot");
        self.send_away(&reboot, deadline).await?;
        if self.dialogue.has_ended() || !self.is_console() {
            self.dialogue.hang_up().await;
            tokio::time::sleep(reboot.pause.min(deadline.left())).await;
            self.come_back(deadline).await
        } else {
            self.prompt = super::Prompt::default();
            Box::pin(login::make_ready(self, deadline)).await
        }
    }

    /// Whether the connection is to a line that is there while the device is not.
    fn is_console(&self) -> bool {
        match self.target.connect {
            Connect::Rfc2217 { .. } | Connect::Tcp(_) | Connect::Serial { .. } | Connect::Process(_) => true,
            Connect::Telnet(_) | Connect::Ssh(_) => false,
        }
    }

    /// Gives the command and answers its questions, until the device says that it goes, or is gone.
    async fn send_away(&mut self, reboot: &Reboot, deadline: Deadline) -> Result<(), SessionError> {
        let failed = |source: ExpectError| SessionError::Expect { doing: "reboot".to_owned(), source };
        let ending = self.kind.profile.line_ending.clone();
        self.dialogue.take_pending();
        self.dialogue
            .send(format!("{}{ending}", reboot.command).as_bytes(), deadline)
            .await
            .map_err(failed)?;
        let mut awaited: Vec<Awaited> =
            reboot.questions.iter().map(|question| Awaited::Pattern(question.asks.clone())).collect();
        awaited.push(Awaited::End);
        awaited.extend(reboot.going.clone().map(Awaited::Pattern));
        if reboot.going.is_none() {
            awaited.push(Awaited::Timeout);
        }
        let patterns = Patterns::new(&awaited)?;
        for _ in 0..QUESTIONS_MAX {
            // Where nothing says that it goes, its silence does.
            let quiet = Deadline::after(reboot.pause.max(TRY_EVERY).min(deadline.left()));
            let limit = if reboot.going.is_some() { deadline } else { quiet };
            let seen = self.dialogue.expect(&patterns, limit).await.map_err(failed)?;
            let Some(question) = reboot.questions.get(seen.index) else { return Ok(()) };
            let answer = format!("{}{ending}", question.answer);
            self.dialogue.send(answer.as_bytes(), deadline).await.map_err(failed)?;
        }
        let profile = self.kind.profile.name.clone();
        Err(SessionError::Unsupported { profile, what: format!("end of questions after {QUESTIONS_MAX}") })
    }

    /// Tries to connect and log in until it works; the last reason is the one that counts.
    async fn come_back(&mut self, deadline: Deadline) -> Result<(), SessionError> {
        loop {
            let one_try = Deadline::after(ONE_TRY.min(deadline.left()));
            let Err(error) = self.renew(one_try).await else { return Ok(()) };
            if deadline.left() <= TRY_EVERY {
                return Err(error);
            }
            tokio::time::sleep(TRY_EVERY).await;
        }
    }

    /// Connects and logs in again; the record goes on.
    async fn renew(&mut self, deadline: Deadline) -> Result<(), SessionError> {
        let profile = std::sync::Arc::clone(&self.kind.profile);
        let channel = Box::pin(connect(&self.target, &self.settings, &profile, deadline)).await?;
        self.dialogue.go_on_with(channel);
        self.prompt = super::Prompt::default();
        Box::pin(login::make_ready(self, deadline)).await
    }
}
