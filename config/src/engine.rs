//! `engine.toml`: the Central Engine's settings. The default file is compiled in, and is also their documentation.

use std::{net::IpAddr, path::PathBuf, sync::Arc};

mod health;
mod tls;

use jackfield_protocol::secret::Secret;

pub use self::{
    health::HealthSettings,
    tls::{OwnCertificate, TlsSettings},
};

use crate::{
    problem::Read,
    source::Source,
    toml_table::{self, Table},
    value::{self, Expected},
};

/// The commented file with every key and its default.
pub const DEFAULT_FILE: &str = include_str!("engine.default.toml");

/// The Central Engine's settings. Paths are as written; [`crate::Lab::engine_settings`] resolves them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EngineSettings {
    /// Address to listen on.
    pub address: String,
    /// Port to listen on; 0 takes a free one.
    pub port: u16,
    /// How others reach the engine; none: made from the host's name and the port.
    pub url: Option<String>,
    /// Proxies before the engine, whose word about who asks counts.
    pub proxies: Vec<IpAddr>,
    /// How links are encrypted.
    pub tls: TlsSettings,
    /// The engine's own state.
    pub data_folder: PathBuf,
    /// The file with the store's keys; none: in the data folder.
    pub key_file: Option<PathBuf>,
    /// URL of the store; none: SQLite in the data folder.
    pub store: Option<Secret>,
    /// Which groups of a user count.
    pub kind: ServerKind,
    /// Free text, for reports.
    pub location: String,
    /// How often an idle EP says something.
    pub heartbeat_millis: u64,
    /// An EP not heard for so long is not connected any more.
    pub silence_millis: u64,
    /// How long a running test of a lost EP may go on.
    pub grace_millis: u64,
    /// Log bytes an EP may send ahead of the receipt.
    pub log_window_bytes: u64,
    /// Limit of a test whose project sets none.
    pub test_timeout_millis: u64,
    /// Limit of a pre or post script.
    pub hook_timeout_millis: u64,
    /// Between asking a pre or post script to end and killing it.
    pub hook_grace_millis: u64,
    /// Folder for mail that is not sent.
    pub outbox: PathBuf,
    /// Limit of one mail, from the connection to the server's last answer.
    pub mail_timeout_millis: u64,
    /// A PEM file with the authorities by which mail servers and webhooks are known; none: those of this machine.
    pub mail_ca: Option<PathBuf>,
    /// What a run has to have in common with an earlier one to be compared with it, beside its project: `sut`, or fields of the project.
    pub mail_compare: Vec<String>,
    /// Folders outside the lab folder from which files may be taken.
    pub roots: Vec<PathBuf>,
    /// How long runs are kept that have ended.
    pub retention: Retention,
    /// When a resource is not fit to be given.
    pub health: HealthSettings,
    /// What is too much.
    pub limits: EngineLimits,
}

/// Which runs that have ended go by themselves. None of a rule: it lets nothing go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Retention {
    /// Those that ended longer ago.
    pub age_millis: Option<u64>,
    /// All but so many, the newest.
    pub runs: Option<u64>,
    /// The oldest, until the logs and artifacts of the others take no more than this.
    pub bytes: Option<u64>,
    /// Files of runs in the outbox that are older.
    pub outbox_millis: Option<u64>,
}

/// Twister's server type (`ce_server_type`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ServerKind {
    /// Behaves as development.
    #[default]
    NoType,
    /// `groups_production` counts.
    Production,
    /// `groups_development` counts.
    Development,
}

impl ServerKind {
    /// Reads Twister's word.
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "no_type" => Some(Self::NoType),
            "production" => Some(Self::Production),
            "development" => Some(Self::Development),
            _ => None,
        }
    }

    /// Twister's word (`twister_ce_type`).
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NoType => "no_type",
            Self::Production => "production",
            Self::Development => "development",
        }
    }
}

/// The engine's limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EngineLimits {
    /// A project file sent by HTTP.
    pub project_bytes: u64,
    /// One file sent by HTTP.
    pub upload_bytes: u64,
    /// One log of one attempt.
    pub log_bytes: u64,
    /// What is kept of a script's output.
    pub hook_output_bytes: u64,
    /// Live views at once.
    pub browsers: u64,
    /// Live views of one person at once.
    pub browsers_each: u64,
    /// EPs at once.
    pub eps: u64,
    /// Wrong passwords for one account in a minute.
    pub login_attempts: u64,
}

