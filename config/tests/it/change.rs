//! Changes of projects as a page makes them: what each is about changes, and nothing else.

use std::{collections::BTreeMap, path::Path, sync::Arc};

use jackfield_config::{
    Source,
    project::edit::{
        Change, ItemKind, NewItem, ProjectEditError, ProjectFile,
        outline::{OutlineItem, item_at},
    },
};
use proptest::prelude::*;

fn file(text: &str) -> ProjectFile {
    ProjectFile::read(&Arc::new(Source::new("p.xml", text))).value.unwrap()
}

fn changed(text: &str, changes: &[Change]) -> String {
    let mut file = file(text);
    file.change_all(changes).unwrap();
    file.text().to_owned()
}

fn set(at: &[usize], field: &str, value: &str) -> Change {
    Change::Set { at: at.to_vec(), field: field.to_owned(), value: value.to_owned() }
}

fn property(at: &[usize], name: &str, value: Option<&str>) -> Change {
    Change::Property { at: at.to_vec(), name: name.to_owned(), nth: 0, value: value.map(str::to_owned) }
}

fn tests(parent: &[usize], at: usize, files: &[&str]) -> Change {
    let items = files.iter().map(|file| NewItem::Test { file: (*file).to_owned(), id: None }).collect();
    Change::Insert { parent: parent.to_vec(), at, items }
}

fn suite(at: usize, name: &str) -> Change {
    Change::Insert { parent: vec![], at, items: vec![NewItem::Suite { name: name.to_owned(), id: None }] }
}

fn moved(items: &[&[usize]], parent: &[usize], to: usize) -> Change {
    let items = items.iter().map(|item| item.to_vec()).collect();
    Change::Move { items, parent: parent.to_vec(), to }
}

fn copied(items: &[&[usize]], parent: &[usize], to: usize, salt: &str) -> Change {
    let items = items.iter().map(|item| item.to_vec()).collect();
    Change::Copy { items, parent: parent.to_vec(), to, salt: salt.to_owned() }
}

/// A file as a person writes it, with comments wherever one may stand.
const BY_HAND: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>
<!-- The night. -->
<Root>
  <stoponfail>true</stoponfail> <!-- since March -->
  <TestSuite>
    <tsName>Smoke</tsName>
    <!-- The first one tells whether anything works. -->
    <TestCase>
      <tcName>a.py</tcName>
      <Repeat><!-- was 5 --> 2 </Repeat>
      <Property><propName>owner</propName><propValue>ana<!-- on leave --></propValue></Property>
    </TestCase>
    <TestCase>
      <tcName>b.py</tcName>
      <ID>b</ID>
      <x-lab:mark xmlns:x-lab=\"urn:x\"/>
    </TestCase>
  </TestSuite>
  <!-- Nothing in it yet. -->
  <TestSuite>
    <tsName>Later</tsName>
  </TestSuite>
</Root>
";

#[test]
fn a_project_made_from_nothing_is_what_a_person_would_have_written() {
    let text = changed(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Root>\n</Root>\n",
        &[
            suite(0, "Smoke"),
            suite(1, "Regression & more"),
            tests(&[0], 0, &["a.py", "b.py"]),
            tests(&[1], 0, &["c.py"]),
            set(&[0], "Repeat", "3"),
            property(&[0, 0], "Prerequisite", Some("true")),
            property(&[], "Release", Some("1.2")),
            set(&[0, 1], "ID", "b"),
            set(&[1, 0], "Dependency", "b:pass"),
            set(&[], "stoponfail", "true"),
        ],
    );
    insta::assert_snapshot!(text);
}

#[test]
fn comments_spaces_and_what_we_do_not_know_stay() {
    assert_eq!(changed(BY_HAND, &[]), BY_HAND);
    let only = |changes: &[Change], from: &str, to: &str| {
        assert_eq!(changed(BY_HAND, changes), BY_HAND.replacen(from, to, 1), "{changes:?}");
    };
    only(&[set(&[0, 0], "Repeat", "7")], "--> 2 <", "--> 7 <");
    only(&[property(&[0, 0], "owner", Some("dan"))], "ana<!--", "dan<!--");
    only(&[set(&[], "stoponfail", "false")], "<stoponfail>true", "<stoponfail>false");
    // An element that says nothing any more goes with its line.
    only(&[set(&[0, 1], "ID", "")], "      <ID>b</ID>\n", "");
    only(&[set(&[0], "tsName", "A<B")], "<tsName>Smoke", "<tsName>A&lt;B");
    only(
        &[tests(&[1], 0, &["c.py"])],
        "<tsName>Later</tsName>\n",
        "<tsName>Later</tsName>\n    <TestCase>\n      <tcName>c.py</tcName>\n    </TestCase>\n",
    );
    // What says the same already is not touched.
    only(&[set(&[0, 0], "Repeat", "2"), set(&[1], "Timeout", "")], "", "");
}

