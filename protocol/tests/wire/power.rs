//! The mains of a device.

use jackfield_protocol::{
    link::EpToEngine,
    power::{PowerAction, PowerAnswer, PowerDone, PowerOrder, PowerRequest, PowerResult, PowerState},
};
use serde_json::json;

use crate::{
    sample::{Family, Sample, variants},
    value::{Pair, awkward, ep, problem},
};

variants!(PowerResult {
    PowerResult::Done(_) => "done",
    PowerResult::Failed(_) => "failed",
});

pub(crate) fn order() -> PowerOrder {
    PowerOrder {
        id: 9,
        path: "/tb1/router1".to_owned(),
        action: PowerAction::Cycle,
        outlet: json!({"command": {"on": ["relay", "3", "on"]}, "off_millis": 2000}),
        limit_millis: 30_000,
    }
}

pub(crate) fn done() -> Pair<EpToEngine> {
    let done = |said: String| {
        let result = PowerResult::Done(PowerAnswer { state: PowerState::On, said });
        EpToEngine::PowerDone { id: 9, result }
    };
    Pair { full: done(awkward()), bare: done(String::new()) }
}

pub(crate) fn samples() -> Vec<Sample> {
    let answer = |said: String| PowerResult::Done(PowerAnswer { state: PowerState::Unknown, said });
    let problem = problem();
    let mut samples = Family::new("power_result")
        .both(answer(awkward()), answer(String::new()))
        .both(PowerResult::Failed(problem.full), PowerResult::Failed(problem.bare))
        .whole();
    let request = PowerRequest {
        resource: "/tb1/router1".to_owned(),
        action: PowerAction::Off,
        ep: Some(ep()),
        force: true,
        limit_millis: Some(5_000),
    };
    let bare = PowerRequest { ep: None, force: false, limit_millis: None, ..request.clone() };
    samples.push(Sample::with_bare("api/power_request", request, bare));
    let done = PowerDone {
        resource: "/tb1/router1".to_owned(),
        action: PowerAction::Status,
        state: PowerState::Off,
        said: awkward(),
        ep: ep(),
    };
    let bare = PowerDone { said: String::new(), ..done.clone() };
    samples.push(Sample::with_bare("api/power_done", done, bare));
    samples
}
