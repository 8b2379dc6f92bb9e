//! `jackfield secret`: the keys that the engine's store is sealed with.

use std::path::PathBuf;

use anyhow::Result;

use super::lab_folder;
use crate::{Context, exit::Exit};

/// The keys that the engine's store is sealed with.
#[derive(clap::Subcommand)]
pub(crate) enum Secret {
    /// Make another key and seal everything with it; while no engine runs in the lab folder.
    Rotate {
        /// The lab folder.
        #[arg(long, default_value = "lab", env = "JACKFIELD_LAB", value_parser = lab_folder())]
        lab: PathBuf,
        /// Keep the older keys in the file, for backups from before.
        #[arg(long)]
        keep: bool,
    },
}

impl Secret {
    pub(crate) fn run(self, context: &Context) -> Result<Exit> {
        let Self::Rotate { lab, keep } = self;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let done = runtime.block_on(jackfield_central_engine::rotate_key(&lab, keep))?;
        context.output.print(&done, |done| {
            let older = if done.kept {
                "older keys are kept in it, for backups from before"
            } else {
                "the older keys are gone: backups from before need the copies of the file that you kept of them"
            };
            format!("the store is sealed with key {} now, which stands in {}; {older}", done.key, done.file.display())
        })?;
        Ok(Exit::Done)
    }
}
