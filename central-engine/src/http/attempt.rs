//! One try of a test, with everything that is known of it.

use std::{collections::BTreeMap, io};

use actix_web::{HttpResponse, web};
use jackfield_protocol::{
    attempt::AttemptEnd,
    id::{AttemptId, BlobHash, EpName},
    link::Part,
    log::Stream,
    time::Time,
    verdict::Outcome,
};
use jackfield_scheduler::effect::{AttemptRow, AttemptState};
use serde::Serialize;

use super::{Answer, log};
use crate::{app::App, auth::SeesRun, blobs::BlobError, failure::Failure, store};

pub(super) fn routes(config: &mut web::ServiceConfig) {
    config.route("/attempts/{attempt}", web::get().to(show));
}

/// An attempt.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct AttemptDetail {
    /// Which.
    attempt: AttemptId,
    /// Where.
    #[serde(skip_serializing_if = "Option::is_none")]
    ep: Option<EpName>,
    /// `assigned`, `started`, `ended` or `returned` (taken back before it started).
    state: &'static str,
    /// When it was sent to the EP.
    assigned: Time,
    /// When it started, by the EP's clock.
    #[serde(skip_serializing_if = "Option::is_none")]
    started: Option<Time>,
    /// How long its process lived.
    elapsed_millis: u64,
    /// How it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    outcome: Option<Outcome>,
    /// The rule that decided that, in words; none in what an older version wrote.
    #[serde(skip_serializing_if = "Option::is_none")]
    decided: Option<String>,
    /// The process's exit status.
    #[serde(skip_serializing_if = "Option::is_none")]
    exit_code: Option<i32>,
    /// The tests inside it.
    parts: Vec<Part>,
    /// Clean-ups after it.
    cleanups: Vec<Part>,
    /// Custom variables it set.
    variables: BTreeMap<String, String>,
    /// Its logs that are not empty, with their sizes in bytes.
    logs: BTreeMap<&'static str, u64>,
    /// How long they will be, once the attempt has ended: more than `logs` says is still on its way from the EP.
    #[serde(skip_serializing_if = "Option::is_none")]
    logs_expected: Option<BTreeMap<&'static str, u64>>,
    /// Files it left, by name; fetch them from `/api/v1/blobs/{hash}`.
    artifacts: BTreeMap<String, KeptFile>,
}

/// A file that an attempt left.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct KeptFile {
    /// What names its content.
    hash: BlobHash,
    /// Its size; none while it has not come from the EP.
    #[serde(skip_serializing_if = "Option::is_none")]
    bytes: Option<u64>,
}

/// One attempt, such as `41.17.1`.
#[utoipa::path(get, path = "/api/v1/attempts/{attempt}", tag = "attempts", params(("attempt" = AttemptId, Path)),
    responses((status = 200, body = AttemptDetail), (status = 404)))]
pub(super) async fn show(app: web::Data<App>, _: SeesRun, attempt: web::Path<AttemptId>) -> Answer {
    let id = *attempt;
    let mut conn = app.store.read().await?;
    let row = store::attempt::fetch(&mut conn, id).await?;
    let row = row.ok_or_else(|| Failure::not_found(format!("attempt {id}")))?;
    let artifacts = store::attempt::artifacts(&mut conn, id).await?;
    drop(conn);
    let stored = app.logs.list(id).await?;
    let expected = Stream::ALL.into_iter().filter_map(|stream| {
        let size = stored.get(&stream).copied().unwrap_or(0);
        log::expected(&app.logs, &row, stream, size).map(|expected| (stream.as_str(), expected))
    });
    let logs_expected: BTreeMap<_, _> = expected.filter(|(_, expected)| *expected > 0).collect();
    let logs_expected = log::is_over(&row).then_some(logs_expected);
    let logs = stored.into_iter().map(|(stream, size)| (stream.as_str(), size)).collect();
    let blobs = app.blobs.clone();
    let kept = move |left: store::attempt::Artifact| {
        let bytes = blobs.open_blob(&left.hash)?.map(|(_, bytes)| bytes);
        Ok((left.name.to_string(), KeptFile { hash: left.hash, bytes }))
    };
    let kept = web::block(move || artifacts.into_iter().map(kept).collect::<io::Result<_>>()).await;
    let artifacts = kept.map_err(io::Error::other).and_then(|kept| kept).map_err(BlobError::from)?;
    Ok(HttpResponse::Ok().json(AttemptDetail { logs, logs_expected, artifacts, ..detail(row) }))
}

fn detail(row: AttemptRow) -> AttemptDetail {
    let state = match row.state {
        AttemptState::Assigned => "assigned",
        AttemptState::Started => "started",
        AttemptState::Ended => "ended",
        AttemptState::Returned => "returned",
    };
    let AttemptRow { attempt, ep, state: _, assigned, started, wanted: _, end } = row;
    let outcome = end.as_ref().map(|end| end.outcome.clone());
    let decided = outcome.as_ref().and_then(|outcome| outcome.decided_by.as_ref()).map(ToString::to_string);
    // What its logs are to be is asked of the logs themselves.
    let (elapsed_millis, exit_code, parts, cleanups, variables) = match end {
        Some(AttemptEnd {
            elapsed_millis,
            outcome: _,
            exit_code,
            parts,
            cleanups,
            variables,
            log_bytes: _,
        }) => (elapsed_millis, exit_code, parts, cleanups, variables),
        None => (0, None, Vec::new(), Vec::new(), BTreeMap::new()),
    };
    AttemptDetail {
        attempt,
        ep,
        state,
        assigned,
        started,
        elapsed_millis,
        outcome,
        decided,
        exit_code,
        parts,
        cleanups,
        variables: variables.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect(),
        logs: BTreeMap::new(),
        logs_expected: None,
        artifacts: BTreeMap::new(),
    }
}
