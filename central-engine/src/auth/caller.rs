//! From a cookie or a token to a person with roles.

use std::collections::BTreeSet;

use jackfield_protocol::{
    error::{ErrorCode, Problem},
    id::{EpName, UserName},
    link::Hello,
    time::Time,
};

use super::{Role, Roles, Scope, secret::token_hash, standing::Recognised};
use crate::{
    clock, limits,
    store::{self, Conn, Store, StoreError, token::Joined},
};

/// Someone whose name is proven.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The account.
    pub user: UserName,
    /// What they may do here and now.
    pub roles: Roles,
    /// How they proved it.
    pub credential: Credential,
}

/// How a caller proved who they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Credential {
    /// A browser session.
    Session,
    /// A token.
    Token(Scope),
}

impl Caller {
    /// Whether they may do this.
    pub fn may(&self, role: Role) -> bool {
        self.roles.contains(&role)
    }

    /// Whether they come as an EP.
    pub fn is_ep(&self) -> bool {
        self.credential == Credential::Token(Scope::Ep)
    }

    /// Whether they may control what this user started.
    pub fn controls(&self, owner: &UserName) -> bool {
        self.user == *owner || self.may(Role::ChangeServices)
    }
}

/// Whose browser session this is; none when it is over, was left alone for too long, or never was. Asking is use.
///
/// # Errors
/// The store does not answer.
pub async fn of_session(store: &Store, secret: &str, now: Time) -> Result<Option<Caller>, StoreError> {
    Ok(recognise_session(store, secret, now).await?.map(|found| found.caller))
}

/// The same with the time until which it holds.
pub(super) async fn recognise_session(
    store: &Store,
    secret: &str,
    now: Time,
) -> Result<Option<Recognised>, StoreError> {
    let Some((session, caller)) = look_at_session(store, secret, now).await? else { return Ok(None) };
    // Often enough that nobody is sent away who was there, and no write for each request.
    let touched_each = session.idle_millis.map(|idle| idle / limits::SESSION_TOUCHES);
    let is_due = touched_each.is_some_and(|each| now.millis_since(session.used) >= each);
    if is_due {
        let mut conn = store.write().await?;
        store::session::touch(&mut conn, &token_hash(secret), now).await?;
        conn.commit().await?;
    }
    let used = if is_due { now } else { session.used };
    let due = touched_each.map_or(session.expires, |each| used.plus_millis(each));
    Ok(caller.map(|caller| Recognised { caller, until: due.min(session.expires) }))
}

/// The same for somebody who looks after it, which is no use.
///
/// # Errors
/// The store does not answer.
pub(super) async fn of_session_unused(
    store: &Store,
    secret: &str,
    now: Time,
) -> Result<Option<Caller>, StoreError> {
    Ok(look_at_session(store, secret, now).await?.and_then(|(_, caller)| caller))
}

/// A session that is open, and whose; none where that account is gone.
async fn look_at_session(
    store: &Store,
    secret: &str,
    now: Time,
) -> Result<Option<(store::session::Open, Option<Caller>)>, StoreError> {
    let mut conn = store.read().await?;
    let Some(session) = store::session::find(&mut conn, &token_hash(secret), now).await? else {
        return Ok(None);
    };
    let user = session.owner.clone();
    let roles = roles_of(&mut conn, &user).await?;
    Ok(Some((session, roles.map(|roles| Caller { user, roles, credential: Credential::Session }))))
}

/// Whose token this is; none when it has expired or never was.
///
/// # Errors
/// The store does not answer.
pub async fn of_token(store: &Store, secret: &str, now: Time) -> Result<Option<Caller>, StoreError> {
    Ok(recognise_token(store, secret, now).await?.map(|found| found.caller))
}

/// The same with the time until which it holds.
pub(super) async fn recognise_token(
    store: &Store,
    secret: &str,
    now: Time,
) -> Result<Option<Recognised>, StoreError> {
    let owned = owner_of(store, secret, now).await?;
    Ok(owned.map(|Owned { token: _, owner, scope, roles, joined: _, expires }| Recognised {
        caller: Caller { roles: scope.narrow(&roles), user: owner, credential: Credential::Token(scope) },
        until: expires.unwrap_or(Time(i64::MAX)),
    }))
}

/// What the store knows a token by: whoever sends all of one has sent its pin, too, which is for them and not for us.
pub(super) fn hash_of_token(secret: &str) -> String {
    token_hash(jackfield_tls::Credential::parts(secret).0)
}

/// A token that is valid, with all that its owner may do.
struct Owned {
    token: u64,
    owner: UserName,
    scope: Scope,
    roles: Roles,
    joined: Joined,
    expires: Option<Time>,
}

