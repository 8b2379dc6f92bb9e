//! What somebody who tries a profile may write, by what the device said last: lines to copy, not only the names of keys.

use super::{SHOWN_MAX, shown};

/// How far it came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum At {
    /// No prompt was seen.
    Login,
    /// Something was taken for the prompt, and did not prove to be it.
    Prompt,
    /// A command got no answer.
    Command,
}

/// What was heard of a device.
#[derive(Debug, Default)]
pub(super) struct Heard {
    /// Since its last line end.
    pub(super) line: String,
    pub(super) has_prompt: bool,
    has_spoken: bool,
    /// It has moved the cursor to places of a screen.
    draws: bool,
    /// What was understood last, and for what.
    took: Option<(String, String)>,
}

impl Heard {
    pub(super) fn hear(&mut self, text: &str) {
        self.has_spoken |= !text.trim().is_empty();
        self.draws |= names_places(text);
        match text.rsplit_once('\n') {
            Some((_, rest)) => rest.clone_into(&mut self.line),
            None => self.line.push_str(text),
        }
        let surplus = self.line.chars().count().saturating_sub(SHOWN_MAX);
        self.line = self.line.chars().skip(surplus).collect();
    }

    pub(super) fn take(&mut self, text: &str, key: &str) {
        self.has_prompt |= key.starts_with("prompt");
        self.took = Some((text.trim().to_owned(), key.to_owned()));
    }
}

/// Whether a text names rows and columns of a screen, beyond its first place: that is where a screen is wiped.
fn names_places(text: &str) -> bool {
    text.split("\u{1b}[").skip(1).any(|code| {
        let end = code.find(|letter: char| letter.is_ascii_alphabetic());
        let (place, letter) = end.and_then(|end| code.split_at_checked(end)).unwrap_or_default();
        letter.starts_with(['H', 'f']) && place.contains(';') && place != "1;1"
    })
}

pub(super) fn remedy(at: At, heard: &Heard, prompt: &str) -> String {
    let line = heard.line.trim();
    if !heard.has_spoken {
        return "the device has said nothing at all, and an empty line did not wake it: look whether host and port are right, whether it is \
                switched on, and whether somebody else has its console; if it waits for another key, write\n  [login]\n  nudge_text = \"\\u0003\""
            .to_owned();
    }
    if heard.draws {
        return "it draws a screen, which has no prompt: let the resource say `login = false` and `screen = \"80x24\"`, and drive it by `screen`, \
                `wait_screen` and `press`"
            .to_owned();
    }
    if let Some((_, key)) =
        heard.took.as_ref().filter(|(text, key)| at == At::Login && text == line && key != "prompt")
    {
        return format!(
            "the profile knows its last line, `{}`, as {key}: what was answered was not taken",
            shown(line)
        );
    }
    if line.is_empty() {
        return "it has said nothing since its last line end: if it waits for a key, set [login] nudge and nudge_text".to_owned();
    }
    let shown = shown(line);
    let ask = |table: &str| {
        format!(
            "if it is a question, write\n  [[{table}]]\n  asks = '{}'\n  answer = \"…\"",
            pattern(&heard.line)
        )
    };
    let is_prompt = format!(
        "its last line is `{shown}`: if that is its prompt, write\n  prompt = '(?m)^{}'\nin place of '{prompt}'",
        pattern(&heard.line)
    );
    match at {
        At::Login => format!(
            "{is_prompt}; if it asks for user or password, [login] user or password must match it; {}",
            ask("login.questions")
        ),
        At::Prompt => format!(
            "its last line is `{shown}`, which `prompt` ('{prompt}') matches: what it shows for an empty line must be the same but for numbers. If its \
             prompt has more lines, `prompt` matches all of them, with \\r\\n between; if it shows nothing for an empty line, write\n  [login]\n  confirm = false"
        ),
        At::Command => format!(
            "{is_prompt}; if it is a pager, write\n  [pager]\n  more = '{}'\n{}; one on the way to a level belongs to the level's `secret`, `user` or `questions`",
            pattern(&heard.line),
            ask("questions")
        ),
    }
}

