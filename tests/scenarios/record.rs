//! A person writes a dialogue down by hand, with an engine or without; what was written down is a device then.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use jackfield_tests::{
    Bench,
    process::{Process, jackfield},
    wait,
};
use serde_json::Value;
use tempfile::TempDir;

use crate::{cleanup, console::Sitting};

const LIMIT: Duration = Duration::from_secs(60);

/// Simulated devices, with the telnet port of each.
fn simulate(folder: &Path, name: &str, model: &Path) -> (Process, u64) {
    let mut command = Command::new(jackfield());
    command.args(["--json", "simulate"]).arg(model);
    let simulator = Process::start(name, &mut command, &folder.join(format!("{name}.log"))).unwrap();
    let said = wait::until(LIMIT, "the simulator to listen", || {
        let text = simulator.output();
        Ok(text.find('[').and_then(|at| serde_json::from_str::<Value>(text.get(at..)?.trim()).ok()))
    });
    let port = said.unwrap().pointer("/0/telnet/port").and_then(Value::as_u64).unwrap();
    (simulator, port)
}

fn router() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/lab-model/router.toml")
}

/// `jackfield session record …` with these lines from a pipe; what was seen.
fn record(folder: &Path, name: &str, arguments: &[&str], lines: &[&str]) -> (Sitting, PathBuf) {
    let file = folder.join(format!("{name}.cast"));
    let mut command = Command::new(jackfield());
    command.args(["session", "record", "--quiet", "300", "-o"]).arg(&file).args(arguments);
    command.env("JACKFIELD_DEVICE_PASSWORD", "lab");
    let mut sitting = Sitting::run(&folder.join(format!("{name}.log")), &mut command);
    lines.iter().for_each(|line| sitting.types(&format!("{line}\n")));
    sitting.goes();
    (sitting, file)
}

