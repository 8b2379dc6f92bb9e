//! `jackfield audit`: who changed what.

use anyhow::Result;
use serde_json::Value;

use crate::{Context, exit::Exit, output::table};

/// Who changed what, newest first.
#[derive(clap::Args)]
pub(crate) struct Audit {
    /// How many.
    #[arg(long, default_value_t = 50)]
    limit: u32,
    /// Only those before this number: the next page.
    #[arg(long, value_name = "ID")]
    before: Option<u64>,
}

impl Audit {
    pub(crate) fn run(&self, context: &Context) -> Result<Exit> {
        let before = self.before.map_or_else(String::new, |id| format!("&after={id}"));
        let page: Value = context.client.get(&format!("/audit?limit={}{before}", self.limit))?;
        context.output.page(&page, list)?;
        Ok(Exit::Done)
    }
}

fn list(page: &Value) -> String {
    let mut rows = table(&["ID", "AT", "WHO", "DID", "TO", "DETAIL"]);
    for deed in page.get("items").and_then(Value::as_array).into_iter().flatten() {
        let cell = |key: &str| match deed.get(key) {
            Some(Value::String(text)) => text.clone(),
            Some(other) => other.to_string(),
            None => String::new(),
        };
        rows.add_row(["id", "at", "who", "action", "target", "detail"].map(cell).to_vec());
    }
    rows.trim_fmt()
}
