//! Leases: who has what, and what persons do with theirs. The book of leases decides ([`jackfield_resource_allocator::book`]).

use std::{collections::BTreeSet, sync::Arc};

use actix_web::{HttpResponse, web};
use jackfield_protocol::{
    api::Page,
    error::{ErrorCode, Problem},
    id::{LeaseId, SutName, UserName},
    lease::{LeaseForecast, LeaseRequest, LeaseState, LeaseView},
    time::Time,
};
use jackfield_resource_allocator::{
    book::{Ask, Choice, Holder, Lease, Refusal, Set, Tie, Who, Wish},
    needs::Needs,
};
use serde::Deserialize;

use super::Answer;
use crate::{
    app::App,
    auth::{Caller, Guard, MayEditBench, MayLock, MayReadLeases, Role},
    clock,
    engine::Wished,
    failure::Failure,
    lab::resources::Bench,
    limits, store,
};

pub(super) fn routes(config: &mut web::ServiceConfig) {
    config
        .route("/leases", web::get().to(list))
        .route("/leases", web::post().to(take))
        .route("/leases/forecast", web::post().to(forecast))
        .route("/leases/{lease}", web::get().to(show))
        .route("/leases/{lease}/beat", web::post().to(beat))
        .route("/leases/{lease}/accept", web::post().to(accept))
        .route("/leases/{lease}/extend", web::post().to(extend))
        .route("/leases/{lease}/release", web::post().to(release))
        .route("/leases/{lease}/force", web::post().to(force))
        .route("/leases/{lease}/allow", web::post().to(allow))
        .route("/leases/{lease}/transfer", web::post().to(transfer));
}

/// Which leases.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct LeaseQuery {
    /// Also the newest of those that are over: 100 of them; of one person's or resource's, those among the newest 10,000.
    #[serde(default)]
    ended: bool,
    /// Only those of this person.
    user: Option<UserName>,
    /// Only those on this resource, under it or over it: id or path.
    resource: Option<String>,
}

/// A new end of a lease: one of the two.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ExtendLease {
    /// Milliseconds from now.
    for_millis: Option<u64>,
    /// The instant.
    #[schema(value_type = Option<String>)]
    until: Option<Time>,
}

/// How a lease is taken away.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ForceLease {
    /// Why; its holder reads it.
    reason: String,
    /// Milliseconds that the holder has to leave.
    #[serde(default)]
    grace_millis: u64,
}

/// Who is let in.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct AllowGuest {
    /// Whom.
    user: UserName,
    /// False: no longer.
    #[serde(default = "yes")]
    allowed: bool,
}

/// Who has a lease from now on.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct TransferLease {
    /// To whom.
    to: UserName,
}

fn yes() -> bool {
    true
}

/// Who has what: persons and runs; who waits, and who has booked. By number, at most 10,000.
#[utoipa::path(get, path = "/api/v1/leases", tag = "resources", params(LeaseQuery),
    responses((status = 200, body = Page<LeaseView>), (status = 404)))]
pub(super) async fn list(
    app: web::Data<App>,
    _: Guard<MayReadLeases>,
    query: web::Query<LeaseQuery>,
) -> Answer {
    let LeaseQuery { ended, user, resource } = query.into_inner();
    let near = match resource {
        Some(resource) => Some(spots(&app, vec![resource]).await?),
        None => None,
    };
    // Of one resource or person the newest uses of all the lab may say nothing.
    let looked =
        if near.is_some() || user.is_some() { limits::LEASES_LOOKED_AT } else { limits::PAGE_DEFAULT };
    let over =
        if ended { store::lease::ended(&mut app.store.read().await?, looked).await? } else { Vec::new() };
    let items = app.engine.ask(move |scheduler| {
        let book = scheduler.book();
        // What has ended since the store was read is in the book no more, and what has begun is there already.
        let over = over.iter().filter(|lease| book.lease(lease.id).is_none());
        let is_near = |lease: &&Lease| {
            near.as_ref().is_none_or(|near| lease.what.set().is_some_and(|set| set.touches(near)))
        };
        let is_theirs =
            |lease: &&Lease| user.is_none() || scheduler.lease_user(lease).as_ref() == user.as_ref();
        let found = book.leases().chain(over).filter(is_near).filter(is_theirs);
        let mut items: Vec<_> =
            found.take(limits::LEASES_TOLD_MAX).map(|lease| scheduler.lease_view(lease)).collect();
        items.sort_by_key(|lease| lease.id);
        items
    });
    Ok(HttpResponse::Ok().json(Page { items: items.await?, next: None }))
}

