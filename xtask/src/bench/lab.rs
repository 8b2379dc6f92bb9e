//! A lab to measure in: engine and EPs from the binary that is shipped, everything in one temporary folder.

use std::{
    fs,
    io::Write,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::command::root;

/// The binary that is shipped.
pub(crate) fn jackfield() -> PathBuf {
    root().join("target/dist/jackfield")
}

/// A lab that lives as long as the measure.
pub(crate) struct Lab {
    folder: PathBuf,
    url: String,
    token: String,
    engine: Child,
    eps: Vec<Child>,
}

impl Lab {
    /// An engine in an empty lab folder.
    pub(crate) fn start(name: &str) -> Result<Self> {
        Self::start_with(name, &[])
    }

    /// An engine in a lab folder with these files, by their paths in it.
    pub(crate) fn start_with(name: &str, files: &[(&str, String)]) -> Result<Self> {
        let folder = std::env::temp_dir().join(format!("jackfield-bench-{name}-{}", std::process::id()));
        fs::create_dir_all(folder.join("lab/tests"))?;
        fs::write(folder.join("lab/engine.toml"), "[listen]\naddress = \"127.0.0.1\"\nport = 0\n")?;
        for (path, text) in files {
            fs::write(folder.join("lab").join(path), text)?;
        }
        let engine = spawn_engine(&folder)?;
        let mut lab = Self { folder, url: String::new(), token: String::new(), engine, eps: Vec::new() };
        let said = lab.await_ready()?;
        lab.url = text_at(&said, "url")?;
        lab.log_in(&text_at(&said, "admin_password")?)?;
        Ok(lab)
    }

    /// What the engine says when it serves.
    fn await_ready(&self) -> Result<Value> {
        let ready = self.folder.join("ready.json");
        wait(Duration::from_secs(60), "the engine", || {
            fs::read(&ready).ok().and_then(|text| serde_json::from_slice(&text).ok())
        })
    }

    /// Kills the engine as a power cut would.
    pub(crate) fn kill(&mut self) -> Result<()> {
        self.engine.kill()?;
        self.engine.wait()?;
        fs::remove_file(self.folder.join("ready.json"))?;
        Ok(())
    }

    /// Starts it again, at another address; the answer is how many seconds it took until it served.
    pub(crate) fn start_again(&mut self) -> Result<f64> {
        let begin = now();
        self.engine = spawn_engine(&self.folder)?;
        let said = self.await_ready()?;
        let seconds = begin.elapsed().as_secs_f64();
        self.url = text_at(&said, "url")?;
        Ok(seconds)
    }

    /// Logs in as a person would, into a configuration folder of this lab's own.
    fn log_in(&mut self, password: &str) -> Result<()> {
        let mut login = self.command(&["login", "admin"]).stdin(Stdio::piped()).spawn()?;
        login.stdin.take().context("a pipe")?.write_all(password.as_bytes())?;
        if !login.wait()?.success() {
            bail!("cannot log in");
        }
        let kept = fs::read(self.folder.join("config/jackfield/tokens.json"))?;
        let kept: Value = serde_json::from_slice(&kept)?;
        self.token = text_at(&kept, &self.url)?;
        Ok(())
    }

    /// A `jackfield` command against this engine.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(jackfield());
        command.args(arguments).env("JACKFIELD_ENGINE", &self.url);
        command.env("XDG_CONFIG_HOME", self.folder.join("config"));
        command
    }

    /// Runs a command to its end; fails unless its exit code is the one wanted.
    pub(crate) fn run(&self, arguments: &[&str], wanted: i32) -> Result<Output> {
        let output = self.command(arguments).stdin(Stdio::null()).output()?;
        if output.status.code() != Some(wanted) {
            let (out, talk) =
                (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
            bail!("`jackfield {}` ended with {}:\n{out}{talk}", arguments.join(" "), output.status);
        }
        Ok(output)
    }

    /// Starts an EP and waits until the engine knows it; the answer is its process id.
    pub(crate) fn start_ep(&mut self, name: &str, settings: &str) -> Result<u32> {
        let made = self.run(&["token", "create", name, "--scope", "ep", "--days", "1"], 0)?;
        let token = String::from_utf8(made.stdout)?.trim().to_owned();
        let (config, work) = (self.folder.join(format!("{name}.toml")), self.folder.join(name));
        let engine =
            if settings.contains("engine =") { String::new() } else { format!("engine = {:?}\n", self.url) };
        fs::write(
            &config,
            format!("name = {name:?}\n{engine}token = {token:?}\nwork = {work:?}\n{settings}"),
        )?;
        // It holds the token, which the users of tests must not read.
        fs::set_permissions(&config, fs::Permissions::from_mode(0o600))?;
        let log = fs::File::create(self.folder.join(format!("{name}.log")))?;
        let mut command = Command::new(jackfield());
        command.arg("ep").arg("--config").arg(&config);
        let ep = command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log).spawn()?;
        let pid = ep.id();
        self.eps.push(ep);
        wait(Duration::from_secs(30), name, || {
            let eps = self.run(&["eps", "show", name, "--json"], 0).ok()?;
            let ep: Value = serde_json::from_slice(&eps.stdout).ok()?;
            (ep.get("state")? != "offline").then_some(())
        })?;
        Ok(pid)
    }

    /// What the engine answers to a `GET`.
    pub(crate) fn get(&self, path: &str) -> Result<Vec<u8>> {
        let request = ureq::get(format!("{}/api/v1{path}", self.url));
        let mut answer = request.header("Authorization", format!("Bearer {}", self.token)).call()?;
        Ok(answer.body_mut().with_config().limit(u64::MAX).read_to_vec()?)
    }

    /// The same as it comes, for what is large.
    pub(crate) fn stream(&self, path: &str) -> Result<impl std::io::Read + use<>> {
        let request = ureq::get(format!("{}/api/v1{path}", self.url));
        let answer = request.header("Authorization", format!("Bearer {}", self.token)).call()?;
        Ok(answer.into_body().into_reader())
    }

    /// The line of `ep.toml` for an EP that reaches the engine by TLS.
    pub(crate) fn by_tls(&self) -> String {
        format!("engine = {:?}\n", self.url.replacen("http://", "https://", 1))
    }

    /// The administrator's token.
    pub(crate) fn token(&self) -> &str {
        &self.token
    }

    /// The engine's address.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// The engine's process id.
    pub(crate) fn engine_pid(&self) -> u32 {
        self.engine.id()
    }

    /// A file of the lab folder, executable; the answer is its path.
    pub(crate) fn write(&self, path: &str, text: &[u8]) -> Result<PathBuf> {
        let file = self.folder.join("lab").join(path);
        fs::create_dir_all(file.parent().context("a file has a folder")?)?;
        fs::write(&file, text)?;
        fs::set_permissions(&file, fs::Permissions::from_mode(0o755))?;
        Ok(file)
    }

    /// The folder of everything.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        for child in self.eps.iter_mut().chain([&mut self.engine]) {
            drop(child.kill());
            drop(child.wait());
        }
        drop(fs::remove_dir_all(&self.folder));
    }
}

