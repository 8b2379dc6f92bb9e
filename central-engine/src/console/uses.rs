//! Who uses a device now: persons at consoles, sessions of tests, runs that have leased it. Power is switched over
//! nobody's head.

use std::collections::{BTreeMap, BTreeSet};

use jackfield_protocol::{
    api::{DeviceUse, UseKind},
    console::{ConsoleOn, ConsoleRow},
    error::ErrorCode,
    id::{RunId, UserName},
    power::PowerRequest,
    resource::Resource,
};
use jackfield_resource_allocator::ResourceId;

use super::{
    policy,
    standing::{Held, Standing},
};
use crate::{
    app::App,
    auth::{Caller, Role},
    failure::Failure,
    lab::resources::Bench,
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
    let wanted: BTreeSet<RunId> = sessions.iter().map(|(_, session)| session.run).collect();
    let owners = app.engine.ask(move |scheduler| {
        let owner = |run: RunId| scheduler.run_view(run).map(|view| (run, view.user));
        wanted.into_iter().filter_map(owner).collect::<BTreeMap<_, _>>()
    });
    let owners = owners.await?;
    let leases = app.engine.ask(|scheduler| {
        // Consoles are told below, with who types.
        let held = scheduler.book().leases().filter(|lease| lease.holds() && !lease.is_console());
        held.filter_map(|lease| Some((lease.clone(), scheduler.lease_user(lease)?))).collect::<Vec<_>>()
    });
    let leases = leases.await?;
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
        for (lease, user) in leases {
            let Some(set) = lease.what.set() else { continue };
            let name = (!set.suts.is_empty()).then(|| set.sut_names());
            for spot in set.nodes.iter().filter(|spot| bench.tree.row(&spot.node).is_some()) {
                found.push(DeviceUse {
                    resource: bench.tree.path(&spot.node),
                    kind: UseKind::Lease,
                    user: user.clone(),
                    run: lease.holder.run(),
                    name: name.clone(),
                    ep: None,
                    since: lease.since,
                });
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
    let uses = uses(app, caller, node).await?;
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
async fn uses(app: &App, caller: &Caller, node: &Resource) -> Result<Vec<Use>, Failure> {
    let mut all = Vec::new();
    for held in Standing::of(app, node).await?.leases {
        // A guest may do what the holder may.
        let guest = held.lease.holder.run().is_none() && held.lets_in(caller);
        let user = if guest { Some(caller.user.clone()) } else { held.user.clone() };
        let told = match held.lease.holder.run() {
            Some(run) => of_run(&held, run, node),
            None => held.told.clone(),
        };
        all.extend(user.map(|user| Use { user, run: held.lease.holder.run(), told }));
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

/// What a run has of the device: the SUT that it leased, with what of it is in that.
fn of_run(held: &Held, run: RunId, node: &Resource) -> String {
    let nodes = held.lease.what.set().map(|set| set.nodes.as_slice()).unwrap_or_default();
    let linked = nodes.iter().map(|spot| spot.path.as_str()).find(|path| hangs_together(&node.path, path));
    let owner = held.user.as_ref().map_or_else(|| "somebody".to_owned(), ToString::to_string);
    let since = held.lease.since.map(|since| format!(", since {since}")).unwrap_or_default();
    format!(
        "{owner}'s run {run} has leased {}, which has {} in it{since}",
        held.lease.what,
        linked.unwrap_or(&node.path)
    )
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
