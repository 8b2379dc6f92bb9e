//! The three databases of the measures. What they cost themselves is not ours: none of them waits for its disk, so that a loop which does
//! little is a floor that is hard to reach.

use std::{
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
};

use anyhow::{Context, Result, bail};

use crate::bench::lab::now;

/// How they are started, as in the engine's tests; a server lives as long as the shell's standard input is open, however we end.
const MARIADB: &str = include_str!("../../../../tests/harness/mariadb.sh");
const POSTGRES: &str = include_str!("../../../../tests/harness/postgres.sh");

/// Which database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    MariaDb,
    Postgres,
    Sqlite,
}

impl Kind {
    pub(super) const ALL: [Self; 3] = [Self::MariaDb, Self::Postgres, Self::Sqlite];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::MariaDb => "MariaDB",
            Self::Postgres => "PostgreSQL",
            Self::Sqlite => "SQLite",
        }
    }
}

/// A database that lives as long as the measure.
pub(super) struct Server {
    pub(super) kind: Kind,
    /// Its socket's file or folder, or the database file.
    place: String,
    shell: Option<Child>,
}

impl Server {
    /// Starts it; `folder` is where a file is put.
    pub(super) fn start(kind: Kind, folder: &Path) -> Result<Self> {
        let mut command = match kind {
            Kind::Sqlite => {
                let place = folder.join("lab.db").display().to_string();
                return Ok(Self { kind, place, shell: None });
            }
            Kind::MariaDb => shell("sh", &["-c", MARIADB, "mariadb", "--innodb-buffer-pool-size=1G"]),
            // It does not run as root.
            Kind::Postgres => shell(
                "runuser",
                &["-u", "postgres", "--", "sh", "-c", POSTGRES, "postgres", "-c", "shared_buffers=512MB"],
            ),
        };
        let mut shell = command.spawn().with_context(|| format!("starting {}", kind.name()))?;
        let mut place = String::new();
        BufReader::new(shell.stdout.take().context("a pipe")?).read_line(&mut place)?;
        let place = place.trim().to_owned();
        if place.is_empty() {
            bail!("{} did not start; `cargo xtask setup` installs it", kind.name());
        }
        Ok(Self { kind, place, shell: Some(shell) })
    }

    /// For `db.xml`, and for a bare loop.
    pub(super) fn url(&self) -> String {
        let place = &self.place;
        match self.kind {
            Kind::MariaDb => format!("mysql://root@localhost/lab?socket={place}"),
            Kind::Postgres => format!("postgres://postgres@localhost/lab?host={place}"),
            Kind::Sqlite => format!("sqlite://{place}"),
        }
    }

    /// Its own client, which prints the rows of a query as fast as it can; none where the measures know of none.
    pub(super) fn client(&self, sql: &str) -> Option<Command> {
        let mut command = match self.kind {
            Kind::MariaDb => {
                let mut command = Command::new("mariadb");
                command.args(["--no-defaults", "--user=root", "--batch", "--quick"]);
                command.arg(format!("--socket={}", self.place)).args(["lab", "-e", sql]);
                command
            }
            Kind::Postgres => {
                let mut command = Command::new("psql");
                command.args(["-X", "-q", "-h", &self.place, "-U", "postgres", "-d", "lab", "-c", sql]);
                command
            }
            Kind::Sqlite => return None,
        };
        command.stdin(Stdio::null()).stdout(Stdio::null());
        Some(command)
    }

    /// Has it do something that is not measured.
    pub(super) fn execute(&self, sql: &str) -> Result<()> {
        let Some(mut client) = self.client(sql) else { return self.execute_in_file(sql) };
        let output = client.stderr(Stdio::piped()).output()?;
        if !output.status.success() {
            bail!("{}: {sql}: {}", self.kind.name(), String::from_utf8_lossy(&output.stderr));
        }
        Ok(())
    }

    fn execute_in_file(&self, sql: &str) -> Result<()> {
        const SCRIPT: &str = "import sqlite3, sys\nlab = sqlite3.connect(sys.argv[1])\nlab.execute('PRAGMA journal_mode = WAL')\nlab.execute(sys.argv[2])\nlab.commit()\n";
        let output = Command::new("python3").args(["-c", SCRIPT, &self.place, sql]).output()?;
        if !output.status.success() {
            bail!("SQLite: {sql}: {}", String::from_utf8_lossy(&output.stderr));
        }
        Ok(())
    }

    /// Seconds that its own client takes for a query beyond being started.
    pub(super) fn seconds(&self, sql: &str) -> Result<Option<f64>> {
        let Some(whole) = self.timed(sql)? else { return Ok(None) };
        let start = self.timed("SELECT 1")?.unwrap_or_default();
        Ok(Some((whole - start).max(0.0)))
    }

    fn timed(&self, sql: &str) -> Result<Option<f64>> {
        let Some(mut client) = self.client(sql) else { return Ok(None) };
        let begin = now();
        let status = client.status()?;
        let seconds = begin.elapsed().as_secs_f64();
        if !status.success() {
            bail!("{client:?} ended with {status}");
        }
        Ok(Some(seconds))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(shell) = &mut self.shell {
            drop(shell.stdin.take());
            drop(shell.wait());
        }
    }
}

fn shell(program: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).current_dir("/");
    command
}
