//! A person's terminal on a device.

use jackfield_protocol::{
    console::{ConsoleOf, ConsoleOn, ConsoleOrder, ConsoleRow, EpToPerson, OpenSession, PersonToEp},
    error::ErrorCode,
    id::{ConsoleId, RunId},
};
use serde_json::json;

use crate::{
    sample::{Family, Sample, variants},
    value::{Pair, at, awkward, ep, hash, user},
};

variants!(ConsoleOf {
    ConsoleOf::Session { .. } => "session",
    ConsoleOf::Device { .. } => "device",
    ConsoleOf::Console { .. } => "console",
});

variants!(PersonToEp {
    PersonToEp::Resize { .. } => "resize",
    PersonToEp::Take => "take",
    PersonToEp::Release => "release",
    PersonToEp::Mark { .. } => "mark",
    PersonToEp::Break => "break",
    PersonToEp::Leave => "leave",
});

variants!(EpToPerson {
    EpToPerson::Begin { .. } => "begin",
    EpToPerson::Typing { .. } => "typing",
    EpToPerson::Refused { .. } => "refused",
    EpToPerson::Notice { .. } => "notice",
    EpToPerson::End { .. } => "end",
});

pub(crate) fn samples() -> Vec<Sample> {
    let mut samples = of();
    samples.extend(
        Family::new("person_to_ep")
            .one(PersonToEp::Resize { rows: 24, columns: 80 })
            .one(PersonToEp::Take)
            .one(PersonToEp::Release)
            .one(PersonToEp::Mark { label: awkward() })
            .one(PersonToEp::Break)
            .one(PersonToEp::Leave)
            .whole(),
    );
    let begin = |run| EpToPerson::Begin { title: "/tb1/router1".to_owned(), ep: ep(), run };
    let typing = |user, you| EpToPerson::Typing { user, you };
    let end = |code, recording| EpToPerson::End { reason: awkward(), code, recording };
    samples.extend(
        Family::new("ep_to_person")
            .both(begin(Some(RunId(41))), begin(None))
            .both(typing(Some(user()), true), typing(None, true))
            .one(EpToPerson::Refused { text: awkward() })
            .one(EpToPerson::Notice { text: awkward() })
            .both(end(Some(ErrorCode::Unavailable), Some(hash(0xd4))), end(None, None))
            .whole(),
    );
    let row = row();
    samples.push(Sample::with_bare("api/console_row", row.full, row.bare));
    samples
}

fn row() -> Pair<ConsoleRow> {
    let full = ConsoleRow {
        console: ConsoleId(7),
        user: user(),
        resource: "/tb1/router1".to_owned(),
        ep: ep(),
        on: ConsoleOn::Session,
        run: Some(RunId(41)),
        session: Some("/tb1/router1".to_owned()),
        since: at(),
        types_since: Some(at()),
    };
    Pair { bare: ConsoleRow { run: None, session: None, types_since: None, ..full.clone() }, full }
}

fn of() -> Vec<Sample> {
    let device = device();
    Family::new("console_of")
        .one(ConsoleOf::Session { run: RunId(41), name: "/tb1/router1".to_owned() })
        .both(device.full, device.bare)
        .one(ConsoleOf::Console { console: ConsoleId(7) })
        .whole()
}

fn device() -> Pair<ConsoleOf> {
    let device = |others, profiles, raw| ConsoleOf::Device {
        path: "/tb1/router1".to_owned(),
        properties: [("host".to_owned(), json!("192.0.2.7")), ("port".to_owned(), json!(23))].into(),
        others,
        profiles,
        raw,
    };
    let others = [("/tb1/gate".to_owned(), [("host".to_owned(), json!("192.0.2.1"))].into())].into();
    let profiles = [("site.toml".to_owned(), "name = \"site\"\n".to_owned())].into();
    Pair { full: device(others, profiles, true), bare: device([].into(), [].into(), false) }
}

pub(crate) fn order() -> Pair<ConsoleOrder> {
    let full = ConsoleOrder {
        console: ConsoleId(7),
        secret: "jackfield_0123456789".into(),
        user: user(),
        of: device().full,
        take: true,
        watch_only: Some("ana started run 41".to_owned()),
    };
    Pair { bare: ConsoleOrder { of: device().bare, take: false, watch_only: None, ..full.clone() }, full }
}

pub(crate) fn session() -> Pair<OpenSession> {
    let full = OpenSession {
        run: RunId(41),
        name: "/tb1/router1".to_owned(),
        resource: Some("0123456789".to_owned()),
    };
    Pair { bare: OpenSession { resource: None, ..full.clone() }, full }
}
