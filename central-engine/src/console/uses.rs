//! Who uses a device now: persons at consoles, sessions of tests, runs that have leased it. Power is switched over
//! nobody's head.

use std::collections::{BTreeMap, BTreeSet};

use jackfield_protocol::{
    api::{DeviceUse, UseKind},
    console::{ConsoleOn, ConsoleRow, OpenSession},
    error::ErrorCode,
    id::{EpName, RunId, SutName, UserName},
    power::PowerRequest,
    resource::Resource,
};
use jackfield_resource_allocator::ResourceId;
use jackfield_scheduler::effect::{LeaseRow, Leased};
use serde_json::Value;

use super::policy;
use crate::{
    app::App,
    auth::{Caller, Role},
    failure::Failure,
    lab::resources::Bench,
    store,
};

/// Somebody who uses a device.
pub(crate) struct Use {
    pub(crate) user: UserName,
    /// The run that does it for them.
    pub(crate) run: Option<RunId>,
    /// How: a sentence.
    pub(crate) told: String,
}

/// Everybody who uses a device of the lab, by the device's path.
pub(crate) async fn all(app: &App) -> Result<Vec<DeviceUse>, Failure> {
    let mut found = Vec::new();
    let sessions = policy::open_sessions(app, None).await?;
    let runs = |sessions: &[(EpName, OpenSession)], leases: &[LeaseRow]| -> BTreeSet<RunId> {
        sessions.iter().map(|(_, session)| session.run).chain(leases.iter().map(|lease| lease.run)).collect()
    };
    let leases = store::lease::list(&mut app.store.read().await?).await?;
    let wanted = runs(&sessions, &leases);
    let owners = app.engine.ask(move |scheduler| {
        let owner = |run: RunId| scheduler.run_view(run).map(|view| (run, view.user));
        wanted.into_iter().filter_map(owner).collect::<BTreeMap<_, _>>()
    });
    let owners = owners.await?;
    let consoles = app.consoles.rows();
    let look = move |bench: &Bench| {
        for (ep, session) in sessions {
            let path = session.resource.and_then(|id| Some(bench.tree.path(&ResourceId::parse(&id)?)));
            if let (Some(resource), Some(user)) = (path, owners.get(&session.run).cloned()) {
                let (kind, run) = (UseKind::Session, Some(session.run));
                found.push(DeviceUse {
                    resource,
                    kind,
                    user,
                    run,
                    name: Some(session.name),
                    ep: Some(ep),
                    since: None,
                });
            }
        }
        for lease in leases {
            let Leased::Sut(sut) = lease.what else { continue };
            let Some(user) = owners.get(&lease.run) else { continue };
            for resource in devices(bench, &sut) {
                let (kind, run) = (UseKind::Lease, Some(lease.run));
                let (name, since) = (Some(sut.to_string()), Some(lease.since));
                found.push(DeviceUse { resource, kind, user: user.clone(), run, name, ep: None, since });
            }
        }
        for row in consoles {
            let ConsoleRow { resource, user, run, session, ep, since, types_since, .. } = row;
            let holds = row.on == ConsoleOn::Device || types_since.is_some();
            let kind = if holds { UseKind::Types } else { UseKind::Watches };
            found.push(DeviceUse {
                resource,
                kind,
                user,
                run,
                name: session,
                ep: Some(ep),
                since: Some(since),
            });
        }
        found.sort();
        found
    };
    Ok(app.resources.look(look).await?)
}

/// The devices that a SUT is linked with, by path.
fn devices<'bench>(bench: &'bench Bench, sut: &SutName) -> impl Iterator<Item = String> + use<'bench> {
    let rows = bench.suts.sut(sut).into_iter().flat_map(|sut| sut.rows());
    rows.filter_map(|row| {
        let id = ResourceId::parse(row.properties.get("_id").and_then(Value::as_str)?)?;
        bench.tree.row(&id).map(|row| bench.tree.path(&row.id))
    })
}