async fn owner_of(store: &Store, secret: &str, now: Time) -> Result<Option<Owned>, StoreError> {
    let mut conn = store.read().await?;
    let Some(token) = store::token::find(&mut conn, &hash_of_token(secret), now).await? else {
        return Ok(None);
    };
    let Ok(scope) = token.scope.parse::<Scope>() else { return Ok(None) };
    let Some(roles) = roles_of(&mut conn, &token.owner).await? else { return Ok(None) };
    drop(conn);
    // A note for people: nobody waits for a busy store because of it.
    if token.used.is_none_or(|used| now.millis_since(used) > limits::TOKEN_TOUCH_MILLIS)
        && let Some(mut conn) = store.try_write().await?
    {
        store::token::touch(&mut conn, token.id, now).await?;
        conn.commit().await?;
    }
    let store::token::TokenRow { id, owner, joined, expires, .. } = token;
    Ok(Some(Owned { token: id, owner, scope, roles, joined, expires }))
}

/// What lets an EP connect, until somebody takes it away.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pass {
    /// The number of its token.
    pub token: u64,
    /// Whose token it is.
    pub owner: UserName,
    /// Whether it is for one EP alone, and none has come yet.
    pub is_new: bool,
}

/// Whether the token of an EP lets it connect under its name, and take the work that it wants to take.
///
/// # Errors
/// It does not, or the store does not answer.
pub async fn check_ep(store: &Store, hello: &Hello) -> Result<Pass, Problem> {
    let Hello { ep, instance, pool, token, .. } = hello;
    if let Some(Owned { token, owner, scope: Scope::Ep, roles, joined, expires: _ }) =
        owner_of(store, token.expose_for_hash(), clock::now()).await?
    {
        check_joined(&joined, ep, instance)?;
        check_pool(store, ep, pool.as_ref(), &owner, &roles).await?;
        return Ok(Pass { token, owner, is_new: joined == Joined::Nobody });
    }
    let title = format!(
        "the token of EP {ep} is not valid; make one with `jackfield token create NAME --scope ep` and put it into ep.toml"
    );
    Err(Problem::new(ErrorCode::Unauthenticated, title).field("token"))
}

/// A token that was made for one EP is for the first that comes with it: a copy of it opens nothing.
fn check_joined(joined: &Joined, ep: &EpName, instance: &str) -> Result<(), Problem> {
    match joined {
        Joined::By { ep: owner, instance: of } if (owner, &**of) != (ep, instance) => {
            let which = if owner == ep { "with another work folder" } else { "which it belongs to" };
            let title = format!(
                "the token of EP {ep} was used already, by EP {owner} {which}; it was made for one EP (`--join`): make another \
                 with `jackfield token create NAME --scope ep`; if nobody here has used this one, it was stolen: revoke it"
            );
            Err(Problem::new(ErrorCode::Forbidden, title).field("token"))
        }
        Joined::By { .. } | Joined::Any | Joined::Nobody => Ok(()),
    }
}

/// Gives the token of an EP that the loop has let in to that EP, where it is for one alone. Whoever revokes a token, closes an account or takes
/// a role away ends the links that the loop knows: what was done before it knew this one is found here.
///
/// # Errors
/// Another EP was faster, the token was revoked meanwhile, its owner may not offer this EP any more, or the store does not answer.
pub async fn join(store: &Store, pass: &Pass, ep: (&EpName, &str, Option<&UserName>)) -> Result<(), Problem> {
    let (ep, instance, pool) = ep;
    if pass.is_new {
        let mut conn = store.write().await?;
        store::token::join(&mut conn, pass.token, ep, instance).await?;
        conn.commit().await?;
    }
    let refused = |title| Err(Problem::new(ErrorCode::Unauthenticated, title).field("token"));
    let mut conn = store.read().await?;
    match store::token::joined(&mut conn, pass.token).await? {
        Some(joined) => check_joined(&joined, ep, instance)?,
        None => return refused(format!("the token of EP {ep} was revoked")),
    }
    let roles = roles_of(&mut conn, &pass.owner).await?;
    drop(conn);
    match roles {
        Some(roles) => check_pool(store, ep, pool, &pass.owner, &roles).await,
        None => refused(format!("the token of EP {ep} is one of {}, whose account is closed", pass.owner)),
    }
}

