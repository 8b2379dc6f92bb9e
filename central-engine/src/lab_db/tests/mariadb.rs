//! A MariaDB of our own in a temporary folder, started once for all tests. It belongs to a shell that waits for the end of our
//! process and then removes everything, however the process ends.

use std::{
    io::{BufRead as _, BufReader},
    process::{Child, Command, Stdio},
    sync::{
        Mutex, OnceLock,
        atomic::{AtomicU64, Ordering},
    },
};

use sqlx::{AssertSqlSafe, Connection as _, Executor as _};

const SERVER: &str = include_str!("../../../../tests/harness/mariadb.sh");

/// The address of a new database; none only where someone said that there is no MariaDB.
pub(crate) async fn database() -> Option<String> {
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    let socket = server()?;
    let name = format!("test_{}", NUMBER.fetch_add(1, Ordering::Relaxed));
    let url = |name: &str| format!("mysql://root@localhost/{name}?socket={socket}");
    let mut admin = sqlx::MySqlConnection::connect(&url("mysql")).await.unwrap();
    admin.execute(AssertSqlSafe(format!("CREATE DATABASE {name}"))).await.unwrap();
    Some(url(&name))
}

fn server() -> Option<&'static str> {
    static SOCKET: OnceLock<Option<String>> = OnceLock::new();
    static SHELL: Mutex<Option<Child>> = Mutex::new(None);
    let socket = SOCKET.get_or_init(|| {
        #[expect(clippy::disallowed_methods, reason = "how a person says that MariaDB is not installed")]
        let without = std::env::var("JACKFIELD_WITHOUT").unwrap_or_default();
        if without.split(',').any(|what| what == "mariadb") {
            eprintln!("NOT TESTED on MariaDB: JACKFIELD_WITHOUT says that it is not there");
            return None;
        }
        let mut command = Command::new("sh");
        command.arg("-c").arg(SERVER).stdin(Stdio::piped()).stdout(Stdio::piped()).current_dir("/");
        let mut shell = command.spawn().expect("a shell that starts MariaDB");
        let mut line = String::new();
        let stdout = shell.stdout.take().unwrap();
        BufReader::new(stdout).read_line(&mut line).unwrap();
        let hint =
            "MariaDB did not start; `cargo xtask setup` installs it, JACKFIELD_WITHOUT=mariadb leaves it out";
        assert!(!line.trim().is_empty(), "{hint}");
        // Its standard input stays open until this process ends.
        *SHELL.lock().unwrap() = Some(shell);
        Some(line.trim().to_owned())
    });
    socket.as_deref()
}
