//! No name leads out of its room: secrets are planted wherever a lab has them, and whatever is asked for, none of them comes back.

use std::{
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    sync::OnceLock,
};

use jackfield_config::{ExpandOptions, FileError, InRoom, Lab, Room, check_project_text};
use proptest::prelude::*;

/// In every file that no run and no reader of projects may have.
const PLANTED: &str = "PLANTED";

/// A lab with everything that must not get out, and links to it from everywhere; beside it, what is outside.
struct World {
    _folder: tempfile::TempDir,
    outer: PathBuf,
    lab: PathBuf,
}

fn write(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

fn world() -> &'static World {
    static WORLD: OnceLock<World> = OnceLock::new();
    WORLD.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        let outer = folder.path().canonicalize().unwrap();
        let lab = outer.join("lab");
        let secrets = [
            "engine.toml", "db.xml", "email.xml", "resources.json", "users_and_groups.ini", "globals.xml", "EP.toml", "db.xml.bak",
            "engine.toml~", "email-old.xml", "sut/core.json", "users/bob/db.xml", "users/bob/tests/a.py", "users/bob/libs/l.py",
            "users/bob/projects/p.xml", "users/ana/email.xml", "users/ana/sut/own.json", ".jackfield/engine.sqlite", ".jackfield/x.xml",
            ".ssh/id", "tests/.netrc", "state/engine.sqlite", "own.key", "keys", "own.key.part", "keys.part", "old-Own.key~",
        ];
        for secret in secrets {
            write(&lab.join(secret), &format!("# {PLANTED} in {secret}"));
        }
        let settings = "[data]\nfolder = \"state\"\nkey = \"keys\"\n[tls]\ncertificate = \"own.pem\"\nkey = \"own.key\"\n";
        write(&lab.join("engine.toml"), &format!("# {PLANTED}\n{settings}"));
        write(&outer.join("outside/secret.xml"), PLANTED);
        write(&outer.join("lab-beside/secret.py"), PLANTED);
        for open in ["tests/own.py", "libs/own/a.py", "users/ana/tests/a.py", "configs/c", "tests/deep/b.py", "here.py"] {
            write(&lab.join(open), "open");
        }
        let project = "<Root><TestSuite><tsName>S</tsName><TestCase><tcName>own.py</tcName></TestCase></TestSuite></Root>";
        write(&lab.join("projects/own.xml"), project);
        for folder in ["tests", "libs", "libs/own", "projects", "configs", "profiles", "templates", "users/ana/tests", "sut"] {
            fs::create_dir_all(lab.join(folder)).unwrap();
            for (name, target) in [
                ("out", "outside"), ("out.xml", "outside/secret.xml"), ("out.toml", "outside/secret.xml"), ("out.textfsm", "outside/secret.xml"),
                ("out.json", "outside/secret.xml"), ("mail.xml", "lab/email.xml"), ("mail.toml", "lab/email.xml"), ("mail.textfsm", "lab/db.xml"),
                ("mail.json", "lab/db.xml"), ("bobs.xml", "lab/users/bob/db.xml"), ("all", "lab"), ("users", "lab/users"), ("store", "lab/.jackfield"),
            ] {
                symlink(outer.join(target), lab.join(folder).join(name)).unwrap();
            }
        }
        World { _folder: folder, outer, lab }
    })
}

/// Everything that would be read of what was let in.
fn texts(lab: &Lab, found: &InRoom) -> Vec<String> {
    let read = |file: &InRoom| String::from_utf8_lossy(&file.read().unwrap()).into_owned();
    if found.path().is_dir() {
        return lab.below(found).unwrap().files.values().map(read).collect();
    }
    vec![read(found)]
}

