//! Files of named values as a page changes them: what each change is about, and nothing else.

use std::sync::Arc;

use jackfield_config::{
    Source,
    params::{
        ParamKind, Params,
        edit::{NewParam, ParamChange, ParamField, ParamItemKind, ParamsFile},
    },
};
use proptest::prelude::*;

fn file(text: &str) -> ParamsFile {
    ParamsFile::read(&Arc::new(Source::new("c", text))).value.unwrap()
}

fn changed(text: &str, changes: &[ParamChange]) -> String {
    let mut file = file(text);
    file.change_all(changes).unwrap();
    file.text().to_owned()
}

fn set(at: &[usize], field: ParamField) -> ParamChange {
    ParamChange::Set { at: at.to_vec(), field }
}

fn value(name: &str, value: &str, kind: ParamKind) -> NewParam {
    NewParam::Value { name: name.to_owned(), value: value.to_owned(), kind }
}

/// As the book has it.
const BY_HAND: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>
<root>
    <folder>
        <fname>comp</fname>
        <param><name>property_1</name><value>5</value><type>decimal</type></param>
        <param><name>iterator_1</name><value>3, 1..3</value><type>iterator</type></param>
    </folder>
</root>
";

#[test]
fn an_empty_file_is_filled_as_a_person_fills_it() {
    let empty = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<root>\n</root>\n";
    let made = changed(
        empty,
        &[
            ParamChange::Insert { parent: vec![], at: 0, items: vec![NewParam::Folder("comp".into())] },
            ParamChange::Insert {
                parent: vec![0],
                at: 0,
                items: vec![
                    value("property_1", "5", ParamKind::Decimal),
                    value("iterator_1", "3, 1..3", ParamKind::Iterator),
                ],
            },
        ],
    );
    assert_eq!(made, BY_HAND);
}

/// Twister's own hand, with comments.
const TWISTER: &str = "<root>\r\n\t<!-- Level_1 -->\r\n\t<folder>\r\n\t\t<fname>A</fname>\r\n\t\t<fdesc />\r\n\t\t<param>\r\n\t\t\t<name>one</name>\r\n\t\t\t<value> 1 <!-- volts --></value>\r\n\t\t\t<desc />\r\n\t\t\t<type>string</type>\r\n\t\t</param>\r\n\t\t<!-- Level_2 -->\r\n\t\t<folder>\r\n\t\t\t<fname>B</fname>\r\n\t\t</folder>\r\n\t</folder>\r\n</root>\r\n";

#[test]
fn what_is_new_is_written_in_the_hand_of_the_file() {
    let added = changed(
        TWISTER,
        &[ParamChange::Insert {
            parent: vec![0, 1],
            at: 0,
            items: vec![value("t<wo", "a&b", ParamKind::Text)],
        }],
    );
    let new = "\r\n\t\t\t<param>\r\n\t\t\t\t<name>t&lt;wo</name>\r\n\t\t\t\t<value>a&amp;b</value>\r\n\t\t\t\t<desc/>\r\n\t\t\t\t<type>string</type>\r\n\t\t\t</param>";
    assert_eq!(added, TWISTER.replace("<fname>B</fname>", &format!("<fname>B</fname>{new}")));
    assert_eq!(changed(&added, &[ParamChange::Remove { items: vec![vec![0, 1, 0]] }]), TWISTER);
}

#[test]
fn one_thing_that_is_said_changes_one_place() {
    for (at, field, before, after) in [
        (vec![0], ParamField::Name("Z".into()), "<fname>A<", "<fname>Z<"),
        (vec![0], ParamField::Description("all".into()), "<fdesc />", "<fdesc>all</fdesc>"),
        (vec![0, 0], ParamField::Name("uno".into()), "<name>one<", "<name>uno<"),
        (vec![0, 0], ParamField::Value("2".into()), " 1 <!--", " 2 <!--"),
        (vec![0, 0], ParamField::Description("d".into()), "<desc />", "<desc>d</desc>"),
        (vec![0, 0], ParamField::Kind(ParamKind::Iterator), ">string<", ">iterator<"),
        (vec![0, 0], ParamField::Kind(ParamKind::Text), "one", "one"),
    ] {
        assert_eq!(changed(TWISTER, &[set(&at, field.clone())]), TWISTER.replace(before, after), "{field:?}");
    }
    // A value is all that stands between the tags; one that says nothing is no reason for an element.
    let text = "<root><param><name>a</name><value> 1 </value></param></root>";
    assert_eq!(changed(text, &[set(&[0], ParamField::Value(" 2".into()))]), text.replace("> 1 <", "> 2<"));
    assert_eq!(changed(text, &[set(&[0], ParamField::Value(" 1 ".into()))]), text);
    assert_eq!(changed(text, &[set(&[0], ParamField::Description(String::new()))]), text);
    assert_eq!(
        changed(text, &[set(&[0], ParamField::Kind(ParamKind::Decimal))]),
        text.replace("</param>", "<type>decimal</type></param>")
    );
    // `integer` is a number already.
    let old = "<root><param><name>a</name><type>integer</type></param></root>";
    assert_eq!(changed(old, &[set(&[0], ParamField::Kind(ParamKind::Decimal))]), old);
}

