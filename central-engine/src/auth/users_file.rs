//! `users_and_groups.ini`: the accounts that a Twister lab brings along.
//!
//! Taken over once, by the first engine that finds the file. It holds no passwords (Twister used those of the system),
//! so nobody can log in to the new accounts until somebody sets one. From then on accounts are the engine's: what is
//! edited in the file afterwards is told at every start and log-in, and changes nothing.

use std::collections::{BTreeMap, BTreeSet};

use jackfield_config::{Lab, engine::ServerKind, problem, users::UsersAndGroups};
use jackfield_protocol::{id::UserName, time::Time};
use serde::{Deserialize, Serialize};

use super::Role;
use crate::store::{self, Conn, Store, account::Account};

const MINUTE_MILLIS: u64 = 60_000;
const FILE: &str = "users_and_groups.ini";

/// What counts of the file on a server of one type.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Taken {
    /// The groups of each user.
    users: BTreeMap<String, BTreeSet<String>>,
    /// The roles of each group.
    groups: BTreeMap<String, BTreeSet<String>>,
    /// After how many minutes the users whom it names are logged out; none in what earlier versions wrote.
    #[serde(default)]
    idle_minutes: Option<BTreeMap<String, u32>>,
}

impl Taken {
    fn of(file: &UsersAndGroups, kind: ServerKind) -> Self {
        let users = file.users.iter().map(|(name, user)| {
            let groups = match kind {
                ServerKind::Production => &user.production,
                ServerKind::NoType | ServerKind::Development => &user.development,
            };
            (name.to_string(), groups.iter().map(ToString::to_string).collect())
        });
        let groups = file.groups.iter().map(|(name, roles)| {
            let all = roles.len() == Role::ALL.len();
            let words = if all { vec!["*"] } else { roles.iter().copied().collect() };
            (name.to_string(), words.into_iter().map(str::to_owned).collect())
        });
        let idle =
            file.users.iter().filter_map(|(name, user)| Some((name.to_string(), user.timeout_minutes?)));
        Self { users: users.collect(), groups: groups.collect(), idle_minutes: Some(idle.collect()) }
    }
}

/// Makes accounts and groups of the file, if that was never done, and leaves alone what exists. The answer is what the
/// person who starts the engine should know.
///
/// # Errors
/// The store does not answer.
pub(crate) async fn take_over(
    store: &Store,
    lab: &Lab,
    kind: ServerKind,
    now: Time,
) -> anyhow::Result<Vec<String>> {
    let Some(read) = lab.users() else { return Ok(Vec::new()) };
    let errors = problem::has_errors(&read.problems);
    let Some(file) = read.value.filter(|_| !errors) else {
        let mut notices: Vec<String> = read.problems.iter().map(ToString::to_string).collect();
        notices.push(format!("{FILE} has errors: no accounts are made of it until they are mended"));
        return Ok(notices);
    };
    let file = Taken::of(&file, kind);
    let mut conn = store.write().await?;
    if let Some(before) = store::taken::fetch::<Taken>(&mut conn, FILE).await? {
        return Ok(changes(&before, &file).into_iter().collect());
    }
    let notices = make(&mut conn, &file, now).await?;
    store::taken::put(&mut conn, FILE, &file).await?;
    conn.commit().await?;
    Ok(notices)
}

/// What was edited in the file since its accounts were taken over, for somebody who may do something about it.
///
/// # Errors
/// The store does not answer.
pub(crate) async fn edits(store: &Store, lab: &Lab, kind: ServerKind) -> anyhow::Result<Vec<String>> {
    let Some(read) = lab.users() else { return Ok(Vec::new()) };
    let Some(before) = store::taken::fetch::<Taken>(&mut store.read().await?, FILE).await? else {
        return Ok(Vec::new());
    };
    let errors = problem::has_errors(&read.problems);
    Ok(match read.value.filter(|_| !errors) {
        Some(file) => changes(&before, &Taken::of(&file, kind)).into_iter().collect(),
        None => read.problems.iter().map(ToString::to_string).collect(),
    })
}

