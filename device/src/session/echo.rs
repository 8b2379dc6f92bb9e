//! The echo of a command: what a device shows of it as it is typed. It is wrapped, scrolled sideways or drawn anew at each key, and lines that
//! come unasked stand in its middle; the answer begins behind it.

use std::ops::Range;

use jackfield_config::profile::Encoding;

use super::{drawn::Canvas, known::names_something};
use crate::profile::{Kind, replaced};

/// Bytes of the beginning of an answer in which its echo is looked for, beside those of the command itself: devices that draw their line anew
/// at each key send a hundred for one.
const ECHO_BYTES_MAX: usize = 4 * 1024;
const ECHO_BYTES_A_LETTER: usize = 256;
/// Lines over which an echo may go, with prompts that were drawn again and empty lines before it.
const ECHO_LINES_MAX: usize = 64;
/// Letters of a command's end that must be seen in an echo that a device has scrolled sideways.
const SCROLLED_ECHO_BYTES_MIN: usize = 8;

/// A command whose echo is looked for.
#[derive(Clone, Copy)]
pub(crate) struct Sought<'a> {
    pub(crate) command: &'a str,
    /// The prompt that it was typed at.
    pub(crate) prompt: &'a str,
    pub(crate) encoding: Encoding,
}

/// Bytes of the beginning of an answer in which its echo may stand.
pub(crate) fn echo_bytes_max(command: &str) -> usize {
    ECHO_BYTES_MAX.saturating_add(command.len().saturating_mul(ECHO_BYTES_A_LETTER))
}

impl Sought<'_> {
    /// The echo at the very beginning, where it stands in one piece.
    fn at_once(self, answer: &[u8]) -> Option<usize> {
        let rest = answer.strip_prefix(self.command.as_bytes())?;
        let end = line_end(rest)?;
        // One that goes back up to it draws it again.
        let is_plain = rest.get(end) != Some(&0x1b);
        is_plain.then_some(self.command.len().saturating_add(end))
    }

    /// Bytes of the same echo once more, behind the prompt: what is typed before a command line reads is echoed by its terminal, and again by
    /// itself.
    pub(crate) fn again(self, rest: &[u8]) -> usize {
        let prompt = self.prompt.trim_end();
        // Some go back to the beginning of the line before they draw it.
        let returns = rest.iter().take_while(|byte| **byte == b'\r').count();
        let line = rest.get(returns..).and_then(|rest| rest.strip_prefix(prompt.as_bytes()));
        let line = line.filter(|_| names_something(prompt));
        let typed = line.and_then(|line| line.trim_ascii_start().strip_prefix(self.command.as_bytes()));
        let end = typed.and_then(|rest| Some(rest.len().saturating_sub(line_end(rest)?)));
        end.map_or(0, |left| rest.len().saturating_sub(left))
    }

    /// Where the echo begins and ends, its line end included, where nothing stands before it but `passes`, such as prompts that were drawn
    /// again; lines of `unasked`, which are in order, do not count.
    pub(crate) fn at_the_beginning(
        self,
        answer: &[u8],
        unasked: &[Range<usize>],
        passes: impl Fn(&str) -> bool,
    ) -> Option<(usize, usize)> {
        if unasked.is_empty()
            && let Some(end) = self.at_once(answer)
        {
            let again = self.again(answer.get(end..).unwrap_or_default());
            return Some((0, end.saturating_add(again)));
        }
        let head = answer.get(..answer.len().min(echo_bytes_max(self.command))).unwrap_or_default();
        let gaps = Gaps::of(unasked, head.len());
        let clean = replaced(head, &gaps.0, |_| b"");
        let (begin, end) = self.in_lines(&clean, &gaps, passes)?;
        Some((gaps.before(begin), gaps.behind(end)))
    }

    fn in_lines(self, clean: &[u8], gaps: &Gaps, passes: impl Fn(&str) -> bool) -> Option<(usize, usize)> {
        let (wanted, prompt) = (visible(self.command), visible(self.prompt));
        let (mut typed, mut begin, mut from) = (String::new(), 0, 0);
        let mut found: Option<(usize, usize)> = None;
        for (line, end) in Canvas::of(clean, self.encoding).ended_lines().take(ECHO_LINES_MAX) {
            let (start, shown) = (std::mem::replace(&mut from, end), visible(&line));
            let at_prompt = shown.strip_prefix(&prompt).filter(|rest| wanted.starts_with(rest));
            if let Some((begin, ended)) = found {
                // Something came unasked before the line was ended, or the terminal echoed it first, and it was drawn again.
                let may_be_again = gaps.are_at(ended) || names_something(self.prompt.trim_end());
                let is_again = may_be_again && at_prompt == Some(wanted.as_str());
                return Some((begin, if is_again { end } else { ended }));
            }
            if typed.is_empty() {
                begin = start;
            }
            match at_prompt.filter(|rest| !rest.is_empty()) {
                Some(rest) => rest.clone_into(&mut typed),
                None if shown.is_empty() => continue,
                None if wanted.strip_prefix(&typed).is_some_and(|rest| rest.starts_with(&shown)) => {
                    typed.push_str(&shown);
                }
                None if typed.is_empty() && is_moved(clean.get(start..end)?, &shown, &wanted, &prompt) => {
                    typed.clone_from(&wanted);
                }
                None if typed.is_empty() && without(&shown, &prompt).as_deref() == Some(wanted.as_str()) => {
                    typed.clone_from(&wanted);
                }
                None if typed.is_empty() && passes(&line) => continue,
                None => return None,
            }
            found = (typed == wanted).then_some((begin, end));
        }
        found
    }

    /// The echo where anything came before it: it stands behind the prompt that was drawn again. Where its line begins, and where it ends.
    pub(crate) fn behind_prompt(self, answer: &[u8]) -> Option<(usize, usize)> {
        let prompt = self.prompt.trim_end();
        if prompt.is_empty() {
            return None;
        }
        memchr::memmem::find_iter(answer, prompt.as_bytes()).find_map(|at| {
            let before = answer.get(..at)?;
            let begins_line = matches!(before.last(), None | Some(b'\n' | b'\r' | 0x08 | b'm' | b'K'));
            let rest = answer.get(at.saturating_add(prompt.len())..)?;
            let end = end_of(rest, self).filter(|_| begins_line)?;
            Some((at, at.saturating_add(prompt.len()).saturating_add(end)))
        })
    }
}

