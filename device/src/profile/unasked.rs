//! Lines that come unasked, such as log lines on a console, within what a device has sent.

use std::ops::Range;

use super::Kind;

/// Bytes of an end in which lines are looked for that came last.
const NEAR_END_BYTES: usize = 8 * 1024;

impl Kind {
    /// An answer without the lines that came unasked, also where one came within a line; and these lines.
    pub(crate) fn without_unasked(&self, answer: Vec<u8>) -> (Vec<u8>, Vec<u8>) {
        let unasked = self.unasked_in(&answer);
        if unasked.is_empty() {
            return (answer, Vec::new());
        }
        let lifted = unasked.iter().filter_map(|span| answer.get(span.clone())).collect::<Vec<_>>().concat();
        (replaced(&answer, &unasked, |_| b""), lifted)
    }

    /// The lines that came unasked within the echo of a command.
    pub(crate) fn lifted_from_echo(&self, echo: &[u8]) -> Vec<u8> {
        let spans = self.unasked_in_echo(echo);
        spans.iter().filter_map(|span| echo.get(span.clone())).collect::<Vec<_>>().concat()
    }

    /// Where such lines stand: the command may have been echoed up to anywhere when they came.
    pub(crate) fn unasked_in_echo(&self, echo: &[u8]) -> Vec<Range<usize>> {
        self.spans(echo, true)
    }

    /// Where lines stand that came unasked, in order.
    pub(crate) fn unasked_in(&self, bytes: &[u8]) -> Vec<Range<usize>> {
        self.spans(bytes, false)
    }

    fn spans(&self, bytes: &[u8], is_echo: bool) -> Vec<Range<usize>> {
        let unasked = if is_echo { &self.unasked_within } else { &self.unasked };
        if unasked.is_empty() {
            return Vec::new();
        }
        let begins = unasked.iter().flat_map(|unasked| unasked.find_iter(bytes));
        let mut begins: Vec<(usize, usize)> = begins.map(|found| (found.start(), found.end())).collect();
        begins.extend(self.drawn_unasked(bytes));
        let mut spans: Vec<Range<usize>> = begins
            .into_iter()
            .map(|(begin, end)| {
                let rest = bytes.get(end..).unwrap_or_default();
                let line_end = memchr::memchr(b'\n', rest).map_or(rest.len(), |at| at.saturating_add(1));
                stump_of(bytes, begin)..end.saturating_add(line_end)
            })
            .collect();
        spans.sort_unstable_by_key(|span| span.start);
        let mut end = 0;
        spans.retain(|span| {
            let is_new = span.start >= end;
            end = end.max(span.end);
            is_new
        });
        spans
    }

    /// Some bytes without the lines at their end that came unasked, and without the line end before them; none where there are no such lines.
    pub(crate) fn before_unasked<'b>(&self, bytes: &'b [u8]) -> Option<&'b [u8]> {
        let is_blank = |bytes: &[u8]| bytes.iter().all(|byte| *byte <= b' ');
        let from = bytes.len().saturating_sub(NEAR_END_BYTES);
        let near = bytes.get(from..)?;
        let mut end = near.len();
        for span in self.unasked_in(near).iter().rev() {
            if !is_blank(near.get(span.end..end)?) {
                break;
            }
            end = span.start;
        }
        let before = near.get(..end).filter(|_| end < near.len())?;
        let line_end = before.iter().rev().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
        bytes.get(..from.saturating_add(before.len()).saturating_sub(line_end))
    }

    /// Whether a line came unasked.
    pub(crate) fn is_unasked(&self, line: &[u8]) -> bool {
        !self.unasked_in(line).is_empty()
    }

    /// Where such lines stand, and where they end, that are known only without their colours, or behind a return or a prompt: vtysh wipes its
    /// prompt and draws a log line in colours, Osmocom's nodes end a line with a return behind its feed, and log at the prompt.
    fn drawn_unasked(&self, bytes: &[u8]) -> Vec<(usize, usize)> {
        let (mut found, mut begin) = (Vec::new(), 0_usize);
        for line in bytes.split_inclusive(|byte| *byte == b'\n') {
            let at = begin;
            begin = begin.saturating_add(line.len());
            let line = line.trim_ascii_end();
            if memchr::memchr3(b'\r', 0x08, 0x1b, line).is_none() && behind_prompt(line).is_none() {
                continue;
            }
            let mut from = 0_usize;
            // Returns, and what wipes the line of a pager.
            for piece in line.split(|byte| matches!(byte, b'\r' | 0x08)) {
                let place = at.saturating_add(from);
                from = from.saturating_add(piece.len()).saturating_add(1);
                if let Some(begin) = self.described(&Shown::of(piece)) {
                    found.push((place.saturating_add(begin), place.saturating_add(piece.len())));
                    break;
                }
            }
        }
        found
    }

    /// Where something stands in a line that came unasked, at its beginning or behind a prompt.
    fn described(&self, line: &Shown) -> Option<usize> {
        let begins = [Some(0), behind_prompt(&line.bytes)];
        begins.into_iter().flatten().find_map(|begin| {
            let rest = line.bytes.get(begin..)?;
            let found = self.unasked.iter().find_map(|unasked| unasked.find(rest))?;
            Some(line.begin_of(begin.saturating_add(found.start())))
        })
    }
}

