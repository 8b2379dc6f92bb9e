//! The calendar as people use it: booked again and again, moved, cancelled, maintained, and read by calendars.

use std::{fs, path::Path, process::Command, time::Duration};

use jackfield_protocol::{
    calendar::{Booked, BookingCheck},
    error::{ErrorCode, Problem},
    event::RunState,
    lease::{LeaseEnded, LeaseState, LeaseView},
    time::Time,
};
use jackfield_tests::{Bench, api::Api, wait};
use serde_json::{Value, json};

use crate::{
    need::await_why,
    people::{ROLES, join},
    typing::{done, refused, type_in},
};

const LIMIT: Duration = Duration::from_secs(60);
const HOUR: u64 = 3_600_000;

fn lab(bench: &Bench) {
    for (parent, name) in [("/", "tb1"), ("/tb1", "r1"), ("/tb1", "r2"), ("/", "tb2"), ("/tb2", "r3")] {
        bench.api.set_resource(parent, name, &json!({"kind": "router"})).unwrap();
    }
    bench.api.set_sut("core.system", "router", "/tb1/r1").unwrap();
}

/// What was said, with dates, instants, zones and addresses made alike, and columns no wider than they need be.
fn told(text: &str) -> String {
    let word = |word: &str| {
        let letters: Vec<char> = word.chars().collect();
        let is_date = |at: usize| {
            let rest = letters.get(at..at + 10);
            rest.is_some_and(|rest| {
                rest.iter().enumerate().all(|(at, letter)| {
                    if at == 4 || at == 7 { *letter == '-' } else { letter.is_ascii_digit() }
                })
            })
        };
        if word.starts_with("http") {
            return "ADDRESS".to_owned();
        }
        if is_date(0) {
            word.get(24..).map_or_else(|| "DATE".to_owned(), |rest| format!("INSTANT{rest}"))
        } else {
            word.to_owned()
        }
    };
    let mut lines = Vec::new();
    for line in text.lines().filter(|line| !line.starts_with("subscribe to it")) {
        let words: Vec<String> = line.split_whitespace().map(word).collect();
        // Of `at 06:00 (Europe/Bucharest),` and of the last line of a list.
        let zones = words.iter().enumerate().map(|(at, word)| {
            let before = at.checked_sub(1).and_then(|at| words.get(at)).map_or("", String::as_str);
            if before.contains(':') && word.starts_with('(') { "(ZONE)".to_owned() } else { word.clone() }
        });
        let line = zones.collect::<Vec<_>>().join(" ");
        lines.push(
            line.split_once("those of ").map_or(line.clone(), |(before, _)| format!("{before}those of ZONE")),
        );
    }
    lines.join("\n")
}

#[test]
fn the_page_about_the_calendar_does_what_it_says() {
    let bench = Bench::start("").unwrap();
    lab(&bench);
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/calendar.md");
    let page = fs::read_to_string(page).unwrap();
    let blocks = page.split("```console\n").skip(1).map(|block| block.split("```").next().unwrap());
    let lines: usize = blocks.map(|block| type_in(&bench, &bench.api, block, told)).sum();
    assert_eq!(lines, 11);
}

/// Each day at a time that is not now.
fn daily(times: u32) -> Value {
    json!({"every": "day", "times": times})
}

fn book(api: &Api, body: &Value) -> Booked {
    api.post("/calendar", body).unwrap()
}