impl Default for EngineSettings {
    fn default() -> Self {
        Self {
            address: "127.0.0.1".to_owned(),
            port: 8000,
            url: None,
            proxies: Vec::new(),
            tls: TlsSettings::default(),
            data_folder: ".jackfield".into(),
            key_file: None,
            store: None,
            kind: ServerKind::NoType,
            location: String::new(),
            heartbeat_millis: 5_000,
            silence_millis: 20_000,
            grace_millis: 300_000,
            log_window_bytes: 8 << 20,
            test_timeout_millis: 3_600_000,
            hook_timeout_millis: 600_000,
            hook_grace_millis: 10_000,
            outbox: "outbox".into(),
            mail_timeout_millis: 30_000,
            mail_ca: None,
            mail_compare: Vec::new(),
            roots: Vec::new(),
            retention: Retention::default(),
            health: HealthSettings::default(),
            limits: EngineLimits::default(),
        }
    }
}

impl Default for EngineLimits {
    fn default() -> Self {
        Self {
            project_bytes: 64 << 20,
            upload_bytes: 256 << 20,
            log_bytes: 64 << 30,
            hook_output_bytes: 1 << 20,
            browsers: 2000,
            browsers_each: 200,
            eps: 12_000,
            login_attempts: 10,
        }
    }
}

impl EngineSettings {
    /// Reads `engine.toml`; what it does not say has its default.
    pub fn read(source: &Arc<Source>) -> Read<Self> {
        let (value, problems) = toml_table::read_settings(source, |top| {
            let mut settings = Self::default();
            settings.read_reach(top);
            settings.read_data(top);
            settings.read_work(top);
            settings.retention.read(top);
            settings.health.read(top);
            settings.limits.read(top);
            settings
        });
        Read { value, problems }
    }

    fn read_reach(&mut self, top: &Table<'_>) {
        if let Some(listen) = top.section("listen") {
            set(&mut self.address, listen.filled_text("address"));
            set(&mut self.port, listen.number("port", 0..=u16::MAX));
            self.url = filled(listen.text("url"));
            for text in listen.list("proxies") {
                match text.parse() {
                    Ok(address) => self.proxies.push(address),
                    Err(_) => {
                        let message = format!("`{text}` in `listen.proxies` is no address");
                        listen.error_at(
                            "proxies",
                            message,
                            "write addresses of proxies as numbers: [\"127.0.0.1\"]",
                        );
                    }
                }
            }
            listen.finish();
        }
        if let Some(tls) = top.section("tls") {
            self.tls.read(&tls);
            tls.finish();
        }
    }

    fn read_data(&mut self, top: &Table<'_>) {
        if let Some(data) = top.section("data") {
            set(&mut self.data_folder, data.filled_text("folder").map(PathBuf::from));
            self.key_file = filled(data.text("key")).map(PathBuf::from);
            self.store = filled(data.text("store")).map(Secret::new);
            if filled(data.text("blobs")).is_some() {
                let message = "`data.blobs` is set, and this build keeps files in its data folder only";
                data.error_at("blobs", message, "remove it; `data.folder` may lie on any disk");
            }
            data.finish();
        }
        if let Some(server) = top.section("server") {
            let kind = |text: &str| ServerKind::parse(text).ok_or("no_type, production or development");
            set(&mut self.kind, server.parsed("kind", kind));
            set(&mut self.location, server.text("location"));
            server.finish();
        }
        if let Some(files) = top.section("files") {
            self.roots = files.list("roots").into_iter().map(PathBuf::from).collect();
            files.finish();
        }
    }

    fn read_work(&mut self, top: &Table<'_>) {
        if let Some(eps) = top.section("eps") {
            set(&mut self.heartbeat_millis, eps.millis("heartbeat"));
            set(&mut self.silence_millis, eps.millis("silence"));
            if self.silence_millis <= self.heartbeat_millis {
                let message = "`eps.silence` is not longer than `eps.heartbeat`";
                eps.error_at("silence", message, "every EP would seem lost; make it at least twice as long");
            }
            set(&mut self.grace_millis, eps.millis("grace"));
            set(&mut self.log_window_bytes, eps.bytes("log_window"));
            eps.finish();
        }
        if let Some(tests) = top.section("tests") {
            set(&mut self.test_timeout_millis, tests.millis("timeout"));
            tests.finish();
        }
        if let Some(hooks) = top.section("hooks") {
            set(&mut self.hook_timeout_millis, hooks.millis("timeout"));
            set(&mut self.hook_grace_millis, hooks.millis("stop_grace"));
            hooks.finish();
        }
        if let Some(mail) = top.section("mail") {
            set(&mut self.outbox, mail.filled_text("outbox").map(PathBuf::from));
            set(&mut self.mail_timeout_millis, mail.millis("timeout"));
            self.mail_ca = filled(mail.text("ca")).map(PathBuf::from);
            self.mail_compare = mail.texts("compare");
            mail.finish();
        }
    }
}

