//! Secrets of every kind are planted in a lab that works with all of them, and looked for in all that it says, writes and shows.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    io::{Read as _, Write as _},
    net::TcpStream,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use jackfield_tests::{
    Bench,
    api::Api,
    process::{Process, jackfield},
    wait,
};
use serde_json::{Value, json};

use crate::{console::Sitting, people::join};

const LIMIT: Duration = Duration::from_secs(120);
/// In every secret of this lab.
const MARK: &str = "geheim-";
/// How long an answer may be silent until it counts as one that goes on.
const SILENCE: Duration = Duration::from_millis(300);
/// Routes whose answers show secrets of devices to those who may use or edit them.
const SHOW_TO_SOME: [&str; 7] = [
    "/api/v1/resources",
    "/api/v1/resources/tree",
    "/api/v1/resources/export",
    "/api/v1/resources/history",
    "/api/v1/suts",
    "/api/v1/suts/{sut}",
    "/api/v1/console",
];

const WORKS: &str = r#"
import pathlib, time
from jackfield import session
router = session("/lab/router")
assert "uptime" in router.command("show version")
pathlib.Path("@FOLDER@/open").touch()
while not pathlib.Path("@FOLDER@/enough").exists():
    time.sleep(0.02)
"#;
const FAILS: &str = "from jackfield import session\nsession('/lab/wrong')\n";
const STEPS: &str = r#"
[sessions.r]
resource = "/lab/router"
[[steps]]
session = "r"
command = "show version"
"#;
const EMAIL: &str = "<Root><Enabled>true</Enabled><SMTPPath>127.0.0.1:1</SMTPPath><SMTPUser>lab</SMTPUser>\
    <SMTPPwd>geheim-mail</SMTPPwd><From>lab@lab.lab</From><To>ana@lab.lab</To><Subject>s</Subject><Message>m</Message></Root>";
/// Nobody listens there.
const WEBHOOKS: &str = r#"
[[webhook]]
name = "ci"
url = "http://127.0.0.1:9/geheim-path?key=geheim-key"
secret = "geheim-signature"
"#;

const DB: &str = "<root><db_config><server>127.0.0.1:1</server><database>d</database><user>u</user>\
    <password>geheim-database</password></db_config><insert_section><sql_statement>INSERT INTO r VALUES (1)</sql_statement>\
    </insert_section><reports_section><report ID='All' Type='Table' SQLQuery='SELECT 1'/></reports_section></root>";
const PROJECT: &str = "<Root><dbautosave>true</dbautosave><TestSuite><tsName>a</tsName>\
    <TestCase><tcName>works.py</tcName></TestCase><TestCase><tcName>fails.py</tcName></TestCase>\
    <TestCase><tcName>steps.steps.toml</tcName></TestCase></TestSuite></Root>";

/// A simulated router whose passwords are planted.
fn router(bench: &Bench) -> (Process, Value) {
    let model = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/lab-model/router.toml");
    let text = fs::read_to_string(model).unwrap();
    let text = text
        .replace("password = \"lab\"", "password = \"geheim-login\"")
        .replace("lab-enable", "geheim-enable");
    let model = bench.path().join("router.toml");
    fs::write(&model, text).unwrap();
    let mut command = Command::new(jackfield());
    command.args(["--json", "simulate"]).arg(model);
    let simulator = Process::start("the simulator", &mut command, &bench.path().join("sim.log")).unwrap();
    let said = wait::until(LIMIT, "the simulator to listen", || {
        let text = simulator.output();
        Ok(text.find('[').and_then(|at| serde_json::from_str::<Value>(text.get(at..)?.trim()).ok()))
    })
    .unwrap();
    let mut properties = said.pointer("/0/telnet").and_then(Value::as_object).unwrap().clone();
    for (key, value) in [
        ("profile", "ios"),
        ("level", "privileged"),
        ("password", "geheim-login"),
        ("enable_password", "geheim-enable"),
        ("snmp_community", "geheim-community"),
        ("private_key", "geheim-key"),
        ("api_token", "geheim-token"),
        ("pass", "geheim-pass"),
        ("address", "https://lab.lab/r1?view=1&api_key=geheim-query"),
        ("identity", "-----BEGIN OPENSSH PRIVATE KEY-----\ngeheim-pem\n-----END OPENSSH PRIVATE KEY-----\n"),
    ] {
        properties.insert(key.to_owned(), value.into());
    }
    (simulator, properties.into())
}

