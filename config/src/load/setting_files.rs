//! The files of the lab's settings while they are edited: where each is, what is wrong with a text of it before it is written, and what in it is a
//! secret.

use std::{path::PathBuf, sync::Arc};

use jackfield_protocol::{error::FileProblem, id::UserName, secret::Secret};

use super::{FileError, Lab, first_there};
use crate::{
    bindings::Bindings,
    db::DbFile,
    email::EmailConfig,
    engine::EngineSettings,
    lab::is_plain_name,
    mail_rules::MailRules,
    panic::PanicPatterns,
    profile::{read_profiles, shipped},
    source::Source,
    webhooks::Webhooks,
};

/// One file of settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SettingFile {
    /// `engine.toml`.
    Engine,
    /// `db.xml`.
    Database,
    /// `email.xml`.
    Mail,
    /// `mail.toml`.
    MailRules,
    /// `webhooks.toml`.
    Webhooks,
    /// `PanicDetectData.json`.
    PanicPatterns,
    /// `bindings.xml`.
    Bindings,
    /// A profile of devices, by its file name.
    Profile(String),
    /// A TextFSM template, or the index of them, by its file name.
    Template(String),
}

impl SettingFile {
    /// Whether a file of this name can be one of these.
    pub fn is_name_fit(&self) -> bool {
        match self {
            Self::Profile(name) => is_plain_name(name) && !name.starts_with('.') && name.ends_with(".toml"),
            Self::Template(name) => {
                let is_one = name == "index" || name.ends_with(".textfsm") || name.ends_with(".template");
                is_plain_name(name) && !name.starts_with('.') && is_one
            }
            Self::Engine
            | Self::Database
            | Self::Mail
            | Self::MailRules
            | Self::Webhooks
            | Self::PanicPatterns
            | Self::Bindings => true,
        }
    }
}

impl Lab {
    /// The file there is, where the user has one or all have; links are followed.
    ///
    /// # Errors
    /// It lies outside of the lab.
    pub fn setting_file(&self, file: &SettingFile) -> Result<Option<PathBuf>, FileError> {
        self.single_file(&self.setting_places(file))
    }

    /// Where it is written: over the file there is, else into that of all.
    ///
    /// # Errors
    /// The file lies outside of the lab, or its name is that of something else.
    pub fn setting_place(&self, file: &SettingFile) -> Result<PathBuf, FileError> {
        if file.is_name_fit() { self.single_place(&self.setting_places(file)) } else { Err(self.outside()) }
    }

    fn setting_places(&self, file: &SettingFile) -> Vec<PathBuf> {
        let layout = &self.layout;
        let each = |folders: &[PathBuf], name: &str| folders.iter().map(|folder| folder.join(name)).collect();
        match file {
            SettingFile::Engine => layout.engine.clone(),
            SettingFile::Database => layout.db.clone(),
            SettingFile::Mail => layout.email.clone(),
            SettingFile::MailRules => layout.mail_rules.clone(),
            SettingFile::Webhooks => layout.webhooks.clone(),
            SettingFile::PanicPatterns => layout.panic_patterns.clone(),
            SettingFile::Bindings => layout.bindings.clone(),
            SettingFile::Profile(name) => each(&layout.profiles, name),
            SettingFile::Template(name) => each(&layout.templates, name),
        }
    }

    /// Everything that is wrong with a text of it, and the secrets that stand in it.
    pub fn setting_looked_at(
        &self,
        file: &SettingFile,
        source: &Arc<Source>,
    ) -> (Vec<FileProblem>, Vec<Secret>) {
        match file {
            SettingFile::Engine => {
                let read = EngineSettings::read(source);
                (read.problems, read.value.and_then(|settings| settings.store).into_iter().collect())
            }
            SettingFile::Database => {
                let read = DbFile::read(source);
                (read.problems, read.value.as_ref().map(database_secrets).unwrap_or_default())
            }
            SettingFile::Mail => {
                let has_rules = first_there(&self.layout.mail_rules).is_some();
                let read = EmailConfig::read_beside(source, has_rules);
                (read.problems, read.value.and_then(|mail| mail.password).into_iter().collect())
            }
            SettingFile::MailRules => (MailRules::read(source).problems, Vec::new()),
            SettingFile::Webhooks => {
                let read = Webhooks::read(source);
                let each = read.value.unwrap_or_default().webhooks.into_iter();
                (read.problems, each.flat_map(|hook| [Some(hook.url), hook.secret]).flatten().collect())
            }
            SettingFile::PanicPatterns => {
                let user = self.user.as_ref().map(UserName::as_str);
                (PanicPatterns::read_for(source, user).problems, Vec::new())
            }
            SettingFile::Bindings => (Bindings::read(source).problems, Vec::new()),
            SettingFile::Profile(name) => (self.profile_problems(name, source), Vec::new()),
            // What a template says is read where it is used.
            SettingFile::Template(_) => (Vec::new(), Vec::new()),
        }
    }

    /// A profile is checked beside the others of the lab: it may be based on one, and one on it.
    fn profile_problems(&self, name: &str, source: &Arc<Source>) -> Vec<FileProblem> {
        let others = self.profiles().into_iter().filter(|(file, _)| file != name);
        let mut texts: Vec<(String, String)> =
            others.filter_map(|(file, read)| Some((file, read.ok()?))).collect();
        texts.push((name.to_owned(), source.text().to_owned()));
        read_profiles(&texts, &shipped::texts()).1
    }
}

fn database_secrets(file: &DbFile) -> Vec<Secret> {
    let connections = file.sections.iter().filter_map(|section| section.connection.as_ref());
    let secrets = connections.flat_map(|connection| [&connection.url, &connection.password]);
    secrets.flatten().map(|secret| secret.value.clone()).collect()
}