#[track_caller]
fn problem(api: &Api, method: &str, path: &str, body: &Value) -> Problem {
    let (_, text) = api.request(method, path, Some(body)).unwrap();
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// So long from now, by the engine's clock.
fn later(api: &Api, millis: u64) -> Time {
    let view: Value = api.get("/calendar").unwrap();
    let now: Time = view.get("from").and_then(Value::as_str).unwrap().parse().unwrap();
    now.plus_millis(millis)
}

#[test]
fn a_series_outlives_the_engine_and_clashes_name_person_and_time() {
    let mut bench = Bench::start("").unwrap();
    lab(&bench);
    let (ana, bob) = (join(&bench, "ana", &ROLES).unwrap(), join(&bench, "bob", &ROLES).unwrap());
    let made = book(
        &ana,
        &json!({"resources": ["/tb1/r1"], "at": "06:00", "repeat": daily(5), "for_millis": HOUR, "reason": "night"}),
    );
    assert_eq!(made.bookings.len(), 5);
    let first = made.bookings.first().unwrap();
    let series = first.series.as_ref().unwrap();
    assert!(made.bookings.iter().all(|view| view.series.as_ref().map(|of| of.id) == Some(series.id)));
    bench.kill_engine();
    bench.start_engine().unwrap();
    let begin = first.begin.unwrap();
    let wanted = json!({"resources": ["/tb1"], "begin": begin, "for_millis": 2 * HOUR});
    let clash = problem(&bob, "POST", "/calendar", &wanted);
    assert_eq!(clash.code, ErrorCode::Held);
    assert!(
        clash.title.starts_with(&format!("ana has booked /tb1/r1 from {begin} until")),
        "{}",
        clash.title
    );
    assert!(clash.title.contains("(night); free of that time is"), "{}", clash.title);
    let check: BookingCheck = bob.post("/calendar/check", &wanted).unwrap();
    let time = check.times.first().unwrap();
    assert!(!check.free && time.user.as_ref().unwrap().as_str() == "ana", "{check:?}");
    assert_eq!(
        time.free.first().map(|span| (span.begin, span.end)),
        Some((begin.plus_millis(HOUR), begin.plus_millis(2 * HOUR)))
    );
    assert_eq!(time.next, Some(begin.plus_millis(HOUR)));
    // What is offered is free.
    book(&bob, &json!({"resources": ["/tb1"], "begin": time.next, "for_millis": 2 * HOUR}));
    let partly = json!({"resources": ["/tb1/r1"], "at": "06:00", "repeat": daily(7), "for_millis": HOUR, "skip_taken": true});
    let rest = book(&bob, &partly);
    assert_eq!((rest.bookings.len(), rest.skipped.len()), (2, 5), "{rest:?}");
    assert!(rest.skipped.iter().all(|time| time.taken.as_ref().unwrap().starts_with("ana has booked")));
    // Nobody moves or cancels what is another's, and what is moved keeps to all rules.
    let second = made.bookings.get(1).unwrap();
    let moved =
        |api: &Api, body: &Value| problem(api, "POST", &format!("/calendar/{}/move", second.id), body);
    assert_eq!(moved(&bob, &json!({"at": "09:00"})).code, ErrorCode::Forbidden);
    assert_eq!(moved(&ana, &json!({"begin": begin})).code, ErrorCode::Held);
    assert_eq!(moved(&ana, &json!({"for_millis": 0})).code, ErrorCode::BadRequest);
    assert_eq!(moved(&ana, &json!({"begin": "2020-01-01T00:00:00Z"})).code, ErrorCode::BadRequest);
    assert_eq!(moved(&ana, &json!({})).code, ErrorCode::BadRequest);
    assert_eq!(moved(&ana, &json!({"end": begin})).code, ErrorCode::BadRequest, "a field that nobody knows");
    let path = format!("/calendar/{}/move", second.id);
    let alone: Booked = ana.post(&path, &json!({"at": "09:00"})).unwrap();
    let alone = alone.bookings.first().unwrap();
    assert_eq!(alone.begin.unwrap().millis_since(second.begin.unwrap()), 3 * HOUR);
    assert_eq!(alone.series.as_ref().unwrap().slot, second.begin.unwrap());
    let all: Booked = ana.post(&path, &json!({"series": true, "at": "04:00"})).unwrap();
    let numbers: Vec<u64> = all.bookings.iter().map(|view| view.id.0).collect();
    assert_eq!(numbers.len(), 5, "{all:?}");
    let cancel = format!("/calendar/{}/cancel", all.bookings.get(2).unwrap().id);
    ana.post::<LeaseView>(&cancel, &json!({"scope": "following"})).unwrap();
    let from = later(&bob, 0);
    let listed: Value =
        bob.get(&format!("/calendar?user=ana&from={from}&to={}", from.plus_millis(240 * HOUR))).unwrap();
    assert_eq!(listed["items"].as_array().unwrap().len(), 2, "{listed}");
    assert!(listed["zone"].is_string());
}

#[test]
fn what_makes_no_sense_is_refused_with_its_field() {
    let bench = Bench::start("").unwrap();
    lab(&bench);
    let ana = join(&bench, "ana", &ROLES).unwrap();
    let of = |more: Value| {
        let mut body = json!({"resources": ["/tb1/r1"], "for_millis": HOUR});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        problem(&ana, "POST", "/calendar", &body)
    };
    let bad: [(Value, &str); 17] = [
        (json!({}), "say when"),
        (json!({"at": "24:00"}), "no time of day"),
        (json!({"at": "06:00", "on": "2027-02-29"}), "no date"),
        (json!({"at": "06:00", "on": "2020-01-01"}), "2020-01-01 is over"),
        (json!({"at": "06:00", "begin": "2099-01-01T00:00:00Z"}), "give one beginning"),
        (json!({"begin": "2099-01-01T00:00:00Z"}), "further ahead than two years"),
        (json!({"begin": "2020-01-01T00:00:00Z"}), "is over"),
        (json!({"begin": "2099-01-01T00:00:00Z", "repeat": daily(2)}), "give `at`"),
        (json!({"at": "06:00", "repeat": {"every": "month"}}), "month"),
        (json!({"at": "06:00", "repeat": {"every": "week", "day": ["mon"]}}), "day"),
        (json!({"at": "06:00", "repeat": {"every": "day", "days": ["mon"]}}), "days of the week"),
        (json!({"at": "06:00", "repeat": {"every": "day", "interval": 0}}), "cannot be 0"),
        (json!({"at": "06:00", "repeat": {"every": "day", "times": 500}}), "at most 400"),
        (json!({"at": "06:00", "repeat": {"every": "day", "times": 2, "until": "2099-01-01"}}), "not both"),
        (
            json!({"at": "06:00", "repeat": daily(2), "for_millis": 25 * HOUR}),
            "is not over when the next begins",
        ),
        (json!({"at": "06:00", "for_millis": 0}), "longer than that"),
        (json!({"at": "06:00", "maintainance": true}), "maintainance"),
    ];
    for (more, why) in bad {
        let refused = of(more.clone());
        assert_eq!(refused.code, ErrorCode::BadRequest, "{more}: {refused:?}");
        assert!(refused.title.contains(why), "{more}: {}", refused.title);
    }
    assert_eq!(of(json!({"at": "06:00", "maintenance": true})).code, ErrorCode::Forbidden);
    refused(
        &bench,
        &ana,
        "jackfield calendar book /tb1/r1 --for 1h --times 3 --at 06:00",
        "say also --daily",
    );
    refused(&bench, &ana, "jackfield calendar book /tb1/r1 --for 1h", "say when");
    refused(
        &bench,
        &ana,
        "jackfield calendar book /tb1/r1 --for 1h --at 06:00 --weekly fri-mon",
        "weeks begin on Monday",
    );
    let none: Value = ana.get("/calendar").unwrap();
    assert_eq!(none["items"], json!([]), "nothing of it was booked");
}

#[test]
fn maintenance_drains_a_rack_tells_who_is_inside_and_lets_the_run_finish() {
    let mut bench = Bench::start("").unwrap();
    lab(&bench);
    let enough = bench.path().join("enough");
    bench
        .write("tests/a.sh", &format!("#!/bin/sh\nuntil test -e {}; do sleep 0.05; done\n", enough.display()))
        .unwrap();
    bench.start_ep("EP-1", "lanes = 2\n").unwrap();
    let (ana, bob) = (join(&bench, "ana", &ROLES).unwrap(), join(&bench, "bob", &ROLES).unwrap());
    let rack = join(&bench, "rack", &["CHANGE_TESTBED", "VIEW_REPORTS"]).unwrap();
    let project = crate::health::on_sut("a.sh");
    let run = bob.submit("night", &project).unwrap();
    let running = || Ok((bob.run(run)?.state == RunState::Running).then_some(()));
    wait::until(LIMIT, "the run to begin", running).unwrap();
    // The run has two leases by now: that of its SUT, and that of a lane.
    done(&bench, &ana, "jackfield lease take /tb1/r2 --for 2h");
    refused(&bench, &ana, "jackfield calendar book /tb1 --maintenance --for 1h", "CHANGE_TESTBED");
    let begin = later(&rack, HOUR / 2);
    let said = done(
        &bench,
        &rack,
        &format!("jackfield calendar book /tb1 --maintenance --begin {begin} --for 1h --reason 'new PSU'"),
    );
    assert!(said.contains("others have or have booked it (1), and lose it then"), "{said}");
    let told = done(&bench, &ana, "jackfield lease show /tb1/r2");
    assert!(
        told.contains("but it ends for maintenance: the lab (by rack) has booked /tb1 from")
            && told.contains("(new PSU)"),
        "{told}"
    );
    refused(
        &bench,
        &ana,
        "jackfield lease extend /tb1/r2 --for 3h",
        "the lab (by rack) has booked /tb1 from",
    );
    refused(&bench, &bob, "jackfield lease release 4", "not yours");
    done(&bench, &rack, "jackfield calendar cancel 4");
    assert!(!done(&bench, &ana, "jackfield lease show /tb1/r2").contains("maintenance"));
    // At once: she is out, the run goes on, and nobody else comes in.
    let said =
        done(&bench, &rack, "jackfield calendar book /tb1 --maintenance --for 1h --reason 'it smokes'");
    assert!(said.contains("maintenance by rack"), "{said}");
    let hers = || {
        let lease: LeaseView = ana.get("/leases/3")?;
        Ok((lease.state == LeaseState::Ended).then_some(lease))
    };
    let hers = wait::until(LIMIT, "her lease to end", hers).unwrap().ended.unwrap();
    assert_eq!((hers.how, hers.reason.as_str()), (LeaseEnded::Force, "maintenance: it smokes"));
    let told = done(&bench, &rack, "jackfield lease show 5");
    assert!(told.contains(&format!("bob's run {run} has SUT core.system since")), "{told}");
    refused(&bench, &ana, "jackfield lease take /tb1/r2", "");
    let next = bob.submit("next", &project).unwrap();
    fs::write(&enough, "").unwrap();
    bob.wait(run, LIMIT).unwrap();
    let active = || Ok((rack.get::<LeaseView>("/leases/5")?.state == LeaseState::Active).then_some(()));
    wait::until(LIMIT, "maintenance to begin", active).unwrap();
    await_why(&bob, next, "the lab (by rack) has /tb1 until");
    refused(&bench, &ana, "jackfield lease take /tb1/r2", "the lab (by rack) has /tb1 until");
    done(&bench, &rack, "jackfield calendar cancel 5");
    bob.wait(next, LIMIT).unwrap();
}

/// Reads a feed as a calendar does, which knows no account; and as a library of others reads it.
fn feed(address: &str) -> (String, Vec<(String, String)>) {
    let output = Command::new("curl").args(["-sS", "-i", address]).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let read = "import sys, icalendar\n\
        calendar = icalendar.Calendar.from_ical(sys.stdin.buffer.read())\n\
        for event in calendar.walk('VEVENT'):\n    \
        print(event['SUMMARY'] + '\\t' + event.decoded('DTSTART').isoformat())\n";
    let Some((_, body)) = text.split_once("\r\n\r\n").filter(|(head, _)| head.contains(" 200 ")) else {
        return (text, Vec::new());
    };
    let mut reader = Command::new("/usr/bin/python3");
    reader.args(["-c", read]).stdin(std::process::Stdio::piped()).stdout(std::process::Stdio::piped());
    let mut reader = reader.spawn().unwrap();
    std::io::Write::write_all(&mut reader.stdin.take().unwrap(), body.as_bytes()).unwrap();
    let output = reader.wait_with_output().unwrap();
    assert!(output.status.success(), "{body}");
    let said = String::from_utf8(output.stdout).unwrap();
    let events = said.lines().filter_map(|line| line.split_once('\t'));
    let events = events.map(|(summary, begin)| (summary.to_owned(), begin.to_owned())).collect();
    (text, events)
}

#[test]
fn calendars_read_a_feed_until_it_is_taken_back() {
    let mut bench = Bench::start("").unwrap();
    lab(&bench);
    let (ana, bob) = (join(&bench, "ana", &ROLES).unwrap(), join(&bench, "bob", &ROLES).unwrap());
    let reason = "night; \\ build, für \"alle\"";
    book(
        &ana,
        &json!({"resources": ["/tb1/r1"], "at": "06:00", "repeat": daily(3), "for_millis": HOUR, "reason": reason}),
    );
    done(&bench, &bob, "jackfield lease take /tb2 --for 2h");
    bench.api.put::<Value>("/groups/lab", &json!({"roles": []})).unwrap();
    bench.api.put::<Value>("/users/bob", &json!({"groups": ["lab"]})).unwrap();
    let hers = address(&bench, &ana, "");
    let (text, events) = feed(&hers);
    assert!(text.contains("content-type: text/calendar; charset=utf-8"), "{text}");
    assert_eq!(events.len(), 3, "{text}");
    assert!(
        events
            .iter()
            .all(|(summary, begin)| summary == &format!("/tb1/r1 (ana): {reason}")
                && begin.ends_with("+00:00")),
        "{events:?}"
    );
    let (_, of_group) = feed(&address(&bench, &ana, "--group lab"));
    assert_eq!(of_group.iter().map(|(summary, _)| summary.as_str()).collect::<Vec<_>>(), ["/tb2 (bob)"]);
    let (_, of_rack) = feed(&address(&bench, &bob, "--resource /tb1"));
    assert_eq!(of_rack.len(), 3);
    refused_feed(&bench, &ana);
    // It is there after a restart, and goes with a word; one of bob's is not hers to take back.
    bench.kill_engine();
    bench.start_engine().unwrap();
    assert_eq!(feed(&hers).1.len(), 3);
    let (status, _) = ana.request("DELETE", "/calendar/feeds/3", None).unwrap();
    assert_eq!(status, 404);
    done(&bench, &ana, "jackfield calendar feed revoke 1");
    let (gone, _) = feed(&hers);
    assert!(gone.contains(" 404 ") && gone.contains("this address shows nothing"), "{gone}");
    // Without the right to look at leases, there is nothing to lend.
    let his = address(&bench, &bob, "");
    bench.api.put::<Value>("/users/bob", &json!({"roles": ["RUN_TESTS"]})).unwrap();
    assert!(feed(&his).0.contains(" 404 "));
}

/// The address of a new feed.
fn address(bench: &Bench, api: &Api, options: &str) -> String {
    let said = done(bench, api, &format!("jackfield calendar feed create {options}"));
    said.lines().find(|line| line.starts_with("http")).unwrap().to_owned()
}

fn refused_feed(bench: &Bench, ana: &Api) {
    for (options, why) in
        [("--owner nobody", "user nobody"), ("--group none", "group none"), ("--resource /tb9", "/tb9")]
    {
        refused(bench, ana, &format!("jackfield calendar feed create {options}"), why);
    }
}
