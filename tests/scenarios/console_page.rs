//! The commands of the page about consoles, typed as they stand: on an engine with the page's router, and on this machine alone.

use std::{
    fs,
    io::Write,
    path::Path,
    process::{Command, Output, Stdio},
    time::Duration,
};

use jackfield_tests::{
    Bench,
    process::{Process, jackfield},
    wait,
};
use serde_json::{Value, json};

const LIMIT: Duration = Duration::from_secs(60);

/// The blocks of commands of the page, each as its lines.
fn blocks() -> Vec<Vec<String>> {
    let page = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/console.md")).unwrap();
    let fenced = page.split("```sh\n").skip(1).map(|rest| rest.split("```").next().unwrap_or_default());
    fenced.map(|block| block.lines().map(str::to_owned).collect()).collect()
}

/// The page's router, by telnet and SSH.
fn router(folder: &Path) -> (Process, u64, u64) {
    let model = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/lab-model/router.toml");
    let mut command = Command::new(jackfield());
    command.args(["--json", "simulate"]).arg(model);
    let simulator = Process::start("router", &mut command, &folder.join("router.log")).unwrap();
    let said = wait::until(LIMIT, "the simulator to listen", || {
        let text = simulator.output();
        Ok(text.find('[').and_then(|at| serde_json::from_str::<Value>(text.get(at..)?.trim()).ok()))
    });
    let said = said.unwrap();
    let port = |way: &str| said.pointer(&format!("/0/{way}/port")).and_then(Value::as_u64).unwrap();
    let (telnet, ssh) = (port("telnet"), port("ssh"));
    (simulator, telnet, ssh)
}

/// A line of a shell, by somebody who has the product in the path and types this.
fn typed(bench: &Bench, folder: &Path, line: &str, keys: &str) -> Output {
    let bin = jackfield().parent().unwrap().display().to_string();
    let mut command = Command::new("sh");
    command.args(["-c", line]).current_dir(folder);
    command.env("PATH", format!("{bin}:{}", "/usr/bin:/bin")).env("HOME", folder);
    command.env("JACKFIELD_ENGINE", &bench.api.url).env("JACKFIELD_API_TOKEN", &bench.api.token);
    command.env("JACKFIELD_DEVICE_PASSWORD", "lab");
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // One that types nothing has closed it.
    drop(child.stdin.take().unwrap().write_all(keys.as_bytes()));
    child.wait_with_output().unwrap()
}

fn told(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

fn bench_with_router(telnet: u64) -> Bench {
    let mut bench = Bench::start("").unwrap();
    let way = json!({"protocol": "telnet", "host": "127.0.0.1", "port": telnet, "user": "lab", "password": "lab", "profile": "ios"});
    for (parent, name, properties) in [("/", "tb1", json!({})), ("/tb1", "router1", way)] {
        let body = json!({"parent": parent, "name": name, "properties": properties});
        bench.api.put::<Value>("/resources", &body).unwrap();
    }
    bench.start_ep("EP-1", "").unwrap();
    bench
}

#[test]
fn consoles_are_opened_as_the_page_says() {
    let folder = tempfile::tempdir().unwrap();
    let (_simulator, telnet, _) = router(folder.path());
    let bench = bench_with_router(telnet);
    let block = blocks().into_iter().next().unwrap();
    assert_eq!(block.len(), 5, "{block:?}");
    for line in block {
        let keys = if line.contains("--raw") { "lab\nlab\nshow version\n" } else { "show version\n" };
        let output = typed(&bench, folder.path(), &line, keys);
        let said = told(&output);
        if line.contains("--watch") {
            assert!(!output.status.success() && !said.contains("uptime"), "{line}: {said}");
        } else {
            assert!(output.status.success() && said.contains("uptime"), "{line}: {said}");
            assert!(!said.contains("Login invalid"), "{line}: {said}");
        }
    }
}

#[test]
fn dialogues_are_recorded_as_the_page_says() {
    let folder = tempfile::tempdir().unwrap();
    let (_simulator, telnet, ssh) = router(folder.path());
    let bench = bench_with_router(telnet);
    // A serial line with a shell behind it.
    let serial = folder.path().join("ttyUSB0");
    let mut line = Command::new("socat");
    line.arg(format!("PTY,link={},rawer", serial.display()));
    line.arg("EXEC:sh -i,pty,setsid,stderr,sane");
    let _line = Process::start("line", &mut line, &folder.path().join("line.log")).unwrap();
    wait::until(LIMIT, "the line", || Ok(serial.try_exists()?.then_some(()))).unwrap();
    let block = blocks().into_iter().nth(1).unwrap();
    assert_eq!(block.len(), 5, "{block:?}");
    for (number, line) in block.iter().enumerate() {
        // The page's devices are those of this machine.
        let line = line
            .split(" #")
            .next()
            .unwrap()
            .replace("ana@10.0.0.2:2222", &format!("lab@127.0.0.1:{ssh}"))
            .replace("10.0.0.1", &format!("127.0.0.1:{telnet}"))
            .replace("/dev/ttyUSB0", &serial.display().to_string())
            .replace("vtysh", "sh -i");
        let own = folder.path().join(number.to_string());
        fs::create_dir(&own).unwrap();
        let keys = if line.contains("serial:") || line.contains("sh -i") {
            "echo up''time\n"
        } else {
            "show version\n"
        };
        let output = typed(&bench, &own, &line, keys);
        let said = told(&output);
        assert!(output.status.success() && said.contains("uptime"), "{line}: {said}");
        let file = line.split("-o ").nth(1).unwrap().split(' ').next().unwrap().to_owned();
        let cast = fs::read_to_string(own.join(&file)).unwrap();
        let header: Value = serde_json::from_str(cast.lines().next().unwrap()).unwrap();
        assert!(header.get("version").is_some() && cast.contains("uptime"), "{line}: {cast}");
        assert!(said.contains(&file), "{line}: {said}");
    }
}
