//! Who is told by mail of their leases: before a booking begins, before a lease ends, and when maintenance is booked over it; and who is told
//! that a device was taken out of service. To whom, `mail.toml` says.
//!
//! A lease remembers of which beginning or end its holder was told, so a restart tells nobody twice; the mail itself is a job, and is tried again
//! like any other.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use actix_web::web;
use anyhow::Result;
use jackfield_config::mail_rules::MailRules;
use jackfield_protocol::{
    id::{LeaseId, UserName},
    lease::LeaseView,
    time::Time,
};
use jackfield_reporting::icalendar::{Calendar, Method, write};
use jackfield_resource_allocator::{
    ResourceId,
    book::{Health, Reminder, Who, Wish},
};

use crate::{
    app::App,
    clock,
    engine::Wished,
    lab::calendar_event,
    run::notices::taken_out,
    store::{
        self,
        job::{Letter, Work},
    },
    zone,
};

/// Between two looks.
const LOOK: Duration = Duration::from_secs(10);
/// How long before its beginning or its end a lease is told of.
const AHEAD_MILLIS: u64 = 15 * 60_000;

/// What was known of devices that are out of service, at the last look.
pub(crate) type Out = BTreeSet<(ResourceId, Time)>;

/// Looks until the engine goes down.
pub(crate) async fn keep_reminding(app: web::Data<App>) {
    let mut known = None;
    loop {
        if let Err(error) = look(&app, &mut known, clock::now()).await {
            tracing::warn!("nobody is reminded of leases now: {error:#}");
        }
        tokio::select! {
            () = app.stop.cancelled() => return,
            () = tokio::time::sleep(LOOK) => {}
        }
    }
}

/// One look: what is to be told by now is promised as jobs.
pub(crate) async fn look(app: &App, known: &mut Option<Out>, now: Time) -> Result<()> {
    let Some(rules) = rules(app).await else { return Ok(()) };
    if !rules.people.is_empty() {
        remind(app, &rules, now).await?;
    }
    tell_of_health(app, &rules, known).await
}

/// The lab's rules; none where there are none that can be used, which the notices of the engine say.
async fn rules(app: &App) -> Option<MailRules> {
    let lab = Arc::clone(&app.lab);
    let read = tokio::task::spawn_blocking(move || lab.mail_rules()).await.ok()??;
    read.usable().ok().map(|(rules, _warnings)| rules)
}

async fn remind(app: &App, rules: &MailRules, now: Time) -> Result<()> {
    let due = app.engine.ask(move |scheduler| {
        let due = scheduler.book().to_remind(now, AHEAD_MILLIS);
        due.into_iter().map(|(lease, reminder)| (reminder, scheduler.lease_view(lease))).collect::<Vec<_>>()
    });
    for (reminder, lease) in due.await? {
        let Some(user) = &lease.user else { continue };
        let (about, of) = match reminder {
            Reminder::Begins(at) => ("begins", at),
            Reminder::Ends(at) => ("ends", at),
        };
        let (subject, text) = told(&lease, reminder);
        send(app, rules, (user, &lease), (about, of), subject, text).await?;
        let who = Who { user: user.clone(), manages: true };
        let wish = Wish::Reminded { of };
        // It may have been given back meanwhile.
        let _over = app.engine.lease(Wished { lease: lease.id, who, wish, deed: None }).await;
    }
    Ok(())
}

/// Tells those whose leases maintenance ends.
pub(crate) async fn of_maintenance(app: &App, drained: &[LeaseView]) -> Result<()> {
    if drained.is_empty() {
        return Ok(());
    }
    let Some(rules) = rules(app).await else { return Ok(()) };
    for lease in drained {
        let (Some(user), Some(ahead)) = (&lease.user, &lease.maintenance) else { continue };
        let subject = format!("maintenance ends your lease of {} at {}", lease.name, here(ahead.begin));
        let text = format!("{}.\n\n{}", ahead.told, facts(lease));
        let about = format!("maintenance-{}", ahead.lease);
        send(app, &rules, (user, lease), (&about, ahead.begin), subject, text).await?;
    }
    Ok(())
}

fn told(lease: &LeaseView, reminder: Reminder) -> (String, String) {
    let facts = facts(lease);
    match reminder {
        Reminder::Begins(at) => {
            let subject = format!("{} is yours from {}", lease.name, here(at));
            (subject, format!("Your booking of {} begins at {}.\n\n{facts}", lease.name, here(at)))
        }
        Reminder::Ends(at) => {
            let subject = format!("your lease of {} ends at {}", lease.name, here(at));
            let longer = format!("Keep it longer: jackfield lease extend {} --for 1h", lease.id);
            (subject, format!("Your lease of {} ends at {}.\n{longer}\n\n{facts}", lease.name, here(at)))
        }
    }
}