fn plant(bench: &mut Bench) -> Process {
    let folder = bench.path().display().to_string();
    bench.write("tests/works.py", &WORKS.replace("@FOLDER@", &folder)).unwrap();
    bench.write("tests/fails.py", FAILS).unwrap();
    bench.write("tests/steps.steps.toml", STEPS).unwrap();
    bench.write("email.xml", EMAIL).unwrap();
    bench.write("db.xml", DB).unwrap();
    bench.write("webhooks.toml", WEBHOOKS).unwrap();
    let (simulator, router) = router(bench);
    let mut wrong = router.clone();
    let more = json!({"password": "geheim-wrong", "power": {"http": {
        "on": "http://pdu:geheim-outlet@127.0.0.1:1/on", "status": "http://pdu:geheim-outlet@127.0.0.1:1/",
    }}});
    wrong.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let ssh = json!({"pdu": {"snmp": {"conf": ["defAuthPassphrase geheim-conf"]}}, "protocol": "ssh", "host": "127.0.0.1", "port": 1, "user": "u", "password": "geheim-ssh", "passphrase": "geheim-phrase",
        "new_password": "geheim-new", "totp_secret": "geheim-no-base32", "jump": [{"host": "127.0.0.1", "password": "geheim-jump"}]});
    for (parent, name, properties) in
        [("/", "lab", json!({})), ("/lab", "router", router), ("/lab", "wrong", wrong), ("/lab", "ssh", ssh)]
    {
        bench.api.set_resource(parent, name, &properties).unwrap();
    }
    let sut = json!({"meta": {"password": "geheim-sut"}, "children": {"dut": {"id": "00000000aa", "meta": {"passwd": "geheim-dut"}, "children": {}}}});
    bench.api.put::<Value>("/suts/bench.system", &sut).unwrap();
    bench.start_ep("EP-1", "").unwrap();
    simulator
}

/// What a `GET` says until it ends or has nothing more to say.
fn answer(api: &Api, path: &str) -> Vec<u8> {
    let host = api.url.strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(host).unwrap();
    // What goes on for ever has begun by then.
    stream.set_read_timeout(Some(LIMIT)).unwrap();
    let token = &api.token;
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\nConnection: close\r\n\r\n"
    )
    .unwrap();
    let (mut all, mut piece) = (Vec::new(), [0; 65_536]);
    while let Ok(count @ 1..) = stream.read(&mut piece) {
        all.extend_from_slice(piece.get(..count).unwrap());
        stream.set_read_timeout(Some(SILENCE)).unwrap();
    }
    all
}

