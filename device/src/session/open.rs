//! From a target to the first prompt.

use jackfield_config::profile::Profile;

use super::{
    Session, SessionError, SessionSettings, habits::Habits, in_step::Unanswered, known::Known, login,
    secret::secrets_of, unasked::Unasked,
};
use crate::{
    channel::Window,
    clock::Deadline,
    connect::{Connected, connect},
    expect::Dialogue,
    record::Tap,
    target::SessionTarget,
};

pub(super) async fn open(
    target: SessionTarget,
    settings: &SessionSettings,
    deadline: Deadline,
    taps: Vec<Box<dyn Tap>>,
) -> Result<Session, SessionError> {
    let secrets = secrets_of(&target);
    let opened = connect_and_begin(target, settings, deadline, taps).await;
    opened.map_err(|error| error.without(&secrets))
}

async fn connect_and_begin(
    target: SessionTarget,
    settings: &SessionSettings,
    deadline: Deadline,
    taps: Vec<Box<dyn Tap>>,
) -> Result<Session, SessionError> {
    let taps = Listeners(taps);
    let kind = settings.profiles.kind_with(&target.profile, &target.profile_settings)?;
    let settings = with_screen(&target, &kind.profile, settings);
    let connected = Box::pin(connect(&target, &settings, &kind.profile, deadline)).await?;
    begin(connected, target, &settings, deadline, taps.into_inner()).await
}

/// Those who listen to a session that is not there yet: they are told its end also where it never begins.
struct Listeners(Vec<Box<dyn Tap>>);

impl Listeners {
    fn into_inner(mut self) -> Vec<Box<dyn Tap>> {
        std::mem::take(&mut self.0)
    }
}

impl Drop for Listeners {
    fn drop(&mut self) {
        self.0.iter_mut().for_each(|tap| tap.end());
    }
}

pub(super) async fn begin(
    connected: Connected,
    target: SessionTarget,
    settings: &SessionSettings,
    deadline: Deadline,
    taps: Vec<Box<dyn Tap>>,
) -> Result<Session, SessionError> {
    let taps = Listeners(taps);
    let kind = settings.profiles.kind_with(&target.profile, &target.profile_settings)?;
    let settle = settings.settle.unwrap_or(kind.profile.settle);
    let mut dialogue = Dialogue::new(connected.channel, settle, taps.into_inner());
    dialogue.set_wire(connected.wire);
    dialogue.set_pace(kind.profile.pace);
    let (screen, secrets) = (size_of_screen(&target, &kind.profile), secrets_of(&target));
    let settings = with_screen(&target, &kind.profile, settings);
    let mut session = Session {
        dialogue,
        kind,
        target,
        settings,
        known: Known::default(),
        habits: Habits::default(),
        unanswered: Unanswered::default(),
        unasked: Unasked::default(),
        secrets,
    };
    if let Some(window) = screen {
        session.set_screen(window).await?;
    }
    if let Err(error) = login::make_ready(&mut session, deadline).await {
        session.dialogue.close().await;
        return Err(session.starred(error));
    }
    Ok(session)
}

/// The kind of terminal that full-screen programs know best, and ours is.
const TERMINAL: &str = "xterm";

fn size_of_screen(target: &SessionTarget, profile: &Profile) -> Option<Window> {
    let size = target.screen.or(profile.screen)?;
    Some(Window { rows: size.rows, columns: size.columns })
}

/// What holds for a session with a screen: the device is told its size, and a kind of terminal that can be drawn on, unless profile or
/// resource have chosen one for it.
fn with_screen(target: &SessionTarget, profile: &Profile, settings: &SessionSettings) -> SessionSettings {
    let mut settings = settings.clone();
    if let Some(window) = size_of_screen(target, profile) {
        settings.window = window;
        let is_chosen = profile.screen.is_some() || target.profile_settings.contains_key("terminal");
        settings.terminal = (!is_chosen).then(|| TERMINAL.to_owned());
    }
    settings
}
