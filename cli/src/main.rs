//! The `jackfield` binary: every role (engine, EP, simulator) and every command.
//!
//! Data goes to standard output, talk to standard error; `--json` turns every table into JSON; the exit code is one of
//! [`exit::Exit`], whatever the command.

mod argv;
#[cfg(test)]
mod book;
mod call;
mod client;
mod command;
mod complete;
mod exit;
mod kept;
mod names;
mod output;
mod signal;
mod visible;

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use jackfield_protocol::{
    error::{ErrorCode, Problem},
    secret::Secret,
};
use jackfield_tls::Credential;

use crate::{
    client::{Client, Token},
    exit::Exit,
    output::Output,
};

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
    /// Address of the engine; else `JACKFIELD_ENGINE`, else `http://127.0.0.1:8000`.
    #[arg(long, global = true, value_name = "URL")]
    engine: Option<String>,
    /// Token of a user, as `jackfield token create` made it; else `JACKFIELD_API_TOKEN`, else the one that `jackfield login` kept. Better in a file.
    #[arg(long, global = true)]
    token: Option<String>,
    /// A file that holds the token.
    #[arg(long, global = true, value_name = "FILE", conflicts_with = "token")]
    token_file: Option<std::path::PathBuf>,
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
    /// The lab's own database, as db.xml says; needs no engine.
    #[command(subcommand)]
    Db(command::db::Db),
    #[command(subcommand)]
    Mail(command::mail::Mail),
    #[command(subcommand)]
    Webhook(command::webhook::Webhook),
    /// The recorded dialogues of tests with devices.
    #[command(subcommand)]
    Session(command::session::Session),
    /// Execution Processes.
    #[command(subcommand)]
    Eps(command::eps::Eps),
    /// The tree of lab resources.
    #[command(subcommand)]
    Resource(command::resource::Resource),
    /// Systems under test: abstract names that are linked to resources.
    #[command(subcommand)]
    Sut(command::sut::Sut),
    /// Who has which device, and until when: take, queue for, hand over, give back.
    #[command(subcommand)]
    Lease(command::lease::Lease),
    /// Who has booked which device for later: once, or again and again; maintenance; feeds for your own calendar.
    #[command(subcommand)]
    Calendar(command::calendar::Calendar),
    /// A terminal on a device: watch the session of a test, take it over, or open one.
    Console(command::console::Console),
    /// Accounts.
    #[command(subcommand)]
    User(command::user::User),
    /// Open an account, let it do everything, and give it a new password; for who owns the lab folder.
    Recover(command::recover::Recover),
    /// Copy the lab folder, without the key of the store; also while the engine runs.
    Backup(command::backup::Backup),
    /// The keys that the engine's store is sealed with.
    #[command(subcommand)]
    Secret(command::secret::Secret),
    /// Groups of accounts.
    #[command(subcommand)]
    Group(command::group::Group),
    /// Tokens for scripts, pipelines and EPs.
    #[command(subcommand)]
    Token(command::token::Token),
    #[command(subcommand)]
    Share(command::share::Share),
    /// Ask for a token and keep it for later commands.
    Login(command::login::Login),
    /// Who changed what, newest first.
    Audit(command::audit::Audit),
    /// The SDKs of this version, as files.
    #[command(subcommand)]
    Sdk(command::sdk::Sdk),
    /// Look at this machine and say what is missing.
    Doctor(command::doctor::Doctor),
    /// Print the completion script of a shell.
    Completions(command::completions::Completions),
    /// What may stand at the end of a line, for a shell that completes it.
    #[command(hide = true)]
    Complete(complete::Complete),
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
    if let Some(order) = words_behind("run-as") {
        return jackfield_run_as::carry_out(jackfield_run_as::Gate::Root, order);
    }
    if let Some(command) = words_behind("when-told") {
        return jackfield_run_as::when_told(command);
    }
    if let Some(words) = words_behind("in-group") {
        return jackfield_run_as::in_group(&jackfield_device::local::group_name(std::process::id()), words);
    }
    argv::hide_tokens();
    let Arguments { global, command } = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => return usage(&error).into(),
    };
    let output = Output::new(global.json);
    let exit = context(global).and_then(|context| dispatch(command, &context));
    exit.unwrap_or_else(|error| fail(output, &error)).into()
}

/// What stands behind a word that an EP says to this program: no command for people, and before everything else, because what is said in the
/// environment is not this one's to obey.
fn words_behind(word: &str) -> Option<impl Iterator<Item = std::ffi::OsString> + use<>> {
    let mut words = std::env::args_os().skip(1);
    (words.next()? == word).then_some(words)
}

