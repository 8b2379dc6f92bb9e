//! `jackfield backup`: a copy of the lab folder, also while the engine runs.

use std::path::PathBuf;

use anyhow::Result;

use super::lab_folder;
use crate::{Context, exit::Exit};

/// Copy the lab folder with the engine's store and without the key it is sealed with; also while the engine runs.
#[derive(clap::Args)]
pub(crate) struct Backup {
    /// Where to: a folder that is not there yet, or empty.
    to: PathBuf,
    /// The lab folder.
    #[arg(long, default_value = "lab", env = "JACKFIELD_LAB", value_parser = lab_folder())]
    lab: PathBuf,
}

impl Backup {
    pub(crate) fn run(self, context: &Context) -> Result<Exit> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let done = runtime.block_on(jackfield_central_engine::back_up(&self.lab, &self.to))?;
        context.output.print(&done, |done| {
            format!(
                "the lab is copied to {}: the store and {} files; {} is not in it, and without it the copy of the store cannot be opened: keep a copy of it elsewhere",
                done.to.display(),
                done.files,
                done.key_file.display()
            )
        })?;
        Ok(Exit::Done)
    }
}
