//! What a run was started with, to whoever may see the run: but what is its user's alone is shown to nobody else.

use std::collections::BTreeSet;

use actix_web::{HttpResponse, web};
use jackfield_protocol::{error::ErrorCode, id::RunId, plan::RunPlan};
use serde_json::Value;

use super::{Answer, run::no_run};
use crate::{
    app::App,
    auth::{Guard, MayWatch, SeesRun},
    failure::Failure,
};

/// Everything the run was started with: its suites, tests, options, and the content of its files by hash. What comes out of the folder that is its
/// user's alone is `null` for everybody else.
#[utoipa::path(get, path = "/api/v1/runs/{run}/plan", tag = "runs", params(("run" = RunId, Path)),
    responses((status = 200, body = serde_json::Value), (status = 404)))]
pub(super) async fn plan(
    app: web::Data<App>,
    guard: Guard<MayWatch>,
    _: SeesRun,
    run: web::Path<RunId>,
) -> Answer {
    let plan = app.store.plan(*run).await?.ok_or_else(|| no_run(*run))?;
    if plan.user == guard.caller.user || !plan.has_private_files() {
        return Ok(HttpResponse::Ok().json(&*plan));
    }
    Ok(HttpResponse::Ok().json(for_others(&plan)?))
}

/// The plan as others than its user may see it: what is that user's alone has neither a hash, by which it could be fetched, nor a text.
fn for_others(plan: &RunPlan) -> Result<Value, Failure> {
    let own = plan.tests.iter().filter(|test| test.is_private).filter_map(|test| test.content);
    let hidden: BTreeSet<String> =
        plan.private.files.iter().copied().chain(own).map(|hash| hash.to_string()).collect();
    let mut shown =
        serde_json::to_value(plan).map_err(|error| Failure::new(ErrorCode::Internal, error.to_string()))?;
    blank(&mut shown, &hidden);
    for name in &plan.private.profiles {
        if let Some(profile) = shown.get_mut("profiles").and_then(|profiles| profiles.get_mut(name)) {
            *profile = Value::Null;
        }
    }
    Ok(shown)
}

fn blank(value: &mut Value, hidden: &BTreeSet<String>) {
    match value {
        Value::String(text) if hidden.contains(text) => *value = Value::Null,
        Value::Array(all) => all.iter_mut().for_each(|inner| blank(inner, hidden)),
        Value::Object(all) => all.values_mut().for_each(|inner| blank(inner, hidden)),
        Value::String(_) | Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}