/// Where the answer to a command begins, of which nothing else is known.
pub(crate) fn end_of(answer: &[u8], sought: Sought<'_>) -> Option<usize> {
    sought.at_the_beginning(answer, &[], |_| false).map(|(_, end)| end)
}

/// Lines that came unasked, in order; places in the text without them are told as places in the whole.
struct Gaps(Vec<Range<usize>>);

impl Gaps {
    fn of(unasked: &[Range<usize>], bytes: usize) -> Self {
        Self(unasked.iter().filter(|gap| gap.end <= bytes).cloned().collect())
    }

    /// The same place in the whole, behind lines that stand there.
    fn before(&self, place: usize) -> usize {
        self.0.iter().fold(place, |at, gap| if gap.start <= at { at.saturating_add(gap.len()) } else { at })
    }

    /// The same place in the whole, before lines that stand there.
    fn behind(&self, place: usize) -> usize {
        self.0.iter().fold(place, |at, gap| if gap.start < at { at.saturating_add(gap.len()) } else { at })
    }

    /// Whether some stand there.
    fn are_at(&self, place: usize) -> bool {
        self.before(place) > self.behind(place)
    }
}

/// What can be seen of a text: a device wraps a long command with spaces of its own.
pub(super) fn visible(text: &str) -> String {
    text.chars().filter(|letter| !letter.is_whitespace() && !letter.is_control()).collect()
}

/// What was typed where the prompt came late, and stands in its middle: the terminal echoes before the shell reads.
fn without(shown: &str, prompt: &str) -> Option<String> {
    let (before, behind) = shown.split_once(prompt).filter(|_| names_something(prompt))?;
    (!before.is_empty()).then(|| format!("{before}{behind}"))
}

/// The length of the line end at the beginning of some bytes.
fn line_end(rest: &[u8]) -> Option<usize> {
    [&b"\r\n"[..], b"\n", b"\r\r\n"].into_iter().find(|end| rest.starts_with(end)).map(<[u8]>::len)
}

/// A long line does not stand in one row: it was moved sideways, cut off, or wrapped.
fn is_moved(raw: &[u8], shown: &str, wanted: &str, prompt: &str) -> bool {
    is_cut(shown, wanted, prompt) || is_scrolled(raw, shown, wanted) || is_wrapped(raw, wanted, prompt)
}

/// When a long line was entered, a device shows its beginning, and a sign for what there is no room for.
fn is_cut(shown: &str, wanted: &str, prompt: &str) -> bool {
    let shown = shown.strip_prefix(prompt).unwrap_or(shown);
    shown.strip_suffix('$').is_some_and(|begin| {
        begin.len() >= SCROLLED_ECHO_BYTES_MIN && begin.len() < wanted.len() && wanted.starts_with(begin)
    })
}

