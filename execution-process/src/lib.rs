//! The daemon on a lab workstation.
//!
//! It dials out to the engine, takes tests ahead of time, runs them one by one on each of its lanes, and reports what
//! came of them, whatever dies on the way.

mod account;
mod cgroup;
mod settings;

mod clock;
mod host;
mod identity;

mod job_table;

mod log_spool;
mod spool;

mod blobs;
mod library;
mod limits;
mod outbox;
mod report_size;
mod sdk;
mod work_folder;

mod capture;
mod packet_capture;
mod process;
mod results;
mod runner;
mod sessions;
mod templates;

mod console;
mod modules;
mod power;

mod attempt;
mod cleanup;

mod daemon;
mod event;
mod script;
mod station;

mod link;
mod log_pump;
mod trust;

mod local_api;
pub mod local_client;

mod house;

pub use sdk::unpack as unpack_sdks;
pub use settings::{Settings, cgroup_missing, users_of_tests};
use tokio_util::sync::CancellationToken;

/// Why an EP cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum EpError {
    /// Its work folder cannot be used.
    #[error("work folder `{path}` cannot be used; make it writable or name another in ep.toml")]
    WorkFolder {
        /// The folder.
        path: std::path::PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Another EP uses the folder.
    #[error("work folder `{0}` is in use by another execution process; give each its own")]
    WorkFolderInUse(std::path::PathBuf),
    /// It was given no token.
    #[error(
        "there is no token; make one with `jackfield token create NAME --scope ep` and set token or token_file in ep.toml"
    )]
    NoToken,
    /// The file with its token cannot be read.
    #[error("token file `{path}` cannot be read")]
    TokenFile {
        /// The file.
        path: std::path::PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file with the authorities to trust cannot be used.
    #[error("{0}; it is the `ca` of ep.toml, or what SSL_CERT_FILE names")]
    Authority(#[from] jackfield_tls::TrustError),
    /// What the engine must show cannot be read.
    #[error("`fingerprint` of ep.toml: {0}")]
    Fingerprint(#[from] jackfield_tls::FingerprintError),
    /// Two things say whom to believe.
    #[error("ep.toml has both `ca` and `fingerprint`; keep the one that says whom to believe")]
    TrustTwice,
    /// Others could read what it says.
    #[error(
        "{engine} can be read by others on the way, and its engine speaks TLS: write `engine = \"{tls}\"` in ep.toml"
    )]
    Readable {
        /// The address as it is.
        engine: String,
        /// The same with TLS.
        tls: String,
    },
    /// The other end is not known as the engine.
    #[error("{refused}{}", stranger(.refused))]
    Stranger {
        /// Why not.
        refused: jackfield_tls::Refused,
    },
    /// The engine answers plain HTTP with a word about TLS.
    #[error("the engine speaks TLS there: write https:// instead of http:// in `engine` of ep.toml")]
    SpeaksTls,
    /// Tests cannot run as the users that they are to run as.
    #[error("`run_as` of ep.toml: {0}")]
    RunAs(String),
    /// Tests cannot have the control groups that are required.
    #[error(
        "{0}; or write use = \"try\" into [cgroup] of ep.toml, and the EP starts without what it cannot have"
    )]
    Cgroup(String),
    /// The engine's address cannot be read.
    #[error("engine address `{0}` is not one such as http://engine:8000")]
    EngineAddress(String),
    /// The engine does not want it.
    #[error("the engine refused this execution process: {0}")]
    Refused(jackfield_protocol::error::Problem),
}

impl EpError {
    /// Whether only a person can mend it. A clock that is wrong at the start is often set a moment later.
    fn stays(&self) -> bool {
        use jackfield_tls::Refused;
        !matches!(
            self,
            Self::Stranger { refused: Refused::Expired { .. } | Refused::Early { .. } | Refused::Broken(_) }
        )
    }
}

/// What to do on an EP about an engine that is not known.
fn stranger(refused: &jackfield_tls::Refused) -> &'static str {
    use jackfield_tls::Refused;
    match refused {
        Refused::Unknown { .. } => {
            "; if they are the same, set it as `fingerprint` in ep.toml, or use a token that this engine made by https"
        }
        Refused::Changed { .. } => "; if that is the new one, make another token there for this EP",
        Refused::Expired { .. } | Refused::Early { .. } | Refused::Name { .. } | Refused::Broken(_) => "",
    }
}

/// Runs an EP until `shutdown` is cancelled: running tests are then ended, reported, and the engine is told goodbye.
///
/// # Errors
/// Only what no retry can mend: a folder that cannot be used, a token the engine refuses.
pub async fn run(settings: Settings, shutdown: CancellationToken) -> Result<(), EpError> {
    let house = house::House::open(&settings)?;
    house.run(settings, shutdown).await
}
