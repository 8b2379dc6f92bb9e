//! Where a person's console on a device leads, and whether they may have it: the session of a test, the console of
//! somebody else, or the device itself through an EP that reaches it.

use std::collections::BTreeMap;

use jackfield_config::{Lookup, ep::ConsolePolicy};
use jackfield_protocol::{
    api::EpState,
    console::{CONSOLE_CAPABILITY, ConsoleOf, OpenSession},
    error::ErrorCode,
    id::{EpName, RunId, UserName},
    resource::Resource,
};
use serde::Deserialize;
use serde_json::Value;

use super::standing::Standing;
use crate::{
    app::App,
    auth::{Caller, Role},
    failure::Failure,
    lab::consoles::OpenConsole,
};

/// What to look at.
#[derive(Clone, Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct ConsoleQuery {
    /// Id or path of a resource.
    pub(crate) resource: String,
    /// Only a session of this run.
    pub(crate) run: Option<RunId>,
    /// Only the session that tests call so.
    pub(crate) session: Option<String>,
    /// Only through this EP.
    pub(crate) ep: Option<EpName>,
    /// Type at once, as soon as what the test does is done.
    #[serde(default)]
    pub(crate) take: bool,
    /// Only watch; a device that no test uses is not opened.
    #[serde(default)]
    pub(crate) watch: bool,
    /// Connect to a device without logging in.
    #[serde(default)]
    pub(crate) raw: bool,
}

/// Where a console leads.
pub(crate) struct Place {
    pub(crate) ep: EpName,
    pub(crate) of: ConsoleOf,
    /// Why the person may only watch.
    pub(crate) watch_only: Option<String>,
}

/// What is opened, for the audit log.
pub(crate) fn told(of: &ConsoleOf, ep: &EpName, take: bool) -> String {
    let how = if take { "to take over" } else { "to watch" };
    match of {
        ConsoleOf::Session { run, name } => format!("{how} session {name} of run {run} on {ep}"),
        ConsoleOf::Console { console } => format!("to watch console {console} on {ep}"),
        ConsoleOf::Device { raw, .. } => {
            format!("the device, from {ep}{}", if *raw { ", without login" } else { "" })
        }
    }
}

/// The node that a person names.
pub(crate) async fn node(app: &App, query: &str) -> Result<Resource, Failure> {
    let found = app.resources.get(query.to_owned()).await?;
    serde_json::from_value(found).map_err(|error| {
        let title = format!("`{query}` is no device; name a node, not one property: {error}");
        Failure::new(ErrorCode::BadRequest, title).field("resource")
    })
}

/// The session of a test, else the console of somebody, else the device itself.
pub(crate) async fn find(
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
    let standing = Standing::of(app, node).await?;
    if let Some((console, told)) = standing.console() {
        if let Some(row) = app.consoles.row(console).filter(|_| query.watch) {
            let of = ConsoleOf::Console { console };
            return Ok(Place { ep: row.ep, of, watch_only: Some("you asked to watch".to_owned()) });
        }
        return Err(Failure::new(ErrorCode::Held, format!("{told}; watch it with --watch")));
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
    let inside = standing.let_in(caller)?;
    let ep = fit_ep(app, caller, query.ep.as_ref(), CONSOLE_CAPABILITY, &node.path).await?;
    let of = device(app, caller, node, query.raw).await?;
    let lease = standing.take(app, caller, console.id, inside).await?;
    let (engine, user) = (app.engine.clone(), caller.user.clone());
    console.at_end(move || engine.give_back(lease, &user));
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
pub(crate) async fn open_sessions(
    app: &App,
    on: Option<&EpName>,
) -> Result<Vec<(EpName, OpenSession)>, Failure> {
    let views = app.engine.ask(|scheduler| scheduler.ep_view().collect::<Vec<_>>()).await?;
    let eps = views.into_iter().filter(|view| {
        view.state != EpState::Offline
            && on.is_none_or(|ep| *ep == view.ep)
            && app.eps.reach(&view.ep, CONSOLE_CAPABILITY)
            && (!view.runs.is_empty() || !view.working.is_empty())
    });
    Ok(app.eps.sessions(eps.map(|view| view.ep).collect()).await)
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
pub(crate) async fn fit_ep(
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
            && app.eps.reach(&view.ep, capability)
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
