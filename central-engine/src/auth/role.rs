//! What may be done, in the words of `users_and_groups.ini`, and what a token narrows it to.

use std::{collections::BTreeSet, str::FromStr};

use serde::{Deserialize, Serialize};

/// One thing that a group may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Role {
    /// Start, stop, pause and resume runs, and answer their questions.
    RunTests,
    /// Edit test files.
    EditTc,
    /// Make projects.
    CreateProject,
    /// Edit projects.
    ChangeProject,
    /// Delete projects.
    DeleteProject,
    /// See runs, logs and reports.
    ViewReports,
    /// Change the framework's configuration.
    ChangeFwmCfg,
    /// Change global parameters.
    ChangeGlobals,
    /// Change `db.xml`.
    ChangeDbCfg,
    /// Change `email.xml`.
    ChangeEmlCfg,
    /// Change plugins.
    ChangePlugins,
    /// Edit the resource tree.
    ChangeTestbed,
    /// Edit SUTs.
    ChangeSut,
    /// Operate the engine: drain EPs, read the audit log, control other people's runs.
    ChangeServices,
    /// Edit accounts, groups, and other people's tokens.
    ChangeUsers,
    /// Lock resources.
    LockTestbed,
    /// Lock SUTs.
    LockSut,
}

/// A set of roles.
pub type Roles = BTreeSet<Role>;

impl Role {
    /// Every role.
    pub const ALL: [Self; 17] = [
        Self::RunTests,
        Self::EditTc,
        Self::CreateProject,
        Self::ChangeProject,
        Self::DeleteProject,
        Self::ViewReports,
        Self::ChangeFwmCfg,
        Self::ChangeGlobals,
        Self::ChangeDbCfg,
        Self::ChangeEmlCfg,
        Self::ChangePlugins,
        Self::ChangeTestbed,
        Self::ChangeSut,
        Self::ChangeServices,
        Self::ChangeUsers,
        Self::LockTestbed,
        Self::LockSut,
    ];

    /// The word for files and people.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::RunTests => "RUN_TESTS",
            Self::EditTc => "EDIT_TC",
            Self::CreateProject => "CREATE_PROJECT",
            Self::ChangeProject => "CHANGE_PROJECT",
            Self::DeleteProject => "DELETE_PROJECT",
            Self::ViewReports => "VIEW_REPORTS",
            Self::ChangeFwmCfg => "CHANGE_FWM_CFG",
            Self::ChangeGlobals => "CHANGE_GLOBALS",
            Self::ChangeDbCfg => "CHANGE_DB_CFG",
            Self::ChangeEmlCfg => "CHANGE_EML_CFG",
            Self::ChangePlugins => "CHANGE_PLUGINS",
            Self::ChangeTestbed => "CHANGE_TESTBED",
            Self::ChangeSut => "CHANGE_SUT",
            Self::ChangeServices => "CHANGE_SERVICES",
            Self::ChangeUsers => "CHANGE_USERS",
            Self::LockTestbed => "LOCK_TESTBED",
            Self::LockSut => "LOCK_SUT",
        }
    }

    /// What it opens, for people; nothing for one that is read from Twister's files alone. The book says the same.
    pub fn opens(self) -> Option<&'static str> {
        match self {
            Self::ViewReports => Some(
                "see all runs, logs, reports, EPs, resources (secrets as stars), projects, test configurations",
            ),
            Self::RunTests => Some(
                "start, stop and answer runs of one's own, see those; check and read projects; read global parameters; \
                 use devices: consoles, power, how an outlet is",
            ),
            Self::ChangeProject => Some(
                "make, change and rename projects of the lab folder, and make, change and delete test configurations; \
                 check and read them",
            ),
            Self::CreateProject => Some("make new projects; check and read all"),
            Self::DeleteProject => Some("delete projects; check and read all"),
            Self::ChangeTestbed => {
                Some("edit the resource tree, and see it; switch power over somebody's head")
            }
            Self::ChangeSut => {
                Some("edit one's own and shared SUTs, and see them with the resources that they are made of")
            }
            Self::LockTestbed => Some("lease devices"),
            Self::LockSut => Some("lease SUTs"),
            Self::ChangeGlobals => {
                Some("edit global parameters; one's tests may set them, and what they set be forgotten")
            }
            Self::ChangeServices => Some(
                "drain EPs, make tokens for them, read audit log and engine log, see who is signed in, control runs of others",
            ),
            Self::ChangeUsers => Some("accounts, groups, sessions, tokens and SUTs of others"),
            Self::EditTc => {
                Some("write, add and delete test files of the lab folder; read them, and projects")
            }
            Self::ChangeFwmCfg => Some(
                "edit `engine.toml`, panic patterns, profiles of devices and templates, and see which settings there are",
            ),
            Self::ChangeDbCfg => Some("edit `db.xml` (secrets as stars)"),
            Self::ChangeEmlCfg => {
                Some("edit `email.xml`, `mail.toml` and `webhooks.toml` (secrets as stars)")
            }
            Self::ChangePlugins => None,
        }
    }

    /// The roles that words stand for: `*` is all, `0` is none.
    ///
    /// # Errors
    /// The first word that is no role.
    pub fn parse_all<'a>(words: impl IntoIterator<Item = &'a str>) -> Result<Roles, UnknownRole> {
        let mut roles = Roles::new();
        for word in words {
            match word {
                "*" => roles.extend(Self::ALL),
                "0" | "" => {}
                word => {
                    roles.insert(word.parse()?);
                }
            }
        }
        Ok(roles)
    }
}