fn shown(file: &Path) -> String {
    let output = Command::new(jackfield()).args(["session", "show"]).arg(file).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn a_dialogue_from_a_pipe_is_a_device_afterwards() {
    let folder = TempDir::new().unwrap();
    let (_router, port) = simulate(folder.path(), "router", &router());
    let address = format!("telnet://lab@127.0.0.1:{port}");
    let arguments = [address.as_str(), "--profile", "ios"];
    let (mut first, cast) = record(folder.path(), "first", &arguments, &["show version", "show ip route"]);
    assert!(first.ended().success(), "{}", first.reads());
    assert!(first.reads().contains("uptime") && first.reads().contains("first.cast"), "{}", first.reads());
    let text = shown(&cast);
    for words in ["> lab\n", "> ********\n", "> show version\n", "uptime", "> show ip route\n"] {
        assert!(text.contains(words), "{words}: {text}");
    }
    let (mut again, _) = record(folder.path(), "first", &arguments, &["show version"]);
    assert_eq!(again.ended().code(), Some(2), "{}", again.reads());
    assert!(again.reads().contains("--overwrite"), "{}", again.reads());
    // The recording is the device now.
    let (_replay, port) = simulate(folder.path(), "replay", &cast);
    let address = format!("telnet://lab@127.0.0.1:{port}");
    let arguments = [address.as_str(), "--profile", "ios"];
    let (mut second, _) = record(folder.path(), "second", &arguments, &["show version", "show ip route"]);
    assert!(second.ended().success(), "{}", second.reads());
    assert!(second.reads().contains("uptime"), "{}", second.reads());
    let (mut third, _) = record(folder.path(), "third", &arguments, &["show version", "show clock"]);
    third.ended();
    assert!(third.reads().contains("it has `show ip route`, not `show clock`"), "{}", third.reads());
    let nobody = ["telnet://127.0.0.1:1", "--profile", "ios"];
    let (mut refused, nothing) = record(folder.path(), "refused", &nobody, &[]);
    assert_eq!(refused.ended().code(), Some(4), "{}", refused.reads());
    assert!(!nothing.try_exists().unwrap(), "a recording of nothing stands in the way of the next try");
}

#[test]
fn what_is_typed_after_a_question_for_a_password_is_not_written_down() {
    let folder = TempDir::new().unwrap();
    let ask =
        "stty -echo; printf 'Password: '; read -r secret; stty echo; echo; echo \"$((${#secret} * 2)) keys\"";
    let (mut sitting, cast) = record(folder.path(), "secret", &["--", "sh", "-c", ask], &["geheim"]);
    let ended = sitting.ended();
    assert!(ended.success(), "{}", sitting.reads());
    assert!(sitting.reads().contains("12 keys"), "{}", sitting.reads());
    let text = fs::read_to_string(&cast).unwrap();
    assert!(text.contains("********") && !text.contains("geheim"), "{text}");
}

#[test]
fn a_dialogue_typed_key_by_key_is_replayed_without_its_slips() {
    let folder = TempDir::new().unwrap();
    let cast = folder.path().join("keys.cast");
    let script = format!(
        "stty rows 40 columns 100; exec '{}' session record -o '{}' -- env PS1='r1# ' sh",
        jackfield().display(),
        cast.display()
    );
    let file = folder.path().join("person.sh");
    fs::write(&file, script).unwrap();
    let mut socat = Command::new("socat");
    socat.arg("-").arg(format!("EXEC:sh {},pty,setsid,ctty,stderr,sane", file.display()));
    let mut person = Sitting::run(&folder.path().join("terminal.log"), &mut socat);
    person.awaits("r1# ");
    for key in "echo $((40 + 3".chars() {
        let before = person.reads().len();
        person.types(&key.to_string());
        wait::until(LIMIT, "an echo", || Ok((person.reads().len() > before).then_some(()))).unwrap();
    }
    for key in ["\u{7f}", "2", ")", ")", "\r"] {
        let before = person.reads().len();
        person.types(key);
        wait::until(LIMIT, "an echo", || Ok((person.reads().len() > before).then_some(()))).unwrap();
    }
    person.awaits("42\r\n");
    person.types("\u{1d}m");
    person.awaits("[mark 1]");
    person.types("exit\r");
    person.awaits("keys.cast");
    assert!(person.ended().success(), "{}", person.reads());
    let text = fs::read_to_string(&cast).unwrap();
    assert!(
        text.contains("\"width\":100") && text.contains("[\"m\"") | text.contains(",\"m\",\"mark 1\"]"),
        "{text}"
    );
    // A script sends what was meant.
    let (_replay, port) = simulate(folder.path(), "replay", &cast);
    let address = format!("telnet://127.0.0.1:{port}");
    let (mut piped, _) = record(folder.path(), "piped", &[&address], &["echo $((40 + 2))", "exit"]);
    assert!(piped.ended().success(), "{}", piped.reads());
    let said = piped.reads();
    assert!(said.contains("r1# echo $((40 + 2))\r\n42\r\n"), "{said}");
    assert!(!said.contains("departed"), "{said}");
}

#[test]
fn a_console_of_the_engine_is_written_down_here() {
    let mut bench = Bench::start("").unwrap();
    let _simulator = cleanup::router(&mut bench);
    let folder = TempDir::new().unwrap();
    let cast = folder.path().join("console.cast");
    let path = cast.display().to_string();
    for (name, arguments) in [
        ("console", vec!["console", "/lab/router", "--record", &path]),
        ("session", vec!["session", "record", "/lab/router", "--overwrite", "-o", &path]),
    ] {
        let mut command = Command::new(jackfield());
        command.args(arguments).args(["--quiet", "300"]);
        command.env("JACKFIELD_ENGINE", &bench.api.url).env("JACKFIELD_API_TOKEN", &bench.api.token);
        let mut hers = Sitting::run(&folder.path().join(format!("{name}.log")), &mut command);
        hers.types("show version\n");
        hers.goes();
        assert!(hers.ended().success(), "{}", hers.reads());
        assert!(hers.reads().contains(&format!("recorded: {path}")), "{}", hers.reads());
        let text = shown(&cast);
        assert!(text.contains("> show version\n") && text.contains("uptime"), "{text}");
        assert!(text.contains("> ********\n"), "how the EP logged in: {text}");
        assert!(!fs::read_to_string(&cast).unwrap().contains("lab-enable"), "{text}");
    }
    let (_replay, port) = simulate(folder.path(), "replay", &cast);
    let address = format!("telnet://lab@127.0.0.1:{port}");
    let (mut second, _) = record(
        folder.path(),
        "second",
        &[&address, "--profile", "ios", "--set", "level=privileged"],
        &["show version"],
    );
    assert!(second.ended().success(), "{}", second.reads());
    assert!(second.reads().contains("uptime"), "{}", second.reads());
}
