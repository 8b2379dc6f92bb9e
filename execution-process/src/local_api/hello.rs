//! `hello`: who the test is, and what it is told about itself.

use jackfield_protocol::{
    error::{ErrorCode, Problem},
    secret::Secret,
};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::oneshot;

use super::{
    Desk,
    rpc::{self, Failure},
};
use crate::event::{Event, Guest};

#[derive(Deserialize)]
struct Params {
    token: Secret,
}

pub(super) async fn hello(desk: &Desk, params: Value) -> Result<(Guest, Value), Failure> {
    let Params { token } = rpc::params(params)?;
    let (answer, known) = oneshot::channel();
    let _ = desk.events.send(Event::Hello { token, answer });
    let unknown = || {
        let title =
            "no running test has this token; use the one in JACKFIELD_TOKEN of the test's own process";
        Problem::new(ErrorCode::Unauthenticated, title)
    };
    let guest = known.await.ok().flatten().ok_or_else(unknown)?;
    let answer = about(desk, &guest);
    Ok((guest, answer))
}

fn about(desk: &Desk, guest: &Guest) -> Value {
    let (order, context) = (&guest.order, &guest.context);
    let test = &order.test;
    let configs: Vec<&str> = test.configs.iter().map(|(name, _)| name.as_ref()).collect();
    let iteration = test.iteration.as_ref().map(|iteration| &iteration.values);
    let (index, count) = test.suite_position;
    json!({
        "attempt": order.attempt,
        "run": order.attempt.run,
        "test_id": test.id,
        "name": test.name,
        "file": test.file,
        "suite_id": test.suite_id,
        "suite_name": test.suite_name,
        "sut": test.sut,
        "needs": test.needs,
        "user": context.user,
        "ep": desk.station.settings.name,
        "project": context.project,
        "properties": test.properties,
        "configs": configs,
        "params": test.params,
        "iteration": iteration.cloned().unwrap_or_default(),
        "tests_total": context.tests_total,
        "suite_position": [index, count],
    })
}
