//! Accounts, groups and roles.

use std::collections::BTreeSet;

use actix_web::{HttpResponse, web};
use jackfield_protocol::{api::Page, error::ErrorCode, id::UserName, secret::Secret, time::Time};
use serde::{Deserialize, Serialize};

use super::Answer;
use crate::{
    app::{App, audit},
    auth::{self, Anyone, Guard, MayChangeUsers, Role},
    clock,
    failure::Failure,
    lab::eps::Withdrawn,
    run::rights,
    store::{self, account::Account},
};

const MINUTE_MILLIS: u64 = 60_000;

pub(super) fn routes(config: &mut web::ServiceConfig) {
    config
        .route("/users", web::get().to(list))
        .route("/users", web::post().to(create))
        .route("/users/{user}", web::put().to(change))
        .route("/users/{user}", web::delete().to(delete))
        .route("/users/{user}/password", web::put().to(set_password))
        .route("/groups", web::get().to(groups))
        .route("/groups/{group}", web::put().to(put_group))
        .route("/groups/{group}", web::delete().to(delete_group))
        .route("/roles", web::get().to(roles));
}

/// An account.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct UserView {
    /// Its name.
    name: UserName,
    /// Its groups.
    groups: BTreeSet<String>,
    /// Roles of its own, beside those of its groups; `*` for all.
    roles: BTreeSet<String>,
    /// Whether it may not log in.
    disabled: bool,
    /// After how many minutes without a request its browser sessions are over; 0 for never before their time.
    idle_minutes: u64,
    /// Whether it has a password; without one nobody can log in.
    has_password: bool,
    /// When it was made.
    created: Time,
}

/// An account to make.
#[derive(Deserialize, utoipa::ToSchema)]
pub(super) struct NewUser {
    /// What its owner logs in with.
    name: String,
    /// Its first password.
    password: Secret,
    /// Its groups.
    #[serde(default)]
    groups: BTreeSet<String>,
    /// Roles of its own; `*` for all.
    #[serde(default)]
    roles: BTreeSet<String>,
}

/// What of an account is to change; what is absent stays.
#[derive(Debug, Default, Deserialize, utoipa::ToSchema)]
#[serde(default)]
pub(super) struct ChangeUser {
    /// Its groups.
    groups: Option<BTreeSet<String>>,
    /// Its own roles.
    roles: Option<BTreeSet<String>>,
    /// Whether it may not log in.
    disabled: Option<bool>,
    /// After how many minutes without a request its browser sessions are over; 0 for never before their time.
    idle_minutes: Option<u32>,
}

/// A new password for someone.
#[derive(Deserialize, utoipa::ToSchema)]
pub(super) struct SetPassword {
    /// The password.
    password: Secret,
}

/// A group's roles.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
pub(super) struct GroupBody {
    /// Their words; `*` for all.
    roles: BTreeSet<String>,
}

fn view(account: Account) -> UserView {
    let Account { name, password, groups, roles, disabled, idle_millis, created } = account;
    let idle_minutes = idle_millis.unwrap_or(0) / MINUTE_MILLIS;
    UserView { name, groups, roles, disabled, idle_minutes, has_password: !password.is_empty(), created }
}

fn check_name(name: &str) -> Result<(), Failure> {
    if Account::is_name(name) {
        return Ok(());
    }
    let title = format!("`{name}` is no name; use letters, digits, `_`, `-` and `@`");
    Err(Failure::new(ErrorCode::BadRequest, title).field("name"))
}

fn check_roles(roles: &BTreeSet<String>) -> Result<(), Failure> {
    Role::parse_all(roles.iter().map(String::as_str))
        .map(drop)
        .map_err(|error| Failure::new(ErrorCode::BadRequest, error.to_string()).field("roles"))
}

async fn check_groups(conn: &mut store::Conn, groups: &BTreeSet<String>) -> Result<(), Failure> {
    let known = store::account::groups(conn).await?;
    let unknown = groups.iter().find(|group| !known.contains_key(*group));
    unknown.map_or(Ok(()), |group| {
        let known = known.into_keys().collect::<Vec<_>>().join(", ");
        let title = format!("there is no group `{group}`; there are {known}");
        Err(Failure::new(ErrorCode::BadRequest, title).field("groups"))
    })
}

async fn hashed(password: Secret) -> Result<String, Failure> {
    auth::check_new(&password)
        .map_err(|error| Failure::new(ErrorCode::BadRequest, error.to_string()).field("password"))?;
    auth::hash(password).await.map_err(|error| Failure::new(ErrorCode::Internal, error.to_string()))
}

