//! A dialogue over scripted pieces: how bytes were cut on their way makes no difference.

use std::collections::VecDeque;

use futures_util::future::BoxFuture;
use proptest::prelude::*;

use super::*;

/// A device that says some pieces and closes.
struct Script(VecDeque<Vec<u8>>);

impl Channel for Script {
    fn poll_read(&mut self, _cx: &mut Context<'_>, into: &mut Vec<u8>) -> Poll<io::Result<usize>> {
        let piece = self.0.pop_front().unwrap_or_default();
        into.extend_from_slice(&piece);
        Poll::Ready(Ok(piece.len()))
    }

    fn poll_write(&mut self, _cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(&mut self, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn resize(&mut self, _window: Window) -> BoxFuture<'_, io::Result<()>> {
        Box::pin(async { Ok(()) })
    }

    fn close(&mut self) -> BoxFuture<'_, ()> {
        Box::pin(async {})
    }
}

/// Every match until the end, and the error there.
fn dialogue_of(pieces: Vec<Vec<u8>>, patterns: &Patterns) -> (Vec<Match>, String) {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    runtime.block_on(async {
        let pieces = pieces.into_iter().filter(|piece| !piece.is_empty()).collect();
        let mut dialogue = Dialogue::new(Box::new(Script(pieces)), Duration::from_millis(100), Vec::new());
        let mut matches = Vec::new();
        loop {
            match dialogue.expect(patterns, Deadline::after(Duration::from_secs(10))).await {
                Ok(seen) => matches.push(seen),
                Err(error) => return (matches, error.to_string()),
            }
        }
    })
}

proptest! {
    #[test]
    fn any_cut_of_the_same_bytes_gives_the_same_matches(
        text in "[a-c0-9#> \r\n]{0,60}",
        cuts in proptest::collection::vec(any::<prop::sample::Index>(), 0..12),
    ) {
        let patterns = Patterns::regexes(&[r"(?<letter>[a-c])(?<number>\d+)", "(?m)^[a-c]+[#>]", r"\r\n"]).unwrap();
        let mut places: Vec<usize> = cuts.iter().map(|cut| cut.index(text.len() + 1)).collect();
        places.sort_unstable();
        let mut pieces = Vec::new();
        let mut from = 0;
        for place in places {
            pieces.push(text.as_bytes()[from..place].to_vec());
            from = place;
        }
        pieces.push(text.as_bytes()[from..].to_vec());
        prop_assert_eq!(dialogue_of(pieces, &patterns), dialogue_of(vec![text.into_bytes()], &patterns));
    }
}

#[test]
fn groups_and_the_text_before_are_given() {
    let patterns = Patterns::regexes(&["never", r"(?<user>\w+)@(\w+)(!)?"]).unwrap();
    let (matches, _) = dialogue_of(vec![b"hello ana@lab, bye".to_vec()], &patterns);
    let seen = &matches[0];
    assert_eq!(
        (seen.index, seen.before.as_slice(), seen.text.as_slice()),
        (1, &b"hello "[..], &b"ana@lab"[..])
    );
    assert_eq!(seen.groups, [Some(b"ana".to_vec()), Some(b"lab".to_vec()), None]);
    assert_eq!(seen.named["user"], b"ana");
}

#[test]
fn an_error_says_what_was_awaited_and_seen() {
    let patterns = Patterns::regexes(&["login:", "Password:"]).unwrap();
    let (_, error) = dialogue_of(vec![b"boot\r\n\xff\x1b[1mok".to_vec()], &patterns);
    insta::assert_snapshot!(error, @r"the device closed the connection after 0.0ns waiting for `login:` or `Password:`; last seen: boot\n�\u{1b}[1mok");
    let (_, error) = dialogue_of(Vec::new(), &patterns);
    insta::assert_snapshot!(error, @"the device closed the connection after 0.0ns waiting for `login:` or `Password:`; nothing was seen");
}