/// One lease, over or not.
#[utoipa::path(get, path = "/api/v1/leases/{lease}", tag = "resources", params(("lease" = LeaseId, Path)),
    responses((status = 200, body = LeaseView), (status = 404)))]
pub(super) async fn show(app: web::Data<App>, _: Guard<MayReadLeases>, lease: web::Path<LeaseId>) -> Answer {
    let id = lease.into_inner();
    let stored = store::lease::find(&mut app.store.read().await?, id).await?;
    let view = app.engine.ask(move |scheduler| {
        let open = scheduler.book().lease(id);
        open.or(stored.as_ref()).map(|lease| scheduler.lease_view(lease))
    });
    let view = view.await?.ok_or_else(|| Failure::not_found(format!("lease {id}")))?;
    Ok(HttpResponse::Ok().json(view))
}

/// Takes resources and SUTs, or whatever fits `needs`, all or none: at once, in the queue (`wait_millis`), or for later (`begin`).
/// Refused with `held`, and with who has it, until when and why, where it is not free and nobody waits.
#[utoipa::path(post, path = "/api/v1/leases", tag = "resources", request_body = LeaseRequest,
    responses((status = 201, body = LeaseView), (status = 202, body = LeaseView), (status = 404), (status = 409)))]
pub(super) async fn take(
    app: web::Data<App>,
    guard: Guard<MayLock>,
    body: web::Json<LeaseRequest>,
) -> Answer {
    let caller = guard.caller;
    let holder = Holder::Person(caller.user.clone());
    let ask = read(&app, &caller, body.into_inner(), holder).await?;
    let what = ask.choice.as_ref().map_or_else(|| ask.set.to_string(), |choice| choice.text.to_string());
    let told = format!("{what}; {}", ask.purpose);
    let wish = Wish::Ask(Box::new(ask));
    let view = wish_of(&app, &caller, LeaseId::default(), wish, Some(("lease.take", told))).await?;
    let mut response = match view.state {
        LeaseState::Waiting | LeaseState::Asked => HttpResponse::Accepted(),
        LeaseState::Offered | LeaseState::Active | LeaseState::Ending | LeaseState::Ended => {
            HttpResponse::Created()
        }
    };
    Ok(response.json(view))
}

/// What would come of a wish, which is not made: when it would begin, with what, and after whom.
#[utoipa::path(post, path = "/api/v1/leases/forecast", tag = "resources", request_body = LeaseRequest,
    responses((status = 200, body = LeaseForecast), (status = 404), (status = 409)))]
pub(super) async fn forecast(
    app: web::Data<App>,
    guard: Guard<MayLock>,
    body: web::Json<LeaseRequest>,
) -> Answer {
    let holder = Holder::Person(guard.caller.user.clone());
    let ask = read(&app, &guard.caller, body.into_inner(), holder).await?;
    let now = clock::now();
    let look = app.engine.ask(move |scheduler| {
        let forecast = scheduler.forecast(now, ask)?;
        let after = forecast.after.as_ref().map(|lease| scheduler.lease_told(lease));
        let after = after.or_else(|| forecast.waits.as_ref().map(|waits| scheduler.waits_told(waits)));
        let view = scheduler.lease_view(&forecast.lease);
        Ok::<_, Refusal>(LeaseForecast {
            free: forecast.at == Some(now) && view.begin.is_none(),
            at: view.begin.or(forecast.at),
            resources: view.resources,
            given: view.given,
            after,
        })
    });
    let told = look.await?.map_err(|refusal| Failure::new(refusal.code(), refusal.to_string()))?;
    Ok(HttpResponse::Ok().json(told))
}

