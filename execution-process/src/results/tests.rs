//! Files as tools write them, and a model of every tool that writes any: however it ends, a PASS means that its tests ran to their end.

use proptest::prelude::*;

use super::*;

mod model;

fn read(text: impl AsRef<[u8]>) -> Cases {
    read_with(text, Habits::default())
}

fn read_with(text: impl AsRef<[u8]>, habits: Habits) -> Cases {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("out.xml");
    std::fs::write(&path, text).unwrap();
    read_file(&path, habits).unwrap()
}

/// The verdict and the parts, a line each.
fn shown(cases: &Cases) -> String {
    let outcome = cases.outcome().map_or("nothing".to_owned(), |outcome| {
        format!("{} {} {}", outcome.verdict, outcome.cause.map_or("-", Cause::as_str), outcome.reason)
    });
    let parts = cases
        .parts
        .iter()
        .map(|part| format!("  {} {} ({} ms) {}", part.verdict, part.name, part.elapsed_millis, part.reason));
    std::iter::once(outcome)
        .chain(parts)
        .map(|line| line.trim_end().to_owned())
        .collect::<Vec<_>>()
        .join("\n")
}

#[test]
fn junit_files_are_read_as_many_tools_write_them() {
    let files = [
        r#"<testsuite><testcase classname="c" name="a" time="0,250"/><testcase name="b" time="1,200.5"><system-out><![CDATA[<failure/>]]></system-out></testcase></testsuite>"#,
        r#"<testsuite><testcase name="a"><failure message="broken"/><skipped message="later"/></testcase><testcase name="b"/></testsuite>"#,
        r#"<testsuite><testcase name="a"><skipped/><error message="x &lt; y">trace</error></testcase></testsuite>"#,
        r#"<testsuite><testcase name="a"><failure>
            expected up, the port is down
            at line 3</failure><failure message="second"/><failure type="T"/></testcase></testsuite>"#,
        r#"<testsuites tests="1"><testsuite name="P" tests="1" disabled="1"><testcase name="d" status="notrun" result="suppressed"/></testsuite></testsuites>"#,
        r#"<testsuite><testcase name="a" status="run" result="completed"/><testcase name="b" status="run" result="skipped"/></testsuite>"#,
        r#"<testsuite><testcase name="a"><disabled/></testcase><testcase name="b"><aborted/></testcase></testsuite>"#,
        r#"<testsuites><testsuite name="Database" tests="2" errors="1"><error message="the fixture exploded">t</error><testcase name="t"/></testsuite></testsuites>"#,
        r#"<testsuite name="s" tests="2" failures="1"><testcase name="a"/><testcase name="b"/></testsuite>"#,
        r#"<testsuite name="s" tests="3"/>"#,
        r#"<testsuite tests="2"><testcase classname="t" name="a"/><testcase time="17.190"/></testsuite>"#,
        r#"<testsuites><testsuite name="s" tests="3"><testcase name="a"/><testcase name="b"/>"#,
        r#"<testsuite><testcase name="a"><failure message="x"/></testcase><testcase name="b">"#,
        r#"<testsuite><testcase name="a"/></testsuite><testsuite/>"#,
        r#"<testsuite/>"#,
        r#"<testcase name="x"></y>"#,
        r#"<testsuite><testcase name="a"><flakyFailure message="once"/></testcase></testsuite>"#,
        r#"<testsuite><testcase name="a"><rerunFailure message="once"/><rerunError message="twice"/></testcase></testsuite>"#,
        r#"<testsuite><testcase name="a"><failure message="third"/><rerunFailure message="first"/></testcase></testsuite>"#,
        r#"<testsuite><testcase name="a" status="hung"/><testcase name="b" result="crash"/></testsuite>"#,
        r#"<testsuite name="s" tests="5"><testcase name="a"/></testsuite>"#,
        r#"<testsuite name="catch" hostname="tbd" tests="57"><testcase name="a"/></testsuite>"#,
        r#"<testsuites><testsuite name="pytest" errors="0" failures="0" skipped="0" tests="0"><testcase classname="t" name="test_x"/></testsuite></testsuites>"#,
        r#"<testsuite><testcase name="a"><skipped message="one"/></testcase><testcase name="b"><skipped message="two"/></testcase></testsuite>"#,
    ];
    let lines: Vec<String> = files.iter().map(|file| format!("{file}\n{}\n", shown(&read(file)))).collect();
    insta::assert_snapshot!(lines.join("\n"));
}

#[test]
fn tries_of_pytest_before_the_last_are_no_tests() {
    let file = r#"<testsuite><testcase classname="t" name="a"/><testcase classname="t" name="a"/><testcase classname="t" name="a"><failure message="third"/></testcase>
        <testcase classname="t" name="b"/><testcase classname="t" name="b"/><testcase classname="t" name="c"><failure message="f"/></testcase><testcase classname="t" name="c"><error message="e"/></testcase></testsuite>"#;
    let habits = Habits { reruns: true, own_faults: &[] };
    insta::assert_snapshot!(shown(&read_with(file, habits)));
    assert_eq!(read(file).total, 7);
}

