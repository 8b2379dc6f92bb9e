//! Mail addresses, read strictly: what could start a header of its own is no address.

use std::fmt;

/// Most bytes of one address.
const ADDRESS_BYTES_MAX: usize = 320;

/// A mailbox: `ana@lab.example`, or `Ana Pop <ana@lab.example>`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// The name before it, without quotes.
    pub name: Option<String>,
    /// `local@domain`.
    pub mailbox: String,
}

impl Address {
    /// Reads one mailbox; none where the text is no mailbox that can stand in a header.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        if text.chars().any(char::is_control) {
            return None;
        }
        let (name, mailbox) = match text.strip_suffix('>') {
            Some(inner) => {
                let (name, mailbox) = inner.rsplit_once('<')?;
                (name.trim(), mailbox.trim())
            }
            None => ("", text),
        };
        let name = name.strip_prefix('"').and_then(|name| name.strip_suffix('"')).unwrap_or(name);
        let name = name.replace("\\\"", "\"");
        let fits = is_mailbox(mailbox) && !name.contains(['<', '>']);
        fits.then(|| Self { name: (!name.is_empty()).then_some(name), mailbox: mailbox.to_owned() })
    }

    /// Splits a list at commas and semicolons that stand outside quotes.
    pub fn split(list: &str) -> Vec<&str> {
        Self::split_with_places(list).into_iter().map(|(_, part)| part).collect()
    }

    /// The same, each part with the byte at which it begins.
    pub fn split_with_places(list: &str) -> Vec<(usize, &str)> {
        let mut quoted = false;
        let mut parts = Vec::new();
        let mut start = 0_usize;
        for (at, character) in list.char_indices() {
            match character {
                '"' => quoted = !quoted,
                ',' | ';' if !quoted => {
                    parts.push((start, list.get(start..at).unwrap_or_default()));
                    start = at.saturating_add(1);
                }
                _ => {}
            }
        }
        parts.push((start, list.get(start..).unwrap_or_default()));
        let trimmed = parts.into_iter().map(|(start, part)| {
            let blank = part.len().saturating_sub(part.trim_start().len());
            (start.saturating_add(blank), part.trim())
        });
        trimmed.filter(|(_, part)| !part.is_empty()).collect()
    }
}

fn is_mailbox(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else { return false };
    let plain = |text: &str, also: &[char]| {
        let fits = |c: char| c.is_alphanumeric() || also.contains(&c);
        !text.is_empty() && text.chars().all(fits) && !text.starts_with('.') && !text.ends_with('.')
    };
    const LOCAL: [char; 20] =
        ['.', '!', '#', '$', '%', '&', '\'', '*', '+', '-', '/', '=', '?', '^', '_', '`', '{', '|', '}', '~'];
    text.len() <= ADDRESS_BYTES_MAX && plain(local, &LOCAL) && plain(domain, &['.', '-'])
}

/// As it stands in a header that is not yet encoded.
impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.name {
            Some(name) => {
                let name = name.replace('\\', "\\\\").replace('"', "\\\"");
                write!(f, "\"{name}\" <{}>", self.mailbox)
            }
            None => f.write_str(&self.mailbox),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mailboxes_are_read_and_written() {
        for (text, written) in [
            ("ana@lab.example", "ana@lab.example"),
            (" Ana Pop <ana@lab.example> ", "\"Ana Pop\" <ana@lab.example>"),
            ("\"Pop, Ana\" <a.p+x@lab>", "\"Pop, Ana\" <a.p+x@lab>"),
            ("<root@localhost>", "root@localhost"),
        ] {
            assert_eq!(Address::parse(text).unwrap().to_string(), written);
        }
    }

    #[test]
    fn what_could_start_a_header_is_no_mailbox() {
        for bad in [
            "",
            "ana",
            "ana@",
            "@lab",
            "a b@lab",
            "ana@lab\r\nBcc: x@y",
            "Ana\nBcc: x@y <ana@lab>",
            "ana@lab>",
            "Ana <b@c> <ana@lab>",
            "ana@la b",
            "ana@lab.",
            "a,b@lab",
        ] {
            assert_eq!(Address::parse(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn lists_split_outside_quotes() {
        assert_eq!(Address::split("a@b, c@d;\"x, y\" <e@f>;"), ["a@b", "c@d", "\"x, y\" <e@f>"]);
        assert_eq!(Address::split_with_places("a@b ; c@d"), [(0, "a@b"), (6, "c@d")]);
        assert_eq!(Address::split(" "), [""; 0]);
    }
}