/// Bytes of a line in which a prompt may stand before something else.
const PROMPT_BYTES_MAX: usize = 64;

/// Where a line goes on behind what may be a prompt, which has no blank in it but before its mark: `~ # `.
fn behind_prompt(line: &[u8]) -> Option<usize> {
    let head = line.get(..line.len().min(PROMPT_BYTES_MAX))?;
    let end = head.iter().position(|byte| matches!(byte, b'#' | b'>' | b'$' | b'%'))?;
    let name = head.get(..end).map(|name| name.strip_suffix(b" ").unwrap_or(name))?;
    if name.iter().any(|byte| *byte <= b' ') {
        return None;
    }
    let begin = end.saturating_add(1);
    let blank = usize::from(line.get(begin) == Some(&b' '));
    Some(begin.saturating_add(blank)).filter(|begin| *begin < line.len())
}

/// Some bytes without the codes for colours and for wiping a line.
struct Shown {
    bytes: Vec<u8>,
    /// Where each byte begins: with the colours before it, and not with what wipes the line for it.
    begins: Vec<usize>,
}

impl Shown {
    fn of(piece: &[u8]) -> Self {
        let mut shown =
            Self { bytes: Vec::with_capacity(piece.len()), begins: Vec::with_capacity(piece.len()) };
        let (mut at, mut coloured) = (0, None);
        while let Some((byte, _)) = piece.get(at..).and_then(<[u8]>::split_first) {
            let code = code(piece.get(at..).unwrap_or_default());
            match code {
                Some((b'm', _)) => coloured = coloured.or(Some(at)),
                Some(_) => coloured = None,
                None => {
                    shown.bytes.push(*byte);
                    shown.begins.push(coloured.take().unwrap_or(at));
                }
            }
            at = at.saturating_add(code.map_or(1, |(_, length)| length));
        }
        shown
    }

    fn begin_of(&self, byte: usize) -> usize {
        self.begins.get(byte).copied().unwrap_or_default()
    }
}

/// What a code for colours, or for wiping, at the beginning of some bytes ends with, and its length.
fn code(rest: &[u8]) -> Option<(u8, usize)> {
    let parameters = rest.strip_prefix(b"\x1b[")?;
    let length = parameters.iter().position(|byte| !byte.is_ascii_digit() && *byte != b';')?;
    let last = *parameters.get(length)?;
    matches!(last, b'm' | b'K').then_some((last, length.saturating_add(3)))
}

/// Some bytes with others in place of spans of them, which are in order; by what, may hang on what stands between a span and the one before.
pub(crate) fn replaced(bytes: &[u8], spans: &[Range<usize>], by: fn(&[u8]) -> &'static [u8]) -> Vec<u8> {
    let (mut clean, mut from) = (Vec::with_capacity(bytes.len()), 0);
    for span in spans {
        let before = bytes.get(from..span.start).unwrap_or_default();
        clean.extend_from_slice(before);
        clean.extend_from_slice(by(before));
        from = span.end;
    }
    clean.extend_from_slice(bytes.get(from..).unwrap_or_default());
    clean
}

