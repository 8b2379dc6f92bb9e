//! Who this EP is and what it can do.

use std::{collections::BTreeSet, sync::Arc};

use jackfield_protocol::{
    console::CONSOLE_CAPABILITY,
    link::{Hello, Host, MODULES_CAPABILITY, VERSION},
    power::POWER_CAPABILITY,
};

use crate::limits::PYTHON_LIMIT;
use crate::{event::Possession, host, identity::Identity, runner::warm::WarmState, station::Station};

/// What an EP can drive without anything being installed.
const BUILT_IN: [&str; 7] =
    ["steps", "telnet", "ssh", "process", CONSOLE_CAPABILITY, MODULES_CAPABILITY, POWER_CAPABILITY];
/// Programs that are capabilities of their own where they are installed.
const TOOLS: [&str; 2] = ["pytest", "robot"];

pub(super) async fn hello(
    station: &Station,
    identity: &Identity,
    ip: String,
    possession: Possession,
) -> Hello {
    let settings = &station.settings;
    let python = match tokio::time::timeout(PYTHON_LIMIT, station.warm.state()).await {
        Ok(WarmState::Ready(version)) => version,
        Ok(WarmState::Starting | WarmState::Absent(_)) | Err(_) => String::new(),
    };
    Hello {
        version_min: VERSION,
        version_max: VERSION,
        ep: settings.name.clone(),
        instance: identity.instance().to_owned(),
        life: identity.life().to_owned(),
        token: settings.token.clone(),
        software: concat!("jackfield ", env!("CARGO_PKG_VERSION")).to_owned(),
        host: Host { name: host::name(), ip, os: host::operating_system(), python: python.clone() },
        labels: settings.offer.labels.clone(),
        capabilities: capabilities(station, !python.is_empty()),
        lanes: settings.offer.lanes,
        pool: settings.offer.pool.clone(),
        held: possession.held,
        runs: possession.runs,
        scripts: possession.scripts,
        notices: possession.notices,
        records_lost: possession.records_lost,
    }
}

fn capabilities(station: &Station, python: bool) -> Vec<Arc<str>> {
    let languages = &station.settings.languages;
    let mut all: BTreeSet<&str> = BUILT_IN.into_iter().collect();
    for (name, program) in &languages.interpreters {
        if name.as_ref() != "python" && host::find_program(program).is_some() {
            all.insert(name);
        }
    }
    all.extend(TOOLS.into_iter().filter(|tool| host::find_program(tool).is_some()));
    all.extend(python.then_some("python"));
    all.into_iter().map(Arc::from).collect()
}