#[test]
fn an_empty_project_keeps_its_comment() {
    let text = changed("<Root>\n  <!-- to be filled -->\n</Root>\n", &[suite(0, "A")]);
    assert_eq!(
        text,
        "<Root>\n  <!-- to be filled -->\n    <TestSuite>\n        <tsName>A</tsName>\n    </TestSuite>\n</Root>\n"
    );
    assert_eq!(
        changed("<Root/>", &[suite(0, "A")]),
        "<Root>\n    <TestSuite>\n        <tsName>A</tsName>\n    </TestSuite>\n</Root>"
    );
}

#[test]
fn a_file_on_one_line_stays_on_one_line_and_other_line_ends_stay_too() {
    let line =
        "<Root><TestSuite><tsName>A</tsName><TestCase><tcName>a</tcName></TestCase></TestSuite></Root>";
    let more = changed(line, &[tests(&[0], 1, &["b"]), property(&[0, 0], "x", Some("1"))]);
    assert!(
        !more.contains('\n') && more.contains("<TestCase><tcName>b</tcName></TestCase></TestSuite>"),
        "{more}"
    );
    let windows = BY_HAND.replace('\n', "\r\n");
    let more = changed(&windows, &[tests(&[1], 0, &["c.py"]), moved(&[&[0, 0]], &[1], 0)]);
    assert_eq!(more.matches('\n').count(), more.matches("\r\n").count(), "{more:?}");
    let with_mark = format!("\u{feff}{BY_HAND}");
    assert_eq!(changed(&with_mark, &[set(&[0, 0], "Repeat", "7")]), with_mark.replacen("--> 2", "--> 7", 1));
}

#[test]
fn items_move_with_all_they_have_and_at_the_indentation_of_their_place() {
    let mut edited = file(BY_HAND);
    let at = edited.change(&moved(&[&[0, 0], &[0, 1]], &[1], 0)).unwrap();
    assert_eq!(at, [[1, 0], [1, 1]]);
    let back = edited.change(&moved(&[&[1, 0], &[1, 1]], &[0], 0)).unwrap();
    assert_eq!(back, [[0, 0], [0, 1]]);
    // A suite goes into a suite: its lines go deeper.
    let deeper = changed(BY_HAND, &[moved(&[&[1]], &[0], 1)]);
    assert!(
        deeper.contains("\n    <TestSuite>\n      <tsName>Later</tsName>\n    </TestSuite>\n    <TestCase>"),
        "{deeper}"
    );
    // Around itself nothing changes, whatever is named besides.
    for to in [0, 1] {
        assert_eq!(changed(BY_HAND, &[moved(&[&[0, 0]], &[0], to)]), BY_HAND, "{to}");
    }
    // The last goes first; what is inside of what moves goes along once.
    let mut edited = file(BY_HAND);
    assert_eq!(edited.change(&moved(&[&[1], &[0], &[0, 1]], &[], 2)).unwrap(), [[0], [1]]);
    assert_eq!(edited.text(), BY_HAND);
    // Out of what stands before it: the way to the place is counted when all is done.
    let mut edited = file(
        "<Root><TestSuite><tsName>A</tsName></TestSuite><TestSuite><tsName>B</tsName></TestSuite></Root>",
    );
    assert_eq!(edited.change(&moved(&[&[0]], &[1], 0)).unwrap(), [[0, 0]]);
    assert_eq!(edited.get(&[0], "tsName").as_deref(), Some("B"));
}

