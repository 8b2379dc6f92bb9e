//! A person's console on a device: found, checked against what they may do, and joined to the EP that reaches it.

use std::collections::BTreeMap;

use actix_web::{HttpRequest, HttpResponse, web};
use jackfield_config::{Lookup, ep::ConsolePolicy};
use jackfield_protocol::{
    api::{EpState, Page},
    console::{
        CONSOLE_CAPABILITY, CONSOLE_SUBPROTOCOL, ConsoleOf, ConsoleOn, ConsoleOrder, ConsoleRow, OpenSession,
    },
    error::ErrorCode,
    id::{EpName, RunId, UserName},
    resource::Resource,
};
use serde::Deserialize;
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use super::{Answer, App, Failure};
use crate::{
    auth::{Caller, Guard, MayRead, Role, Secret},
    clock,
    consoles::{OpenConsole, Person, audit, joined, serve},
};

pub(super) fn routes(config: &mut web::ServiceConfig) {
    config.route("/console", web::get().to(open)).route("/consoles", web::get().to(list));
}

/// What to look at.
#[derive(Clone, Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct ConsoleQuery {
    /// Id or path of a resource.
    resource: String,
    /// Only a session of this run.
    run: Option<RunId>,
    /// Only the session that tests call so.
    session: Option<String>,
    /// Only through this EP.
    ep: Option<EpName>,
    /// Type at once, as soon as what the test does is done.
    #[serde(default)]
    take: bool,
    /// Only watch; a device that no test uses is not opened.
    #[serde(default)]
    watch: bool,
    /// Connect to a device without logging in.
    #[serde(default)]
    raw: bool,
}

/// Who sits at consoles now, and at what; by number.
#[utoipa::path(get, path = "/api/v1/consoles", tag = "eps", responses((status = 200, body = Page<ConsoleRow>)))]
pub(super) async fn list(app: web::Data<App>, _: Guard<MayRead>) -> Answer {
    std::future::ready(Ok(HttpResponse::Ok().json(Page { items: app.consoles.rows(), next: None }))).await
}

/// Where a console leads.
struct Place {
    ep: EpName,
    of: ConsoleOf,
    /// Why the person may only watch.
    watch_only: Option<String>,
}

/// A terminal on a device: a WebSocket with subprotocol `jackfield.console.v1`. Binary frames are what a terminal sends and shows, text
/// frames are JSON (docs/console.md). Without a session of a test the device is opened for the caller, and theirs until they close it.
#[utoipa::path(get, path = "/api/v1/console", tag = "eps", params(ConsoleQuery),
    responses((status = 101), (status = 403), (status = 404), (status = 409), (status = 503)))]
pub(super) async fn open(
    request: HttpRequest,
    body: web::Payload,
    app: web::Data<App>,
    guard: Guard<MayRead>,
    query: web::Query<ConsoleQuery>,
) -> Answer {
    let (caller, query) = (guard.caller, query.into_inner());
    let node = node(&app, &query.resource).await?;
    let mut console = app.consoles.open()?;
    let place = find(&app, &caller, &query, &node, &mut console).await?;
    let upgraded = actix_ws::handle_with_protocols(&request, body, &[CONSOLE_SUBPROTOCOL]);
    let (response, session, stream) = upgraded
        .map_err(|error| Failure::new(ErrorCode::BadRequest, format!("a console is a WebSocket: {error}")))?;
    let secret = Secret::random()
        .map_err(|error| Failure::new(ErrorCode::Internal, format!("no random secret: {error}")))?;
    let Place { ep, of, watch_only } = place;
    let take = query.take && !query.watch;
    let (user, target) = (caller.user, node.path);
    let told = told(&of, &ep, take);
    let order = ConsoleOrder {
        console: console.id,
        secret: secret.reveal().to_owned(),
        user: user.clone(),
        of,
        take,
        watch_only,
    };
    let row = row(&order, &ep, &target);
    let (id, of) = (row.console, row.run.zip(row.session.clone()));
    console.show(row);
    let person = Person { console: id, session, user, ep, target, of, over: CancellationToken::new() };
    audit(&app, &person, "console.open", &told).await;
    let tasks = app.tasks.clone();
    let stream = joined(stream);
    let serving = serve(app, console, Box::new(order), secret, person, stream);
    actix_web::rt::spawn(tasks.track_future(serving));
    Ok(response)
}

/// A console as lists show it.
fn row(order: &ConsoleOrder, ep: &EpName, path: &str) -> ConsoleRow {
    let (on, run, session) = match &order.of {
        ConsoleOf::Session { run, name } => (ConsoleOn::Session, Some(*run), Some(name.clone())),
        ConsoleOf::Device { .. } => (ConsoleOn::Device, None, None),
        ConsoleOf::Console { .. } => (ConsoleOn::Console, None, None),
    };
    ConsoleRow {
        console: order.console,
        user: order.user.clone(),
        resource: path.to_owned(),
        ep: ep.clone(),
        on,
        run,
        session,
        since: clock::now(),
        types_since: None,
    }
}

