//! What is different from what was published last: asked of the loop and the books, at most ten times a second, and only
//! while somebody watches.

use std::collections::{BTreeMap, BTreeSet};

use actix_web::web;
use jackfield_protocol::{
    api::{EpState, RunSummary, Waiting},
    error::{ErrorCode, Problem},
    id::{EpName, RunId},
    time::Time,
};
use jackfield_scheduler::view::EpView;
use serde::Serialize;

use super::{Change, LEASES, Thing, Touched};
use crate::{
    app::App,
    http::resource_health,
    limits,
    run::asked::{self, Question},
    run::{notices, open},
    store,
};

/// What was published last, to tell what is different.
#[derive(Default)]
struct Published {
    eps: BTreeMap<EpName, String>,
    whole: BTreeMap<&'static str, String>,
    /// Runs in which somebody is asked.
    asking: BTreeSet<RunId>,
    /// What runs wait for: who has it changes without an event of their own.
    waits: BTreeMap<RunId, Waiting>,
}

/// The questions of a run that wait for an answer.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct RunQuestions {
    /// Which run.
    pub(crate) run: RunId,
    /// What is asked; empty where nothing is any more.
    pub(crate) questions: Vec<Question>,
}

/// Looks whenever something changed, until the engine goes down.
pub(crate) async fn keep_looking(app: web::Data<App>) {
    let mut published = Published::default();
    loop {
        tokio::select! {
            () = app.stop.cancelled() => return,
            () = app.feed.0.touched.notified() => {}
        }
        if !app.feed.is_watched() {
            continue;
        }
        let touched = std::mem::take(&mut app.feed.state().touched);
        if let Err(problem) = look(&app, &touched, &mut published).await {
            // Nothing is lost: what was touched is looked at again.
            let why = problem.cause.as_ref().unwrap_or(&problem.title);
            tracing::warn!("the live feed cannot look at the engine: {why}");
            app.feed.state().touched.merge(touched);
            app.feed.touch();
        }
        tokio::select! {
            () = app.stop.cancelled() => return,
            () = tokio::time::sleep(limits::FEED_PAUSE) => {}
        }
    }
}

async fn look(app: &App, touched: &Touched, published: &mut Published) -> Result<(), Problem> {
    let mut changes = Vec::new();
    let mut owners = BTreeMap::new();
    let waits = app.engine.ask(|scheduler| scheduler.all_waits(limits::WAITS_FED_MAX)).await?;
    let changed = published.waits_changed(waits).union(&touched.runs).copied().collect();
    for run in runs(app, &changed).await? {
        let owner = Some(run.user.clone());
        changes.push((Thing::Run(run.id), Change { owner, ..change("run", &run)? }));
        owners.insert(run.id, run.user);
    }
    for (ep, row) in eps(app, published).await? {
        changes.push((Thing::Ep(ep), row));
    }
    let dialogues = touched.dialogues.union(&published.asking).copied().collect::<Vec<_>>();
    for run in dialogues.into_iter().filter(|run| touched.runs.contains(run)) {
        let questions = asked::waiting(app, run).await?;
        if questions.is_empty() {
            published.asking.remove(&run);
        } else {
            published.asking.insert(run);
        }
        let owner = owners.get(&run).cloned();
        let change = Change { owner, ..change("questions", &RunQuestions { run, questions })? };
        changes.push((Thing::Questions(run), change));
    }
    let leases = app.engine.ask(|scheduler| scheduler.leases(limits::LEASES_FED_MAX)).await?;
    changes.extend(published.whole(Thing::Leases, LEASES, &leases)?);
    let health = resource_health::all(app).await.map_err(|failure| failure.0)?;
    changes.extend(published.whole(Thing::Health, "health", &health)?);
    changes.extend(published.whole(Thing::Consoles, "consoles", &app.consoles.rows())?);
    if touched.notices || !published.whole.contains_key("notices") {
        let notices = notices::notices(app).await?;
        changes.extend(published.whole(Thing::Notices, "notices", &notices)?);
    }
    app.feed.publish(changes);
    Ok(())
}

/// Runs as lists show them.
async fn runs(app: &App, wanted: &BTreeSet<RunId>) -> Result<Vec<RunSummary>, Problem> {
    if wanted.is_empty() {
        return Ok(Vec::new());
    }
    let mut summaries = open::summaries(app, wanted.clone()).await?;
    let mut conn = app.store.read().await?;
    for run in wanted {
        // One that has ended is in the store, with its last counts.
        if !summaries.contains_key(run)
            && let Some(summary) = store::run::summary(&mut conn, *run).await?
        {
            summaries.insert(*run, summary);
        }
    }
    Ok(summaries.into_values().collect())
}

/// EPs that are not what they were. When one that is connected was last heard changes with each heartbeat, and is no
/// change.
async fn eps(app: &App, published: &mut Published) -> Result<Vec<(EpName, Change)>, Problem> {
    let views = app.engine.ask(|scheduler| scheduler.ep_view().collect::<Vec<EpView>>()).await?;
    let mut changed = Vec::new();
    for view in views {
        let row = app.eps.row(view);
        let mut steady = row.clone();
        if row.state != EpState::Offline {
            steady.last_seen = Time::default();
        }
        let steady = json(&steady)?;
        if published.eps.get(&row.name) != Some(&steady) {
            published.eps.insert(row.name.clone(), steady);
            changed.push((row.name.clone(), change("ep", &row)?));
        }
    }
    Ok(changed)
}

impl Published {
    /// The runs that wait for something else, or for others, than when this was told last.
    fn waits_changed(&mut self, now: BTreeMap<RunId, Waiting>) -> BTreeSet<RunId> {
        let before = std::mem::replace(&mut self.waits, now);
        let runs = before.keys().chain(self.waits.keys());
        runs.filter(|run| before.get(run) != self.waits.get(run)).copied().collect()
    }

    /// A list that is small enough to be told whole, if it is not what it was.
    fn whole(
        &mut self,
        thing: Thing,
        topic: &'static str,
        value: &impl Serialize,
    ) -> Result<Option<(Thing, Change)>, Problem> {
        let json = json(value)?;
        if self.whole.get(topic) == Some(&json) {
            return Ok(None);
        }
        self.whole.insert(topic, json.clone());
        Ok(Some((thing, Change { topic, json: json.into(), owner: None })))
    }
}

impl Touched {
    fn merge(&mut self, other: Self) {
        let Self { runs, dialogues, notices } = other;
        self.runs.extend(runs);
        self.dialogues.extend(dialogues);
        self.notices |= notices;
    }
}

fn change(topic: &'static str, value: &impl Serialize) -> Result<Change, Problem> {
    Ok(Change { topic, json: json(value)?.into(), owner: None })
}

fn json(value: &impl Serialize) -> Result<String, Problem> {
    serde_json::to_string(value).map_err(|error| Problem::new(ErrorCode::Internal, error.to_string()))
}