#[test]
fn copies_have_ids_of_their_own_and_depend_on_each_other() {
    let text = "<Root><TestSuite><tsName>A</tsName><ID>1</ID>\
        <TestCase><tcName>1</tcName><ID>x</ID><Repeat>1</Repeat></TestCase>\
        <TestCase><tcName>b</tcName><Dependency>x:pass; other:any</Dependency></TestCase></TestSuite></Root>";
    let mut edited = file(text);
    assert_eq!(edited.change(&copied(&[&[0]], &[], 1, "salt")).unwrap(), [[1]]);
    let (suite, test) = (edited.get(&[1], "ID").unwrap(), edited.get(&[1, 0], "ID").unwrap());
    assert!(suite.len() == 36 && test.len() == 36 && suite != test);
    assert_eq!(edited.get(&[1, 1], "Dependency").unwrap(), format!("{test}:pass; other:any"));
    // What only looks like an ID stays what it is.
    assert_eq!(
        (edited.get(&[1, 0], "tcName").unwrap(), edited.get(&[1, 0], "Repeat").unwrap()),
        ("1".into(), "1".into())
    );
    assert!(edited.text().starts_with(text.strip_suffix("</Root>").unwrap()));
    assert_eq!(
        changed(text, &[copied(&[&[0]], &[], 1, "salt")]),
        edited.text(),
        "the same change gives the same text"
    );
    assert_ne!(changed(text, &[copied(&[&[0]], &[], 1, "other")]), edited.text());
}

#[test]
fn of_several_changes_all_are_made_or_none() {
    let mut edited = file(BY_HAND);
    let refused = edited.change_all(&[set(&[0], "Repeat", "2"), set(&[9], "Repeat", "2")]).unwrap_err();
    assert!(matches!(refused, (0 | 1, ProjectEditError::NoSuchItem(_))));
    let refused = edited.change_all(&[suite(0, "New"), moved(&[&[0]], &[0], 0)]).unwrap_err();
    assert!(matches!(refused, (1, ProjectEditError::WrongPlace)));
    let (_, refused) = edited.change_all(&[set(&[0], "Repaet", "2")]).unwrap_err();
    insta::assert_snapshot!(refused, @"there is no field `Repaet` here; there are tsName, ID, Repeat, PanicDetect, Dependency, SutName, EpId, Labels, libraries, Timeout, Needs");
    for wrong in
        [tests(&[], 0, &["a"]), tests(&[0, 0], 0, &["a"]), moved(&[&[0, 0]], &[], 0), moved(&[&[]], &[0], 0)]
    {
        assert!(edited.change_all(&[wrong]).is_err());
    }
    assert_eq!(edited.text(), BY_HAND);
}

#[test]
fn an_outline_tells_of_everything_in_order_and_finds_the_item_of_a_place() {
    let outline = file(BY_HAND).outline();
    let shown: Vec<String> = outline
        .iter()
        .map(|item| format!("{}{:?} {}", "  ".repeat(item.depth), item.kind, item.name))
        .collect();
    assert_eq!(shown, ["Project ", "  Suite Smoke", "    Test a.py", "    Test b.py", "  Suite Later"]);
    let line_of = |part: &str| {
        let at = BY_HAND.lines().position(|line| line.contains(part)).unwrap();
        u32::try_from(at + 1).unwrap()
    };
    for (part, item) in [
        ("<stoponfail", 0),
        ("<tsName>Smoke", 1),
        ("<propName>owner", 2),
        ("<ID>b", 3),
        ("<tsName>Later", 4),
        ("<!-- Nothing", 0),
    ] {
        assert_eq!(item_at(&outline, (line_of(part), 5)), item, "{part}");
    }
    assert_eq!(item_at(&outline, (0, 0)), 0);
    assert_eq!(outline[2].pairs, [("owner".to_owned(), "ana".to_owned())]);
    assert_eq!(outline[2].fields.get("Repeat").map(String::as_str), Some("2"));
}

fn nightly() -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/lab/projects/nightly.xml");
    std::fs::read_to_string(folder).unwrap()
}

/// The lab's own sample, as Twister's editor wrote it, where it is at hand.
fn samples() -> Vec<String> {
    let sample =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/twister/data/config/projects/default.xml");
    [Some(nightly()), Some(BY_HAND.to_owned()), std::fs::read_to_string(sample).ok()]
        .into_iter()
        .flatten()
        .collect()
}

/// Ways of all items of an outline.
fn ways(outline: &[OutlineItem]) -> Vec<Vec<usize>> {
    let mut counts: Vec<usize> = Vec::new();
    let way = |item: &OutlineItem| {
        counts.truncate(item.depth);
        if let Some(last) = item.depth.checked_sub(1) {
            match counts.get_mut(last) {
                Some(count) => *count += 1,
                None => counts.push(0),
            }
        }
        counts.clone()
    };
    outline.iter().map(way).collect()
}

