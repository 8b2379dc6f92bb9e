//! Stories that a user could tell, each through the binary and its public face, with real parts.

#![expect(
    clippy::unwrap_used,
    clippy::print_stderr,
    clippy::wildcard_enum_match_arm,
    reason = "a story that goes wrong ends there"
)]

mod accounts;
mod beside;
mod broken;
mod cable;
mod calendar;
mod campaign;
mod cgroup;
mod ci_servers;
mod cleanup;
mod command_line;
mod console;
mod console_page;
mod crash;
mod database;
mod dialogue;
mod documents;
mod equipment;
mod exchange;
mod first_run;
mod fuzz;
mod health;
mod hearers;
mod languages;
mod lease;
mod logs;
mod machine;
mod modules;
mod need;
mod order;
mod people;
mod power;
mod queue;
mod record;
mod replay;
mod router;
mod routers;
mod run_as;
mod schemathesis;
mod scripts;
mod sdks;
mod secrets;
mod serial;
mod sharing;
mod stop;
mod strangers;
mod subscribers;
mod switch;
mod taken_away;
mod taking;
mod tapped;
mod templates;
mod tree;
mod twister;
mod twister_demo;
mod twister_libraries;
mod typing;
mod weather;
mod words;
mod words_of_consoles;
mod words_of_reports;
