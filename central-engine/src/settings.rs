//! The settings of `engine.toml`, each handed to the part of the engine that it is for.
//!
//! They are taken apart here without `..`, into parts whose fields are private to this crate: a setting that is read from
//! the file and used by nobody does not compile.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use jackfield_config::{
    EngineSettings,
    engine::{EngineLimits, Retention, ServerKind},
};
use jackfield_scheduler::Limits;

use jackfield_protocol::secret::Secret;

use crate::{auth::Proxies, limits};

/// All of it, by what it is for.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) listen: Listen,
    pub(crate) data: Data,
    pub(crate) link: LinkSettings,
    pub(crate) scheduler: Limits,
    pub(crate) jobs: JobSettings,
    /// Which old runs go by themselves.
    pub(crate) retention: Retention,
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
    pub(crate) login_attempts: u64,
    /// Whose word counts about who asks.
    pub(crate) proxies: Proxies,
}

/// What the engine is, for accounts and for reports.
#[derive(Clone, Debug)]
pub(crate) struct Server {
    pub(crate) kind: ServerKind,
    pub(crate) location: String,
}

impl Settings {
    /// Hands every setting to what it is for; a port that was asked for beats that of the file.
    pub(crate) fn of(file: EngineSettings, port: Option<u16>) -> Self {
        let EngineSettings {
            address,
            port: file_port,
            url,
            proxies,
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
            roots,
            retention,
            limits:
                EngineLimits {
                    project_bytes,
                    upload_bytes,
                    log_bytes,
                    hook_output_bytes,
                    browsers,
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
        let jobs = JobSettings {
            outbox,
            mail_timeout: Duration::from_millis(mail_timeout_millis),
            hook_timeout: Duration::from_millis(hook_timeout_millis),
            hook_grace: Duration::from_millis(hook_grace_millis),
            hook_output_bytes,
        };
        Self {
            listen: Listen { address, port: port.unwrap_or(file_port), url },
            data: Data { folder: data_folder, key: key_file, store, log_bytes },
            link: LinkSettings { heartbeat_millis, silence_millis, log_window_bytes, eps },
            scheduler,
            jobs,
            retention,
            served: Served {
                project_bytes,
                upload_bytes,
                browsers,
                login_attempts,
                proxies: Proxies::new(proxies),
            },
            server: Server { kind, location },
            roots,
        }
    }
}

impl Listen {
    /// How others reach the engine: as the lab says, else by this host's name, where others can reach it at all.
    pub(crate) fn url(&self, bound: SocketAddr, hostname: &str) -> String {
        match &self.url {
            Some(url) => url.trim_end_matches('/').to_owned(),
            None if bound.ip().is_unspecified() => format!("http://{hostname}:{}", bound.port()),
            None => format!("http://{bound}"),
        }
    }

    /// What whoever starts the engine should know of who else can reach it.
    pub(crate) fn notice(bound: SocketAddr) -> Option<String> {
        let ip = bound.ip();
        if ip.is_loopback() {
            return None;
        }
        let address =
            if ip.is_unspecified() { "every address of this machine".to_owned() } else { ip.to_string() };
        Some(format!(
            "it speaks plain HTTP and is reachable by others, on {address}: passwords and tokens can be read on the way; \
             use it in a network you trust, or behind a proxy that speaks TLS (`listen.address` of engine.toml)"
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_that_is_told_is_one_that_works() {
        let listen =
            |url: Option<&str>| Listen { address: String::new(), port: 0, url: url.map(str::to_owned) };
        let bound = |text: &str| text.parse::<SocketAddr>().unwrap();
        assert_eq!(listen(None).url(bound("127.0.0.1:8123"), "bench"), "http://127.0.0.1:8123");
        assert_eq!(listen(None).url(bound("0.0.0.0:8123"), "bench"), "http://bench:8123");
        assert_eq!(listen(None).url(bound("[::1]:8123"), "bench"), "http://[::1]:8123");
        assert_eq!(listen(Some("https://lab/")).url(bound("0.0.0.0:1"), "bench"), "https://lab");
    }

    #[test]
    fn who_listens_for_others_is_told_that_they_can_read_along() {
        assert_eq!(Listen::notice("127.0.0.1:8000".parse().unwrap()), None);
        assert_eq!(Listen::notice("[::1]:8000".parse().unwrap()), None);
        for address in ["0.0.0.0:8000", "[::]:8000", "192.0.2.1:8000"] {
            let told = Listen::notice(address.parse().unwrap()).unwrap();
            assert!(told.contains("plain HTTP and is reachable by others"), "{told}");
        }
    }
}
