//! Edits of project files: what is written is what is read, and nothing else changes.

use std::{path::Path, sync::Arc};

use jackfield_config::{
    Project, Source,
    project::{
        Item, Suite,
        edit::{NewItem, ProjectEditError, ProjectFile},
    },
};
use proptest::prelude::*;

fn file(text: &str) -> ProjectFile {
    ProjectFile::read(&Arc::new(Source::new("p.xml", text))).value.unwrap()
}

fn project(text: &str) -> Project {
    Project::read("p", &Arc::new(Source::new("p.xml", text))).usable().unwrap().0
}

fn nightly() -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/lab/projects/nightly.xml");
    std::fs::read_to_string(folder).unwrap()
}

/// The lines that differ: `-` gone, `+` new.
fn changed(before: &str, after: &str) -> String {
    let (before, after): (Vec<&str>, Vec<&str>) = (before.lines().collect(), after.lines().collect());
    let same = before.iter().zip(&after).take_while(|(old, new)| old == new).count();
    let rest = before.len().min(after.len()) - same;
    let tail =
        before.iter().rev().zip(after.iter().rev()).take(rest).take_while(|(old, new)| old == new).count();
    let gone = before[same..before.len() - tail].iter().map(|line| format!("- {line}\n"));
    let new = after[same..after.len() - tail].iter().map(|line| format!("+ {line}\n"));
    gone.chain(new).collect()
}

#[test]
fn each_edit_changes_its_own_lines_only() {
    let text = nightly();
    let mut all = String::new();
    let mut edit = |name: &str, change: &dyn Fn(&mut ProjectFile) -> Result<(), ProjectEditError>| {
        let mut edited = file(&text);
        change(&mut edited).unwrap();
        all.push_str(&format!("{name}\n{}", changed(&text, edited.text())));
    };
    edit("nothing", &|file| file.set(&[0], "Repeat", "2"));
    edit("set a field", &|file| file.set(&[0], "Repeat", "3"));
    edit("fill an empty element", &|file| file.set(&[], "ScriptPost", "a & b.sh"));
    edit("add a field before the items", &|file| file.set(&[1], "Timeout", "5m"));
    edit("add a field to a test", &|file| file.set(&[0, 3], "Repeat", "2"));
    edit("set a property", &|file| file.set_property(&[0, 1], "owner", Some("<dan>")));
    edit("add a property", &|file| file.set_property(&[0, 2, 0], "Runnable", Some("false")));
    edit("remove a property", &|file| file.set_property(&[0, 2, 1], "Running", None));
    edit("add a test in the middle", &|file| {
        file.insert(&[0], 2, &NewItem::Test { file: "n.py".to_owned(), id: Some("n".to_owned()) })
    });
    edit("add a suite at the end", &|file| {
        file.insert(&[], 9, &NewItem::Suite { name: "N".to_owned(), id: Some("n".to_owned()) })
    });
    edit("remove a test", &|file| file.remove(&[1, 0]));
    edit("move a test up", &|file| file.move_to(&[0, 3], &[0], 0));
    insta::assert_snapshot!(all);
}

#[test]
fn a_moved_suite_keeps_all_it_has() {
    let text = nightly();
    let mut edited = file(&text);
    edited.move_to(&[0, 2], &[1], 0).unwrap();
    let (before, after) = (project(&text), project(edited.text()));
    let (Item::Suite(old), Item::Suite(new)) = (&before.suites[0].items[2], &after.suites[1].items[0]) else {
        panic!("both are suites")
    };
    assert_eq!((&old.name, old.items.len()), (&new.name, new.items.len()));
    assert_eq!(before.tests().count(), after.tests().count());
    edited.move_to(&[1, 0], &[0], 2).unwrap();
    assert_eq!(project(edited.text()).suites[0].items.len(), 4);
}

#[test]
fn edits_that_make_no_sense_are_refused() {
    let mut edited = file(&nightly());
    let new = NewItem::Test { file: "x".to_owned(), id: None };
    let refused = |result: Result<(), ProjectEditError>| result.unwrap_err().to_string();
    insta::assert_snapshot!(refused(edited.set(&[7], "Repeat", "1")), @"there is no suite or test at [7]");
    insta::assert_snapshot!(refused(edited.insert(&[], 0, &new)), @"this cannot stand there: suites stand in the project or in suites, tests in suites");
    assert!(matches!(edited.insert(&[0, 0], 0, &new), Err(ProjectEditError::WrongPlace)));
    assert!(matches!(edited.move_to(&[0], &[0, 2], 0), Err(ProjectEditError::WrongPlace)));
    assert!(matches!(edited.remove(&[]), Err(ProjectEditError::WrongPlace)));
    insta::assert_snapshot!(refused(edited.set(&[0], "ConfigFiles", "x")), @"<ConfigFiles> holds elements; name one of them");
    assert_eq!(edited.text(), nightly());
    assert_eq!(edited.find("bgp-routes"), Some(vec![0, 2, 0]));
    assert_eq!(edited.find("nobody"), None);
    assert_eq!((edited.count(&[0]), edited.property(&[0, 1], "owner").as_deref()), (4, Some("ana")));
    assert_eq!(edited.get(&[0, 1], "Timeout").as_deref(), Some("90"));
}

