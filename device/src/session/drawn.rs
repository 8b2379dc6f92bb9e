//! What a terminal shows of bytes: lines, drawn as far as that can be known without the size of its screen.
//!
//! Cursor moves within a line, to the next ones and back up to lines of the same piece do what they do on a screen. A place that is named by
//! row and column begins a new line where the row is another than the cursor's: devices that name places so write their answers at the bottom
//! of a screen, which moves up under them.

use jackfield_config::profile::Encoding;

/// Columns that a code may name or move to beyond what was written; what it would put beyond stays in the last one. Text itself has no limit.
const COLUMNS_MAX: usize = 64 * 1024;
/// Blanks behind the mark of a shell (zsh) that a line was not ended: as many as a terminal has columns, but for one.
const MARK_BLANKS_MIN: usize = 20;
/// What readline says when it has taken a line: pasted text is not marked any more.
const LINE_TAKEN: &[u8] = b"[?2004l";
/// Lines that one code may move by.
const ROWS_MAX: usize = 1_000;

/// What was drawn of some bytes.
#[derive(Debug)]
pub(crate) struct Canvas {
    rows: Vec<Row>,
    row: usize,
    column: usize,
    /// The rightmost column since the cursor went back: blanks behind it have wiped something.
    reach: usize,
    /// The row of the screen that a code named, while the cursor is in it.
    named: Option<usize>,
    /// Bytes that were drawn so far.
    drawn: usize,
}

#[derive(Debug, Default)]
struct Row {
    cells: Vec<char>,
    /// The cursor went back in it.
    is_redrawn: bool,
    /// The byte at which it began.
    begin: usize,
}

impl Row {
    fn is_blank(&self) -> bool {
        self.cells.iter().all(|cell| *cell == ' ')
    }
}

/// A line as it was drawn.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct LastLine {
    /// What stands left of the cursor.
    pub(crate) text: String,
    /// Something that can be seen stands right of it, or below.
    pub(crate) has_more: bool,
}

impl Canvas {
    /// What some bytes draw.
    pub(crate) fn of(bytes: &[u8], encoding: Encoding) -> Self {
        let rows = vec![Row::default()];
        let mut canvas = Self { rows, row: 0, column: 0, reach: 0, named: None, drawn: 0 };
        let mut rest = bytes;
        while let Some((&byte, after)) = rest.split_first() {
            canvas.drawn = bytes.len().saturating_sub(after.len());
            rest = match byte {
                0x1b => {
                    let after_code = after_escape(after);
                    let code = after.get(..after.len().saturating_sub(after_code.len())).unwrap_or_default();
                    canvas.drawn = bytes.len().saturating_sub(after_code.len());
                    canvas.obey(code);
                    if code == LINE_TAKEN && !ends_line(after_code) {
                        canvas.take_line();
                    }
                    after_code
                }
                byte if is_control(byte) => {
                    canvas.control(byte, after);
                    after
                }
                _ => {
                    let end = rest.iter().position(|byte| is_control(*byte)).unwrap_or(rest.len());
                    let (run, after) = rest.split_at_checked(end).unwrap_or((rest, &[]));
                    encoding.text(run).chars().for_each(|cell| canvas.put(cell));
                    after
                }
            };
        }
        canvas
    }

    /// The lines, the last one without an end.
    pub(crate) fn lines(&self) -> impl Iterator<Item = String> {
        self.rows.iter().map(|row| row.cells.iter().collect())
    }

    /// The byte at which the line begins that stands so many lines above the cursor's.
    pub(crate) fn begin_above(&self, lines: usize) -> usize {
        self.row.checked_sub(lines).and_then(|row| self.rows.get(row)).map_or(0, |row| row.begin)
    }

    /// Each line that was ended with the byte behind its end.
    pub(crate) fn ended_lines(&self) -> impl Iterator<Item = (String, usize)> {
        let ends = self.rows.iter().skip(1).map(|row| row.begin);
        self.lines().zip(ends)
    }

    /// The line of the cursor.
    pub(crate) fn last(&self) -> LastLine {
        let cells = self.rows.get(self.row).map(|row| row.cells.as_slice()).unwrap_or_default();
        let (left, right) = cells.split_at_checked(self.column).unwrap_or((cells, &[]));
        let mut text: String = left.iter().collect();
        text.extend(std::iter::repeat_n(' ', self.column.saturating_sub(cells.len())));
        let below = self.rows.get(self.row.saturating_add(1)..).unwrap_or_default();
        let has_more = right.iter().any(|cell| *cell != ' ') || !below.iter().all(Row::is_blank);
        LastLine { text, has_more }
    }

