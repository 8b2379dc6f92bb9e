//! `jackfield doctor`: what this machine has, what is missing, and what to do about it.

use std::{
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use anyhow::{Context as _, Result};
use jackfield_config::{EpSettings, ep::CgroupUse};
use jackfield_protocol::api::Page;
use serde::Serialize;

use crate::{
    Context,
    client::{Client, Known, Stranger, Unreachable},
    command::prune,
    exit::Exit,
    output::table,
};

/// Look at this machine and say what is missing.
#[derive(clap::Args)]
pub(crate) struct Doctor {
    /// The work folder of an EP, to look at the room it has.
    #[arg(long, default_value = ".")]
    work: PathBuf,
    /// The settings of an EP (`ep.toml`), to see whether its tests can run as the users that it names, and in the control groups.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

/// One thing that was looked at.
#[derive(Serialize)]
struct Finding {
    what: String,
    good: bool,
    found: String,
    /// What to do, where it is not good.
    remedy: String,
}

/// Programs that tests may need: name, how to ask for its version, what it is for, Debian package.
const PROGRAMS: [(&str, &str, &str, &str); 12] = [
    ("python3", "--version", "Python tests", "python3"),
    ("tclsh", "", "Tcl tests", "tcl"),
    ("expect", "-v", "Expect tests", "expect"),
    ("perl", "-v", "Perl tests", "perl"),
    ("sh", "", "shell tests", "dash"),
    ("pytest", "--version", "pytest suites", "python3-pytest"),
    ("robot", "--version", "Robot Framework suites", ""),
    ("javac", "-version", "Java tests", "default-jdk-headless, with junit4 or junit5"),
    ("ping", "-V", "tests that ping", "iputils-ping"),
    ("tcpdump", "--version", "packet captures", "tcpdump"),
    ("snmpset", "--version", "power by SNMP", "snmp"),
    ("git", "--version", "projects under version control", "git"),
];

/// How long the engine may take to answer.
const ENGINE_LIMIT: Duration = Duration::from_secs(5);
/// Room that a work folder should have.
const FREE_BYTES_MIN: u64 = 1 << 30;
/// Open files that an engine with many EPs needs.
const OPEN_FILES_MIN: u64 = 4096;

impl Doctor {
    pub(crate) fn run(&self, context: &Context) -> Result<Exit> {
        // What is wrong with this machine is told in a moment, also where the engine hangs.
        let client = context.client.hasty(ENGINE_LIMIT);
        let mut findings = vec![engine(&client), room(&self.work), open_files(), encryption(&client)];
        findings.extend(
            PROGRAMS
                .iter()
                .map(|(name, version, what_for, package)| program(name, version, what_for, package)),
        );
        findings.push(junit());
        if let Some(file) = &self.config {
            let settings = settings_of(file)?;
            findings.extend([users_of_tests(&settings)?, control_groups(&settings)]);
        }
        findings.extend(notices(&client));
        findings.extend(old_runs(&client));
        context.output.list(&findings, show)?;
        let needed = findings.iter().take(3).all(|finding| finding.good);
        Ok(if needed { Exit::Done } else { Exit::LabFault })
    }
}

fn settings_of(file: &Path) -> Result<EpSettings> {
    let (settings, _) = EpSettings::load(file).usable().map_err(|problems| {
        let first = problems.first().map_or_else(String::new, ToString::to_string);
        anyhow::anyhow!("{first}")
    })?;
    Ok(settings)
}

/// As whom the tests of an EP run.
fn users_of_tests(settings: &EpSettings) -> Result<Finding> {
    let program = std::env::current_exe().context("finding this program's own path")?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let found = runtime.block_on(jackfield_execution_process::users_of_tests(settings, &program));
    let (good, found, remedy) = match found {
        Ok(names) if names.is_empty() => (
            true,
            "the EP's own user: they can read its token and each other's files".to_owned(),
            String::new(),
        ),
        Ok(names) => (true, names.join(", "), String::new()),
        Err(why) => (false, "nobody".to_owned(), why),
    };
    Ok(Finding { what: "tests run as".to_owned(), good, found, remedy })
}

/// Whether tests can have what `[cgroup]` asks for. An EP's own group is known when it is started.
fn control_groups(settings: &EpSettings) -> Finding {
    let cgroup = &settings.cgroup;
    let place = match (&cgroup.parent, cgroup.wanted) {
        (_, CgroupUse::Off) => {
            "off: processes of a test are found by their session, parents and environment".to_owned()
        }
        (Some(parent), CgroupUse::Try | CgroupUse::Require) => format!("below {}", parent.display()),
        (None, CgroupUse::Try | CgroupUse::Require) => "below the group that the EP is started in".to_owned(),
    };
    let missing = jackfield_execution_process::cgroup_missing(settings).unwrap_or_else(|why| vec![why]);
    Finding {
        what: "control groups of tests".to_owned(),
        good: missing.is_empty(),
        found: place,
        remedy: missing.join("; "),
    }
}

fn engine(client: &Client) -> Finding {
    let what = "engine".to_owned();
    let address = client.engine().to_owned();
    match client.get::<serde_json::Value>("/login") {
        Err(error) if error.is::<Stranger>() => Finding {
            what,
            good: false,
            found: format!("somebody unknown answers at {address}"),
            remedy: error.to_string(),
        },
        Err(error) if error.is::<Unreachable>() => Finding {
            what,
            good: false,
            found: format!("no answer from {address}"),
            remedy: "start it with `jackfield engine`, or name another with --engine".to_owned(),
        },
        _ => Finding { what, good: true, found: format!("answers at {address}"), remedy: String::new() },
    }
}

/// Who can read what we say to the engine.
fn encryption(client: &Client) -> Finding {
    let (good, found, remedy) = match client.way().known() {
        Known::Here => (true, "plain HTTP that does not leave this machine".to_owned(), String::new()),
        Known::Pinned(pin) => (true, format!("TLS, to the engine with the fingerprint {pin}"), String::new()),
        Known::ByMachine => {
            (true, "TLS, by an authority that this machine believes".to_owned(), String::new())
        }
        Known::Readable => (
            false,
            "none: others can read passwords and tokens on the way".to_owned(),
            "leave `[tls] plain` of engine.toml out, and use https".to_owned(),
        ),
    };
    Finding { what: "encryption".to_owned(), good, found, remedy }
}

/// What the engine itself wants somebody to look after; nothing where it does not say, or not to us.
fn notices(client: &Client) -> Vec<Finding> {
    #[derive(serde::Deserialize)]
    struct Notice {
        text: String,
    }
    let Ok(page) = client.get::<Page<Notice>>("/notices") else { return Vec::new() };
    let finding = |notice: Notice| Finding {
        what: "work of the engine".to_owned(),
        good: false,
        found: notice.text,
        remedy: "mend what it names; `jackfield runs jobs` lists all of it".to_owned(),
    };
    page.items.into_iter().map(finding).collect()
}

/// What becomes of old runs; nothing where the engine does not say, or not to us.
fn old_runs(client: &Client) -> Option<Finding> {
    let retention = prune::retention(client).ok()?;
    let trouble = prune::trouble(&retention).map(str::to_owned);
    Some(Finding {
        what: "old runs".to_owned(),
        good: trouble.is_none(),
        found: prune::told(&retention),
        remedy: trouble.unwrap_or_default(),
    })
}

fn room(folder: &std::path::Path) -> Finding {
    let free = rustix::fs::statvfs(folder).map(|stat| stat.f_bavail.saturating_mul(stat.f_frsize));
    let free = free.unwrap_or(0);
    Finding {
        what: format!("room in {}", folder.display()),
        good: free >= FREE_BYTES_MIN,
        found: format!("{} MB free", free >> 20),
        remedy: if free >= FREE_BYTES_MIN {
            String::new()
        } else {
            "make room, or name another folder".to_owned()
        },
    }
}

fn open_files() -> Finding {
    let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile).current.unwrap_or(u64::MAX);
    Finding {
        what: "open files".to_owned(),
        good: limit >= OPEN_FILES_MIN,
        found: format!("{limit} allowed"),
        remedy: if limit >= OPEN_FILES_MIN {
            String::new()
        } else {
            format!("raise it: ulimit -n {OPEN_FILES_MIN}")
        },
    }
}

/// The JUnit of Debian's packages, where the EP looks for it.
fn junit() -> Finding {
    const JARS: [&str; 2] = ["/usr/share/java/junit4.jar", "/usr/share/java/junit-jupiter-engine.jar"];
    let there: Vec<&str> = JARS.into_iter().filter(|jar| std::path::Path::new(jar).is_file()).collect();
    let good = !there.is_empty();
    Finding {
        what: "JUnit (Java tests)".to_owned(),
        good,
        found: if good { there.join(", ") } else { "not found".to_owned() },
        remedy: if good {
            String::new()
        } else {
            "apt-get install junit4 or junit5, or name jars in classpath of [runners.java], if you run Java tests here".to_owned()
        },
    }
}

fn program(name: &str, version: &str, what_for: &str, package: &str) -> Finding {
    let what = format!("{name} ({what_for})");
    match path_of(name) {
        None => Finding {
            what,
            good: false,
            found: "not found".to_owned(),
            remedy: if package.is_empty() {
                format!("pip install {name}framework, if you run {what_for} here")
            } else {
                format!("apt-get install {package}, if you run {what_for} here")
            },
        },
        Some(path) => {
            let said = if version.is_empty() { None } else { first_line_of(name, version) };
            let found = said.unwrap_or_else(|| path.display().to_string());
            Finding { what, good: true, found, remedy: String::new() }
        }
    }
}

/// Where a program is on `PATH`.
fn path_of(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(name)).find(|file| file.is_file())
}

fn first_line_of(name: &str, argument: &str) -> Option<String> {
    let output = Command::new(name).arg(argument).stdin(std::process::Stdio::null()).output().ok()?;
    let text = if output.stdout.trim_ascii().is_empty() { output.stderr } else { output.stdout };
    let text = String::from_utf8_lossy(&text).into_owned();
    text.lines().map(str::trim).find(|line| !line.is_empty()).map(str::to_owned)
}

fn show(findings: &[Finding]) -> String {
    let mut rows = table(&["", "WHAT", "FOUND", "TO DO"]);
    for finding in findings {
        let mark = if finding.good { "ok" } else { "missing" };
        rows.add_row(vec![mark, &finding.what, &finding.found, &finding.remedy]);
    }
    rows.trim_fmt()
}