/// A wish as the book takes it: what it names is looked up, and what it needs.
pub(super) async fn read(
    app: &App,
    caller: &Caller,
    wanted: LeaseRequest,
    holder: Holder,
) -> Result<Ask, Failure> {
    check(caller, &wanted, &holder)?;
    let mut set = spots(app, wanted.resources).await?;
    add_suts(app, caller, wanted.suts, &mut set).await?;
    let is_named = wanted.needs.is_none();
    let choice = match wanted.needs {
        Some(needs) => Some(choice(app, needs).await?),
        None => None,
    };
    let tie = match wanted.patience_millis {
        Some(patience_millis) => Tie::Beat { patience_millis },
        None => Tie::Free,
    };
    let length = match (wanted.for_millis, tie) {
        (None, Tie::Free) => Some(limits::LEASE_MILLIS_DEFAULT),
        (length, _) => length,
    };
    Ok(Ask {
        set,
        choice,
        holder,
        shared: wanted.shared,
        purpose: wanted.reason,
        note: wanted.note,
        context: wanted.context,
        priority: wanted.priority,
        // Whoever names what is broken and may repair it wants to; whatever fits is to work.
        repairs: is_named && caller.may(Role::ChangeTestbed),
        tie,
        inside: None,
        begin: wanted.begin,
        length,
        wait: Some(wanted.wait_millis),
        offer: wanted.offer_millis,
    })
}

/// All that fits what is needed; refused where that could never be met.
async fn choice(app: &App, text: String) -> Result<Arc<Choice>, Failure> {
    let needs = Needs::parse(&text);
    let needs = needs.map_err(|error| Failure::new(error.code(), error.to_string()).field("needs"))?;
    let found = app.resources.look(move |bench: &Bench| needs.fit_ever(&bench.tree)).await?;
    let found = found.map_err(|error| {
        let title = format!("{error}; `jackfield resource find` shows what there is");
        Failure::new(error.code(), title).field("needs")
    })?;
    Ok(Arc::new(found))
}

/// Says that the client of a lease is there; the answer is how the lease is.
#[utoipa::path(post, path = "/api/v1/leases/{lease}/beat", tag = "resources", params(("lease" = LeaseId, Path)),
    responses((status = 200, body = LeaseView), (status = 404)))]
pub(super) async fn beat(app: web::Data<App>, guard: Guard<MayLock>, lease: web::Path<LeaseId>) -> Answer {
    let view = wish_of(&app, &guard.caller, lease.into_inner(), Wish::Beat, None).await?;
    Ok(HttpResponse::Ok().json(view))
}

/// Takes what is offered.
#[utoipa::path(post, path = "/api/v1/leases/{lease}/accept", tag = "resources", params(("lease" = LeaseId, Path)),
    responses((status = 200, body = LeaseView), (status = 404), (status = 409)))]
pub(super) async fn accept(app: web::Data<App>, guard: Guard<MayLock>, lease: web::Path<LeaseId>) -> Answer {
    let deed = Some(("lease.accept", String::new()));
    let view = wish_of(&app, &guard.caller, lease.into_inner(), Wish::Accept, deed).await?;
    Ok(HttpResponse::Ok().json(view))
}

/// Moves the end of a lease. Refused where somebody has booked it, or was overtaken by it.
#[utoipa::path(post, path = "/api/v1/leases/{lease}/extend", tag = "resources", params(("lease" = LeaseId, Path)),
    request_body = ExtendLease, responses((status = 200, body = LeaseView), (status = 404), (status = 409)))]
pub(super) async fn extend(
    app: web::Data<App>,
    guard: Guard<MayLock>,
    lease: web::Path<LeaseId>,
    body: web::Json<ExtendLease>,
) -> Answer {
    let until = match (body.for_millis, body.until) {
        (Some(millis), None) => clock::now().plus_millis(millis),
        (None, Some(until)) => until,
        (Some(_), Some(_)) | (None, None) => {
            return Err(Failure::new(ErrorCode::BadRequest, "give one of `for_millis` and `until`"));
        }
    };
    let deed = Some(("lease.extend", format!("until {until}")));
    let view = wish_of(&app, &guard.caller, lease.into_inner(), Wish::Extend { until }, deed).await?;
    Ok(HttpResponse::Ok().json(view))
}

/// Gives a lease back, stops to wait, or cancels a booking.
#[utoipa::path(post, path = "/api/v1/leases/{lease}/release", tag = "resources", params(("lease" = LeaseId, Path)),
    responses((status = 200, body = LeaseView), (status = 404)))]