/// The addresses of the document, filled in with what there is.
fn addresses(bench: &Bench, document: &Value) -> Vec<(String, Vec<String>)> {
    let tests = bench.api.tests(1_u64.to_string().parse().unwrap()).unwrap();
    let attempts: Vec<String> = tests.iter().filter_map(|test| Some(test.attempt?.to_string())).collect();
    let blobs = files_below(&bench.lab().join(".jackfield/blobs")).into_iter();
    let blobs = blobs.filter_map(|path| Some(path.file_name()?.to_str()?.to_owned())).collect();
    let known: BTreeMap<&str, Vec<String>> = BTreeMap::from([
        ("{attempt}", attempts),
        ("{stream}", ["cli", "run", "ep"].map(str::to_owned).into()),
        ("{hash}", blobs),
        ("{run}", vec!["1".to_owned()]),
        ("{test}", ["0", "1", "2"].map(str::to_owned).into()),
        ("{ep}", vec!["EP-1".to_owned()]),
        ("{sut}", vec!["bench.system".to_owned()]),
        ("{lease}", vec!["1".to_owned()]),
        ("{project}", vec!["p".to_owned()]),
        ("{file}", vec!["works.py".to_owned()]),
        ("{report}", vec!["All".to_owned()]),
        ("{format}", vec!["csv".to_owned()]),
        ("{webhook}", vec!["ci".to_owned()]),
        ("{config}", vec!["rates.xml".to_owned()]),
        // No link was made, no suite kept apart, and the lab folder is no repository: what is refused tells nothing either.
        ("{link}", vec!["none".to_owned()]),
        ("{suite}", vec!["none.xml".to_owned()]),
        ("{commit}", vec!["0000000".to_owned()]),
    ]);
    let mut all = Vec::new();
    for (path, methods) in document.get("paths").and_then(Value::as_object).unwrap() {
        if methods.get("get").is_none() {
            continue;
        }
        let mut filled = vec![path.clone()];
        for (name, values) in &known {
            let each = |path: String| -> Vec<String> {
                if path.contains(name) {
                    values.iter().map(|value| path.replace(name, value)).collect()
                } else {
                    vec![path]
                }
            };
            filled = filled.into_iter().flat_map(each).collect();
        }
        assert!(filled.iter().all(|path| !path.contains('{')), "{path} has a parameter that nobody fills in");
        let query = match path.as_str() {
            "/api/v1/resources" => "?query=/lab/wrong",
            "/api/v1/resources/power" => "?resource=/lab/wrong",
            "/api/v1/console" => "?resource=/lab/ssh",
            path if path.ends_with("/search") => "?text=e",
            path if path.ends_with("/follow") => "?lab=0&runs=1",
            _ => "",
        };
        all.push((path.clone(), filled.into_iter().map(|path| format!("{path}{query}")).collect()));
    }
    all
}

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let (mut found, mut folders) = (Vec::new(), vec![folder.to_owned()]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            match entry.file_type().unwrap() {
                kind if kind.is_dir() => folders.push(entry.path()),
                kind if kind.is_file() => found.push(entry.path()),
                _ => {}
            }
        }
    }
    found
}

/// Command lines and environments of a process and all that it started.
fn processes(root: u32, found: &mut Vec<(String, Vec<u8>)>) {
    for what in ["cmdline", "environ"] {
        let path = format!("/proc/{root}/{what}");
        found.push((path.clone(), fs::read(path).unwrap_or_default()));
    }
    let children = fs::read_to_string(format!("/proc/{root}/task/{root}/children")).unwrap_or_default();
    let threads = fs::read_dir(format!("/proc/{root}/task")).into_iter().flatten().flatten();
    let others = threads.map(|thread| fs::read_to_string(thread.path().join("children")).unwrap_or_default());
    let all: BTreeSet<u32> = others
        .chain([children])
        .flat_map(|text| text.split_whitespace().filter_map(|pid| pid.parse().ok()).collect::<Vec<_>>())
        .collect();
    all.into_iter().for_each(|child| processes(child, found));
}

/// The secrets that stand in some bytes, each with what is around it.
fn leaks(place: &str, bytes: &[u8], tokens: &[String]) -> Vec<String> {
    let text = String::from_utf8_lossy(bytes);
    let marks = tokens.iter().map(String::as_str).chain([MARK]);
    marks
        .filter_map(|mark| text.find(mark))
        .map(|at| {
            let from = (0..=at.saturating_sub(60)).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
            format!(
                "{place}: {}",
                text.get(from..).unwrap().chars().take(140).collect::<String>().escape_debug()
            )
        })
        .collect()
}

