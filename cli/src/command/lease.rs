//! `jackfield lease …`: devices and SUTs for oneself, for a time; who has them now; and their way back.

mod hold;
mod told;

use std::{collections::BTreeMap, sync::mpsc, time::Duration};

use anyhow::{Result, bail};
use clap::Subcommand;
use jackfield_protocol::{
    api::Page,
    id::{LeaseId, UserName},
    lease::{HolderKind, LeaseForecast, LeaseRequest, LeaseState, LeaseView},
    time::Time,
};
use serde_json::{Value, json};

use self::told::{line, list, show};
pub(super) use self::told::{line_of, now, state as state_of, who as who_of};
use crate::{
    Context,
    client::encoded,
    exit::Exit,
    output::{self, span_of},
    signal,
};

/// Between two looks at a lease that is waited for.
const LOOK: Duration = Duration::from_millis(250);
/// How long a lease is kept for this command when its turn has come: it looks far more often.
const OFFER_MILLIS: u64 = 15_000;

/// Who has which device, and until when.
#[derive(Subcommand)]
pub(crate) enum Lease {
    /// Take devices, all or none; with a command, for as long as that runs.
    Take(Box<Take>),
    /// Who has what, who waits, and who has booked.
    List {
        /// Also the newest of those that are over.
        #[arg(long)]
        ended: bool,
        /// Only those of this person.
        #[arg(long, value_name = "USER")]
        owner: Option<String>,
        /// Only those on this resource, under it or over it.
        #[arg(long, value_name = "PATH")]
        resource: Option<String>,
    },
    /// Everything about one.
    Show {
        /// Its number, or a resource that somebody has.
        lease: String,
    },
    /// Give one back, stop to wait, or cancel a booking.
    Release {
        /// Its number, or a resource that you have.
        lease: String,
    },
    /// Keep one longer, or shorter.
    Extend {
        /// Its number, or a resource that you have.
        lease: String,
        /// How long from now: 90s, 10m, 2h.
        #[arg(long = "for", value_name = "TIME", value_parser = span_of, conflicts_with = "until")]
        length: Option<Duration>,
        /// Until then: 2026-11-20T18:00:00Z.
        #[arg(long, value_name = "INSTANT")]
        until: Option<Time>,
    },
    /// Hand one over: it is somebody else's from now on, with a new number.
    Transfer {
        /// Its number, or a resource that you have.
        lease: String,
        /// To whom.
        owner: String,
    },
    /// Take one away from somebody; that needs the role `CHANGE_TESTBED`.
    Force {
        /// Its number, or a resource that somebody else has.
        lease: String,
        /// Why; its holder reads it.
        #[arg(long, value_name = "TEXT")]
        reason: String,
        /// Time that the holder has to leave: 5m.
        #[arg(long, value_name = "TIME", value_parser = span_of)]
        grace: Option<Duration>,
    },
    /// Let somebody use what you have, as you do.
    Allow {
        /// Its number, or a resource that you have.
        lease: String,
        /// Whom.
        owner: String,
        /// No longer.
        #[arg(long = "not")]
        not: bool,
    },
    /// Take what is offered to you.
    Accept {
        /// Its number.
        lease: String,
    },
}

/// What is taken, and on which terms.
#[derive(clap::Args)]
pub(crate) struct Take {
    /// Ids or paths; each with all that is under it.
    resource: Vec<String>,
    /// Instead of names, what is needed: `2x kind=router, ports>=4`, `dut: kind=router else kind=switch; phone: kind=phone; same bench`.
    #[arg(long, value_name = "NEEDS", conflicts_with_all = ["resource", "sut"])]
    needs: Option<String>,
    /// Take nothing: say when it could be had, which resources it would be, and after whom.
    #[arg(long, conflicts_with_all = ["command", "wait", "offer"])]
    dry_run: bool,
    /// A SUT, with the resources that it links to; may be said several times.
    #[arg(long, value_name = "SUT")]
    sut: Vec<String>,
    /// For how long: 90s, 10m, 2h. Two hours without it, or as long as the command runs.
    #[arg(long = "for", value_name = "TIME", value_parser = span_of)]
    length: Option<Duration>,
    /// Why; others read it.
    #[arg(long, value_name = "TEXT", default_value = "")]
    reason: String,
    /// What others should know.
    #[arg(long, value_name = "TEXT", default_value = "")]
    note: String,
    /// Wait for it if somebody has it, at most so long: 30m.
    #[arg(long, value_name = "TIME", value_parser = span_of)]
    wait: Option<Duration>,
    /// Do not stay to wait: when the turn comes, it is offered for so long, to be taken with `jackfield lease accept`.
    #[arg(long, value_name = "TIME", value_parser = span_of, requires = "wait", conflicts_with = "command")]
    offer: Option<Duration>,
    /// Book it for later: 2026-11-20T06:00:00Z.
    #[arg(long, value_name = "INSTANT", requires = "length", conflicts_with_all = ["command", "wait", "offer"])]
    begin: Option<Time>,
    /// Others may have it too, if they share it.
    #[arg(long)]
    shared: bool,
    /// A key for those who search, such as `build=417`; may be said several times.
    #[arg(long, value_name = "KEY=VALUE")]
    context: Vec<String>,
    /// The higher, the sooner; above 0 needs the role `CHANGE_TESTBED`.
    #[arg(long, value_name = "NUMBER", default_value_t = 0, allow_negative_numbers = true)]
    priority: i32,
    /// A command that runs while it is yours, with its number in `JACKFIELD_LEASE`. It is given back when the command ends, or the shell dies.
    #[arg(last = true, value_name = "COMMAND")]
    command: Vec<String>,
}