pub(super) async fn release(app: web::Data<App>, guard: Guard<MayLock>, lease: web::Path<LeaseId>) -> Answer {
    let deed = Some(("lease.release", String::new()));
    let view = wish_of(&app, &guard.caller, lease.into_inner(), Wish::Release, deed).await?;
    Ok(HttpResponse::Ok().json(view))
}

/// Takes a lease away. That needs the role `CHANGE_TESTBED`, and a reason, which the holder reads.
#[utoipa::path(post, path = "/api/v1/leases/{lease}/force", tag = "resources", params(("lease" = LeaseId, Path)),
    request_body = ForceLease, responses((status = 200, body = LeaseView), (status = 403), (status = 404), (status = 409)))]
pub(super) async fn force(
    app: web::Data<App>,
    guard: Guard<MayEditBench>,
    lease: web::Path<LeaseId>,
    body: web::Json<ForceLease>,
) -> Answer {
    let ForceLease { reason, grace_millis: grace } = body.into_inner();
    check_text("reason", &reason)?;
    if reason.trim().is_empty() {
        let title = "a lease is taken away for a reason; its holder reads it";
        return Err(Failure::new(ErrorCode::BadRequest, title).field("reason"));
    }
    let deed = Some(("lease.force", reason.clone()));
    let view = wish_of(&app, &guard.caller, lease.into_inner(), Wish::Force { reason, grace }, deed).await?;
    Ok(HttpResponse::Ok().json(view))
}

/// Lets somebody use what the lease is for, as its holder does; or no longer.
#[utoipa::path(post, path = "/api/v1/leases/{lease}/allow", tag = "resources", params(("lease" = LeaseId, Path)),
    request_body = AllowGuest, responses((status = 200, body = LeaseView), (status = 404)))]
pub(super) async fn allow(
    app: web::Data<App>,
    guard: Guard<MayLock>,
    lease: web::Path<LeaseId>,
    body: web::Json<AllowGuest>,
) -> Answer {
    let AllowGuest { user: guest, allowed } = body.into_inner();
    // Who has left the lab can still be put out.
    if allowed {
        check_account(&app, &guest, "user").await?;
    }
    let deed = Some(("lease.allow", format!("{guest}: {}", if allowed { "let in" } else { "no longer" })));
    let view = wish_of(&app, &guard.caller, lease.into_inner(), Wish::Allow { guest, allowed }, deed).await?;
    Ok(HttpResponse::Ok().json(view))
}

/// Hands a lease over, with its end and its guests. It has a new number from then on, which the answer tells.
#[utoipa::path(post, path = "/api/v1/leases/{lease}/transfer", tag = "resources", params(("lease" = LeaseId, Path)),
    request_body = TransferLease, responses((status = 200, body = LeaseView), (status = 404), (status = 409)))]
pub(super) async fn transfer(
    app: web::Data<App>,
    guard: Guard<MayLock>,
    lease: web::Path<LeaseId>,
    body: web::Json<TransferLease>,
) -> Answer {
    let TransferLease { to } = body.into_inner();
    check_account(&app, &to, "to").await?;
    let deed = Some(("lease.transfer", format!("to {to}, from lease {lease}")));
    let view = wish_of(&app, &guard.caller, lease.into_inner(), Wish::HandOver { to }, deed).await?;
    Ok(HttpResponse::Ok().json(view))
}

