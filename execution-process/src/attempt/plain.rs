//! What a program wrote for a terminal, as a person reads it in a sentence: a reason stands in lists, mails and reports, where a colour is
//! only noise.

use jackfield_device::session::clean_text;

/// A text as a terminal shows it, without colours and titles; of a line that was drawn anew after carriage returns, what it said in the end, however
/// much more stood there before.
pub(super) fn plain(text: &str) -> String {
    let ends = text.split('\n').map(|line| {
        let line = line.trim_end_matches('\r');
        line.rsplit('\r').next().unwrap_or(line)
    });
    clean_text(ends.collect::<Vec<_>>().join("\n").as_bytes())
}

#[cfg(test)]
mod tests {
    use super::plain;

    #[test]
    fn a_reason_has_no_colours() {
        for (text, expected) in [
            ("\u{1b}[31mERROR\u{1b}[0m the port is down", "ERROR the port is down"),
            ("\u{1b}[1;38;5;196mred\u{1b}[m", "red"),
            ("\u{1b}]0;title\u{7}said\u{1b}]8;;http://x\u{1b}\\ so", "said so"),
            ("\u{1b}(Bplain\u{1b}7", "plain"),
            ("one\r\ntwo\r\n", "one\ntwo\n"),
            ("10 %\r50 %\r100 %\r\nno route", "100 %\nno route"),
            ("loading 99 %\rno route\n", "no route\n"),
            ("one\u{1b}[1G\u{1b}[0Ktwo", "two"),
            ("cut \u{1b}[3", "cut "),
            ("cut \u{1b}]0;tit", "cut "),
            ("no [31m escape", "no [31m escape"),
        ] {
            assert_eq!(plain(text), expected, "{text:?}");
        }
    }
}
