//! `epname.ini`: the Execution Processes of a Twister workstation, read as settings of ours.

use std::sync::Arc;

use jackfield_protocol::id::EpName;

use crate::{
    ep::EpSettings,
    ini::{self, Section},
    problem::{Problems, Read},
    source::Source,
};

/// A section of the file: an EP and where its engine is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedEp {
    /// The section's name; Twister registers it as `<host>_<name>`.
    pub name: EpName,
    /// `CE_IP`.
    pub engine_host: Arc<str>,
    /// `CE_PORT`.
    pub engine_port: u16,
    /// `EP_HOST`: only the machine of this name or address starts it; none: any.
    pub host: Option<Arc<str>>,
}

/// The file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EpNames {
    /// The EPs, in order; `ENABLED = 0` leaves one out.
    pub eps: Vec<NamedEp>,
    /// `[AUTO]`: the engine for an EP of the machine's own name, where no section names one.
    pub auto: Option<(Arc<str>, u16)>,
}

impl EpNames {
    /// Reads the file.
    pub fn read(source: &Arc<Source>) -> Read<Self> {
        let mut problems = Problems::new(source);
        let top = ini::parse(source, &mut problems);
        top.warn_unknown(&[], &mut problems);
        let mut names = Self::default();
        for section in &top.sections {
            match section.name.value.as_ref() {
                "PACKETSNIFFERPLUGIN" => section.warn_unknown(&["ENABLED", "ETH_INTERFACE"], &mut problems),
                "AUTO" => {
                    section.warn_unknown(&["AUTO_CE_IP", "AUTO_CE_PORT"], &mut problems);
                    let host = section.filled("AUTO_CE_IP").map(|host| Arc::clone(&host.value));
                    let port = port(section, "AUTO_CE_PORT", &mut problems);
                    names.auto = Some((host.unwrap_or_else(|| "127.0.0.1".into()), port));
                }
                _ => names.eps.extend(read_ep(section, &mut problems)),
            }
        }
        Read { value: Some(names), problems: problems.finish() }
    }

    /// The EPs that a machine starts, as settings of ours. A machine is known by its name or one of its addresses.
    pub fn settings(&self, machine: &[&str]) -> Vec<EpSettings> {
        let here = |ep: &&NamedEp| {
            ep.host.as_ref().is_none_or(|host| machine.iter().any(|name| name.eq_ignore_ascii_case(host)))
        };
        let settings = |name: Option<EpName>, host: &str, port: u16| EpSettings {
            name,
            engine: format!("http://{host}:{port}"),
            ..EpSettings::default()
        };
        let eps: Vec<EpSettings> = self
            .eps
            .iter()
            .filter(here)
            .map(|ep| settings(Some(ep.name.clone()), &ep.engine_host, ep.engine_port))
            .collect();
        match (&self.auto, eps.is_empty()) {
            (Some((host, port)), true) => vec![settings(None, host, *port)],
            _ => eps,
        }
    }
}

fn read_ep(section: &Section, problems: &mut Problems) -> Option<NamedEp> {
    section.warn_unknown(&["CE_IP", "CE_PORT", "EP_HOST", "ENABLED"], problems);
    let host = section.filled("CE_IP");
    if host.is_none() {
        let message = format!("EP `{}` has no CE_IP", section.name.value);
        problems.error(section.name.span, message, "write CE_IP = address of the engine");
    }
    let engine_port = port(section, "CE_PORT", problems);
    let disabled =
        section.filled("ENABLED").is_some_and(|value| ["0", "false", "no"].contains(&value.value.as_ref()));
    let ep = NamedEp {
        name: EpName(Arc::clone(&section.name.value)),
        engine_host: Arc::clone(&host?.value),
        engine_port,
        host: section.filled("EP_HOST").map(|host| Arc::clone(&host.value)),
    };
    (!disabled).then_some(ep)
}

fn port(section: &Section, key: &str, problems: &mut Problems) -> u16 {
    const DEFAULT: u16 = 8000;
    let Some(value) = section.filled(key) else { return DEFAULT };
    value.value.parse().ok().filter(|port| *port > 0).unwrap_or_else(|| {
        problems.error(value.span, format!("{key} is `{}`", value.value), "write a port from 1 to 65535");
        DEFAULT
    })
}