/// Who operates the engine may offer an EP to anybody; everybody else offers theirs to their own work only.
async fn check_pool(
    store: &Store,
    ep: &EpName,
    pool: Option<&UserName>,
    owner: &UserName,
    roles: &Roles,
) -> Result<(), Problem> {
    let forbidden = |title: String| Err(Problem::new(ErrorCode::Forbidden, title).field("pool"));
    if pool != Some(owner) && !roles.contains(&Role::ChangeServices) {
        let wanted = pool.map_or("of everybody".to_owned(), |pool| format!("of {pool}"));
        return forbidden(format!(
            "EP {ep} wants to take the work {wanted}, but its token is one of {owner}, who lacks the role {}; \
             set pool = \"{owner}\" in ep.toml, or use a token of somebody who has it",
            Role::ChangeServices.as_str()
        ));
    }
    let Some(pool) = pool else { return Ok(()) };
    match store::account::fetch(&mut store.read().await?, pool).await? {
        Some(_) => Ok(()),
        None => {
            forbidden(format!("the pool of EP {ep} is {pool}, who has no account; correct `pool` in ep.toml"))
        }
    }
}

/// Whether the user whose test asks may do this; a test has its user's rights and no more.
///
/// # Errors
/// They may not, or the store does not answer.
pub(crate) async fn check_user(store: &Store, user: &UserName, role: Role) -> Result<(), Problem> {
    let roles = roles_of(&mut store.read().await?, user).await?;
    if roles.is_some_and(|roles| roles.contains(&role)) {
        return Ok(());
    }
    let title = format!("{user}, whose run this is, may not do this; it needs the role {}", role.as_str());
    Err(Problem::new(ErrorCode::Forbidden, title))
}

/// Whether some account that is open and has a password may change users.
///
/// # Errors
/// The store does not answer.
pub(crate) async fn somebody_administers(conn: &mut Conn) -> Result<bool, StoreError> {
    for account in store::account::list(conn).await? {
        let can_log_in = !account.disabled && !account.password.is_empty();
        if can_log_in
            && roles_of(conn, &account.name).await?.is_some_and(|roles| roles.contains(&Role::ChangeUsers))
        {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The roles of an account; none where it is gone or disabled.
async fn roles_of(conn: &mut Conn, user: &UserName) -> Result<Option<Roles>, StoreError> {
    let Some(account) = store::account::fetch(conn, user).await?.filter(|account| !account.disabled) else {
        return Ok(None);
    };
    let groups = store::account::groups(conn).await?;
    let of_groups = account.groups.iter().filter_map(|name| groups.get(name)).flatten();
    let words: BTreeSet<&str> = of_groups.chain(&account.roles).map(String::as_str).collect();
    // A role of a later build grants nothing here.
    let known = words.into_iter().filter_map(|word| Role::parse_all([word]).ok());
    Ok(Some(known.flatten().collect()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{account::Account, token::TokenRow};

    #[tokio::test]
    async fn what_was_taken_away_while_an_ep_connected_is_found_when_it_is_let_in() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("store").display().to_string(), Time(0)).await.unwrap();
        let ana = UserName::from("ana");
        let account = |disabled| Account {
            name: ana.clone(),
            password: String::new(),
            groups: BTreeSet::new(),
            roles: BTreeSet::new(),
            disabled,
            idle_millis: None,
            created: Time(0),
        };
        let mut conn = store.write().await.unwrap();
        store::account::put(&mut conn, &account(false)).await.unwrap();
        let row = TokenRow {
            id: 0,
            owner: ana.clone(),
            name: "ep".to_owned(),
            scope: "ep".to_owned(),
            created: Time(0),
            expires: None,
            used: None,
            joined: Joined::Any,
        };
        let token = store::token::insert(&mut conn, "hash", &row).await.unwrap();
        conn.commit().await.unwrap();
        let pass = Pass { token, owner: ana.clone(), is_new: false };
        let ep = EpName::from("EP-1");
        let told =
            async |pool| join(&store, &pass, (&ep, "one", pool)).await.map_err(|problem| problem.title);
        assert_eq!(told(Some(&ana)).await, Ok(()));
        let for_all = told(None).await.unwrap_err();
        assert!(for_all.contains("lacks the role CHANGE_SERVICES"), "{for_all}");
        let mut conn = store.write().await.unwrap();
        store::account::put(&mut conn, &account(true)).await.unwrap();
        conn.commit().await.unwrap();
        let closed = told(Some(&ana)).await.unwrap_err();
        assert!(closed.contains("one of ana, whose account is closed"), "{closed}");
        let mut conn = store.write().await.unwrap();
        assert!(store::token::delete(&mut conn, token).await.unwrap());
        conn.commit().await.unwrap();
        let revoked = told(Some(&ana)).await.unwrap_err();
        assert!(revoked.contains("was revoked"), "{revoked}");
    }
}
