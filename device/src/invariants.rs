//! What holds whatever a peer sends: functions that take any bytes and panic where a promise is broken.
//!
//! `fuzz/` feeds them to libFuzzer (`cargo xtask fuzz`), and a test replays its corpus with mutations on every build. Where a function
//! needs more than the bytes of a peer (a pattern, where the bytes were cut on their way), it takes that from the first of them.

mod files;

use crate::{
    channel::Window,
    expect::{
        Patterns,
        matcher::{Found, Matcher, Sight},
    },
    limits::{TELNET_ANSWERS_MAX, TELNET_SUB_BYTES_MAX},
    record::{
        cast::Cast,
        redact::{Redactor, SECRET_BYTES_MIN},
    },
    screen::Screen,
    session::{clean_text, prompt_at_the_end, shown_text},
    telnet::{Codec, Role},
    textfsm::Template,
    transfer::Way,
};

/// A function that takes any bytes.
pub type Target = fn(&[u8]);

/// Every one of them, by the name of its corpus.
pub const TARGETS: [(&str, Target); 10] = [
    ("telnet", telnet),
    ("clean", clean),
    ("matcher", matcher),
    ("prompt", prompt),
    ("screen", screen),
    ("redact", redact),
    ("textfsm", textfsm),
    ("cast", cast),
    ("sftp", sftp),
    ("scp", scp),
];

/// Bytes of the longest answer to one question of a telnet peer.
const ANSWER_BYTES_MAX: usize = 2 * TELNET_SUB_BYTES_MAX + 64;
/// Bytes of a text that a template is tried on.
const TEXT_BYTES_MAX: usize = 2 * 1024;

/// The first byte, and what follows.
fn first(bytes: &[u8]) -> (u8, &[u8]) {
    bytes.split_first().map_or((0, bytes), |(first, rest)| (*first, rest))
}

/// Bytes in pieces, as the first of them says: each bit is a piece of one byte or of several.
fn pieces(bytes: &[u8]) -> (Vec<&[u8]>, &[u8]) {
    let (cut, rest) = first(bytes);
    let size = usize::from(cut % 7).saturating_add(1);
    (rest.chunks(size).collect(), rest)
}

/// The same bytes give the same data and answers however they were cut; answers are bounded; what one end sends, the other reads.
pub fn telnet(bytes: &[u8]) {
    let (kind, rest) = first(bytes);
    let (cut, whole) = pieces(rest);
    let codec = || {
        let role = if kind & 1 == 0 { Role::Client } else { Role::Server };
        let codec = Codec::new(role, Window::default(), "ana").with_terminal("xterm");
        if kind & 2 == 0 { codec } else { codec.with_com_port() }
    };
    let receive = |pieces: &[&[u8]]| {
        let (mut codec, mut data, mut out) = (codec(), Vec::new(), Vec::new());
        codec.greet(&mut out);
        pieces.iter().for_each(|piece| codec.receive(piece, &mut data, &mut out));
        (data, out)
    };
    let (data, out) = receive(&cut);
    assert_eq!((&data, &out), (&receive(&[whole]).0, &receive(&[whole]).1), "cuts make a difference");
    let answers = usize::try_from(TELNET_ANSWERS_MAX).unwrap_or(usize::MAX).saturating_add(8);
    assert!(out.len() <= answers.saturating_mul(ANSWER_BYTES_MAX), "answers without end");
    assert!(data.len() <= whole.len().saturating_add(1), "more data than bytes");
    let (mut wire, mut read, mut said) = (Vec::new(), Vec::new(), Vec::new());
    Codec::new(Role::Server, Window::default(), "").send(&data, &mut wire);
    Codec::new(Role::Client, Window::default(), "").receive(&wire, &mut read, &mut said);
    assert_eq!(read, data, "what was sent is not what is read");
}

/// The answer to a command is clean text, and what is clean stays as it is when it is cleaned again.
pub fn clean(bytes: &[u8]) {
    let text = shown_text(bytes, "show running-config");
    assert!(!text.bytes().any(|byte| matches!(byte, b'\r' | 8 | 0x1b)), "a terminal code is left: {text:?}");
    assert_eq!(clean_text(text.as_bytes()), text, "what is clean was changed");
}

/// The first certain match does not depend on how the bytes were cut, and is the one that a search over the whole finds.
pub fn matcher(bytes: &[u8]) {
    const LISTS: [&[&str]; 6] = [
        &["--More--", "[#>] ?$"],
        &[r"(?m)^[\w.-]{1,20}(?:\([\w-]{1,20}\))?[#>] ?$", "(?i)password: ?$", r"\[confirm\]"],
        &[r"(\d+) packets", r"\d+ ms", "(?m)^Success"],
        &["a|ab|abc", "bc+", "c{2,4}d"],
        &[r"(?s)begin.{0,12}end", r"\xff\x00", r"[^\x00-\x7f]{2}"],
        &[r"(?m)^$", r"\r\n\r\n", r"x*y"],
    ];
    let (kind, rest) = first(bytes);
    let list = LISTS.get(usize::from(kind) % LISTS.len()).copied().unwrap_or_default();
    let Ok(patterns) = Patterns::regexes(list) else { panic!("a pattern of this file cannot be compiled") };
    let (cut, whole) = pieces(rest);
    let in_pieces = certain(&mut Matcher::new(&patterns), &cut);
    assert_eq!(in_pieces, certain(&mut Matcher::new(&patterns), &[whole]), "cuts make a difference");
    let bytewise: Vec<&[u8]> = whole.chunks(1).collect();
    assert_eq!(in_pieces, certain(&mut Matcher::new(&patterns), &bytewise), "single bytes make a difference");
}

