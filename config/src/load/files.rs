//! The single files of a lab, each read where the lab has it.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::ErrorKind,
    path::PathBuf,
    sync::Arc,
};

use jackfield_protocol::{
    error::{FileProblem, Severity},
    id::UserName,
};

use super::{
    Lab, Room,
    text::{first_there, read_as, read_source},
};
use crate::{
    bindings::Bindings,
    email::EmailConfig,
    engine::EngineSettings,
    limits::{FILE_BYTES_MAX, PROFILE_BYTES_MAX, PROFILES_MAX},
    mail_rules::{MailChart, MailRules},
    panic::PanicPatterns,
    params::Params,
    problem::{Read, suggest, whole_file},
    resources::Node,
    server_init::ServerInit,
    source::Source,
    users::UsersAndGroups,
    webhooks::Webhooks,
};

impl Lab {
    /// Reads `globals.xml`; none where the lab has none.
    pub fn globals(&self) -> Option<Read<Params>> {
        self.first(&self.layout.globals, Params::read)
    }

    /// Reads `bindings.xml`; none where the lab has none.
    pub fn bindings(&self) -> Option<Read<Bindings>> {
        self.first(&self.layout.bindings, Bindings::read)
    }

    /// Reads `email.xml`; none where the lab has none.
    pub fn email(&self) -> Option<Read<EmailConfig>> {
        // A file of charts alone leaves the people to `To`; one that cannot be read is told for itself.
        let has_rules =
            self.mail_rules().is_some_and(|read| read.value.is_none_or(|rules| !rules.rules.is_empty()));
        self.first(&self.layout.email, |source| EmailConfig::read_beside(source, has_rules))
    }

    /// Reads `mail.toml`; none where the lab has none.
    pub fn mail_rules(&self) -> Option<Read<MailRules>> {
        self.first(&self.layout.mail_rules, MailRules::read)
    }

    /// Reads `webhooks.toml`; none where the lab has none.
    pub fn webhooks(&self) -> Option<Read<Webhooks>> {
        self.first(&self.layout.webhooks, Webhooks::read)
    }

    /// What is wrong with the files that say who hears of runs. None of it keeps a run from starting.
    pub fn hearers_problems(&self) -> Vec<FileProblem> {
        let email = self.email().map(|read| read.problems);
        let rules = self.mail_rules().map(|read| read.problems);
        let webhooks = self.webhooks().map(|read| read.problems);
        let mut problems: Vec<FileProblem> =
            [email, rules, webhooks].into_iter().flatten().flatten().chain(self.chart_problems()).collect();
        for problem in &mut problems {
            problem.severity = Severity::Warning;
        }
        problems
    }

    /// Charts of mails of reports that no file of the lab has.
    fn chart_problems(&self) -> Vec<FileProblem> {
        let rules = self.mail_rules().and_then(|read| read.value).unwrap_or_default();
        let Some(file) = first_there(&self.layout.mail_rules).filter(|_| !rules.charts.is_empty()) else {
            return Vec::new();
        };
        let databases = self.databases().unwrap_or_default();
        let reports = databases.reports.iter().flat_map(|database| &database.config.reports);
        let known: Vec<&str> = reports.map(|report| &*report.id.value).collect();
        let missing = rules.charts.iter().filter(|chart| !known.contains(&&*chart.report));
        let problem = |chart: &MailChart| FileProblem {
            severity: Severity::Warning,
            file: file.display().to_string(),
            line: chart.line,
            column: 1,
            message: format!("no report of the lab's database is `{}`", chart.report),
            help: suggest(&chart.report, known.iter().copied()),
        };
        missing.filter(|chart| !chart.report.is_empty()).map(problem).collect()
    }

    /// The text of `e-mail-tmpl.htm`, where the lab has one.
    ///
    /// # Errors
    /// One that is too large, or not UTF-8.
    pub fn email_template(&self) -> Option<Result<Arc<Source>, Box<FileProblem>>> {
        let file = first_there(&self.layout.email_template)?;
        Some(read_source(file, FILE_BYTES_MAX))
    }

    /// Reads `users_and_groups.ini`; none where the lab has none.
    pub fn users(&self) -> Option<Read<UsersAndGroups>> {
        self.first(&self.layout.users, UsersAndGroups::read)
    }

    /// The lab's own profiles of devices: file name, and text or why it cannot be read; what a user has of their own goes before what all share.
    pub fn profiles(&self) -> BTreeMap<String, Result<String, Box<FileProblem>>> {
        let mut profiles = BTreeMap::new();
        for folder in &self.layout.profiles {
            let entries = match std::fs::read_dir(folder) {
                Ok(entries) => entries,
                Err(error) if error.kind() == ErrorKind::NotFound => continue,
                Err(error) => {
                    let name = folder.to_string_lossy();
                    let why = format!("the folder of profiles cannot be read: {error}");
                    profiles.insert(name.clone().into_owned(), Err(Box::new(whole_file(&name, why, ""))));
                    continue;
                }
            };
            for entry in entries.flatten() {
                let name = entry.file_name().to_string_lossy().into_owned();
                if name.ends_with(".toml") && !profiles.contains_key(&name) && profiles.len() < PROFILES_MAX {
                    let read = self.read_in(Room::Profiles, &entry.path(), PROFILE_BYTES_MAX);
                    profiles.insert(name, read.map(|source| source.text().to_owned()));
                }
            }
        }
        profiles
    }

    /// The names of those profiles that come out of the user's own folder.
    pub fn private_profiles(&self) -> BTreeSet<String> {
        self.private_names(&self.layout.profiles)
    }

    /// Reads the expressions of one user, or of all, in `PanicDetectData.json`; none where the lab has none.
    pub fn panic_patterns(&self, user: Option<&UserName>) -> Option<Read<PanicPatterns>> {
        let user = user.map(UserName::as_str);
        self.first(&self.layout.panic_patterns, |source| PanicPatterns::read_for(source, user))
    }

    /// Reads `resources.json`; none where the lab has none.
    pub fn resources(&self) -> Option<Read<Node>> {
        self.first(&self.layout.resources, Node::read)
    }

    /// Reads `engine.toml`, with its paths made absolute; the defaults where the lab has none, with what the
    /// `server_init.ini` of a Twister home says.
    pub fn engine_settings(&self) -> Read<EngineSettings> {
        let read = self.first(&self.layout.engine, EngineSettings::read);
        let read = read.unwrap_or_else(|| {
            let old = self.first(&[self.layout.root.join("config/server_init.ini")], ServerInit::read);
            let old = old.unwrap_or(Read { value: Some(ServerInit::default()), problems: Vec::new() });
            old.map(|old| EngineSettings {
                kind: old.kind,
                location: old.location.to_string(),
                ..EngineSettings::default()
            })
        });
        read.map(|mut settings| {
            let root = &self.layout.root;
            let absolute = |path: &mut PathBuf| *path = root.join(&*path);
            absolute(&mut settings.data_folder);
            settings.key_file.iter_mut().chain(&mut settings.mail_ca).for_each(&absolute);
            absolute(&mut settings.outbox);
            if let Some(own) = &mut settings.tls.own {
                absolute(&mut own.certificate);
                absolute(&mut own.key);
            }
            settings.roots.iter_mut().for_each(absolute);
            settings
        })
    }

    /// Reads the first of these files that is there.
    pub(super) fn first<T>(
        &self,
        places: &[PathBuf],
        read: impl FnOnce(&Arc<Source>) -> Read<T>,
    ) -> Option<Read<T>> {
        let file = first_there(places)?;
        Some(read_as(file, FILE_BYTES_MAX, read))
    }
}
