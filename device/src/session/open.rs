//! From a target to the first prompt.

use super::{Prompt, Session, SessionError, SessionSettings, login};
use crate::{
    channel::Channel, clock::Deadline, connect::connect, expect::Dialogue, record::Tap, target::SessionTarget,
};

pub(super) async fn open(
    target: SessionTarget,
    settings: &SessionSettings,
    deadline: Deadline,
    taps: Vec<Box<dyn Tap>>,
) -> Result<Session, SessionError> {
    let profile = settings.profiles.get(&target.profile)?;
    let channel = Box::pin(connect(&target, settings, profile, deadline)).await?;
    over(channel, target, settings, deadline, taps).await
}

pub(super) async fn over(
    channel: Box<dyn Channel>,
    target: SessionTarget,
    settings: &SessionSettings,
    deadline: Deadline,
    taps: Vec<Box<dyn Tap>>,
) -> Result<Session, SessionError> {
    let kind = settings.profiles.kind_with(&target.profile, &target.profile_settings)?;
    let settle = settings.settle.unwrap_or(kind.profile.settle);
    let mut dialogue = Dialogue::new(channel, settle, taps);
    dialogue.set_pace(kind.profile.pace);
    let settings = settings.clone();
    let mut session = Session { dialogue, kind, target, settings, prompt: Prompt::default() };
    if let Err(error) = login::make_ready(&mut session, deadline).await {
        session.dialogue.close().await;
        return Err(error);
    }
    Ok(session)
}
