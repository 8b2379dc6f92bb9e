//! Lines and findings of logs, against what a plain reading of the same bytes gives: as they grow, and packed.

use proptest::prelude::*;

use super::*;

fn long(length: usize) -> u64 {
    u64::try_from(length).unwrap()
}

/// A log of lines in all lengths, with what tests really print.
fn babble(lines: usize) -> Vec<u8> {
    let mut text = Vec::new();
    for number in 0..lines {
        let line = match number % 7 {
            0 => {
                format!("2026-11-20 23:53:{:02}.{number:03} INFO interface ge-0/0/{number} up\n", number % 60)
            }
            1 => "\n".to_owned(),
            2 => format!("\u{1b}[31mERROR\u{1b}[0m port {number} flaps\r\n"),
            3 => format!("{}\n", "x".repeat(number % 3_000)),
            4 => "<script>alert(1)</script> \u{202e}drow\n".to_owned(),
            5 if number % 5 == 0 => {
                let bar = |share: usize| format!("{}\r{share:3} %", "#".repeat(number % 90));
                format!("{}\r\n", (0..=100).map(bar).collect::<String>())
            }
            5 => "0 errors, no failures\n".to_owned(),
            _ => format!("router{number}# show version\n"),
        };
        text.extend_from_slice(line.as_bytes());
    }
    text
}

/// The lines as anybody would split them.
fn split(text: &[u8]) -> Vec<Line> {
    let mut from = 0;
    let mut lines = Vec::new();
    for (line, number) in text.split_inclusive(|byte| *byte == b'\n').zip(1..) {
        let bare = line.strip_suffix(b"\n").unwrap_or(line);
        let bytes = bare[..bare.len().min(limits::LOG_LINE_BYTES)].to_vec();
        let last = redrawn(bare);
        lines.push(Line { line: number, from, length: long(bare.len()), bytes, last });
        from += long(line.len());
    }
    lines
}

/// What a terminal shows of a line that is too long and was drawn again and again.
fn redrawn(bare: &[u8]) -> Option<Vec<u8>> {
    let beginning = bare.get(..limits::LOG_LINE_BYTES).filter(|_| bare.len() > limits::LOG_LINE_BYTES)?;
    beginning.iter().find(|byte| **byte == b'\r')?;
    let tail = bare[bare.len() - limits::LOG_LINE_BYTES..].trim_ascii_end();
    let place = tail.iter().rposition(|byte| *byte == b'\r')?;
    Some(tail[place + 1..].to_vec())
}

/// Writes it as an EP does: in frames.
async fn stored(text: &[u8]) -> (tempfile::TempDir, Logs, LogKey) {
    let folder = tempfile::tempdir().unwrap();
    let logs = Logs::open(folder.path(), u64::MAX).unwrap();
    let cli = key(1, Stream::Cli);
    let mut at = 0;
    for piece in text.chunks(64 * 1024) {
        logs.write(cli.attempt, cli.stream, at, piece.to_vec()).await.unwrap();
        at += long(piece.len());
    }
    (folder, logs, cli)
}

async fn compare(logs: &Logs, key: LogKey, expected: &[Line], text: &[u8]) {
    let total = long(expected.len());
    for from in [1, 2, 17, total / 2, total.saturating_sub(3), total, total + 1, total + 50] {
        let window = logs.lines(key, from, 20).await.unwrap();
        assert_eq!((window.lines, window.size), (total, long(text.len())));
        let first = usize::try_from(from.max(1) - 1).unwrap().min(expected.len());
        assert_eq!(window.items, expected[first..expected.len().min(first + 20)], "from line {from}");
    }
}

#[tokio::test]
async fn any_line_is_found_while_the_log_grows_and_when_it_is_packed() {
    let mut text = babble(20_000);
    text.extend_from_slice(b"the last line has not ended");
    assert!(text.len() > 3 * limits::LOG_FRAME_BYTES, "{}", text.len());
    let expected = split(&text);
    let (folder, logs, cli) = stored(&text).await;
    compare(&logs, cli, &expected, &text).await;
    logs.pack(cli.attempt.run).await.unwrap();
    compare(&logs, cli, &expected, &text).await;
    let again = Logs::open(folder.path(), u64::MAX).unwrap();
    compare(&again, cli, &expected, &text).await;
}

#[tokio::test]
async fn lines_are_counted_on_as_they_come() {
    let (_folder, logs, cli) = stored(b"one\ntw").await;
    let seen = |window: LineWindow| (window.lines, window.items.last().map(|line| line.bytes.clone()));
    assert_eq!(seen(logs.lines(cli, 1, 9).await.unwrap()), (2, Some(b"tw".to_vec())));
    write(&logs, cli, 6, b"o\n").await;
    assert_eq!(seen(logs.lines(cli, 1, 9).await.unwrap()), (2, Some(b"two".to_vec())));
    write(&logs, cli, 8, b"three").await;
    assert_eq!(seen(logs.lines(cli, 3, 9).await.unwrap()), (3, Some(b"three".to_vec())));
    write(&logs, cli, 4, b"two\nth").await;
    assert_eq!(seen(logs.lines(cli, 1, 9).await.unwrap()), (3, Some(b"three".to_vec())), "repeated");
}

