//! A whole lab at work: people and runs who fight for few devices while the engine dies, and a night with checks, needs and a booking.

use std::{
    collections::BTreeMap,
    fs,
    path::Path,
    sync::{
        Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use jackfield_protocol::{
    calendar::Booked,
    event::RunState,
    health::ResourceHealth,
    lease::{LeaseState, LeaseView},
};
use jackfield_tests::{Bench, api::Api, wait};
use serde_json::{Value, json};

use crate::people::{ROLES, join};

const LIMIT: Duration = Duration::from_secs(120);

/// Who has a device, by what a file system says: the judge knows nothing of leases.
fn enter(judge: &Path, device: &str) -> bool {
    fs::create_dir(judge.join(device.trim_start_matches('/').replace('/', "_"))).is_ok()
}

fn leave(judge: &Path, device: &str) {
    fs::remove_dir(judge.join(device.trim_start_matches('/').replace('/', "_"))).unwrap();
}

/// The same for a test, which has what it needs by the name of `dut`.
fn test(judge: &Path, between: &str) -> String {
    let judge = judge.display();
    format!(
        "#!/bin/sh\nfor device in $JACKFIELD_NEED_DUT; do\n  at={judge}/$(echo \"${{device#/}}\" | tr / _)\n  mkdir $at || exit 1\n  {between}\n  rmdir $at\ndone\n"
    )
}

/// What a person saw: the device, and the number of the lease.
type Held = (String, u64);

/// Takes one device after the other until it is over; an engine that is away is waited for, and what nobody knows of is given back.
fn fight(api: &Api, me: usize, judge: &Path, over: &AtomicBool, log: &Mutex<Vec<Held>>) {
    let mut turn = me;
    while !over.load(Ordering::Relaxed) {
        turn += 1;
        let device = format!("/d{}", turn * 7 % 5);
        let wish = json!({"resources": [device], "for_millis": 600_000, "wait_millis": 600_000, "reason": "a fight"});
        let Ok(lease) = api.post::<LeaseView>("/leases", &wish) else {
            forget_all(api, over);
            continue;
        };
        let state = || match api.get::<LeaseView>(&format!("/leases/{}", lease.id)) {
            Ok(lease) if lease.state == LeaseState::Active => Some(true),
            Ok(lease) if lease.state == LeaseState::Ended => Some(false),
            Ok(_) | Err(_) => None,
        };
        let has = wait::until(LIMIT, "a turn", || {
            Ok(state().or_else(|| over.load(Ordering::Relaxed).then_some(false)))
        })
        .unwrap();
        if has {
            assert!(enter(judge, &device), "{device} is held twice (lease {})", lease.id);
            log.lock().unwrap().push((device.clone(), lease.id.0));
            leave(judge, &device);
        }
        let release = || {
            let _given_back = api.post::<Value>(&format!("/leases/{}/release", lease.id), &json!({}));
            let now = api.get::<LeaseView>(&format!("/leases/{}", lease.id));
            Ok(now.is_ok_and(|lease| lease.state == LeaseState::Ended).then_some(()))
        };
        wait::until(LIMIT, "a device to be given back", release).unwrap();
    }
}

/// After an answer that did not come: a lease that one does not know of is given back.
fn forget_all(api: &Api, over: &AtomicBool) {
    let me = || api.get::<Value>("/me");
    let forget = || {
        let Ok(me) = me() else { return Ok(over.load(Ordering::Relaxed).then_some(())) };
        let user = me.get("user").and_then(Value::as_str).unwrap().to_owned();
        let Ok(open) = api.get::<Value>(&format!("/leases?user={user}")) else { return Ok(None) };
        for lease in open
            .get("items")
            .and_then(Value::as_array)
            .unwrap()
            .iter()
            .filter(|lease| lease["holder"] == "person")
        {
            let _given_back = api.post::<Value>(&format!("/leases/{}/release", lease["id"]), &json!({}));
        }
        Ok(Some(()))
    };
    wait::until(LIMIT, "the engine to be back", forget).unwrap();
}

#[test]
fn twenty_fight_for_five_devices_while_the_engine_dies_three_times() {
    let mut bench = Bench::start("").unwrap();
    let judge = tempfile::tempdir().unwrap();
    for device in 0..5 {
        bench
            .api
            .set_resource("/", &format!("d{device}"), &json!({"kind": "device", "number": device}))
            .unwrap();
    }
    bench.write("tests/a.sh", &test(judge.path(), "sleep 0.05")).unwrap();
    bench.start_ep("EP-1", "lanes = 4\n").unwrap();
    let people: Vec<Api> =
        (0..16).map(|number| join(&bench, &format!("p{number}"), &ROLES).unwrap()).collect();
    let runners: Vec<Api> =
        (0..4).map(|number| join(&bench, &format!("r{number}"), &ROLES).unwrap()).collect();
    let (over, log, runs) = (AtomicBool::new(false), Mutex::new(Vec::new()), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for (me, api) in people.iter().enumerate() {
            let (over, log, judge) = (&over, &log, judge.path());
            scope.spawn(move || fight(api, me, judge, over, log));
        }
        for (me, api) in runners.iter().enumerate() {
            let (over, runs) = (&over, &runs);
            scope.spawn(move || {
                let mut turn = me;
                while !over.load(Ordering::Relaxed) {
                    turn += 1;
                    let needs = format!("<Needs>dut: number={}</Needs>", turn * 3 % 5);
                    let project = format!("<Root><TestSuite><tsName>a</tsName>{needs}<TestCase><tcName>a.sh</tcName></TestCase></TestSuite></Root>");
                    let Ok(run) = api.submit("fight", &project) else { continue };
                    runs.lock().unwrap().push((me, run));
                    let ended = || Ok(api.run(run).is_ok_and(|run| run.state == RunState::Completed).then_some(()));
                    wait::until(LIMIT, &format!("run {run}"), ended).unwrap();
                }
            });
        }
        for _ in 0..3 {
            let enough = log.lock().unwrap().len() + 40;
            wait::until(LIMIT, "the fight to go on", || {
                Ok((log.lock().unwrap().len() > enough).then_some(()))
            })
            .unwrap();
            bench.kill_engine();
            bench.start_engine().unwrap();
        }
        let enough = log.lock().unwrap().len() + 40;
        wait::until(LIMIT, "the fight to go on", || Ok((log.lock().unwrap().len() > enough).then_some(())))
            .unwrap();
        over.store(true, Ordering::Relaxed);
    });
    // Nothing leaked: all of it can be had at once, and nobody has or wants anything else.
    let left: Value = bench.api.get("/leases").unwrap();
    let of_people = left["items"].as_array().unwrap().iter().filter(|lease| lease["kind"] != "ep").count();
    assert_eq!(of_people, 0, "{left}");
    let all: LeaseView =
        bench.api.post("/leases", &json!({"resources": ["/d0", "/d1", "/d2", "/d3", "/d4"]})).unwrap();
    assert_eq!(all.state, LeaseState::Active);
    // Every test had its devices for itself.
    for (me, run) in runs.into_inner().unwrap() {
        for test in runners[me].tests(run).unwrap() {
            assert_eq!(test.state.to_string(), "PASS", "run {run}: {test:?}");
        }
    }
    // A number is a place in the queue, and nobody was overtaken there; none was given twice.
    let mut last: BTreeMap<String, u64> = BTreeMap::new();
    let log = log.into_inner().unwrap();
    for (device, lease) in &log {
        let before = last.insert(device.clone(), *lease).unwrap_or(0);
        assert!(before < *lease, "{device}: lease {lease} after {before}; {log:?}");
    }
    assert!(log.iter().all(|(_, lease)| *lease < all.id.0));
}

/// Twelve benches: a router and two phones each, and four routers more.
fn night_lab(bench: &Bench) {
    for number in 0..12 {
        bench.api.set_resource("/", &format!("b{number}"), &json!({})).unwrap();
        for (name, kind) in [("r", "router"), ("ph1", "phone"), ("ph2", "phone")] {
            bench.api.set_resource(&format!("/b{number}"), name, &json!({"kind": kind})).unwrap();
        }
    }
    for number in 0..4 {
        bench
            .api
            .set_resource("/", &format!("spare{number}"), &json!({"kind": "router", "spare": true}))
            .unwrap();
    }
}

#[test]
fn a_night_gives_what_is_free_and_clean_to_whoever_needs_it() {
    let mut bench = Bench::start("[health]\ncheck = \"check.xml\"\nafter = \"each\"\n").unwrap();
    let judge = tempfile::tempdir().unwrap();
    let clean = judge.path().join("clean");
    fs::create_dir(&clean).unwrap();
    night_lab(&bench);
    // Who uses a device leaves it as it is; its check cleans it, but for the one that is broken.
    let at = clean.display();
    let name = "$(echo \"${device#/}\" | tr / _)";
    bench.write("tests/use.sh", &test(judge.path(), &format!("rm -f {at}/{name}; sleep 0.02"))).unwrap();
    let check = format!(
        "#!/bin/sh\ndevice=$JACKFIELD_NEED_DEVICE\n[ $device = /b3/r ] && exit 1\ntouch {at}/{name}\n"
    );
    bench.write("tests/check.sh", &check).unwrap();
    bench.write("projects/check.xml", "<Root><TestSuite><tsName>health</tsName><TestCase><tcName>check.sh</tcName></TestCase></TestSuite></Root>").unwrap();
    for ep in 1..=5 {
        bench.start_ep(&format!("EP-{ep}"), "lanes = 4\n").unwrap();
    }
    let api = bench.api.clone();
    let judge_broken = json!({"resource": "/b3/r", "health": "dirty", "reason": "the evening left it so"});
    api.put::<Value>("/resources/health", &judge_broken).unwrap();
    // Somebody comes early: from then on the whole bench is theirs, free and clean.
    let ana = join(&bench, "ana", &ROLES).unwrap();
    let short: LeaseView = ana.post("/leases", &json!({"resources": ["/b7"], "for_millis": 8_000})).unwrap();
    let begin = json!(short.until.unwrap());
    ana.post::<Value>(&format!("/leases/{}/release", short.id), &json!({})).unwrap();
    let wanted = json!({"resources": ["/b7"], "begin": begin, "for_millis": 3_600_000});
    let booked = ana.post::<Booked>("/calendar", &wanted).unwrap().bookings.remove(0);
    assert_eq!(booked.state, LeaseState::Asked);
    let bob = join(&bench, "bob", &ROLES).unwrap();
    let suite = |needs: &str, tests: usize| {
        let tests = "<TestCase><tcName>use.sh</tcName></TestCase>".repeat(tests);
        format!("<TestSuite><tsName>s</tsName><Needs>{needs}</Needs>{tests}</TestSuite>")
    };
    let projects = [
        ("routers", (0..12).map(|_| suite("dut: kind=router", 2)).collect::<String>()),
        ("calls", (0..8).map(|_| suite("dut: 2x kind=phone; same bench", 2)).collect()),
        (
            "benches",
            (0..8).map(|_| suite("dut: kind=router, !spare; dut2: kind=phone; same bench", 2)).collect(),
        ),
    ];
    let runs: Vec<_> = projects
        .iter()
        .map(|(name, suites)| bob.submit(name, &format!("<Root>{suites}</Root>")).unwrap())
        .collect();
    let active = || {
        Ok((ana.get::<LeaseView>(&format!("/leases/{}", booked.id))?.state == LeaseState::Active)
            .then_some(()))
    };
    wait::until(LIMIT, "the booking to begin", active).unwrap();
    let unclean: Value = api.get("/resources/find?selector=kind&below=/b7&health=unfit").unwrap();
    assert_eq!(unclean["items"], json!([]), "what was booked is clean when its time has come");
    for device in ["/b7/r", "/b7/ph1", "/b7/ph2"] {
        assert!(enter(judge.path(), device), "{device} is in use");
    }
    for run in &runs {
        assert_eq!(bob.wait(*run, LIMIT).unwrap().state, RunState::Completed);
        for test in bob.tests(*run).unwrap() {
            assert_eq!(test.state.to_string(), "PASS", "run {run}: {test:?}");
        }
    }
    let broken: Value = api.get("/resources/health").unwrap();
    let broken: Vec<ResourceHealth> = serde_json::from_value(broken["items"].clone()).unwrap();
    let out = broken.iter().find(|health| health.resource == "/b3/r").unwrap();
    assert!(out.reason.contains("its health check failed in run"), "{out:?}");
    assert!(!clean.join("b3_r").is_file());
    let usage: Value = api.get("/leases?ended=true&resource=/b3/r").unwrap();
    let by_bob = usage["items"].as_array().unwrap().iter().filter(|lease| lease["user"] == "bob").count();
    assert_eq!(by_bob, 0, "what fails its check is given to nobody: {usage}");
    let still: LeaseView = ana.get(&format!("/leases/{}", booked.id)).unwrap();
    assert_eq!(still.state, LeaseState::Active);
}

const BEDS: &str = "\
from jackfield import twister
for tb in (1, 2, 3):
    twister.setResource(f'tb{tb}', '/', {'site': f's{tb}'})
    for dev in (1, 2):
        twister.setResource(f'dev{dev}', f'/tb{tb}', {'ip': f'10.0.{tb}.{dev}'})
        for mod in (1, 2, 3):
            twister.setResource(f'mod{mod}', f'/tb{tb}/dev{dev}', {'slot': str(mod)})
module = twister.getResource('/tb3/dev1/mod2')
assert module['path'] == '/tb3/dev1/mod2' and module['meta'] == {'slot': '2'}, module
assert twister.getResource('/tb3/dev1/mod2:slot') == '2'
assert len(twister.getResource('/tb3/dev1')['children']) == 3
assert twister.renResource('/tb2/dev2', 'dev_x2') is True
assert twister.getResource('/tb2/dev2') is None
";

const IN_TCL: &str = "package require jackfield\n\
proc is {got wanted} { if {$got ne $wanted} { error \"$got is not $wanted\" } }\n\
is [dict get [getResource /tb2/dev_x2] path] /tb2/dev_x2\nis [getResource /tb2/dev_x2:ip] 10.0.2.2\n\
is [renResource /tb2/dev_x2 dev_x3] 1\nis [setResource mod3 /tb2/dev_x3 {slot 33}] 1\nis [deleteResource /tb2/dev_x3/mod1] 1\n";

const IN_PERL: &str = "use Jackfield;\n\
sub is { my ($got, $wanted) = @_; $got eq $wanted or die \"$got is not $wanted\"; }\n\
is(getResource('/tb2/dev_x3/mod3:slot'), '33');\nis(getResource('/tb2/dev_x3/mod3')->{path}, '/tb2/dev_x3/mod3');\n\
is(renResource('/tb2/dev_x3', 'dev_x4'), 1);\nis(setResource('mod2', '/tb2/dev_x4', '{\"slot\": \"22\"}'), 1);\n";

#[test]
fn the_guides_three_test_beds_are_the_same_in_every_language_and_over_http() {
    let mut bench = Bench::start("").unwrap();
    bench.start_ep("EP-1", "").unwrap();
    for (name, text) in [("beds.py", BEDS), ("beds.tcl", IN_TCL), ("beds.plx", IN_PERL)] {
        bench.write(&format!("tests/{name}"), text).unwrap();
        bench.api.pass_files(&[name], LIMIT).unwrap();
    }
    let there: Value = bench.api.get("/resources?query=/tb2/dev_x4/mod2").unwrap();
    assert_eq!(there["meta"], json!({"slot": "22"}));
    assert_eq!(bench.api.request("GET", "/resources?query=/tb2/dev_x4/mod1", None).unwrap().0, 404);
    bench.api.post::<Value>("/resources/rename", &json!({"query": "/tb2/dev_x4", "name": "dev_x5"})).unwrap();
    let typed = |arguments: &[&str]| {
        let output = bench.jackfield(arguments).unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    };
    assert_eq!(typed(&["resource", "get", "/tb2/dev_x5/mod3:slot"]), "33");
    typed(&["resource", "rename", "/tb2/dev_x5", "dev_x2"]);
    assert_eq!(typed(&["resource", "find", "slot", "--paths"]).lines().count(), 17);
}
