//! The parts of an answer: its pages, and what stands between questions.

use regex_automata::meta::Regex;

use super::clean;

/// An answer that comes in parts.
#[derive(Debug, Default)]
pub(super) struct Parts {
    bytes: Vec<u8>,
    /// The text of the pager that was answered last, until it is seen to be wiped.
    pager: Option<Vec<u8>>,
    /// Pages so far.
    pub(super) pages: u32,
}

impl Parts {
    /// Takes a part in, from the byte at which its text begins.
    pub(super) fn add(&mut self, mut part: Vec<u8>, text: usize) {
        match self.pager.take() {
            // A large answer is kept, not copied.
            None if self.bytes.is_empty() => {
                part.drain(..text.min(part.len()));
                self.bytes = part;
            }
            None => self.bytes.extend_from_slice(part.get(text..).unwrap_or_default()),
            Some(_) if clean::wipes(&part) => self.bytes.extend_from_slice(clean::without_pager_wipe(&part)),
            // What looked like a pager was a text of the answer.
            Some(pager) => {
                self.bytes.extend_from_slice(&pager);
                self.bytes.extend_from_slice(&part);
            }
        }
    }

    /// Takes a page in, up to the byte at which its pager begins.
    pub(super) fn turn(&mut self, mut page: Vec<u8>, text: usize, pager: usize) {
        self.pages = self.pages.saturating_add(1);
        let shown = page.split_off(pager.min(page.len()));
        self.add(page, text);
        drop_pager_line(&mut self.bytes);
        self.pager = Some(shown);
    }

    /// The same where an empty line that went out with the command may have turned pages before it.
    pub(super) fn turn_all(&mut self, mut page: Vec<u8>, mut text: usize, mut pager: usize, more: &Regex) {
        loop {
            let shown = page.get(text..pager).unwrap_or_default();
            let found = more.find(shown).filter(|found| !found.is_empty());
            let Some(found) = found else { return self.turn(page, text, pager) };
            let before = shown.get(..found.start()).unwrap_or_default();
            let shown_end =
                before.iter().rposition(|byte| *byte != b' ').map_or(0, |at| at.saturating_add(1));
            let end = text.saturating_add(found.end());
            let rest = page.split_off(end);
            self.turn(page, text, text.saturating_add(shown_end));
            (page, text, pager) = (rest, 0, pager.saturating_sub(end));
        }
    }

    pub(super) fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Takes the whole lines out that so many bytes stand behind.
    pub(super) fn take_lines(&mut self, behind: usize) -> Vec<u8> {
        let rest = self.bytes.split_off(lines_before(&self.bytes, behind));
        std::mem::replace(&mut self.bytes, rest)
    }

    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }
}

/// Bytes of the whole lines that so many bytes stand behind; of a line that is longer than all that, its beginning up to a whole letter.
pub(super) fn lines_before(bytes: &[u8], behind: usize) -> usize {
    let most = bytes.len().saturating_sub(behind);
    let head = bytes.get(..most).unwrap_or_default();
    if let Some(end) = memchr::memrchr(b'\n', head) {
        return end.saturating_add(1);
    }
    // A byte of UTF-8 that begins no letter has this shape.
    head.iter().rposition(|byte| byte & 0xc0 != 0x80).unwrap_or(0)
}

/// Blanks before a pager on its own line belong to the pager.
fn drop_pager_line(answer: &mut Vec<u8>) {
    let line = memchr::memrchr(b'\n', answer).map_or(0, |at| at.saturating_add(1));
    if answer.get(line..).is_some_and(|line| line.iter().all(|byte| *byte == b' ')) {
        answer.truncate(line);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_that_were_turned_before_are_joined_too() {
        let more = Regex::new(" ?--More-- ?").unwrap();
        let mut parts = Parts::default();
        let page = b"show\r\n1\r\n --More-- \r         \r2\r\n --More-- ".to_vec();
        let pager = page.len() - 10;
        parts.turn_all(page, 6, pager, &more);
        parts.add(b"\r         \r3\r\n".to_vec(), 0);
        assert_eq!(parts.pages, 2);
        assert_eq!(parts.into_bytes(), b"1\r\n2\r\n3\r\n");
    }

    #[test]
    fn pages_are_joined_and_a_text_that_only_looks_like_a_pager_stays() {
        let mut parts = Parts::default();
        parts.turn(b"show\r\n1\r\n --More-- ".to_vec(), 6, 10);
        parts.turn(b"\r         \r2\r\n--More--".to_vec(), 0, 14);
        parts.add(b" is what a pager shows\r\n".to_vec(), 0);
        assert_eq!(parts.into_bytes(), b"1\r\n2\r\n--More-- is what a pager shows\r\n");
    }
}