impl Lease {
    pub(crate) fn run(&self, context: &Context) -> Result<Exit> {
        let client = &context.client;
        match self {
            Self::Take(take) => return take.run(context),
            Self::List { ended, owner, resource } => {
                let owner =
                    owner.as_deref().map_or_else(String::new, |user| format!("&user={}", encoded(user)));
                let resource = resource
                    .as_deref()
                    .map_or_else(String::new, |path| format!("&resource={}", encoded(path)));
                let page: Page<LeaseView> = client.get(&format!("/leases?ended={ended}{owner}{resource}"))?;
                context.output.list(&page.items, |leases| list(leases, now()))?;
            }
            Self::Show { lease } => {
                let view: LeaseView =
                    client.get(&format!("/leases/{}", number(context, lease, Meant::Any)?))?;
                context.output.print(&view, |view| show(view, now()))?;
            }
            Self::Release { lease } => act(context, lease, "release", &json!({}))?,
            Self::Extend { lease, length, until } => {
                if length.is_none() && until.is_none() {
                    bail!("say how long: --for 2h from now, or --until an instant");
                }
                let body = json!({"for_millis": length.map(millis), "until": until});
                act(context, lease, "extend", &body)?;
            }
            Self::Transfer { lease, owner } => act(context, lease, "transfer", &json!({"to": owner}))?,
            Self::Force { lease, reason, grace } => {
                let grace = grace.map_or(0, millis);
                act(context, lease, "force", &json!({"reason": reason, "grace_millis": grace}))?;
            }
            Self::Allow { lease, owner, not } => {
                act(context, lease, "allow", &json!({"user": owner, "allowed": !not}))?;
            }
            Self::Accept { lease } => act(context, lease, "accept", &json!({}))?,
        }
        Ok(Exit::Done)
    }
}

/// Does something with a lease, and says how it is then.
fn act(context: &Context, lease: &str, verb: &str, body: &Value) -> Result<()> {
    let meant = if verb == "force" { Meant::OfOthers } else { Meant::Own };
    let id = number(context, lease, meant)?;
    let view: LeaseView = context.client.post(&format!("/leases/{id}/{verb}"), body)?;
    context.output.print(&view, |view| line(view, now()))
}

/// Of the leases on one resource, which is meant.
#[derive(Clone, Copy)]
enum Meant {
    Own,
    OfOthers,
    /// One's own, if there is one.
    Any,
}

/// The lease with a number, or the one on a resource that is no run's: one's own, or that of somebody else.
fn number(context: &Context, lease: &str, meant: Meant) -> Result<LeaseId> {
    #[derive(serde::Deserialize)]
    struct Me {
        user: UserName,
    }
    if let Ok(id) = lease.parse() {
        return Ok(id);
    }
    let me: Me = context.client.get("/me")?;
    let page: Page<LeaseView> = context.client.get(&format!("/leases?resource={}", encoded(lease)))?;
    let all = page.items.iter().filter(|view| view.holder != HolderKind::Run);
    let (own, others): (Vec<_>, Vec<_>) = all.partition(|view| view.user.as_ref() == Some(&me.user));
    let (found, left) = match meant {
        Meant::Own => (own, others),
        Meant::OfOthers => (others, own),
        Meant::Any if own.is_empty() => (others, own),
        Meant::Any => (own, others),
    };
    let found = meant_most(found);
    let lines = |views: &[&LeaseView]| {
        views.iter().map(|view| format!("\n  {}", line(view, now()))).collect::<String>()
    };
    match (found.as_slice(), meant) {
        ([one], _) => Ok(one.id),
        ([_, ..], _) => {
            bail!("there are several leases on {lease}; say which by its number:{}", lines(&found))
        }
        ([], _) if left.is_empty() => {
            bail!("no person has, wants or has booked {lease}; see `jackfield lease list`")
        }
        ([], Meant::OfOthers) => {
            bail!(
                "nobody but you has a lease on {lease}; give yours back with `jackfield lease release`:{}",
                lines(&left)
            )
        }
        ([], Meant::Own | Meant::Any) => {
            bail!(
                "you have no lease on {lease}; that of somebody else is named by its number:{}",
                lines(&left)
            )
        }
    }
}

