//! A person's console on a device, as an address: found, checked against what they may do, and joined to the EP that
//! reaches it ([`crate::console`]).

use actix_web::{HttpRequest, HttpResponse, web};
use jackfield_protocol::{
    api::Page,
    console::{CONSOLE_SUBPROTOCOL, ConsoleOf, ConsoleOn, ConsoleOrder, ConsoleRow},
    error::ErrorCode,
    id::{ConsoleId, EpName},
};
use tokio_util::sync::CancellationToken;

use super::Answer;
use crate::{
    app::App,
    auth::{self, Guard, Hold, MayRead},
    clock,
    console::{
        policy::{ConsoleQuery, Place, find, node, told},
        relay::{audit, joined, serve},
    },
    failure::Failure,
    lab::consoles::{Consoles, End, Person},
};

pub(super) fn routes(config: &mut web::ServiceConfig) {
    config.route("/console", web::get().to(open)).route("/consoles", web::get().to(list));
}

/// Who sits at consoles now, and at what; by number.
#[utoipa::path(get, path = "/api/v1/consoles", tag = "eps", responses((status = 200, body = Page<ConsoleRow>)))]
pub(super) async fn list(app: web::Data<App>, _: Guard<MayRead>) -> Answer {
    std::future::ready(Ok(HttpResponse::Ok().json(Page { items: app.consoles.rows(), next: None }))).await
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
    hold: Hold,
    query: web::Query<ConsoleQuery>,
) -> Answer {
    let (caller, query) = (guard.caller, query.into_inner());
    let node = node(&app, &query.resource).await?;
    let mut console = app.consoles.open()?;
    let place = find(&app, &caller, &query, &node, &mut console).await?;
    let upgraded = actix_ws::handle_with_protocols(&request, body, &[CONSOLE_SUBPROTOCOL]);
    let (response, session, stream) = upgraded
        .map_err(|error| Failure::new(ErrorCode::BadRequest, format!("a console is a WebSocket: {error}")))?;
    let secret = auth::random_token()
        .map_err(|error| Failure::new(ErrorCode::Internal, format!("no random secret: {error}")))?;
    let Place { ep, of, watch_only } = place;
    let take = query.take && !query.watch;
    let (user, target) = (caller.user, node.path);
    let told = told(&of, &ep, take);
    let order = ConsoleOrder {
        console: console.id,
        secret: secret.clone(),
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
    actix_web::rt::spawn(tasks.track_future(ends_with_its_rights(
        hold,
        app.consoles.clone(),
        id,
        person.over.clone(),
    )));
    let stream = joined(stream);
    let serving = serve(app, console, Box::new(order), secret, person, stream);
    actix_web::rt::spawn(tasks.track_future(serving));
    Ok(response)
}

/// Ends a console whose person may not have it any more.
async fn ends_with_its_rights(hold: Hold, consoles: Consoles, console: ConsoleId, over: CancellationToken) {
    tokio::select! {
        () = over.cancelled() => {}
        () = hold.until_less() => {
            let reason = "its token was revoked, its log-in ended, or a role was taken away".to_owned();
            consoles.end_with(console, End { code: ErrorCode::Forbidden, reason });
            // Also where the EP has not called back yet.
            over.cancel();
        }
    }
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
