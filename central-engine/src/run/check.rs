//! Health checks: runs of a project of the lab that say whether a resource is fit to be given again. The book of leases knows
//! what is dirty and what becomes of it ([`jackfield_resource_allocator::book::Health`]); here the runs are started.
//!
//! What is dirty is a row, so a check that could not be started is looked at again, after a restart, too. The key under which
//! it is started names the resource and since when it is dirty: there are never two runs of one check.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use actix_web::web;
use jackfield_protocol::{api::SubmitRun, error::Problem, id::UserName};
use jackfield_resource_allocator::{ResourceId, book::Health};

use super::submit;
use crate::{app::App, lab::resources::Bench, limits};

/// In whose name checks are run, and written into the audit log.
pub(crate) const WHO: &str = "engine";

/// Why checks could not be started, by the resource that is not checked.
#[derive(Debug, Default)]
pub(crate) struct Checks(Mutex<BTreeMap<ResourceId, String>>);

impl Checks {
    /// What keeps the check of a resource from beginning.
    pub(crate) fn trouble(&self, node: &ResourceId) -> Option<String> {
        self.known().get(node).cloned()
    }

    /// Remembers it; whether that is news.
    fn remember(&self, node: &ResourceId, trouble: String) -> bool {
        self.known().insert(node.clone(), trouble.clone()) != Some(trouble)
    }

    fn keep_only(&self, nodes: &[Dirty]) {
        self.known().retain(|node, _| nodes.iter().any(|dirty| dirty.health.spot.node == *node));
    }

    fn forget(&self, node: &ResourceId) {
        self.known().remove(node);
    }

    fn known(&self) -> MutexGuard<'_, BTreeMap<ResourceId, String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A resource that waits for its check.
struct Dirty {
    health: Health,
    project: String,
}

/// Starts checks as they are wanted, until the engine goes down.
pub(crate) async fn keep_checking(app: web::Data<App>) {
    loop {
        if let Err(problem) = look(&app).await {
            tracing::debug!("health checks: {}", problem.title);
        }
        tokio::select! {
            () = app.stop.cancelled() => return,
            () = app.live.health_news() => {}
            () = tokio::time::sleep(limits::CHECK_LOOK) => {}
        }
    }
}

async fn look(app: &App) -> Result<(), Problem> {
    forget_what_is_gone(app).await?;
    let wanted = app.engine.ask(|scheduler| {
        let dirty = scheduler.book().to_check();
        dirty
            .map(|(health, project)| Dirty { health: health.clone(), project: project.to_string() })
            .collect()
    });
    let mut wanted: Vec<Dirty> = wanted.await?;
    app.checks.keep_only(&wanted);
    // What could not be started comes last: it keeps nobody else from their check.
    wanted.sort_by_key(|dirty| app.checks.trouble(&dirty.health.spot.node).is_some());
    wanted.truncate(limits::CHECKS_BEGUN_MAX);
    for dirty in &wanted {
        let node = &dirty.health.spot.node;
        match start(app, dirty).await {
            Ok(()) => app.checks.forget(node),
            Err(problem) => {
                let told = told(&problem);
                if app.checks.remember(node, told.clone()) {
                    let path = &dirty.health.spot.path;
                    tracing::warn!(
                        resource = %path,
                        "the health check `{}` cannot be started, so nobody is given the resource: {told}",
                        dirty.project
                    );
                    app.feed.notices_changed();
                }
            }
        }
    }
    Ok(())
}

/// A problem as one line, with the first of what is wrong in the project.
fn told(problem: &Problem) -> String {
    match problem.problems.first() {
        Some(first) => format!("{}: {}", problem.title, first.message),
        None => problem.title.clone(),
    }
}

async fn start(app: &App, dirty: &Dirty) -> Result<(), Problem> {
    let Dirty { health: Health { spot, since, .. }, project } = dirty;
    let request = SubmitRun {
        project: Some(project.clone()),
        temporary: true,
        idempotency_key: Some(format!("health check of {} since {since}", spot.node)),
        ..SubmitRun::default()
    };
    submit::start_check(app, request, &UserName::from(WHO), &spot.node).await.map(drop)
}

/// The book does not know the tree: what is known of resources that are not there any more goes.
async fn forget_what_is_gone(app: &App) -> Result<(), Problem> {
    let known = app.engine.ask(|scheduler| {
        scheduler.book().health().map(|health| health.spot.node.clone()).collect::<Vec<_>>()
    });
    let known = known.await?;
    if known.is_empty() {
        return Ok(());
    }
    let look = move |bench: &Bench| known.into_iter().filter(|node| bench.tree.row(node).is_none()).collect();
    let nodes: Vec<ResourceId> = app.resources.look(look).await?;
    if nodes.is_empty() {
        return Ok(());
    }
    app.engine.event(jackfield_scheduler::Event::Forgotten { nodes }).await
}