/// What is opened, for the audit log.
fn told(of: &ConsoleOf, ep: &EpName, take: bool) -> String {
    let how = if take { "to take over" } else { "to watch" };
    match of {
        ConsoleOf::Session { run, name } => format!("{how} session {name} of run {run} on {ep}"),
        ConsoleOf::Console { console } => format!("to watch console {console} on {ep}"),
        ConsoleOf::Device { raw, .. } => {
            format!("the device, from {ep}{}", if *raw { ", without login" } else { "" })
        }
    }
}

pub(super) async fn node(app: &App, query: &str) -> Result<Resource, Failure> {
    let found = app.resources.get(query.to_owned()).await?;
    serde_json::from_value(found).map_err(|error| {
        let title = format!("`{query}` is no device; name a node, not one property: {error}");
        Failure::new(ErrorCode::BadRequest, title).field("resource")
    })
}

/// The session of a test, else the console of somebody, else the device itself.
async fn find(
    app: &App,
    caller: &Caller,
    query: &ConsoleQuery,
    node: &Resource,
    console: &mut OpenConsole,
) -> Result<Place, Failure> {
    let policy = policy(node)?;
    if let Some((ep, session)) = session(app, query, node).await? {
        let OpenSession { run, name, .. } = session;
        let view = app.engine.ask(move |scheduler| scheduler.run_view(run)).await?;
        let owner = view.map(|view| view.user);
        let watch_only = if query.watch {
            Some("you asked to watch".to_owned())
        } else {
            policy.or_else(|| not_theirs(caller, owner.as_ref(), run))
        };
        return Ok(Place { ep, of: ConsoleOf::Session { run, name }, watch_only });
    }
    if let Some(holder) = app.consoles.holder(&node.id) {
        if query.watch {
            let of = ConsoleOf::Console { console: holder.console };
            return Ok(Place { ep: holder.ep, of, watch_only: Some("you asked to watch".to_owned()) });
        }
        let title = format!("{}; watch it with --watch", holder.told(&node.path));
        return Err(Failure::new(ErrorCode::Held, title));
    }
    if query.watch || query.run.is_some() || query.session.is_some() {
        let title = format!(
            "no test has {} open, and nobody has it on a console, as far as you asked: there is nothing to watch",
            node.path
        );
        return Err(Failure::new(ErrorCode::NotFound, title));
    }
    if let Some(why) = policy {
        return Err(Failure::new(ErrorCode::Forbidden, why));
    }
    if !may_use_devices(caller) {
        let title = format!(
            "{} may watch sessions of tests, but not open {}: that needs the role RUN_TESTS or CHANGE_TESTBED",
            caller.user, node.path
        );
        return Err(Failure::new(ErrorCode::Forbidden, title));
    }
    let ep = fit_ep(app, caller, query.ep.as_ref(), CONSOLE_CAPABILITY, &node.path).await?;
    let of = device(app, caller, node, query.raw).await?;
    console.hold(&node.id, &caller.user, &ep).map_err(|holder| {
        Failure::new(ErrorCode::Held, format!("{}; watch it with --watch", holder.told(&node.path)))
    })?;
    Ok(Place { ep, of, watch_only: None })
}

/// Who may start a test on a device may as well type at it.
fn may_use_devices(caller: &Caller) -> bool {
    caller.may(Role::RunTests) || caller.may(Role::ChangeTestbed)
}

/// Why somebody may not type into the session of a run.
fn not_theirs(caller: &Caller, owner: Option<&UserName>, run: RunId) -> Option<String> {
    let own = owner.is_some_and(|owner| *owner == caller.user) && caller.may(Role::RunTests);
    if own || caller.may(Role::ChangeTestbed) {
        return None;
    }
    let owner = owner.map_or_else(|| "somebody else".to_owned(), ToString::to_string);
    Some(format!("{owner} started run {run}, and you lack the role CHANGE_TESTBED"))
}

/// What the resource itself says of consoles: why nobody may type there, or that nobody may even look.
fn policy(node: &Resource) -> Result<Option<String>, Failure> {
    let Some(word) = node.properties.get("console").and_then(Value::as_str) else { return Ok(None) };
    match ConsolePolicy::parse(word) {
        Ok(ConsolePolicy::Take) => Ok(None),
        Ok(ConsolePolicy::Watch) => Ok(Some(format!("{} has console = watch", node.path))),
        Ok(ConsolePolicy::Off) => {
            let title = format!("{} has console = off: no consoles are opened to it", node.path);
            Err(Failure::new(ErrorCode::Forbidden, title))
        }
        Err(words) => {
            let title = format!("property `console` of {} is `{word}`: write {words}", node.path);
            Err(Failure::new(ErrorCode::BadRequest, title))
        }
    }
}

