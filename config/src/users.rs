//! `users_and_groups.ini`: who may do what, for each type of server.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use crate::{
    engine::ServerKind,
    ini::{self, Section},
    problem::{Problems, Read, suggest},
    source::{At, Source},
};

/// The roles there are; a group's `*` stands for all of them.
pub const ROLES: [&str; 17] = [
    "RUN_TESTS",
    "EDIT_TC",
    "CREATE_PROJECT",
    "CHANGE_PROJECT",
    "DELETE_PROJECT",
    "VIEW_REPORTS",
    "CHANGE_FWM_CFG",
    "CHANGE_GLOBALS",
    "CHANGE_DB_CFG",
    "CHANGE_EML_CFG",
    "CHANGE_PLUGINS",
    "CHANGE_TESTBED",
    "CHANGE_SUT",
    "CHANGE_SERVICES",
    "CHANGE_USERS",
    "LOCK_TESTBED",
    "LOCK_SUT",
];

/// The file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UsersAndGroups {
    /// `shared_tc_path`.
    pub shared_tests: Option<Arc<str>>,
    /// `shared_projects_path`.
    pub shared_projects: Option<Arc<str>>,
    /// `shared_db_cfg`.
    pub shared_db: Option<Arc<str>>,
    /// `shared_eml_cfg`.
    pub shared_email: Option<Arc<str>>,
    /// Users by name.
    pub users: BTreeMap<Arc<str>, User>,
    /// Groups by name, each with its roles.
    pub groups: BTreeMap<Arc<str>, BTreeSet<&'static str>>,
}

/// A user.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct User {
    /// Groups that count on a production server.
    pub production: Vec<Arc<str>>,
    /// Groups that count on every other server.
    pub development: Vec<Arc<str>>,
    /// Minutes after which an idle page logs out; none: never.
    pub timeout_minutes: Option<u32>,
}

impl UsersAndGroups {
    /// Reads the file.
    pub fn read(source: &Arc<Source>) -> Read<Self> {
        let mut problems = Problems::new(source);
        let top = ini::parse(source, &mut problems);
        const KEYS: [&str; 5] =
            ["shared_tc_path", "shared_projects_path", "shared_db_cfg", "shared_db_key", "shared_eml_cfg"];
        top.warn_unknown(&KEYS, &mut problems);
        for section in &top.sections {
            if !["users", "groups"].contains(&section.name.value.as_ref()) {
                let message = format!("unknown section `{}`", section.name.value);
                problems.warn(section.name.span, message, suggest(&section.name.value, ["users", "groups"]));
            }
        }
        let text = |key| top.filled(key).map(|value| Arc::clone(&value.value));
        let groups: BTreeMap<_, _> = inner(&top, "groups")
            .map(|group| (Arc::clone(&group.name.value), read_roles(group, &mut problems)))
            .collect();
        let users = inner(&top, "users")
            .map(|user| (Arc::clone(&user.name.value), read_user(user, &groups, &mut problems)))
            .collect();
        let read = Self {
            shared_tests: text("shared_tc_path"),
            shared_projects: text("shared_projects_path"),
            shared_db: text("shared_db_cfg"),
            shared_email: text("shared_eml_cfg"),
            users,
            groups,
        };
        Read { value: Some(read), problems: problems.finish() }
    }

    /// The roles of a user on a server of this type; none for a user who is not in the file.
    pub fn roles(&self, user: &str, kind: ServerKind) -> Option<BTreeSet<&'static str>> {
        let user = self.users.get(user)?;
        let groups = match kind {
            ServerKind::Production => &user.production,
            ServerKind::NoType | ServerKind::Development => &user.development,
        };
        Some(groups.iter().filter_map(|group| self.groups.get(group)).flatten().copied().collect())
    }
}

fn inner<'s>(top: &'s Section, name: &str) -> impl Iterator<Item = &'s Section> {
    top.section(name).into_iter().flat_map(|section| &section.sections)
}

fn read_roles(group: &Section, problems: &mut Problems) -> BTreeSet<&'static str> {
    group.warn_unknown(&["roles"], problems);
    let mut roles = BTreeSet::new();
    for role in group.list("roles") {
        let known = ROLES.iter().find(|known| **known == role.value.as_ref());
        match (role.value.as_ref(), known) {
            ("*", _) => roles.extend(ROLES),
            ("0", _) => {}
            (_, Some(known)) => drop(roles.insert(*known)),
            (name, None) => problems.error(role.span, format!("unknown role `{name}`"), suggest(name, ROLES)),
        }
    }
    roles
}

fn read_user(
    user: &Section,
    groups: &BTreeMap<Arc<str>, BTreeSet<&'static str>>,
    problems: &mut Problems,
) -> User {
    user.warn_unknown(&["groups_production", "groups_development", "groups", "timeout", "key"], problems);
    let mut read = |key| {
        let list: Vec<At<Arc<str>>> = user.list(key);
        for group in list.iter().filter(|group| !groups.contains_key(&group.value)) {
            let help = suggest(&group.value, groups.keys().map(AsRef::as_ref));
            problems.error(group.span, format!("there is no group `{}`", group.value), help);
        }
        list.into_iter().map(|group| group.value).collect::<Vec<_>>()
    };
    let both = read("groups");
    let or_both = |list: Vec<Arc<str>>| if list.is_empty() { both.clone() } else { list };
    let (production, development) = (or_both(read("groups_production")), or_both(read("groups_development")));
    let timeout = user.filled("timeout").and_then(|timeout| {
        let minutes = timeout_minutes(&timeout.value);
        if minutes.is_none() {
            problems.error(
                timeout.span,
                format!("timeout is `{}`", timeout.value),
                "write minutes, such as 30, or 0 for none",
            );
        }
        minutes
    });
    User { production, development, timeout_minutes: timeout.filter(|minutes| *minutes > 0) }
}

/// `30`, or the older `00:30:00`.
fn timeout_minutes(text: &str) -> Option<u32> {
    let parts: Vec<u32> = text.split(':').map(|part| part.trim().parse().ok()).collect::<Option<_>>()?;
    match parts.as_slice() {
        [minutes] => Some(*minutes),
        [hours, minutes, seconds] => {
            hours.checked_mul(60)?.checked_add(*minutes)?.checked_add(seconds.div_ceil(60))
        }
        _ => None,
    }
}
