//! The way to an engine: whether others can read along, and whether it is the engine that we know.

use std::{
    error::Error,
    sync::{Arc, OnceLock},
    time::Duration,
};

use anyhow::{Result, bail};
use jackfield_tls::{Address, Fingerprint, Refused, Trust};
use rustls::ClientConfig;
use ureq::{Agent, config::Config};

/// How long an engine that is asked whether it speaks plain HTTP at all may take for each step of its answer.
const ASK_LIMIT: Duration = Duration::from_secs(10);
/// How an engine answers who speaks plain HTTP where it wants TLS.
const UPGRADE_REQUIRED: u16 = 426;

/// The other end is not the engine that we know; nothing was sent.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{refused}{}", remedy(.refused))]
pub(crate) struct Stranger {
    pub(crate) refused: Refused,
}

impl Stranger {
    /// What stands behind the error of a connection.
    pub(crate) fn of(error: &(dyn Error + 'static)) -> Option<Self> {
        let inner = match error.downcast_ref::<ureq::Error>() {
            Some(ureq::Error::Io(error)) => Refused::of(error),
            Some(ureq::Error::Rustls(error)) => Refused::of(error),
            _ => Refused::of(error),
        };
        inner.cloned().map(|refused| Self { refused })
    }
}

fn remedy(refused: &Refused) -> String {
    match refused {
        Refused::Unknown { offered } => {
            format!("; if they are the same: `jackfield login USER --fingerprint {offered}`")
        }
        Refused::Changed { offered, .. } => {
            format!(
                "; if the new one is right: `jackfield login USER --fingerprint {offered}`, or use a token that this engine made"
            )
        }
        Refused::Expired { .. } | Refused::Early { .. } | Refused::Name { .. } | Refused::Broken(_) => {
            String::new()
        }
    }
}

/// How well the other end is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Known {
    /// Nobody but this machine can read along.
    Here,
    /// By its authority, which was agreed on.
    Pinned(Fingerprint),
    /// By an authority that this machine believes.
    ByMachine,
    /// Not at all: others can read along.
    Readable,
}

/// A way.
#[derive(Clone, Debug)]
pub(crate) struct Way {
    address: Option<Address>,
    engine: String,
    pin: Option<Fingerprint>,
    tls: Option<Arc<ClientConfig>>,
    /// Whether an engine on another machine wants TLS, once it has said so or not: one that did not answer is asked again.
    wants_tls: Arc<OnceLock<bool>>,
}

impl Way {
    /// The way to this address, for an authority that was agreed on, or one that this machine believes.
    ///
    /// # Errors
    /// The authorities of this machine cannot be read.
    pub(super) fn to(engine: &str, pin: Option<Fingerprint>) -> Result<Self> {
        let address = Address::read(engine);
        let is_tls = address.as_ref().is_some_and(|address| address.is_tls);
        let tls = if is_tls { Some(Trust::of(pin).client()?) } else { None };
        Ok(Self { address, engine: engine.to_owned(), pin, tls, wants_tls: Arc::default() })
    }

    pub(crate) fn known(&self) -> Known {
        match (&self.address, self.pin) {
            (Some(address), Some(pin)) if address.is_tls => Known::Pinned(pin),
            (Some(address), None) if address.is_tls => Known::ByMachine,
            (Some(address), _) if address.is_readable() => Known::Readable,
            (Some(_) | None, _) => Known::Here,
        }
    }

    /// The client's side of TLS, for whoever makes a connection of their own.
    pub(crate) fn tls(&self) -> Option<Arc<ClientConfig>> {
        self.tls.clone()
    }

    pub(super) fn agent(&self, config: Config) -> Agent {
        match &self.tls {
            Some(tls) => jackfield_tls::agent(config, Arc::clone(tls)),
            None => config.new_agent(),
        }
    }

    /// Before a secret is sent: an engine on another machine that speaks TLS gets nothing by plain HTTP.
    ///
    /// # Errors
    /// It speaks TLS, or does not answer: a [`ureq::Error`].
    pub(super) fn check(&self) -> Result<()> {
        let Some(address) = self.address.as_ref().filter(|address| address.is_readable()) else {
            return Ok(());
        };
        if self.pin.is_some() {
            bail!(
                "{} can be read by others on the way, and its engine speaks TLS: use {}",
                self.engine,
                address.with_tls()
            );
        }
        let wants_tls = match self.wants_tls.get() {
            Some(known) => *known,
            None => {
                let answer = self.asks_for_tls()?;
                *self.wants_tls.get_or_init(|| answer)
            }
        };
        if wants_tls {
            bail!(
                "{} speaks TLS, and nothing was sent where others can read it: use {}",
                self.engine,
                address.with_tls()
            );
        }
        Ok(())
    }

    fn asks_for_tls(&self) -> Result<bool, ureq::Error> {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .timeout_resolve(Some(ASK_LIMIT))
            .timeout_connect(Some(ASK_LIMIT))
            .timeout_per_write(Some(ASK_LIMIT))
            .timeout_per_read(Some(ASK_LIMIT))
            .build();
        let answer = config.new_agent().get(format!("{}/healthz", self.engine)).call()?;
        Ok(answer.status() == UPGRADE_REQUIRED)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_engine_that_did_not_answer_is_asked_again() {
        let way = Way::to("http://nobody.invalid:1", None).unwrap();
        let error = way.check().unwrap_err();
        assert!(error.is::<ureq::Error>() && way.wants_tls.get().is_none(), "{error}");
        // Nobody asks on the machine itself, where nobody reads along.
        Way::to("http://127.0.0.1:1", None).unwrap().check().unwrap();
    }
}
