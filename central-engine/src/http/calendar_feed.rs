//! Secret addresses from which people's own calendars read what is leased and booked (iCalendar): made, listed, taken back, read.
//!
//! Calendars cannot log in, so whoever has the address reads the feed. It lends what its owner may see, as links to reports do: it shows nothing
//! once they may not look at leases any more.

use std::{collections::BTreeSet, pin::Pin};

use actix_web::{FromRequest, HttpRequest, HttpResponse, dev::Payload, http::header, web};
use jackfield_protocol::{
    api::Page,
    calendar::{CalendarFeedView, FeedKind, FeedOf},
    error::ErrorCode,
    id::UserName,
    lease::LeaseView,
    secret::Secret,
    time::Time,
};
use jackfield_reporting::icalendar::{Calendar, Method, write};
use serde::{Deserialize, Serialize};

use super::{Answer, calendar::entries, lease::spots, token::check_credential};
use crate::{
    app::{App, audit},
    auth::{self, Anyone, Guard, MayReadLeases, MayShareCalendar, Permission, Role},
    clock,
    failure::Failure,
    lab::calendar_event,
    limits,
    store::{self, calendar_feed::FeedRow},
};

const DAY_MILLIS: u64 = 24 * 3_600_000;
/// How far a feed reaches: as far as anything can be booked.
const AHEAD_DAYS: u64 = 2 * 366;

pub(super) fn routes(config: &mut web::ServiceConfig) {
    config
        .route("/calendar/feeds", web::get().to(list))
        .route("/calendar/feeds", web::post().to(create))
        .route("/calendar/feeds/{feed}", web::delete().to(revoke))
        .route("/calendar/feed/{link}", web::get().to(read));
}

/// A feed to make.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewCalendarFeed {
    /// What it shows.
    of: FeedOf,
}

/// A feed, this once with its secret.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct MadeCalendarFeed {
    /// Its number.
    id: u64,
    /// The secret. The feed is at `/api/v1/calendar/feed/` and this.
    #[serde(serialize_with = "Secret::expose_for_peer")]
    link: Secret,
}

/// One's own feeds; everybody's for who may change users.
#[utoipa::path(get, path = "/api/v1/calendar/feeds", tag = "resources",
    responses((status = 200, body = Page<CalendarFeedView>)))]
pub(super) async fn list(app: web::Data<App>, guard: Guard<Anyone>) -> Answer {
    let own = (!guard.caller.may(Role::ChangeUsers)).then_some(&guard.caller.user);
    let feeds = store::calendar_feed::list(&mut app.store.read().await?, own).await?;
    let items = feeds.into_iter().map(|feed| CalendarFeedView {
        id: feed.id,
        owner: feed.owner,
        of: feed.of,
        created: feed.created,
        last_used: feed.used,
    });
    Ok(HttpResponse::Ok().json(Page { items: items.collect(), next: None }))
}

/// Makes an address from which a calendar reads the leases and bookings of a person, a group or a resource, until it is taken back.
#[utoipa::path(post, path = "/api/v1/calendar/feeds", tag = "resources", request_body = NewCalendarFeed,
    responses((status = 201, body = MadeCalendarFeed), (status = 403), (status = 404)))]
pub(super) async fn create(
    app: web::Data<App>,
    guard: Guard<MayShareCalendar>,
    body: web::Json<NewCalendarFeed>,
) -> Answer {
    let caller = &guard.caller;
    let of = body.into_inner().of;
    check_there(&app, &of).await?;
    let now = clock::now();
    let row = FeedRow { id: 0, owner: caller.user.clone(), of, created: now, used: None };
    let link = auth::random_token().map_err(|error| Failure::new(ErrorCode::Internal, error.to_string()))?;
    let mut conn = app.store.write().await?;
    let has = store::calendar_feed::list(&mut conn, Some(&caller.user)).await?.len();
    if has >= limits::CALENDAR_FEEDS_EACH_MAX {
        let title = format!("{} has {has} feeds; take some back first", caller.user);
        return Err(Failure::new(ErrorCode::TooMany, title));
    }
    let hash = auth::token_hash(link.expose_for_hash());
    let id = store::calendar_feed::insert(&mut conn, &hash, &row).await?;
    audit(&mut conn, caller, "calendar.feed", id, &row.of.to_string()).await?;
    conn.commit().await?;
    Ok(HttpResponse::Created().json(MadeCalendarFeed { id, link }))
}

/// Refuses what is not there.
async fn check_there(app: &App, of: &FeedOf) -> Result<(), Failure> {
    let FeedOf { kind, name } = of;
    match kind {
        FeedKind::User => {
            let user = UserName::from(name.as_str());
            let found = store::account::fetch(&mut app.store.read().await?, &user).await?;
            found.map(drop).ok_or_else(|| Failure::not_found(format!("user {user}")).field("of"))
        }
        FeedKind::Group => {
            let groups = store::account::groups(&mut app.store.read().await?).await?;
            let missing = || Failure::not_found(format!("group {name}")).field("of");
            groups.get(name).map(drop).ok_or_else(missing)
        }
        FeedKind::Resource => spots(app, vec![name.clone()]).await.map(drop),
    }
}

/// Takes a feed back: its address gives nothing from now on.
#[utoipa::path(delete, path = "/api/v1/calendar/feeds/{feed}", tag = "resources", params(("feed" = u64, Path)),
    responses((status = 204), (status = 404)))]