pub(super) async fn wish_of(
    app: &App,
    caller: &Caller,
    lease: LeaseId,
    wish: Wish,
    deed: Option<(&'static str, String)>,
) -> Result<LeaseView, Problem> {
    let who = Who { user: caller.user.clone(), manages: caller.may(Role::ChangeTestbed) };
    app.engine.lease(Wished { lease, who, wish, deed }).await
}

/// The roles that a wish takes, and the size of what it says.
fn check(caller: &Caller, wanted: &LeaseRequest, holder: &Holder) -> Result<(), Failure> {
    let lacks = |role: &str, what: &str| {
        let title = format!("{} may not lease {what}: that needs the role {role}", caller.user);
        Err(Failure::new(ErrorCode::Forbidden, title))
    };
    let resources = !wanted.resources.is_empty() || wanted.needs.is_some();
    if holder.is_lab() && !caller.may(Role::ChangeTestbed) {
        return lacks("CHANGE_TESTBED", "anything for maintenance");
    }
    let takes = !holder.is_lab();
    if takes && resources && !caller.may(Role::LockTestbed) {
        return lacks("LOCK_TESTBED", "resources");
    }
    if takes && !wanted.suts.is_empty() && !caller.may(Role::LockSut) {
        return lacks("LOCK_SUT", "SUTs");
    }
    if wanted.priority > 0 && !caller.may(Role::ChangeTestbed) {
        return lacks("CHANGE_TESTBED", "before others");
    }
    check_text("reason", &wanted.reason)?;
    check_text("note", &wanted.note)?;
    let texts = wanted.context.iter().map(|(key, value)| key.len().saturating_add(value.len()));
    let context: usize = texts.fold(0, usize::saturating_add);
    let things = wanted.resources.len().saturating_add(wanted.suts.len());
    if context > limits::LEASE_CONTEXT_BYTES_MAX || things > limits::LEASE_THINGS_MAX {
        let title = format!(
            "a lease is for at most {} resources, with {} bytes of context",
            limits::LEASE_THINGS_MAX,
            limits::LEASE_CONTEXT_BYTES_MAX
        );
        return Err(Failure::new(ErrorCode::TooLarge, title));
    }
    let patience = limits::LEASE_PATIENCE_MILLIS;
    if wanted.patience_millis.is_some_and(|millis| !patience.contains(&millis)) {
        let title = format!("`patience_millis` is from {} to {}", patience.start(), patience.end());
        return Err(Failure::new(ErrorCode::BadRequest, title).field("patience_millis"));
    }
    Ok(())
}

pub(super) fn check_text(field: &str, text: &str) -> Result<(), Failure> {
    if text.len() <= limits::LEASE_TEXT_BYTES_MAX && !text.contains(|letter: char| letter.is_control()) {
        return Ok(());
    }
    let title = format!("`{field}` is one line of at most {} bytes", limits::LEASE_TEXT_BYTES_MAX);
    Err(Failure::new(ErrorCode::BadRequest, title).field(field))
}

async fn check_account(app: &App, user: &UserName, field: &str) -> Result<(), Failure> {
    match store::account::fetch(&mut app.store.read().await?, user).await? {
        Some(_) => Ok(()),
        None => Err(Failure::not_found(format!("user {user}")).field(field)),
    }
}

/// The nodes that are named, each once.
pub(super) async fn spots(app: &App, resources: Vec<String>) -> Result<Set, Failure> {
    let look = move |bench: &Bench| {
        resources.iter().map(|resource| bench.tree.spot(resource)).collect::<Result<BTreeSet<_>, _>>()
    };
    let found = app.resources.look(look).await?;
    let found = found.map_err(|error| Failure::new(error.code(), error.to_string()).field("resources"))?;
    Ok(Set { nodes: found.into_iter().collect(), ..Set::default() })
}

/// Adds SUTs, with what they link to. A name without an owner is found as for runs, the caller's own SUT first.
async fn add_suts(app: &App, caller: &Caller, suts: Vec<String>, set: &mut Set) -> Result<(), Failure> {
    if suts.is_empty() {
        return Ok(());
    }
    let user = caller.user.clone();
    let look = move |bench: &Bench| {
        let known = |name: String| Some(SutName::from(name)).filter(|name| bench.suts.sut(name).is_some());
        let find = |name: &String| {
            let name = name.trim_start_matches('/');
            let owners = [user.as_str(), "user", "system"];
            let owned = || owners.iter().find_map(|owner| known(format!("{name}.{owner}")));
            known(name.to_owned()).or_else(owned).ok_or_else(|| name.to_owned())
        };
        suts.iter().map(find).collect::<Result<BTreeSet<_>, _>>()
    };
    let found = app.resources.look(look).await?;
    let found = found.map_err(|name| Failure::not_found(format!("SUT {name}")).field("suts"))?;
    let links = app.resources.links().borrow().clone();
    let mut nodes: BTreeSet<_> = std::mem::take(&mut set.nodes).into_iter().collect();
    nodes.extend(found.iter().filter_map(|sut| links.get(sut)).flat_map(|spots| spots.iter().cloned()));
    *set = Set { suts: found, nodes: nodes.into_iter().collect() };
    Ok(())
}
