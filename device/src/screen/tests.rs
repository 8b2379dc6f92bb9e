//! A screen over scripted bytes: what it shows, and that no cut of them makes a difference.

use proptest::prelude::*;

use super::*;
use crate::screen::view::Sought;
use jackfield_config::steps::Awaited;

const SMALL: Window = Window { rows: 4, columns: 12 };

fn shown(bytes: &[u8]) -> View {
    let mut screen = Screen::new(SMALL);
    screen.feed(bytes);
    screen.view()
}

#[test]
fn what_programs_draw_is_seen() {
    for (sent, text) in [
        (&b"one\r\ntwo\x1b[1;1Hten"[..], "ten\ntwo"),
        // A frame of the line drawing set, as curses draws where there is no UTF-8.
        (b"\x1b(0lqk\r\nx\x1b(B \x1b(0x\x1b(B", "┌─┐\n│ │"),
        // The screen of before comes back when the program ends.
        (b"$ vi\x1b[?1049h\x1b[2J~\r\n~\x1b[?1049l", "$ vi"),
        ("caf\u{e9} \u{4e2d}\u{6587}".as_bytes(), "café 中文"),
        (b"\xff\xfe", "\u{fffd}\u{fffd}"),
        (b"1\r\n2\r\n3\r\n4\r\n5", "2\n3\n4\n5"),
        (b"\x1b]0;a title\x07ok", "ok"),
    ] {
        assert_eq!(shown(sent).text(), text, "{sent:?}");
    }
}

#[test]
fn the_chosen_line_of_a_menu_and_the_cursor_are_known() {
    let view = shown(b"\x1b[?25l one\r\n\x1b[7m two \x1b[0m x\r\n three");
    assert_eq!(view.highlighted, [view::Highlight { row: 1, column: 0, text: "two".to_owned() }]);
    assert_eq!(view.cursor, view::Cursor { row: 2, column: 6, visible: false });
}

#[test]
fn a_device_that_asks_its_terminal_is_answered() {
    let mut screen = Screen::new(SMALL);
    for byte in b"ab\r\nc\x1b[6n\x1b[5nd\x1b[c\x1b[>c\x1bZ\x1b[6n\x1b[?6n" {
        screen.feed(&[*byte]);
    }
    let answers = String::from_utf8(screen.answers().clone()).unwrap();
    assert_eq!(answers, "\x1b[2;2R\x1b[0n\x1b[?62c\x1b[>1;10;0c\x1b[?62c\x1b[2;3R");
    screen.feed(&b"\x1b[6n".repeat(100_000));
    assert!(screen.answers().len() <= ANSWER_BYTES_MAX);
}

#[test]
fn a_screen_of_another_size_is_drawn_anew() {
    let mut screen = Screen::new(SMALL);
    screen.feed(b"\x1b[?1049h\x1b[4;1Hstatus");
    screen.resize(Window { rows: 2, columns: 6 });
    screen.feed(b"\x1b[2J\x1b[2;1Hend");
    let view = screen.view();
    assert_eq!((view.text().as_str(), view.rows, view.columns), ("\nend", 2, 6));
}

#[test]
fn what_is_sought_is_found_by_line() {
    let view = shown("Menu\r\n 1 Größe\r\n 2 Exit".as_bytes());
    let found = |awaited: &[Awaited]| Sought::new(awaited).unwrap().find(&view);
    let pattern = |text: &str| Awaited::Pattern(text.to_owned());
    let seen = found(&[pattern("never"), pattern(r"^ (?<number>\d) (Gr\w+)$")]).unwrap();
    assert_eq!((seen.index, seen.text.as_str()), (1, " 1 Größe"));
    assert_eq!(seen.groups, [Some("1".to_owned()), Some("Größe".to_owned())]);
    assert_eq!(seen.named, [("number".to_owned(), "1".to_owned())]);
    assert!(found(&[Awaited::Exact("1 Gr.ße".to_owned())]).is_none());
    assert!(found(&[Awaited::Exact("1 Größe".to_owned())]).is_some());
    insta::assert_snapshot!(Sought::new(&[pattern("(a")]).unwrap_err(), @"`(a` cannot be looked for on a screen: unclosed group");
    insta::assert_snapshot!(Sought::new(&[Awaited::End]).unwrap_err(), @"a screen shows neither the end of the dialogue nor that of the time: look for texts and regular expressions");
}

proptest! {
    #[test]
    fn any_cut_of_the_same_bytes_shows_the_same(
        bytes in proptest::collection::vec(prop_oneof![any::<u8>(), Just(0x1b), Just(b'['), b'0'..=b'z'], 0..200),
        cuts in proptest::collection::vec(any::<prop::sample::Index>(), 0..8),
    ) {
        let mut places: Vec<usize> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
        places.extend([0, bytes.len()]);
        places.sort_unstable();
        let (mut whole, mut cut) = (Screen::new(SMALL), Screen::new(SMALL));
        whole.feed(&bytes);
        for two in places.windows(2) {
            cut.feed(&bytes[two[0]..two[1]]);
        }
        prop_assert_eq!(cut.view(), whole.view());
        prop_assert_eq!(cut.answers(), whole.answers());
    }
}
