//! An answer as people see it, from what a device sent for it.

use jackfield_config::profile::Encoding;

use super::drawn::{self, Canvas, after_escape};

/// Text without terminal codes, with lines ended by LF alone: what a terminal would show.
pub(crate) fn text(bytes: &[u8], encoding: Encoding) -> String {
    if drawn::goes_up(bytes) {
        return Canvas::of(bytes, encoding).lines().collect::<Vec<_>>().join("\n");
    }
    let mut done: Vec<u8> = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    let mut odd = Odd::first_of(rest);
    while !rest.is_empty() {
        let from = done.len();
        rest = plain_lines(rest, &mut odd, &mut done);
        if !encoding.is_utf8() {
            let plain = encoding.text(done.get(from..).unwrap_or_default()).into_owned();
            done.truncate(from);
            done.extend_from_slice(plain.as_bytes());
        }
        let end = memchr::memchr(b'\n', rest).map_or(rest.len(), |end| end.saturating_add(1));
        let (line, after) = rest.split_at_checked(end).unwrap_or((rest, &[]));
        let lines: Vec<String> = Canvas::of(line, encoding).lines().collect();
        done.extend_from_slice(lines.join("\n").as_bytes());
        rest = after;
    }
    String::from_utf8(done).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}

/// The next byte that does more than stand in its line: a backspace, a bell, a code of the terminal, or nothing at all.
struct Odd {
    /// Bytes from it to the end of the text; 0 where there is none.
    left: usize,
}

impl Odd {
    fn first_of(rest: &[u8]) -> Self {
        let code = memchr::memchr3(0x1b, 0x08, 0, rest).unwrap_or(rest.len());
        let at = memchr::memchr(7, rest.get(..code).unwrap_or_default()).unwrap_or(code);
        Self { left: rest.len().saturating_sub(at) }
    }

    /// Whether it stands among the first bytes of what is left of the text. Looked for anew only when it is behind us.
    fn is_within(&mut self, bytes: usize, rest: &[u8]) -> bool {
        if self.left > rest.len() {
            *self = Self::first_of(rest);
        }
        rest.len().saturating_sub(self.left) < bytes
    }
}

/// Takes the lines up to the first that draws, which are nearly all there are; gives what is left.
fn plain_lines<'b>(bytes: &'b [u8], odd: &mut Odd, done: &mut Vec<u8>) -> &'b [u8] {
    let mut rest = bytes;
    while let Some(end) = memchr::memchr2(b'\n', b'\r', rest) {
        let (line, after) = rest.split_at_checked(end).unwrap_or((rest, &[]));
        let next = after.strip_prefix(b"\r\n").or_else(|| after.strip_prefix(b"\n"));
        let Some(next) = next.filter(|_| !odd.is_within(end, rest)) else { break };
        done.extend_from_slice(line);
        done.push(b'\n');
        rest = next;
    }
    rest
}

/// A line without the terminal codes at its end.
pub(crate) fn without_codes_behind(line: &[u8]) -> &[u8] {
    let mut shown = line;
    while let Some(at) = memchr::memrchr(0x1b, shown) {
        let code = shown.get(at.saturating_add(1)..).unwrap_or_default();
        if !after_escape(code).is_empty() {
            break;
        }
        shown = shown.get(..at).unwrap_or_default();
    }
    shown
}

/// The beginning of a terminal code whose end has not come yet.
pub(crate) fn unfinished_code(bytes: &[u8]) -> &[u8] {
    let Some(at) = memchr::memrchr(0x1b, bytes) else { return &[] };
    let code = bytes.get(at..).unwrap_or_default();
    let is_open = match code.get(1..) {
        Some([b'[', body @ ..]) => !body.iter().any(|byte| (0x40..=0x7e).contains(byte)),
        Some(body) => body.is_empty(),
        None => true,
    };
    if is_open { code } else { &[] }
}

