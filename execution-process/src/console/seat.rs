//! A person at a console: shown what the device says, and typing where they have taken it over.

use std::{
    fs::File,
    path::PathBuf,
    sync::{Arc, Mutex},
};

use futures_util::{FutureExt, future::BoxFuture};
use jackfield_device::{
    channel::Window,
    record::{Recorder, Tap},
    session::Session,
};
use jackfield_protocol::{
    console::{ConsoleOrder, EpToPerson, PersonToEp},
    error::ErrorCode,
    id::{BlobHash, RunId},
};
use tokio::{sync::OwnedMutexGuard, time::Instant};

use super::{
    End,
    held::Held,
    keep,
    line::{Gone, Heard, Line},
};
use crate::{
    sessions::{
        fan::{Fan, Lost, Seen, Watch},
        hold::Hold,
        live::Live,
    },
    station::Station,
};

/// None where there is nothing to take over any more.
type Turn = BoxFuture<'static, Option<OwnedMutexGuard<Option<Session>>>>;

/// A seat at a console.
pub(super) struct Seat<'a> {
    station: &'a Arc<Station>,
    order: &'a ConsoleOrder,
    live: Live,
    line: &'a mut Line,
    title: &'a str,
    run: Option<RunId>,
    held: Option<Held>,
    /// The tests that use the session know of it.
    hold: Option<Hold>,
    /// The session's turn, which they wait for.
    turn: Option<Turn>,
    /// The person's terminal, as far as it said.
    window: Option<Window>,
    /// When they typed last.
    typed: Instant,
    /// What they type, as recordings show it.
    told_to_take: bool,
    /// What was said while they typed, in all their turns.
    recording: Option<Recorded>,
}

/// When a person types who wants to take over.
const WHEN_DONE: &str = "you type as soon as what the test does now is done";

/// What a person keeps of a dialogue.
pub(super) type Recorded = (PathBuf, Arc<Mutex<Recorder<File>>>);

/// What happens next.
enum Step {
    Seen(Result<Seen, Lost>),
    Heard(Heard),
    Turn(Option<OwnedMutexGuard<Option<Session>>>),
    Read(bool),
    Idle,
    Closing,
    Stop,
}

impl From<Gone> for End {
    fn from(Gone: Gone) -> Self {
        Self::gone()
    }
}

impl<'a> Seat<'a> {
    pub(super) fn new(
        station: &'a Arc<Station>,
        order: &'a ConsoleOrder,
        live: Live,
        line: &'a mut Line,
        title: &'a str,
        run: Option<RunId>,
    ) -> Self {
        Self {
            station,
            order,
            live,
            line,
            title,
            run,
            held: None,
            hold: None,
            turn: None,
            window: None,
            typed: Instant::now(),
            told_to_take: false,
            recording: None,
        }
    }

    /// Sits there until it is over; `held` is a device of their own.
    pub(super) async fn sit(mut self, own: Option<(Held, Option<Recorded>)>) -> (End, Option<BlobHash>) {
        let (held, recording) = own.unzip();
        self.recording = recording.flatten();
        let (screen, watch) = self.live.fan.watch(self.order.watch_only.is_none());
        let end = match self.begin(screen, held).await {
            Ok(()) => self.attend(watch).await,
            Err(Gone) => End::gone(),
        };
        self.let_go().await;
        let recording = match self.recording.take() {
            Some((path, mut recorder)) => {
                recorder.end();
                keep(self.station, path).await
            }
            None => None,
        };
        (end, recording)
    }

    async fn begin(&mut self, screen: Vec<u8>, held: Option<Held>) -> Result<(), Gone> {
        if let Some(held) = held {
            // What came before the first prompt has been shown while it came.
            self.hold(held, "opens").await;
            return Ok(());
        }
        let (title, ep) = (self.title.to_owned(), self.station.settings.name.clone());
        self.line.say(&EpToPerson::Begin { title, ep, run: self.run }).await?;
        if !screen.is_empty() {
            self.line.show(screen).await?;
        }
        if self.order.take { self.take().await } else { Ok(()) }
    }

