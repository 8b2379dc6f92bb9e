//! `jackfield-run-as`: the helper that root installs for execution processes that are not root.
//!
//! ```text
//! install -D -o root -g root -m 4755 jackfield-run-as /usr/local/lib/jackfield/run-as
//! ```
//!
//! All it may do stands in `/etc/jackfield/run-as`, which is root's.

use std::{path::Path, process::ExitCode};

use jackfield_run_as::{Gate, PERMITS, carry_out};

fn main() -> ExitCode {
    carry_out(Gate::File(Path::new(PERMITS)), std::env::args_os().skip(1))
}
