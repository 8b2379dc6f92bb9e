//! Stars for the secrets of a text that is edited elsewhere, each told from the others, so that they come off again: `••••••3f9a01c2`.
//!
//! The sign behind the stars is a hash with a key that this engine drew when it started: who has it can guess no secret by it.

use std::{collections::BTreeMap, sync::LazyLock};

use jackfield_protocol::secret::Secret;

const STARS: &str = "••••••";
/// Hexadecimal digits behind the stars.
const SIGN_CHARS: usize = 12;

/// The secrets of a text.
#[derive(Debug, Default)]
pub(super) struct Cover {
    /// As they are written there, by their stars.
    by_stars: BTreeMap<String, Secret>,
}

/// The places in which the readers of these files know a secret from its place, which is none.
const PLACES: [&str; 2] = ["env:", "file:"];

impl Cover {
    /// What covers the secrets of a text.
    ///
    /// # Errors
    /// One is written in a way in which it is not found there: what it is, in words.
    pub(super) fn of(text: &str, secrets: &[Secret]) -> Result<Self, &'static str> {
        let mut by_stars = BTreeMap::new();
        for secret in secrets {
            let plain = secret.expose_for_striking_out().trim();
            if plain.is_empty() || PLACES.iter().any(|place| plain.starts_with(place)) || is_starred(plain) {
                continue;
            }
            let written = forms(plain).into_iter().find(|form| !places(text, form).is_empty());
            let written = written.ok_or("a password that is written in several parts or with escapes")?;
            by_stars.insert(stars(&written), Secret::new(written));
        }
        Ok(Self { by_stars })
    }

    /// The text with stars.
    pub(super) fn put_on(&self, text: &str) -> String {
        let mut covered = text.to_owned();
        for (stars, secret) in self.longest_first() {
            let written = secret.expose_for_striking_out();
            for at in places(&covered, written).into_iter().rev() {
                covered.replace_range(at..at.saturating_add(written.len()), stars);
            }
        }
        covered
    }

    /// The text without them; none where some stand for no secret of this text.
    pub(super) fn taken_off(&self, text: &str) -> Option<String> {
        let mut plain = String::with_capacity(text.len());
        let mut rest = text;
        while let Some((before, behind)) = rest.split_once(STARS) {
            let sign: String = behind.chars().take_while(char::is_ascii_hexdigit).take(SIGN_CHARS).collect();
            let secret = self.by_stars.get(&format!("{STARS}{sign}"))?;
            plain.push_str(before);
            plain.push_str(secret.expose_for_striking_out());
            rest = behind.get(sign.len()..)?;
        }
        plain.push_str(rest);
        Some(plain)
    }

    /// A message that may quote one.
    pub(super) fn struck_out(&self, message: &str) -> String {
        let mut struck = message.to_owned();
        for (_, secret) in self.longest_first() {
            // A letter is no secret worth a message that nobody can read.
            if secret.expose_for_striking_out().chars().count() > 3 {
                struck = struck.replace(secret.expose_for_striking_out(), STARS);
            }
        }
        struck
    }

    /// One that is a part of another is not taken for it.
    fn longest_first(&self) -> Vec<(&String, &Secret)> {
        let mut all: Vec<_> = self.by_stars.iter().collect();
        all.sort_by_key(|(_, secret)| std::cmp::Reverse(secret.expose_for_striking_out().len()));
        all
    }
}

fn is_starred(text: &str) -> bool {
    text.starts_with(STARS)
}

fn stars(written: &str) -> String {
    static KEY: LazyLock<[u8; 32]> = LazyLock::new(|| {
        let mut key = [0; 32];
        // Without it the engine would have no certificates either.
        getrandom::fill(&mut key)
            .expect("the system has random numbers, or the engine would not have started");
        key
    });
    let hash = blake3::keyed_hash(&KEY, written.as_bytes()).to_hex();
    format!("{STARS}{}", hash.as_str().get(..SIGN_CHARS).unwrap_or_default())
}

/// How a value may stand in XML and in TOML.
fn forms(plain: &str) -> Vec<String> {
    let xml = plain.replace('&', "&amp;").replace('<', "&lt;");
    let mut forms = vec![plain.to_owned(), xml.replace('>', "&gt;"), xml];
    forms.push(plain.replace('\\', "\\\\").replace('"', "\\\""));
    forms.dedup();
    forms
}

/// Where it stands as a whole value: between tags, or between quotes.
fn places(text: &str, written: &str) -> Vec<usize> {
    let is_value = |at: &usize| {
        let before = text.get(..*at).unwrap_or_default();
        let behind = text.get(at.saturating_add(written.len())..).unwrap_or_default();
        let in_tags = before.trim_end().ends_with('>') && behind.trim_start().starts_with('<');
        let in_quotes = |quote: char| before.ends_with(quote) && behind.starts_with(quote);
        in_tags || in_quotes('"') || in_quotes('\'')
    };
    text.match_indices(written).map(|(at, _)| at).filter(is_value).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secrets(all: &[&str]) -> Vec<Secret> {
        all.iter().map(|secret| Secret::new(*secret)).collect()
    }

    #[test]
    fn stars_come_off_as_they_were_put_on() {
        let text = "<Root>\n  <SMTPPwd>\n a&amp;b1\n </SMTPPwd><To>1</To><x>a&amp;b12</x></Root>\n";
        let cover = Cover::of(text, &secrets(&["a&b1", "a&b12", "env:MAIL", ""])).unwrap();
        let covered = cover.put_on(text);
        assert!(!covered.contains("a&amp;b1") && covered.contains("<To>1</To>"), "{covered}");
        assert_eq!(covered.matches(STARS).count(), 2);
        assert_eq!(cover.taken_off(&covered).unwrap(), text);
        // What is written around them is another text, and a secret that is written anew stands as it is.
        let edited = covered.replace("<To>1</To>", "<To>2</To>").replace("<x>", "<!-- why --><x>");
        let plain = cover.taken_off(&edited).unwrap();
        assert_eq!(plain, text.replace("<To>1</To>", "<To>2</To>").replace("<x>", "<!-- why --><x>"));
    }

    #[test]
    fn short_ones_are_covered_where_they_are_values_alone() {
        let text = "name = \"a1\"\nsecret = '1'\nport = 11\n";
        let cover = Cover::of(text, &secrets(&["1"])).unwrap();
        let covered = cover.put_on(text);
        assert!(covered.contains("\"a1\"") && covered.contains("port = 11") && !covered.contains("'1'"));
        assert_eq!(cover.taken_off(&covered).unwrap(), text);
    }

    #[test]
    fn what_is_not_found_is_not_shown_and_stars_of_nothing_come_not_off() {
        assert!(Cover::of("secret = \"a\\u0062c\"\n", &secrets(&["abc"])).is_err());
        assert!(Cover::of("<p><![CDATA[abc]]></p>", &secrets(&["abc"])).is_err());
        let cover = Cover::of("secret = \"abc\"\n", &secrets(&["abc"])).unwrap();
        assert_eq!(cover.taken_off("secret = \"••••••000000000000\"\n"), None);
        assert_eq!(cover.taken_off("secret = \"••••••\"\n"), None);
        assert_eq!(
            cover.struck_out("`abcd` is no address, abc neither"),
            "`abcd` is no address, abc neither"
        );
    }
}
