//! Real outputs of real devices come back as they were: those that ntc-templates keeps for its own tests, played by a device over telnet, each as
//! the answer to a command, in one piece and in odd pieces.
//!
//! Asked for by `JACKFIELD_WITH=ntc-templates`, since they are fetched: the source distribution 1.4.0 of its Python package holds 474 of them (later ones hold
//! none). `JACKFIELD_NTC_TEMPLATES=FOLDER` names a checkout instead, which has some two thousand.
//!
//! What may differ: empty lines before and after an output and blanks at its end, which an answer never has; and a last line such as `{master:0}` of
//! Junos, which is the first of the two lines of its prompt.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use jackfield_device::{profile::Profiles, session::Session};
use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, BufReader},
    net::{
        TcpListener,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
};

use crate::{LONG, settings, target};

const NAME: &str = "ntc-templates";
const VERSION: &str = "1.4.0";
/// Time for an answer; one that comes takes a few milliseconds.
const ANSWER: Duration = Duration::from_secs(5);
/// Prompts of command lines, of which the first that a profile knows is that of its device.
const PROMPTS: [&str; 8] = ["r1#", "lab@r1> ", "<r1>", "r1> ", "lab@r1:~$ ", "r1% ", "A:r1# ", "r1 # "];

/// Where the outputs are, if somebody asked for them.
#[expect(
    clippy::disallowed_methods,
    reason = "what a machine shall fetch is told to tests by its environment"
)]
fn folder() -> Option<PathBuf> {
    if let Ok(folder) = std::env::var("JACKFIELD_NTC_TEMPLATES") {
        return Some(folder.into());
    }
    let with = std::env::var("JACKFIELD_WITH").unwrap_or_default();
    if !with.split(',').any(|word| word.trim() == NAME) {
        eprintln!("left out: JACKFIELD_WITH={NAME} asks for it; it fetches 621 kB from PyPI, once");
        return None;
    }
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target").join(NAME);
    if !folder.is_dir() {
        fetch(&folder);
    }
    Some(folder)
}

/// Whole or not at all.
fn fetch(folder: &Path) {
    let begun = folder.with_extension("part");
    fs::remove_dir_all(&begun).ok();
    fs::create_dir_all(&begun).unwrap();
    let run = |program: &str, arguments: &[&str]| {
        let status = Command::new(program).args(arguments).current_dir(&begun).status();
        assert!(status.is_ok_and(|status| status.success()), "`{program} {}` failed", arguments.join(" "));
    };
    let package = format!("{NAME}=={VERSION}");
    run("python3", &["-m", "pip", "download", "--quiet", "--no-deps", "--no-binary", ":all:", &package]);
    run("sh", &["-c", "tar -xzf *.tar.gz"]);
    fs::rename(begun, folder).unwrap();
}

/// An output, as a file.
struct Output {
    file: String,
    /// What was asked: an answer of `show logging` holds what is also said unasked.
    command: String,
    text: String,
}

/// What a device plays, and where it is.
struct Played {
    outputs: Vec<Output>,
    at: AtomicUsize,
}

/// All of them, by the kind of device that said them, which is the name of the folder two above each.
fn outputs(folder: &Path) -> BTreeMap<String, Vec<Output>> {
    let mut found: BTreeMap<String, Vec<Output>> = BTreeMap::new();
    let mut left = vec![folder.to_owned()];
    while let Some(folder) = left.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                left.push(path);
            } else if path.extension().is_some_and(|ending| ending == "raw") {
                let (above, platform) =
                    (path.parent().unwrap(), path.parent().and_then(Path::parent).unwrap());
                let name = |folder: &Path| folder.file_name().unwrap().to_string_lossy().into_owned();
                let (platform, command) = (name(platform), name(above).replace('_', " "));
                let text = String::from_utf8_lossy(&fs::read(&path).unwrap()).replace("\r\n", "\n");
                let file = name(&path);
                found.entry(platform).or_default().push(Output { file, command, text });
            }
        }
    }
    found.values_mut().for_each(|outputs| outputs.sort_by(|one, other| one.file.cmp(&other.file)));
    found
}

/// A device that answers the command of the output that is played with it, and whatever else with nothing.
async fn device(listener: TcpListener, played: Arc<Played>, prompt: &'static str, odd: bool) {
    while let Ok((stream, _)) = listener.accept().await {
        stream.set_nodelay(true).unwrap();
        let played = Arc::clone(&played);
        tokio::spawn(async move {
            let (from, mut to) = stream.into_split();
            let mut from = BufReader::new(from);
            let mut dice = 0x2545_f491_4f6c_dd1d_u64;
            say(&mut to, prompt, None).await?;
            while let Some(line) = next_line(&mut from).await? {
                let output = played.outputs.get(played.at.load(Ordering::Relaxed));
                let output = output.filter(|output| output.command == line);
                let text = output.map(|output| output.text.replace('\n', "\r\n")).unwrap_or_default();
                let end = if text.is_empty() || text.ends_with('\n') { "" } else { "\r\n" };
                say(&mut to, &format!("{line}\r\n{text}{end}{prompt}"), odd.then_some(&mut dice)).await?;
            }
            Ok::<(), std::io::Error>(())
        });
    }
}