#[test]
fn a_module_that_cannot_be_imported_is_called_by_its_name() {
    let file = "<testsuite><testcase name='t'><error message='collection failure'>t.py:1: in &lt;module&gt;\n    import nope\nE   ModuleNotFoundError: No module named 'nope'</error></testcase></testsuite>";
    let outcome = read(file).outcome().unwrap();
    assert_eq!(outcome.cause, Some(Cause::Test));
    assert!(
        outcome.reason.ends_with("collection failure: ModuleNotFoundError: No module named 'nope'"),
        "{}",
        outcome.reason
    );
}

#[test]
fn files_of_other_tools_are_told_by_their_root() {
    let files = [
        r#"<test-run testcasecount="3" result="Failed"><test-suite name="A"><test-case fullname="N.A" result="Passed" duration="0.5"/><test-case fullname="N.B" result="Failed" label="Error"><failure><message>no link</message></failure></test-case><test-case fullname="N.C" result="Skipped"><reason><message>no card</message></reason></test-case></test-suite></test-run>"#,
        r#"<test-run testcasecount="0" result="Failed"><test-suite name="A.dll" runstate="NotRunnable" result="Failed" label="Invalid"><failure><message>no such assembly</message></failure></test-suite></test-run>"#,
        r#"<test-run result="Passed"><test-suite name="F" result="Failed" site="TearDown"><failure><message>TearDown: lost</message></failure><test-case name="a" result="Passed"/></test-suite></test-run>"#,
        r#"<test-run result="Passed"><test-case name="a" result="Strange"/></test-run>"#,
        r#"<test-results total="2" failures="1"><test-suite><results><test-case name="a" executed="True" success="True" time="0.1"/><test-case name="b" executed="True" success="False"><failure><message>two</message></failure></test-case><test-case name="c" executed="False"/></results></test-suite></test-results>"#,
        r#"<assemblies><assembly total="3" failed="1"><errors><error type="assembly-cleanup" name="X"><failure><message>late</message></failure></error></errors><collection><test name="T.a" result="Pass" time="0.01"/><test name="T.b" result="Fail"><failure exception-type="E"><message>one</message></failure></test><test name="T.c" result="Skip"><reason>later</reason></test></collection></assembly></assemblies>"#,
        r#"<testng-results skipped="0" failed="1" total="2" passed="1"><suite><test><class name="a.B"><test-method status="PASS" name="setUp" is-config="true"/><test-method status="PASS" name="x" duration-ms="12"/><test-method status="FAIL" name="y"><exception class="E"><message><![CDATA[no link]]></message></exception></test-method></class></test></suite></testng-results>"#,
        r#"<testng-results><suite><test><class name="a.B"><test-method status="FAIL" name="setUp" is-config="true"/><test-method status="SKIP" name="x"/></class></test></suite></testng-results>"#,
        r#"{"tests": 3, "failures": 1, "testsuites": [{"name": "S", "testsuite": [{"name": "a", "classname": "S", "status": "RUN", "result": "COMPLETED", "time": "0.5s"}, {"name": "b", "classname": "S", "status": "RUN", "result": "COMPLETED", "time": "0s", "failures": [{"failure": "f.cc:3\nno", "type": ""}]}, {"name": "c", "classname": "S", "status": "NOTRUN", "result": "SUPPRESSED"}]}]}"#,
        "{\"Action\":\"start\",\"Package\":\"p\"}\n{\"Action\":\"run\",\"Package\":\"p\",\"Test\":\"TestA\"}\n{\"Action\":\"output\",\"Package\":\"p\",\"Test\":\"TestA\",\"Output\":\"    a_test.go:3: no link\\n\"}\n{\"Action\":\"fail\",\"Package\":\"p\",\"Test\":\"TestA\",\"Elapsed\":0.2}\n{\"Action\":\"run\",\"Package\":\"p\",\"Test\":\"TestB\"}\n{\"Action\":\"skip\",\"Package\":\"p\",\"Test\":\"TestB\"}\n{\"Action\":\"fail\",\"Package\":\"p\"}\n",
        "{\"Action\":\"start\",\"Package\":\"p\"}\n{\"Action\":\"run\",\"Package\":\"p\",\"Test\":\"TestA\"}\n{\"Action\":\"fail\",\"Package\":\"p\"}\n",
        "{\"Action\":\"start\",\"Package\":\"p\"}\n{\"Action\":\"build-output\",\"ImportPath\":\"p\",\"Output\":\"p.go:3: undefined: x\\n\"}\n{\"Action\":\"fail\",\"Package\":\"p\"}\n",
        "TAP version 14\n1..2\nok 1 - a\nnot ok 2 - b\n  ---\n  message: 'no link'\n  ...\n",
    ];
    let lines: Vec<String> = files.iter().map(|file| format!("{file}\n{}\n", shown(&read(file)))).collect();
    insta::assert_snapshot!(lines.join("\n"));
}