/// What an item says.
type Said = (ItemKind, BTreeMap<&'static str, String>, Vec<(String, String)>, Vec<String>);

fn said(item: &OutlineItem) -> Said {
    let configs = item.configs.iter().map(|config| format!("{config:?}")).collect();
    (item.kind, item.fields.clone(), item.pairs.clone(), configs)
}

/// A value with everything that must be escaped.
fn value() -> impl Strategy<Value = String> {
    "[a-zA-Zé0-9<&>\"'漢;:]{1,8}".prop_filter("not the end of CDATA", |text| !text.contains("]]>"))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    #[test]
    fn a_change_of_one_value_changes_that_value_only(
        which in any::<prop::sample::Index>(), field in any::<prop::sample::Index>(), value in value(), pair in any::<bool>(),
    ) {
        for text in samples() {
            let mut edited = file(&text);
            let before = edited.outline();
            let nth = which.index(before.len());
            let at = ways(&before)[nth].clone();
            let fields = before[nth].kind.fields();
            let field = fields[field.index(fields.len())];
            let change = if pair { property(&at, "x-new", Some(&value)) } else { set(&at, field, &value) };
            edited.change_all(std::slice::from_ref(&change)).unwrap();
            let after = edited.outline();
            prop_assert_eq!(before.len(), after.len());
            for (place, (old, new)) in before.iter().zip(&after).enumerate() {
                let mut wanted = said(old);
                if place == nth && pair {
                    wanted.2.push(("x-new".to_owned(), value.clone()));
                } else if place == nth {
                    wanted.1.insert(field, value.clone());
                }
                prop_assert_eq!(said(new), wanted);
            }
            // Every comment is where it was, and taking the value back gives the very bytes, where it is a new one.
            prop_assert_eq!(text.matches("<!--").count(), edited.text().matches("<!--").count());
            let back = match (pair, before[nth].fields.get(field)) {
                (true, _) => property(&at, "x-new", None),
                (false, old) => set(&at, field, old.map_or("", String::as_str)),
            };
            let was_there = !pair && before[nth].fields.contains_key(field);
            edited.change_all(&[back]).unwrap();
            let was_empty = !pair && !was_there && text.contains(&format!("<{field}/>"));
            if !was_empty {
                prop_assert_eq!(edited.text(), &text, "{:?}", change);
            }
        }
    }

    #[test]
    fn a_move_loses_nothing_and_another_one_takes_it_back(
        from in any::<prop::sample::Index>(), to in any::<prop::sample::Index>(), place in 0_usize..6,
    ) {
        for text in samples() {
            let mut edited = file(&text);
            let before = edited.outline();
            let all = ways(&before);
            let (item, parent) = (&all[from.index(all.len())], &all[to.index(all.len())]);
            let count = edited.count(parent);
            let Ok(at) = edited.change(&moved(&[item], parent, place.min(count))) else {
                prop_assert_eq!(edited.text(), &text);
                continue;
            };
            let names = |outline: &[OutlineItem]| {
                let mut names: Vec<_> = outline.iter().map(said).collect();
                names.sort();
                names
            };
            prop_assert_eq!(names(&before), names(&edited.outline()));
            let (last, above) = item.split_last().unwrap();
            // Where it was, counted as things are now.
            let same = at[0].split_last().is_some_and(|(_, now)| now == above);
            let before_it = usize::from(same && at[0].last().unwrap() < last);
            let gone_above: Vec<usize> = above.to_vec();
            let target = if all.contains(&gone_above) { gone_above } else { continue };
            if target.starts_with(&at[0]) || shifted(&target, &at[0], item) {
                continue;
            }
            edited.change(&moved(&[&at[0]], &target, last + before_it)).unwrap();
            prop_assert_eq!(edited.outline().iter().map(said).collect::<Vec<_>>(), before.iter().map(said).collect::<Vec<_>>());
        }
    }
}

/// Whether the way to where an item was is another one while it stands elsewhere.
fn shifted(way: &[usize], now: &[usize], was: &[usize]) -> bool {
    let touches = |other: &[usize]| {
        other.split_last().is_some_and(|(last, above)| {
            way.len() > above.len() && way.starts_with(above) && way[above.len()] >= *last
        })
    };
    touches(now) || touches(was)
}