async fn make(conn: &mut Conn, file: &Taken, now: Time) -> anyhow::Result<Vec<String>> {
    let known = store::account::groups(conn).await?;
    let (mut usable, mut other, mut unnamed) = (BTreeSet::new(), Vec::new(), Vec::new());
    for (name, roles) in &file.groups {
        match known.get(name) {
            None if !Account::is_name(name) => unnamed.push(name.as_str()),
            None => {
                store::account::put_group(conn, name, roles).await?;
                usable.insert(name.clone());
            }
            Some(known) if same_roles(known, roles) => drop(usable.insert(name.clone())),
            Some(_) => other.push(name.as_str()),
        }
    }
    let (mut made, mut kept) = (Vec::new(), Vec::new());
    for (name, groups) in &file.users {
        if !Account::is_name(name) {
            unnamed.push(name);
        } else if store::account::fetch(conn, &UserName::from(name.as_str())).await?.is_some() {
            kept.push(name.as_str());
        } else {
            let account = account(name, groups, &usable, file, now);
            store::account::put(conn, &account).await?;
            store::audit::add(conn, now, "engine", ("user.create", name), FILE).await?;
            made.push(name.as_str());
        }
    }
    Ok(told(&made, &kept, &other, &unnamed))
}

/// An account without password. Roles of groups that it cannot be put into are its own.
fn account(
    name: &str,
    groups: &BTreeSet<String>,
    usable: &BTreeSet<String>,
    file: &Taken,
    now: Time,
) -> Account {
    let lost = groups.difference(usable).filter_map(|group| file.groups.get(group));
    Account {
        name: UserName::from(name),
        password: String::new(),
        groups: groups.intersection(usable).cloned().collect(),
        roles: lost.flatten().cloned().collect(),
        disabled: false,
        idle_millis: file
            .idle_minutes
            .as_ref()
            .and_then(|idle| idle.get(name))
            .map(|minutes| u64::from(*minutes).saturating_mul(MINUTE_MILLIS)),
        created: now,
    }
}

fn same_roles(one: &BTreeSet<String>, other: &BTreeSet<String>) -> bool {
    let roles = |words: &BTreeSet<String>| Role::parse_all(words.iter().map(String::as_str));
    roles(one) == roles(other)
}

fn told(made: &[&str], kept: &[&str], other: &[&str], unnamed: &[&str]) -> Vec<String> {
    let lines = [
        (
            made,
            "made accounts for",
            "; they have no password yet, so set one: `jackfield user password NAME`",
        ),
        (kept, "there are accounts already for", ", which stay as they are"),
        (
            other,
            "there are groups already with other roles:",
            "; they stay so, and whom the file puts into them has the roles of the file as their own",
        ),
        (unnamed, "left out, since names have only letters, digits, `_`, `-` and `@`:", ""),
    ];
    let told = lines.into_iter().filter(|(names, ..)| !names.is_empty());
    told.map(|(names, before, after)| format!("{FILE}: {before} {}{after}", names.join(", "))).collect()
}

