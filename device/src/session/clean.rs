//! What a terminal would show, from what a device sent.

/// Text without terminal codes, with lines ended by LF alone. Backspaces and returns do what they do on a screen.
pub(crate) fn text(bytes: &[u8]) -> String {
    let mut done: Vec<u8> = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    let mut odd = Odd::first_of(rest);
    while !rest.is_empty() {
        rest = plain_lines(rest, &mut odd, &mut done);
        rest = drawn_line(rest, &mut done);
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

/// Draws one line as a screen would, up to its end; gives what is left.
fn drawn_line<'b>(bytes: &'b [u8], done: &mut Vec<u8>) -> &'b [u8] {
    let mut line: Vec<u8> = Vec::new();
    let mut at = 0_usize;
    let mut rest = bytes;
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        match byte {
            0x1b => {
                rest = after_escape(after);
                let code = after.get(..after.len().saturating_sub(rest.len())).unwrap_or_default();
                if code.starts_with(b"[") && code.ends_with(b"K") {
                    line.truncate(at);
                }
            }
            b'\n' => {
                line.push(b'\n');
                break;
            }
            b'\r' => at = 0,
            0x08 => at = at.saturating_sub(1),
            0 | 7 => {}
            _ => {
                match line.get_mut(at) {
                    Some(place) => *place = byte,
                    None => line.push(byte),
                }
                at = at.saturating_add(1);
            }
        }
    }
    done.append(&mut line);
    rest
}

/// What follows a terminal code whose ESC was just taken: CSI, OSC, or two characters.
fn after_escape(bytes: &[u8]) -> &[u8] {
    match bytes.split_first() {
        Some((b'[', body)) => {
            let end = body.iter().position(|byte| (0x40..=0x7e).contains(byte));
            end.and_then(|end| body.get(end.saturating_add(1)..)).unwrap_or_default()
        }
        Some((b']', body)) => {
            let end = body.iter().position(|byte| matches!(*byte, 7 | 0x1b));
            let rest = end.and_then(|end| body.get(end.saturating_add(1)..)).unwrap_or_default();
            rest.strip_prefix(b"\\").unwrap_or(rest)
        }
        Some((b'(' | b')' | b'#', body)) => body.get(1..).unwrap_or_default(),
        Some((_, body)) => body,
        None => &[],
    }
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

/// Spaces at the beginning, where nothing but terminal codes follows them: the rest of a prompt that came in pieces.
pub(crate) fn rest_of_prompt(bytes: &[u8]) -> &[u8] {
    let end = bytes.iter().position(|byte| *byte != b' ').unwrap_or(bytes.len());
    match bytes.split_at_checked(end) {
        Some((spaces, [] | [0x1b, ..])) => spaces,
        _ => &[],
    }
}

/// The answer to a command: its echo taken off the front.
pub(crate) fn without_echo<'a>(answer: &'a [u8], command: &str) -> &'a [u8] {
    let mut wanted = command.bytes().filter(|byte| *byte > b' ').peekable();
    let mut rest = answer;
    // A long command is echoed with wraps, spaces and codes of the device's own: only what can be seen is compared.
    while let Some(next) = wanted.peek() {
        let Some((&byte, after)) = rest.split_first() else { return without_drawn_echo(answer, command) };
        match byte {
            0x1b => rest = after_escape(after),
            byte if byte <= b' ' => rest = after,
            byte if byte == *next => {
                wanted.next();
                rest = after;
            }
            _ => return without_drawn_echo(answer, command),
        }
    }
    let end_of_line = memchr::memchr(b'\n', rest);
    let tail = rest.get(..end_of_line.unwrap_or(rest.len())).unwrap_or_default();
    if !tail.iter().all(|byte| *byte <= b' ') {
        return without_drawn_echo(answer, command);
    }
    match end_of_line {
        Some(end) => rest.get(end.saturating_add(1)..).unwrap_or_default(),
        None => &[],
    }
}

/// Letters of a command's end that must be seen in an echo that a device has drawn: scrolled sideways, or again and again.
const DRAWN_ECHO_BYTES_MIN: usize = 8;

/// The same for a device that moves a long line sideways as it is typed: what its first line shows in the end is the end of the command.
fn without_drawn_echo<'a>(answer: &'a [u8], command: &str) -> &'a [u8] {
    let end = memchr::memchr(b'\n', answer);
    let (first, rest) = answer.split_at_checked(end.unwrap_or(answer.len())).unwrap_or((answer, &[]));
    if memchr::memchr3(b'\r', 0x08, 0x1b, first.strip_suffix(b"\r").unwrap_or(first)).is_none() {
        return answer;
    }
    let (shown, command) = (text(first), command.trim_end());
    let common =
        shown.trim_end().bytes().rev().zip(command.bytes().rev()).take_while(|(a, b)| a == b).count();
    if common < DRAWN_ECHO_BYTES_MIN.min(command.len()) || common == 0 {
        return answer;
    }
    rest.get(1..).unwrap_or_default()
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
            assert_eq!(text(sent), shown, "{sent:?}");
        }
    }

    #[test]
    fn the_echo_goes_and_the_answer_stays() {
        for (answer, command, rest) in [
            (&b"show version\r\nFRR 8\r\n"[..], "show version", &b"FRR 8\r\n"[..]),
            (b"show ver \r<ion\r\nx", "show version", b"show ver \r<ion\r\nx"),
            (b"ping 10.0.0.1 re\r\npeat 5\r\nok", "ping 10.0.0.1 repeat 5", b"ok"),
            (b"show\r\n", "show", b""),
            (b"\x1b[Kshow\r\nx", "show", b"x"),
            (b"shower\r\nx", "show", b"shower\r\nx"),
            (b"no echo here", "show", b"no echo here"),
            (
                b"ip route 10.0\x08\x08\x08\x08\x08$e 10.0.0.0 255.0.0.0\r\nok",
                "ip route 10.0.0.0 255.0.0.0",
                b"ok",
            ),
            (b"sh\r$ow version\r\nok", "show version", b"ok"),
            (b"a line\rthat is drawn twice\r\nok", "show version", b"a line\rthat is drawn twice\r\nok"),
        ] {
            assert_eq!(without_echo(answer, command), rest, "{command}");
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
            let shown = text(&bytes);
            prop_assert!(!shown.bytes().any(|byte| matches!(byte, b'\r' | 8 | 0x1b)));
            let mut drawn = Vec::new();
            let mut rest = bytes.as_slice();
            while !rest.is_empty() {
                rest = drawn_line(rest, &mut drawn);
            }
            prop_assert_eq!(&shown, &String::from_utf8_lossy(&drawn), "the quick way shows something else");
            without_echo(&bytes, "show version");
            without_pager_wipe(&bytes);
        }
    }
}