/// Where the engine is and who we are. What is set to nothing, as pipelines set what they do not use, is not set.
fn context(global: Global) -> anyhow::Result<Context> {
    let engine =
        client::engine_address(&global.engine.or_else(|| set("JACKFIELD_ENGINE")).unwrap_or_default())?;
    let in_file = global.token_file.as_deref().map(token_in).transpose()?;
    let (token, pin) = match global.token.or(in_file).or_else(|| set("JACKFIELD_API_TOKEN")) {
        Some(token) => {
            let Credential { secret, pin } = Credential::read(&Secret::new(token));
            // What is said for this one time goes to the engine that it was made by.
            (Token::Given(secret), pin.or_else(|| kept::pin(&engine)))
        }
        None => (kept::token(&engine).map_or(Token::Missing, Token::Kept), kept::pin(&engine)),
    };
    Ok(Context {
        client: Client::new(&engine, token, pin)?.verbatim(global.json),
        output: Output::new(global.json),
    })
}

/// The token that a file holds.
fn token_in(file: &std::path::Path) -> anyhow::Result<String> {
    let text = std::fs::read_to_string(file)
        .map_err(|error| anyhow::anyhow!("the token file {}: {error}", file.display()))?;
    let token = text.trim();
    anyhow::ensure!(!token.is_empty(), "the token file {} is empty", file.display());
    Ok(token.to_owned())
}

/// A variable of the environment, unless it is set to nothing.
#[expect(
    clippy::disallowed_methods,
    reason = "read here, so that no line of usage asks for what is optional"
)]
fn set(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|text| !text.trim().is_empty())
}

/// Help and versions as they are asked for; a line that is no command as what went wrong.
fn usage(error: &clap::Error) -> Exit {
    if error.use_stderr() && std::env::args_os().any(|argument| argument == "--json") {
        let title = error.render().to_string();
        let title = title.trim().trim_start_matches("error: ");
        Output::new(true).problem(&Problem::new(ErrorCode::BadRequest, title));
    }
    // Where nobody reads it, nobody misses it.
    let _ = error.print();
    if error.use_stderr() { Exit::BadInput } else { Exit::Done }
}

fn dispatch(command: Command, context: &Context) -> anyhow::Result<Exit> {
    match command {
        Command::Engine(engine) => engine.run(context.output),
        Command::Ep(ep) => ep.run(),
        Command::Demo(demo) => demo.run(),
        Command::Simulate(simulate) => simulate.run(context),
        Command::Run(run) => run.run(context),
        Command::Submit(submit) => submit.run(context),
        Command::Runs(runs) => runs.run(context),
        Command::Project(project) => project.run(context),
        Command::Db(db) => db.run(context),
        Command::Mail(mail) => mail.run(context),
        Command::Webhook(webhook) => webhook.run(context),
        Command::Session(session) => session.run(context),
        Command::Eps(eps) => eps.run(context),
        Command::Resource(resource) => resource.run(context),
        Command::Sut(sut) => sut.run(context),
        Command::Lease(lease) => lease.run(context),
        Command::Calendar(calendar) => calendar.run(context),
        Command::Console(console) => console.run(context),
        Command::User(user) => user.run(context),
        Command::Recover(recover) => recover.run(context),
        Command::Backup(backup) => backup.run(context),
        Command::Secret(secret) => secret.run(context),
        Command::Group(group) => group.run(context),
        Command::Token(token) => token.run(context),
        Command::Share(share) => share.run(context),
        Command::Login(login) => login.run(context),
        Command::Audit(audit) => audit.run(context),
        Command::Sdk(sdk) => sdk.run(context),
        Command::Doctor(doctor) => doctor.run(context),
        Command::Completions(completions) => completions.run(),
        Command::Complete(complete) => complete.run(context),
        Command::Call(call) => call.run(),
        Command::Bridge => call::bridge(),
    }
}

/// Says what went wrong, and how the process ends for it.
fn fail(output: Output, error: &anyhow::Error) -> Exit {
    let text = format!("{error:#}");
    let (problem, exit) = if error.is::<client::Unreachable>() || error.is::<client::Stranger>() {
        (Problem::new(ErrorCode::Unavailable, &*text), Exit::EngineUnreachable)
    } else {
        match error.downcast_ref::<Problem>() {
            Some(problem) => (problem.clone(), exit_of(problem.code)),
            None => (Problem::new(ErrorCode::BadRequest, &*text), Exit::BadInput),
        }
    };
    output.problem(&problem);
    output::complain(&text);
    exit
}

/// How a process ends that the engine refused.
fn exit_of(code: ErrorCode) -> Exit {
    match code {
        ErrorCode::Storage | ErrorCode::Unavailable | ErrorCode::Internal => Exit::LabFault,
        ErrorCode::BadRequest
        | ErrorCode::BadFile
        | ErrorCode::Unauthenticated
        | ErrorCode::Forbidden
        | ErrorCode::NotFound
        | ErrorCode::AlreadyExists
        | ErrorCode::Held
        | ErrorCode::Changed
        | ErrorCode::WrongState
        | ErrorCode::TooLarge
        | ErrorCode::TooMany
        | ErrorCode::ProtocolVersion
        | ErrorCode::NameTaken => Exit::BadInput,
    }
}