#[tokio::test]
async fn what_fills_a_gap_later_is_counted_anew() {
    let (_folder, logs, cli) = stored(b"").await;
    write(&logs, cli, 100, b"after\n").await;
    let before = logs.lines(cli, 1, 0).await.unwrap().lines;
    let filling: &'static [u8] = Box::leak(vec![b'\n'; 100].into_boxed_slice());
    write(&logs, cli, 0, filling).await;
    assert_eq!((before, logs.lines(cli, 1, 0).await.unwrap().lines), (3, 101));
}

#[tokio::test]
async fn a_log_that_is_not_there_is_empty() {
    let (_folder, logs, _) = stored(b"").await;
    assert_eq!(logs.lines(key(9, Stream::Cli), 1, 10).await.unwrap(), LineWindow::default());
    assert_eq!(found(&logs, key(9, Stream::Cli), &text("x")).await, (vec![], Progress::default()));
}

#[tokio::test]
async fn a_line_of_megabytes_costs_no_more_than_its_beginning() {
    let mut text = b"short\n".to_vec();
    text.extend(vec![b'x'; 3 * limits::LOG_FRAME_BYTES]);
    text.extend_from_slice(b"needle\nafter\n");
    let (_folder, logs, cli) = stored(&text).await;
    let window = logs.lines(cli, 1, 9).await.unwrap();
    let told: Vec<_> = window.items.iter().map(|line| (line.line, line.length, line.bytes.len())).collect();
    let length = 3 * limits::LOG_FRAME_BYTES + 6;
    assert_eq!(told, [(1, 5, 5), (2, long(length), limits::LOG_LINE_BYTES), (3, 5, 5)]);
    assert_eq!(window.items, split(&text));
    let (hits, _) = found(&logs, cli, &Wanted::Text { text: "needle".to_owned(), case: true }).await;
    let place = length - 6;
    assert_eq!(
        hits.iter().map(|hit| (hit.line, hit.from, hit.ranges.clone())).collect::<Vec<_>>(),
        [(2, 6, vec![(place, place + 6)])]
    );
}

#[tokio::test]
async fn an_answer_has_a_limit() {
    let line = [&vec![b'y'; limits::LOG_LINE_BYTES][..], b"\n"].concat();
    let (_folder, logs, cli) = stored(&line.repeat(600)).await;
    let window = logs.lines(cli, 1, u64::MAX).await.unwrap();
    assert_eq!(window.items.len(), limits::LOG_WINDOW_BYTES / limits::LOG_LINE_BYTES);
    let (_folder, logs, cli) = stored(&b"\n".repeat(5_000)).await;
    let window = logs.lines(cli, 1, u64::MAX).await.unwrap();
    assert_eq!(long(window.items.len()), limits::LOG_LINES_MAX);
}

fn text(text: &str) -> Wanted {
    Wanted::Text { text: text.to_owned(), case: false }
}

fn pattern(text: &str) -> Wanted {
    Wanted::Pattern { text: text.to_owned(), case: true }
}

async fn found(logs: &Logs, key: LogKey, wanted: &Wanted) -> (Vec<Hit>, Progress) {
    let mut heard = logs.search(key, Needle::new(wanted).unwrap(), 1).unwrap();
    let (mut hits, mut last) = (Vec::new(), Progress::default());
    while let Some(said) = heard.recv().await {
        match said {
            Found::Hit(hit) => hits.push(hit),
            Found::Progress(progress) => last = progress,
            Found::Failed(error) => panic!("{error}"),
        }
    }
    (hits, last)
}

/// The numbers of the lines that are found.
async fn numbers(log: &[u8], wanted: &Wanted) -> Vec<u64> {
    let (_folder, logs, cli) = stored(log).await;
    let (hits, last) = found(&logs, cli, wanted).await;
    assert_eq!((last.hits, last.searched), (long(hits.len()), long(log.len())));
    for hit in &hits {
        let line = &split(log)[usize::try_from(hit.line).unwrap() - 1];
        assert_eq!((hit.from, &hit.bytes), (line.from, &line.bytes));
    }
    hits.iter().map(|hit| hit.line).collect()
}

