//! The elements of an item that hold a text each, by the kind of item: what a page shows and changes.

use super::ProjectEditError;
use crate::xml::Element;

/// What stands in a project file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ItemKind {
    /// The project itself.
    Project,
    /// A suite.
    Suite,
    /// A test.
    Test,
}

const PROJECT: [&str; 11] = [
    "stoponfail",
    "PrePostMandatory",
    "DownloadLibraries",
    "ScriptPre",
    "ScriptPost",
    "libraries",
    "dbautosave",
    "tcdelay",
    "Timeout",
    "OnEpLost",
    "Needs",
];

const SUITE: [&str; 11] = [
    "tsName",
    "ID",
    "Repeat",
    "PanicDetect",
    "Dependency",
    "SutName",
    "EpId",
    "Labels",
    "libraries",
    "Timeout",
    "Needs",
];

const TEST: [&str; 6] = ["tcName", "ID", "Repeat", "Dependency", "iterationSave", "Timeout"];

/// Other spellings that files of Twister have: what is changed is the element that is there.
const ALIASES: [(&str, &str); 2] = [("Dependency", "Dependancy"), ("SutName", "TbName")];

impl ItemKind {
    /// What an element of a project file is.
    pub(super) fn of(element: Element<'_>) -> Self {
        match element.name() {
            "TestSuite" => Self::Suite,
            "TestCase" => Self::Test,
            _ => Self::Project,
        }
    }

    /// The names of its fields.
    pub fn fields(self) -> &'static [&'static str] {
        match self {
            Self::Project => &PROJECT,
            Self::Suite => &SUITE,
            Self::Test => &TEST,
        }
    }

    /// The field that says what people call it.
    pub(super) fn name_field(self) -> Option<&'static str> {
        match self {
            Self::Project => None,
            Self::Suite => Some("tsName"),
            Self::Test => Some("tcName"),
        }
    }

    /// `Property` in a test, `UserDefined` in a suite or the project.
    pub(super) fn pair_tag(self) -> &'static str {
        match self {
            Self::Test => "Property",
            Self::Project | Self::Suite => "UserDefined",
        }
    }

    /// One of its fields by its name.
    pub(super) fn field(self, name: &str) -> Result<&'static str, ProjectEditError> {
        let known = self.fields().iter().find(|known| **known == name);
        known.copied().ok_or_else(|| ProjectEditError::NoSuchField {
            field: name.to_owned(),
            known: self.fields().join(", "),
        })
    }
}

/// The element of a field, under whichever of its names it stands.
pub(super) fn element_of<'t>(item: Element<'t>, field: &str) -> Option<Element<'t>> {
    let alias = ALIASES.iter().find(|(name, _)| *name == field).map(|(_, alias)| *alias);
    item.child(field).or_else(|| item.child(alias?))
}
