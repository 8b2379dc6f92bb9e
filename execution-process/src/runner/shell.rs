//! How a shell script is started: by the shell of its first line with the options that stand there, and with the functions of
//! `jackfield.sh`, which it finds without sourcing it.
//!
//! `$0` is the test, so that a guard such as `[ "${BASH_SOURCE[0]}" = "$0" ]` and `cd "$(dirname "$0")"` mean what they mean in a script that
//! somebody started by hand. A first line that names no shell is left to the system.

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
};

use jackfield_protocol::verdict::{Cause, Outcome};

use super::{installed, invalid};
use crate::host::find_program;

/// What the functions are written for.
const SHELLS: [&str; 12] =
    ["sh", "dash", "ash", "bash", "rbash", "zsh", "ksh", "ksh93", "mksh", "lksh", "posh", "yash"];

/// What stands in a first line.
#[derive(Debug, Default, PartialEq, Eq)]
struct First<'a> {
    /// Variables that `env` sets.
    variables: Vec<&'a str>,
    program: Option<&'a str>,
    options: Vec<&'a str>,
}

impl<'a> First<'a> {
    fn read(line: &'a str) -> Self {
        let mut first = Self::default();
        for word in line.strip_prefix("#!").unwrap_or_default().split_ascii_whitespace() {
            let split = word.strip_prefix("--split-string=").or_else(|| word.strip_prefix("-S"));
            match (first.program, word) {
                // Of options, these two mean none.
                (Some(_), "-" | "--") => {}
                (Some(_), option) => first.options.push(option),
                (None, "-S" | "--split-string" | "-i" | "-") => {}
                (None, env) if file_name(env) == "env" => {}
                (None, _) if split.is_some() => first.program = split,
                (None, variable) if variable.contains('=') => first.variables.push(variable),
                (None, program) => first.program = Some(program),
            }
        }
        first
    }
}

/// The command for a script, up to its own arguments; `usual` is the shell where its first line names none.
///
/// # Errors
/// A shell that is not here.
pub(super) fn command(line: &str, file: &Path, sdk: &Path, usual: &str) -> Result<Vec<OsString>, Outcome> {
    let first = First::read(line);
    let shell = match first.program {
        Some(named) if !SHELLS.contains(&file_name(named)) => return Ok(vec![file.into()]),
        Some(named) => that_it_asks_for(named)?,
        None => installed(usual)?,
    };
    let mut command = Vec::new();
    if !first.variables.is_empty() {
        command.push("/usr/bin/env".into());
        command.extend(first.variables.iter().map(OsString::from));
    }
    command.push(shell.into());
    command.extend(first.options.iter().map(OsString::from));
    command.extend(["-c".into(), with_functions(sdk), file.into()]);
    Ok(command)
}

/// The shell of a first line, which may be elsewhere than that says.
fn that_it_asks_for(named: &str) -> Result<PathBuf, Outcome> {
    let shell = find_program(named).or_else(|| find_program(file_name(named)));
    shell.ok_or_else(|| {
        let reason = format!("the test asks for {named}, which this workstation does not have; install it");
        invalid(Cause::Lab, reason)
    })
}

/// The library, and then the test in the same shell.
fn with_functions(sdk: &Path) -> OsString {
    let library = sdk.join("shell/jackfield.sh");
    let quoted = library.to_string_lossy().replace('\'', r"'\''");
    format!(r#". '{quoted}'; . "$0""#).into()
}

fn file_name(program: &str) -> &str {
    program.rsplit('/').next().unwrap_or(program)
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt, process::Command};

    use super::*;

    /// Runs a script as an EP would; its status and output, or why it is not run.
    fn run(name: &str, text: &str, arguments: &[&str]) -> Result<(i32, String), String> {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join(name);
        fs::write(&file, text).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
        let sdk = Path::new(env!("CARGO_MANIFEST_DIR")).join("../sdk");
        let line = text.lines().next().unwrap_or_default();
        let command = command(line, &file, &sdk, "sh").map_err(|outcome| outcome.reason)?;
        let output = Command::new(&command[0])
            .args(&command[1..])
            .args(arguments)
            .output()
            .expect("it can be started");
        Ok((output.status.code().unwrap(), String::from_utf8(output.stdout).unwrap()))
    }

    #[test]
    fn nothing_of_the_first_line_is_passed_over() {
        for first in [
            "#!/bin/sh -e",
            "#! /bin/bash -e",
            "#!/bin/bash -eu -",
            "#!/usr/bin/env -S bash -e",
            "#!/usr/bin/env -Sbash -e",
            "#!/usr/bin/env --split-string=bash -e",
            "#!/usr/bin/env -S FLAG=x bash -eu",
        ] {
            let text = format!("{first}\necho before\nfalse\necho after\n");
            assert_eq!(run("t.sh", &text, &[]), Ok((1, "before\n".to_owned())), "{first}");
        }
        let piped = "#!/usr/bin/env -S bash -o pipefail\nfalse | true\n";
        assert_eq!(run("t.sh", piped, &[]), Ok((1, String::new())));
        let variable = "#!/usr/bin/env -S FLAG=x bash\necho $FLAG\n";
        assert_eq!(run("t.sh", variable, &[]), Ok((0, "x\n".to_owned())));
        // Where bash is elsewhere than its script says.
        assert_eq!(run("t.sh", "#!/opt/none/bash\necho $0 >/dev/null\n", &[]), Ok((0, String::new())));
        // A program that is no shell has its file from the kernel.
        assert_eq!(run("p.sh", "#!/usr/bin/awk -f\nBEGIN { exit 5 }\n", &[]), Ok((5, String::new())));
        let missing = run("t.sh", "#!/opt/no/such/ksh93\ntrue\n", &[]);
        let reason = "the test asks for /opt/no/such/ksh93, which this workstation does not have; install it";
        assert_eq!(missing, Err(reason.to_owned()));
    }

    #[test]
    fn a_guarded_main_runs_and_the_functions_are_there() {
        for guard in [
            r#"[[ "${BASH_SOURCE[0]}" == "${0}" ]]"#,
            r#"[ "$0" = "$BASH_SOURCE" ]"#,
            r#"[ "${0##*/}" = 't.sh' ]"#,
            r#"[ "$(basename "$0")" = t.sh ]"#,
        ] {
            let text = format!(
                "#!/bin/bash\nmain() {{ echo \"main $*\"; return 4; }}\nif {guard}; then main \"$@\"; fi\n"
            );
            assert_eq!(run("t.sh", &text, &["a b"]), Ok((4, "main a b\n".to_owned())), "{guard}");
        }
        let there = "cd \"$(dirname \"$0\")\" && [ -f t.sh ]\n";
        assert_eq!(run("t.sh", there, &[]), Ok((0, String::new())));
        let text = "command -v jf_fail; shift; echo \"$1|$#\"";
        assert_eq!(run("it's.sh", text, &["-c", "a b"]), Ok((0, "jf_fail\na b|1\n".to_owned())));
    }
}