/// In the answers of every route, for somebody who may only look, and for the administrator.
fn in_answers(bench: &Bench, viewer: &Api, tokens: &[String]) -> Vec<String> {
    let mut found = Vec::new();
    let document = answer(&bench.api, "/api/openapi.json");
    let begin = document.iter().position(|byte| *byte == b'{').unwrap();
    let document: Value = serde_json::from_slice(document.get(begin..).unwrap()).unwrap();
    let mut asked = 0;
    for (path, filled) in addresses(bench, &document) {
        for (who, api) in [("viewer", viewer), ("admin", &bench.api)] {
            if who == "admin" && SHOW_TO_SOME.contains(&path.as_str()) {
                continue;
            }
            for address in &filled {
                let said = answer(api, address);
                assert!(said.starts_with(b"HTTP/1.1 "), "{address} says nothing");
                asked += 1;
                found.extend(leaks(&format!("{address} for {who}"), &said, tokens));
            }
        }
    }
    assert!(asked > 100, "only {asked} answers were looked at");
    let shown = String::from_utf8_lossy(&answer(&bench.api, "/api/v1/resources/tree")).into_owned();
    assert!(
        shown.contains("geheim-login"),
        "who edits the router sees its password, so the search would find it"
    );
    found
}

/// In the files of engine and EP, and in a backup.
fn in_files(bench: &Bench, tokens: &[String]) -> Vec<String> {
    let mut found = Vec::new();
    let backup = bench.path().join("backup");
    let lab = bench.lab();
    let made =
        bench.jackfield(&["backup", backup.to_str().unwrap(), "--lab", lab.to_str().unwrap()]).unwrap();
    let told = String::from_utf8_lossy(&made.stdout).into_owned();
    assert!(
        made.status.success() && told.contains("store.key is not in it"),
        "{told}{}",
        String::from_utf8_lossy(&made.stderr)
    );
    assert!(
        backup.join(".jackfield/engine.sqlite").is_file()
            && !backup.join(".jackfield/store.key").try_exists().unwrap()
    );
    let inside = lab.join("backups/today");
    let refused =
        bench.jackfield(&["backup", inside.to_str().unwrap(), "--lab", lab.to_str().unwrap()]).unwrap();
    let told = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(!refused.status.success() && told.contains("is in the lab folder"), "{told}");
    assert!(!lab.join("backups").try_exists().unwrap(), "what is refused leaves nothing behind");
    let mut files = files_below(&lab.join(".jackfield"));
    for folder in [
        lab.join("outbox"),
        backup.join(".jackfield"),
        bench.path().join("eps/EP-1/work"),
        bench.path().join("log"),
    ] {
        files.extend(files_below(&folder));
    }
    assert!(files.len() > 20, "{files:?}");
    for file in files {
        found.extend(leaks(&file.display().to_string(), &fs::read(&file).unwrap_or_default(), tokens));
    }
    found
}

