//! Suites that go from one project to another: out of it as a file of their own, and into another in its hand.

use std::sync::Arc;

use jackfield_config::{
    Source,
    project::edit::{Change, ProjectEditError, ProjectFile},
};

fn file(text: &str) -> ProjectFile {
    ProjectFile::read(&Arc::new(Source::new("p.xml", text))).value.unwrap()
}

fn paste(xml: &str, parent: &[usize], to: usize) -> Change {
    Change::Paste { xml: xml.to_owned(), parent: parent.to_vec(), to, salt: "salt".to_owned() }
}

const NIGHT: &str = "<Root>
    <TestSuite>
        <tsName>Outer</tsName>
        <!-- The first one tells whether anything works. -->
        <TestSuite>
            <tsName>Inner</tsName>
            <ID>inner</ID>
            <TestCase>
                <tcName>a.py</tcName>
                <ID>first</ID>
            </TestCase>
            <TestCase>
                <tcName>b.py</tcName>
                <Dependency>first:pass</Dependency>
            </TestCase>
        </TestSuite>
    </TestSuite>
</Root>
";

#[test]
fn a_suite_becomes_a_file_of_its_own_with_all_that_is_in_it() {
    insta::assert_snapshot!(file(NIGHT).extract(&[vec![0, 0], vec![0, 0, 1]]).unwrap(), @r#"
    <?xml version="1.0" encoding="UTF-8"?>
    <Root>
        <TestSuite>
            <tsName>Inner</tsName>
            <ID>inner</ID>
            <TestCase>
                <tcName>a.py</tcName>
                <ID>first</ID>
            </TestCase>
            <TestCase>
                <tcName>b.py</tcName>
                <Dependency>first:pass</Dependency>
            </TestCase>
        </TestSuite>
    </Root>
    "#);
    assert!(matches!(file(NIGHT).extract(&[vec![0, 0, 1]]), Err(ProjectEditError::WrongPlace)), "a test");
    assert!(matches!(file(NIGHT).extract(&[vec![7]]), Err(ProjectEditError::NoSuchItem(_))));
}

#[test]
fn it_comes_in_the_hand_of_the_other_file_and_keeps_its_ids() {
    let suite = file(NIGHT).extract(&[vec![0, 0]]).unwrap();
    let mut other =
        file("<Root>\r\n\t<TestSuite>\r\n\t\t<tsName>A</tsName>\r\n\t</TestSuite>\r\n</Root>\r\n");
    assert_eq!(other.change_all(&[paste(&suite, &[], 0)]).unwrap(), [[0]]);
    let text = other.text();
    assert!(
        text.contains("\t<TestSuite>\r\n\t    <tsName>Inner</tsName>\r\n\t    <ID>inner</ID>\r\n"),
        "{text}"
    );
    assert_eq!(text.matches('\n').count(), text.matches("\r\n").count());
    assert!(text.contains("<Dependency>first:pass</Dependency>"));
}

#[test]
fn ids_that_are_used_already_are_new_and_what_depends_on_them_goes_along() {
    let suite = file(NIGHT).extract(&[vec![0, 0]]).unwrap();
    let mut same = file(NIGHT);
    assert_eq!(same.change_all(&[paste(&suite, &[0], 9)]).unwrap(), [[0, 1]]);
    let id = |at: &[usize]| same.get(at, "ID").unwrap();
    assert_eq!((id(&[0, 0]), id(&[0, 0, 0])), ("inner".to_owned(), "first".to_owned()));
    let new = id(&[0, 1, 0]);
    assert!(new != "first" && id(&[0, 1]) != "inner", "{new}");
    assert_eq!(same.get(&[0, 1, 1], "Dependency").unwrap(), format!("{new}:pass"));
    assert_eq!(same.get(&[0, 0, 1], "Dependency").unwrap(), "first:pass");
}

#[test]
fn what_twister_saved_without_anything_around_it_is_taken_and_what_is_none_is_refused() {
    let mut edited = file(NIGHT);
    let bare = "<TestSuite><tsName>Bare</tsName></TestSuite>";
    assert_eq!(edited.change_all(&[paste(bare, &[], 9)]).unwrap(), [[1]]);
    let before = edited.text().to_owned();
    let refused = |edited: &mut ProjectFile, xml: &str, parent: &[usize]| {
        edited.change_all(&[paste(xml, parent, 0)]).unwrap_err().1.to_string()
    };
    assert_eq!(refused(&mut edited, "<Root></Root>", &[]), "there is no suite in it");
    assert!(refused(&mut edited, "<Root>", &[]).starts_with("what should be put here cannot be read: "));
    assert!(
        refused(&mut edited, "<Root><TestCase><tcName>a</tcName></TestCase></Root>", &[])
            .contains("suites stand in the project")
    );
    assert!(refused(&mut edited, bare, &[0, 0, 0]).contains("suites stand in the project"));
    assert_eq!(edited.text(), before);
}
