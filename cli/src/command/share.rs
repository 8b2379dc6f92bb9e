//! `jackfield share …`: links that open one report of the lab's database, for whoever has them and no account.

use std::collections::BTreeMap;

use anyhow::Result;
use clap::Subcommand;
use serde_json::{Value, json};

use super::name_and_value;
use crate::{
    Context,
    client::encoded,
    exit::Exit,
    output::{self, table},
    visible::visible,
};

/// Links to reports of the lab's database, for people who have no account.
#[derive(Subcommand)]
pub(crate) enum Share {
    /// Every link of yours that has not ended, without its secret; everybody's for who may change users.
    List,
    /// Make a link to a report with its values; it is printed once and kept nowhere.
    Create {
        /// The report, by its ID.
        report: String,
        /// The value of a field of the report; may be given several times.
        #[arg(long = "field", value_name = "NAME=VALUE", value_parser = name_and_value)]
        fields: Vec<(String, String)>,
        /// Days until it ends, at most 365; else 30.
        #[arg(long)]
        days: Option<u32>,
    },
    /// Take a link back; it opens nothing from now on.
    Revoke {
        /// Its number in the list.
        id: String,
    },
}

impl Share {
    pub(crate) fn run(&self, context: &Context) -> Result<Exit> {
        let client = &context.client;
        match self {
            Self::List => {
                let shares: Value = client.get("/shares")?;
                context.output.page(&shares, list)?;
            }
            Self::Create { report, fields, days } => {
                let values: BTreeMap<_, _> = fields.iter().cloned().collect();
                let body = json!({"report": report, "values": values, "days": days});
                let mut made: Value = client.post("/shares", &body)?;
                let secret = made.get("link").and_then(Value::as_str).unwrap_or_default();
                let address = format!("{}/shared/{secret}", client.engine());
                if let Some(made) = made.as_object_mut() {
                    made.insert("address".to_owned(), json!(address));
                }
                output::talk("whoever has it sees this report; keep it now: it is not shown again");
                context.output.print(&made, |_| address.clone())?;
            }
            Self::Revoke { id } => {
                client.delete(&format!("/shares/{}", encoded(id)))?;
                context.output.done("revoked", id, &format!("link {id} opens nothing any more"))?;
            }
        }
        Ok(Exit::Done)
    }
}

fn list(shares: &Value) -> String {
    let mut rows = table(&["ID", "OWNER", "REPORT", "VALUES", "EXPIRES", "LAST USED"]);
    for share in shares.get("items").and_then(Value::as_array).into_iter().flatten() {
        let cell = |key: &str| match share.get(key) {
            None | Some(Value::Null) => "never".to_owned(),
            Some(Value::String(text)) => visible(text).into_owned(),
            Some(Value::Object(values)) => {
                let each = values.iter().map(|(name, value)| {
                    let value = value.as_str().unwrap_or_default();
                    visible(&format!("{name}={value}")).into_owned()
                });
                each.collect::<Vec<_>>().join(", ")
            }
            Some(other) => other.to_string(),
        };
        rows.add_row(["id", "owner", "report", "values", "expires", "last_used"].map(cell).to_vec());
    }
    rows.trim_fmt()
}
