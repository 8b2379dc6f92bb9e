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

/// Bytes of the beginning of an answer in which its echo is looked for, beside those of the command itself: devices that draw their line anew
/// at each key send a hundred for one.
const ECHO_BYTES_MAX: usize = 4 * 1024;
const ECHO_BYTES_A_LETTER: usize = 256;
/// Lines over which an echo may be wrapped, and empty ones before it.
const ECHO_LINES_MAX: usize = 16;
/// Letters of a command's end that must be seen in an echo that a device has scrolled sideways.
const SCROLLED_ECHO_BYTES_MIN: usize = 8;

/// Where the echo of a command ends, its line end included; none where the first line is not its echo, or has not ended.
pub(crate) fn echo_end(answer: &[u8], command: &str, prompt: &str, encoding: Encoding) -> Option<usize> {
    if let Some(rest) = answer.strip_prefix(command.as_bytes()) {
        let line_end = [&b"\r\n"[..], b"\n", b"\r\r\n"].into_iter().find(|end| rest.starts_with(end));
        if let Some(line_end) = line_end {
            return Some(command.len().saturating_add(line_end.len()));
        }
    }
    let head = answer.get(..answer.len().min(echo_bytes_max(command))).unwrap_or_default();
    let wanted = visible(command);
    let with_prompt = visible(prompt) + &wanted;
    let (mut shown, mut first_line) = (String::new(), true);
    for (line, end) in Canvas::of(head, encoding).ended_lines().take(ECHO_LINES_MAX) {
        shown.push_str(&visible(&line));
        if shown.is_empty() {
            continue;
        }
        if shown == wanted || shown == with_prompt {
            return Some(end);
        }
        if std::mem::take(&mut first_line) {
            let raw = head.get(..end)?;
            if is_scrolled_echo(raw, &shown, &wanted) || is_wrapped_echo(raw, &wanted, &with_prompt) {
                return Some(end);
            }
        }
        // A long command is wrapped, with spaces and codes of the device's own.
        if !wanted.starts_with(&shown) && !with_prompt.starts_with(&shown) {
            return None;
        }
    }
    None
}

/// Bytes of the beginning of an answer in which its echo may stand.
pub(crate) fn echo_bytes_max(command: &str) -> usize {
    ECHO_BYTES_MAX.saturating_add(command.len().saturating_mul(ECHO_BYTES_A_LETTER))
}

/// The echo of a command where something came before it: it stands behind the prompt that was drawn again. Where its line begins, and where
/// it ends.
pub(crate) fn late_echo(
    answer: &[u8],
    command: &str,
    prompt: &str,
    encoding: Encoding,
) -> Option<(usize, usize)> {
    let prompt = prompt.trim_end();
    if prompt.is_empty() {
        return None;
    }
    memchr::memmem::find_iter(answer, prompt.as_bytes()).find_map(|at| {
        let before = answer.get(..at)?;
        let begins_line = matches!(before.last(), None | Some(b'\n' | b'\r' | 0x08 | b'm' | b'K'));
        let rest = answer.get(at.saturating_add(prompt.len())..)?;
        let end = echo_end(rest, command, prompt, encoding).filter(|_| begins_line)?;
        Some((at, at.saturating_add(prompt.len()).saturating_add(end)))
    })
}

/// What can be seen of a text: a device wraps a long command with spaces of its own.
fn visible(text: &str) -> String {
    text.chars().filter(|letter| !letter.is_whitespace() && !letter.is_control()).collect()
}

/// A device that takes the terminal for a narrower one begins the next row of a long command with a blank and CR: on ours it draws over the
/// first.
fn is_wrapped_echo(raw: &[u8], wanted: &str, with_prompt: &str) -> bool {
    let shown = visible(&String::from_utf8_lossy(raw));
    memchr::memchr(b'\r', raw).is_some() && (shown == wanted || shown == with_prompt)
}

/// A device moves a long line sideways as it is typed: what the line shows in the end is the end of the command.
fn is_scrolled_echo(raw: &[u8], shown: &str, wanted: &str) -> bool {
    let raw = raw.strip_suffix(b"\n").unwrap_or(raw);
    if memchr::memchr3(b'\r', 0x08, 0x1b, raw.strip_suffix(b"\r").unwrap_or(raw)).is_none() {
        return false;
    }
    let common = shown.chars().rev().zip(wanted.chars().rev()).take_while(|(a, b)| a == b).count();
    common > 0 && common >= SCROLLED_ECHO_BYTES_MIN.min(wanted.chars().count())
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
    if wiped.starts_with(b"\n") && bytes.starts_with(b"\r\n") {
        wiped.get(1..).unwrap_or_default()
    } else {
        wiped
    }
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
    fn the_echo_goes_and_the_answer_stays() {
        for (answer, command, rest) in [
            (&b"show version\r\nFRR 8\r\n"[..], "show version", Some(&b"FRR 8\r\n"[..])),
            (b"show ver \rsion\r\nFRR 8\r\n", "show version", Some(b"FRR 8\r\n")),
            (b"show ver \r<ion\r\nx", "show version", None),
            (b"ping 10.0.0.1 re\r\npeat 5\r\nok", "ping 10.0.0.1 repeat 5", Some(b"ok")),
            (b"show\r\n", "show", Some(b"")),
            (b"show", "show", None),
            (b"\x1b[Kshow\r\nx", "show", Some(b"x")),
            (b"shower\r\nx", "show", None),
            (b"no echo here", "show", None),
            (
                b"ip route 10.0\x08\x08\x08\x08\x08$e 10.0.0.0 255.0.0.0\r\nok",
                "ip route 10.0.0.0 255.0.0.0",
                Some(b"ok"),
            ),
            (b"sh\r$ow version\r\nok", "show version", Some(b"ok")),
            (b"a line\rthat is drawn twice\r\nok", "show version", None),
            (b"\rr1# s\rr1# sh\rr1# show\r\nx", "show", Some(b"x")),
            (b"\r\nshow\r\nx", "show", Some(b"x")),
        ] {
            let end = echo_end(answer, command, "r1# ", Encoding::UTF_8);
            assert_eq!(end.map(|end| &answer[end..]), rest, "{}", answer.escape_ascii());
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
            echo_end(&bytes, "show version", "r1#", Encoding::UTF_8);
            without_pager_wipe(&bytes);
        }
    }
}