#[test]
fn tap_is_read_with_its_directives_its_plan_and_what_stands_beside_it() {
    let files = [
        "1..2\nok 1 - first\nok 2 # SKIP no card\n",
        "ok\nnot ok second\n#   Failed test 'second'\n#   at t.pl line 3.\n#          got: '1'\n#     expected: '2'\n1..2\n# Looks like you failed 1 test of 2.\n",
        "1..0 # SKIP no lab today\n",
        "1..0\n",
        "1..3\nok 1\nok 2\n",
        "1..1\nok 1\nok 2\n",
        "ok 1\nok 2\n",
        "1..2\nok 1\nBail out!  the router is gone\n",
        "Bail out!\n",
        "1..3\nok 1 - a \\# not a directive\nnot ok 2 - b # Todo later\nok 3 - c # todo already\n",
        "1..1\n    1..2\n    ok 1 - inner\n    not ok 2 - inner\nnot ok 1 - outer\n",
        "noise\nokay\nnot okay\n1..1\nok 1\n",
        "1..1\n# Subtest: inner\n    1..2\n    ok 1\n    Bail out! the cable\nok 1 - inner\n",
        "1..2\nok 1 - a\n  ---\n  message: never closed\nok 2 - b\n",
        "1..2\nok 1\nok 2\n1..2\n",
        "1..2\nok 1\nok 1\n",
        "ok 1\n1..2\nok 2\n",
        "1..2\nok 1 - a\n# Subtest: inner\n    ok 1 - one\n      ---\n      at: 3\n      ...\n    not ok 2 - two\n      ---\n      message: 'no link'\n      ...\n    1..2\nok 2 - inner\n",
        "1..1\n    1..1\n        1..1\n        not ok 1 - deep\n    ok 1 - middle\nok 1 - outer\n",
        "1..1\n# Subtest: inner\n    1..3\n    ok 1\nok 1 - inner\n",
        "1..1\n    # Subtest: inner\n    ok 1\nok 1 - inner\n",
        "1..3\n# Subtest: s\n    1..1\n    not ok 1 # todo later\nok 1 - s\n# Subtest: t\n    1..0 # SKIP no card\nok 2 # SKIP no card\n# Subtest: u\n    1..1\n    not ok 1\nnot ok 3 - u # todo all of it\n",
        "1..3\nnot ok 1 - todo # todo soon {\n    not ok 1 - x\n    1..1\n}\nok 2 - fine {\n    ok 1 - x\n    1..1\n}\nok 3 - lies {\n    1..2\n    ok 1 - x\n}\n",
        "1..1\nok 1\n# Subtest: late\n    not ok 1 - lost\n    1..1\n",
        "1..1\n# Subtest: lost\n    not ok 1 - one\n    1..1\n# Subtest: fine\n    ok 1\n    1..1\nok 1 - fine\n",
        "# Subtest: empty\nok 1 - empty\n1..1\n    not ok, as a text has it\n    ok then\n",
    ];
    let lines: Vec<String> = files
        .iter()
        .map(|file| {
            let mut tap = Tap::default();
            file.as_bytes().chunks(3).for_each(|piece| tap.feed(piece));
            format!("{file}=> {}\n", shown(&tap.finish()))
        })
        .collect();
    insta::assert_snapshot!(lines.join("\n"));
}

