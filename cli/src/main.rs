//! The `jackfield` binary: every role (engine, EP, simulator) and every command.
//!
//! Data goes to standard output, talk to standard error; `--json` turns every table into JSON; the exit code is one of
//! [`exit::Exit`], whatever the command.

mod call;
mod client;
mod command;
mod exit;
mod output;
mod signal;

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use jackfield_protocol::error::{ErrorCode, Problem};

use crate::{client::Client, exit::Exit, output::Output};

/// A test bench for device and telecom labs.
#[derive(Parser)]
#[command(name = "jackfield", version, propagate_version = true, disable_help_subcommand = true)]
struct Arguments {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

/// What every command understands.
#[derive(clap::Args)]
struct Global {
    /// Address of the engine.
    #[arg(
        long,
        global = true,
        env = "JACKFIELD_ENGINE",
        default_value = "http://127.0.0.1:8000",
        value_name = "URL"
    )]
    engine: String,
    /// Token of a user, as `jackfield token create` made it; else the one that `jackfield login` kept.
    #[arg(long, global = true, env = "JACKFIELD_API_TOKEN", hide_env_values = true)]
    token: Option<String>,
    /// Print JSON instead of tables.
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Subcommand)]
enum Command {
    /// Run the Central Engine.
    Engine(command::engine::Engine),
    /// Run an Execution Process.
    Ep(command::ep::Ep),
    /// Start a small lab, run the demo project in it, and stay up.
    Demo(command::demo::Demo),
    /// Serve simulated devices.
    Simulate(command::simulate::Simulate),
    /// Start a project, show it, wait for its end; the exit code is its verdict.
    Run(command::run::Run),
    /// Start a project and print the number of its run.
    Submit(command::run::Submit),
    /// What ran, what runs, and why something waits.
    #[command(subcommand)]
    Runs(command::runs::Runs),
    /// Check project files and see what they become; needs no engine.
    #[command(subcommand)]
    Project(command::project::Project),
    /// The recorded dialogues of tests with devices.
    #[command(subcommand)]
    Session(command::session::Session),
    /// Execution Processes.
    #[command(subcommand)]
    Eps(command::eps::Eps),
    /// The tree of lab resources.
    #[command(subcommand)]
    Resource(command::resource::Resource),
    /// A terminal on a device: watch the session of a test, take it over, or open one.
    Console(command::console::Console),
    /// Accounts.
    #[command(subcommand)]
    User(command::user::User),
    /// Groups of accounts.
    #[command(subcommand)]
    Group(command::group::Group),
    /// Tokens for scripts, pipelines and EPs.
    #[command(subcommand)]
    Token(command::token::Token),
    /// Ask for a token and keep it for later commands.
    Login(command::login::Login),
    /// Look at this machine and say what is missing.
    Doctor(command::doctor::Doctor),
    /// Print the completion script of a shell.
    Completions(command::completions::Completions),
    /// One request to the local API, for shell tests.
    #[command(hide = true)]
    Call(call::Call),
    /// Join standard input and output to the local API, for languages without Unix sockets.
    #[command(hide = true)]
    Bridge,
}

/// What a command gets.
struct Context {
    client: Client,
    output: Output,
}

fn main() -> ExitCode {
    signal::unblock();
    let Arguments { global, command } = Arguments::parse();
    let token = global.token.or_else(|| command::login::kept_token(&global.engine));
    let context = Context { client: Client::new(&global.engine, token), output: Output::new(global.json) };
    match dispatch(command, &context) {
        Ok(exit) => exit.into(),
        Err(error) => fail(&error).into(),
    }
}

fn dispatch(command: Command, context: &Context) -> anyhow::Result<Exit> {
    match command {
        Command::Engine(engine) => engine.run(),
        Command::Ep(ep) => ep.run(),
        Command::Demo(demo) => demo.run(),
        Command::Simulate(simulate) => simulate.run(context),
        Command::Run(run) => run.run(context),
        Command::Submit(submit) => submit.run(context),
        Command::Runs(runs) => runs.run(context),
        Command::Project(project) => project.run(context),
        Command::Session(session) => session.run(context),
        Command::Eps(eps) => eps.run(context),
        Command::Resource(resource) => resource.run(context),
        Command::Console(console) => console.run(context),
        Command::User(user) => user.run(context),
        Command::Group(group) => group.run(context),
        Command::Token(token) => token.run(context),
        Command::Login(login) => login.run(context),
        Command::Doctor(doctor) => doctor.run(context),
        Command::Completions(completions) => completions.run(),
        Command::Call(call) => call.run(),
        Command::Bridge => call::bridge(),
    }
}

/// Says what went wrong, and how the process ends for it.
fn fail(error: &anyhow::Error) -> Exit {
    output::complain(&format!("{error:#}"));
    if error.is::<client::Unreachable>() {
        return Exit::EngineUnreachable;
    }
    match error.downcast_ref::<Problem>().map(|problem| problem.code) {
        Some(ErrorCode::Storage | ErrorCode::Unavailable | ErrorCode::Internal) => Exit::LabFault,
        _ => Exit::BadInput,
    }
}
