//! The letters of XML: names, references, attributes, and the text that raw content stands for.

use std::borrow::Cow;

use crate::source::{Span, declared_encoding};

/// Why the text is not XML that we take: place, what is wrong, what to do.
pub(super) type Fault = (Span, String, String);

/// Characters that XML forbids: a copy from a terminal brings them in.
pub(super) fn check_characters(text: &str) -> Result<(), Fault> {
    let bad =
        |c: &char| matches!(c, '\0'..='\x08' | '\x0b' | '\x0c' | '\x0e'..='\x1f' | '\u{fffe}' | '\u{ffff}');
    match text.char_indices().find(|(_, c)| bad(c)) {
        None => Ok(()),
        Some((at, c)) => {
            let message = format!("character U+{:04X} may not stand in XML", u32::from(c));
            Err((Span::new(at, at), message, "remove it".to_owned()))
        }
    }
}

pub(super) fn check_encoding(text: &str) -> Result<(), Fault> {
    let Some(encoding) = declared_encoding(text) else { return Ok(()) };
    if ["utf-8", "utf8", "us-ascii", "ascii"].contains(&encoding.to_ascii_lowercase().as_str()) {
        return Ok(());
    }
    let at = text.find(encoding).unwrap_or(0);
    let message = format!("the file says it is {encoding}; only UTF-8 is read");
    let help = format!("convert it (iconv -f {encoding} -t UTF-8) and write encoding=\"UTF-8\"");
    Err((Span::new(at, at), message, help))
}

/// `<?xml version="1.0" encoding="UTF-8" standalone="yes"?>`: the version first, the others in this order or left out.
pub(super) fn check_declaration(raw: &str, span: Span) -> Result<(), Fault> {
    const ORDER: [&str; 3] = ["version", "encoding", "standalone"];
    let inner = raw.strip_prefix("<?xml").and_then(|rest| rest.strip_suffix("?>")).unwrap_or_default();
    let begin = span.range().start.saturating_add("<?xml".len());
    let mut scan = AttributeScan::new(inner, Span::new(begin, begin));
    let mut seen = Vec::new();
    while let Some((key, value, _)) = scan.next()? {
        let right = match key {
            "version" => {
                value.strip_prefix("1.").is_some_and(|minor| minor.bytes().all(|b| b.is_ascii_digit()))
            }
            "standalone" => matches!(value, "yes" | "no"),
            _ => !value.is_empty() && value.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._".contains(&b)),
        };
        seen.push(ORDER.iter().position(|known| right && *known == key));
    }
    if seen.first() == Some(&Some(0)) && seen.iter().all(Option::is_some) && seen.is_sorted() {
        return Ok(());
    }
    let help = "write <?xml version=\"1.0\" encoding=\"UTF-8\"?>".to_owned();
    Err((span, "the XML declaration is not right".to_owned(), help))
}

/// `<?name …?>`, where the name is not kept for XML itself.
pub(super) fn check_instruction(raw: &str, span: Span) -> Result<(), Fault> {
    let name = raw.split(|c: char| c.is_ascii_whitespace()).next().unwrap_or_default();
    let mut letters = name.chars();
    let right = letters.next().is_some_and(name_start) && letters.all(name_letter);
    if right && !name.eq_ignore_ascii_case("xml") {
        return Ok(());
    }
    Err((span, format!("`<?{name}` is no instruction"), "remove it".to_owned()))
}

pub(super) fn check_name(name: &str, span: Span) -> Result<(), Fault> {
    let mut letters = name.chars();
    if letters.next().is_some_and(name_start) && letters.all(name_letter) {
        return Ok(());
    }
    let message =
        if name.is_empty() { "`<` begins no element".to_owned() } else { format!("`{name}` is not a name") };
    Err((span, message, "write < in a text as &lt;".to_owned()))
}

pub(super) fn name_end(c: char) -> bool {
    c.is_ascii_whitespace() || matches!(c, '>' | '/')
}