    fn put(&mut self, cell: char) {
        let column = self.column;
        let Some(row) = self.rows.get_mut(self.row) else { return };
        if row.cells.len() < column {
            row.cells.resize(column, ' ');
        }
        match row.cells.get_mut(column) {
            Some(place) => *place = cell,
            None => row.cells.push(cell),
        }
        self.column = column.saturating_add(1);
        self.reach = self.reach.max(self.column);
    }

    fn go_to(&mut self, column: usize) {
        let column = column.min(COLUMNS_MAX.max(self.column));
        if column < self.column {
            self.reach = column;
            if let Some(row) = self.rows.get_mut(self.row) {
                row.is_redrawn = true;
            }
        }
        self.column = column;
    }

    fn control(&mut self, byte: u8, after: &[u8]) {
        match byte {
            b'\n' => {
                self.next_line(1);
                self.column = 0;
                self.reach = 0;
            }
            // Before a line end it moves nothing that counts.
            b'\r' if ends_line(after) => {}
            b'\r' if matches!(after, [] | [b' ', b'\r', ..]) && self.has_mark() => self.end_at_mark(),
            b'\r' => self.go_to(0),
            0x08 => self.go_to(self.column.saturating_sub(1)),
            b'\t' => self.put('\t'),
            _ => {}
        }
    }

    /// Where the mark of a shell stands that a line was not ended, with the blanks that carry the cursor over the edge of any terminal.
    fn mark(&self) -> Option<usize> {
        let cells = self.rows.get(self.row).map(|row| row.cells.as_slice()).unwrap_or_default();
        let at = cells.iter().rposition(|cell| *cell != ' ')?;
        let blanks = self.column.saturating_sub(at.saturating_add(1));
        let is_mark = matches!(cells.get(at), Some('%' | '#')) && self.column == cells.len();
        (is_mark && blanks >= MARK_BLANKS_MIN).then_some(at)
    }

    fn has_mark(&self) -> bool {
        self.mark().is_some()
    }

    /// The mark is no part of its line, which ends before it; where nothing stands before it, it is wiped.
    fn end_at_mark(&mut self) {
        let at = self.mark().unwrap_or(0);
        if let Some(row) = self.rows.get_mut(self.row) {
            row.cells.truncate(at);
        }
        if at > 0 {
            self.next_line(1);
        }
        self.column = 0;
        self.reach = 0;
    }

    /// Ends the line, and goes down.
    fn next_line(&mut self, count: usize) {
        self.end_line();
        self.row = self.row.saturating_add(count.min(ROWS_MAX));
        while self.rows.len() <= self.row {
            self.rows.push(Row { begin: self.drawn, ..Row::default() });
        }
        // One that the cursor had left again, with nothing in it, begins where it comes back.
        if let Some(row) = self.rows.get_mut(self.row).filter(|row| row.cells.is_empty()) {
            row.begin = self.drawn;
        }
        self.named = None;
    }

    /// Ends a line that was typed, where its editor shows none of it, nor its end: what comes next would be drawn over the prompt.
    fn take_line(&mut self) {
        if self.rows.get(self.row).is_some_and(|row| !row.is_blank()) {
            self.next_line(1);
            self.column = 0;
            self.reach = 0;
        }
    }

    /// Blanks that have wiped something end with the line.
    fn end_line(&mut self) {
        let reach = self.reach;
        let Some(row) = self.rows.get_mut(self.row).filter(|row| row.is_redrawn) else { return };
        let shown = row.cells.iter().rposition(|cell| *cell != ' ').map_or(0, |at| at.saturating_add(1));
        row.cells.truncate(shown.max(reach));
    }

    fn obey(&mut self, code: &[u8]) {
        match code {
            b"E" => {
                self.next_line(1);
                self.go_to(0);
            }
            b"D" => self.next_line(1),
            b"M" => self.row = self.row.saturating_sub(1),
            [b'[', parameters @ .., last] => self.obey_csi(parameters, *last),
            _ => {}
        }
    }