/// What was edited since the file was taken over.
fn changes(before: &Taken, now: &Taken) -> Option<String> {
    let mut parts = Vec::new();
    for (what, before, now) in [("user", &before.users, &now.users), ("group", &before.groups, &now.groups)] {
        let new = now.keys().filter(|name| !before.contains_key(*name));
        parts.extend(new.map(|name| format!("{what} {name} is new")));
        let gone = before.keys().filter(|name| !now.contains_key(*name));
        parts.extend(gone.map(|name| format!("{what} {name} is gone")));
        let other = now.iter().filter(|(name, now)| before.get(*name).is_some_and(|before| before != *now));
        parts.extend(other.map(|(name, _)| format!("{what} {name} is another")));
    }
    if let (Some(before), Some(now)) = (&before.idle_minutes, &now.idle_minutes) {
        let names: BTreeSet<&String> = before.keys().chain(now.keys()).collect();
        let other = names.into_iter().filter(|name| before.get(*name) != now.get(*name));
        parts.extend(other.map(|name| format!("the timeout of user {name} is another")));
    }
    if parts.is_empty() {
        return None;
    }
    Some(format!(
        "{FILE} was edited since its accounts were made ({}), which changes nothing: accounts are the engine's now; \
         use `jackfield user`",
        parts.join(", ")
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::first_start;

    const TEXT: &str = "[users]\n[[admin]]\ngroups = admin\n[[ana]]\ngroups_production = boss\n\
        groups_development = night, tester\ntimeout = 15\n[[b.c]]\ngroups = night\n\
        [groups]\n[[admin]]\nroles = *\n[[boss]]\nroles = *\n[[night]]\nroles = RUN_TESTS, VIEW_REPORTS\n\
        [[tester]]\nroles = RUN_TESTS, EDIT_TC\n";

    #[tokio::test]
    async fn accounts_are_made_once_and_none_is_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join(FILE);
        std::fs::write(&file, TEXT).unwrap();
        let lab = Lab::open(folder.path()).unwrap();
        let store =
            Store::open(&folder.path().join("store.sqlite").display().to_string(), Time(1)).await.unwrap();
        first_start(&store, Time(1)).await.unwrap();
        let take = || take_over(&store, &lab, ServerKind::Development, Time(2));
        assert_eq!(
            take().await.unwrap(),
            [
                "users_and_groups.ini: made accounts for ana; they have no password yet, so set one: `jackfield user password NAME`",
                "users_and_groups.ini: there are accounts already for admin, which stay as they are",
                "users_and_groups.ini: there are groups already with other roles: tester; they stay so, and whom the file puts into them has the roles of the file as their own",
                "users_and_groups.ini: left out, since names have only letters, digits, `_`, `-` and `@`: b.c",
            ]
        );
        let mut conn = store.read().await.unwrap();
        let ana = store::account::fetch(&mut conn, &"ana".into()).await.unwrap().unwrap();
        assert_eq!(ana.groups, ["night".to_owned()].into());
        assert_eq!(ana.roles, ["EDIT_TC".to_owned(), "RUN_TESTS".to_owned()].into());
        assert!(ana.password.is_empty());
        assert_eq!(ana.idle_millis, Some(15 * 60_000));
        let admin = store::account::fetch(&mut conn, &"admin".into()).await.unwrap().unwrap();
        assert!(!admin.password.is_empty(), "the administrator can log in");
        drop(conn);
        assert!(take().await.unwrap().is_empty(), "what was taken is not told again");
        std::fs::write(
            &file,
            TEXT.replace("[[b.c]]", "[[carl]]").replace(", EDIT_TC", "").replace("= 15", "= 5"),
        )
        .unwrap();
        assert_eq!(
            take().await.unwrap(),
            [
                "users_and_groups.ini was edited since its accounts were made (user carl is new, user b.c is gone, \
              group tester is another, the timeout of user ana is another), which changes nothing: accounts are the engine's now; use `jackfield user`"
            ]
        );
        assert_eq!(store::account::list(&mut store.read().await.unwrap()).await.unwrap().len(), 2);
    }

    #[tokio::test]
    async fn a_file_with_errors_makes_no_account_until_it_is_mended() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join(FILE);
        std::fs::write(&file, TEXT.replace("EDIT_TC", "EDIT_TD")).unwrap();
        let lab = Lab::open(folder.path()).unwrap();
        let store =
            Store::open(&folder.path().join("store.sqlite").display().to_string(), Time(1)).await.unwrap();
        let take = || take_over(&store, &lab, ServerKind::Production, Time(2));
        let told = take().await.unwrap().join("\n");
        assert!(told.contains("unknown role `EDIT_TD`") && told.contains("until they are mended"), "{told}");
        std::fs::write(&file, TEXT).unwrap();
        take().await.unwrap();
        let ana = store::account::fetch(&mut store.read().await.unwrap(), &"ana".into()).await.unwrap();
        assert_eq!(ana.unwrap().groups, ["boss".to_owned()].into(), "on a production server");
    }
}
