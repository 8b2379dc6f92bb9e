//! The calendar: who has booked what for when, alone or again and again; maintenance; and times that are free.

mod request;

use std::{collections::BTreeSet, sync::Arc};

use actix_web::{HttpResponse, web};
use jackfield_protocol::{
    calendar::{Booked, BookingCheck, BookingTime, Date, Every, Recurrence, Repeat, Scope, Span},
    error::ErrorCode,
    id::{LeaseId, UserName},
    lease::{LeaseRequest, LeaseView},
    time::Time,
};
use jackfield_resource_allocator::{
    book::{Book, Free, Holder, Lease, Refusal, Reschedule, Series, Slot, State, Wish},
    recurrence::{self, RecurrenceError},
};
use jackfield_scheduler::Scheduler;
use jiff::{civil::DateTime, tz::TimeZone};
use serde::{Deserialize, Serialize};

use self::request::{BookingRequest, CancelBooking, MoveBooking};
use super::{
    Answer,
    lease::{read, spots, wish_of},
};
use crate::{
    app::App,
    auth::{Guard, MayLock, MayReadLeases},
    clock,
    failure::Failure,
    jobs::remind,
    limits, store, zone,
};

const WEEK_MILLIS: u64 = 7 * 24 * 3_600_000;

pub(super) fn routes(config: &mut web::ServiceConfig) {
    config
        .route("/calendar", web::get().to(list))
        .route("/calendar", web::post().to(book))
        .route("/calendar/check", web::post().to(check))
        .route("/calendar/{lease}/move", web::post().to(move_to))
        .route("/calendar/{lease}/cancel", web::post().to(cancel));
}

/// Of which time, and whose.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct CalendarQuery {
    /// From then on; now, where it is not given.
    #[param(value_type = Option<String>)]
    from: Option<Time>,
    /// Until then; a week later, where it is not given.
    #[param(value_type = Option<String>)]
    to: Option<Time>,
    /// Only those of this person.
    user: Option<UserName>,
    /// Only those on this resource, under it or over it: id or path.
    resource: Option<String>,
}

/// What is in the calendar.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct CalendarView {
    /// The zone of the lab, whose clocks bookings that recur go by.
    zone: String,
    /// From then on.
    from: Time,
    /// Until then.
    to: Time,
    /// What is held, booked or was held in that time, by its beginning.
    items: Vec<LeaseView>,
}

/// Who had, has, and has booked what in a time; those who wait without a booking are not in it. By beginning, at most 10,000.
#[utoipa::path(get, path = "/api/v1/calendar", tag = "resources", params(CalendarQuery),
    responses((status = 200, body = CalendarView), (status = 400), (status = 404)))]
pub(super) async fn list(
    app: web::Data<App>,
    _: Guard<MayReadLeases>,
    query: web::Query<CalendarQuery>,
) -> Answer {
    let CalendarQuery { from, to, user, resource } = query.into_inner();
    let now = clock::now();
    let from = from.unwrap_or(now);
    let to = to.unwrap_or_else(|| from.plus_millis(WEEK_MILLIS));
    if to <= from {
        return Err(Failure::new(ErrorCode::BadRequest, "`to` comes after `from`").field("to"));
    }
    let near = match resource {
        Some(resource) => Some(spots(&app, vec![resource]).await?),
        None => None,
    };
    let items = entries(&app, (from, to), move |scheduler, lease| {
        let is_near = near.as_ref().is_none_or(|near| lease.what.set().is_some_and(|set| set.touches(near)));
        is_near && (user.is_none() || scheduler.lease_user(lease) == user)
    });
    let view = CalendarView { zone: zone::at(now).0, from, to, items: items.await? };
    Ok(HttpResponse::Ok().json(view))
}