fn certain(matcher: &mut Matcher<'_>, pieces: &[&[u8]]) -> Option<Found> {
    let mut text = Vec::new();
    for piece in pieces {
        text.extend_from_slice(piece);
        match matcher.look(&text) {
            Ok(Sight::Certain(found)) => {
                assert!(found.start <= found.end && found.end <= text.len(), "a match beyond the text");
                return Some(found);
            }
            Ok(Sight::Nothing | Sight::Tentative(_)) => {}
            Err(error) => panic!("{error}"),
        }
    }
    None
}

/// A prompt stands at the very end: a letter behind it, and it is none.
pub fn prompt(bytes: &[u8]) {
    let Some(begin) = prompt_at_the_end(bytes) else { return };
    assert!(begin < bytes.len(), "a prompt of nothing");
    let longer = [bytes, b"x"].concat();
    assert_eq!(prompt_at_the_end(&longer), None, "something stands behind it");
}

/// A screen shows the same however its bytes were cut, in as many lines as it has, and asks for no more answers than a few.
pub fn screen(bytes: &[u8]) {
    let (size, rest) = first(bytes);
    let window =
        Window { rows: u16::from(size % 16).saturating_add(1), columns: u16::from(size / 16) * 5 + 1 };
    let (cut, whole) = pieces(rest);
    let (mut in_pieces, mut at_once) = (Screen::new(window), Screen::new(window));
    cut.iter().for_each(|piece| in_pieces.feed(piece));
    at_once.feed(whole);
    assert_eq!(in_pieces.view(), at_once.view(), "cuts make a difference");
    assert_eq!(at_once.view().lines.len(), usize::from(window.rows), "not as many lines as rows");
    let other = Window { rows: window.columns, columns: window.rows };
    at_once.resize(other);
    at_once.feed(whole);
    let view = at_once.view();
    assert_eq!(view.lines.len(), usize::from(other.rows), "not as many lines as rows after a resize");
    assert!(view.cursor.row < view.lines.len() && view.cursor.column < usize::from(other.columns).max(1));
}

/// A secret never comes through, however the bytes were cut; what holds none comes through whole.
pub fn redact(bytes: &[u8]) {
    let (length, rest) = first(bytes);
    let length = usize::from(length % 12).saturating_add(SECRET_BYTES_MIN);
    let Some((secret, rest)) = rest.split_at_checked(length) else { return };
    let Ok(secret) = std::str::from_utf8(secret) else { return };
    // Stars in a secret would be found in what stands for it.
    if secret.contains('*') {
        return;
    }
    let (cut, whole) = pieces(rest);
    let mut redactor = Redactor::new(&[secret.to_owned()]);
    let mut shown: Vec<u8> = cut.iter().flat_map(|piece| redactor.push(piece)).collect();
    shown.extend(redactor.finish());
    let has = |text: &[u8]| memchr::memmem::find(text, secret.as_bytes()).is_some();
    assert!(!has(&shown), "the secret is shown");
    assert!(has(whole) || shown == whole, "what is no secret was changed");
}

/// A template is read or refused, and a text is taken apart or refused.
pub fn textfsm(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let (template, output) = text.split_once('\0').unwrap_or((&text, ""));
    let Ok(template) = Template::parse(template) else { return };
    let end = output.char_indices().map(|(at, _)| at).find(|at| *at >= TEXT_BYTES_MAX);
    let output = output.get(..end.unwrap_or(output.len())).unwrap_or_default();
    if let Ok(table) = template.run(output) {
        let columns = table.header.len();
        assert!(table.rows.iter().all(|row| row.len() == columns), "a row with another number of cells");
    }
}

/// A recording is read or refused.
pub fn cast(bytes: &[u8]) {
    if let Ok(cast) = Cast::parse(&String::from_utf8_lossy(bytes)) {
        assert!(cast.events.is_empty() || cast.seconds().is_finite(), "a time that is none");
    }
}

/// Files and folders move or are refused, whatever an SFTP server answers, and nothing is written where it was not asked to.
pub fn sftp(bytes: &[u8]) {
    files::moved(bytes, Way::Sftp);
}

/// The same of what runs for `scp` on a device.
pub fn scp(bytes: &[u8]) {
    files::moved(bytes, Way::Scp);
}