#[test]
fn things_move_as_they_stand() {
    let moved = |items: &[&[usize]], parent: &[usize], to| ParamChange::Move {
        items: items.iter().map(|way| way.to_vec()).collect(),
        parent: parent.to_vec(),
        to,
    };
    let there = changed(TWISTER, &[moved(&[&[0, 0]], &[0, 1], 0)]);
    assert!(there.contains("\t\t\t<fname>B</fname>\r\n\t\t\t<param>\r\n\t\t\t\t<name>one</name>\r\n\t\t\t\t<value> 1 <!-- volts --></value>"), "{there}");
    let mut file = file(TWISTER);
    assert_eq!(file.change_all(&[moved(&[&[0, 1]], &[], 1)]).unwrap(), [vec![1]]);
    assert_eq!(file.change_all(&[moved(&[&[1]], &[], 0)]).unwrap(), [vec![0]]);
    let copy = ParamChange::Copy { items: vec![vec![0]], parent: vec![1], to: 9 };
    assert_eq!(file.change_all(&[copy]).unwrap(), [vec![1, 1]]);
}

#[test]
fn what_cannot_be_is_refused_whole() {
    let item = |name: &str| ParamChange::Insert {
        parent: vec![],
        at: 9,
        items: vec![NewParam::Folder(name.into())],
    };
    let inside = |from: &[usize], to: &[usize]| ParamChange::Move {
        items: vec![from.to_vec()],
        parent: to.to_vec(),
        to: 0,
    };
    for (wrong, told) in [
        (set(&[7], ParamField::Name("x".into())), "no folder or value at [7]"),
        (set(&[], ParamField::Name("x".into())), "no folder or value at []"),
        (set(&[0], ParamField::Value("x".into())), "a folder has a name"),
        (set(&[0], ParamField::Name("a/b".into())), "`a/b` is no name"),
        (set(&[0], ParamField::Name(" ".into())), "is no name"),
        (item("a/b"), "`a/b` is no name"),
        (item(""), "is no name"),
        (inside(&[0], &[0]), "cannot stand there"),
        (inside(&[0], &[0, 1]), "cannot stand there"),
        (inside(&[0, 1], &[0, 0]), "cannot stand there"),
        (ParamChange::Remove { items: vec![vec![]] }, "cannot stand there"),
    ] {
        let mut edited = file(TWISTER);
        let (at, error) = edited.change_all(&[item("fine"), wrong.clone()]).unwrap_err();
        assert!(at == 1 && (error.to_string().contains(told)), "{wrong:?}: {at} {error}");
        assert_eq!(edited.text(), TWISTER, "{wrong:?}");
    }
}

#[test]
fn the_outline_counts_what_iterates() {
    let text = BY_HAND.replace("3, 1..3", "3, 1..3, x");
    let shown: Vec<_> = file(&text)
        .outline()
        .into_iter()
        .map(|item| (item.kind, item.depth, item.name, item.values))
        .collect();
    assert_eq!(
        shown,
        [
            (ParamItemKind::File, 0, String::new(), None),
            (ParamItemKind::Folder, 1, "comp".to_owned(), None),
            (ParamItemKind::Value, 2, "property_1".to_owned(), None),
            (ParamItemKind::Value, 2, "iterator_1".to_owned(), Some(4)),
        ]
    );
    let endless = BY_HAND.replace("3, 1..3", "1..100000000");
    assert_eq!(file(&endless).outline()[3].values, None);
}

proptest! {
    /// Whatever is typed as a value is what a test reads.
    #[test]
    fn a_value_is_read_as_it_was_set(text in "\\PC{0,30}") {
        let after = changed(BY_HAND, &[set(&[0, 0], ParamField::Value(text.clone()))]);
        let read = Params::read(&Arc::new(Source::new("c", after.as_str()))).value.unwrap();
        prop_assert_eq!(read.get("comp/property_1").unwrap().to_json(), serde_json::json!(text));
    }

    /// There and back is nothing: the bytes are the same.
    #[test]
    fn an_added_value_that_goes_leaves_no_trace(nth in 0_usize..4, at in prop::sample::select(vec![vec![], vec![0]])) {
        let mut edited = file(BY_HAND);
        let about = edited.change_all(&[ParamChange::Insert { parent: at, at: nth, items: vec![value("new", "1", ParamKind::Text)] }]).unwrap();
        edited.change_all(&[ParamChange::Remove { items: about }]).unwrap();
        prop_assert_eq!(edited.text(), BY_HAND);
    }
}