/// What the calendar has of a time, by its beginning.
pub(super) async fn entries(
    app: &App,
    (from, to): (Time, Time),
    fits: impl Fn(&Scheduler, &Lease) -> bool + Send + 'static,
) -> Result<Vec<LeaseView>, Failure> {
    let most = u32::try_from(limits::CALENDAR_ENTRIES_MAX).unwrap_or(u32::MAX);
    let over = if from < clock::now() {
        store::lease::ended_between(&mut app.store.read().await?, (from, to), most).await?
    } else {
        Vec::new()
    };
    let look = app.engine.ask(move |scheduler| {
        let book = scheduler.book();
        // What has ended since the store was read is in the book no more, and what has begun is there already.
        let over = over.iter().filter(|lease| lease.since.is_some() && book.lease(lease.id).is_none());
        let in_time = |lease: &&Lease| {
            let (begin, end) = time_of(lease);
            begin < to && end > from && lease.what.set().is_some() && !lease.is_console()
        };
        let all = book.leases().filter(|lease| !lease.is_waiting() || lease.until.is_some()).chain(over);
        let found = all.filter(in_time).filter(|lease| fits(scheduler, lease));
        let mut found: Vec<&Lease> = found.take(limits::CALENDAR_ENTRIES_MAX).collect();
        found.sort_by_key(|lease| (time_of(lease).0, lease.id));
        found.into_iter().map(|lease| scheduler.lease_view(lease)).collect()
    });
    Ok(look.await?)
}

/// From when until when a lease is, or was.
fn time_of(lease: &Lease) -> (Time, Time) {
    let begin = lease.should_begin().or(lease.since).unwrap_or(lease.asked);
    let end = match lease.state {
        State::Ended { at, .. } => at,
        State::Asked { .. }
        | State::Waiting { .. }
        | State::Offered { .. }
        | State::Active
        | State::Ending { .. } => lease.until.unwrap_or(Time(i64::MAX)),
    };
    (begin, end)
}

/// Books resources and SUTs for later: once, or again and again by the clocks of the lab. All times or none, or with `skip_taken` those that are
/// free. A refusal names who is in the way, and what is free instead. `maintenance` is booked over all but maintenance: who has or has booked it is
/// in `drains`.
#[utoipa::path(post, path = "/api/v1/calendar", tag = "resources", request_body = BookingRequest,
    responses((status = 201, body = Booked), (status = 400), (status = 403), (status = 404), (status = 409)))]
pub(super) async fn book(
    app: web::Data<App>,
    guard: Guard<MayLock>,
    body: web::Json<BookingRequest>,
) -> Answer {
    let series = wanted(&app, &guard, body.into_inner()).await?;
    let what = series.ask.choice.as_ref();
    let what = what.map_or_else(|| series.ask.set.to_string(), |choice| choice.text.to_string());
    let when = match (&series.rule, series.begins.first()) {
        (Some(rule), _) => rule.to_string(),
        (None, Some(begin)) => begin.to_string(),
        (None, None) => String::new(),
    };
    let kind = if series.ask.holder.is_lab() { "maintenance, " } else { "" };
    let deed = ("calendar.book", format!("{kind}{what}; {when}; {}", series.ask.purpose));
    let skipped = skipped(&app, &series).await?;
    let is_series = series.rule.is_some();
    let first = wish_of(&app, &guard.caller, LeaseId::default(), Wish::Book(Box::new(series)), Some(deed));
    let booked = booked(&app, first.await?, is_series, skipped).await?;
    if let Err(error) = remind::of_maintenance(&app, &booked.drains).await {
        tracing::warn!("nobody is told by mail of maintenance that was booked: {error:#}");
    }
    Ok(HttpResponse::Created().json(booked))
}

/// The times of a series that are left out.
async fn skipped(app: &App, series: &Series) -> Result<Vec<BookingTime>, Failure> {
    if !series.partly {
        return Ok(Vec::new());
    }
    let slots = look_ahead(app, series.clone()).await?;
    Ok(slots.into_iter().filter(|slot| slot.taken.is_some()).collect())
}

/// What was booked, as it is now.
async fn booked(
    app: &App,
    first: LeaseView,
    is_series: bool,
    skipped: Vec<BookingTime>,
) -> Result<Booked, Failure> {
    let series = first.series.as_ref().filter(|_| is_series).map(|series| series.id);
    let look = app.engine.ask(move |scheduler| {
        let book = scheduler.book();
        let in_it = |lease: &&Lease| lease.booked_for().is_some() && lease.series() == series;
        let mut made: Vec<&Lease> = match series {
            Some(_) => book.leases().filter(in_it).collect(),
            None => book.lease(first.id).into_iter().collect(),
        };
        made.sort_by_key(|lease| (lease.booked_for(), lease.id));
        let drains = drained(book, &made).into_iter().map(|lease| scheduler.lease_view(lease)).collect();
        let bookings: Vec<_> = made.into_iter().map(|lease| scheduler.lease_view(lease)).collect();
        // It may have begun already.
        let bookings = if bookings.is_empty() { vec![first] } else { bookings };
        Booked { bookings, skipped, drains }
    });
    Ok(look.await?)
}

