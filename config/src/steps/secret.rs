//! Words by which a question for a secret is known, whoever reads it: a step test before it runs, a recording while it is made.

use super::{Action, Awaited, Step, read::describe_send};

/// Words that a question for a secret has, in small letters.
pub const SECRET_WORDS: [&str; 28] = [
    "password",
    "passwd",
    "passphrase",
    "passcode",
    "passwort",
    "kennwort",
    "mot de passe",
    "contraseña",
    "senha",
    "пароль",
    "密码",
    "口令",
    "パスワード",
    "secret",
    "pin:",
    "pin code",
    "community",
    "one-time",
    "otp",
    "verification code",
    "token",
    "api key",
    "private key",
    "auth key",
    "priv key",
    "pre-shared key",
    "preshared key",
    "psk",
];

/// Whether a line has such a word.
pub fn has_secret_word(line: &str) -> bool {
    let line = line.to_lowercase();
    SECRET_WORDS.iter().any(|word| line.contains(word))
}

/// Makes a secret of each text that is sent right after such a question was awaited: its name is in the report also where it is never reached.
pub(super) fn mark_answers(steps: &mut [Step]) {
    let mut asked: Option<String> = None;
    for step in steps {
        match &mut step.action {
            Action::Expect { patterns } if patterns.iter().any(asks) => asked = Some(step.session.clone()),
            Action::Send { text, secret, .. } => {
                let is_answer = asked.take().is_some_and(|session| session == step.session);
                if is_answer && !*secret {
                    *secret = true;
                    if step.name == describe_send(text, false) {
                        step.name = describe_send(text, true);
                    }
                }
            }
            Action::Pause { .. } | Action::Set { .. } | Action::Look => {}
            Action::Expect { .. }
            | Action::Press { .. }
            | Action::Screen { .. }
            | Action::Command(_)
            | Action::Unasked
            | Action::Config { .. }
            | Action::Level { .. }
            | Action::Reboot
            | Action::Power { .. }
            | Action::WaitUntil { .. }
            | Action::Repeat { .. }
            | Action::Beside(_) => asked = None,
        }
    }
}

fn asks(awaited: &Awaited) -> bool {
    match awaited {
        // `[Pp]assword` is a password.
        Awaited::Pattern(pattern) => has_secret_word(&without_case_classes(&pattern.to_lowercase())),
        Awaited::Exact(text) => has_secret_word(text),
        Awaited::End | Awaited::Timeout => false,
    }
}

/// A pattern in small letters, with `[pp]` as `p`.
fn without_case_classes(pattern: &str) -> String {
    let mut plain = String::with_capacity(pattern.len());
    let mut rest = pattern;
    while let Some((before, after)) = rest.split_once('[') {
        plain.push_str(before);
        let mut letters = after.chars();
        let class = (letters.next(), letters.next(), letters.next());
        rest = match class {
            (Some(one), Some(other), Some(']')) if one == other => {
                plain.push(one);
                letters.as_str()
            }
            _ => {
                plain.push('[');
                after
            }
        };
    }
    plain.push_str(rest);
    plain
}
