//! `jackfield group …`: groups of accounts, and what they may do.

use anyhow::Result;
use clap::Subcommand;
use serde_json::{Value, json};

use crate::{
    Context,
    client::encoded,
    command::user::chosen,
    exit::Exit,
    output::{say, table},
};

/// Groups of accounts.
#[derive(Subcommand)]
pub(crate) enum Group {
    /// Every group with its roles.
    List,
    /// Make a group, or change what its members may do.
    Set {
        /// Its name.
        name: String,
        /// What its members may do, such as `RUN_TESTS`; `*` for everything, `none` for nothing. May be given several times.
        #[arg(long = "role", value_name = "ROLE", required = true)]
        roles: Vec<String>,
    },
    /// Delete a group; its members lose its roles.
    Delete {
        /// Its name.
        name: String,
    },
}

impl Group {
    pub(crate) fn run(&self, context: &Context) -> Result<Exit> {
        let client = &context.client;
        match self {
            Self::List => {
                let groups: Value = client.get("/groups")?;
                context.output.print(&groups, list)?;
            }
            Self::Set { name, roles } => {
                let roles = chosen(roles).unwrap_or_default();
                let path = format!("/groups/{}", encoded(name));
                let _done: Value = client.put(&path, &json!({"roles": roles}))?;
                say(&format!("group {name} is changed"))?;
            }
            Self::Delete { name } => {
                client.delete(&format!("/groups/{}", encoded(name)))?;
                say(&format!("group {name} is deleted"))?;
            }
        }
        Ok(Exit::Done)
    }
}

fn list(groups: &Value) -> String {
    let mut rows = table(&["GROUP", "ROLES"]);
    for (name, roles) in groups.as_object().into_iter().flatten() {
        let roles: Vec<&str> = roles.as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        rows.add_row(vec![name.clone(), roles.join(" ")]);
    }
    rows.trim_fmt()
}
