//! `fwmconfig.xml`: where a Twister home keeps its files.

use std::{collections::BTreeMap, sync::Arc};

use crate::{
    problem::Read,
    source::Source,
    xml::{self, Walk},
};

/// The paths of a Twister home, as written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FwmConfig {
    /// `TestCaseSourcePath`.
    pub tests: Option<Arc<str>>,
    /// `UsersPath`.
    pub projects: Option<Arc<str>>,
    /// `LibsPath`: may name several folders, joined by `;`.
    pub libraries: Option<Arc<str>>,
    /// `PredefinedSuitesPath`.
    pub suites: Option<Arc<str>>,
    /// `TestConfigPath`.
    pub configs: Option<Arc<str>>,
    /// `GlobalParams`.
    pub globals: Option<Arc<str>>,
    /// `DbConfigFile`.
    pub db: Option<Arc<str>>,
    /// `EmailConfigFile`.
    pub email: Option<Arc<str>>,
    /// `LogsPath`.
    pub logs: Option<Arc<str>>,
    /// `ArchiveLogsPath`, where `ArchiveLogsPathActive` is true.
    pub archive: Option<Arc<str>>,
    /// `SutPath`.
    pub suts: Option<Arc<str>>,
    /// `SysSutPath`.
    pub system_suts: Option<Arc<str>>,
    /// `LogFiles`: any element is a log of this name.
    pub log_files: BTreeMap<Arc<str>, Arc<str>>,
}

impl FwmConfig {
    /// Reads the file.
    pub fn read(source: &Arc<Source>) -> Read<Self> {
        let tree = match xml::parse(source) {
            Ok(tree) => tree,
            Err(problems) => return Read { value: None, problems },
        };
        let walk = Walk::new(&tree);
        let root = tree.root();
        if !root.name().eq_ignore_ascii_case("Root") {
            let message = format!("the file begins with <Root>, not <{}>", root.name());
            walk.error(root.name_span(), message, "is this another kind of file?");
        }
        let fields = walk.fields(root);
        let text = |name| fields.text(name).map(|text| text.value);
        if let Some(kind) = fields.text("FileType").filter(|kind| &*kind.value != "config") {
            walk.warn(kind.span, format!("<FileType> is `{}`", kind.value), "write config");
        }
        let archive = text("ArchiveLogsPath");
        let archive_active = fields.truth("ArchiveLogsPathActive");
        let logs = fields.one("LogFiles").into_iter().flat_map(|logs| logs.children());
        let log_files = logs.map(|log| (walk.word(log.name()), walk.text_of(log).value)).collect();
        let config = Self {
            tests: text("TestCaseSourcePath"),
            projects: text("UsersPath"),
            libraries: text("LibsPath"),
            suites: text("PredefinedSuitesPath"),
            configs: text("TestConfigPath"),
            globals: text("GlobalParams"),
            db: text("DbConfigFile"),
            email: text("EmailConfigFile"),
            logs: text("LogsPath"),
            archive: archive.filter(|_| archive_active),
            suts: text("SutPath"),
            system_suts: text("SysSutPath"),
            log_files,
        };
        fields.ignore(&["CentralEnginePort", "HttpServerPort", "EpNames"]);
        fields.finish();
        Read { value: Some(config), problems: walk.finish() }
    }
}
