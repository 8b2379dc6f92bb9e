//! Runs that go on, as lists show them: all that is to be told is in the scheduler.

use std::collections::{BTreeMap, BTreeSet};

use jackfield_protocol::{
    api::{RunSummary, Waiting},
    error::Problem,
    id::RunId,
};
use jackfield_scheduler::view::RunView;

use crate::app::App;

/// Those of these runs that have not ended.
///
/// # Errors
/// The engine is going down.
pub(crate) async fn summaries(
    app: &App,
    wanted: BTreeSet<RunId>,
) -> Result<BTreeMap<RunId, RunSummary>, Problem> {
    let views = app.engine.ask(move |scheduler| {
        let of = |run| Some((scheduler.run_view(run)?, scheduler.waits(run)));
        wanted.into_iter().filter_map(of).collect::<Vec<_>>()
    });
    Ok(views.await?.into_iter().map(|(view, waits)| (view.run, summary(view, waits))).collect())
}

fn summary(view: RunView, waits: Option<Waiting>) -> RunSummary {
    let RunView {
        run,
        project,
        user,
        state,
        submitted,
        started,
        tests,
        counts,
        temporary,
        retry_of,
        stopped: _,
        seq: _,
    } = view;
    // The mark is of the store; who starts a run cannot have set it yet, and one that goes on is kept anyway.
    let (ended, kept) = (None, false);
    RunSummary {
        id: run,
        project,
        user,
        state,
        submitted,
        started,
        ended,
        tests,
        counts,
        temporary,
        kept,
        retry_of,
        waits,
    }
}