    fn obey_csi(&mut self, parameters: &[u8], last: u8) {
        let mut numbers = parameters.split(|byte| *byte == b';').map(number);
        let first = numbers.next().flatten();
        let count = first.unwrap_or(1).max(1);
        match last {
            b'G' | b'`' => self.go_to(count.saturating_sub(1)),
            b'C' | b'a' => self.go_to(self.column.saturating_add(count)),
            b'D' => self.go_to(self.column.saturating_sub(count)),
            b'A' => self.row = self.row.saturating_sub(count),
            b'B' | b'e' => self.next_line(count),
            b'E' => {
                self.next_line(count);
                self.go_to(0);
            }
            b'H' | b'f' => self.go_to_place(count, numbers.next().flatten().unwrap_or(1).max(1)),
            b'K' => self.wipe(first.unwrap_or(0)),
            b'X' => {
                let to = self.column.saturating_add(count);
                self.blank(self.column, to);
            }
            b'P' => self.delete(count),
            b'@' => self.insert(count),
            b'J' if first.unwrap_or(0) == 0 => {
                self.wipe(0);
                self.rows.truncate(self.row.saturating_add(1));
            }
            _ => {}
        }
    }

    fn go_to_place(&mut self, row: usize, column: usize) {
        // Where no row was named since the line began, a place within a line is taken to be in this one.
        let is_here = self.named.map_or(column > 1, |named| named == row);
        let is_blank = self.rows.get(self.row).is_none_or(Row::is_blank);
        if !is_here && !is_blank {
            self.next_line(1);
            self.column = 0;
            self.reach = 0;
        }
        self.named = Some(row);
        self.go_to(column.saturating_sub(1));
    }

    fn wipe(&mut self, part: usize) {
        let column = self.column;
        match part {
            0 => {
                if let Some(row) = self.rows.get_mut(self.row) {
                    row.cells.truncate(column);
                }
            }
            1 => self.blank(0, column.saturating_add(1)),
            2 => {
                if let Some(row) = self.rows.get_mut(self.row) {
                    row.cells.clear();
                }
                self.reach = 0;
            }
            _ => {}
        }
    }

    fn blank(&mut self, from: usize, to: usize) {
        let Some(row) = self.rows.get_mut(self.row) else { return };
        let to = to.min(row.cells.len());
        if let Some(cells) = row.cells.get_mut(from.min(to)..to) {
            cells.fill(' ');
        }
    }

    fn delete(&mut self, count: usize) {
        let Some(row) = self.rows.get_mut(self.row) else { return };
        let from = self.column.min(row.cells.len());
        let to = from.saturating_add(count).min(row.cells.len());
        row.cells.drain(from..to);
    }

    fn insert(&mut self, count: usize) {
        let Some(row) = self.rows.get_mut(self.row) else { return };
        let count = count.min(COLUMNS_MAX);
        if self.column <= row.cells.len() && row.cells.len().saturating_add(count) <= COLUMNS_MAX {
            row.cells.splice(self.column..self.column, std::iter::repeat_n(' ', count));
        }
    }
}

/// Whether nothing but returns stands before a line end.
fn ends_line(bytes: &[u8]) -> bool {
    matches!(bytes.iter().find(|byte| !matches!(byte, b'\r' | 0)), Some(b'\n'))
}

/// What a terminal obeys; what else is below a space stands in texts of devices, and is kept.
fn is_control(byte: u8) -> bool {
    matches!(byte, 0 | 7..=10 | b'\r' | 0x1b)
}

fn number(digits: &[u8]) -> Option<usize> {
    std::str::from_utf8(digits).ok()?.parse().ok()
}

/// What follows a terminal code whose ESC was just taken: CSI, a string up to its end, or two characters. A code ends at a line end at the
/// latest: what is broken there swallows no line.
pub(crate) fn after_escape(bytes: &[u8]) -> &[u8] {
    let from = |body: &'_ [u8], at: usize| bytes.len().saturating_sub(body.len()).saturating_add(at);
    match bytes.split_first() {
        Some((b'[', body)) => {
            let end = body.iter().position(|byte| (0x40..=0x7e).contains(byte) || is_control(*byte));
            let end = end.map(|end| {
                let is_whole = body.get(end).is_some_and(|byte| !is_control(*byte));
                from(body, end.saturating_add(usize::from(is_whole)))
            });
            end.and_then(|end| bytes.get(end..)).unwrap_or_default()
        }
        // OSC, DCS, APC, PM and SOS: texts for the terminal itself.
        Some((b']' | b'P' | b'_' | b'^' | b'X', body)) => {
            let end = body.iter().position(|byte| matches!(*byte, 7 | 0x1b | b'\n'));
            let Some(end) = end else { return &[] };
            match body.get(end..).unwrap_or_default() {
                [7, rest @ ..] | [0x1b, b'\\', rest @ ..] => rest,
                rest => rest,
            }
        }
        Some((b'(' | b')' | b'#' | b'%' | b' ', [byte, rest @ ..])) if !is_control(*byte) => rest,
        Some((byte, body)) if !is_control(*byte) => body,
        Some(_) => bytes,
        None => &[],
    }
}