    async fn attend(&mut self, mut watch: Watch) -> End {
        loop {
            let step = self.next(&mut watch).await;
            let done = match step {
                Step::Seen(Ok(seen)) => self.seen(seen).await,
                Step::Seen(Err(Lost::Ended)) => return End::fine("the session was closed"),
                Step::Seen(Err(Lost::Slow)) => {
                    let reason =
                        "the device says more than your terminal takes; open the console again to go on";
                    return End::failed(ErrorCode::TooMany, reason);
                }
                Step::Heard(heard) => self.heard(heard).await,
                Step::Turn(guard) => self.take_over(guard).await,
                Step::Read(true) => Ok(()),
                Step::Read(false) => self.device_ended(&mut watch).await,
                Step::Idle => self.idle().await,
                Step::Closing => {
                    self.turn = None;
                    self.let_go().await;
                    Ok(())
                }
                Step::Stop => Err(End::failed(ErrorCode::Unavailable, "the EP ends")),
            };
            if let Err(end) = done {
                return end;
            }
        }
    }

    async fn take_over(&mut self, guard: Option<OwnedMutexGuard<Option<Session>>>) -> Result<(), End> {
        let Some(guard) = guard else {
            self.turn = None;
            let why = "there is nothing to take over: the test did not get in, or has closed the session";
            return Ok(self.refuse(why.to_owned()).await?);
        };
        let sessions = &self.station.sessions;
        self.hold = self.run.map(|run| sessions.hold(run, self.title, &self.order.user));
        let held = Held::take_over(guard).await;
        self.hold(held, "takes over").await;
        Ok(())
    }

    async fn next(&mut self, watch: &mut Watch) -> Step {
        let idle = self.station.settings.limits.console_idle;
        let (holds, waits, room) = (self.held.is_some(), self.turn.is_some(), watch.has_room());
        let (held, turn) = (&mut self.held, &mut self.turn);
        tokio::select! {
            biased;
            () = self.station.consoles.stop.cancelled() => Step::Stop,
            () = self.live.closing.cancelled(), if holds || waits => Step::Closing,
            heard = self.line.hear() => Step::Heard(heard),
            seen = watch.next() => Step::Seen(seen),
            guard = taken(turn), if waits => Step::Turn(guard),
            came = read(held), if holds && room => Step::Read(came),
            () = tokio::time::sleep_until(self.typed + idle), if holds => Step::Idle,
        }
    }

    async fn seen(&mut self, seen: Seen) -> Result<(), End> {
        match seen {
            Seen::Output(bytes) => self.line.show(bytes).await?,
            Seen::Typing(typing) => {
                let you = typing.as_ref().is_some_and(|(console, _)| *console == self.order.console);
                let user = typing.map(|(_, user)| user);
                self.line.say(&EpToPerson::Typing { user, you }).await?;
            }
        }
        Ok(())
    }

    async fn heard(&mut self, heard: Heard) -> Result<(), End> {
        match heard {
            Heard::Typed(bytes) => self.typed(&bytes).await,
            Heard::Said(PersonToEp::Take) => Ok(self.take().await?),
            Heard::Said(PersonToEp::Release) => self.release().await,
            Heard::Said(PersonToEp::Mark { label }) => {
                let label = format!("{}: {label}", self.order.user);
                if let Some(held) = &mut self.held {
                    held.mark(&label);
                }
                Ok(())
            }
            Heard::Said(PersonToEp::Resize { rows, columns }) => {
                let window = Window { rows, columns };
                self.window = Some(window);
                if let Some(held) = &mut self.held {
                    held.resize(window).await;
                }
                Ok(())
            }
            Heard::Said(PersonToEp::Break) => self.send_break().await,
            Heard::Said(PersonToEp::Leave) | Heard::Gone => Err(End::gone()),
        }
    }

    async fn send_break(&mut self) -> Result<(), End> {
        self.typed = Instant::now();
        let Some(held) = &mut self.held else {
            return Ok(self.refuse("you watch; take over before you send a break".to_owned()).await?);
        };
        let told = match held.send_break().await {
            Ok(()) => "a break was sent".to_owned(),
            Err(why) => format!("no break was sent: {why}"),
        };
        Ok(self.line.notice(told).await?)
    }

    async fn typed(&mut self, bytes: &[u8]) -> Result<(), End> {
        self.typed = Instant::now();
        let Some(held) = &mut self.held else {
            if !std::mem::replace(&mut self.told_to_take, true) {
                self.line.notice("you watch; take over before you type").await?;
            }
            return Ok(());
        };
        let sent = held.type_in(bytes).await;
        match sent {
            Ok(()) => Ok(()),
            Err(why) => {
                Ok(self.line.notice(format!("the device did not take what you typed: {why}")).await?)
            }
        }
    }

