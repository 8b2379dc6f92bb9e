//! The way back in for whoever owns the lab folder: a password that was lost, an account that was closed, roles that were given away.

use std::collections::BTreeSet;

use anyhow::{Result, bail};
use jackfield_protocol::{id::UserName, secret::Secret, time::Time};

use super::{Role, password, secret};
use crate::store::{self, Store, account::Account};

/// The group that an account is put into: it is made to hold every role where it does not.
const GROUP: &str = "admin";

/// Opens an account, or makes it, lets it do everything, and gives it a new password, which is the answer. All its sessions end.
///
/// # Errors
/// A name that is none, or the store does not answer.
pub async fn recover(store: &Store, user: &str, now: Time) -> Result<Secret> {
    if !Account::is_name(user) {
        bail!("`{user}` is no name; use letters, digits, `_`, `-` and `@`");
    }
    let user = UserName::from(user);
    let password = secret::random_password()?;
    let hash = password::hash(password.clone()).await?;
    let mut conn = store.write().await?;
    let groups = store::account::groups(&mut conn).await?;
    let does_all = |roles: &BTreeSet<String>| {
        Role::parse_all(roles.iter().map(String::as_str)).is_ok_and(|roles| roles.len() == Role::ALL.len())
    };
    if !groups.get(GROUP).is_some_and(does_all) {
        store::account::put_group(&mut conn, GROUP, &BTreeSet::from(["*".to_owned()])).await?;
    }
    let there = store::account::fetch(&mut conn, &user).await?;
    let (created, roles) =
        there.as_ref().map_or((now, BTreeSet::new()), |account| (account.created, account.roles.clone()));
    let idle_millis = there.as_ref().and_then(|account| account.idle_millis);
    let mut groups = there.map(|account| account.groups).unwrap_or_default();
    groups.insert(GROUP.to_owned());
    let account =
        Account { name: user.clone(), password: hash, groups, roles, disabled: false, idle_millis, created };
    store::account::put(&mut conn, &account).await?;
    store::session::close_all(&mut conn, &user).await?;
    store::audit::add(&mut conn, now, "owner of the lab folder", ("user.recover", user.as_str()), "").await?;
    conn.commit().await?;
    Ok(password)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth;

    #[tokio::test]
    async fn the_owner_of_the_folder_gets_back_in() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path().join("db").to_str().unwrap(), Time(0)).await.unwrap();
        auth::first_start(&store, Time(0)).await.unwrap();
        let mut conn = store.write().await.unwrap();
        store::account::delete_group(&mut conn, "admin").await.unwrap();
        let admin = store::account::fetch(&mut conn, &"admin".into()).await.unwrap().unwrap();
        store::account::put(&mut conn, &Account { disabled: true, groups: BTreeSet::new(), ..admin })
            .await
            .unwrap();
        conn.commit().await.unwrap();
        assert!(!auth::somebody_administers(&mut store.read().await.unwrap()).await.unwrap());
        for user in ["admin", "ana"] {
            let password = recover(&store, user, Time(1)).await.unwrap();
            let account =
                store::account::fetch(&mut store.read().await.unwrap(), &user.into()).await.unwrap().unwrap();
            assert!(!account.disabled && auth::matches(password, account.password).await.unwrap());
        }
        assert!(auth::somebody_administers(&mut store.read().await.unwrap()).await.unwrap());
        assert!(recover(&store, "../x", Time(1)).await.is_err());
    }
}