fn name_start(c: char) -> bool {
    matches!(c, 'a'..='z' | 'A'..='Z' | '_' | ':' | '\u{c0}'..='\u{d6}' | '\u{d8}'..='\u{f6}' | '\u{f8}'..='\u{2ff}'
        | '\u{370}'..='\u{37d}' | '\u{37f}'..='\u{1fff}' | '\u{200c}' | '\u{200d}' | '\u{2070}'..='\u{218f}'
        | '\u{2c00}'..='\u{2fef}' | '\u{3001}'..='\u{d7ff}' | '\u{f900}'..='\u{fdcf}' | '\u{fdf0}'..='\u{fffd}'
        | '\u{10000}'..='\u{effff}')
}

fn name_letter(c: char) -> bool {
    name_start(c)
        || matches!(c, '0'..='9' | '-' | '.' | '\u{b7}' | '\u{300}'..='\u{36f}' | '\u{203f}'..='\u{2040}')
}

pub(super) fn check_reference(reference: &str, span: Span) -> Result<(), Fault> {
    if character(reference).is_some() {
        return Ok(());
    }
    let message = format!("unknown entity `&{reference};`");
    Err((span, message, "known are &lt; &gt; &amp; &quot; &apos; and &#number;".to_owned()))
}

/// What a reference (without `&` and `;`) stands for.
fn character(reference: &str) -> Option<char> {
    let number = match reference {
        "lt" => return Some('<'),
        "gt" => return Some('>'),
        "amp" => return Some('&'),
        "quot" => return Some('"'),
        "apos" => return Some('\''),
        _ => reference.strip_prefix('#')?,
    };
    let (digits, radix) = number.strip_prefix('x').map_or((number, 10), |digits| (digits, 16));
    let plain = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    let c = char::from_u32(u32::from_str_radix(digits, radix).ok().filter(|_| plain)?)?;
    check_characters(c.encode_utf8(&mut [0; 4])).ok().map(|()| c)
}

/// The text that raw content stands for: references resolved, CDATA unwrapped, comments and instructions left out.
pub(super) fn resolve(raw: &str) -> Cow<'_, str> {
    if !raw.contains(['<', '&', '\r']) {
        return Cow::Borrowed(raw);
    }
    let mut text = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some(at) = rest.find(['<', '&', '\r']) {
        let (before, after) = rest.split_at_checked(at).unwrap_or((rest, ""));
        text.push_str(before);
        let between = |open: &str, close: &str| after.strip_prefix(open)?.split_once(close);
        rest = if let Some((inner, rest)) = between("&", ";") {
            text.extend(character(inner));
            rest
        } else if let Some((inner, rest)) = between("<![CDATA[", "]]>") {
            text.push_str(&inner.replace("\r\n", "\n").replace('\r', "\n"));
            rest
        } else if let Some((_, rest)) = between("<!--", "-->").or(between("<?", "?>")) {
            rest
        } else {
            // A line ends with one character, however the file's system writes it.
            text.push('\n');
            after.strip_prefix("\r\n").or(after.strip_prefix('\r')).unwrap_or_default()
        };
    }
    text.push_str(rest);
    Cow::Owned(text)
}

/// The pieces of raw content between its comments, each with where it begins.
pub(super) fn outside_comments(raw: &str) -> Vec<(usize, &str)> {
    let mut pieces = Vec::new();
    let (mut from, mut at) = (0_usize, 0_usize);
    while let Some(found) = raw.get(at..).and_then(|rest| rest.find("<!")) {
        let open = at.saturating_add(found);
        let rest = raw.get(open..).unwrap_or_default();
        let end_of = |begin: &str, end: &str| {
            let length = rest.strip_prefix(begin)?.find(end)?;
            Some(open.saturating_add(begin.len()).saturating_add(length).saturating_add(end.len()))
        };
        if let Some(end) = end_of("<!--", "-->") {
            pieces.push((from, raw.get(from..open).unwrap_or_default()));
            (from, at) = (end, end);
        } else if let Some(end) = end_of("<![CDATA[", "]]>") {
            at = end;
        } else {
            break;
        }
    }
    pieces.push((from, raw.get(from..).unwrap_or_default()));
    pieces
}

