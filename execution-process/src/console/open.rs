//! A device that no test uses: connected to and logged in, in front of the person's eyes.

use std::{collections::BTreeMap, sync::Arc};

use futures_util::FutureExt;
use jackfield_device::{
    expect::Dialogue,
    limits::OPEN_TIMEOUT,
    session::{Session, SessionError, SessionSettings, connect_raw},
    target::{SessionTarget, put_jump_resources},
};
use jackfield_protocol::{
    console::{ConsoleOf, ConsoleOrder, EpToPerson, PersonToEp},
    error::{ErrorCode, Problem},
};
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use super::{
    End, Entered,
    held::Held,
    line::{Heard, Line},
    seat::{self, Recorded},
};
use crate::{
    sessions::{
        fan::{Fan, Seen},
        live::Live,
        problem,
    },
    station::Station,
};

/// Opens what the order names, and lets others watch it.
pub(super) async fn open(
    station: &Arc<Station>,
    order: &ConsoleOrder,
    line: &mut Line,
    entered: &Entered,
) -> Result<(Live, Held, Option<Recorded>), End> {
    let ConsoleOf::Device { path, properties, others, profiles, raw } = &order.of else {
        return Err(End::failed(ErrorCode::Internal, "this is no device"));
    };
    let target = target(path, properties, others)?;
    let mut settings = station.sessions.settings_with(profiles);
    settings.programs = station.sessions.in_groups(station.programs());
    let fan = Fan::default();
    fan.hide(target.secrets());
    let ep = station.settings.name.clone();
    let begin = EpToPerson::Begin { title: path.clone(), ep, run: None };
    let told = line.say(&begin).await.is_ok();
    if !told || line.notice(format!("connecting: {}", target.connect)).await.is_err() {
        return Err(End::gone());
    }
    let (_, mut watch) = fan.watch(true);
    // From the first word, so that the recording can be the device.
    let recording = seat::record(station, order, path, &fan);
    fan.set_typing(None, recording.as_ref().map(|(_, recorder)| Arc::clone(recorder)));
    let opening = connect(target, settings, *raw, fan.clone());
    tokio::pin!(opening);
    let held = loop {
        tokio::select! {
            biased;
            () = station.consoles.stop.cancelled() => return Err(End::failed(ErrorCode::Unavailable, "the EP ends")),
            heard = line.hear() => if matches!(heard, Heard::Gone | Heard::Said(PersonToEp::Leave)) { return Err(End::gone()) },
            seen = watch.next() => if let Ok(Seen::Output(bytes)) = seen
                && line.show(bytes).await.is_err() { return Err(End::gone()) },
            opened = &mut opening => break opened.map_err(|error| End::from(problem(&error)))?,
        }
    };
    // The first prompt came with the end of the login.
    while let Some(Ok(Seen::Output(bytes))) = watch.next().now_or_never() {
        if line.show(bytes).await.is_err() {
            return Err(End::gone());
        }
    }
    let live = Live { slot: None, fan, closing: CancellationToken::new() };
    entered.show(live.clone());
    Ok((live, held, recording))
}

fn target(
    path: &str,
    properties: &BTreeMap<String, Value>,
    others: &BTreeMap<String, BTreeMap<String, Value>>,
) -> Result<SessionTarget, Problem> {
    let mut properties = properties.clone();
    put_jump_resources(&mut properties, others);
    SessionTarget::from_properties(&properties)
        .map_err(|error| Problem::new(ErrorCode::BadRequest, format!("device `{path}`: {error}")))
}

async fn connect(
    target: SessionTarget,
    settings: SessionSettings,
    raw: bool,
    fan: Fan,
) -> Result<Held, SessionError> {
    if !raw {
        let session = Box::pin(Session::open(target, &settings, OPEN_TIMEOUT, vec![Box::new(fan)])).await?;
        return Ok(Held::Own(Box::new(session)));
    }
    let channel = connect_raw(&target, &settings, OPEN_TIMEOUT).await?;
    let settle = settings.settle.unwrap_or_default();
    Ok(Held::Raw(Box::new(Dialogue::new(channel, settle, vec![Box::new(fan)]))))
}