/// Refuses what would leave nobody who may change users and can log in. What was written so far is dropped with the transaction.
async fn somebody_administers(conn: &mut store::Conn) -> Result<(), Failure> {
    if auth::somebody_administers(conn).await? {
        return Ok(());
    }
    let title =
        "nobody who can log in could change users any more; give another account the role CHANGE_USERS first";
    Err(Failure::new(ErrorCode::WrongState, title))
}

async fn existing(conn: &mut store::Conn, name: &UserName) -> Result<Account, Failure> {
    store::account::fetch(conn, name).await?.ok_or_else(|| Failure::not_found(format!("user {name}")))
}

async fn members(conn: &mut store::Conn, group: &str) -> Result<Vec<UserName>, Failure> {
    let accounts = store::account::list(conn).await?;
    let inside = accounts.into_iter().filter(|account| account.groups.contains(group));
    Ok(inside.map(|account| account.name).collect())
}

/// Ends what went on with rights that these users may have lost. Pages, consoles and uploads see to themselves
/// ([`auth::Rights`]); EPs come back at once where they still may.
async fn taken_from(app: &App, users: &[UserName], by: &UserName) -> Result<(), Failure> {
    for user in users {
        app.engine.withdraw(Withdrawn::Owner(user.clone())).await?;
    }
    Ok(rights::stop_of(app, users, by).await?)
}

/// All accounts, by name.
#[utoipa::path(get, path = "/api/v1/users", tag = "users", responses((status = 200, body = Page<UserView>)))]
pub(super) async fn list(app: web::Data<App>, _: Guard<MayChangeUsers>) -> Answer {
    let accounts = store::account::list(&mut app.store.read().await?).await?;
    Ok(HttpResponse::Ok().json(Page { items: accounts.into_iter().map(view).collect(), next: None }))
}

/// Makes an account.
#[utoipa::path(post, path = "/api/v1/users", tag = "users", request_body = NewUser,
    responses((status = 201, body = UserView), (status = 400), (status = 409)))]
pub(super) async fn create(
    app: web::Data<App>,
    guard: Guard<MayChangeUsers>,
    body: web::Json<NewUser>,
) -> Answer {
    let NewUser { name, password, groups, roles } = body.into_inner();
    check_name(&name)?;
    check_roles(&roles)?;
    let password = hashed(password).await?;
    let mut conn = app.store.write().await?;
    check_groups(&mut conn, &groups).await?;
    let name = UserName::from(name);
    if store::account::fetch(&mut conn, &name).await?.is_some() {
        return Err(
            Failure::new(ErrorCode::AlreadyExists, format!("there is a user {name} already")).field("name")
        );
    }
    let (disabled, idle_millis, created) = (false, None, clock::now());
    let account = Account { name, password, groups, roles, disabled, idle_millis, created };
    store::account::put(&mut conn, &account).await?;
    audit(&mut conn, &guard.caller, "user.create", &account.name, "").await?;
    conn.commit().await?;
    Ok(HttpResponse::Created().json(view(account)))
}

/// Changes groups and roles of an account, or closes and opens it.
#[utoipa::path(put, path = "/api/v1/users/{user}", tag = "users", params(("user" = UserName, Path)),
    request_body = ChangeUser, responses((status = 200, body = UserView), (status = 404), (status = 409)))]
pub(super) async fn change(
    app: web::Data<App>,
    guard: Guard<MayChangeUsers>,
    user: web::Path<UserName>,
    body: web::Json<ChangeUser>,
) -> Answer {
    let ChangeUser { groups, roles, disabled, idle_minutes } = body.into_inner();
    let mut conn = app.store.write().await?;
    let mut account = existing(&mut conn, &user).await?;
    account.groups = groups.unwrap_or(account.groups);
    account.roles = roles.unwrap_or(account.roles);
    account.disabled = disabled.unwrap_or(account.disabled);
    if let Some(minutes) = idle_minutes {
        account.idle_millis = (minutes > 0).then(|| u64::from(minutes).saturating_mul(MINUTE_MILLIS));
    }
    check_roles(&account.roles)?;
    check_groups(&mut conn, &account.groups).await?;
    if account.disabled && account.name == guard.caller.user {
        return Err(Failure::new(ErrorCode::WrongState, "you cannot close your own account"));
    }
    store::account::put(&mut conn, &account).await?;
    somebody_administers(&mut conn).await?;
    if account.disabled {
        store::session::close_all(&mut conn, &account.name).await?;
    }
    audit(&mut conn, &guard.caller, "user.change", &account.name, "").await?;
    conn.commit().await?;
    taken_from(&app, &[account.name.clone()], &guard.caller.user).await?;
    Ok(HttpResponse::Ok().json(view(account)))
}

