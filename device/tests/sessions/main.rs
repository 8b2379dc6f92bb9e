//! Sessions with devices: simulated ones, and the system's own telnet and SSH servers.
#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]
#![expect(clippy::indexing_slicing, reason = "what a test itself wrote is there")]
#![expect(clippy::print_stderr, reason = "a peer that is not installed must be seen in the output")]

/// Makes a test of each function, with each of the libraries that speak SSH.
macro_rules! with_both_libraries {
    ($($name:ident),+ $(,)?) => {
        $(mod $name {
            #[tokio::test]
            async fn russh() {
                super::$name("russh").await;
            }

            #[tokio::test]
            async fn libssh2() {
                super::$name("libssh2").await;
            }
        })+
    };
}

mod ahead;
mod beside_steps;
mod boot;
mod breaks;
mod connecting;
mod echoes;
mod faults;
mod file_server;
mod files;
mod kinds;
mod late;
mod logins;
mod openssh;
mod outputs;
mod pauses;
mod peers;
mod profiles;
mod prompts;
mod replacing;
mod replay;
mod reports;
#[expect(clippy::indexing_slicing, reason = "a line that is not there has failed the test")]
mod screens;
mod secret_steps;
mod serial;
mod shells;
mod simulated;
mod steps;

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    time::Duration,
};

use jackfield_config::simulated::DeviceModel;
use jackfield_device::{
    session::{Session, SessionError, SessionSettings},
    simulate::{Listen, Running, serve},
    target::SessionTarget,
};
use serde_json::{Value, json};

/// Long enough for a slow machine; no test waits for it to pass.
const LONG: Duration = Duration::from_secs(20);

fn model(name: &str) -> DeviceModel {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../examples/lab-model/{name}.toml"));
    let text = std::fs::read_to_string(&path).unwrap();
    DeviceModel::parse(name, &text).unwrap_or_else(|problems| panic!("{problems:#?}"))
}

async fn device(name: &str) -> Running {
    serve(model(name), Listen::default()).await.unwrap()
}

/// Settings with a folder of their own.
fn settings() -> (tempfile::TempDir, SessionSettings) {
    let folder = tempfile::tempdir().unwrap();
    let mut settings = SessionSettings::new(folder.path().join("known_hosts"));
    // Peers on the same machine say what they say in one piece.
    settings.settle = Some(Duration::from_millis(30));
    (folder, settings)
}

/// Every way to a simulated device.
const WAYS: [&str; 3] = ["telnet", "russh", "libssh2"];

/// The properties of a simulated device on one of the ways.
fn properties(device: &Running, way: &str) -> BTreeMap<String, Value> {
    if way == "telnet" {
        return device.properties(way);
    }
    let mut properties = device.properties("ssh");
    properties.insert("ssh_backend".to_owned(), way.into());
    properties
}

/// A target of properties with more over them.
fn target(properties: impl IntoIterator<Item = (String, Value)>, more: Value) -> SessionTarget {
    let mut all: BTreeMap<String, Value> = properties.into_iter().collect();
    all.extend(more.as_object().unwrap().clone());
    SessionTarget::from_properties(&all).unwrap()
}

async fn open(target: SessionTarget) -> Result<Session, SessionError> {
    let (_folder, settings) = settings();
    Session::open(target, &settings, LONG, Vec::new()).await
}

/// A session with the simulated router, at its highest level.
async fn router_session(router: &Running, way: &str) -> Session {
    let more = json!({"profile": "ios", "level": "privileged", "enable_password": "lab-enable"});
    open(target(properties(router, way), more)).await.unwrap()
}

fn scratch(folder: &tempfile::TempDir, name: &str) -> PathBuf {
    folder.path().join(name)
}
