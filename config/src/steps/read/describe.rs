//! What a step is called where nobody says it.

use crate::steps::{Action, Awaited, Beside, Command};

pub(super) fn describe(action: &Action) -> String {
    match action {
        Action::Send { text, secret, .. } => describe_send(text, *secret),
        Action::Expect { patterns } => {
            format!("expect `{}`", shown(patterns).join("` or `"))
        }
        Action::Press { keys } => format!("press {}", keys.join(", ")),
        Action::Screen { patterns, .. } if patterns.is_empty() => "look at the screen".to_owned(),
        Action::Screen { patterns, gone } => {
            let verb = if *gone { "screen without" } else { "screen with" };
            format!("{verb} `{}`", shown(patterns).join("` or `"))
        }
        Action::Command(Command { line, to_file: Some(to), .. }) => {
            format!("command `{line}` into `{}`", to.path)
        }
        Action::Command(Command { line, to_file: None, .. }) => format!("command `{line}`"),
        Action::Unasked => "what came unasked".to_owned(),
        Action::Config { lines } => match lines.as_slice() {
            [line] => format!("config `{line}`"),
            lines => format!("config of {} lines", lines.len()),
        },
        Action::Level { level } => format!("level `{level}`"),
        Action::Reboot => "reboot".to_owned(),
        Action::Power { action } => format!("power {}", action.as_str()),
        Action::Look => "check".to_owned(),
        Action::WaitUntil { command, .. } => format!("wait until `{command}` shows it"),
        Action::Beside(beside) => describe_beside(beside),
        Action::Repeat { times, .. } => format!("repeat {times} times"),
        Action::Pause { span } => format!("pause {span:?}"),
        Action::Set { values } => {
            format!("set {}", values.keys().map(String::as_str).collect::<Vec<_>>().join(", "))
        }
    }
}

fn describe_beside(beside: &Beside) -> String {
    match beside {
        Beside::Execute { command, .. } => format!("execute `{command}`"),
        Beside::Put { local, remote, .. } => format!("put `{local}` to `{remote}`"),
        Beside::Get { remote, .. } => format!("get `{remote}`"),
        Beside::SetLine { values } => {
            let values: Vec<String> = values.iter().map(|(key, value)| format!("{key} {value}")).collect();
            format!("set the line: {}", values.join(", "))
        }
        Beside::ModemLines => "look at the modem lines".to_owned(),
        Beside::SendBreak { .. } => "send a break".to_owned(),
        Beside::WaitBreak => "wait for a break".to_owned(),
    }
}

/// What a step that sends a text is called where nobody says it.
pub(in crate::steps) fn describe_send(text: &str, secret: bool) -> String {
    if secret { "send a secret".to_owned() } else { format!("send `{text}`") }
}

fn shown(patterns: &[Awaited]) -> Vec<&str> {
    let mut shown = Vec::new();
    for one in patterns {
        shown.push(match one {
            Awaited::Pattern(text) | Awaited::Exact(text) => text.as_str(),
            Awaited::End => "the end of the dialogue",
            Awaited::Timeout => "the end of the time",
        });
    }
    shown
}
