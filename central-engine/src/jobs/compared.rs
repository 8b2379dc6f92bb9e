//! A run beside those of its project before it: what changed, and who wants to hear of that.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
};

use anyhow::Result;
use jackfield_config::run_filter::{RunFilter, When};
use jackfield_protocol::{id::UserName, plan::RunPlan, verdict::Verdict};
use jackfield_reporting::{
    changes::{Changes, Earlier},
    results::{Results, Row},
};

use crate::{app::App, limits, run::results, store};

/// The word of `[mail] compare` that is no field.
const SUT: &str = "sut";

/// What is different from the last runs of the project; none for a first one.
pub(super) async fn changes(app: &App, results: &Results) -> Result<Option<Changes>> {
    let run = &results.run;
    let mut conn = app.store.read().await?;
    let before = store::run::before(&mut conn, run.id, &run.project, limits::RUNS_LOOKED_AT_MAX).await?;
    drop(conn);
    let mut projects = ProjectsOf { app, name: &run.project, known: BTreeMap::new() };
    let mine = projects.file_of(&run.user);
    let alike = before.into_iter().filter(|(_, owner)| {
        // Two people may each have a project of one name; what the lab has no file of is its owner's alone.
        *owner == run.user || (mine.is_some() && projects.file_of(owner) == mine)
    });
    let most = usize::try_from(limits::RUNS_COMPARED_MAX).unwrap_or(usize::MAX);
    let names = &app.jobs.compare;
    let looked_into = if names.is_empty() { most } else { limits::RUNS_LOOKED_INTO_MAX };
    let (wanted, mut earlier) = (common(&results.plan, names), Vec::new());
    for (run, _) in alike.take(looked_into).collect::<Vec<_>>() {
        if earlier.len() >= most {
            break;
        }
        let is_alike =
            names.is_empty() || app.store.plan(run).await?.is_some_and(|plan| common(&plan, names) == wanted);
        if is_alike {
            let gathered = results::gather(&app.store, run, app.facts.clone()).await?;
            earlier.extend(gathered.as_ref().map(Earlier::of));
        }
    }
    Ok(Changes::since(results, &earlier))
}

/// What a run has of these: its SUTs, or a field of its project; none where it has no such field.
fn common(plan: &RunPlan, names: &[String]) -> Vec<Option<String>> {
    let of_name = |name: &String| {
        if name != SUT {
            return plan.options.user_defined.get(name.as_str()).map(ToString::to_string);
        }
        let suts: BTreeSet<String> =
            plan.suites.iter().filter_map(|suite| suite.sut.as_ref()).map(ToString::to_string).collect();
        Some(suts.into_iter().collect::<Vec<_>>().join("\n"))
    };
    names.iter().map(of_name).collect()
}

/// Which file a project's name means for whom.
struct ProjectsOf<'a> {
    app: &'a App,
    name: &'a str,
    known: BTreeMap<UserName, Option<PathBuf>>,
}

impl ProjectsOf<'_> {
    fn file_of(&mut self, user: &UserName) -> Option<PathBuf> {
        let look = || self.app.lab.as_user(user).layout().project_file(self.name);
        self.known.entry(user.clone()).or_insert_with(look).clone()
    }
}

/// Whether somebody who wants to hear of such runs wants to hear of this one.
pub(super) fn is_wanted(of: &RunFilter, results: &Results, changes: Option<&Changes>) -> bool {
    let of_cause = of.causes.is_empty()
        || results
            .rows()
            .filter(failed)
            .any(|row| row.cause().is_some_and(|cause| of.causes.contains(&cause)));
    let has_failed = || results.stopped.is_some() || results.rows().any(|row| failed(&row));
    let wanted = match of.when {
        When::Always => true,
        When::Failure => has_failed(),
        // Of a first run all that failed is new.
        When::Change => changes.map_or_else(has_failed, Changes::is_news),
    };
    of.is_of_project(results.run.project.trim_end_matches(".xml")) && of_cause && wanted
}

/// Whether a test neither passed nor was skipped.
fn failed(row: &Row<'_>) -> bool {
    match row.verdict() {
        Some(Verdict::Pass | Verdict::Skipped) => false,
        Some(
            Verdict::Fail | Verdict::Aborted | Verdict::NotExecuted | Verdict::Timeout | Verdict::Invalid,
        )
        | None => true,
    }
}
