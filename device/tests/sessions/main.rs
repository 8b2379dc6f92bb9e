//! Sessions with devices: simulated ones, and the system's own telnet and SSH servers.
#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]
#![expect(clippy::print_stderr, reason = "a peer that is not installed must be seen in the output")]

mod boot;
mod connecting;
mod faults;
mod files;
mod openssh;
mod peers;
mod profiles;
mod replay;
#[expect(clippy::indexing_slicing, reason = "a line that is not there has failed the test")]
mod screens;
mod serial;
mod simulated;
mod steps;

use std::{
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

/// A target of properties with more over them.
fn target(properties: impl IntoIterator<Item = (String, Value)>, more: Value) -> SessionTarget {
    let mut all: std::collections::BTreeMap<String, Value> = properties.into_iter().collect();
    all.extend(more.as_object().unwrap().clone());
    SessionTarget::from_properties(&all).unwrap()
}

async fn open(target: SessionTarget) -> Result<Session, SessionError> {
    let (_folder, settings) = settings();
    Session::open(target, &settings, LONG, Vec::new()).await
}

/// A session with the simulated router, at its highest level.
async fn router_session(router: &Running, protocol: &str) -> Session {
    let more = json!({"profile": "ios", "level": "privileged", "enable_password": "lab-enable"});
    open(target(router.properties(protocol), more)).await.unwrap()
}

fn scratch(folder: &tempfile::TempDir, name: &str) -> PathBuf {
    folder.path().join(name)
}