/// Where a line that came unasked begins: with the number that stands before it, where nothing else does. That one has a colon behind it
/// (`000123: *Mar`): digits without one are the end of an answer into which a kernel wrote, or were typed.
fn stump_of(answer: &[u8], start: usize) -> usize {
    let before = answer.get(..start).unwrap_or_default();
    let line = memchr::memrchr(b'\n', before).map_or(0, |at| at.saturating_add(1));
    let is_stump = |byte: &u8| byte.is_ascii_digit() || matches!(byte, b':' | b' ' | b'.' | b'*' | b'\r');
    let is_number = |stump: &[u8]| !stump.iter().any(u8::is_ascii_digit) || stump.contains(&b':');
    if before.get(line..).is_some_and(|stump| stump.iter().all(is_stump) && is_number(stump)) {
        line
    } else {
        start
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::Profiles;

    fn lifted(profile: &str, text: &str) -> (String, String) {
        let kind = Kind::new(Profiles::shipped().get(profile).unwrap()).unwrap();
        let (left, lifted) = kind.without_unasked(text.as_bytes().to_vec());
        (String::from_utf8(left).unwrap(), String::from_utf8(lifted).unwrap())
    }

    #[test]
    fn lines_behind_a_prompt_came_unasked_too() {
        for prompt in ["~ # ", "pi@raspberrypi:~ $ ", "root@lab:~# ", "r1#"] {
            let text = format!("1\r\n{prompt}[   12.000013] eth0: link up\r\n{prompt}");
            assert_eq!(lifted("linux", &text).0, format!("1\r\n{prompt}{prompt}"));
        }
    }

    #[test]
    fn a_number_that_is_the_answer_stays_before_what_the_kernel_writes_behind_it() {
        let said = "52\r\n168[   12.000013] eth0: link up\r\n\r\n";
        assert_eq!(lifted("linux", said).0, "52\r\n168\r\n");
        let numbered = "up\r\n000123: *Mar  1 00:10:01.123: %LINK-3-UPDOWN: Interface Gi0/1, changed state to up\r\nend\r\n";
        assert_eq!(lifted("ios", numbered).0, "up\r\nend\r\n");
    }

    #[test]
    fn lines_in_colours_and_behind_returns_came_unasked_too() {
        let drawn = "one\r\nr1# \r          \r\x1b[48;5;58m\x1b[38;5;247m2026-11-30 10:29:08.230 [\x1b[38;5;222mWARN\x1b[38;5;247m] \
                     \x1b[38;5;255mzebra\x1b[38;5;247m: \x1b[38;5;251mgone\x1b[K\x1b[m\r\nr1# ";
        let (left, log) = lifted("frr", drawn);
        assert_eq!(left, "one\r\nr1# \r          \rr1# ");
        assert!(log.starts_with("\x1b[48;5;58m") && log.ends_with("\x1b[m\r\n"), "{log:?}");

        // What wipes a pager's line stays.
        let wiped = " --More-- \r\x1b[K*Mar  1 00:10:01.123: %LINK-3-UPDOWN: Interface Gi0/1, changed state to up\r\n$ x";
        assert_eq!(lifted("ios", wiped).0, " --More-- \r\x1b[K$ x");

        let wiped = "\x08\x08\x08   \x08\x08\x08<0013> lu.c:1 one\r\n!\r\n";
        assert_eq!(lifted("osmocom", wiped).0, "\x08\x08\x08   \x08\x08\x08!\r\n");

        let (left, log) = lifted("osmocom", "\r<0013> lu.c:1 one\n\r<0013> lu.c:2 two\n\rlist\r\n  help\r\n");
        assert_eq!(
            (left.as_str(), log.as_str()),
            ("\rlist\r\n  help\r\n", "\r<0013> lu.c:1 one\n\r<0013> lu.c:2 two\n")
        );
        let (left, log) = lifted("osmocom", "OsmoHLR# \r\nOsmoHLR# <0013> lu.c:1 one\n\rOsmoHLR# ");
        assert_eq!(
            (left.as_str(), log.as_str()),
            ("OsmoHLR# \r\nOsmoHLR# \rOsmoHLR# ", "<0013> lu.c:1 one\n")
        );
        let kind = Kind::new(Profiles::shipped().get("osmocom").unwrap()).unwrap();
        assert_eq!(
            kind.lifted_from_echo(b"subscri<0013> lu.c:1 one\n\rber id 7 show\r\n"),
            b"<0013> lu.c:1 one\n"
        );
        assert_eq!(lifted("osmocom", "a <0013> in a text\r\n\x1b[1mloud\x1b[m\r\n").1, "");
    }
}