/// What comes out by this name, through every door.
fn all_texts(lab: &Lab, name: &str) -> Vec<(&'static str, String)> {
    let doors: [(&'static str, Result<InRoom, FileError>); 4] = [
        ("project", lab.project_file(name)),
        ("test", lab.test_file(name)),
        ("library", lab.library(name)),
        ("configuration", lab.test_config_file(name)),
    ];
    let found = doors.into_iter().filter_map(|(door, found)| Some((door, found.ok()?)));
    found.flat_map(|(door, found)| texts(lab, &found).into_iter().map(move |text| (door, text))).collect()
}

fn parts() -> impl Strategy<Value = String> {
    let fixed = [
        "~",
        "$HOME",
        "..",
        ".",
        "",
        "/",
        "users",
        "ana",
        "bob",
        "tests",
        "libs",
        "projects",
        "configs",
        "sut",
        "profiles",
        "all",
        "out",
        "store",
        "state",
        ".jackfield",
        ".ssh",
        "id",
        "engine.sqlite",
        "engine.toml",
        "engine.toml~",
        "email.xml",
        "EMAIL.XML",
        "email",
        "db.xml",
        "db.xml.bak",
        "email-old.xml",
        "resources.json",
        "core.json",
        "own",
        "own.py",
        "own.xml",
        "a.py",
        "p.xml",
        "p",
        "l.py",
        "mail.xml",
        "mail",
        "bobs.xml",
        "out.xml",
        "secret.xml",
        "secret.py",
        "x.xml",
        ".netrc",
        "users_and_groups.ini",
        "lab-beside",
        "lab",
        "..\u{0}",
        "\u{FF0E}\u{FF0E}",
        "e\u{301}mail.xml",
        "~bob",
        "EP.toml",
        "own.key",
        "keys",
        "own.key.part",
        "keys.part",
        "old-Own.key~",
    ];
    prop_oneof![8 => proptest::sample::select(fixed.to_vec()).prop_map(str::to_owned), 1 => "[ -~]{0,6}"]
}

fn names() -> impl Strategy<Value = String> {
    let outer =
        [String::new(), world().outer.display().to_string() + "/", world().lab.display().to_string() + "/"];
    let parts = proptest::collection::vec(parts(), 0..6).prop_map(|parts| parts.join("/"));
    (proptest::sample::select(outer.to_vec()), parts).prop_map(|(start, rest)| start + &rest)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3000, ..ProptestConfig::default() })]

    #[test]
    fn no_name_leads_to_a_secret(name in names(), user in proptest::sample::select(vec![None, Some("ana"), Some("..")])) {
        let lab = Lab::open(&world().lab).unwrap();
        let lab = user.map_or_else(|| lab.clone(), |user| lab.as_user(&user.into()));
        for (door, text) in all_texts(&lab, &name) {
            prop_assert!(!text.contains(PLANTED), "as a {door}, `{name}` of {user:?} gives `{text}`");
        }
        if let Ok(place) = lab.project_place(&name) {
            let folders = [world().lab.join("projects"), world().lab.join("users/ana/projects")];
            prop_assert!(folders.iter().any(|folder| place.starts_with(folder)), "`{name}` is written to {}", place.display());
        }
    }

    #[test]
    fn no_secret_comes_along_with_a_test(file in names(), beside in names()) {
        let printable = |text: &str| text.chars().filter(|letter| !letter.is_control()).collect::<String>();
        let escaped = |text: &str| printable(text).replace('&', "&amp;").replace('<', "&lt;");
        let xml = format!(
            "<Root><TestSuite><tsName>S</tsName><TestCase><tcName>{}</tcName><Property><propName>files</propName><propValue>{}</propValue></Property></TestCase></TestSuite></Root>",
            escaped(&file), escaped(&beside)
        );
        let lab = Lab::open(&world().lab).unwrap().as_user(&"ana".into());
        let options = ExpandOptions { user: Some("ana".into()), ..ExpandOptions::default() };
        let Some(plan) = check_project_text("p.xml", xml, &lab, &options).plan else { return Ok(()) };
        for folder in lab.gather(&plan).folders {
            for (inside, file) in folder.files {
                let text = String::from_utf8_lossy(&file.read().unwrap()).into_owned();
                prop_assert!(!text.contains(PLANTED), "`{file:?}` as {inside} gives `{text}`");
            }
        }
    }
}

