//! Tokens in arguments, which everybody on the machine can read in the list of processes for as long as the program runs.
//!
//! So they are taken out at once: the program starts itself again, with the token in its environment, which is its user's alone. For a moment it
//! was there all the same, and whoever wrote it there is told what to write instead.

use std::{
    ffi::{OsStr, OsString},
    os::unix::process::CommandExt as _,
    process::Command,
};

use crate::output;

/// Options that hold a token, each with the variable that says the same.
const TOKENS: [(&str, &str); 2] = [("--token", "JACKFIELD_API_TOKEN"), ("--ep-token", "JACKFIELD_EP_TOKEN")];

/// Starts this program again without the tokens of its arguments, where there are any; comes back where there are none, or where that cannot be.
pub(crate) fn hide_tokens() {
    let mut words = std::env::args_os();
    let name = words.next().unwrap_or_default();
    let (kept, tokens) = without_tokens(words.collect());
    if tokens.is_empty() {
        return;
    }
    let Ok(program) = std::env::current_exe() else { return };
    for (option, variable) in tokens.iter().map(|(option, variable, _)| (option, variable)) {
        output::talk(&format!(
            "note: everybody on this machine can read {option} in its list of processes; use {option}-file or {variable} instead"
        ));
    }
    let variables = tokens.into_iter().map(|(_, variable, token)| (variable, token));
    // What comes back could not start it: then it goes on as it is.
    let _ = Command::new(program).arg0(name).args(kept).envs(variables).exec();
}

type Tokens = Vec<(&'static str, &'static str, OsString)>;

/// Arguments without tokens, and these. What stands behind `--` is no option; an option without a value, or with an empty one, is left to whoever
/// reads the arguments.
fn without_tokens(words: Vec<OsString>) -> (Vec<OsString>, Tokens) {
    let (mut kept, mut tokens) = (Vec::new(), Vec::new());
    let mut words = words.into_iter().peekable();
    while let Some(word) = words.next() {
        if word == "--" {
            kept.push(word);
            break;
        }
        let found = TOKENS.into_iter().find_map(|(option, variable)| {
            let rest = word.as_encoded_bytes().strip_prefix(option.as_bytes())?;
            Some((option, variable, rest.to_vec()))
        });
        match found {
            Some((option, variable, rest)) if rest.is_empty() => match words.next_if(|next| !next.is_empty())
            {
                Some(token) => tokens.push((option, variable, token)),
                None => kept.push(word),
            },
            Some((option, variable, rest)) if rest.len() > 1 && rest.starts_with(b"=") => {
                use std::os::unix::ffi::OsStrExt as _;
                let token = OsStr::from_bytes(rest.get(1..).unwrap_or_default()).to_owned();
                tokens.push((option, variable, token));
            }
            Some(_) | None => kept.push(word),
        }
    }
    kept.extend(words);
    (kept, tokens)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_taken_out_of_the_arguments_and_nothing_else_is() {
        let words = |text: &str| text.split(' ').map(OsString::from).collect::<Vec<_>>();
        for (all, kept, tokens) in [
            ("runs list", "runs list", ""),
            ("--token abc runs list --json", "runs list --json", "abc"),
            ("runs list --token=abc.def", "runs list", "abc.def"),
            ("ep --ep-token x --name y", "ep --name y", "x"),
            ("run a -- --token abc", "run a -- --token abc", ""),
            ("runs list --token", "runs list --token", ""),
            ("runs list --token=", "runs list --token=", ""),
            ("--token-file f runs list", "--token-file f runs list", ""),
            ("--token a --token b x", "x", "a b"),
        ] {
            let (left, found) = without_tokens(words(all));
            assert_eq!(left, words(kept), "{all}");
            let found: Vec<OsString> = found.into_iter().map(|(_, _, token)| token).collect();
            assert_eq!(found.join(OsStr::new(" ")), OsString::from(tokens), "{all}");
        }
    }
}
