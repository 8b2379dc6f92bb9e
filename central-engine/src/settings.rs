//! The settings of `engine.toml`, each handed to the part of the engine that it is for.
//!
//! They are taken apart here without `..`, into parts whose fields are private to this crate: a setting that is read from
//! the file and used by nobody does not compile.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use jackfield_config::{
    EngineSettings,
    engine::{EngineLimits, HealthSettings, Retention, ServerKind, TlsSettings},
};
use jackfield_protocol::secret::Secret;
use jackfield_scheduler::Limits;
use jackfield_tls::Trust;

use crate::{auth::Proxies, limits};

/// All of it, by what it is for.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) listen: Listen,
    pub(crate) tls: TlsSettings,
    pub(crate) data: Data,
    pub(crate) link: LinkSettings,
    pub(crate) scheduler: Limits,
    pub(crate) jobs: JobSettings,
    /// Which old runs go by themselves.
    pub(crate) retention: Retention,
    /// When a resource is not fit to be given.
    pub(crate) health: HealthSettings,
    pub(crate) served: Served,
    pub(crate) server: Server,
    /// Folders outside the lab folder from which files may be taken.
    pub(crate) roots: Vec<PathBuf>,
}

/// Where the engine is found.
#[derive(Clone, Debug)]
pub(crate) struct Listen {
    pub(crate) address: String,
    pub(crate) port: u16,
    /// How others reach it, where the lab says so.
    pub(crate) url: Option<String>,
    /// Whether plain HTTP is answered to others, too.
    pub(crate) plain: bool,
}

/// Where its own state lies.
#[derive(Clone, Debug)]
pub(crate) struct Data {
    pub(crate) folder: PathBuf,
    /// With the keys of the store; none means in the folder.
    pub(crate) key: Option<PathBuf>,
    /// Of the store; none means SQLite in the folder.
    pub(crate) store: Option<Secret>,
    /// One log of one attempt.
    pub(crate) log_bytes: u64,
}

/// The terms of EPs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LinkSettings {
    pub(crate) heartbeat_millis: u64,
    pub(crate) silence_millis: u64,
    pub(crate) log_window_bytes: u64,
    /// EPs at once.
    pub(crate) eps: u64,
}

/// What is done after a run, and around it.
#[derive(Clone, Debug)]
pub(crate) struct JobSettings {
    pub(crate) outbox: PathBuf,
    /// One mail, from the connection to the last answer.
    pub(crate) mail_timeout: Duration,
    /// By whom mail servers and webhooks are known.
    pub(crate) believed: Trust,
    /// What runs that are compared have in common: `sut`, or fields of the project.
    pub(crate) compare: Vec<String>,
    pub(crate) hook_timeout: Duration,
    /// Between asking a script to end and killing it.
    pub(crate) hook_grace: Duration,
    /// What is kept of a script's output.
    pub(crate) hook_output_bytes: u64,
}

/// What is too much for one request, or in all, and from whom.
#[derive(Clone, Debug)]
pub(crate) struct Served {
    pub(crate) project_bytes: u64,
    pub(crate) upload_bytes: u64,
    pub(crate) browsers: u64,
    pub(crate) browsers_each: u64,
    pub(crate) login_attempts: u64,
    /// Whose word counts about who asks.
    pub(crate) proxies: Proxies,
    /// Whether whoever comes by TLS comes to the engine itself, and to no proxy that speaks it for us.
    pub(crate) is_met_directly: bool,
}

/// What the engine is, for accounts and for reports.
#[derive(Clone, Debug)]
pub(crate) struct Server {
    pub(crate) kind: ServerKind,
    pub(crate) location: String,
}

impl Settings {
    /// Hands every setting to what it is for; a port that was asked for beats that of the file.
    #[expect(
        clippy::too_many_lines,
        reason = "a line for each setting: one that is forgotten does not compile"
    )]
    pub(crate) fn of(file: EngineSettings, port: Option<u16>) -> Self {
        let EngineSettings {
            address,
            port: file_port,
            url,
            proxies,
            tls,
            data_folder,
            key_file,
            store,
            kind,
            location,
            heartbeat_millis,
            silence_millis,
            grace_millis,
            log_window_bytes,
            test_timeout_millis,
            hook_timeout_millis,
            hook_grace_millis,
            outbox,
            mail_timeout_millis,
            mail_ca,
            mail_compare,
            roots,
            retention,
            health,
            limits:
                EngineLimits {
                    project_bytes,
                    upload_bytes,
                    log_bytes,
                    hook_output_bytes,
                    browsers,
                    browsers_each,
                    eps,
                    login_attempts,
                },
        } = file;
        let scheduler = Limits {
            silence_millis,
            grace_millis,
            test_timeout_millis,
            script_timeout_millis: hook_timeout_millis,
            script_output_bytes: hook_output_bytes.min(limits::EP_SCRIPT_OUTPUT_BYTES_MAX),
            ..Limits::default()
        };
        Self {
            listen: Listen { address, port: port.unwrap_or(file_port), url, plain: tls.plain },
            data: Data { folder: data_folder, key: key_file, store, log_bytes },
            link: LinkSettings { heartbeat_millis, silence_millis, log_window_bytes, eps },
            scheduler,
            jobs: JobSettings {
                outbox,
                mail_timeout: Duration::from_millis(mail_timeout_millis),
                believed: mail_ca.map_or(Trust::Machine, Trust::File),
                compare: mail_compare,
                hook_timeout: Duration::from_millis(hook_timeout_millis),
                hook_grace: Duration::from_millis(hook_grace_millis),
                hook_output_bytes,
            },
            retention,
            health,
            served: Served {
                project_bytes,
                upload_bytes,
                browsers,
                browsers_each,
                login_attempts,
                is_met_directly: proxies.is_empty() && !tls.plain,
                proxies: Proxies::new(proxies),
            },
            server: Server { kind, location },
            tls,
            roots,
        }
    }
}