/// Gives someone a new password; all their sessions end.
#[utoipa::path(put, path = "/api/v1/users/{user}/password", tag = "users", params(("user" = UserName, Path)),
    request_body = SetPassword, responses((status = 204), (status = 404)))]
pub(super) async fn set_password(
    app: web::Data<App>,
    guard: Guard<MayChangeUsers>,
    user: web::Path<UserName>,
    body: web::Json<SetPassword>,
) -> Answer {
    let password = hashed(body.into_inner().password).await?;
    let mut conn = app.store.write().await?;
    let account = existing(&mut conn, &user).await?;
    store::account::put(&mut conn, &Account { password, ..account }).await?;
    store::session::close_all(&mut conn, &user).await?;
    audit(&mut conn, &guard.caller, "user.password", &*user, "").await?;
    conn.commit().await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Deletes an account with its sessions and tokens; what it did stays recorded.
#[utoipa::path(delete, path = "/api/v1/users/{user}", tag = "users", params(("user" = UserName, Path)),
    responses((status = 204), (status = 404), (status = 409)))]
pub(super) async fn delete(
    app: web::Data<App>,
    guard: Guard<MayChangeUsers>,
    user: web::Path<UserName>,
) -> Answer {
    if *user == guard.caller.user {
        return Err(Failure::new(ErrorCode::WrongState, "you cannot delete your own account"));
    }
    let mut conn = app.store.write().await?;
    if !store::account::delete(&mut conn, &user).await? {
        return Err(Failure::not_found(format!("user {user}")));
    }
    somebody_administers(&mut conn).await?;
    audit(&mut conn, &guard.caller, "user.delete", &*user, "").await?;
    conn.commit().await?;
    taken_from(&app, &[user.into_inner()], &guard.caller.user).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// A role, in words.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct RoleView {
    /// Its word.
    role: Role,
    /// What it opens; nothing for one that is read from Twister's files alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    opens: Option<&'static str>,
}

/// All roles with what each opens.
#[utoipa::path(get, path = "/api/v1/roles", tag = "users", responses((status = 200, body = Page<RoleView>)))]
pub(super) async fn roles(_: Guard<Anyone>) -> Answer {
    let items = Role::ALL.map(|role| RoleView { role, opens: role.opens() }).into();
    std::future::ready(Ok(HttpResponse::Ok().json(Page::<RoleView> { items, next: None }))).await
}

/// All groups with their roles.
#[utoipa::path(get, path = "/api/v1/groups", tag = "users",
    responses((status = 200, body = std::collections::BTreeMap<String, BTreeSet<String>>)))]
pub(super) async fn groups(app: web::Data<App>, _: Guard<MayChangeUsers>) -> Answer {
    Ok(HttpResponse::Ok().json(store::account::groups(&mut app.store.read().await?).await?))
}

/// Makes a group, or changes its roles.
#[utoipa::path(put, path = "/api/v1/groups/{group}", tag = "users", params(("group" = String, Path)),
    request_body = GroupBody, responses((status = 204), (status = 400)))]
pub(super) async fn put_group(
    app: web::Data<App>,
    guard: Guard<MayChangeUsers>,
    group: web::Path<String>,
    body: web::Json<GroupBody>,
) -> Answer {
    check_name(&group)?;
    check_roles(&body.roles)?;
    let mut conn = app.store.write().await?;
    store::account::put_group(&mut conn, &group, &body.roles).await?;
    somebody_administers(&mut conn).await?;
    let roles = body.roles.iter().map(String::as_str).collect::<Vec<_>>().join(" ");
    audit(&mut conn, &guard.caller, "group.put", &*group, &roles).await?;
    let members = members(&mut conn, &group).await?;
    conn.commit().await?;
    taken_from(&app, &members, &guard.caller.user).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Deletes a group; its members lose its roles.
#[utoipa::path(delete, path = "/api/v1/groups/{group}", tag = "users", params(("group" = String, Path)),
    responses((status = 204), (status = 404)))]
pub(super) async fn delete_group(
    app: web::Data<App>,
    guard: Guard<MayChangeUsers>,
    group: web::Path<String>,
) -> Answer {
    let mut conn = app.store.write().await?;
    if !store::account::delete_group(&mut conn, &group).await? {
        return Err(Failure::not_found(format!("group {group}")));
    }
    somebody_administers(&mut conn).await?;
    audit(&mut conn, &guard.caller, "group.delete", &*group, "").await?;
    let members = members(&mut conn, &group).await?;
    conn.commit().await?;
    taken_from(&app, &members, &guard.caller.user).await?;
    Ok(HttpResponse::NoContent().finish())
}
