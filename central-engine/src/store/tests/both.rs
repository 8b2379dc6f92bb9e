//! A store of each kind, empty, for each test.
//!
//! PostgreSQL is a cluster of our own in a temporary folder, on a Unix socket, started once for all tests. It belongs to
//! a shell that waits for the end of our process and then removes everything, however the process ends.

use std::{
    io::{BufRead as _, BufReader},
    process::{Child, Command, Stdio},
    sync::{
        Mutex, OnceLock,
        atomic::{AtomicU64, Ordering},
    },
};

use jackfield_protocol::time::Time;
use sqlx::{Connection as _, Executor as _};

use crate::store::Store;

const CLUSTER: &str = include_str!("../../../../tests/harness/postgres.sh");

/// A store, and what must live as long as it.
pub(super) struct Fresh {
    pub(super) store: Store,
    pub(super) url: String,
    _folder: tempfile::TempDir,
}

/// An empty SQLite store and an empty PostgreSQL store.
pub(super) async fn both() -> Vec<Fresh> {
    let mut stores = Vec::new();
    let folder = tempfile::tempdir().unwrap();
    let url = folder.path().join("engine.sqlite").to_str().unwrap().to_owned();
    stores.push(fresh(url, folder).await);
    if let Some(url) = postgres_database().await {
        stores.push(fresh(url, tempfile::tempdir().unwrap()).await);
    }
    stores
}

/// The address of a new database of PostgreSQL; none only where someone said that there is no PostgreSQL.
pub(crate) async fn postgres_database() -> Option<String> {
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    let socket = cluster()?;
    let name = format!("test_{}", NUMBER.fetch_add(1, Ordering::Relaxed));
    let url = |name: &str| format!("postgres://postgres@localhost/{name}?host={socket}");
    let mut admin = sqlx::PgConnection::connect(&url("postgres")).await.unwrap();
    admin.execute(sqlx::AssertSqlSafe(format!("CREATE DATABASE {name}"))).await.unwrap();
    Some(url(&name))
}

async fn fresh(url: String, folder: tempfile::TempDir) -> Fresh {
    let store = Store::open(&url, Time(1)).await.unwrap();
    Fresh { store, url, _folder: folder }
}

/// The folder of the cluster's socket; none only where someone said that there is no PostgreSQL.
fn cluster() -> Option<&'static str> {
    static SOCKET: OnceLock<Option<String>> = OnceLock::new();
    static SHELL: Mutex<Option<Child>> = Mutex::new(None);
    let socket = SOCKET.get_or_init(|| {
        #[expect(clippy::disallowed_methods, reason = "how a person says that PostgreSQL is not installed")]
        let without = std::env::var("JACKFIELD_WITHOUT").unwrap_or_default();
        if without.split(',').any(|what| what == "postgres") {
            eprintln!("NOT TESTED on PostgreSQL: JACKFIELD_WITHOUT says that it is not there");
            return None;
        }
        let mut command = if rustix::process::geteuid().is_root() {
            // PostgreSQL refuses to run as root.
            let mut command = Command::new("runuser");
            command.args(["-u", "postgres", "--", "sh"]);
            command
        } else {
            Command::new("sh")
        };
        command.args(["-c", CLUSTER, "postgres", "-c", "max_connections=200"]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).current_dir("/");
        let mut shell = command.spawn().expect("a shell that starts PostgreSQL");
        let mut line = String::new();
        let stdout = shell.stdout.take().unwrap();
        BufReader::new(stdout).read_line(&mut line).unwrap();
        let hint = "PostgreSQL did not start; `cargo xtask setup` installs it, JACKFIELD_WITHOUT=postgres leaves it out";
        assert!(!line.trim().is_empty(), "{hint}");
        // Its standard input stays open until this process ends.
        *SHELL.lock().unwrap() = Some(shell);
        Some(line.trim().to_owned())
    });
    socket.as_deref()
}
