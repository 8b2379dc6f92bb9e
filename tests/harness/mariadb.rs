//! A MariaDB of the test's own, that can be frozen, killed and started again: the lab's database on a bad day.

use std::{
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use anyhow::{Context as _, Result, ensure};

use crate::{process::Process, wait};

/// See the module.
#[derive(Debug)]
pub struct MariaDb {
    folder: PathBuf,
    server: Option<Process>,
}

impl MariaDb {
    /// Makes a database `lab` in a folder and starts its server, with a file as its only address.
    ///
    /// # Errors
    /// It does not come up.
    pub fn start(folder: &Path) -> Result<Self> {
        let made = Command::new("mariadb-install-db")
            .args([
                "--no-defaults",
                "--user=root",
                "--auth-root-authentication-method=normal",
                "--skip-test-db",
            ])
            .arg(format!("--datadir={}", folder.join("data").display()))
            .output()
            .context("mariadb-install-db")?;
        ensure!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let mut database = Self { folder: folder.to_owned(), server: None };
        database.restart()?;
        database.query("mysql", "CREATE DATABASE lab")?;
        Ok(database)
    }

    /// For `db.xml`.
    pub fn url(&self) -> String {
        format!("mysql://root@localhost/lab?socket={}", self.socket().display())
    }

    /// Starts its server, where it does not run.
    ///
    /// # Errors
    /// It does not come up.
    pub fn restart(&mut self) -> Result<()> {
        let mut command = Command::new("/usr/sbin/mariadbd");
        command
            .args(["--no-defaults", "--user=root", "--skip-networking", "--skip-name-resolve"])
            .arg(format!("--datadir={}", self.folder.join("data").display()))
            .arg(format!("--socket={}", self.socket().display()));
        self.server = Some(Process::start("mariadbd", &mut command, &self.folder.join("mariadbd.log"))?);
        wait::until(Duration::from_secs(60), "MariaDB to come up", || {
            Ok(self.query("mysql", "SELECT 1").ok().map(drop))
        })
    }

    /// `kill -9`.
    pub fn kill(&mut self) {
        if let Some(mut server) = self.server.take() {
            server.kill();
        }
    }

    /// It stands still: connections stay, and nobody answers.
    pub fn freeze(&self) {
        self.signal(rustix::process::Signal::STOP);
    }

    /// It goes on, with all that was asked meanwhile.
    pub fn thaw(&self) {
        self.signal(rustix::process::Signal::CONT);
    }

    fn signal(&self, signal: rustix::process::Signal) {
        self.server.iter().for_each(|server| server.signal(signal));
    }

    fn socket(&self) -> PathBuf {
        self.folder.join("s")
    }

    /// What its own client prints, without headers.
    ///
    /// # Errors
    /// It is refused.
    pub fn query(&self, database: &str, sql: &str) -> Result<String> {
        let asked = Command::new("mariadb")
            .args(["--no-defaults", "--user=root", "--batch", "--skip-column-names"])
            .arg(format!("--socket={}", self.socket().display()))
            .args([database, "-e", sql])
            .output()?;
        ensure!(asked.status.success(), "{}", String::from_utf8_lossy(&asked.stderr));
        Ok(String::from_utf8_lossy(&asked.stdout).trim().to_owned())
    }
}
