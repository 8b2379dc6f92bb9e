//! The lab's database tried, as `jackfield db check` does: the database itself looks at every statement and query, and nothing is executed.

use std::{collections::BTreeSet, path::PathBuf};

use actix_web::{HttpResponse, web};
use jackfield_config::load::read_source;
use jackfield_protocol::error::FileProblem;
use serde::Serialize;

use super::{Answer, lab_report, project::cancelled};
use crate::{
    app::App,
    auth::{Guard, MayOperate},
    failure::Failure,
    lab_db::check::{self, Checked},
    limits,
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
        let Checked { database, tried: count, problems } = look(&app, PathBuf::from(&file)).await?;
        tried.push(TriedDatabase { file, database, tried: count, problems });
    }
    Ok(HttpResponse::Ok().json(tried))
}

/// Has the databases that a file names look at all of it.
pub(super) async fn look(app: &App, file: PathBuf) -> Result<Checked, Failure> {
    match web::block(move || read_source(&file, limits::DB_XML_BYTES_MAX)).await.map_err(cancelled)? {
        Ok(source) => Ok(check::check(&source, &app.lab.layout().root).await),
        Err(problem) => Ok(Checked { database: None, tried: 0, problems: vec![*problem] }),
    }
}