/// A line, which ends by CR NUL, CR LF or LF, as the profile has it.
async fn next_line(from: &mut BufReader<OwnedReadHalf>) -> std::io::Result<Option<String>> {
    let mut line = Vec::new();
    loop {
        match from.read_u8().await {
            Ok(b'\n' | 0) => {
                return Ok(Some(String::from_utf8_lossy(&line).trim_end_matches('\r').to_owned()));
            }
            Ok(byte) => line.push(byte),
            Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => return Ok(None),
            Err(error) => return Err(error),
        }
    }
}

async fn say(to: &mut OwnedWriteHalf, text: &str, dice: Option<&mut u64>) -> std::io::Result<()> {
    let Some(dice) = dice else { return to.write_all(text.as_bytes()).await };
    let mut rest = text.as_bytes();
    while !rest.is_empty() {
        *dice ^= *dice << 13;
        *dice ^= *dice >> 7;
        *dice ^= *dice << 17;
        let (piece, after) = rest.split_at(rest.len().min(usize::try_from(*dice % 173).unwrap() + 1));
        to.write_all(piece).await?;
        tokio::task::yield_now().await;
        rest = after;
    }
    Ok(())
}

/// The profile for a kind of device, and a prompt that it knows.
fn profile_for(profiles: &Profiles, platform: &str) -> (String, &'static str) {
    let of_platform = |name: &&str| profiles.get(name).is_ok_and(|profile| profile.platform == platform);
    let name = profiles.names().find(of_platform).unwrap_or("generic").to_owned();
    let profile = profiles.get(&name).unwrap();
    // Profiles are read without Unicode's tables, which make a pattern of long names large.
    let pattern =
        |text: &str| fancy_regex::RegexBuilder::new(text).delegate_size_limit(1 << 28).build().unwrap();
    let (shown, in_config) =
        (pattern(&profile.prompt), profile.config.as_ref().and_then(|config| config.prompt.as_ref()));
    let in_config = in_config.map(|prompt| pattern(prompt));
    // A login does not stay at the prompt of the configuration.
    let configures =
        |prompt: &str| in_config.as_ref().is_some_and(|pattern| pattern.is_match(prompt).unwrap());
    let known = PROMPTS.into_iter().find(|prompt| !configures(prompt) && shown.is_match(prompt).unwrap());
    let prompt = known.unwrap_or_else(|| panic!("no prompt of this file is one of profile `{name}`"));
    (name, prompt)
}

/// What must come back of an output.
fn wanted(output: &Output, profile: &str) -> String {
    let text = trimmed(&output.text);
    let (before, last) = text.rsplit_once('\n').unwrap_or(("", text));
    let is_first_of_prompt = profile == "junos" && last.starts_with('{') && last.ends_with('}');
    trimmed(if is_first_of_prompt { before } else { text }).to_owned()
}

fn trimmed(text: &str) -> &str {
    text.trim_start_matches('\n').trim_end_matches([' ', '\n'])
}

/// What came back otherwise, a line each.
async fn changed(profile: &str, prompt: &'static str, played: &Arc<Played>, odd: bool) -> Vec<String> {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let serving = tokio::spawn(device(listener, Arc::clone(played), prompt, odd));
    let (_folder, settings) = settings();
    let way = || json!({"protocol": "telnet", "host": "127.0.0.1", "port": port, "profile": profile});
    let mut changed = Vec::new();
    let mut session: Option<Session> = None;
    for (number, output) in played.outputs.iter().enumerate() {
        played.at.store(number, Ordering::Relaxed);
        let mut open = match session.take() {
            Some(open) => open,
            None => Session::open(target([], way()), &settings, LONG, Vec::new()).await.unwrap(),
        };
        let how = if odd { "in odd pieces" } else { "in one piece" };
        match open.command(&output.command, ANSWER).await {
            Ok(answer) if trimmed(&answer) == wanted(output, profile) => session = Some(open),
            Ok(answer) => {
                let wanted = wanted(output, profile);
                let at = answer.bytes().zip(wanted.bytes()).take_while(|(one, other)| one == other).count();
                let line = wanted
                    .as_bytes()
                    .get(..at)
                    .unwrap_or_default()
                    .iter()
                    .filter(|byte| **byte == b'\n')
                    .count()
                    + 1;
                changed.push(format!(
                    "{profile}: {} {how}: differs from line {line}, {} of {} bytes",
                    output.file,
                    answer.len(),
                    wanted.len()
                ));
            }
            Err(error) => changed.push(format!("{profile}: {} {how}: {error:.200}", output.file)),
        }
    }
    serving.abort();
    changed
}

#[tokio::test]
async fn real_outputs_come_back_as_they_were() {
    let Some(folder) = folder() else { return };
    let profiles = Profiles::shipped();
    let (mut all, mut wrong) = (0, Vec::new());
    for (platform, outputs) in outputs(&folder) {
        let (profile, prompt) = profile_for(&profiles, &platform);
        all += outputs.len();
        let played = Arc::new(Played { outputs, at: AtomicUsize::new(0) });
        for odd in [false, true] {
            wrong.extend(changed(&profile, prompt, &played, odd).await);
        }
    }
    eprintln!(
        "{all} outputs were played in one piece and in odd pieces; {} came back otherwise",
        wrong.len()
    );
    assert!(all > 400, "only {all} outputs were found in {}", folder.display());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