/// Whether the caller may switch the device now; those who use it.
pub(crate) async fn allowed(
    app: &App,
    caller: &Caller,
    wish: &PowerRequest,
    node: &Resource,
) -> Result<Vec<Use>, Failure> {
    let may_force = caller.may(Role::ChangeTestbed);
    if wish.force && !may_force {
        let title = format!(
            "{} may not switch {} over the heads of others: that needs the role CHANGE_TESTBED",
            caller.user, node.path
        );
        return Err(Failure::new(ErrorCode::Forbidden, title));
    }
    let uses = uses(app, node).await?;
    let others: Vec<&str> =
        uses.iter().filter(|used| used.user != caller.user).map(|used| used.told.as_str()).collect();
    if others.is_empty() || wish.force {
        return Ok(uses);
    }
    let how = if may_force { "you" } else { "who has the role CHANGE_TESTBED" };
    let title = format!("{}; {how} can switch it all the same with --force", others.join("; "));
    Err(Failure::new(ErrorCode::Held, title))
}

/// Everybody who uses a device, or something that hangs on it or that it hangs on.
async fn uses(app: &App, node: &Resource) -> Result<Vec<Use>, Failure> {
    let mut all = Vec::new();
    for (resource, holder) in app.consoles.holders() {
        if let Some(path) = touched(app, node, resource).await? {
            all.push(Use { user: holder.user.clone(), run: None, told: holder.told(&path) });
        }
    }
    for (ep, session) in policy::open_sessions(app, None).await? {
        let Some(resource) = session.resource else { continue };
        if let Some(path) = touched(app, node, resource).await? {
            let told = |owner: &UserName| {
                format!(
                    "{owner}'s run {} has session `{}` open with {path} on {ep}",
                    session.run, session.name
                )
            };
            all.extend(used_by(app, session.run, told).await?);
        }
    }
    for (run, told) in leased(app, node).await? {
        all.extend(used_by(app, run, |owner| format!("{owner}'s run {run} {told}")).await?);
    }
    Ok(all)
}

async fn used_by(
    app: &App,
    run: RunId,
    told: impl FnOnce(&UserName) -> String,
) -> Result<Option<Use>, Failure> {
    let view = app.engine.ask(move |scheduler| scheduler.run_view(run)).await?;
    Ok(view.map(|view| Use { told: told(&view.user), user: view.user, run: Some(run) }))
}

/// The path of a resource, where switching the node touches it.
async fn touched(app: &App, node: &Resource, id: String) -> Result<Option<String>, Failure> {
    let of = node.path.clone();
    let look = move |bench: &Bench| {
        let path = bench.tree.path(&ResourceId::parse(&id)?);
        hangs_together(&of, &path).then_some(path)
    };
    Ok(app.resources.look(look).await?)
}

/// One is the other, or above or below it.
pub(crate) fn hangs_together(one: &str, other: &str) -> bool {
    let above = |top: &str, below: &str| {
        below.strip_prefix(top).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    above(one, other) || above(other, one)
}

/// Runs that have leased a SUT with the device in it.
async fn leased(app: &App, node: &Resource) -> Result<Vec<(RunId, String)>, Failure> {
    let leases = store::lease::list(&mut app.store.read().await?).await?;
    let of = node.path.clone();
    let look = move |bench: &Bench| {
        let holds = |lease: LeaseRow| {
            let Leased::Sut(sut) = lease.what else { return None };
            let linked = devices(bench, &sut).find(|path| hangs_together(&of, path))?;
            Some((
                lease.run,
                format!("has leased SUT {sut}, which has {linked} in it, since {}", lease.since),
            ))
        };
        leases.into_iter().filter_map(holds).collect()
    };
    Ok(app.resources.look(look).await?)
}

#[cfg(test)]
mod tests {
    use super::hangs_together;

    #[test]
    fn what_hangs_on_a_device_goes_with_it() {
        for (one, other, expect) in [
            ("/lab/r1", "/lab/r1", true),
            ("/lab/r1", "/lab/r1/card", true),
            ("/lab/r1/card", "/lab/r1", true),
            ("/lab/r1", "/lab/r10", false),
            ("/lab/r1", "/lab/r2", false),
        ] {
            assert_eq!(hangs_together(one, other), expect, "{one} {other}");
        }
    }
}