pub(super) async fn revoke(app: web::Data<App>, guard: Guard<Anyone>, id: web::Path<u64>) -> Answer {
    check_credential(&guard.caller)?;
    let own = (!guard.caller.may(Role::ChangeUsers)).then_some(&guard.caller.user);
    let mut conn = app.store.write().await?;
    // What one may not see is not there.
    let feeds = store::calendar_feed::list(&mut conn, own).await?;
    let feed = feeds.into_iter().find(|feed| feed.id == *id);
    let Some(feed) = feed else { return Err(Failure::not_found(format!("feed {id}"))) };
    store::calendar_feed::delete(&mut conn, *id).await?;
    audit(&mut conn, &guard.caller, "calendar.feed.delete", *id, &feed.of.to_string()).await?;
    conn.commit().await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Proof that somebody has an address that shows something.
pub(super) struct Subscriber(FeedRow);

impl FromRequest for Subscriber {
    type Error = Failure;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Failure>>>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let app = request.app_data::<web::Data<App>>().cloned();
        // Some calendars want an address that ends like a file.
        let link = request.match_info().get("link");
        let hash = link.map(|link| auth::token_hash(link.strip_suffix(".ics").unwrap_or(link)));
        Box::pin(async move {
            let (Some(app), Some(hash)) = (app, hash) else { return Err(nothing()) };
            Self::of(&app, &hash).await
        })
    }
}

impl Subscriber {
    async fn of(app: &App, hash: &str) -> Result<Self, Failure> {
        let now = clock::now();
        let feed = store::calendar_feed::find(&mut app.store.read().await?, hash).await?;
        let feed = feed.ok_or_else(nothing)?;
        if !may_read_leases(app, &feed.owner).await? {
            return Err(nothing());
        }
        // A note for people: nobody waits for a busy store because of it.
        if feed.used.is_none_or(|used| now.millis_since(used) > limits::TOKEN_TOUCH_MILLIS)
            && let Some(mut conn) = app.store.try_write().await?
        {
            store::calendar_feed::touch(&mut conn, feed.id, now).await?;
            conn.commit().await?;
        }
        Ok(Self(feed))
    }
}

async fn may_read_leases(app: &App, user: &UserName) -> Result<bool, Failure> {
    for role in MayReadLeases::ROLE.into_iter().chain(MayReadLeases::ALSO.iter().copied()) {
        match auth::check_user(&app.store, user, role).await {
            Ok(()) => return Ok(true),
            Err(problem) if problem.code == ErrorCode::Forbidden => {}
            Err(problem) => return Err(problem.into()),
        }
    }
    Ok(false)
}

fn nothing() -> Failure {
    let title = "this address shows nothing: it was taken back, lacks a part, or what it showed is gone; make another one";
    Failure::new(ErrorCode::NotFound, title)
}

/// What a calendar reads: leases and bookings, and those of the last month that are over. `.ics` after the secret is as good.
#[utoipa::path(get, path = "/api/v1/calendar/feed/{link}", tag = "resources", params(("link" = String, Path)),
    responses((status = 200, content_type = "text/calendar", body = String), (status = 404)))]
pub(super) async fn read(app: web::Data<App>, subscriber: Subscriber) -> Answer {
    let Subscriber(feed) = subscriber;
    let now = clock::now();
    let back = limits::CALENDAR_FEED_DAYS.saturating_mul(DAY_MILLIS);
    let from = Time(now.0.saturating_sub_unsigned(back));
    let to = now.plus_millis(AHEAD_DAYS.saturating_mul(DAY_MILLIS));
    let items = shown(&app, &feed.of, (from, to)).await?;
    let mine = feed.of.kind == FeedKind::User;
    let host = &app.facts.hostname;
    let events = items.iter().map(|lease| calendar_event::of(lease, now, host, mine)).collect();
    let calendar = Calendar { name: format!("Lab: {}", feed.of), method: Method::Publish, events };
    let mut text = Vec::new();
    write(&calendar, &mut text).map_err(|error| {
        Failure::new(ErrorCode::Internal, format!("the calendar is not written: {error}"))
    })?;
    let mut response = HttpResponse::Ok();
    response.insert_header((header::CONTENT_TYPE, "text/calendar; charset=utf-8"));
    Ok(response.insert_header((header::CACHE_CONTROL, "private, no-store")).body(text))
}

async fn shown(app: &App, of: &FeedOf, time: (Time, Time)) -> Result<Vec<LeaseView>, Failure> {
    let FeedOf { kind, name } = of;
    match kind {
        FeedKind::User => {
            let user = Some(UserName::from(name.as_str()));
            entries(app, time, move |scheduler, lease| scheduler.lease_user(lease) == user).await
        }
        FeedKind::Group => {
            let accounts = store::account::list(&mut app.store.read().await?).await?;
            let members = accounts.into_iter().filter(|account| account.groups.contains(name));
            let members: BTreeSet<UserName> = members.map(|account| account.name).collect();
            let theirs = move |user: Option<UserName>| user.is_some_and(|user| members.contains(&user));
            entries(app, time, move |scheduler, lease| theirs(scheduler.lease_user(lease))).await
        }
        FeedKind::Resource => {
            let near = spots(app, vec![name.clone()]).await.map_err(|_gone| nothing())?;
            entries(app, time, move |_, lease| lease.what.set().is_some_and(|set| set.touches(&near))).await
        }
    }
}
