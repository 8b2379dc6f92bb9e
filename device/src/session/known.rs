//! Prompts that were seen before.

use super::stand::Likeness;

/// Letters of a name at the beginning of a prompt; a shorter one begins other lines too.
const NAME_BYTES_MIN: usize = 2;

/// Prompts as a terminal shows them, the newest last.
#[derive(Clone, Debug, Default)]
pub(super) struct Known {
    prompts: Vec<String>,
    /// The lines above the last one that no profile describes.
    above: Vec<String>,
}

impl Known {
    /// Knows the lines above the last one.
    pub(super) fn learn_above(&mut self, lines: &[String]) {
        lines.clone_into(&mut self.above);
    }

    /// Whether some lines stand above the prompt that no profile describes.
    pub(super) fn has_lines_above(&self) -> bool {
        !self.above.is_empty()
    }

    /// Whether a line stands above the prompt.
    pub(super) fn is_above(&self, line: &str) -> bool {
        let line = line.trim();
        self.above.iter().any(|above| above == line || same_but_for_numbers(above, line))
    }

    /// Knows one more; the oldest is forgotten when there are too many. A known one that was drawn several times in its line, for empty lines
    /// that are not echoed, is that one.
    pub(super) fn learn(&mut self, prompt: &str, most: usize) {
        let drawn = self.prompts.iter().find(|known| is_drawn_again(prompt, known)).cloned();
        let prompt = drawn.as_deref().unwrap_or(prompt);
        if prompt.trim().is_empty() || self.prompts.last().is_some_and(|last| last == prompt) {
            return;
        }
        self.prompts.retain(|known| known.trim_end() != prompt.trim_end());
        if self.prompts.len() >= most {
            self.prompts.remove(0);
        }
        self.prompts.push(prompt.to_owned());
    }

    /// The one that was seen last.
    pub(super) fn last(&self) -> &str {
        self.prompts.last().map(String::as_str).unwrap_or_default()
    }

    /// A prompt that names the device and stands at the very end of some bytes, behind a line end; where it begins. The quick way, which
    /// draws nothing.
    pub(super) fn at_the_end(&self, bytes: &[u8]) -> Option<(usize, &str)> {
        self.prompts.iter().rev().find_map(|known| {
            let before = bytes.strip_suffix(known.as_bytes())?;
            let begins_line = before.ends_with(b"\n");
            (begins_line && names_something(known)).then_some((before.len(), known.as_str()))
        })
    }

    /// How well a line is known; none where nothing speaks for it.
    pub(super) fn likeness(&self, line: &str) -> Option<Likeness> {
        let (whole, line) = (line, line.trim());
        if let Some(known) = self.prompts.iter().find(|known| known.trim() == line) {
            // The blank behind it may still be on its way.
            let is_whole = whole.trim_start().len() >= known.trim_start().len();
            return Some(if is_whole && names_something(line) { Likeness::Named } else { Likeness::Bare });
        }
        if self.prompts.iter().any(|known| same_but_for_numbers(known.trim(), line)) {
            return Some(Likeness::Bare);
        }
        let is_sibling = |known: &String| {
            let name = name(without_marks(known));
            name.len() >= NAME_BYTES_MIN && without_marks(line).starts_with(name)
        };
        self.prompts.iter().any(is_sibling).then_some(Likeness::Sibling)
    }

    /// The prompt that stands at the very end of some bytes, whatever is before it, and where it begins. The blank behind one that names the
    /// device may still be on its way.
    pub(super) fn behind(&self, bytes: &[u8]) -> Option<(&str, usize)> {
        let shown = bytes.trim_ascii_end();
        let found = self.prompts.iter().filter_map(|known| {
            let (bytes, end) =
                if names_something(known) { (shown, known.trim_end()) } else { (bytes, known.as_str()) };
            Some((known.as_str(), bytes.strip_suffix(end.as_bytes())?.len()))
        });
        found.min_by_key(|(_, begin)| *begin)
    }

    /// Where a text ends before the prompt that is its last line; where the end of the text is not proven, also behind a line that was not ended.
    pub(super) fn before_last(&self, text: &str, is_proven: bool) -> Option<usize> {
        let begin = text.rfind('\n').map_or(0, |at| at.saturating_add(1));
        let line = text.get(begin..)?;
        if line.is_empty() {
            return None;
        }
        let ends = |text: &str| text.trim_end_matches([' ', '\n']).len();
        if self.prompts.iter().any(|known| known.trim() == line.trim()) {
            return Some(ends(text.get(..begin)?));
        }
        let before =
            self.prompts.iter().filter_map(|known| line.strip_suffix(known.trim_end())).map(str::len).min();
        let before = before.filter(|_| !is_proven)?;
        Some(ends(text.get(..begin.saturating_add(before))?))
    }

