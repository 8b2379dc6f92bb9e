//! Running other programs: said before, checked after.

use std::{
    path::PathBuf,
    process::{Command, Stdio},
    time::Instant,
};

use anyhow::{Context, Result, bail};

/// The root of the workspace.
pub(crate) fn root() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

/// The cargo that runs us.
pub(crate) fn cargo() -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root());
    command
}

/// Says the command, runs it, and fails if it fails.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let line = line(command);
    eprintln!("\x1b[1m$ {line}\x1b[0m");
    let status = command.status().with_context(|| format!("cannot start `{line}`"))?;
    if !status.success() {
        bail!("`{line}` ended with {status}");
    }
    Ok(())
}

/// Whether the command runs and succeeds; what it prints is dropped.
pub(crate) fn succeeds(command: &mut Command) -> bool {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|s| s.success())
}

fn line(command: &Command) -> String {
    let mut line = command.get_program().to_string_lossy().into_owned();
    for argument in command.get_args() {
        line.push(' ');
        line.push_str(&argument.to_string_lossy());
    }
    line
}

/// The steps of a chore, each said before it begins: whoever waits sees for what, and what has passed.
pub(crate) struct Steps {
    count: usize,
    done: usize,
    begin: Instant,
}

impl Steps {
    /// So many.
    pub(crate) fn of(count: usize) -> Self {
        #[expect(clippy::disallowed_methods, reason = "how long a chore takes is for whoever waits for it")]
        let begin = Instant::now();
        Self { count, done: 0, begin }
    }

    /// The next one begins.
    pub(crate) fn next(&mut self, what: &str) {
        self.done += 1;
        let passed = match self.begin.elapsed().as_secs() {
            0 => String::new(),
            seconds => format!(" ({} min {:02} s so far)", seconds / 60, seconds % 60),
        };
        eprintln!("\x1b[1m[{}/{}]\x1b[0m {what}{passed}", self.done, self.count);
    }
}