/// The sessions that tests have open now, on one EP or all.
pub(super) async fn open_sessions(
    app: &App,
    on: Option<&EpName>,
) -> Result<Vec<(EpName, OpenSession)>, Failure> {
    let views = app.engine.ask(|scheduler| scheduler.ep_view().collect::<Vec<_>>()).await?;
    let eps = views.into_iter().filter(|view| {
        view.state != EpState::Offline
            && on.is_none_or(|ep| *ep == view.ep)
            && app.ways.reach(&view.ep, CONSOLE_CAPABILITY)
            && (!view.runs.is_empty() || !view.working.is_empty())
    });
    Ok(app.ways.sessions(eps.map(|view| view.ep).collect()).await)
}

/// The session that tests have open to a resource.
async fn session(
    app: &App,
    query: &ConsoleQuery,
    node: &Resource,
) -> Result<Option<(EpName, OpenSession)>, Failure> {
    let found = open_sessions(app, query.ep.as_ref()).await?;
    let mut fitting: Vec<_> = found
        .into_iter()
        .filter(|(_, session)| {
            session.resource.as_deref() == Some(node.id.as_str())
                && query.run.is_none_or(|run| run == session.run)
                && query.session.as_ref().is_none_or(|name| *name == session.name)
        })
        .collect();
    if fitting.len() > 1 {
        let told: Vec<String> = fitting
            .iter()
            .map(|(ep, session)| format!("`{}` of run {} on {ep}", session.name, session.run))
            .collect();
        let title = format!(
            "tests have several sessions with {}: {}; say which with --run, --session or --ep",
            node.path,
            told.join(", ")
        );
        return Err(Failure::new(ErrorCode::BadRequest, title));
    }
    Ok(fitting.pop())
}

/// An EP that can do this with a device for a person: the one that was named, else the one with the least to do.
pub(super) async fn fit_ep(
    app: &App,
    caller: &Caller,
    named: Option<&EpName>,
    capability: &str,
    path: &str,
) -> Result<EpName, Failure> {
    let views = app.engine.ask(|scheduler| scheduler.ep_view().collect::<Vec<_>>()).await?;
    let serves = |pool: Option<&UserName>| {
        pool.is_none_or(|pool| *pool == caller.user || caller.may(Role::ChangeServices))
    };
    let fit = views.into_iter().filter(|view| {
        named.is_none_or(|named| *named == view.ep)
            && matches!(view.state, EpState::Idle | EpState::Busy)
            && app.ways.reach(&view.ep, capability)
            && serves(view.offer.pool.as_ref())
    });
    let best = fit.min_by_key(|view| (view.state == EpState::Busy, view.working.len(), view.ep.clone()));
    best.map(|view| view.ep).ok_or_else(|| {
        let which = named.map_or_else(|| "no EP".to_owned(), |named| format!("EP {named} is not one that"));
        let title = format!(
            "{which} is connected, serves {} and has the capability `{capability}`, so nobody can reach {path}; see `jackfield eps list`",
            caller.user
        );
        Failure::new(ErrorCode::Unavailable, title)
    })
}

/// Everything an EP needs to reach a device.
async fn device(app: &App, caller: &Caller, node: &Resource, raw: bool) -> Result<ConsoleOf, Failure> {
    let mut others = BTreeMap::new();
    for path in paths(&node.properties) {
        let other: Resource = self::node(app, &path).await?;
        others.insert(path, other.properties);
    }
    // One that cannot be read is missed by the EP, with its name, where the device needs it.
    let profiles = Lookup::profiles(&app.lab.as_user(&caller.user));
    let profiles = profiles.into_iter().filter_map(|(file, read)| Some((file, read.ok()?))).collect();
    let (path, properties) = (node.path.clone(), node.properties.clone());
    Ok(ConsoleOf::Device { path, properties, others, profiles, raw })
}

/// The resources that the hosts between are named by.
fn paths(properties: &BTreeMap<String, Value>) -> Vec<String> {
    let jump = properties.iter().find(|(name, _)| name.eq_ignore_ascii_case("jump")).map(|(_, value)| value);
    let words: Vec<&str> = match jump {
        Some(Value::String(text)) => text.split(',').collect(),
        Some(Value::Array(hops)) => hops.iter().filter_map(Value::as_str).collect(),
        Some(Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_)) | None => Vec::new(),
    };
    words.into_iter().map(str::trim).filter(|word| word.starts_with('/')).map(str::to_owned).collect()
}
