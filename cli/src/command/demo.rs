//! `jackfield demo`: a whole lab on one machine, and a run in it, in one command.
//!
//! Everything is real but the devices: an engine in this process, two EPs as processes of their own, a simulated router,
//! switch and PBX that answer telnet and SSH.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use anyhow::{Context as _, Result, bail};
use include_dir::{Dir, include_dir};
use jackfield_central_engine::{Options, Running, auth::Scope};
use jackfield_device::simulate::{self, Listen};
use jackfield_protocol::{
    api::{EpRow, EpState, Page, SubmitRun, Submitted},
    id::RunId,
    secret::Secret,
};
use jackfield_tls::Credential;
use serde_json::{Value, json};

use crate::{
    Context,
    client::{Client, Token},
    command::{
        follow,
        reports::Reports,
        run,
        simulate::{DEVICES, read_model},
    },
    exit::Exit,
    output::{self, Output},
    signal,
};

static LAB: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../examples/demo");

/// The demo's EPs, as its project names them.
const EPS: [&str; 2] = ["EP-1001", "EP-1002"];
/// How each device of the demo is reached, by its resource below `/lab`.
const WAYS: [(&str, &str); 3] = [("router", "telnet"), ("switch", "ssh"), ("pbx", "telnet")];

/// Start a small lab, run the demo project in it, and stay up until Ctrl-C.
#[derive(clap::Args)]
pub(crate) struct Demo {
    /// End when the run has ended, with its exit code.
    #[arg(long)]
    once: bool,
    /// Port of the web pages and the API; a free one by default.
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// Keep the lab in this folder instead of a temporary one.
    #[arg(long)]
    lab: Option<PathBuf>,
}

impl Demo {
    pub(crate) fn run(&self) -> Result<Exit> {
        super::engine::start_logging("warn");
        let folder = match &self.lab {
            Some(folder) => folder.clone(),
            None => std::env::temp_dir().join(format!("jackfield-demo-{}", std::process::id())),
        };
        lay_out(&folder).with_context(|| format!("writing the demo lab to {}", folder.display()))?;
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        let options = Options { lab: folder.clone(), port: Some(self.port) };
        let engine = runtime.block_on(jackfield_central_engine::start(options))?;
        let outcome = self.show(&runtime, &engine, &folder);
        runtime.block_on(engine.stop());
        outcome
    }

    fn show(&self, runtime: &tokio::runtime::Runtime, engine: &Running, folder: &Path) -> Result<Exit> {
        let token = runtime.block_on(engine.make_token("demo", Scope::Admin))?;
        let client = Client::new(&engine.url, Token::Given(Credential::read(&token).secret), None)?;
        let context = Context { client, output: Output::new(false) };
        let devices = runtime.block_on(start_devices())?;
        for device in &devices {
            enter(&context.client, device)?;
        }
        let mut eps = Vec::new();
        for name in EPS {
            let token = runtime.block_on(engine.make_token(name, Scope::Ep))?;
            eps.push(Ep::start(name, &engine.url, &token, folder)?);
        }
        wait_for_eps(&context.client)?;
        let (exit, run) = run_project(&context, folder)?;
        tell(&context.client, engine, folder, run)?;
        if !self.once {
            output::talk("the lab stays up; Ctrl-C ends it");
            signal::interrupts()?.recv().context("waiting for Ctrl-C")?;
        }
        Ok(exit)
    }
}

/// Writes the lab folder; what a person has changed in an earlier demo stays.
fn lay_out(folder: &Path) -> Result<()> {
    write_below(&LAB, folder)
}

fn write_below(dir: &Dir<'_>, folder: &Path) -> Result<()> {
    use std::os::unix::fs::PermissionsExt;
    for file in dir.files() {
        let path = folder.join(file.path());
        if path.try_exists()? {
            continue;
        }
        fs::create_dir_all(path.parent().context("a file has a folder")?)?;
        fs::write(&path, file.contents())?;
        let script = file.contents().starts_with(b"#!");
        fs::set_permissions(&path, fs::Permissions::from_mode(if script { 0o755 } else { 0o644 }))?;
    }
    dir.dirs().try_for_each(|dir| write_below(dir, folder))
}