/// Leases of persons in the way of maintenance, each once.
fn drained<'a>(book: &'a Book, made: &[&'a Lease]) -> Vec<&'a Lease> {
    let of_lab = made.iter().filter(|lease| lease.holder.is_lab());
    let mut found: Vec<&Lease> = of_lab.flat_map(|lease| book.drained(lease)).collect();
    found.sort_by_key(|lease| lease.id);
    found.dedup_by_key(|lease| lease.id);
    found
}

/// What would come of a booking, which is not made: each time of it, who is in the way, and what is free instead.
#[utoipa::path(post, path = "/api/v1/calendar/check", tag = "resources", request_body = BookingRequest,
    responses((status = 200, body = BookingCheck), (status = 400), (status = 403), (status = 404)))]
pub(super) async fn check(
    app: web::Data<App>,
    guard: Guard<MayLock>,
    body: web::Json<BookingRequest>,
) -> Answer {
    let series = wanted(&app, &guard, body.into_inner()).await?;
    let told = series.rule.as_ref().map(ToString::to_string);
    let times = look_ahead(&app, series).await?;
    let free = times.iter().all(|time| time.taken.is_none());
    Ok(HttpResponse::Ok().json(BookingCheck { free, times, told }))
}

async fn look_ahead(app: &App, series: Series) -> Result<Vec<BookingTime>, Failure> {
    let now = clock::now();
    let look = app.engine.ask(move |scheduler| {
        let slots = scheduler.book().look_ahead(now, &series)?;
        Ok::<_, Refusal>(slots.into_iter().map(|slot| time_told(scheduler, slot)).collect())
    });
    look.await?.map_err(|refusal| Failure::new(refusal.code(), refusal.to_string()))
}

fn time_told(scheduler: &Scheduler, slot: Slot) -> BookingTime {
    let Slot { begin, end, refusal } = slot;
    let taken = refusal.as_ref().map(Refusal::told_alone);
    let (lease, free) = match refusal {
        Some(Refusal::Clash { lease, free, .. }) => (Some(lease), *free),
        Some(_) | None => (None, Free::default()),
    };
    let found = lease.and_then(|lease| scheduler.book().lease(lease));
    BookingTime {
        begin,
        end,
        taken,
        lease,
        user: found.and_then(|lease| scheduler.lease_user(lease)),
        free: free.parts.into_iter().map(|(begin, end)| Span { begin, end }).collect(),
        next: free.next,
    }
}

/// Gives a booking another time, or its whole series. Refused as a new one would be.
#[utoipa::path(post, path = "/api/v1/calendar/{lease}/move", tag = "resources", params(("lease" = LeaseId, Path)),
    request_body = MoveBooking, responses((status = 200, body = Booked), (status = 400), (status = 403), (status = 404), (status = 409)))]
pub(super) async fn move_to(
    app: web::Data<App>,
    guard: Guard<MayLock>,
    lease: web::Path<LeaseId>,
    body: web::Json<MoveBooking>,
) -> Answer {
    let (id, moved) = (lease.into_inner(), body.into_inner());
    let found = app.engine.ask(move |scheduler| {
        let lease = scheduler.book().lease(id).cloned()?;
        let to_come = scheduler.book().leases().filter(|other| other.series() == lease.series());
        let last = to_come.filter_map(Lease::booked_for).max();
        Some((lease, last))
    });
    let (lease, last) = found.await?.ok_or_else(|| Failure::not_found(format!("lease {id}")))?;
    let is_series = moved.series;
    let (wish, told) =
        if is_series { rescheduled(&lease, last, moved)? } else { moved_alone(&lease, &moved)? };
    let deed = Some(("calendar.move", told));
    let first = wish_of(&app, &guard.caller, id, wish, deed).await?;
    let booked = booked(&app, first, is_series, Vec::new()).await?;
    Ok(HttpResponse::Ok().json(booked))
}