/// Takes off what a device sends to wipe its pager's line.
pub(crate) fn without_pager_wipe(bytes: &[u8]) -> &[u8] {
    let mut rest = bytes;
    let mut wiped = bytes;
    while let Some((&byte, after)) = rest.split_first() {
        match byte {
            0x08 | b'\r' => {
                rest = after;
                // The end of the pager's own line is not the end of a line of the answer.
                wiped = rest;
            }
            // A space may be one of the next line's; a zero fills time on slow terminals, and shows nothing.
            b' ' | 0 => rest = after,
            0x1b => {
                rest = after_escape(after);
                wiped = rest;
            }
            _ => break,
        }
    }
    // The blank behind a pager may come with the end of its line.
    let is_ended = bytes.iter().position(|byte| !matches!(byte, b' ' | 0));
    let is_ended = is_ended.and_then(|at| bytes.get(at..)).is_some_and(|rest| rest.starts_with(b"\r\n"));
    if wiped.starts_with(b"\n") && is_ended { wiped.get(1..).unwrap_or_default() } else { wiped }
}

/// Whether some bytes begin with what wipes a pager's line, or ends it.
pub(crate) fn wipes(bytes: &[u8]) -> bool {
    let first = bytes.iter().find(|byte| !matches!(byte, b' ' | 0));
    matches!(first, None | Some(0x08 | b'\r' | b'\n' | 0x1b))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_screen_is_understood() {
        for (sent, shown) in [
            (&b"a\r\nb\r\n"[..], "a\nb\n"),
            (b"\x1b[?2004l\r\x1b[01;32mgreen\x1b[0m", "green"),
            (b"abc\x08\x08XY", "aXY"),
            (b"loading 1%\rloading 99%\r\n", "loading 99%\n"),
            (b"\x1b]0;title\x07text", "text"),
            (b"caf\xc3\xa9 \xff", "café \u{fffd}"),
        ] {
            assert_eq!(text(sent, Encoding::UTF_8), shown, "{sent:?}");
        }
    }

    #[test]
    fn codes_behind_a_prompt_are_no_part_of_it() {
        for (line, shown) in [
            (&b"~ # \x1b[6n"[..], &b"~ # "[..]),
            (b"\x1b[1mr1#\x1b[0m\x1b[K", b"\x1b[1mr1#"),
            (b"\x1b[1mr1#\x1b[0m ", b"\x1b[1mr1#\x1b[0m "),
            (b"r1#", b"r1#"),
            (b"\x1b[K", b""),
        ] {
            assert_eq!(without_codes_behind(line), shown, "{line:?}");
        }
    }

    #[test]
    fn a_pager_leaves_no_trace() {
        for (sent, left) in [
            (&b"\x08\x08\x08   \x08\x08\x08next"[..], &b"next"[..]),
            (b"\r          \r  indented", b"  indented"),
            (b" \0\x08\x08\x08   \x08\x08\x08next", b"next"),
            (b"\x1b[2K\rnext", b"next"),
            (b"  indented", b"  indented"),
            (b"\r\nnext", b"next"),
        ] {
            assert_eq!(without_pager_wipe(sent), left, "{sent:?}");
        }
    }

    /// Any byte; those that mean something, often.
    fn strange() -> impl Strategy<Value = u8> {
        prop_oneof![any::<u8>(), proptest::sample::select(b"ab\r\n\r\n\x08\x07\x1b[K;0".to_vec())]
    }

    proptest! {
        #[test]
        fn no_bytes_are_too_strange(bytes in proptest::collection::vec(strange(), 0..200)) {
            let shown = text(&bytes, Encoding::UTF_8);
            prop_assert!(!shown.bytes().any(|byte| matches!(byte, b'\r' | 8 | 0x1b)));
            let drawn = Canvas::of(&bytes, Encoding::UTF_8).lines().collect::<Vec<_>>().join("\n");
            prop_assert_eq!(&shown, &drawn, "the quick way shows something else");
            without_pager_wipe(&bytes);
        }
    }
}