/// What there is to know of a lease, a line each.
fn facts(lease: &LeaseView) -> String {
    let until = lease.until.map(|until| format!("until: {}", here(until)));
    let said = |name: &str, text: &str| (!text.is_empty()).then(|| format!("{name}: {text}"));
    let series = lease.series.as_ref().map(|series| format!("series: {}", series.told));
    let lines = [
        Some(format!("lease: {}", lease.id)),
        until,
        said("reason", &lease.reason),
        said("note", &lease.note),
        series,
    ];
    lines.into_iter().flatten().map(|line| line + "\n").collect()
}

/// An instant by the clocks of the lab.
fn here(at: Time) -> String {
    let instant = jiff::Timestamp::from_millisecond(at.0).unwrap_or_default();
    instant.to_zoned(zone::lab()).strftime("%Y-%m-%d %H:%M %Z").to_string()
}

async fn send(
    app: &App,
    rules: &MailRules,
    (user, lease): (&UserName, &LeaseView),
    (about, of): (&str, Time),
    subject: String,
    text: String,
) -> Result<()> {
    let Some(to) = rules.people.get(user.as_str()) else { return Ok(()) };
    let event = calendar_event::of(lease, clock::now(), &app.facts.hostname, true);
    let calendar = Calendar { name: "Jackfield".to_owned(), method: Method::Publish, events: vec![event] };
    let mut attached = Vec::new();
    write(&calendar, &mut attached)?;
    let key = letter_key(lease.id, about, of);
    let calendar = Some(String::from_utf8_lossy(&attached).into_owned());
    promise(app, Letter { to: to.to_string(), key, subject, text, calendar }).await
}

/// The same for the same, and no other's: names a file, and the mail itself.
fn letter_key(lease: LeaseId, about: &str, of: Time) -> String {
    format!("lease-{lease}-{about}-{}", of.0)
}

async fn promise(app: &App, letter: Letter) -> Result<()> {
    let mut conn = app.store.write().await?;
    store::job::enqueue(&mut conn, clock::now(), &[Work::MailPerson { letter }]).await?;
    conn.commit().await?;
    app.store.wake_jobs();
    Ok(())
}

/// Tells of devices that were taken out of service since the last look; at the first there is nobody to be told what they know.
async fn tell_of_health(app: &App, rules: &MailRules, known: &mut Option<Out>) -> Result<()> {
    let all = app.engine.ask(|scheduler| scheduler.book().health().cloned().collect::<Vec<_>>());
    let out: Vec<(Health, String)> =
        all.await?.into_iter().filter_map(|health| taken_out(&health).map(|text| (health, text))).collect();
    let now: Out = out.iter().map(|(health, _)| (health.spot.node.clone(), health.since)).collect();
    let before = known.replace(now);
    let Some(before) = before else { return Ok(()) };
    let is_news = |health: &Health| !before.contains(&(health.spot.node.clone(), health.since));
    for (health, text) in out.iter().filter(|(health, _)| is_news(health)) {
        for to in &rules.out_of_service {
            let subject = format!("{} was taken out of service", health.spot.path);
            let person: String = to.chars().filter(char::is_ascii_alphanumeric).collect();
            let key = format!("out-{}-{}-{person}", health.spot.node.as_str(), health.since.0);
            let letter = Letter { to: to.clone(), key, subject, text: format!("{text}\n"), calendar: None };
            promise(app, letter).await?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reminder_says_what_ends_and_how_to_keep_it() {
        let lease: LeaseView = serde_json::from_value(serde_json::json!({
            "id": 7, "kind": "resource", "name": "/tb1/r1", "state": "active", "holder": "person", "user": "ana",
            "asked": "2026-12-01T04:00:00.000Z", "since": "2026-12-01T04:00:00.000Z",
            "until": "2026-12-01T06:00:00.000Z", "reason": "bug 1234", "note": "port 3 is loose",
        }))
        .unwrap();
        let at = lease.until.unwrap();
        let (subject, text) = told(&lease, Reminder::Ends(at));
        let ends = here(at);
        assert_eq!(subject, format!("your lease of /tb1/r1 ends at {ends}"));
        assert_eq!(
            text,
            format!(
                "Your lease of /tb1/r1 ends at {ends}.\nKeep it longer: jackfield lease extend 7 --for 1h\n\n\
                 lease: 7\nuntil: {ends}\nreason: bug 1234\nnote: port 3 is loose\n"
            )
        );
    }
}