    /// Bytes at the end of some others that may be the beginning of a prompt which is still on its way.
    pub(super) fn begun(&self, bytes: &[u8]) -> usize {
        let line = memchr::memrchr(b'\n', bytes).map_or(0, |at| at.saturating_add(1));
        let line = bytes.get(line..).unwrap_or_default();
        // One that only lacks the blank behind it stands, and is no part of what comes next.
        let begins =
            |known: &String| known.trim_end().len() > line.len() && known.as_bytes().starts_with(line);
        if self.prompts.iter().any(begins) { line.len() } else { 0 }
    }

    /// Whether a line is one of them, or alike but for numbers.
    pub(super) fn has(&self, line: &str) -> bool {
        self.likeness(line).is_some_and(|likeness| likeness <= Likeness::Bare)
    }
}

/// Whether a line is a prompt more than once, one behind the other.
fn is_drawn_again(line: &str, prompt: &str) -> bool {
    let (mut rest, mut count) = (line.trim(), 0_usize);
    while let Some(more) = rest.strip_prefix(prompt.trim()).filter(|_| names_something(prompt)) {
        (rest, count) = (more.trim_start(), count.saturating_add(1));
    }
    count > 1 && rest.is_empty()
}

/// Signs before the name of the device that say that something is not saved, or not committed.
const MARKS: [char; 5] = ['*', '!', '+', '~', ' '];

fn without_marks(prompt: &str) -> &str {
    prompt.trim_start_matches(MARKS)
}

/// The name that a prompt begins with.
fn name(prompt: &str) -> &str {
    let named =
        |letter: char| letter.is_alphanumeric() || matches!(letter, '-' | '_' | '.' | '@' | ':' | '<' | '[');
    let end = prompt.find(|letter| !named(letter)).unwrap_or(prompt.len());
    prompt.get(..end).unwrap_or_default()
}

/// Whether a prompt says more than that it is one: no other line is taken for it by chance.
pub(super) fn names_something(prompt: &str) -> bool {
    prompt.chars().filter(|letter| letter.is_alphanumeric()).take(NAME_BYTES_MIN).count() >= NAME_BYTES_MIN
}

/// A clock or a count stands in some prompts.
pub(super) fn same_but_for_numbers(one: &str, other: &str) -> bool {
    let without = |text: &str| {
        let mut shape = String::with_capacity(text.len());
        for letter in text.chars() {
            if !letter.is_ascii_digit() {
                shape.push(letter);
            } else if !shape.ends_with('0') {
                shape.push('0');
            }
        }
        shape
    };
    let shape = without(one);
    shape.chars().any(|letter| letter != '0') && shape == without(other)
}

/// Whether a line looks like a prompt that names its device, and like no words.
pub(super) fn names_device(line: &str) -> bool {
    !line.contains(' ') && names_something(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_known_by_what_was_seen_before() {
        let mut known = Known::default();
        known.learn("r1# ", 4);
        known.learn("# ", 4);
        for (line, likeness) in [
            ("r1# ", Some(Likeness::Named)),
            ("r1#", Some(Likeness::Bare)),
            ("# ", Some(Likeness::Bare)),
            ("r1(config)# ", Some(Likeness::Sibling)),
            ("r2# ", Some(Likeness::Bare)),
            ("########", None),
            ("uplink>", None),
        ] {
            assert_eq!(known.likeness(line), likeness, "{line}");
        }
        known.learn("A:lab@pe1# ", 6);
        for changed in ["*A:lab@pe1# ", "A:lab@pe1>config# ", "!*A:lab@pe1# "] {
            assert_eq!(known.likeness(changed), Some(Likeness::Sibling), "{changed}");
        }
        assert_eq!(known.likeness("A: an answer"), None);
        known.learn("r1# r1#", 6);
        assert_eq!(known.last(), "r1# ");
        known.learn("> ", 6);
        known.learn(">> ", 6);
        assert_eq!(known.last(), ">> ");
        assert_eq!(known.behind(b"no line end r1# "), Some(("r1# ", 12)));
        assert_eq!(known.at_the_end(b"ok\r\nr1# "), Some((4, "r1# ")));
        assert_eq!(known.at_the_end(b"ok r1# "), None);
        assert_eq!(known.at_the_end(b"ok\r\n# "), None, "it says too little");
    }
}
