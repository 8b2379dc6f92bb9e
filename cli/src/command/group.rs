//! `jackfield group …`: groups of accounts, and what they may do.

use std::collections::BTreeMap;

use anyhow::Result;
use clap::Subcommand;
use serde_json::{Value, json};

use crate::{Context, client::encoded, command::user::chosen, exit::Exit, names::Names, output::table};

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
                let groups: BTreeMap<String, Vec<String>> = client.get("/groups")?;
                let items: Vec<_> =
                    groups.iter().map(|(name, roles)| json!({"name": name, "roles": roles})).collect();
                context.output.list(&items, |_| list(&groups))?;
            }
            Self::Set { name, roles } => {
                let roles = chosen(roles).unwrap_or_default();
                let path = format!("/groups/{}", encoded(name));
                let _done: Value = client.put(&path, &json!({"roles": roles}))?;
                context.output.done("set", name, &format!("group {name} is changed"))?;
            }
            Self::Delete { name } => {
                Names::Groups.or_known(client.delete(&format!("/groups/{}", encoded(name))), client, name)?;
                context.output.done("deleted", name, &format!("group {name} is deleted"))?;
            }
        }
        Ok(Exit::Done)
    }
}

fn list(groups: &BTreeMap<String, Vec<String>>) -> String {
    let mut rows = table(&["GROUP", "ROLES"]);
    for (name, roles) in groups {
        rows.add_row(vec![name.clone(), roles.join(" ")]);
    }
    rows.trim_fmt()
}
