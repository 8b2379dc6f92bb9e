//! Power that is set over SNMP, with the programs of Net-SNMP (Debian package `snmp`).

use std::io::Write;

use jackfield_protocol::secret::Secret;
use serde::Deserialize;

use super::{Action, Answer, PowerError, State, answer, expected, switch::run};
use crate::local::LocalPrograms;

/// Outlets of one make: where they are set and read, and what the numbers mean.
struct Make {
    name: &'static str,
    /// Where to write, before the outlet's number.
    set: &'static str,
    /// Where to read, before the outlet's number.
    get: &'static str,
    on: i64,
    off: i64,
    cycle: Option<i64>,
    is_on: i64,
    is_off: i64,
}

/// From the makers' MIBs: APC PowerNet-MIB (rPDUOutletControl), Raritan PDU2-MIB (switchingOperation, outletState), Server Technology
/// Sentry3-MIB (outletControlAction, outletStatus).
const MAKES: [Make; 3] = [
    Make {
        name: "apc",
        set: "1.3.6.1.4.1.318.1.1.12.3.3.1.1.4",
        get: "1.3.6.1.4.1.318.1.1.12.3.3.1.1.4",
        on: 1,
        off: 2,
        cycle: Some(3),
        is_on: 1,
        is_off: 2,
    },
    Make {
        name: "raritan",
        set: "1.3.6.1.4.1.13742.6.4.1.2.1.2.1",
        get: "1.3.6.1.4.1.13742.6.4.1.2.1.3.1",
        on: 1,
        off: 0,
        cycle: Some(2),
        is_on: 7,
        is_off: 8,
    },
    Make {
        name: "sentry3",
        set: "1.3.6.1.4.1.1718.3.2.3.1.11.1.1",
        get: "1.3.6.1.4.1.1718.3.2.3.1.5.1.1",
        on: 1,
        off: 2,
        cycle: Some(3),
        is_on: 1,
        is_off: 0,
    },
];

/// An outlet of a PDU: of a make that is known, or told with its numbers.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Snmp {
    /// Name or address, with `:port` where it is not 161.
    host: String,
    /// For version 1 and 2c.
    #[serde(default)]
    community: Option<Secret>,
    /// `1`, `2c` or `3`.
    #[serde(default = "version")]
    version: String,
    /// Lines of snmp.conf(5) for version 3: `defSecurityName`, `defAuthPassphrase` and the like.
    #[serde(default)]
    conf: Vec<Secret>,
    #[serde(default)]
    kind: Option<String>,
    #[serde(default)]
    outlet: Option<u32>,
    /// The object to set, and to read where `status_oid` is none.
    #[serde(default)]
    oid: Option<String>,
    #[serde(default)]
    status_oid: Option<String>,
    #[serde(default)]
    on: Option<i64>,
    #[serde(default)]
    off: Option<i64>,
    #[serde(default)]
    cycle: Option<i64>,
    /// What is read where the power is on.
    #[serde(default)]
    is_on: Option<i64>,
    #[serde(default)]
    is_off: Option<i64>,
}

fn version() -> String {
    "2c".to_owned()
}

impl Snmp {
    pub(super) fn check(&self) -> Result<(), PowerError> {
        let wrong = |text: String| Err(PowerError::Property(text));
        match (&self.kind, &self.oid) {
            (Some(_), None) if self.outlet.is_none() => wrong("has a kind of PDU but no `outlet`".to_owned()),
            (Some(kind), None) if self.make().is_none() => {
                let known = MAKES.map(|make| make.name).join(", ");
                wrong(format!("knows no PDU `{kind}`: {known}, or say `oid`, `on` and `off`"))
            }
            (None, None) => wrong("needs `kind` and `outlet`, or `oid`, `on` and `off`".to_owned()),
            (None, Some(_)) if self.on.is_none() || self.off.is_none() => {
                wrong("has an `oid` and needs the numbers for `on` and `off`".to_owned())
            }
            _ => Ok(()),
        }
    }

    fn make(&self) -> Option<&'static Make> {
        MAKES.iter().find(|make| Some(make.name) == self.kind.as_deref())
    }

    pub(super) fn cycles_itself(&self) -> bool {
        self.cycle.is_some() || self.make().is_some_and(|make| make.cycle.is_some())
    }

    pub(super) async fn act(&self, action: Action) -> Result<Answer, PowerError> {
        let make = self.make();
        let own = |own: Option<i64>, of_make: Option<i64>| own.or(of_make);
        let number = match action {
            Action::On => own(self.on, make.map(|make| make.on)),
            Action::Off => own(self.off, make.map(|make| make.off)),
            Action::Cycle => own(self.cycle, make.and_then(|make| make.cycle)),
            Action::Status => return self.status().await,
        };
        let number = number.ok_or(PowerError::Missing("cycle"))?;
        let oid = self.place(self.oid.as_deref(), make.map(|make| make.set))?;
        let said = self.call("snmpset", &[oid, "i".to_owned(), number.to_string()]).await?;
        Ok(expected(action, &said))
    }

    async fn status(&self) -> Result<Answer, PowerError> {
        let make = self.make();
        let oid =
            self.place(self.status_oid.as_deref().or(self.oid.as_deref()), make.map(|make| make.get))?;
        let said = self.call("snmpget", &[oid]).await?;
        let number: Option<i64> = said.trim().parse().ok();
        let is_on = self.is_on.or(make.map(|make| make.is_on)).or(self.on);
        let is_off = self.is_off.or(make.map(|make| make.is_off)).or(self.off);
        let state = match number {
            number @ Some(_) if number == is_on => State::On,
            number @ Some(_) if number == is_off => State::Off,
            _ => State::Unknown,
        };
        Ok(answer(state, &said))
    }

    /// The object of this outlet.
    fn place(&self, own: Option<&str>, of_make: Option<&str>) -> Result<String, PowerError> {
        match (own, of_make, self.outlet) {
            (Some(own), _, _) => Ok(own.to_owned()),
            (None, Some(table), Some(outlet)) => Ok(format!("{table}.{outlet}")),
            _ => Err(PowerError::Missing("oid")),
        }
    }

    /// Runs a program of Net-SNMP. What is secret stands in a file that only this user can read, not in the list of processes.
    async fn call(&self, program: &str, what: &[String]) -> Result<String, PowerError> {
        let failed = |error: std::io::Error| PowerError::Failed(format!("{program}: {error}"));
        let folder = tempfile::Builder::new().prefix("jackfield-snmp").tempdir().map_err(failed)?;
        let mut conf = std::fs::File::create(folder.path().join("snmp.conf")).map_err(failed)?;
        if let Some(community) = &self.community {
            writeln!(conf, "defCommunity {}", community.expose_for_device()).map_err(failed)?;
        }
        for line in &self.conf {
            writeln!(conf, "{}", line.expose_for_device()).map_err(failed)?;
        }
        let mut command = vec![program.to_owned(), format!("-v{}", self.version)];
        // Values alone, as numbers; two tries of two seconds; no MIB to look up.
        command.extend(["-Oqev", "-On", "-t2", "-r1", "-m", ""].map(str::to_owned));
        command.push(self.host.clone());
        command.extend_from_slice(what);
        let path = folder.path().to_string_lossy().into_owned();
        run(&command, &[("SNMPCONFPATH", &path)], &LocalPrograms::default()).await
    }
}
