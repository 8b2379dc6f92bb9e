//! Test configurations of items: named, taken away, put in another order, and switched, in the hand of the file.

use std::sync::Arc;

use jackfield_config::{
    Source,
    project::edit::{Change, ConfigChange, ConfigFlag, NamedConfig, ProjectEditError, ProjectFile, outline},
};

fn file(text: &str) -> ProjectFile {
    ProjectFile::read(&Arc::new(Source::new("p.xml", text))).value.unwrap()
}

fn changed(text: &str, changes: &[ConfigChange]) -> String {
    let mut file = file(text);
    for change in changes {
        file.change(&Change::Config { at: vec![0, 0], change: change.clone() }).unwrap();
    }
    file.text().to_owned()
}

fn add(name: &str) -> ConfigChange {
    ConfigChange::Add { name: name.to_owned() }
}

/// A project with this test in its only suite.
fn project(test: &str) -> String {
    format!(
        "<Root>\n  <TestSuite>\n    <tsName>A</tsName>\n    <TestCase>\n      <tcName>a.py</tcName>{test}\n    </TestCase>\n  </TestSuite>\n</Root>\n"
    )
}

#[test]
fn the_first_one_stands_behind_the_fields_and_before_the_properties() {
    let property = "\n      <Property><propName>x</propName><propValue>1</propValue></Property>";
    let files =
        "\n      <ConfigFiles>\n        <Config name=\"speeds\" enabled=\"true\"/>\n      </ConfigFiles>";
    let (before, after) = (project(property), project(&format!("{files}{property}")));
    assert_eq!(changed(&before, &[add(" speeds ")]), after);
    // And it goes with the last one, as if it had never been there.
    assert_eq!(changed(&after, &[ConfigChange::Remove { nth: 0 }]), before);
    assert_eq!(
        changed(
            "<Root><TestSuite><TestCase><tcName>a</tcName></TestCase></TestSuite></Root>",
            &[add("a<\"b")]
        ),
        "<Root><TestSuite><TestCase><tcName>a</tcName><ConfigFiles><Config name=\"a&lt;&quot;b\" enabled=\"true\"/></ConfigFiles></TestCase></TestSuite></Root>"
    );
}

#[test]
fn what_is_there_is_the_hand_of_the_file() {
    let twister = "\n      <ConfigFiles>\n        <!-- first -->\n        <Config enabled=\"true\" from_suite=\"false\" iterator_default=\"false\" iterator_sof=\"false\" name=\"one\"/>\n      </ConfigFiles>";
    let before = project(twister);
    let two = changed(&before, &[add("two")]);
    let line = "\n        <Config enabled=\"true\" from_suite=\"false\" iterator_default=\"false\" iterator_sof=\"false\" name=\"two\"/>";
    assert_eq!(two, before.replace("name=\"one\"/>", &format!("name=\"one\"/>{line}")));
    // A comment stays where it is, also where nothing else is left.
    let swapped = changed(&two, &[ConfigChange::Move { nth: 1, to: 0 }]);
    assert_eq!(
        swapped,
        two.replace("name=\"one\"", "name=\"?\"")
            .replace("name=\"two\"", "name=\"one\"")
            .replace("name=\"?\"", "name=\"two\"")
    );
    let none = changed(&two, &[ConfigChange::Remove { nth: 0 }, ConfigChange::Remove { nth: 0 }]);
    assert!(none.contains("<ConfigFiles>\n        <!-- first -->\n      </ConfigFiles>"), "{none}");
    // An empty element is filled.
    assert!(
        changed(&project("\n      <ConfigFiles />"), &[add("x")])
            .contains("<ConfigFiles>\n        <Config name=\"x\" enabled=\"true\"/>\n      </ConfigFiles>")
    );
}

