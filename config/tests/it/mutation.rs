//! Broken files, by the thousand: each fixture is mutated from seeds, and every reader must end with a value or with
//! problems that have a place; none may panic, hang, or accept what another XML reader refuses.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use jackfield_config::{
    EngineSettings, EpSettings, ExpandOptions, Lab, Project, Read, Source, bindings::Bindings,
    check_project_text, db::DbFile, email::EmailConfig, epname::EpNames, fwmconfig::FwmConfig,
    panic::PanicPatterns, params::Params, problem::has_errors, project::edit::ProjectFile, resources::Node,
    test_config::TestConfig, users::UsersAndGroups, xml_file::XmlFile,
};
use jackfield_protocol::error::FileProblem;

const MUTATIONS_PER_FILE: u64 = 120;

/// A small generator (xorshift) so that a seed in a failure is all that is needed to see it again.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % u64::try_from(sides.max(1)).unwrap()).unwrap()
    }
}

const BITS: [&str; 26] = [
    "<",
    ">",
    "/",
    "&",
    "\"",
    "'",
    "=",
    "]]>",
    "<!--",
    "-->",
    "<![CDATA[",
    "<?x ?>",
    "&#x110000;",
    "&lt;",
    "\0",
    "\r\n",
    "漢",
    "-1",
    "99999999999999999999",
    "..",
    "<Repeat>0</Repeat>",
    "<TestSuite>",
    "</TestSuite>",
    "[",
    "{",
    ":",
];

/// Some of the ways in which files break: cut, doubled, swapped, with things in the wrong place.
fn mutate(text: &str, dice: &mut Dice) -> String {
    let mut letters: Vec<char> = text.chars().collect();
    for _ in 0..1 + dice.roll(3) {
        let at = dice.roll(letters.len());
        let end = (at + 1 + dice.roll(40)).min(letters.len());
        match dice.roll(7) {
            0 => letters.truncate(at),
            1 => drop(letters.drain(at..end)),
            2 => {
                let piece: Vec<char> = letters[at..end].to_vec();
                let to = dice.roll(letters.len());
                letters.splice(to..to, piece);
            }
            3 | 4 => {
                let bit = BITS[dice.roll(BITS.len())];
                letters.splice(at..at, bit.chars());
            }
            5 => {
                let to = dice.roll(letters.len());
                if at < letters.len() && to < letters.len() {
                    letters.swap(at, to);
                }
            }
            _ => {
                if let Some(letter) = letters.get_mut(at) {
                    *letter = char::from(32 + u8::try_from(dice.roll(95)).unwrap());
                }
            }
        }
        if letters.is_empty() {
            break;
        }
    }
    letters.into_iter().collect()
}

fn fixtures() -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { folders.push(path) } else { files.push(path) }
        }
    }
    files.retain(|file| !file.to_string_lossy().contains("tests/fixtures/lab/tests/"));
    files.sort();
    files
}

fn checked<T>(read: Read<T>) -> Vec<FileProblem> {
    assert!(read.value.is_some() || has_errors(&read.problems), "nothing was read, and no reason given");
    read.problems
}

fn read_as_named(name: &str, source: &Arc<Source>) -> Vec<FileProblem> {
    match name {
        "db.xml" => checked(DbFile::read(source)),
        "email.xml" => checked(EmailConfig::read(source)),
        "bindings.xml" => checked(Bindings::read(source)),
        "fwmconfig.xml" => checked(FwmConfig::read(source)),
        "globals.xml" => checked(Params::read(source)),
        "timers" | "links" => checked(TestConfig::read(name, source)),
        "engine.toml" => {
            let mut problems = checked(EngineSettings::read(source));
            problems.extend(checked(EpSettings::read(source)));
            problems
        }
        "users_and_groups.ini" => checked(UsersAndGroups::read(source)),
        "epname.ini" => checked(EpNames::read(source)),
        "PanicDetectData.json" => checked(PanicPatterns::read(source)),
        name if name.ends_with(".json") => checked(Node::read(source)),
        name if name.ends_with(".xml") => checked(Project::read("p", source)),
        _ => Vec::new(),
    }
}

#[test]
fn no_mutation_of_any_file_breaks_its_reader() {
    let mut read = 0;
    for file in fixtures() {
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        let text = fs::read_to_string(&file).unwrap();
        for seed in 1..=MUTATIONS_PER_FILE {
            let mut dice = Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
            let broken = mutate(&text, &mut dice);
            let lines = u32::try_from(broken.lines().count()).unwrap() + 1;
            for problem in read_as_named(&name, &Arc::new(Source::new(&name, broken.as_str()))) {
                assert!((1..=lines).contains(&problem.line), "{name} seed {seed}: {problem}\n{broken}");
                assert!(!problem.message.is_empty(), "{name} seed {seed}");
            }
            read += 1;
        }
    }
    assert!(read > 1000, "{read} mutations");
}

