//! Python's regular expressions in the words of ours: the same but for brackets, braces and escapes that one side takes as plain.

use fancy_regex::Regex;

/// Compiles an expression that is matched from the beginning of a line on.
pub(super) fn compile(python: &str) -> Result<Regex, String> {
    let ours = format!("^(?:{})", translate(python));
    Regex::new(&ours).map_err(|error| {
        let text = error.to_string();
        text.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned()
    })
}

fn translate(python: &str) -> String {
    let mut ours = String::with_capacity(python.len());
    let mut rest = python;
    let mut class = Class::Outside;
    // Where each open group begins in ours, and whether it only looks around.
    let mut groups: Vec<(usize, bool)> = Vec::new();
    while let Some(letter) = rest.chars().next() {
        let after = rest.get(letter.len_utf8()..).unwrap_or_default();
        rest = match letter {
            '\\' => escape(after, class != Class::Outside, &mut ours),
            '[' if class == Class::Outside => {
                class = Class::Begun;
                ours.push('[');
                match after.strip_prefix('^') {
                    Some(after) => {
                        ours.push('^');
                        after
                    }
                    None => after,
                }
            }
            // The first bracket in a class stands for itself.
            ']' if class == Class::Begun => {
                class = Class::Within;
                ours.push_str("\\]");
                after
            }
            ']' if class == Class::Within => {
                class = Class::Outside;
                ours.push(']');
                after
            }
            '[' | '&' | '~' if class != Class::Outside => {
                class = Class::Within;
                ours.push('\\');
                ours.push(letter);
                after
            }
            '-' if class == Class::Within && after.starts_with('-') => {
                ours.push_str("\\-");
                after
            }
            '(' if class == Class::Outside => {
                let looks = ["?=", "?!", "?<=", "?<!"].iter().any(|mark| after.starts_with(mark));
                groups.push((ours.len(), looks));
                ours.push('(');
                after
            }
            ')' if class == Class::Outside => {
                ours.push(')');
                match groups.pop() {
                    Some((from, true)) => once(after, from, &mut ours),
                    Some((_, false)) | None => after,
                }
            }
            '{' if class == Class::Outside && !is_repetition(after) => {
                ours.push_str("\\{");
                after
            }
            _ => {
                if class == Class::Begun {
                    class = Class::Within;
                }
                ours.push(letter);
                after
            }
        };
        if letter == '\\' && class == Class::Begun {
            class = Class::Within;
        }
    }
    ours
}

/// Takes the repetition of a group that only looks around, which ours refuse: to look twice is to look once, and not to look is nothing.
fn once<'r>(after: &'r str, from: usize, ours: &mut String) -> &'r str {
    let (optional, rest) = match after.chars().next() {
        Some('*' | '?') => (true, after.get(1..)),
        Some('+') => (false, after.get(1..)),
        Some('{') if after.get(1..).is_some_and(is_repetition) => {
            let inside = after.get(1..).and_then(|inside| inside.split_once('}'));
            let least = inside.and_then(|(inside, _)| inside.split(',').next()).unwrap_or_default();
            (least.bytes().all(|digit| digit == b'0'), inside.map(|(_, rest)| rest))
        }
        Some(_) | None => return after,
    };
    if optional {
        ours.insert_str(from, "(?:");
        ours.push_str("|)");
    }
    // Whether it is greedy makes no difference.
    let rest = rest.unwrap_or_default();
    rest.strip_prefix('?').unwrap_or(rest)
}

/// Where we are of a bracketed class.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    Outside,
    /// Nothing of it was read yet.
    Begun,
    Within,
}

/// What follows a backslash.
fn escape<'r>(after: &'r str, in_class: bool, ours: &mut String) -> &'r str {
    let Some(letter) = after.chars().next() else {
        ours.push('\\');
        return after;
    };
    match letter {
        // Python's end of the text is ours in small.
        'Z' if !in_class => ours.push_str("\\z"),
        // Ours would take these for the ends of words, or not at all.
        '<' | '>' | '_' | ' ' | '"' | '\'' | '/' | ',' | ';' | ':' | '=' | '!' | '%' | '@' | '`' => {
            ours.push(letter)
        }
        _ => {
            ours.push('\\');
            ours.push(letter);
        }
    }
    after.get(letter.len_utf8()..).unwrap_or_default()
}

/// Whether a brace begins a repetition, and not just itself: `{3}`, `{3,}`, `{,3}`, `{3,5}`.
fn is_repetition(after: &str) -> bool {
    let Some((inside, _)) = after.split_once('}') else { return false };
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    match inside.split_once(',') {
        Some((from, to)) => digits(from) && digits(to),
        None => !inside.is_empty() && digits(inside),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn python_is_understood() {
        for (python, line, matches) in [
            (r"^a{foo}\<b\>\Z", "a{foo}<b>", true),
            (r"^[[\]&&-]+$", "[]&-", true),
            (r"^[]a]+$", "]a", true),
            (r"^[^]]+\]", "ab]", true),
            (r"^\s*(?!Total)\S+", "  Total", false),
            (r"^(\w)\1", "aa", true),
            (r"^x{2,3}$", "xxx", true),
            (r"b", "ab", false),
            (r"^a|b", "b", true),
            (r"^\d+\/\d+ \- \_", "1/2 - _", true),
            (r"^a(?<=a)+b", "ab", true),
            (r"^\w(?<=a){1,3}b", "xb", false),
            (r"^\w(?<=a)*?b(?!c){0,2}", "xbc", true),
            (r"^(x(?<!y)?)+$", "xx", true),
            (r"^[(?<=]+\((?=a)*", "(?<=(", true),
        ] {
            assert_eq!(compile(python).unwrap().is_match(line).unwrap(), matches, "{python} on {line}");
        }
        assert!(compile("(a").is_err());
    }
}