impl Listen {
    /// How others reach the engine: as the lab says, else by this host's name, where others can reach it at all.
    pub(crate) fn url(&self, bound: SocketAddr, hostname: &str) -> String {
        let scheme = if bound.ip().is_loopback() || self.plain { "http" } else { "https" };
        match &self.url {
            Some(url) => url.trim_end_matches('/').to_owned(),
            None if bound.ip().is_unspecified() => format!("{scheme}://{hostname}:{}", bound.port()),
            None => format!("{scheme}://{bound}"),
        }
    }

    /// The address that works on this machine, for whoever starts the engine.
    pub(crate) fn here(&self, bound: SocketAddr) -> String {
        match (&self.url, bound.ip()) {
            (Some(url), _) => url.trim_end_matches('/').to_owned(),
            (None, ip) if ip.is_unspecified() => format!("http://127.0.0.1:{}", bound.port()),
            (None, ip) if ip.is_loopback() || self.plain => format!("http://{bound}"),
            (None, _) => format!("https://{bound}"),
        }
    }

    /// What whoever starts the engine should know of who else can reach it, and how.
    pub(crate) fn notice(&self, bound: SocketAddr, hostname: &str) -> Option<String> {
        let ip = bound.ip();
        if ip.is_loopback() {
            return None;
        }
        if !self.plain {
            return Some(format!("others reach it at {}, by TLS alone", self.url(bound, hostname)));
        }
        let address =
            if ip.is_unspecified() { "every address of this machine".to_owned() } else { ip.to_string() };
        Some(format!(
            "it answers plain HTTP to others, on {address}, as `[tls] plain` says: passwords and tokens can be read on the way; \
             use it in a network you trust, or behind a proxy that speaks TLS"
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listen(url: Option<&str>, plain: bool) -> Listen {
        Listen { address: String::new(), port: 0, url: url.map(str::to_owned), plain }
    }

    #[test]
    fn the_address_that_is_told_is_one_that_works() {
        for (url, bound, plain, others, here) in [
            (None, "127.0.0.1:8123", false, "http://127.0.0.1:8123", "http://127.0.0.1:8123"),
            (None, "0.0.0.0:8123", false, "https://bench:8123", "http://127.0.0.1:8123"),
            (None, "0.0.0.0:8123", true, "http://bench:8123", "http://127.0.0.1:8123"),
            (None, "[::]:8123", false, "https://bench:8123", "http://127.0.0.1:8123"),
            (None, "[::1]:8123", false, "http://[::1]:8123", "http://[::1]:8123"),
            (None, "192.0.2.1:8123", false, "https://192.0.2.1:8123", "https://192.0.2.1:8123"),
            (None, "[2001:db8::1]:8123", true, "http://[2001:db8::1]:8123", "http://[2001:db8::1]:8123"),
            (Some("https://lab/"), "0.0.0.0:1", false, "https://lab", "https://lab"),
        ] {
            let (listen, bound) = (listen(url, plain), bound.parse().unwrap());
            assert_eq!(
                (&*listen.url(bound, "bench"), &*listen.here(bound)),
                (others, here),
                "{url:?} {bound}"
            );
        }
    }

    #[test]
    fn who_listens_for_others_is_told_how_they_reach_it() {
        for plain in [false, true] {
            assert_eq!(listen(None, plain).notice("127.0.0.1:8000".parse().unwrap(), "bench"), None);
            assert_eq!(listen(None, plain).notice("[::1]:8000".parse().unwrap(), "bench"), None);
        }
        for address in ["0.0.0.0:8000", "[::]:8000", "192.0.2.1:8000"] {
            let told = |plain| listen(None, plain).notice(address.parse().unwrap(), "bench").unwrap();
            assert!(
                told(false).contains("https://") && told(false).ends_with("by TLS alone"),
                "{}",
                told(false)
            );
            assert!(told(true).contains("plain HTTP to others"), "{}", told(true));
        }
    }
}