/// A project as plain values: what is written of it must be what is read.
#[derive(Clone, Debug)]
enum Model {
    Suite { name: String, repeat: u32, fields: Vec<(String, String)>, items: Vec<Model> },
    Test { file: String, properties: Vec<(String, String)>, runnable: bool },
}

fn word() -> impl Strategy<Value = String> {
    // Everything that must be escaped, quotes, other alphabets; white space inside, not around.
    "[a-zA-Zé0-9<&>\"'漢/]{1,6}( ?[a-z\\]<]{1,4})?"
        .prop_filter("not the end of CDATA", |text| !text.contains("]]>"))
}

fn pairs() -> impl Strategy<Value = Vec<(String, String)>> {
    prop::collection::btree_map("x[a-z]{8,9}", word(), 0..3).prop_map(|map| map.into_iter().collect())
}

fn model() -> impl Strategy<Value = Vec<Model>> {
    let test = (word(), pairs(), any::<bool>())
        .prop_map(|(file, properties, runnable)| Model::Test { file, properties, runnable })
        .boxed();
    let suite = |items: BoxedStrategy<Vec<Model>>| {
        (word(), 1..5_u32, pairs(), items).prop_map(|(name, repeat, fields, items)| Model::Suite {
            name,
            repeat,
            fields,
            items,
        })
    };
    let leaf = suite(prop::collection::vec(test.clone(), 0..4).boxed()).boxed();
    let nested = leaf.prop_recursive(3, 24, 4, move |inner| {
        let item = prop_oneof![test.clone(), inner];
        suite(prop::collection::vec(item, 0..4).boxed()).boxed()
    });
    prop::collection::vec(nested, 0..3)
}

fn write(file: &mut ProjectFile, parent: &[usize], items: &[Model]) {
    for (at, item) in items.iter().enumerate() {
        let path: Vec<usize> = parent.iter().copied().chain([at]).collect();
        match item {
            Model::Suite { name, repeat, fields, items } => {
                file.insert(
                    parent,
                    at,
                    &NewItem::Suite { name: name.clone(), id: Some(format!("{path:?}")) },
                )
                .unwrap();
                file.set(&path, "Repeat", &repeat.to_string()).unwrap();
                for (key, value) in fields {
                    file.set_property(&path, key, Some(value)).unwrap();
                }
                write(file, &path, items);
            }
            Model::Test { file: name, properties, runnable } => {
                file.insert(parent, at, &NewItem::Test { file: name.clone(), id: Some(format!("{path:?}")) })
                    .unwrap();
                file.set_property(&path, "Runnable", Some(if *runnable { "true" } else { "false" })).unwrap();
                for (key, value) in properties {
                    file.set_property(&path, key, Some(value)).unwrap();
                }
            }
        }
    }
}

fn pairs_of(map: &std::collections::BTreeMap<Arc<str>, Arc<str>>) -> Vec<(String, String)> {
    map.iter().map(|(key, value)| (key.to_string(), value.to_string())).collect()
}

fn check(suite: &Suite, model: &Model) {
    let Model::Suite { name, repeat, fields, items } = model else {
        panic!("a suite where a test was written")
    };
    assert_eq!(
        (suite.name.as_ref(), suite.repeat.value, pairs_of(&suite.user_defined)),
        (name.as_str(), *repeat, fields.clone())
    );
    assert_eq!(suite.items.len(), items.len());
    for (item, model) in suite.items.iter().zip(items) {
        match (item, model) {
            (Item::Suite(inner), model) => check(inner, model),
            (Item::Test(test), Model::Test { file, properties, runnable }) => {
                let read = (test.file.value.as_ref(), pairs_of(&test.properties), test.runnable);
                assert_eq!(read, (file.as_str(), properties.clone(), *runnable));
            }
            (Item::Test(_), Model::Suite { .. }) => panic!("a test where a suite was written"),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn what_is_written_is_what_is_read(model in model()) {
        for start in ["<Root></Root>", "<Root/>", "<?xml version=\"1.0\"?>\n<Root>\n    <libraries/>\n</Root>\n"] {
            let mut written = file(start);
            write(&mut written, &[], &model);
            let read = project(written.text());
            prop_assert_eq!(read.suites.len(), model.len());
            for (suite, model) in read.suites.iter().zip(&model) {
                check(suite, model);
            }
            // All of it taken away again, nothing of it is left.
            for _ in 0..model.len() {
                written.remove(&[0]).unwrap();
            }
            prop_assert_eq!(project(written.text()).suites.len(), 0);
        }
    }
}