/// Whether some bytes go back up to lines before.
pub(crate) fn goes_up(bytes: &[u8]) -> bool {
    memchr::memchr_iter(0x1b, bytes).any(|at| {
        let code = bytes.get(at.saturating_add(1)..).unwrap_or_default();
        match code.split_first() {
            Some((b'M', _)) => true,
            Some((b'[', body)) => body.iter().find(|byte| (0x40..=0x7e).contains(*byte)) == Some(&b'A'),
            _ => false,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(bytes: &[u8]) -> String {
        Canvas::of(bytes, Encoding::UTF_8).lines().collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn a_line_has_no_limit_but_what_a_code_may_leave_empty_has() {
        let long = "x".repeat(3 * COLUMNS_MAX);
        assert!(drawn(format!("{long}\x1b[0m").as_bytes()) == long);
        assert!(drawn(format!("{long}\x1b[1Cy").as_bytes()) == format!("{long}y"));
        assert_eq!(drawn(b"a\x1b[4000000000Gb").len(), COLUMNS_MAX + 1);
    }

    #[test]
    fn codes_do_what_they_do_on_a_screen() {
        for (sent, shown) in [
            (&b"line1\x1bEline2\r\n"[..], "line1\nline2\n"),
            (b"left\x1b[5Cright", "left     right"),
            (b"a\x1b[10Gb", "a        b"),
            (b"ab\x1b[1Dc", "ac"),
            (b"\r        \rline 2\r\n", "line 2\n"),
            (b"trailing  \r\n", "trailing  \n"),
            (b"one\r\ntwo\r\n\x1b[2A1\x1b[B\x1b[BX", "1ne\ntwo\n X"),
            (b"abc\x1b[2K\rd", "d"),
            (b"abcdef\r\x1b[2P", "cdef"),
            (b"a\x1bPsixel\x1b\\b\x1b]0;title\x07c", "abc"),
            (b"\x1b[24;1Hone\x1b[24;1H\x1b[24;5Htwo\x1b[1;0H\x1b[1M\x1b[24;1Hthree", "one two\nthree"),
            (b"caf\xc3\xa9\x08e", "cafe"),
            // The mark of a line that was not ended, and blanks over the edge of the terminal.
            (b"a\x1b[7m%\x1b[27m                                       \r \r\x1b[Jhost% ", "a\nhost% "),
            (b"\x1b[7m%\x1b[27m                                       \r \r\x1b[Jhost% ", "host% "),
            // An editor that shows nothing of what is typed, and one that ends the line itself.
            (b"host$ \x1b[?2004l\r\x1b[?2004hhost$ ", "host$ \nhost$ "),
            (b"host$ \x1b[?2004l\rone\r\ntwo", "host$ \none\ntwo"),
            (b"host% ls\x1b[?2004l\r\r\nx", "host% ls\nx"),
            (b"50%\r100%                        \r\nx", "100%                        \nx"),
        ] {
            assert_eq!(drawn(sent), shown, "{}", sent.escape_ascii());
        }
    }

    #[test]
    fn the_last_line_ends_at_the_cursor() {
        for (sent, text, has_more) in [
            (&b"x\r\nr1# "[..], "r1# ", false),
            (b"\r\r\r\r[lab@RB1] > ", "[lab@RB1] > ", false),
            (
                b"--More--\x08\x08\x08\x08\x08\x08\x08\x08        \x08\x08\x08\x08\x08\x08\x08\x08r1# ",
                "r1# ",
                false,
            ),
            (b"r1# show\r", "", true),
            (b"\x1b[24;1Hsw# \x1b[24;1H\x1b[?25h\x1b[24;5H", "sw# ", false),
        ] {
            let last = Canvas::of(sent, Encoding::UTF_8).last();
            assert_eq!(last, LastLine { text: text.to_owned(), has_more }, "{}", sent.escape_ascii());
        }
    }
}