/// A regular expression for a line: its letters as they are, its numbers any, and nothing behind it.
fn pattern(line: &str) -> String {
    let mut pattern = String::new();
    let mut rest = line.trim_start();
    let blank = if rest.ends_with(' ') { " ?" } else { "" };
    rest = rest.trim_end();
    while let Some(letter) = rest.chars().next() {
        let digits = rest.len().saturating_sub(rest.trim_start_matches(|c: char| c.is_ascii_digit()).len());
        let taken = if digits > 0 { digits } else { letter.len_utf8() };
        let (now, after) = rest.split_at_checked(taken).unwrap_or((rest, ""));
        if digits > 0 {
            pattern.push_str("\\d+");
        } else {
            // A quote would end the text that the pattern is copied into.
            pattern.push_str(&if letter == '\'' { ".".to_owned() } else { regex_escaped(now) });
        }
        rest = after;
    }
    format!("{pattern}{blank}$")
}

/// A letter that stands for itself.
fn regex_escaped(letter: &str) -> String {
    let means_something = |c: char| "\\.+*?()|[]{}^$#&-~".contains(c);
    if letter.starts_with(means_something) { format!("\\{letter}") } else { letter.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(at: At, said: &[&str], took: Option<(&str, &str)>) -> String {
        let mut heard = Heard::default();
        said.iter().for_each(|text| heard.hear(text));
        if let Some((text, key)) = took {
            heard.take(text, key);
        }
        remedy(at, &heard, "> $")
    }

    #[test]
    fn a_line_becomes_a_pattern_that_can_be_copied() {
        for (line, expect) in [
            ("GATEWAY-7 ready :: ", r"GATEWAY\-\d+ ready :: ?$"),
            ("Select:", "Select:$"),
            ("Enter today's PIN (4 digits) > ", r"Enter today.s PIN \(\d+ digits\) > ?$"),
            ("añ[1]$ ", r"añ\[\d+\]\$ ?$"),
        ] {
            assert_eq!(pattern(line), expect);
            let unquoted: String = line.to_owned();
            assert!(
                jackfield_device::expect::Patterns::regexes(&[&format!("(?m)^{expect}")]).is_ok(),
                "{unquoted}"
            );
        }
    }

    #[test]
    fn what_to_do_is_said_by_what_was_seen() {
        insta::assert_snapshot!(told(At::Login, &[], None), @r#"
        the device has said nothing at all, and an empty line did not wake it: look whether host and port are right, whether it is switched on, and whether somebody else has its console; if it waits for another key, write
          [login]
          nudge_text = "\u0003"
        "#);
        insta::assert_snapshot!(told(At::Login, &["\u{1b}[2J\u{1b}[3;1H Main"], None), @r#"it draws a screen, which has no prompt: let the resource say `login = false` and `screen = "80x24"`, and drive it by `screen`, `wait_screen` and `press`"#);
        insta::assert_snapshot!(told(At::Login, &["x\r\nUser: "], Some(("User:", "[login] user"))), @r#"the profile knows its last line, `User:`, as [login] user: what was answered was not taken"#);
        insta::assert_snapshot!(told(At::Login, &["\r\n\u{1b}[2J\u{1b}[1;1Hwelcome\r\nCMD 7? "], None), @r#"
        its last line is `CMD 7?`: if that is its prompt, write
          prompt = '(?m)^CMD \d+\? ?$'
        in place of '> $'; if it asks for user or password, [login] user or password must match it; if it is a question, write
          [[login.questions]]
          asks = 'CMD \d+\? ?$'
          answer = "…"
        "#);
        insta::assert_snapshot!(told(At::Prompt, &["MUX:1> "], Some(("MUX:0>", "prompt"))), @r#"
        its last line is `MUX:1>`, which `prompt` ('> $') matches: what it shows for an empty line must be the same but for numbers. If its prompt has more lines, `prompt` matches all of them, with \r\n between; if it shows nothing for an empty line, write
          [login]
          confirm = false
        "#);
        insta::assert_snapshot!(told(At::Command, &["a\r\n<space> to go on"], Some(("show", "echo"))), @r#"
        its last line is `<space> to go on`: if that is its prompt, write
          prompt = '(?m)^<space> to go on$'
        in place of '> $'; if it is a pager, write
          [pager]
          more = '<space> to go on$'
        if it is a question, write
          [[questions]]
          asks = '<space> to go on$'
          answer = "…"; one on the way to a level belongs to the level's `secret`, `user` or `questions`
        "#);
    }
}