async fn start_devices() -> Result<Vec<simulate::Running>> {
    let mut devices = Vec::new();
    for (name, _) in WAYS {
        let file =
            DEVICES.get_file(format!("{name}.toml")).with_context(|| format!("no model of the {name}"))?;
        let text = file.contents_utf8().context("a model is text")?;
        devices.push(simulate::serve(read_model(name, text)?, Listen::default()).await?);
    }
    Ok(devices)
}

/// Puts a device's address into the lab's resources.
fn enter(client: &Client, device: &simulate::Running) -> Result<()> {
    let way = WAYS.iter().find(|(name, _)| device.name.contains(name));
    let Some((name, protocol)) = way else { bail!("no resource is named after device {}", device.name) };
    let body = json!({"parent": "/lab", "name": name, "properties": device.properties(protocol)});
    client.put("/resources", &body).map(|_done: Value| ())
}

/// An EP in a process of its own, ended with this value.
struct Ep(Child);

impl Ep {
    fn start(name: &str, engine: &str, token: &Secret, folder: &Path) -> Result<Self> {
        let home = folder.join("eps").join(name);
        fs::create_dir_all(&home)?;
        let config = home.join("ep.toml");
        let work = home.join("work");
        let token = token.expose_for_login();
        let text = format!("name = {name:?}\nengine = {engine:?}\ntoken = {token:?}\nwork = {work:?}\n");
        super::engine::write_private(&config, &text)?;
        let log = fs::File::options().create(true).append(true).open(home.join("ep.log"))?;
        let mut command = Command::new(std::env::current_exe()?);
        command.arg("ep").arg("--config").arg(&config);
        // A process group of its own: Ctrl-C is for the demo, which then ends its EPs in order.
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let child = command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log).spawn();
        child.map(Self).with_context(|| format!("starting {name}"))
    }
}

impl Drop for Ep {
    fn drop(&mut self) {
        let pid = i32::try_from(self.0.id()).ok().and_then(rustix::process::Pid::from_raw);
        if let Some(pid) = pid {
            // One that has ended already needs no signal.
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
        }
        drop(self.0.wait());
    }
}

fn wait_for_eps(client: &Client) -> Result<()> {
    for _ in 0..200 {
        let eps: Page<EpRow> = client.get("/eps")?;
        let here = |name: &&str| {
            eps.items.iter().any(|ep| ep.name.as_str() == *name && ep.state != EpState::Offline)
        };
        if EPS.iter().all(here) {
            return Ok(());
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    bail!("the EPs did not connect within 10 s; see eps/*/ep.log in the lab folder")
}

fn run_project(context: &Context, folder: &Path) -> Result<(Exit, RunId)> {
    let interrupts = signal::interrupts()?;
    let request = SubmitRun { project: Some("demo".to_owned()), ..SubmitRun::default() };
    let submitted: Submitted = context.client.post("/runs", &request)?;
    submitted.warnings.iter().for_each(|warning| output::talk(&warning.to_string()));
    let watched = follow::watch(&context.client, submitted.run, &interrupts, None)?;
    if matches!(watched, follow::Watched::Interrupted) {
        return Ok((Exit::Interrupted, submitted.run));
    }
    let reports = Reports::new(Some(folder.join("junit.xml")), Some(folder.join("report.html")));
    let exit = run::conclude(context, submitted.run, &reports)?;
    Ok((exit, submitted.run))
}

/// Where everything is.
fn tell(client: &Client, engine: &Running, folder: &Path, run: RunId) -> Result<()> {
    let mail = newest_mail(&folder.join("outbox"));
    output::say(&format!("\nreport   {}", folder.join("report.html").display()))?;
    output::say(&format!("junit    {}", folder.join("junit.xml").display()))?;
    output::say(&format!(
        "mail     {}",
        mail.map_or("none was written".to_owned(), |mail| mail.display().to_string())
    ))?;
    output::say(&format!("pages    {}/runs/{run}", client.engine()))?;
    match &engine.admin_password {
        Some(password) => {
            output::say(&format!("log in   as admin with password {}", password.expose_for_owner()))
        }
        None => output::say("log in   with the password of this lab's first start"),
    }
}

/// The mail of the run, which a job writes a moment after the end.
fn newest_mail(outbox: &Path) -> Option<PathBuf> {
    for _ in 0..100 {
        let entries = fs::read_dir(outbox).into_iter().flatten().flatten().map(|entry| entry.path());
        let newest = entries.filter(|path| path.extension().is_some_and(|end| end == "eml")).max();
        if newest.is_some() {
            return newest;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    None
}