#[tokio::test]
async fn text_and_patterns_are_found_line_by_line() {
    let log = b"alpha\nBeta beta\n\nal.ha\r\ngamma";
    assert_eq!(numbers(log, &text("ALPHA")).await, [1]);
    assert_eq!(numbers(log, &text("al.ha")).await, [4], "characters are not a pattern");
    assert_eq!(numbers(log, &pattern("al.ha")).await, [1, 4]);
    assert_eq!(numbers(log, &pattern("ha$")).await, [1, 4], "what ends a line is not in it");
    assert_eq!(numbers(log, &pattern("^$")).await, [3]);
    assert_eq!(numbers(log, &pattern("gamma|beta")).await, [2, 5]);
    assert_eq!(numbers(log, &pattern(r"a\s+B")).await, [0_u64; 0], "no match reaches over the end of a line");
    assert_eq!(numbers(log, &pattern(r"(?s)a.*m")).await, [5]);
    assert_eq!(numbers(log, &pattern(r"[^q]*")).await, [1, 2, 3, 4, 5]);
    assert_eq!(numbers(b"a\xff\xfeb\n", &pattern("b")).await, [1], "bytes that are no text");
    let (_folder, logs, cli) = stored(log).await;
    let (hits, _) = found(&logs, cli, &text("beta")).await;
    assert_eq!(hits[0].ranges, [(0, 4), (5, 9)], "every place in the line");
}

#[test]
fn a_pattern_that_cannot_be_used_says_why() {
    let told = |wanted: &Wanted| Needle::new(wanted).unwrap_err().to_string();
    assert_eq!(told(&text("")), "the pattern is empty");
    assert_eq!(told(&text(&"x".repeat(1_025))), "the pattern has 1025 bytes, more than 1024");
    assert!(told(&pattern("a(b")).contains("unclosed group"), "{}", told(&pattern("a(b")));
    assert!(
        told(&pattern(r"(\w{1000}){1000}")).contains("size limit"),
        "{}",
        told(&pattern(r"(\w{1000}){1000}"))
    );
}

#[tokio::test]
async fn errors_are_what_went_wrong_and_steps_are_headings() {
    let log = b"## log in (line 4)\nno errors\n0 failed, 3 passed\nconnect: Connection refused\nERROR: x\nnoerrors\nterror\nTraceback (most recent call last):\nE       assert 1 == 2\ne  pluribus\n==== test_a ====\n% Invalid input detected\nwithout fail\nnot ok 3 - ping\ninput errors 0, CRC errors: 0\noutput errors 07\nerrors 0x1f\n\x1b[1;31mError\x1b[0m: y\n";
    assert_eq!(numbers(log, &Wanted::Errors).await, [4, 5, 8, 9, 12, 14, 16, 17, 18]);
    assert_eq!(numbers(log, &Wanted::Steps).await, [1, 11]);
}

#[tokio::test]
async fn a_search_lists_so_many_and_counts_the_rest() {
    let (_folder, logs, cli) = stored(&b"hit\n".repeat(12_000)).await;
    let (hits, last) = found(&logs, cli, &text("hit")).await;
    assert_eq!((long(hits.len()), last.hits), (limits::LOG_HITS_MAX, 12_000));
}

#[tokio::test]
async fn a_search_that_nobody_hears_ends_and_gives_its_place_back() {
    let (_folder, logs, cli) = stored(&b"hit\n".repeat(200_000)).await;
    let needle = Needle::new(&text("hit")).unwrap();
    let mut searches: Vec<_> =
        (0..limits::LOG_SEARCHES_MAX).map(|_| logs.search(cli, needle.clone(), 1).unwrap()).collect();
    let refused = logs.search(cli, needle.clone(), 1).unwrap_err();
    assert_eq!(refused.code, ErrorCode::TooMany);
    assert!(matches!(searches[0].recv().await, Some(Found::Hit(_))));
    drop(searches);
    while logs.search(cli, needle.clone(), 1).is_err() {
        tokio::task::yield_now().await;
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever is searched for in whatever log: the lines are those that a reading line by line finds.
    #[test]
    fn a_search_finds_what_a_reading_finds(
        log in proptest::collection::vec(prop_oneof![Just(b'\n'), Just(b'a'), Just(b'b'), Just(b' '), Just(b'\r')], 0..400),
        wanted in prop_oneof![Just("a"), Just("ab*"), Just("^a"), Just("b$"), Just(r"\s+"), Just("(?s)a.b"), Just("[^a]+"), Just("^$"), Just(r"\Ab"), Just(r"a\z"), Just("")],
    ) {
        let wanted = if wanted.is_empty() { text("ba") } else { pattern(wanted) };
        let regex = Needle::new(&wanted).unwrap();
        let expected: Vec<u64> = log.split_inclusive(|byte| *byte == b'\n').zip(1..).filter(|(line, _)| {
            regex.is_in(line.strip_suffix(b"\n").unwrap_or(line))
        }).map(|(_, number)| number).collect();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        prop_assert_eq!(runtime.block_on(numbers(&log, &wanted)), expected);
    }
}
