//! `jackfield completions SHELL`.

use anyhow::Result;
use clap::CommandFactory;
use clap_complete::Shell;

use crate::{exit::Exit, output};

/// Print the completion script of a shell.
#[derive(clap::Args)]
pub(crate) struct Completions {
    /// Which shell.
    shell: Shell,
}

impl Completions {
    pub(crate) fn run(&self) -> Result<Exit> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut crate::Arguments::command(), "jackfield", &mut script);
        output::say(&String::from_utf8(script)?)?;
        Ok(Exit::Done)
    }
}