/// Another time for one booking.
fn moved_alone(lease: &Lease, moved: &MoveBooking) -> Result<(Wish, String), Failure> {
    if moved.repeat.is_some() || moved.skip_taken {
        let title = "`repeat` and `skip_taken` change a series; say so with `series`";
        return Err(Failure::new(ErrorCode::BadRequest, title).field("repeat"));
    }
    let lab = zone::lab();
    let begin = match (moved.begin, moved.on, moved.at) {
        (Some(begin), None, None) => begin,
        (Some(_), ..) => return Err(two_beginnings()),
        (None, None, None) if moved.for_millis.is_none() => {
            let title = "say when: `begin`, `on` a date, `at` a time of day, or `for_millis`";
            return Err(Failure::new(ErrorCode::BadRequest, title));
        }
        (None, None, None) => lease.booked_for().unwrap_or(lease.asked),
        (None, on, at) => {
            let was = lease.booked_for().and_then(|begin| recurrence::here(&lab, begin)).unwrap_or_default();
            let (date, time) = (on.map_or(was.date(), |on| on.0), at.map_or(was.time(), |at| at.0));
            local(&lab, date.to_datetime(time), "on")?
        }
    };
    Ok((Wish::Move { begin, length: moved.for_millis }, format!("to {begin}")))
}

/// Other times for a whole series: its rule, but for what is given. What does not say when it ends goes on until what it had.
fn rescheduled(lease: &Lease, last: Option<Time>, moved: MoveBooking) -> Result<(Wish, String), Failure> {
    if moved.begin.is_some() {
        let title = "a series goes by the clocks of the lab: give `at` (06:00), not `begin`";
        return Err(Failure::new(ErrorCode::BadRequest, title).field("begin"));
    }
    let Some(occurrence) = &lease.occurrence else {
        let title = format!("lease {} is of no series", lease.id);
        return Err(Failure::new(ErrorCode::WrongState, title).field("series"));
    };
    let (lab, now) = (zone::lab(), clock::now());
    let old = occurrence.rule.as_ref();
    let repeat = moved.repeat.map(Repeat::from).unwrap_or_else(|| {
        let last = last.and_then(|last| recurrence::date(&lab, last));
        Repeat { until: last.map(Date), times: None, ..old.repeat.clone() }
    });
    if let Some(on) = moved.on {
        check_date(&lab, on, now)?;
    }
    let rule = Recurrence {
        from: moved.on.unwrap_or(old.from),
        at: moved.at.unwrap_or(old.at),
        zone: zone::at(now).0,
        repeat,
    };
    let begins = recurrence::beginnings(&rule, &lab, now).map_err(|error| refused(&error))?;
    let told = format!("the series, to {rule}");
    let wanted =
        Reschedule { begins, rule: Arc::new(rule), length: moved.for_millis, partly: moved.skip_taken };
    Ok((Wish::Reschedule(Box::new(wanted)), told))
}

/// Cancels a booking, it and those after it, or all of its series that has not begun. One that has begun is given back.
#[utoipa::path(post, path = "/api/v1/calendar/{lease}/cancel", tag = "resources", params(("lease" = LeaseId, Path)),
    request_body = CancelBooking, responses((status = 200, body = LeaseView), (status = 403), (status = 404), (status = 409)))]
pub(super) async fn cancel(
    app: web::Data<App>,
    guard: Guard<MayLock>,
    lease: web::Path<LeaseId>,
    body: web::Json<CancelBooking>,
) -> Answer {
    let told = match body.scope {
        Scope::One => "",
        Scope::Following => "with those after it",
        Scope::Series => "the whole series",
    };
    let deed = Some(("calendar.cancel", told.to_owned()));
    let view = wish_of(&app, &guard.caller, lease.into_inner(), Wish::Cancel(body.scope), deed).await?;
    Ok(HttpResponse::Ok().json(view))
}

