//! What somebody else has is not deleted under their hands.

use jackfield_protocol::{
    error::{ErrorCode, Problem},
    id::UserName,
};

use crate::app::App;

/// Refuses where somebody else holds a node, or anything above or below it. A property may go, and what is not there is
/// the edit's to refuse.
///
/// # Errors
/// It is held: the sentence says by whom, until when and why. Or the engine is going down.
pub(crate) async fn refuse(app: &App, user: &UserName, query: &str) -> Result<(), Problem> {
    let asked = query.to_owned();
    let Ok(spot) = app.resources.look(move |bench| bench.tree.spot(&asked)).await? else { return Ok(()) };
    let user = user.clone();
    let held = app.engine.ask(move |scheduler| {
        let leases = scheduler.leases_on(&spot);
        let mut others = leases.iter().filter(|lease| scheduler.lease_user(lease).as_ref() != Some(&user));
        others.next().map(|lease| (scheduler.lease_told(lease), lease.id))
    });
    match held.await? {
        None => Ok(()),
        Some((told, lease)) => {
            let title =
                format!("{told} (lease {lease}), so `{query}` cannot be deleted; ask them to give it back");
            Err(Problem::new(ErrorCode::Held, title))
        }
    }
}
