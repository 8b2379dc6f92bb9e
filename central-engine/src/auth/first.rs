//! The first start: groups to begin with, and one account that may do everything.

use std::collections::BTreeSet;

use jackfield_protocol::{id::UserName, secret::Secret, time::Time};

use super::{Scope, password, secret};
use crate::store::{
    self, Store,
    account::Account,
    token::{Joined, TokenRow},
};

/// The account that is made at the first start.
const ADMIN: &str = "admin";

/// The groups a lab begins with; it may change them.
const GROUPS: [(&str, &[&str]); 3] = [
    ("admin", &["*"]),
    (
        "tester",
        &[
            "RUN_TESTS",
            "EDIT_TC",
            "CREATE_PROJECT",
            "CHANGE_PROJECT",
            "DELETE_PROJECT",
            "VIEW_REPORTS",
            "CHANGE_GLOBALS",
            "CHANGE_TESTBED",
            "CHANGE_SUT",
            "LOCK_TESTBED",
            "LOCK_SUT",
        ],
    ),
    ("viewer", &["VIEW_REPORTS"]),
];

/// Where no account exists yet: makes the groups and an administrator. The answer is the password, to be shown once.
///
/// # Errors
/// The store does not answer, or the operating system gives no random bytes.
pub async fn first_start(store: &Store, now: Time) -> anyhow::Result<Option<Secret>> {
    if !store::account::list(&mut store.read().await?).await?.is_empty() {
        return Ok(None);
    }
    let password = secret::random_password()?;
    let hash = password::hash(password.clone()).await?;
    let mut conn = store.write().await?;
    for (name, roles) in GROUPS {
        let roles: BTreeSet<String> = roles.iter().map(|role| (*role).to_owned()).collect();
        store::account::put_group(&mut conn, name, &roles).await?;
    }
    let admin = Account {
        name: UserName::from(ADMIN),
        password: hash,
        groups: BTreeSet::from(["admin".to_owned()]),
        roles: BTreeSet::new(),
        disabled: false,
        idle_millis: None,
        created: now,
    };
    store::account::put(&mut conn, &admin).await?;
    store::audit::add(&mut conn, now, "engine", ("user.create", ADMIN), "first start").await?;
    conn.commit().await?;
    Ok(Some(password))
}

/// Makes a token that does not expire, for a part of the same installation; the answer is its secret.
///
/// # Errors
/// The store does not answer, or the operating system gives no random bytes.
pub async fn make_token(
    store: &Store,
    owner: &UserName,
    name: &str,
    scope: Scope,
    now: Time,
) -> anyhow::Result<Secret> {
    let token = secret::random_token()?;
    let (owner, name) = (owner.clone(), name.to_owned());
    let scope = scope.as_str().to_owned();
    let row =
        TokenRow { id: 0, owner, name, scope, created: now, expires: None, used: None, joined: Joined::Any };
    let mut conn = store.write().await?;
    let id = store::token::insert(&mut conn, &secret::token_hash(token.expose_for_hash()), &row).await?;
    let detail = format!("{} ({})", row.name, row.scope);
    store::audit::add(&mut conn, now, "engine", ("token.create", &id.to_string()), &detail).await?;
    conn.commit().await?;
    Ok(token)
}