#[test]
fn a_build_of_go_that_fails_is_told_once_with_what_the_compiler_said() {
    let new = [
        r##"{"ImportPath":"m [m.test]","Action":"build-output","Output":"# m [m.test]\n"}"##,
        r#"{"ImportPath":"m [m.test]","Action":"build-output","Output":"./m_test.go:5:2: undefined: foo\n"}"#,
        r#"{"ImportPath":"m [m.test]","Action":"build-fail"}"#,
        r#"{"Action":"start","Package":"m"}"#,
        r#"{"Action":"output","Package":"m","Output":"FAIL\tm [build failed]\n"}"#,
        r#"{"Action":"fail","Package":"m","Elapsed":0,"FailedBuild":"m [m.test]"}"#,
    ];
    let files =
        [new.as_slice(), &new[3..5], &[new[3], new[4], r#"{"Action":"fail","Package":"m"}"#], &new[..3]];
    let lines: Vec<String> = files
        .iter()
        .map(|lines| {
            let mut reader = GoTest::default();
            lines.iter().for_each(|line| reader.feed(format!("{line}\n").as_bytes()));
            shown(&reader.finish())
        })
        .collect();
    insta::assert_snapshot!(lines.join("\n"));
}

#[test]
fn what_is_no_file_of_results_says_what_it_is() {
    let told = |text: &[u8]| read(text).outcome().unwrap().reason;
    for (text, expect) in [
        (&b"Segmentation fault\n"[..], "they begin with `Segmentation fault`"),
        (b"<html><body>502</body></html>", "its root is `html`"),
        (b"<robot/>", "Robot Framework's output.xml"),
        (b"", "the file is empty"),
        (b"  \n", "the file is empty"),
        (b"{\"a\": 1}", "no whole JSON"),
        (b"<?xml version='1.0' encoding='klingon'?><testsuite/>", "`klingon`"),
    ] {
        assert!(told(text).contains(expect), "{}", told(text));
    }
}

#[test]
fn only_a_regular_file_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let told = |name: &str| read_file(&path(name), Habits::default()).unwrap().outcome().unwrap().reason;
    let mode = rustix::fs::Mode::from_raw_mode(0o600);
    rustix::fs::mknodat(rustix::fs::CWD, path("pipe"), rustix::fs::FileType::Fifo, mode, 0).unwrap();
    std::os::unix::fs::symlink("/dev/zero", path("zero")).unwrap();
    std::fs::create_dir(path("folder")).unwrap();
    let socket = std::os::unix::net::UnixListener::bind(path("socket")).unwrap();
    assert!(told("pipe").contains("is a named pipe, and no file"));
    assert!(told("zero").contains("is a device, and no file"));
    assert!(told("folder").contains("is a folder, and no file"));
    assert!(told("socket").contains("`socket`"));
    drop(socket);
    assert_eq!(read_file(&path("none"), Habits::default()), None);
    std::fs::write(path("real"), "<testsuite><testcase name='a'/></testsuite>").unwrap();
    std::os::unix::fs::symlink(path("real"), path("link")).unwrap();
    let passed = read_file(&path("link"), Habits::default()).unwrap().in_file("link").outcome().unwrap();
    assert_eq!(passed.verdict, Verdict::Pass);
    assert_eq!(passed.decided_by.unwrap().to_string(), "JUnit: 1 passed in link");
}

#[test]
fn files_in_the_encoding_that_they_declare_are_read() {
    let latin = b"<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?><testsuite><testcase name=\"caf\xe9\"><failure message=\"d\xe9faut\"/></testcase></testsuite>";
    assert_eq!(read(latin).outcome().unwrap().reason, "1 of 1 tests failed: café: défaut");
    let wide: Vec<u8> = "\u{feff}<testsuite><testcase name='é'/></testsuite>"
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    assert_eq!(read(wide).parts.first().unwrap().name, "é");
}

#[test]
fn a_long_text_is_passed_over_without_being_kept() {
    let long = "x".repeat(3_000_000);
    let file = format!(
        "<testsuite><testcase name='a'><system-out>{long}</system-out><failure message='{long}'/></testcase></testsuite>"
    );
    let cases = read(file);
    assert_eq!(cases.parts.first().unwrap().reason.chars().count(), RESULT_REASON_CHARS + 1);
    assert_eq!(cases.total, 1);
}

proptest! {
    /// Whatever a tool's tests did, and wherever what it wrote ends: PASS means that all of it is there, that one ran, and that none did worse than to be skipped.
    #[test]
    fn a_pass_means_that_the_tests_ran_to_their_end(
        format in prop::sample::select(model::Format::ALL.to_vec()),
        ends in prop::collection::vec(prop::sample::select(model::End::ALL.to_vec()), 0..6),
        around in prop::sample::select(model::Around::ALL.to_vec()),
        cut in prop::option::of(0.0..1.0_f64),
    ) {
        let whole = format.write(&ends, around);
        let end = cut.map_or(whole.len(), |cut| model::cut_at(&whole, cut));
        let cases = read(whole.get(..end).unwrap());
        let is_whole = end == whole.len();
        let good = |end: &model::End| matches!(end, model::End::Passed | model::End::Skipped);
        let ran = ends.contains(&model::End::Passed) && ends.iter().all(good);
        let may_pass = is_whole && ran && around == model::Around::Nothing;
        let outcome = cases.outcome();
        let passes = outcome.as_ref().is_some_and(|outcome| outcome.verdict == Verdict::Pass);
        prop_assert_eq!(passes, may_pass, "{}\n{}", whole.get(..end).unwrap(), shown(&cases));
    }

    /// No bytes at all make the reader panic.
    #[test]
    fn any_bytes_are_read_to_an_end(bytes in prop::collection::vec(any::<u8>(), 0..200), xml in any::<bool>()) {
        let bytes = if xml { [b"<testsuite>", bytes.as_slice()].concat() } else { bytes };
        let _ = read(bytes).outcome();
    }
}