/// Of several leases on one resource, those that a path means: not what a console has for itself, and not what is still to come, where there is
/// something else.
fn meant_most(found: Vec<&LeaseView>) -> Vec<&LeaseView> {
    let is_now = |view: &&&LeaseView| view.console.is_none() && view.state != LeaseState::Asked;
    let is_booked = |view: &&&LeaseView| view.console.is_none();
    let now: Vec<&LeaseView> = found.iter().filter(is_now).copied().collect();
    let booked: Vec<&LeaseView> = found.iter().filter(is_booked).copied().collect();
    [now, booked].into_iter().find(|meant| !meant.is_empty()).unwrap_or(found)
}

impl Take {
    fn run(&self, context: &Context) -> Result<Exit> {
        if self.dry_run {
            let forecast: LeaseForecast = context.client.post("/leases/forecast", &self.request()?)?;
            context.output.print(&forecast, |forecast| told::forecast(forecast, now()))?;
            return Ok(Exit::Done);
        }
        if !self.command.is_empty() {
            return hold::run(context, self.request()?, &self.command);
        }
        let stays = self.wait.is_some() && self.offer.is_none();
        let interrupts = if stays { Some(signal::interrupts()?) } else { None };
        let offer_millis = if stays { Some(OFFER_MILLIS) } else { self.offer.map(millis) };
        let request = LeaseRequest { offer_millis, ..self.request()? };
        let taken: LeaseView = context.client.post("/leases", &request)?;
        let view = match interrupts {
            Some(interrupts) => wait_for(context, taken, &interrupts)?,
            None => Some(taken),
        };
        let Some(view) = view else { return Ok(Exit::Interrupted) };
        context.output.print(&view, |view| line(view, now()))?;
        Ok(if view.state == LeaseState::Ended { hold::when_over(&view) } else { Exit::Done })
    }

    fn request(&self) -> Result<LeaseRequest> {
        if self.resource.is_empty() && self.sut.is_empty() && self.needs.is_none() {
            bail!(
                "say what to take: a path such as /tb1/router1, --sut NAME, or --needs 'kind=router, ports>=4'"
            );
        }
        let context = context_of(&self.context)?;
        Ok(LeaseRequest {
            resources: self.resource.clone(),
            suts: self.sut.clone(),
            needs: self.needs.clone(),
            shared: self.shared,
            reason: self.reason.clone(),
            note: self.note.clone(),
            context,
            begin: self.begin,
            for_millis: self.length.map(millis),
            wait_millis: self.wait.map_or(0, millis),
            offer_millis: None,
            patience_millis: None,
            priority: self.priority,
        })
    }
}

/// Keys for those who search, as they are typed.
pub(super) fn context_of(pairs: &[String]) -> Result<BTreeMap<String, String>> {
    let mut context = BTreeMap::new();
    for pair in pairs {
        match pair.split_once('=') {
            Some((key, value)) if !key.is_empty() => drop(context.insert(key.to_owned(), value.to_owned())),
            _ => bail!("`{pair}` is no context such as build=417"),
        }
    }
    Ok(context)
}

/// Stays until it is ours, or the time is over; none where a person had enough of it.
fn wait_for(
    context: &Context,
    mut view: LeaseView,
    interrupts: &mpsc::Receiver<()>,
) -> Result<Option<LeaseView>> {
    let (client, id) = (&context.client, view.id);
    let mut told = None;
    loop {
        match view.state {
            LeaseState::Waiting => tell_wait(&view, &mut told),
            LeaseState::Offered => {
                view = client.post(&format!("/leases/{id}/accept"), &json!({}))?;
                continue;
            }
            LeaseState::Asked | LeaseState::Active | LeaseState::Ending | LeaseState::Ended => {
                return Ok(Some(view));
            }
        }
        if interrupts.recv_timeout(LOOK).is_ok() {
            let _given_back: LeaseView = client.post(&format!("/leases/{id}/release"), &json!({}))?;
            output::talk(&format!("lease {id} is waited for no longer"));
            return Ok(None);
        }
        view = client.get(&format!("/leases/{id}"))?;
    }
}

/// Says what is waited for, when that changes.
fn tell_wait(view: &LeaseView, told: &mut Option<String>) {
    let place = view.place.map_or_else(String::new, |place| format!(", number {place} in the queue"));
    let news = view.waits_for.as_ref().map(|what| format!("lease {} waits{place}: {what}", view.id));
    if news.is_some() && *told != news {
        output::talk(news.as_deref().unwrap_or_default());
        *told = news;
    }
}

pub(super) fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}