/// The attributes of a start tag that was checked.
pub(super) fn attributes(tag: &str, span: Span) -> impl Iterator<Item = (&str, Cow<'_, str>, Span)> {
    let mut scan = AttributeScan::new(tag, span);
    std::iter::from_fn(move || scan.next().ok().flatten())
        .map(|(key, raw, span)| (key, value_text(raw), span))
}

/// In an attribute white space is one kind: a line end or tab that is meant is written as a reference.
fn value_text(raw: &str) -> Cow<'_, str> {
    if !raw.contains(['\n', '\t', '\r']) {
        return resolve(raw);
    }
    Cow::Owned(resolve(&raw.replace("\r\n", " ").replace(['\n', '\t', '\r'], " ")).into_owned())
}

/// Goes through the rest of a start tag behind its name, up to `>` or `/>`.
pub(super) struct AttributeScan<'t> {
    tag: &'t str,
    at: usize,
    base: usize,
}

impl<'t> AttributeScan<'t> {
    pub(super) fn new(tag: &'t str, span: Span) -> Self {
        Self { tag, at: 0, base: span.range().start }
    }

    fn place(&self, from: usize, to: usize) -> Span {
        Span::new(self.base.saturating_add(from), self.base.saturating_add(to))
    }

    fn skip(&mut self, unwanted: impl Fn(char) -> bool) -> &'t str {
        let rest = self.tag.get(self.at..).unwrap_or_default();
        let length = rest.find(|c| !unwanted(c)).unwrap_or(rest.len());
        self.at = self.at.saturating_add(length);
        rest.get(..length).unwrap_or_default()
    }

    /// Key, raw value, place of the value.
    pub(super) fn next(&mut self) -> Result<Option<(&'t str, &'t str, Span)>, Fault> {
        let blank = |c: char| c.is_ascii_whitespace();
        let apart = !self.skip(blank).is_empty();
        let start = self.at;
        let key = self.skip(|c| !blank(c) && !matches!(c, '=' | '>' | '/' | '"' | '\'' | '<'));
        if key.is_empty() {
            return match self.tag.get(self.at..).unwrap_or_default() {
                "/>" | ">" | "" => Ok(None),
                _ => Err(self.fault(start, "an attribute should begin here", "write name=\"value\"")),
            };
        }
        check_name(key, self.place(start, self.at))?;
        if !apart {
            return Err(self.fault(start, "two attributes without a space between them", "add one"));
        }
        self.skip(blank);
        let equals = self.skip(|c| c == '=');
        self.skip(blank);
        let rest = self.tag.get(self.at..).unwrap_or_default();
        let quote = rest.chars().next().filter(|c| matches!(c, '"' | '\'') && equals == "=");
        let value = quote.and_then(|quote| Some((quote, rest.get(1..)?.split_once(quote)?.0)));
        let Some((_, value)) = value else {
            let message = format!("attribute `{key}` has no value in quotes");
            return Err(self.fault(start, &message, &format!("write {key}=\"value\"")));
        };
        let from = self.at.saturating_add(1);
        self.at = from.saturating_add(value.len()).saturating_add(1);
        let span = self.place(from, from.saturating_add(value.len()));
        self.check_value(value, span)?;
        Ok(Some((key, value, span)))
    }

    fn check_value(&self, value: &str, span: Span) -> Result<(), Fault> {
        if value.contains('<') {
            return Err((span, "`<` in an attribute".to_owned(), "write &lt;".to_owned()));
        }
        for piece in value.split('&').skip(1) {
            match piece.split_once(';') {
                Some((reference, _)) => check_reference(reference, span)?,
                None => return Err((span, "`&` in an attribute".to_owned(), "write & as &amp;".to_owned())),
            }
        }
        Ok(())
    }

    fn fault(&self, start: usize, message: &str, help: &str) -> Fault {
        (self.place(start, self.at), message.to_owned(), help.to_owned())
    }
}
