//! `jackfield recover`: the way back in for whoever owns the lab folder.

use std::path::PathBuf;

use anyhow::Result;
use serde_json::json;

use super::lab_folder;
use crate::{Context, exit::Exit};

/// Open an account, let it do everything, and give it a new password; while no engine runs in the lab folder.
#[derive(clap::Args)]
pub(crate) struct Recover {
    /// The lab folder.
    #[arg(long, default_value = "lab", env = "JACKFIELD_LAB", value_parser = lab_folder())]
    lab: PathBuf,
    /// The account; made where it is not there.
    #[arg(long, default_value = "admin")]
    user: String,
}

impl Recover {
    pub(crate) fn run(&self, context: &Context) -> Result<Exit> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let made = runtime.block_on(jackfield_central_engine::recover(&self.lab, &self.user))?;
        let password = made.expose_for_owner();
        let said = json!({"user": self.user, "password": password});
        context.output.print(&said, |_| {
            format!("log in as `{}` with password `{password}` and change it", self.user)
        })?;
        Ok(Exit::Done)
    }
}
