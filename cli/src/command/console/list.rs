//! `jackfield console list`: who sits at consoles.

use anyhow::Result;
use jackfield_protocol::{
    api::Page,
    console::{ConsoleOn, ConsoleRow},
};

use crate::{Context, exit::Exit, output::table};

pub(super) fn list(context: &Context) -> Result<Exit> {
    let page: Page<ConsoleRow> = context.client.get("/consoles")?;
    context.output.list(&page.items, |rows| {
        let mut table = table(&["USER", "DEVICE", "ON", "EP", "SINCE", "STATE"]);
        for row in rows {
            let state = match row.types_since {
                Some(since) => format!("types since {since}"),
                None => "watches".to_owned(),
            };
            let since = row.since.to_string();
            table.add_row([
                row.user.to_string(),
                row.resource.clone(),
                on(row),
                row.ep.to_string(),
                since,
                state,
            ]);
        }
        table.to_string()
    })?;
    Ok(Exit::Done)
}

/// What a console is on, as people say it.
fn on(row: &ConsoleRow) -> String {
    match (row.on, row.run, &row.session) {
        (ConsoleOn::Session, Some(run), Some(session)) => format!("session `{session}` of run {run}"),
        (ConsoleOn::Session, _, _) => "a session".to_owned(),
        (ConsoleOn::Device, _, _) => "the device".to_owned(),
        (ConsoleOn::Console, _, _) => "somebody's console".to_owned(),
    }
}