#[test]
fn no_mutation_of_a_project_half_starts_a_run() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/lab");
    let lab = Lab::open(&folder).unwrap();
    let text = fs::read_to_string(folder.join("projects/nightly.xml")).unwrap();
    let options = ExpandOptions { user: Some("ana".into()), ..ExpandOptions::default() };
    let mut refused = 0;
    for seed in 1..=400_u64 {
        let broken = mutate(&text, &mut Dice(seed.wrapping_mul(0x2545_f491_4f6c_dd1d)));
        let checked = check_project_text("p.xml", broken, &lab, &options);
        assert_eq!(
            checked.plan.is_none(),
            has_errors(&checked.problems),
            "seed {seed}: {:#?}",
            checked.problems
        );
        assert!(
            checked.problems.iter().all(|problem| problem.line > 0),
            "seed {seed}: {:#?}",
            checked.problems
        );
        refused += u32::from(checked.plan.is_none());
        checked.plan.iter().for_each(super::circles::assert_sound);
    }
    assert!(refused > 200, "{refused} of 400 were refused");
}

#[test]
fn what_we_accept_another_reader_accepts_and_sees_the_same() {
    for file in fixtures() {
        let text = fs::read_to_string(&file).unwrap();
        if !text.starts_with('<') {
            continue;
        }
        for seed in 0..=MUTATIONS_PER_FILE {
            let mut dice = Dice(seed.wrapping_mul(0xd134_2543_de82_ef95));
            let broken = if seed == 0 { text.clone() } else { mutate(&text, &mut dice) };
            let source = Arc::new(Source::new("x", broken.as_str()));
            let ours = XmlFile::read(&source);
            let theirs = roxmltree::Document::parse(&broken);
            match (&ours.value, &theirs) {
                (Some(_), Err(roxmltree::Error::UnknownNamespace(..))) => {}
                (Some(_), Err(error)) => panic!("{} seed {seed}: {error}\n{broken}", file.display()),
                (None, Ok(_)) => {
                    // Ours is stricter with document types, declarations, and numbers that are no character.
                    let told = ours.problems[0].to_string();
                    let stricter = ["<!DOCTYPE", "<?", "&#x110000;"];
                    assert!(stricter.iter().any(|bit| broken.contains(bit)), "{told}\n{broken}");
                }
                (Some(ours), Ok(theirs)) => assert_eq!(seen(ours, &source), their_names(theirs), "{broken}"),
                (None, Err(_)) => {}
            }
        }
    }
}

/// The names and texts below the root that the edit face can reach: first children only, which both readers order alike.
fn seen(file: &XmlFile, source: &Arc<Source>) -> Vec<(String, String)> {
    let theirs = roxmltree::Document::parse(source.text()).unwrap();
    let first_of_name = |node: &roxmltree::Node<'_, '_>| {
        node.prev_siblings()
            .skip(1)
            .all(|before| !before.is_element() || before.tag_name().name() != node.tag_name().name())
    };
    let children = theirs.root_element().children().filter(|node| node.is_element() && first_of_name(node));
    children
        .map(|node| {
            let name = node.tag_name().name();
            (name.to_owned(), file.get(&[name]).unwrap_or_default())
        })
        .collect()
}

fn their_names(theirs: &roxmltree::Document<'_>) -> Vec<(String, String)> {
    let mut names: Vec<(String, String)> = Vec::new();
    for node in theirs.root_element().children().filter(|node| node.is_element()) {
        let name = node.tag_name().name().to_owned();
        let text: String =
            node.children().filter(|inner| inner.is_text()).filter_map(|inner| inner.text()).collect();
        if !names.iter().any(|(known, _)| *known == name) {
            names.push((name, text.trim().to_owned()));
        }
    }
    names
}

#[test]
fn what_is_read_for_editing_is_written_back_as_it_was() {
    for file in fixtures() {
        let text = fs::read_to_string(&file).unwrap();
        for seed in 1..=40_u64 {
            let broken = mutate(&text, &mut Dice(seed.wrapping_mul(0x9e37_79b9)));
            let source = Arc::new(Source::new("x", broken.as_str()));
            if let Some(read) = ProjectFile::read(&source).value {
                assert_eq!(read.text(), broken);
            }
        }
    }
}
