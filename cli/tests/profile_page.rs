//! The page about profiles is held to the product: its table to the keys that a profile may have, its defaults to those that are used, and its
//! "in ten minutes" is done, file by file and command by command.
#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

use std::{collections::BTreeSet, fs, path::Path, process::Command};

use jackfield_config::{profile::Profile, simulated::DeviceModel};
use jackfield_device::simulate::{Listen, serve};

fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

fn page() -> String {
    fs::read_to_string(root().join("docs/profiles.md")).unwrap()
}

/// The fenced blocks behind a heading: their kind and text.
fn blocks(page: &str, heading: &str) -> Vec<(String, String)> {
    let section = page.split_once(heading).unwrap().1;
    let mut blocks = Vec::new();
    let mut rest = section;
    while let Some((_, after)) = rest.split_once("```") {
        let (kind, after) = after.split_once('\n').unwrap();
        let (text, after) = after.split_once("```").unwrap();
        blocks.push((kind.to_owned(), text.to_owned()));
        rest = after;
    }
    blocks
}

/// Texts between single backticks.
fn words(text: &str) -> BTreeSet<String> {
    text.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

#[test]
fn the_examples_are_profiles_that_say_what_the_page_says() {
    let page = page();
    let examples = blocks(&page, "## What patterns see").into_iter().filter(|(kind, _)| kind == "toml");
    let profiles: Vec<Profile> =
        examples.map(|(_, text)| Profile::parse("example.toml", &text).unwrap()).take(2).collect();
    let [two, site] = profiles.as_slice() else { panic!("two examples, and not {profiles:?}") };
    assert_eq!((two.name.as_str(), site.name.as_str()), ("two", "site"));
    let ios = Profile::parse("own.toml", "name = 'own'\nbased_on = 'ios'").unwrap();
    assert_eq!(site.prompt, ios.prompt, "all of the base");
    assert_eq!(site.errors.len(), ios.errors.len() + 1, "`more_` adds to a list");
    assert_eq!(site.login.nudge, Some(std::time::Duration::from_secs(1)));
    assert!(site.login.questions.iter().any(|question| question.asks.starts_with("Enter selection")));
    // The lists to which more can be added.
    let reader = fs::read_to_string(root().join("config/src/profile/based_on.rs")).unwrap();
    let lists =
        reader.split_once("const LISTS").unwrap().1.split_once(';').unwrap().1.split_once(';').unwrap().0;
    let known: BTreeSet<String> =
        lists.split('"').skip(1).step_by(2).map(|list| format!("more_{list}")).collect();
    let told = page.split_once("## Based on another").unwrap().1.split_once("```").unwrap().0;
    let told: BTreeSet<String> =
        words(told).into_iter().filter(|word| word.starts_with("more_") && word != "more_").collect();
    assert_eq!(told, known);
}

#[test]
fn the_table_has_the_keys_that_the_reader_knows() {
    let reader = fs::read_to_string(root().join("config/src/profile.rs")).unwrap();
    let reader = reader.split_once("\n#[cfg(test)]").unwrap().0;
    let reader = reader.split_once("fn read_profile").unwrap().1;
    // What is asked of a table is the first text in the call.
    let asked: BTreeSet<String> = ["fields.", "pattern(", "tables(fields, "]
        .iter()
        .flat_map(|call| reader.split(call).skip(1))
        .flat_map(|call| {
            let call = call.split(')').next().unwrap_or_default();
            let call = call.split("], ").next().unwrap_or_default();
            call.split('"').skip(1).step_by(2).map(str::to_owned).collect::<Vec<_>>()
        })
        .filter(|key| !key.is_empty() && key.bytes().all(|byte| byte == b'_' || byte.is_ascii_lowercase()))
        .filter(|key| !key.starts_with("more_"))
        .collect();
    assert!(asked.len() > 40, "the reader is written otherwise now: {asked:?}");
    let page = page();
    let table = page.split_once("## Keys").unwrap().1.split_once("## The login").unwrap().0;
    let keys: String = table
        .lines()
        .filter(|line| line.starts_with("| `"))
        .map(|line| format!("{} ", line.split('|').nth(1).unwrap_or_default()))
        .collect();
    let told: BTreeSet<String> = words(&keys)
        .into_iter()
        .flat_map(|word| word.split(['[', ']', '.']).map(str::to_owned).collect::<Vec<_>>())
        .filter(|word| !word.is_empty())
        .collect();
    let missing: Vec<_> = asked.difference(&told).collect();
    let unknown: Vec<_> = told.difference(&asked).collect();
    assert!(missing.is_empty(), "the page does not tell of {missing:?}");
    assert!(unknown.is_empty(), "the page tells of {unknown:?}, which no profile has");
}

#[test]
fn the_defaults_of_the_login_are_those_of_the_page() {
    let login = Profile::parse("p.toml", "name = 'x'\nprompt = '> $'").unwrap().login;
    let wanted = format!(
        "user          {}\npassword      {}\nnew_password  {}\ncode          {}\nwake          {}\nfailed        {}\n",
        login.user, login.password, login.new_password, login.code, login.wake, login.failed
    );
    let page = page();
    let (_, shown) = blocks(&page, "## The login").into_iter().next().unwrap();
    assert_eq!(shown, wanted);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_profile_is_written_in_ten_minutes() {
    let model = fs::read_to_string(root().join("examples/lab-model/tarn.toml")).unwrap();
    let device = serve(DeviceModel::parse("tarn", &model).unwrap(), Listen::default()).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("profiles")).unwrap();
    let port = device.telnet.unwrap().port().to_string();
    let (mut output, mut commands, mut seen) = (String::new(), 0, 0);
    for (kind, text) in blocks(&page(), "## Write a profile in ten minutes") {
        match kind.as_str() {
            "toml" => fs::write(folder.path().join("profiles/tarn.toml"), text).unwrap(),
            "sh" => {
                commands += 1;
                let script = text
                    .replace("4001", &port)
                    .replace("jackfield ", concat!(env!("CARGO_BIN_EXE_jackfield"), " "));
                let mut shell = Command::new("sh");
                shell.args(["-c", &script]).current_dir(folder.path());
                shell.env("HOME", folder.path()).env("JACKFIELD_DEVICE_PASSWORD", "lab-word");
                let done = tokio::task::spawn_blocking(move || shell.output()).await.unwrap().unwrap();
                output = String::from_utf8(done.stdout).unwrap() + &String::from_utf8(done.stderr).unwrap();
            }
            "text" => {
                seen += 1;
                assert!(output.contains(text.trim()), "the page shows {text}, and it said:\n{output}");
            }
            other => panic!("a block of {other}"),
        }
    }
    assert_eq!((commands, seen), (3, 3));
    for told in [
        "profile `tarn` (TARN access nodes), telnet",
        "took     `Operator?`  for [login] user",
        "sent     `lab`",
        "sent     `********`",
        "for [[login.questions]], number 1",
        "took     `(olt1) ready:`  for prompt: asked for with an empty line, it came again",
        "took     `list ports`  for the echo of the command",
        "took     `<< more: space >>`  for [pager] more",
        "| 3     down",
        "refused: `E-101 no such word: lsit` ([errors])",
    ] {
        assert!(output.contains(told), "no {told} in:\n{output}");
    }
}