#[test]
fn a_switch_changes_its_attribute_alone() {
    let set = |flag, on| ConfigChange::Set { nth: 0, flag, on };
    let with = |config: &str| project(&format!("\n      <ConfigFiles>{config}</ConfigFiles>"));
    for (before, flag, on, after) in [
        ("<Config name='a' />", ConfigFlag::StopOnFail, true, "<Config name='a' iterator_sof=\"true\" />"),
        ("<Config name='a'/>", ConfigFlag::StopOnFail, false, "<Config name='a'/>"),
        ("<Config name='a'/>", ConfigFlag::Enabled, true, "<Config name='a'/>"),
        ("<Config name='a'/>", ConfigFlag::Enabled, false, "<Config name='a' enabled=\"false\"/>"),
        (
            "<Config enabled=\"FALSE\" name='a'></Config>",
            ConfigFlag::Enabled,
            true,
            "<Config enabled=\"true\" name='a'></Config>",
        ),
        (
            "<Config enabled=\"TRUE\" name='a'/>",
            ConfigFlag::Enabled,
            true,
            "<Config enabled=\"TRUE\" name='a'/>",
        ),
        (
            "<Config\n  name='a'\n  iterator_default = 'true'/>",
            ConfigFlag::DefaultOnly,
            false,
            "<Config\n  name='a'\n  iterator_default = 'false'/>",
        ),
    ] {
        assert_eq!(changed(&with(before), &[set(flag, on)]), with(after), "{before}");
    }
}

#[test]
fn the_outline_says_what_is_named_and_what_is_refused_changes_nothing() {
    let text = project(
        "\n      <ConfigFiles><Config name=\"a\" enabled=\"false\" iterator_sof=\"true\"/><Config/></ConfigFiles>",
    );
    let outline = file(&text).outline();
    let named = |name: &str, enabled, default_only, stop_on_fail| NamedConfig {
        name: name.to_owned(),
        enabled,
        default_only,
        stop_on_fail,
    };
    assert_eq!(outline[2].configs, [named("a", false, false, true)]);
    for (change, told) in [
        (add("a"), "`a` cannot be added"),
        (add("  "), "cannot be added"),
        (ConfigChange::Remove { nth: 1 }, "no test configuration number 1"),
        (ConfigChange::Move { nth: 9, to: 0 }, "no test configuration number 9"),
    ] {
        let mut edited = file(&text);
        let error: ProjectEditError = edited.change(&Change::Config { at: vec![0, 0], change }).unwrap_err();
        assert!(error.to_string().contains(told), "{error}");
        assert_eq!(edited.text(), text);
    }
    assert_eq!(changed(&text, &[ConfigChange::Move { nth: 0, to: 9 }]), text);
}

#[test]
fn several_items_are_one_change() {
    let text = "<Root>\n  <TestSuite>\n    <tsName>A</tsName>\n    <TestCase>\n      <tcName>a</tcName>\n    </TestCase>\n    <TestCase>\n      <tcName>b</tcName>\n    </TestCase>\n  </TestSuite>\n</Root>\n";
    let mut edited = file(text);
    let changes = [vec![0], vec![0, 0], vec![0, 1]].map(|at| Change::Config { at, change: add("x") });
    assert_eq!(edited.change_all(&changes).unwrap(), [vec![0, 1]]);
    assert_eq!(edited.outline().iter().map(|item| item.configs.len()).collect::<Vec<_>>(), [0, 1, 1, 1]);
    assert_eq!(edited.text().matches("<ConfigFiles>").count(), 3);
}

#[test]
fn ids_of_items_are_those_of_a_run() {
    let text = "<Root><TestSuite><tsName>A</tsName><TestCase><tcName>a</tcName></TestCase><TestSuite><tsName>B</tsName><ID>own</ID><TestCase><tcName>b</tcName></TestCase></TestSuite><TestCase><tcName>c</tcName></TestCase></TestSuite><TestSuite><tsName>C</tsName><TestCase><tcName>d</tcName></TestCase></TestSuite></Root>";
    let outline = file(text).outline();
    let ids = outline::ids(&outline);
    let lab = jackfield_config::Lab::nowhere();
    let plan = jackfield_config::check_project_text("p.xml", text.to_owned(), &lab, &Default::default())
        .plan
        .unwrap();
    let tests: Vec<_> = outline
        .iter()
        .zip(&ids)
        .filter(|(item, _)| item.fields.contains_key("tcName"))
        .map(|(_, id)| id.clone().unwrap())
        .collect();
    assert_eq!(tests, plan.tests.iter().map(|test| test.origin.clone()).collect::<Vec<_>>());
    let suites: Vec<_> = outline
        .iter()
        .zip(&ids)
        .filter(|(item, _)| !item.fields.contains_key("tcName"))
        .map(|(_, id)| id.clone())
        .collect();
    assert_eq!(suites[0], None);
    assert_eq!(
        suites[1..].iter().flatten().cloned().collect::<Vec<_>>(),
        plan.suites.iter().map(|suite| suite.origin.clone()).collect::<Vec<_>>()
    );
}