impl Retention {
    fn read(&mut self, top: &Table<'_>) {
        let Some(retention) = top.section("retention") else { return };
        self.age_millis = rule(&retention, "age", value::span_millis);
        self.runs = retention.number("runs", 0..=u32::MAX).map(u64::from).filter(|runs| *runs > 0);
        self.bytes = rule(&retention, "size", value::size_bytes);
        self.outbox_millis = rule(&retention, "outbox", value::span_millis);
        retention.finish();
    }
}

/// A rule that an empty text leaves out. Zero would let everything go at once, which nobody means.
fn rule(table: &Table<'_>, key: &'static str, parse: fn(&str) -> Result<u64, Expected>) -> Option<u64> {
    let read = |text: &str| match text.trim() {
        "" => Ok(None),
        text => parse(text).and_then(|value| {
            if value == 0 { Err("more than 0, or \"\" for no limit") } else { Ok(Some(value)) }
        }),
    };
    table.parsed(key, read).flatten()
}

impl EngineLimits {
    fn read(&mut self, top: &Table<'_>) {
        let Some(limits) = top.section("limits") else { return };
        set(&mut self.project_bytes, limits.bytes("project"));
        set(&mut self.upload_bytes, limits.bytes("upload"));
        set(&mut self.log_bytes, limits.bytes("log"));
        set(&mut self.hook_output_bytes, limits.bytes("hook_output"));
        set(&mut self.browsers, limits.number("browsers", 1..=1_000_000));
        set(&mut self.browsers_each, limits.number("browsers_each", 1..=1_000_000));
        set(&mut self.eps, limits.number("eps", 1..=1_000_000));
        set(&mut self.login_attempts, limits.number("login_attempts", 1..=1_000_000));
        limits.finish();
    }
}

/// Takes what the file says, where it says something.
pub(crate) fn set<T>(field: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *field = value;
    }
}

/// A text that is not empty; the default file shows unset texts as empty.
pub(crate) fn filled(text: Option<String>) -> Option<String> {
    text.filter(|text| !text.trim().is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Read<EngineSettings> {
        EngineSettings::read(&Arc::new(Source::new("engine.toml", text)))
    }

    #[test]
    fn the_default_file_says_what_the_defaults_are() {
        let (settings, warnings) = read(DEFAULT_FILE).usable().unwrap();
        assert_eq!(settings, EngineSettings::default());
        assert_eq!(warnings, []);
    }

    #[test]
    fn all_problems_are_told_at_once() {
        let text = "[listen]\nport = 70000\nadress = \"x\"\n[eps]\nsilence = \"1s\"\ngrace = \"soon\"\n[hooks]\nstop_grace = 1.5\n[limit]\n";
        let problems: Vec<_> = read(text).problems.iter().map(ToString::to_string).collect();
        insta::assert_snapshot!(problems.join("\n"));
    }

    #[test]
    fn live_pages_are_bounded_in_all_and_of_each() {
        let limits = read("[limits]\nbrowsers = 7\nbrowsers_each = 3\n").usable().unwrap().0.limits;
        assert_eq!((limits.browsers, limits.browsers_each), (7, 3));
    }

    #[test]
    fn what_is_kept_for_ever_and_what_is_not() {
        let rules = "[retention]\nage = \"90d\"\nruns = 5000\nsize = \"200GB\"\noutbox = \"30d\"\n";
        let day = 86_400_000;
        let expect = Retention {
            age_millis: Some(90 * day),
            runs: Some(5_000),
            bytes: Some(200 << 30),
            outbox_millis: Some(30 * day),
        };
        assert_eq!(read(rules).usable().unwrap().0.retention, expect);
        let none = "[retention]\nage = \"\"\nruns = 0\nsize = \"\"\n";
        assert_eq!(read(none).usable().unwrap().0.retention, Retention::default());
        let wrong = "[retention]\nage = \"0d\"\nruns = -1\nsize = \"big\"\noutbox = 0\ndays = 3\n";
        let problems: Vec<_> = read(wrong).problems.iter().map(ToString::to_string).collect();
        insta::assert_snapshot!(problems.join("\n"));
    }

    #[test]
    fn what_is_not_built_is_refused() {
        let text = "[data]\nblobs = \"s3://lab/files\"\n[tests]\nstop_grace = \"1s\"\n";
        let problems: Vec<_> = read(text).problems.iter().map(ToString::to_string).collect();
        insta::assert_snapshot!(problems.join("\n"));
    }

    #[test]
    fn a_broken_file_is_refused_with_its_place() {
        let read = read("[listen\nport = 1\n");
        assert!(read.value.is_none());
        assert_eq!(read.problems[0].line, 1);
    }
}