/// A text that is no role.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a role; the roles are {all}", all = Role::ALL.map(Role::as_str).join(", "))]
pub struct UnknownRole(String);

impl FromStr for Role {
    type Err = UnknownRole;
    fn from_str(text: &str) -> Result<Self, UnknownRole> {
        Self::ALL.into_iter().find(|role| role.as_str() == text).ok_or_else(|| UnknownRole(text.to_owned()))
    }
}

/// What a token may be used for, of all that its owner may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// Connect as an EP, and exchange files; nothing else.
    Ep,
    /// Look at everything its owner may see.
    Read,
    /// Look, and start and control runs.
    Run,
    /// Everything its owner may do.
    Admin,
}

impl Scope {
    /// Every scope.
    pub const ALL: [Self; 4] = [Self::Ep, Self::Read, Self::Run, Self::Admin];

    /// The word for the store and people.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ep => "ep",
            Self::Read => "read",
            Self::Run => "run",
            Self::Admin => "admin",
        }
    }

    /// What is left of an owner's roles.
    pub fn narrow(self, roles: &Roles) -> Roles {
        roles.iter().copied().filter(|role| self.lends(*role)).collect()
    }

    /// Whether it lends a role that its owner has.
    pub fn lends(self, role: Role) -> bool {
        match self {
            Self::Ep => false,
            Self::Read => role == Role::ViewReports,
            Self::Run => matches!(role, Role::ViewReports | Role::RunTests),
            Self::Admin => true,
        }
    }
}

impl FromStr for Scope {
    type Err = UnknownScope;
    fn from_str(text: &str) -> Result<Self, UnknownScope> {
        Self::ALL
            .into_iter()
            .find(|scope| scope.as_str() == text)
            .ok_or_else(|| UnknownScope(text.to_owned()))
    }
}

/// A text that is no scope.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a scope: ep, read, run or admin")]
pub struct UnknownScope(String);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_groups_are_read() {
        assert_eq!(Role::parse_all(["*"]).unwrap().len(), 17);
        assert!(Role::parse_all(["0"]).unwrap().is_empty());
        assert_eq!(
            Role::parse_all(["RUN_TESTS", "LOCK_SUT"]).unwrap(),
            [Role::RunTests, Role::LockSut].into()
        );
        assert_eq!(Role::parse_all(["RUN"]).unwrap_err(), UnknownRole("RUN".to_owned()));
    }

    #[test]
    fn the_book_says_of_each_role_what_it_opens() {
        let book = include_str!("../../../docs/operating.md");
        // Links stand in the book alone.
        let plain = regex::Regex::new(r"\[([^\]]+)\]\([^)]*\)").unwrap().replace_all(book, "$1").into_owned();
        for role in Role::ALL {
            let word = role.as_str();
            match role.opens() {
                Some(opens) => {
                    assert!(plain.contains(&format!("| `{word}` | {opens} |")), "{word}: {opens}");
                }
                None => assert!(plain.contains(&format!("`{word}`")), "{word}"),
            }
        }
    }

    #[test]
    fn a_token_lends_no_more_than_its_scope() {
        let all = Roles::from(Role::ALL);
        assert!(Scope::Ep.narrow(&all).is_empty());
        assert_eq!(Scope::Read.narrow(&all), [Role::ViewReports].into());
        assert_eq!(Scope::Run.narrow(&[Role::ViewReports].into()), [Role::ViewReports].into());
        assert_eq!(Scope::Admin.narrow(&all), all);
    }
}
