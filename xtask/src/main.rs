//! The project's chores. `cargo xtask help` lists them; the README's two are `demo` and `test`.

#![expect(clippy::print_stderr, reason = "chores talk on standard error")]

mod bench;
mod command;
mod demo;
mod dist;
mod faults;
mod fuzz;
mod guest;
mod lint;
mod pages;
mod setup;
mod test;
mod tidy;

use anyhow::Result;
use clap::{Parser, Subcommand};

/// Chores of the Jackfield project.
#[derive(Parser)]
#[command(name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    chore: Chore,
}

#[derive(Subcommand)]
enum Chore {
    /// Install what building and testing need (Debian packages, Python packages).
    Setup {
        /// And the runners that the measures compare with.
        #[arg(long)]
        bench: bool,
    },
    /// Build, start a small lab, run the demo project in it, and stay up until Ctrl-C.
    Demo(demo::Demo),
    /// Build what is shipped: the binary with its pages, packed, with version and checksum.
    Dist,
    /// Install what the tests need, and run every test.
    Test(test::Test),
    /// Formatting, Clippy, and the rules of the house that Clippy cannot know.
    Lint,
    /// Build the web pages, which the engine's build then takes into the binary.
    Pages,
    /// Let a fuzzer look for bytes of a peer that break a promise (needs the nightly compiler).
    Fuzz(fuzz::Fuzz),
    /// Take back what holds off each fault of a dialogue, and see that the model of devices finds it.
    Faults(faults::Faults),
    /// Measure against a floor or a peer in the same run.
    Bench(bench::Bench),
}

fn main() -> Result<()> {
    match Arguments::parse().chore {
        Chore::Setup { bench } => {
            setup::run().and_then(|()| if bench { setup::run_for_bench() } else { Ok(()) })
        }
        Chore::Demo(demo) => demo.run(),
        Chore::Dist => dist::run(),
        Chore::Test(test) => test.run(),
        Chore::Lint => lint::run(),
        Chore::Pages => pages::build(),
        Chore::Fuzz(fuzz) => fuzz.run(),
        Chore::Faults(faults) => faults.run(),
        Chore::Bench(bench) => bench.run(),
    }
}
