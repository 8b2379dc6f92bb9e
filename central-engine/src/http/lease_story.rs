//! What was done to a lease, by whom; and to whom one can be given.
//!
//! Deeds are lines of the audit log. That log is for who operates the engine; of a lease, whoever may see who has what may read it.

use actix_web::{HttpResponse, web};
use jackfield_protocol::{
    api::Page,
    id::{LeaseId, UserName},
    time::Time,
};
use serde::Serialize;

use super::Answer;
use crate::{
    app::App,
    auth::{Guard, MayLock, MayReadLeases},
    failure::Failure,
    limits,
    store::{
        self,
        audit::{AuditRow, Filter},
    },
};

pub(super) fn routes(config: &mut web::ServiceConfig) {
    config.route("/people", web::get().to(people)).route("/leases/{lease}/story", web::get().to(story));
}

/// Something that was done to a lease.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct LeaseDeed {
    /// When.
    at: Time,
    /// Who did it.
    who: String,
    /// What: `lease.extend`.
    action: String,
    /// What else there is to know of it.
    detail: String,
}

/// Somebody to whom something can be given.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct PersonName {
    /// The name of the account.
    name: UserName,
}

/// What was done to a lease, oldest first; of more than 200 deeds, the newest. What time alone did to it is in the lease itself.
#[utoipa::path(get, path = "/api/v1/leases/{lease}/story", tag = "resources", params(("lease" = LeaseId, Path)),
    responses((status = 200, body = Page<LeaseDeed>), (status = 404)))]
pub(super) async fn story(app: web::Data<App>, _: Guard<MayReadLeases>, lease: web::Path<LeaseId>) -> Answer {
    let id = lease.into_inner();
    let mut conn = app.store.read().await?;
    let stored = store::lease::find(&mut conn, id).await?;
    // Lanes of EPs that were given back leave no row, and nobody did anything to them.
    let stored = stored.ok_or_else(|| Failure::not_found(format!("lease {id}")))?;
    let mut found: Vec<AuditRow> = Vec::new();
    for words in [format!("lease {id} of"), format!("from lease {id}")] {
        let filter = Filter { words: vec![words], from: Some(stored.asked), ..Filter::default() };
        let rows = store::audit::list(&mut conn, &filter, None, limits::LEASE_DEEDS_MAX).await?;
        found.extend(rows.into_iter().filter(|row| is_of(row, id)));
    }
    found.sort_by_key(|row| row.id);
    found.dedup_by_key(|row| row.id);
    let told = found.into_iter().map(|AuditRow { at, who, action, detail, .. }| LeaseDeed {
        at,
        who,
        action,
        detail,
    });
    Ok(HttpResponse::Ok().json(Page { items: told.collect(), next: None }))
}

/// Whether a line is about a lease: a word in somebody's reason is not.
fn is_of(row: &AuditRow, id: LeaseId) -> bool {
    let handed_over = row.action == "lease.transfer" && row.detail.ends_with(&format!(", from lease {id}"));
    row.target.starts_with(&format!("lease {id} of ")) || handed_over
}

/// Who can be given a lease, or be let into one: the names of all accounts that are open.
#[utoipa::path(get, path = "/api/v1/people", tag = "users", responses((status = 200, body = Page<PersonName>)))]
pub(super) async fn people(app: web::Data<App>, _: Guard<MayLock>) -> Answer {
    let accounts = store::account::list(&mut app.store.read().await?).await?;
    let open = accounts.into_iter().filter(|account| !account.disabled);
    let items = open.map(|account| PersonName { name: account.name }).collect();
    Ok(HttpResponse::Ok().json(Page::<PersonName> { items, next: None }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_about_the_lease_that_it_names_first() {
        let row = |action: &str, target: &str, detail: &str| AuditRow {
            id: 1,
            at: Time(0),
            who: "ana".into(),
            action: action.into(),
            target: target.into(),
            detail: detail.into(),
        };
        for (row, is) in [
            (row("lease.extend", "lease 7 of /tb1/r1", "until 9"), true),
            (row("lease.transfer", "lease 8 of /tb1/r1", "to bob, from lease 7"), true),
            (row("lease.extend", "lease 77 of /tb1/r1", "until 9"), false),
            (row("lease.transfer", "lease 8 of /tb1/r1", "to bob, from lease 77"), false),
            (row("lease.force", "lease 9 of /tb1/r2", "as with lease 7 of bob"), false),
            (row("run.stop", "41", ", from lease 7"), false),
        ] {
            assert_eq!(is_of(&row, LeaseId(7)), is, "{row:?}");
        }
    }
}