/// A device that takes the terminal for a narrower one begins the next row of a long command with a blank and CR, or with its first letter, CR
/// and that letter again: on ours it draws over the first.
fn is_wrapped(raw: &[u8], wanted: &str, prompt: &str) -> bool {
    if memchr::memchr(b'\r', raw).is_none() {
        return false;
    }
    let text = String::from_utf8_lossy(raw);
    let mut rows = text.split('\r');
    let mut joined = rows.next().unwrap_or_default().to_owned();
    for row in rows {
        if row.chars().next().is_some_and(|first| joined.ends_with(first)) {
            joined.pop();
        }
        joined.push_str(row);
    }
    let is_typed = |text: &str| {
        let shown = visible(text);
        shown.strip_prefix(prompt).unwrap_or(&shown) == wanted
    };
    is_typed(&text) || is_typed(&joined)
}

/// A device moves a long line sideways as it is typed: what the line shows in the end is the end of the command.
fn is_scrolled(raw: &[u8], shown: &str, wanted: &str) -> bool {
    let raw = raw.strip_suffix(b"\n").unwrap_or(raw);
    if memchr::memchr3(b'\r', 0x08, 0x1b, raw.strip_suffix(b"\r").unwrap_or(raw)).is_none() {
        return false;
    }
    let common = shown.chars().rev().zip(wanted.chars().rev()).take_while(|(a, b)| a == b).count();
    common > 0 && common >= SCROLLED_ECHO_BYTES_MIN.min(wanted.chars().count())
}

impl Kind {
    /// Lines that came unasked at the beginning of an answer, where its echo may stand.
    pub(crate) fn unasked_near(&self, answer: &[u8], command: &str) -> Vec<Range<usize>> {
        self.unasked_in_echo(answer.get(..answer.len().min(echo_bytes_max(command))).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::Profiles;

    fn sought(command: &str) -> Sought<'_> {
        Sought { command, prompt: "r1# ", encoding: Encoding::UTF_8 }
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
            (b"show log | inc w\rword\r\nx", "show log | inc word", Some(b"x")),
            (b"show log | inc o\rother\r\nx", "show log | inc word", None),
            (b"show running-config | inc$\r\nx", "show running-config | include hostname", Some(b"x")),
            (b"show r$\r\nx", "show running-config", None),
            (b"show\r\nr1# show\r\nx", "show", Some(b"x")),
            (b"show\r\nr1# shows\r\nx", "show", Some(b"r1# shows\r\nx")),
            (b"show it\r\n\x1b[Ar1# show it\x1b[K\r\nx", "show it", Some(b"x")),
        ] {
            let end = end_of(answer, sought(command));
            assert_eq!(end.map(|end| &answer[end..]), rest, "{}", answer.escape_ascii());
        }
    }

    #[test]
    fn lines_that_come_unasked_break_an_echo() {
        let kind = Kind::new(Profiles::shipped().get("frr").unwrap()).unwrap();
        for (answer, before, rest) in [
            ("sho\r\nLOG\r\nw clock\r\n12:00", "", "12:00"),
            ("sho\r\nLOG\r\nr1# show clock\r\n12:00", "", "12:00"),
            ("show clock\r\nLOG\r\nr1# show clock\r\n12:00", "", "12:00"),
            ("show clock\r\nLOG\r\n12:00", "", "LOG\r\n12:00"),
            ("\r\nr1# \r\nLOG\r\nr1# show clock\r\n12:00", "\r\nr1# \r\nLOG\r\n", "12:00"),
            ("shLOG\r\now clLOG\r\nock\r\n12:00", "", "12:00"),
        ] {
            let log = "2026/11/29 10:00:00.123 BGP: neighbour 10.0.0.2 is up";
            let fill = |text: &str| text.replace("LOG", log);
            let (answer, before, rest) = (fill(answer), fill(before), fill(rest));
            let unasked = kind.unasked_near(answer.as_bytes(), "show clock");
            let is_prompt = |line: &str| line.trim() == "r1#";
            let found = sought("show clock").at_the_beginning(answer.as_bytes(), &unasked, is_prompt);
            let (begin, end) = found.unwrap_or_else(|| panic!("{answer:?}"));
            let parts = (answer.get(..begin).unwrap(), answer.get(end..).unwrap());
            assert_eq!(parts, (before.as_str(), rest.as_str()), "{answer:?}");
        }
    }
}
