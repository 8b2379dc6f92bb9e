//! `jackfield completions SHELL`: the few lines by which a shell asks this binary what may come next.

use anyhow::Result;

use crate::{exit::Exit, output};

/// Print the completion script of a shell.
#[derive(clap::Args)]
pub(crate) struct Completions {
    /// Which shell.
    shell: Shell,
}

/// A shell that completes.
#[derive(Clone, Copy, clap::ValueEnum)]
enum Shell {
    /// For ~/.bashrc: `source <(jackfield completions bash)`.
    Bash,
    /// For ~/.zshrc, after compinit: `source <(jackfield completions zsh)`.
    Zsh,
    /// For ~/.config/fish/completions/jackfield.fish.
    Fish,
}

impl Completions {
    pub(crate) fn run(&self) -> Result<Exit> {
        output::say(match self.shell {
            Shell::Bash => include_str!("completions/bash"),
            Shell::Zsh => include_str!("completions/zsh"),
            Shell::Fish => include_str!("completions/fish"),
        })?;
        Ok(Exit::Done)
    }
}
