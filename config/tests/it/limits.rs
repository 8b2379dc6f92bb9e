//! Files that would cost too much, or that pretend to be something else: refused with a place, in bounded memory.

use std::{fs::File, io::Write, path::Path, sync::Arc};

use jackfield_config::{
    ExpandOptions, Lab, Project, Source, check_project, check_project_text,
    ep::EpSettings,
    limits::{FILE_BYTES_MAX, XML_DEPTH_MAX},
    load::read_source,
    params::Params,
};
use jackfield_protocol::error::FileProblem;

fn problems(text: &str) -> Vec<FileProblem> {
    Project::read("p", &Arc::new(Source::new("p.xml", text))).problems
}

fn first(text: &str) -> String {
    problems(text)[0].to_string()
}

#[test]
fn a_file_of_100_mb_is_refused_before_it_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("big.xml");
    // A hole takes no room on the disk; reading it would take 100 MB of memory.
    File::create(&file).unwrap().set_len(100 << 20).unwrap();
    let checked = check_project(&file, &Lab::nowhere(), &ExpandOptions::default());
    assert!(checked.project.is_none());
    assert!(checked.problems[0].message.contains("larger than 64 MB"));
    assert_eq!(checked.problems[0].line, 1);
    assert!(EpSettings::load(&file).problems[0].message.contains("larger than 16 MB"));
    let text = " ".repeat(65 << 20);
    let checked = check_project_text("sent.xml", text, &Lab::nowhere(), &ExpandOptions::default());
    assert!(checked.problems[0].message.contains("larger than 64 MB"));
}

#[test]
fn what_is_no_file_is_not_opened() {
    let folder = tempfile::tempdir().unwrap();
    for file in [Path::new("/dev/zero"), folder.path()] {
        assert!(read_source(file, FILE_BYTES_MAX).unwrap_err().message.contains("not a file"));
    }
}

#[test]
fn other_encodings_are_refused_with_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("p.xml");
    let told = |bytes: &[u8]| {
        File::create(&path).unwrap().write_all(bytes).unwrap();
        let checked = check_project(&path, &Lab::nowhere(), &ExpandOptions::default());
        checked.problems[0].to_string().replace(&*path.to_string_lossy(), "p.xml")
    };
    let wide: Vec<u8> = "\u{feff}<Root></Root>".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let all = [
        told(&wide),
        told(b"<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?>\n<Root><tsName>caf\xe9</tsName></Root>"),
        told(b"<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?>\n<Root/>"),
        told(b"\xef\xbb\xbf<Root><tcdelay>x</tcdelay></Root>"),
        told(b"<Root>\0</Root>"),
        told(b""),
    ];
    insta::assert_snapshot!(all.join("\n"));
}

#[test]
fn document_types_and_their_entities_are_refused() {
    let laughs = "<?xml version=\"1.0\"?>\n<!DOCTYPE r [<!ENTITY a \"aaaa\"><!ENTITY b \"&a;&a;&a;\">]>\n<Root>&b;</Root>";
    let external = "<!DOCTYPE Root SYSTEM \"file:///etc/passwd\"><Root/>";
    let inside = "<Root><!DOCTYPE x></Root>";
    let unknown = "<Root><tcdelay>&nbsp;</tcdelay></Root>";
    insta::assert_snapshot!([first(laughs), first(external), first(inside), first(unknown)].join("\n"));
}

#[test]
fn nesting_and_numbers_have_limits() {
    let deep = "<Root>".to_owned() + &"<TestSuite><tsName>s</tsName>".repeat(200_000);
    assert!(first(&deep).contains(&format!("deeper than {XML_DEPTH_MAX}")));
    let deepest = format!("<Root>{}{}</Root>", "<TestSuite>".repeat(94), "</TestSuite>".repeat(94));
    assert!(Project::read("p", &Arc::new(Source::new("p", deepest))).value.is_some());
    let folders = format!("<root>{}{}</root>", "<folder>".repeat(95), "</folder>".repeat(95));
    assert!(Params::read(&Arc::new(Source::new("g", folders))).value.is_some());
    let wrong = format!("<Root>{}</Root>", "<x/>".repeat(10_000));
    let list = problems(&wrong);
    assert_eq!(list.len(), 501);
    assert!(list.last().unwrap().message.contains("9501 further problems"));
    let long = format!("<Root><tcdelay>{}</tcdelay></Root>", "9".repeat(1 << 20));
    assert!(problems(&long)[0].line == 1);
}

#[test]
fn thousands_of_wrong_things_are_told_soon() {
    // Each of these once took minutes, because something looked at all of them for each of them.
    let tests = "<TestCase><tcName>x</tcName><Dependency>nobody:pass</Dependency></TestCase>".repeat(5_000);
    let eps: String = (0..5_000).map(|at| format!("E{at};")).collect();
    let attributes: String = (0..1000).map(|at| format!(" a{at}=''")).collect();
    let configs = "<Config name='c'/>".repeat(2_000);
    let body = format!("<TestSuite><tsName>s</tsName>{tests}</TestSuite>");
    let checked = |body: &str| {
        check_project_text(
            "p.xml",
            format!("<Root>{body}</Root>"),
            &Lab::nowhere(),
            &ExpandOptions::default(),
        )
    };
    assert_eq!(checked(&body).problems.len(), 501);
    let plain = "<TestCase><tcName>x</tcName></TestCase>";
    let placed = checked(&format!("<TestSuite><tsName>s</tsName><EpId>{eps}</EpId>{plain}</TestSuite>"));
    assert_eq!(placed.plan.unwrap().suites.len(), 5_000);
    let many = checked(&format!("<x{attributes}/>"));
    assert!(many.problems[0].message.contains("more than 256 attributes"));
    let many = checked(&format!(
        "<TestSuite><tsName>s</tsName><ConfigFiles>{configs}</ConfigFiles>{plain}</TestSuite>"
    ));
    assert!(many.problems[0].message.contains("more than 200 test configurations"));
    // A run repeated for what did not pass names its tests by the thousand.
    let only: Vec<String> = (0..5_000).map(|at| format!("t{at}")).collect();
    let options = ExpandOptions { only, ..ExpandOptions::default() };
    let tests: String =
        (0..5_000).map(|at| format!("<TestCase><tcName>x{at}</tcName><ID>t{at}</ID></TestCase>")).collect();
    let text = format!("<Root><TestSuite><tsName>s</tsName>{tests}</TestSuite></Root>");
    assert_eq!(check_project_text("p.xml", text, &Lab::nowhere(), &options).plan.unwrap().tests.len(), 5_000);
}
