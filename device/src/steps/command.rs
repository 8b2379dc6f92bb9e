//! Steps that give a command: once, with answers to what it may ask, into a file, or again and again until its checks hold.

use std::time::Duration;

use jackfield_config::steps::{Answer, Command, Step, ToFile, secret::has_secret_word};
use jackfield_protocol::verdict::Verdict;

use super::{Failure, StepEnvironment, act::blame, run::Runner};
use crate::{
    clock::Deadline,
    session::{Order, Reply},
    target::Secret,
};

impl<E: StepEnvironment> Runner<'_, E> {
    pub(super) async fn command(
        &mut self,
        step: &Step,
        command: &Command,
        clock: Deadline,
    ) -> Result<(), Failure> {
        let mut replies = Vec::new();
        for answer in &command.answers {
            replies.push(self.reply(answer).await?);
        }
        let line = self.fill(&command.line).await?;
        let mut order = Order::new(line).with_replies(replies);
        order.keep_unasked = command.keep_unasked;
        match &command.to_file {
            Some(to) => {
                order.is_checked = !command.allow_error;
                self.command_to_file(step, &order, to, clock).await
            }
            None => self.give(step, &order, command.allow_error, clock).await,
        }
    }

    async fn reply(&mut self, answer: &Answer) -> Result<Reply, Failure> {
        let (asks, text) = (self.fill_pattern(&answer.asks).await?, self.fill(&answer.answer).await?);
        let is_secret = answer.secret || has_secret_word(&asks);
        if is_secret {
            self.secrets.add(&[&text]);
        }
        Ok(Reply { asks, answer: Secret::new(text), enter: answer.enter, is_secret: answer.secret })
    }

    /// The output is shown also where it refuses the command.
    async fn give(
        &mut self,
        step: &Step,
        order: &Order,
        allow_error: bool,
        clock: Deadline,
    ) -> Result<(), Failure> {
        let session = self.session(step).await?;
        let output = session.give(order, clock.span()).await.map_err(blame)?;
        let refusal = session.refusal_of(&order.line, &output).filter(|_| !allow_error);
        self.show(&order.line, output);
        match refusal {
            Some(answer) => Err(Failure::product(format!("the device refused `{}`: {answer}", order.line))),
            None => Ok(()),
        }
    }

    /// A file is kept with the test also where the answer did not come to its end: it says so itself.
    async fn command_to_file(
        &mut self,
        step: &Step,
        order: &Order,
        to: &ToFile,
        clock: Deadline,
    ) -> Result<(), Failure> {
        let name = self.fill(&to.path).await?;
        let path = self.environment.place(&name).map_err(Failure::test)?;
        let session = self.session(step).await?;
        let written = session.give_to_file(order, &path, clock.span()).await;
        if to.artifact && path.is_file() {
            self.environment.keep(&path);
        }
        let written = written.map_err(blame)?;
        self.show(&format!("{} into {name}", order.line), format!("{} bytes", written.bytes));
        Ok(())
    }

    /// Repeats a command until its checks hold; the last reason is the one that counts.
    pub(super) async fn wait_until(
        &mut self,
        step: &Step,
        command: &str,
        every: Duration,
        mut clock: Deadline,
    ) -> Result<(), Failure> {
        let mut tries = 0_u64;
        loop {
            tries = tries.saturating_add(1);
            let one_try = Deadline::after(clock.left().max(every));
            let order = Order::new(self.fill(command).await?);
            let result = match self.give(step, &order, true, one_try).await {
                Ok(()) => self.judge(step).await,
                Err(failure) => return Err(failure),
            };
            let Err(failure) = result else { return Ok(()) };
            if failure.verdict() == Verdict::Invalid {
                return Err(failure);
            }
            if clock.left() <= every {
                let reason = format!("after {:.1?} and {tries} tries: {}", clock.elapsed(), failure.reason);
                return Err(Failure { cause: failure.cause, reason });
            }
            // A person may take the session over now; the time that they have it is not the device's.
            self.turn = None;
            tokio::time::sleep(every).await;
            clock = clock.put_off(self.take_turn(step).await);
        }
    }
}