fn spawn_engine(folder: &Path) -> Result<Child> {
    let log = fs::File::options().create(true).append(true).open(folder.join("engine.log"))?;
    let mut command = Command::new(jackfield());
    command.arg("engine").arg("--lab").arg(folder.join("lab")).arg("--ready").arg(folder.join("ready.json"));
    Ok(command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log).spawn()?)
}

/// A project of these suites: name, EP (empty: any), test files.
pub(crate) fn project(suites: &[(&str, &str, Vec<String>)]) -> String {
    let mut xml = String::from("<Root>\n<dbautosave>nosave</dbautosave>\n");
    let mut number = 0;
    for (name, ep, files) in suites {
        xml.push_str(&format!("<TestSuite><tsName>{name}</tsName><ID>suite-{name}</ID><EpId>{ep}</EpId>\n"));
        for file in files {
            number += 1;
            xml.push_str(&format!("<TestCase><tcName>{file}</tcName><ID>test-{number}</ID></TestCase>\n"));
        }
        xml.push_str("</TestSuite>\n");
    }
    xml.push_str("</Root>\n");
    xml
}

/// Seconds that a command takes; it must succeed.
pub(crate) fn seconds(command: &mut Command) -> Result<f64> {
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let begin = now();
    let status = command.status()?;
    let seconds = begin.elapsed().as_secs_f64();
    if !status.success() {
        bail!("{command:?} ended with {status}");
    }
    Ok(seconds)
}

/// The most memory a process ever had in use, in MB.
pub(crate) fn peak_megabytes(pid: u32) -> Result<f64> {
    status_megabytes(pid, "VmHWM:")
}

/// The memory a process has in use, in MB.
pub(crate) fn megabytes(pid: u32) -> Result<f64> {
    status_megabytes(pid, "VmRSS:")
}

fn status_megabytes(pid: u32, key: &str) -> Result<f64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix(key)).context("a memory line")?;
    Ok(line.trim().trim_end_matches("kB").trim().parse::<f64>()? / 1024.0)
}

/// CPU seconds a process has used.
pub(crate) fn cpu_seconds(pid: u32) -> Result<f64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
    // After the name in brackets: state, then eleven fields, then user and system time in hundredths of a second.
    let fields = stat.rsplit(')').next().context("fields")?.split_whitespace().skip(11).take(2);
    let ticks: f64 = fields.map(str::parse::<f64>).sum::<Result<f64, _>>()?;
    Ok(ticks / 100.0)
}

/// Asks until there is an answer.
pub(crate) fn wait<T>(limit: Duration, what: &str, mut ask: impl FnMut() -> Option<T>) -> Result<T> {
    let end = now() + limit;
    while now() < end {
        if let Some(answer) = ask() {
            return Ok(answer);
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    bail!("waited {} s for {what}", limit.as_secs())
}

/// The clock of the measures.
#[expect(clippy::disallowed_methods, reason = "time is what is measured")]
pub(crate) fn now() -> Instant {
    Instant::now()
}

fn text_at(value: &Value, key: &str) -> Result<String> {
    value.get(key).and_then(Value::as_str).map(str::to_owned).with_context(|| format!("no {key} in {value}"))
}