#[test]
fn a_planted_secret_is_found_nowhere() {
    let mut bench = Bench::start("").unwrap();
    let _simulator = plant(&mut bench);
    let ana = join(&bench, "ana", &["RUN_TESTS", "VIEW_REPORTS"]).unwrap();
    let viewer = join(&bench, "viewer", &["VIEW_REPORTS"]).unwrap();
    bench.api.post::<Value>("/users", &json!({"name": "bob", "password": "geheim-person"})).unwrap();
    let wrong = json!({"user": "bob", "password": "geheim-guess"});
    bench.api.request("POST", "/login", Some(&wrong)).unwrap();
    let ep_toml = fs::read_to_string(bench.path().join("eps/EP-1/ep.toml")).unwrap();
    let of_ep =
        ep_toml.lines().find_map(|line| line.strip_prefix("token = ")).unwrap().trim_matches('"').to_owned();
    let tokens = [bench.api.token.clone(), ana.token.clone(), viewer.token.clone(), of_ep];

    bench.write("projects/p.xml", PROJECT).unwrap();
    let run = bench.api.submit("p", PROJECT).unwrap();
    let open = bench.path().join("open");
    wait::until(LIMIT, "the test to be in its session", || Ok(open.try_exists()?.then_some(()))).unwrap();
    let mut found = Vec::new();
    let mut seen = Vec::new();
    // The EP has its token from a file; a test has one of its own, for its own calls.
    for name in ["engine", "EP-1"] {
        let pid = if name == "engine" { bench.engine().pid() } else { bench.ep(name).pid() };
        processes(pid, &mut seen);
    }
    // Engine, EP, the warm interpreter and the test that came out of it.
    assert!(
        seen.len() >= 8 && seen.iter().all(|(_, bytes)| !bytes.is_empty()),
        "too few were looked at: {seen:?}"
    );
    seen.iter().for_each(|(place, bytes)| found.extend(leaks(place, bytes, &tokens)));
    let mut sitting = Sitting::begin(&bench, &ana, "sits", &["/lab/router", "--quiet", "300"]);
    sitting.types("show version\n");
    sitting.awaits("uptime");
    sitting.goes();
    sitting.ended();
    fs::write(bench.path().join("enough"), "").unwrap();
    bench.api.wait(run, LIMIT).unwrap();
    // Mail and inserts have failed once, in words.
    wait::until(LIMIT, "the work after the run to fail", || {
        let jobs: Value = bench.api.get("/jobs")?;
        let failed = jobs["items"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|job| !job["error"].as_str().unwrap_or_default().is_empty());
        Ok((failed.count() >= 2).then_some(()))
    })
    .unwrap();
    let problems: Vec<String> =
        bench.api.tests(run).unwrap().iter().map(|test| test.reason.clone()).collect();
    assert!(problems.iter().any(|reason| !reason.is_empty()), "the wrong password was refused: {problems:?}");

    found.extend(in_answers(&bench, &viewer, &tokens));
    found.extend(in_files(&bench, &tokens));
    assert!(found.is_empty(), "{} leaks:\n{}", found.len(), found.join("\n"));
}

#[test]
fn another_key_is_made_and_the_old_one_is_of_no_use() {
    let mut bench = Bench::start("[data]\nkey = \"own.key\"\n").unwrap();
    bench.api.set_resource("/", "lab", &json!({"password": "geheim-login"})).unwrap();
    let lab = bench.lab();
    let key = lab.join("own.key");
    assert!(!lab.join(".jackfield/store.key").try_exists().unwrap(), "it is where the settings say");
    let rotate = |bench: &Bench| {
        let output = bench.jackfield(&["secret", "rotate", "--lab", lab.to_str().unwrap()]).unwrap();
        let said =
            [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned()).concat();
        (output.status.success(), said)
    };
    let (done, said) = rotate(&bench);
    assert!(!done && said.contains("is in use by the engine with process id"), "{said}");
    let old = fs::read_to_string(&key).unwrap();
    bench.engine().terminate().unwrap();
    let (done, said) = rotate(&bench);
    assert!(done && said.contains("the store is sealed with key"), "{said}");
    assert_ne!(fs::read_to_string(&key).unwrap(), old);
    bench.start_engine().unwrap();
    let kept: Value = bench.api.get("/resources?query=/lab:password").unwrap();
    assert_eq!(kept, json!("geheim-login"));
    bench.engine().terminate().unwrap();
    // The old key, or none at all, opens nothing, and no new key takes its place silently.
    let new = fs::read_to_string(&key).unwrap();
    fs::write(&key, &old).unwrap();
    let refused = bench.start_engine().unwrap_err().to_string();
    assert!(
        refused.contains("put back the key file") && refused.contains("which the key file does not have"),
        "{refused}"
    );
    fs::remove_file(&key).unwrap();
    let refused = bench.start_engine().unwrap_err().to_string();
    assert!(refused.contains("put back the key file") && !key.try_exists().unwrap(), "{refused}");
    Bench::write(&bench, "own.key", &new).unwrap();
    let refused = bench.start_engine().unwrap_err().to_string();
    assert!(refused.contains("others may read the key file"), "{refused}");
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
    bench.start_engine().unwrap();
    let kept: Value = bench.api.get("/resources?query=/lab:password").unwrap();
    assert_eq!(kept, json!("geheim-login"));
}