    /// Wants to type: waits for the turn, or is told why not.
    async fn take(&mut self) -> Result<(), Gone> {
        if self.held.is_some() || self.turn.is_some() {
            return Ok(());
        }
        if let Some(why) = &self.order.watch_only {
            return self.refuse(format!("you may only watch: {why}")).await;
        }
        if let Some((_, user)) = self.live.fan.typing() {
            return self.refuse(format!("{user} types; take over when they have let go")).await;
        }
        let Some(run) = self.run else {
            return self.refuse("somebody else has the device; you may watch".to_owned()).await;
        };
        let (sessions, title) = (self.station.sessions.clone(), self.title.to_owned());
        let opens = sessions.live(run, self.title).is_some_and(|live| live.slot.is_none());
        self.turn = Some(async move { sessions.turn(run, &title).await }.boxed());
        let when = if opens { "the test is logging in: you type when it has" } else { WHEN_DONE };
        self.line.notice(when).await
    }

    async fn refuse(&mut self, text: String) -> Result<(), Gone> {
        self.line.say(&EpToPerson::Refused { text }).await
    }

    async fn hold(&mut self, mut held: Held, how: &str) {
        let ConsoleOrder { console, user, .. } = self.order;
        self.turn = None;
        self.typed = Instant::now();
        if self.recording.is_none() {
            self.recording = record(self.station, self.order, self.title, &self.live.fan);
        }
        let recorder = self.recording.as_ref().map(|(_, recorder)| Arc::clone(recorder));
        self.live.fan.set_typing(Some((*console, user.clone())), recorder);
        held.mark(&format!("console: {user} {how}"));
        if let Some(window) = self.window {
            held.resize(window).await;
        }
        self.held = Some(held);
    }

    async fn release(&mut self) -> Result<(), End> {
        match &self.held {
            Some(Held::Own(_) | Held::Raw(_)) => Err(End::fine("you closed it")),
            Some(Held::Test(..)) => {
                self.let_go().await;
                Ok(())
            }
            None => {
                self.turn = None;
                Ok(())
            }
        }
    }

    /// Whatever it holds is a test's again, or closed.
    async fn let_go(&mut self) {
        self.turn = None;
        let Some(mut held) = self.held.take() else { return };
        held.let_go(&format!("console: {} lets go", self.order.user)).await;
        self.live.fan.set_typing(None, None);
        drop(held);
        self.hold = None;
    }

    /// The device closed the connection while the person held it.
    async fn device_ended(&mut self, watch: &mut Watch) -> Result<(), End> {
        // What it said last comes before its end.
        while let Some(Ok(seen)) = watch.next().now_or_never() {
            self.seen(seen).await?;
        }
        match &self.held {
            Some(Held::Test(..)) => {
                self.let_go().await;
                Ok(self.line.notice("the device closed the connection").await?)
            }
            Some(Held::Own(_) | Held::Raw(_)) | None => Err(End::fine("the device closed the connection")),
        }
    }

    async fn idle(&mut self) -> Result<(), End> {
        let millis = self.station.settings.limits.console_idle.as_millis();
        let why = format!("nothing was typed for {} s (limits.console_idle of ep.toml)", millis / 1000);
        match &self.held {
            Some(Held::Test(..)) => {
                self.let_go().await;
                Ok(self.line.notice(format!("the test goes on: {why}")).await?)
            }
            Some(Held::Own(_) | Held::Raw(_)) | None => Err(End::failed(ErrorCode::WrongState, why)),
        }
    }
}

/// Begins to write down what is said, for the person.
pub(super) fn record(station: &Station, order: &ConsoleOrder, title: &str, fan: &Fan) -> Option<Recorded> {
    let title = format!("{} at {}", order.user, if title.is_empty() { "a console" } else { title });
    let (path, recorder) = station.sessions.console_recording(order.console, &title, &fan.secrets());
    Some((path, Arc::new(Mutex::new(recorder?))))
}

async fn taken(turn: &mut Option<Turn>) -> Option<OwnedMutexGuard<Option<Session>>> {
    match turn {
        Some(turn) => turn.await,
        None => std::future::pending().await,
    }
}

async fn read(held: &mut Option<Held>) -> bool {
    match held {
        Some(held) => held.listen().await,
        None => std::future::pending().await,
    }
}