/// A booking as the book takes it.
async fn wanted(app: &App, guard: &Guard<MayLock>, wanted: BookingRequest) -> Result<Series, Failure> {
    let caller = &guard.caller;
    let (begins, rule) = times(&wanted, clock::now())?;
    let user = caller.user.clone();
    let holder = if wanted.maintenance { Holder::Lab(user) } else { Holder::Person(user) };
    let request = LeaseRequest {
        resources: wanted.resources,
        suts: wanted.suts,
        needs: wanted.needs,
        shared: wanted.shared,
        reason: wanted.reason,
        note: wanted.note,
        context: wanted.context,
        for_millis: Some(wanted.for_millis),
        ..LeaseRequest::default()
    };
    let ask = read(app, caller, request, holder).await?;
    Ok(Series { ask, begins, rule: rule.map(Arc::new), partly: wanted.skip_taken })
}

/// When it begins: an instant, or what the clocks of the lab say, once or again and again.
fn times(wanted: &BookingRequest, now: Time) -> Result<(Vec<Time>, Option<Recurrence>), Failure> {
    let lab = zone::lab();
    if let Some(on) = wanted.on {
        check_date(&lab, on, now)?;
    }
    match (wanted.begin, wanted.at, wanted.repeat.clone().map(Repeat::from)) {
        (Some(_), Some(_), _) => Err(two_beginnings()),
        (Some(_), None, Some(_)) => {
            let title = "a series goes by the clocks of the lab: give `at` (06:00), not `begin`";
            Err(Failure::new(ErrorCode::BadRequest, title).field("begin"))
        }
        (Some(_), None, None) if wanted.on.is_some() => Err(two_beginnings()),
        (Some(begin), None, None) if begin < now => {
            let title = format!("{begin} is over; book a time that is still to come");
            Err(Failure::new(ErrorCode::BadRequest, title).field("begin"))
        }
        (Some(begin), None, None) => Ok((vec![begin], None)),
        (None, None, None) if wanted.maintenance && wanted.on.is_none() => Ok((vec![now], None)),
        (None, None, _) => {
            let title = "say when: `begin`, or `at` a time of day with `on` a date, or with `repeat`";
            Err(Failure::new(ErrorCode::BadRequest, title).field("at"))
        }
        (None, Some(at), repeat) => {
            let from = match wanted.on {
                Some(on) => on,
                None => Date(recurrence::date(&lab, now).unwrap_or_default()),
            };
            let is_series = repeat.is_some();
            // Once is the first day on which it is still to come.
            let next = || Repeat {
                every: Every::Day,
                interval: 1,
                days: BTreeSet::new(),
                until: wanted.on,
                times: wanted.on.is_none().then_some(1),
            };
            let repeat = repeat.unwrap_or_else(next);
            let rule = Recurrence { from, at, zone: zone::at(now).0, repeat };
            let begins = recurrence::beginnings(&rule, &lab, now);
            let begins = begins.map_err(|error| refused(&error))?;
            Ok((begins, is_series.then_some(rule)))
        }
    }
}

fn two_beginnings() -> Failure {
    let title = "give one beginning: `begin`, or `at` a time of day, `on` a date";
    Failure::new(ErrorCode::BadRequest, title).field("begin")
}

fn refused(error: &RecurrenceError) -> Failure {
    let field = match error {
        RecurrenceError::Interval | RecurrenceError::TwoEnds | RecurrenceError::DaysOfDays => "repeat",
        RecurrenceError::Times | RecurrenceError::TooMany => "repeat.times",
        RecurrenceError::None { .. } => "on",
    };
    Failure::new(ErrorCode::BadRequest, error.to_string()).field(field)
}

fn check_date(lab: &TimeZone, on: Date, now: Time) -> Result<(), Failure> {
    if recurrence::date(lab, now).is_some_and(|today| on.0 < today) {
        let title = format!("{on} is over; book a date that is still to come");
        return Err(Failure::new(ErrorCode::BadRequest, title).field("on"));
    }
    Ok(())
}

fn local(lab: &TimeZone, at: DateTime, field: &str) -> Result<Time, Failure> {
    recurrence::instant(lab, at)
        .ok_or_else(|| Failure::new(ErrorCode::BadRequest, "no calendar reaches that far").field(field))
}
