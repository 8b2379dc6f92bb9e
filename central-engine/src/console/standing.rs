//! Who has a device now, as the book of leases says: asked before a person types at it, or its power is switched.

use jackfield_protocol::{
    error::{ErrorCode, Problem},
    id::{ConsoleId, LeaseId, UserName},
    resource::Resource,
};
use jackfield_resource_allocator::book::{Ask, Holder, Lease, Set, Spot, Tie, Who, Wish};

use crate::{
    app::App,
    auth::{Caller, Role},
    engine::Wished,
    failure::Failure,
    lab::resources::Bench,
};

/// Everybody who has a device, something under it, or something that it is under.
pub(crate) struct Standing {
    spot: Spot,
    pub(crate) leases: Vec<Held>,
}

/// A lease that stands on a device.
pub(crate) struct Held {
    pub(crate) lease: Lease,
    /// The person who has it, or whose run does.
    pub(crate) user: Option<UserName>,
    /// Who has what, since when, why.
    pub(crate) told: String,
}

impl Held {
    fn console(&self) -> Option<ConsoleId> {
        match self.lease.tie {
            Tie::Console(console) => Some(console),
            Tie::Free | Tie::Beat { .. } => None,
        }
    }

    /// Whether a person may use the device beside, or instead of, the holder.
    pub(crate) fn lets_in(&self, caller: &Caller) -> bool {
        match &self.lease.holder {
            Holder::Run(_) => caller.may(Role::ChangeTestbed) || self.user.as_ref() == Some(&caller.user),
            // Whoever may repair things is let in while they are maintained.
            Holder::Lab(_) => caller.may(Role::ChangeTestbed) || self.lease.admits(&caller.user),
            Holder::Person(_) => self.lease.admits(&caller.user),
        }
    }
}

impl Standing {
    pub(crate) async fn of(app: &App, node: &Resource) -> Result<Self, Failure> {
        Ok(Self::on(app, node.id.clone()).await?)
    }

    /// The same of a node by its id.
    pub(crate) async fn on(app: &App, id: String) -> Result<Self, Problem> {
        let look = move |bench: &Bench| bench.tree.spot(&id);
        let spot = app.resources.look(look).await?;
        let spot = spot.map_err(|error| Problem::new(error.code(), error.to_string()).field("resource"))?;
        let on = spot.clone();
        let leases = app.engine.ask(move |scheduler| {
            let held = |lease: Lease| {
                let user = scheduler.lease_user(&lease);
                let told = match (lease.tie, lease.since, &user) {
                    (Tie::Console(_), Some(since), Some(user)) => {
                        format!("{user} has {} on a console since {since}", lease.what)
                    }
                    _ => scheduler.lease_told(&lease),
                };
                Held { told, user, lease }
            };
            scheduler.leases_on(&on).into_iter().map(held).collect()
        });
        Ok(Self { spot, leases: leases.await? })
    }

    /// The console that somebody has on the device itself.
    pub(crate) fn console(&self) -> Option<(ConsoleId, &str)> {
        self.leases.iter().find_map(|held| {
            let here = held.lease.what.set()?.nodes.iter().any(|spot| spot.node == self.spot.node);
            Some((held.console().filter(|_| here)?, held.told.as_str()))
        })
    }

    /// The person who keeps a test of this user from the device: at a console, or with a lease in which they are no guest. What
    /// runs have of each other is the scheduler's, by their SUTs.
    pub(crate) fn keeps_out(&self, user: &UserName) -> Option<&str> {
        let console = self.console().map(|(_, told)| told);
        let person = |held: &&Held| held.lease.holder.run().is_none() && held.console().is_none();
        let shares =
            self.leases.iter().filter(person).any(|held| held.lease.shared && held.lease.admits(user));
        let held = self.leases.iter().filter(person);
        let held = held.filter(|held| !held.lease.admits(user)).find(|held| !(shares && held.lease.shared));
        console.or(held.map(|held| held.told.as_str()))
    }

    /// The lease that lets the caller use the device, if somebody has it. Where several share it, one that is theirs is enough.
    pub(crate) fn let_in(&self, caller: &Caller) -> Result<Option<&Lease>, Failure> {
        let leases = || self.leases.iter().filter(|held| held.console().is_none());
        let inside = leases().filter(|held| held.lets_in(caller)).map(|held| &held.lease).next_back();
        let shares = inside.is_some_and(|lease| lease.shared);
        let keeps_out = |held: &&Held| !(held.lets_in(caller) || shares && held.lease.shared);
        if let Some(held) = leases().find(keeps_out) {
            let remedy = match held.lease.holder {
                Holder::Run(run) => format!("wait until run {run} has ended, or watch its sessions"),
                Holder::Person(_) | Holder::Lab(_) => {
                    format!("ask to be let in: `jackfield lease allow {} {}`", held.lease.id, caller.user)
                }
            };
            return Err(Failure::new(ErrorCode::Held, format!("{}; {remedy}", held.told)));
        }
        Ok(inside)
    }

    /// Takes the device for a console, for as long as that is open.
    pub(crate) async fn take(
        &self,
        app: &App,
        caller: &Caller,
        console: ConsoleId,
        inside: Option<&Lease>,
    ) -> Result<LeaseId, Problem> {
        let set = Set { nodes: vec![self.spot.clone()], ..Set::default() };
        let ask = Ask {
            purpose: format!("console {console}"),
            tie: Tie::Console(console),
            // Beside others who share the device; not beside their consoles.
            shared: inside.is_some_and(|lease| lease.shared),
            inside: inside.map(|lease| lease.id),
            ..Ask::new(set, Holder::Person(caller.user.clone()))
        };
        let who = Who { user: caller.user.clone(), manages: false };
        let wish = Wish::Ask(Box::new(ask));
        let wished = Wished { lease: LeaseId::default(), who, wish, deed: None };
        app.engine.lease(wished).await.map(|lease| lease.id)
    }
}