#[test]
fn what_a_run_takes_of_all_is_not_led_out_by_links() {
    let lab = Lab::open(&world().lab).unwrap();
    let (templates, problems) = lab.templates();
    assert!(templates.values().all(|text| !text.contains(PLANTED)), "{templates:?}");
    assert!(problems.iter().any(|problem| problem.file.ends_with("out.textfsm")), "{problems:?}");
    assert!(lab.profiles().values().flatten().all(|text| !text.contains(PLANTED)));
    assert!(
        lab.suts().keys().all(|name| !name.starts_with("out") && !name.starts_with("mail")),
        "{:?}",
        lab.suts().keys()
    );
}

#[test]
fn what_is_meant_is_still_had() {
    let lab = Lab::open(&world().lab).unwrap().as_user(&"ana".into());
    for name in ["own.py", "~/tests/own.py", "here.py", "tests/deep/../own.py", "a.py"] {
        assert_eq!(lab.test_file(name).unwrap().room(), Room::Tests, "{name}");
    }
    for name in ["own", "own.xml", "projects/own", "projects/own.xml"] {
        assert!(lab.project_file(name).is_ok(), "{name}");
    }
    let library = lab.library("own").unwrap();
    let below = lab.below(&library).unwrap();
    assert_eq!(below.files.keys().collect::<Vec<_>>(), ["a.py"]);
    assert!(
        below.left_out["mail.xml"].contains("settings") && below.left_out["out.xml"].contains("outside"),
        "{below:?}"
    );
}

#[test]
fn a_refusal_says_what_stands_in_the_way() {
    let lab = Lab::open(&world().lab).unwrap();
    let said = |error: FileError| error.to_string().replace(&world().lab.display().to_string(), "LAB");
    let said: Vec<String> = vec![
        said(lab.library("~").unwrap_err()),
        said(lab.library(".").unwrap_err()),
        said(lab.library("../users").unwrap_err()),
        said(lab.test_file("email.xml").unwrap_err()),
        said(lab.test_file("../.ssh/id").unwrap_err()),
        said(lab.project_file("../email.xml").unwrap_err()),
        said(lab.project_file("mail").unwrap_err()),
        said(lab.project_place(".own").unwrap_err()),
        said(lab.project_place("a/b").unwrap_err()),
    ];
    insta::assert_snapshot!(said.join("\n"));
}

#[test]
fn a_file_that_became_a_link_is_not_opened() {
    let folder = tempfile::tempdir().unwrap();
    write(&folder.path().join("lab/tests/deep/a.py"), "open");
    write(&folder.path().join("secret/a.py"), PLANTED);
    let lab = Lab::open(&folder.path().join("lab")).unwrap();
    let file = lab.test_file("deep/a.py").unwrap();
    fs::remove_dir_all(folder.path().join("lab/tests/deep")).unwrap();
    symlink(folder.path().join("secret"), folder.path().join("lab/tests/deep")).unwrap();
    assert!(file.read().unwrap_err().to_string().contains("link"));
}

#[test]
fn no_test_file_is_written_where_no_test_belongs() {
    let lab = Lab::open(&world().lab).unwrap().as_user(&"ana".into());
    let place = |name: &str| {
        lab.test_file_place(name).map(|place| place.strip_prefix(&world().lab).unwrap().to_owned())
    };
    for (name, expect) in [
        ("new.py", "tests/new.py"),
        ("far/away/new.py", "tests/far/away/new.py"),
        ("own.py", "tests/own.py"),
        ("a.py", "users/ana/tests/a.py"),
    ] {
        assert_eq!(place(name).unwrap(), Path::new(expect), "{name}");
    }
    for name in [
        "",
        "/",
        "/etc/passwd",
        "../x.py",
        "a/../../x.py",
        "out/x.py",
        "all/x.py",
        "all/projects/own.xml",
        "store/x",
        "users/bob/tests/x.py",
        "mail.xml",
        "out.xml",
        ".hidden.py",
        "far/.git/config",
        "deep",
        "a\nb.py",
        "here.py/../x.py",
        "a//b.py/",
        "~/x.py",
        "$HOME/x.py",
        " x.py",
        "   ",
    ] {
        assert!(place(name).is_err(), "{name:?} goes to {:?}", place(name));
    }
}
