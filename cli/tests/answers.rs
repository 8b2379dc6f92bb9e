//! Commands that ask an engine, and whatever may come back instead of an answer: a refusal, a proxy's page, half a document, nothing. None of
//! it ends well by accident, none of it is a panic, and for a script all of it is one document.
#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

use std::{
    io::{Read as _, Write as _},
    net::{TcpListener, TcpStream},
    process::{Command, Output},
    thread,
};

use serde_json::Value;

/// Commands, with what they need to be asked at all.
const COMMANDS: [&[&str]; 41] = [
    &["runs", "list"],
    &["runs", "show", "1"],
    &["runs", "why", "1"],
    &["runs", "why", "1", "0"],
    &["runs", "jobs"],
    &["runs", "jobs", "1"],
    &["runs", "logs", "1.0"],
    &["runs", "search", "1.0", "x"],
    &["runs", "artifacts", "1.0"],
    &["runs", "questions"],
    &["runs", "prune"],
    &["runs", "prune", "--dry-run"],
    &["runs", "keep", "1"],
    &["runs", "delete", "1"],
    &["runs", "save", "1"],
    &["runs", "pause", "1"],
    &["runs", "stop", "1"],
    &["runs", "retry", "1"],
    &["runs", "queue", "1", "a.py"],
    &["runs", "dequeue", "1", "0"],
    &["runs", "answer", "1", "2", "yes"],
    &["lease", "list"],
    &["lease", "show", "1"],
    &["lease", "take", "/lab/router"],
    &["lease", "release", "1"],
    &["lease", "accept", "1"],
    &["lease", "extend", "1", "--for", "1h"],
    &["lease", "force", "1", "--reason", "x"],
    &["resource", "power", "/lab/router", "on"],
    &["eps", "list"],
    &["eps", "show", "EP-1"],
    &["eps", "drain", "EP-1"],
    &["resource", "get", "/lab/router"],
    &["resource", "tree"],
    &["sut", "list"],
    &["user", "list"],
    &["group", "list"],
    &["token", "list"],
    &["audit"],
    &["project", "list"],
    &["console", "list"],
];

/// An answer, the exit code that follows, and a word that people are told.
struct Case {
    answer: String,
    exit: i32,
    says: &'static str,
}

fn problem(status: u16, code: &str, title: &str) -> String {
    let body = format!("{{\"code\":\"{code}\",\"status\":{status},\"title\":\"{title}\"}}");
    of("application/problem+json", &format!("{status} X"), &body)
}

fn of(kind: &str, status: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    )
}

/// Answers everything with this until the test ends; the address.
fn engine(answer: String) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming() {
            answer_one(stream.unwrap(), &answer);
        }
    });
    format!("http://{address}")
}

fn answer_one(mut stream: TcpStream, answer: &str) {
    let (mut request, mut piece) = (Vec::new(), [0; 4096]);
    while !request.windows(4).any(|end| end == b"\r\n\r\n") {
        match stream.read(&mut piece) {
            Ok(0) | Err(_) => return,
            Ok(read) => request.extend_from_slice(piece.get(..read).unwrap_or_default()),
        }
    }
    // Who has gone needs no answer.
    drop(stream.write_all(answer.as_bytes()));
}

fn jackfield(engine: &str, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_jackfield"));
    let home = tempfile::tempdir().unwrap();
    command.args(arguments).env("JACKFIELD_ENGINE", engine).env("JACKFIELD_API_TOKEN", "word");
    command.env("HOME", home.path()).env("XDG_CONFIG_HOME", home.path()).env_remove("NO_COLOR");
    command.output().unwrap()
}

#[test]
fn whatever_comes_back_is_told_and_ends_otherwise_than_well() {
    let cases = [
        Case {
            answer: problem(403, "forbidden", "ana may not do this"),
            exit: 2,
            says: "ana may not do this",
        },
        Case { answer: problem(409, "wrong_state", "it has ended"), exit: 2, says: "it has ended" },
        Case { answer: problem(401, "unauthenticated", "log in"), exit: 2, says: "does not take the token" },
        Case { answer: problem(507, "storage", "the disk is full"), exit: 4, says: "the disk is full" },
        Case { answer: problem(503, "unavailable", "going down"), exit: 4, says: "going down" },
        Case { answer: problem(500, "made_up_later", "something new"), exit: 4, says: "something new" },
        Case { answer: of("text/html", "502 Bad Gateway", "<html>nginx</html>"), exit: 4, says: "502" },
        Case { answer: of("text/html", "200 OK", "<html>log in to the hotel</html>"), exit: 2, says: "" },
        Case { answer: of("application/json", "200 OK", "{\"items\": ["), exit: 2, says: "" },
        Case { answer: String::new(), exit: 3, says: "" },
        Case { answer: "SSH-2.0-OpenSSH_9.2\r\n".to_owned(), exit: 3, says: "" },
    ];
    let mut wrong = Vec::new();
    for Case { answer, exit, says } in cases {
        let head = answer.lines().next().unwrap_or("nothing at all").to_owned();
        let engine = engine(answer);
        for command in COMMANDS {
            let told = jackfield(&engine, command);
            let (out, err) = (String::from_utf8_lossy(&told.stdout), String::from_utf8_lossy(&told.stderr));
            let what = format!("{} on `{head}`", command.join(" "));
            let is_answered = told.status.success();
            let is_told = err.contains("error:") && err.contains(says) && !err.contains("panicked");
            if is_answered || told.status.code() != Some(exit) || !is_told {
                wrong.push(format!("{what}: exit {:?}, out {out:?}, err {err:?}", told.status.code()));
            }
            let json = jackfield(&engine, &[command, &["--json"]].concat());
            let document: Result<Value, _> = serde_json::from_slice(&json.stdout);
            let is_problem = document.is_ok_and(|it| it["code"].is_string() && it["title"].is_string());
            if !is_problem || json.status.code() != Some(exit) {
                let out = String::from_utf8_lossy(&json.stdout).into_owned();
                wrong.push(format!("{what} --json: exit {:?}, out {out:?}", json.status.code()));
            }
        }
    }
    assert!(wrong.is_empty(), "{} of them:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn a_reader_that_goes_away_is_no_fault() {
    let page = of("application/json", "200 OK", "{\"items\": [], \"next\": null}");
    let engine = engine(page);
    let script = format!("\"$0\" runs list --engine {engine} | true; exit ${{PIPESTATUS[0]}}");
    let mut bash = Command::new("bash");
    bash.args(["-c", &script, env!("CARGO_BIN_EXE_jackfield")]).env("JACKFIELD_API_TOKEN", "x");
    let done = bash.output().unwrap();
    assert!(done.status.success() && done.stderr.is_empty(), "{done:?}");
}

#[test]
fn a_line_that_is_no_command_is_one_document_too() {
    for line in [&["runs", "shw", "1", "--json"][..], &["--json", "nothing"], &["runs", "keep", "--json"]] {
        let done = jackfield("http://127.0.0.1:9", line);
        let document: Value = serde_json::from_slice(&done.stdout).unwrap();
        assert_eq!(
            (done.status.code(), &document["code"]),
            (Some(2), &Value::from("bad_request")),
            "{line:?}"
        );
    }
}
