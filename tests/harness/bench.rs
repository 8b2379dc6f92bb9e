//! An engine, EPs and a lab folder, to be started, killed and started again.

use std::{
    collections::BTreeMap,
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use anyhow::{Context, Result, bail};
use jackfield_protocol::api::{EpRow, EpState, Page};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{
    api::Api,
    full_disk::SmallDisk,
    process::{Process, jackfield},
    wait,
};

/// Debian's `libfaketime`.
const FAKE_CLOCK: &str = "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1";

/// A lab that lives as long as the test.
pub struct Bench {
    disk: Option<SmallDisk>,
    folder: TempDir,
    settings: String,
    engine: Option<Process>,
    eps: BTreeMap<String, Process>,
    /// What sets the clock of the engine's next start.
    clock: Option<PathBuf>,
    /// The engine's interface, logged in.
    pub api: Api,
    /// The SHA-256 of the engine's authority, as it says it.
    pub fingerprint: String,
    /// The administrator's password.
    pub admin_password: String,
}

/// What an engine writes when it is ready (`jackfield engine --ready FILE`).
#[derive(serde::Deserialize)]
struct Ready {
    url: String,
    #[serde(default)]
    admin_password: Option<String>,
    fingerprint: String,
}

impl Bench {
    /// An engine in an empty lab folder, with these lines in its `engine.toml`.
    ///
    /// # Errors
    /// It does not come up.
    pub fn start(settings: &str) -> Result<Self> {
        let mut bench = Self::empty(settings)?;
        bench.start_engine()?;
        Ok(bench)
    }

    /// An engine in a lab folder that is prepared first: filled with a Twister home, or put on a disk of its own.
    ///
    /// # Errors
    /// It does not come up.
    pub fn start_in(
        settings: &str,
        prepare: impl FnOnce(&Self) -> Result<Option<SmallDisk>>,
    ) -> Result<Self> {
        let mut bench = Self::empty(settings)?;
        bench.disk = prepare(&bench)?;
        bench.start_engine()?;
        Ok(bench)
    }

    /// The disk that the lab was put on.
    ///
    /// # Panics
    /// It has none.
    pub fn disk(&self) -> &SmallDisk {
        self.disk.as_ref().expect("the bench was started on a disk of its own")
    }

    /// What an EP printed so far.
    pub fn ep_log(&self, name: &str) -> String {
        fs::read_to_string(self.folder.path().join(format!("log/{name}.log"))).unwrap_or_default()
    }

    fn empty(settings: &str) -> Result<Self> {
        let folder = TempDir::with_prefix("jackfield-bench-")?;
        fs::create_dir_all(folder.path().join("lab"))?;
        fs::create_dir_all(folder.path().join("log"))?;
        let api = Api::new("http://127.0.0.1:1");
        Ok(Self {
            disk: None,
            folder,
            settings: settings.to_owned(),
            engine: None,
            eps: BTreeMap::new(),
            clock: None,
            api,
            fingerprint: String::new(),
            admin_password: String::new(),
        })
    }

    /// The lab folder.
    pub fn lab(&self) -> PathBuf {
        self.folder.path().join("lab")
    }

    /// A folder for the test's own files.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Writes a file of the lab folder; one below `tests/` becomes executable.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn write(&self, path: &str, text: &str) -> Result<()> {
        use std::os::unix::fs::PermissionsExt;
        let file = self.lab().join(path);
        fs::create_dir_all(file.parent().context("a file has a folder")?)?;
        fs::write(&file, text)?;
        fs::set_permissions(&file, fs::Permissions::from_mode(0o755))?;
        Ok(())
    }

    /// Starts the engine, on the port it had before where there was one.
    ///
    /// # Errors
    /// It does not come up.
    pub fn start_engine(&mut self) -> Result<()> {
        let port = self.api.url.rsplit(':').next().filter(|port| *port != "1").unwrap_or("0").to_owned();
        let address = if self.settings.contains("address =") { "" } else { "address = \"127.0.0.1\"\n" };
        let toml = format!("[listen]\n{address}port = {port}\n{}", self.settings);
        fs::write(self.lab().join("engine.toml"), toml)?;
        let ready_file = self.folder.path().join("ready.json");
        drop(fs::remove_file(&ready_file));
        let mut command = Command::new(jackfield());
        command.arg("engine").arg("--lab").arg(self.lab()).arg("--ready").arg(&ready_file);
        command.env("JACKFIELD_LOG", "info");
        if let Some(clock) = &self.clock {
            command.env("LD_PRELOAD", FAKE_CLOCK).env("FAKETIME_TIMESTAMP_FILE", clock);
            command.env("FAKETIME_NO_CACHE", "1").env("FAKETIME_DONT_FAKE_MONOTONIC", "1");
        }
        let log = self.folder.path().join("log/engine.log");
        let mut engine = Process::start("the engine", &mut command, &log)?;
        let ready = wait::until(Duration::from_secs(30), "the engine to be ready", || {
            if let Some(status) = engine.ended() {
                bail!("the engine ended with {status}; it printed:\n{}", engine.output());
            }
            Ok(fs::read(&ready_file).ok().and_then(|text| serde_json::from_slice::<Ready>(&text).ok()))
        })?;
        self.engine = Some(engine);
        self.api.url = ready.url;
        self.fingerprint = ready.fingerprint;
        if self.api.token.is_empty() {
            let password = ready.admin_password.context("a first start makes an administrator's password")?;
            self.admin_password.clone_from(&password);
            let login = json!({"user": "admin", "password": password, "token": "test"});
            let made: Value = self.api.post("/login", &login)?;
            token_in(&made)?.clone_into(&mut self.api.token);
        }
        Ok(())
    }

    /// From its next start on, the engine's wall clock is as far off as this file says (`+2h`); its steady clock is right.
    pub fn set_clock_by(&mut self, file: &Path) {
        self.clock = Some(file.to_owned());
    }

    /// `kill -9`.
    pub fn kill_engine(&mut self) {
        if let Some(mut engine) = self.engine.take() {
            engine.kill();
        }
    }

    /// The engine's process.
    pub fn engine(&mut self) -> &mut Process {
        self.engine.as_mut().expect("the engine was started")
    }

    /// What the engine printed so far.
    pub fn engine_log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log/engine.log")).unwrap_or_default()
    }

    /// Starts an EP and waits until the engine knows it; with these lines in its `ep.toml`.
    ///
    /// # Errors
    /// It does not come up.
    pub fn start_ep(&mut self, name: &str, settings: &str) -> Result<()> {
        self.launch_ep(name, settings)?;
        self.wait_for_ep(name, |state| state != EpState::Offline)
    }

    /// Starts an EP and does not wait.
    ///
    /// # Errors
    /// It cannot be started.
    pub fn launch_ep(&mut self, name: &str, settings: &str) -> Result<()> {
        self.launch_ep_with(name, settings, |_| Ok(Command::new(jackfield())))
    }

    /// The same, by a command that starts `jackfield` in a way of its own, once the folder of the EP is there.
    ///
    /// # Errors
    /// It cannot be started.
    pub fn launch_ep_with(
        &mut self,
        name: &str,
        settings: &str,
        command: impl FnOnce(&Path) -> Result<Command>,
    ) -> Result<()> {
        let folder = self.folder.path().join("eps").join(name);
        fs::create_dir_all(&folder)?;
        let file = folder.join("ep.toml");
        if !file.is_file() {
            let made: Value =
                self.api.post("/tokens", &json!({"name": name, "scope": "ep", "days": 1, "join": true}))?;
            let token = token_in(&made)?;
            let work = folder.join("work");
            let engine = if settings.contains("engine =") {
                String::new()
            } else {
                format!("engine = {:?}\n", self.api.url)
            };
            let work = if settings.contains("work =") { String::new() } else { format!("work = {work:?}\n") };
            let toml = format!("name = {name:?}\n{engine}token = {token:?}\n{work}{settings}");
            fs::write(&file, toml)?;
        }
        let mut command = command(&folder)?;
        command.arg("ep").arg("--config").arg(&file).env("JACKFIELD_LOG", "info");
        let log = self.folder.path().join(format!("log/{name}.log"));
        self.eps.insert(name.to_owned(), Process::start(name, &mut command, &log)?);
        Ok(())
    }

    /// Waits until the engine sees an EP so.
    ///
    /// # Errors
    /// It does not, in time.
    pub fn wait_for_ep(&self, name: &str, wanted: impl Fn(EpState) -> bool) -> Result<()> {
        let log = self.folder.path().join(format!("log/{name}.log"));
        wait::until(Duration::from_secs(60), &format!("EP {name}"), || {
            let page: Page<EpRow> = self.api.get("/eps")?;
            Ok(page.items.iter().find(|ep| ep.name.as_str() == name && wanted(ep.state)).map(|_| ()))
        })
        .with_context(|| fs::read_to_string(log).unwrap_or_default())
    }

    /// An EP's process.
    pub fn ep(&mut self, name: &str) -> &mut Process {
        self.eps.get_mut(name).expect("the EP was started")
    }

    /// `kill -9`.
    pub fn kill_ep(&mut self, name: &str) {
        if let Some(mut ep) = self.eps.remove(name) {
            ep.kill();
        }
    }

    /// Runs a `jackfield` command against the engine; status and output.
    ///
    /// # Errors
    /// It cannot be started.
    pub fn jackfield(&self, arguments: &[&str]) -> Result<std::process::Output> {
        let output = Command::new(jackfield())
            .args(arguments)
            .env("JACKFIELD_ENGINE", &self.api.url)
            .env("JACKFIELD_API_TOKEN", &self.api.token)
            .output()?;
        Ok(output)
    }

    /// The engine's address with TLS, on this machine.
    pub fn https(&self) -> String {
        self.api.url.replacen("http://", "https://", 1)
    }

    /// Where it listens.
    ///
    /// # Errors
    /// Its address is a name.
    pub fn address(&self) -> Result<SocketAddr> {
        let (_, address) = self.api.url.split_once("://").context("an address has a scheme")?;
        Ok(address.parse()?)
    }

    /// The token that an EP was given.
    ///
    /// # Errors
    /// There is no such EP.
    pub fn ep_token(&self, name: &str) -> Result<String> {
        let text = fs::read_to_string(self.folder.path().join("eps").join(name).join("ep.toml"))?;
        let line = text.lines().find_map(|line| line.strip_prefix("token = \"")).context("a token")?;
        Ok(line.trim_end_matches('"').to_owned())
    }
}

fn token_in(made: &Value) -> Result<&str> {
    made.get("token").and_then(Value::as_str).context("the answer holds no token")
}

impl Drop for Bench {
    #[expect(clippy::print_stderr, reason = "what the processes said helps whoever reads a failed test")]
    fn drop(&mut self) {
        if std::thread::panicking() {
            for entry in fs::read_dir(self.folder.path().join("log")).into_iter().flatten().flatten() {
                let text = fs::read_to_string(entry.path()).unwrap_or_default();
                let from = text.len().saturating_sub(6_000);
                let tail =
                    String::from_utf8_lossy(text.as_bytes().get(from..).unwrap_or_default()).into_owned();
                eprintln!("--- {} ---\n{tail}", entry.path().display());
            }
        }
        self.eps.clear();
        self.kill_engine();
        self.disk = None;
    }
}
