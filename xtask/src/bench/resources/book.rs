//! The book when it is full: 10,000 who wait, 5,000 leases through a restart, and engines that are killed right after they answered.

use std::{thread, time::Duration};

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};

use super::{
    figure, flat,
    http::{Asker, Connection, number},
};
use crate::bench::{
    Measure,
    lab::{Lab, now},
    median,
};

/// Waiting asks: many, and few to compare with. A person may have 1,000 open.
const MANY: usize = 10_000;
const FEW: usize = 100;
const EACH: usize = 900;
/// How often a device goes to the next.
const GRANTS: usize = 50;
const ACTIVE: usize = 5_000;
const BOOKED: usize = 500;
const HOUR: u64 = 3_600_000;
/// How often the engine is killed; `JACKFIELD_BENCH_KILLS` says otherwise.
const KILLS: usize = 50;

pub(super) fn measure() -> Result<Vec<Measure>> {
    let mut measures = queue()?;
    measures.extend(restart()?);
    measures.extend(kills()?);
    Ok(measures)
}

/// What it takes until the next in a queue has a device that is given back: the answer to the release, which comes when both are stored.
fn queue() -> Result<Vec<Measure>> {
    let few = grant_with(FEW)?;
    let many = grant_with(MANY)?;
    let name = "10,000 wait: a device goes to the next, p50";
    Ok(vec![
        Measure::own(name, many, "ms", "under 5 ms").holds(many < 5.0),
        Measure::own(name, many, "ms", "twice that of 100").against("100 wait", few).holds(many <= 2.0 * few),
    ])
}

fn grant_with(waiters: usize) -> Result<f64> {
    let lab = Lab::start_with("queue", &[("resources.json", flat(10))])?;
    let people = Asker::people(&lab, waiters.div_ceil(EACH) + 1)?;
    let mut connections = people.iter().map(Asker::connect).collect::<Result<Vec<_>>>()?;
    let mut holder = connections.pop().context("somebody has it")?;
    let mut lease = holder.take("/p0", &json!({}))?;
    let mut waiting = Vec::new();
    for number in 0..waiters {
        let person = number % connections.len();
        let connection = connections.get_mut(person).context("one of them")?;
        waiting.push((person, connection.take("/p0", &json!({"wait_millis": 24 * HOUR}))?));
    }
    // The engine has closed a connection on which nothing was said for so long.
    holder = people.last().context("somebody has it")?.connect()?;
    let mut times = Vec::new();
    for _ in 0..GRANTS.min(waiters) {
        let begin = now();
        holder.release(lease)?;
        times.push(begin.elapsed().as_secs_f64() * 1_000.0);
        // Who has it now is one of those who waited, and by their word it goes on to the next.
        let list = holder.done("GET", "/leases?resource=/p0", &Value::Null)?;
        let items = list.get("items").and_then(Value::as_array).context("a list")?;
        let is_active = |lease: &&Value| lease.get("state").is_some_and(|state| state == "active");
        let active: Vec<&Value> = items.iter().filter(is_active).collect();
        ensure!(active.len() == 1, "{} people have the device", active.len());
        lease = active.first().and_then(|lease| lease.get("id")?.as_u64()).context("its number")?;
        let (person, _) = waiting.iter().find(|(_, id)| *id == lease).context("somebody who waited")?;
        holder = people.get(*person).context("one of them")?.connect()?;
    }
    Ok(median(times))
}

fn restart() -> Result<Vec<Measure>> {
    let mut lab = Lab::start_with("restart", &[("resources.json", flat(ACTIVE + BOOKED))])?;
    let people = Asker::people(&lab, (ACTIVE + BOOKED).div_ceil(EACH))?;
    let soon = in_thirty_hours(&lab)?;
    thread::scope(|scope| {
        let fill = |(person, asker): (usize, &Asker)| -> Result<()> {
            let mut connection = asker.connect()?;
            for device in (person..ACTIVE + BOOKED).step_by(people.len()) {
                let booked = json!({"begin": soon, "for_millis": HOUR});
                let terms = if device < ACTIVE { json!({"for_millis": 24 * HOUR}) } else { booked };
                connection.take(&format!("/p{device}"), &terms)?;
            }
            Ok(())
        };
        let threads: Vec<_> = people.iter().enumerate().map(|work| scope.spawn(move || fill(work))).collect();
        threads
            .into_iter()
            .map(|thread| thread.join().expect("no client panics"))
            .collect::<Result<Vec<()>>>()
    })?;
    lab.kill()?;
    let seconds = lab.start_again()?;
    let list = Asker::admin(&lab)?.connect()?.done("GET", "/leases", &Value::Null)?;
    let items = list.get("items").and_then(Value::as_array).context("a list")?;
    let count = |wanted: &str| {
        items.iter().filter(|lease| lease.get("state").is_some_and(|state| state == wanted)).count()
    };
    let lost = ACTIVE.abs_diff(count("active")) + BOOKED.abs_diff(count("asked"));
    Ok(vec![
        Measure::own("5,000 leases, 500 bookings: killed, and started", seconds, "s", "under 1 s")
            .holds(seconds < 1.0),
        Measure::own("of them lost", figure(lost), "", "none").holds(lost == 0),
    ])
}

/// An instant by the engine's clock, as text.
fn in_thirty_hours(lab: &Lab) -> Result<String> {
    let mut connection = Asker::admin(lab)?.connect()?;
    let lease =
        connection.done("POST", "/leases", &json!({"resources": ["/p0"], "for_millis": 30 * HOUR}))?;
    connection.release(number(&lease)?)?;
    Ok(lease.get("until").and_then(Value::as_str).context("its end")?.to_owned())
}

/// Kills the engine within half a second of an answer, again and again: every lease that was answered is there, and no number comes twice.
fn kills() -> Result<Vec<Measure>> {
    let asked = std::env::var_os("JACKFIELD_BENCH_KILLS").and_then(|kills| kills.into_string().ok());
    let kills =
        asked.map_or(Ok(KILLS), |kills| kills.parse()).context("JACKFIELD_BENCH_KILLS is no number")?;
    let mut lab = Lab::start_with("kills", &[("resources.json", flat(100))])?;
    let person = Asker::people(&lab, 1)?.remove(0);
    let (mut last, mut lost, mut twice) = (0, 0_u32, 0_u32);
    for kill in 0..kills {
        let mut connection = person.again(&lab)?.connect()?;
        let lease = connection.take(&format!("/p{}", kill % 100), &json!({}))?;
        twice += u32::from(lease <= last);
        last = lease;
        thread::sleep(Duration::from_millis(u64::try_from(kill * 37 % 500)?));
        lab.kill()?;
        lab.start_again()?;
        let mut connection = person.again(&lab)?.connect()?;
        lost += u32::from(!is_active(&mut connection, lease)?);
        connection.release(lease)?;
    }
    let name = format!("killed {kills} times within 0.5 s of a lease: lost");
    Ok(vec![
        Measure::own(name, f64::from(lost), "", "none").holds(lost == 0),
        Measure::own("numbers that were given twice", f64::from(twice), "", "none").holds(twice == 0),
    ])
}

fn is_active(connection: &mut Connection, lease: u64) -> Result<bool> {
    let (status, said) = connection.ask("GET", &format!("/leases/{lease}"), "")?;
    let said: Value = serde_json::from_slice(said)?;
    Ok(status == 200 && said.get("state").is_some_and(|state| state == "active"))
}
