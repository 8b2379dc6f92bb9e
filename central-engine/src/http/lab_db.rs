//! The lab's database tried, as `jackfield db check` does: the database itself looks at every statement and query, and nothing is executed.

use std::{collections::BTreeSet, sync::Arc};

use actix_web::{HttpResponse, web};
use jackfield_config::source::Source;
use jackfield_protocol::error::{FileProblem, Severity};
use serde::Serialize;

use super::{Answer, lab_report};
use crate::{
    app::App,
    auth::{Guard, MayOperate},
    lab_db::check::{self, Checked},
};

pub(super) fn routes(config: &mut web::ServiceConfig) {
    config.route("/lab-databases/check", web::post().to(try_all));
}

/// A file that says what the lab's databases get, tried.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct TriedDatabase {
    /// The file.
    file: String,
    /// The databases, without their passwords; none where the file names none.
    database: Option<String>,
    /// How many statements and queries the database has looked at.
    tried: usize,
    /// Everything that is wrong.
    problems: Vec<FileProblem>,
}

/// Connects to the lab's databases, and has them look at every statement, query and report. Nothing is executed.
#[utoipa::path(post, path = "/api/v1/lab-databases/check", tag = "engine",
    responses((status = 200, body = Vec<TriedDatabase>)))]
pub(super) async fn try_all(app: web::Data<App>, guard: Guard<MayOperate>) -> Answer {
    let databases = lab_report::databases(&app, &guard.caller.user);
    let named = databases.inserts.iter().chain(&databases.reports).map(|database| database.file.clone());
    // A file that cannot be read at all has problems only.
    let wrong = databases.problems.iter().map(|problem| problem.file.clone());
    let files: BTreeSet<String> = named.chain(wrong).collect();
    let mut tried = Vec::new();
    for file in files {
        let Checked { database, tried: count, problems } = look(&app, &file).await;
        tried.push(TriedDatabase { file, database, tried: count, problems });
    }
    Ok(HttpResponse::Ok().json(tried))
}

async fn look(app: &App, file: &str) -> Checked {
    let none = |problem| Checked { database: None, tried: 0, problems: vec![problem] };
    match tokio::fs::read(file).await {
        Ok(bytes) => match Source::from_bytes(file, bytes) {
            Ok(source) => check::check(&Arc::new(source), &app.lab.layout().root).await,
            Err(problem) => none(*problem),
        },
        Err(error) => none(FileProblem {
            severity: Severity::Error,
            file: file.to_owned(),
            line: 0,
            column: 0,
            message: format!("it cannot be read: {error}"),
            help: String::new(),
        }),
    }
}
