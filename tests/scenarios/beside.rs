//! What an SSH session carries besides its dialogue: tests in every language send files to a real OpenSSH server, fetch them, and run
//! commands; the server is reached through another one, which is a resource of its own. All of it by either of the libraries that speak SSH.

use std::{
    fs,
    net::TcpListener,
    os::fd::OwnedFd,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

use jackfield_protocol::verdict::{TestState, Verdict};
use jackfield_tests::Bench;
use serde_json::json;

const PYTHON: &str = r#"
import jackfield, pathlib

FOLDER = "@FOLDER@"
with jackfield.session("/lab/host") as host:
    pathlib.Path("image.bin").write_bytes(bytes(range(256)) * 4000)
    assert host.put("image.bin", FOLDER + "/py/") == 1_024_000
    left = host.execute(f"wc -c < {FOLDER}/py/image.bin; echo oops >&2; exit 4")
    assert (left.output.strip(), left.error, left.status) == ("1024000", "oops\n", 4), left
    host.get(FOLDER + "/py/image.bin", "back.bin", way="scp")
    assert pathlib.Path("back.bin").read_bytes() == pathlib.Path("image.bin").read_bytes()
    # Folders, with what is in them; a link is told and left out.
    tree = pathlib.Path("tree")
    (tree / "in" / "empty").mkdir(parents=True)
    (tree / "in" / "one").write_text("1")
    (tree / "two").write_text("22")
    (tree / "link").symlink_to("two")
    for way in ["sftp", "scp"]:
        assert host.put(tree, f"{FOLDER}/{way}", way=way) == 3
        assert host.get(f"{FOLDER}/{way}", f"back-{way}", way=way) == 3
        back = pathlib.Path(f"back-{way}")
        names = sorted(str(path.relative_to(back)) for path in back.rglob("*"))
        assert names == ["in", "in/empty", "in/one", "two"], names
        assert (back / "in" / "one").read_text() == "1"
    try:
        host.get(FOLDER + "/nothing", "nothing")
        assert False, "a file that is not there was fetched"
    except jackfield.JackfieldError as error:
        assert "there is no such file or folder" in str(error), error
    assert host.command("echo $((40 + 2))") == "42"
    try:
        host.send_break()
        assert False, "an SSH session has no line"
    except jackfield.JackfieldError as error:
        assert "this session has no serial line" in str(error), error

# A session that somebody left lost is whole again for whoever opens it next.
lost = jackfield.session("/lab/host", name="shared")
try:
    lost.command("exit 5")
    assert False, "a shell that ended gave an answer"
except jackfield.JackfieldError as error:
    assert "the shell ended with status 5" in str(error), error
assert jackfield.session("/lab/host", name="shared").command("echo back") == "back"
"#;

const TCL: &str = r#"
set host [session /lab/host tcl]
set file [open here.txt w]; puts -nonewline $file image; close $file
session_put $host here.txt @FOLDER@/tcl.txt
if {[session_get $host @FOLDER@/tcl.txt back.txt] != 5} { error "not all of it came back" }
if {[dict get [session_execute $host "exit 3"] status] != 3} { error "wrong status" }
session_close $host
"#;

const PERL: &str = r#"
my $host = Jackfield->session('/lab/host', name => 'perl');
open my $file, '>', 'here.txt' or die; print {$file} 'image'; close $file;
$host->put('here.txt', '@FOLDER@/perl.txt', way => 'scp');
test_fail('not all of it came back') if $host->get('@FOLDER@/perl.txt', 'back.txt') != 5;
test_fail('wrong output') if $host->execute('cat @FOLDER@/perl.txt')->{output} ne 'image';
$host->close;
"#;

const SHELL: &str = r#"
jf_session /lab/host sh >/dev/null || jf_fail 'no session'
printf image >here.txt
jf_put sh here.txt @FOLDER@/sh.txt || jf_fail 'not sent'
jf_get sh @FOLDER@/sh.txt back.txt || jf_fail 'not fetched'
cmp here.txt back.txt || jf_fail 'it changed on the way'
jf_execute sh 'exit 3' && jf_fail 'a command that failed went through'
[ "$(jf_execute sh 'cat @FOLDER@/sh.txt')" = image ] || jf_fail 'wrong output'
jf_close sh
"#;

const PROJECT: &str = r#"<Root>
  <TestSuite><tsName>files</tsName><ID>s1</ID>
    <TestCase><tcName>files.py</tcName><ID>t1</ID></TestCase>
    <TestCase><tcName>files.tcl</tcName><ID>t2</ID></TestCase>
    <TestCase><tcName>files.pl</tcName><ID>t3</ID></TestCase>
    <TestCase><tcName>files.sh</tcName><ID>t4</ID></TestCase>
  </TestSuite>
</Root>"#;

/// An OpenSSH server process for every connection, as inetd starts them; it takes the key `id` of the folder.
pub(crate) fn serve(folder: &Path) -> u16 {
    let config = configure(folder);
    listen(move || {
        let mut sshd = Command::new("/usr/sbin/sshd");
        sshd.arg("-i").arg("-f").arg(&config);
        sshd
    })
}

/// The same where root has the password `jackfield`: each sees a password file of its own, in a mount namespace of its own.
pub(crate) fn serve_with_password(folder: &Path) -> u16 {
    let (config, shadow) = (configure(folder), folder.join("shadow"));
    let crypt = r#"print crypt("jackfield", "\$6\$jackfield\$")"#;
    let hash = Command::new("/usr/bin/perl").args(["-e", crypt]).output().unwrap().stdout;
    let theirs = fs::read_to_string("/etc/shadow").unwrap();
    let others: Vec<&str> = theirs.lines().filter(|line| !line.starts_with("root:")).collect();
    let root = String::from_utf8(hash).unwrap();
    fs::write(&shadow, format!("root:{root}:19000:0:99999:7:::\n{}\n", others.join("\n"))).unwrap();
    let script = format!(
        "mount --bind {} /etc/shadow && exec /usr/sbin/sshd -i -f {}",
        shadow.display(),
        config.display()
    );
    listen(move || {
        let mut sshd = Command::new("/usr/bin/unshare");
        sshd.args(["--mount", "sh", "-c", &script]);
        sshd
    })
}

fn configure(folder: &Path) -> PathBuf {
    for (name, kind) in [("host", "ed25519"), ("id", "ed25519")] {
        let file = folder.join(name);
        let keygen = ["-q", "-t", kind, "-N", "", "-f"];
        assert!(Command::new("ssh-keygen").args(keygen).arg(file).status().unwrap().success());
    }
    fs::create_dir_all("/run/sshd").unwrap();
    let config = folder.join("config");
    let text = format!(
        "HostKey {0}/host\nAuthorizedKeysFile {0}/id.pub\nStrictModes no\nUsePAM no\nPermitRootLogin yes\nSubsystem sftp internal-sftp\n",
        folder.display()
    );
    fs::write(&config, text).unwrap();
    config
}

/// A process for every connection, as inetd starts them; the port.
pub(crate) fn listen(command: impl Fn() -> Command + Send + 'static) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let input: OwnedFd = stream.unwrap().into();
            let output = input.try_clone().unwrap();
            let mut server = command();
            server.stdin(input).stdout(output).stderr(Stdio::null());
            // It ends with its connection.
            drop(server.spawn().unwrap());
        }
    });
    port
}

#[test]
fn files_and_commands_go_beside_a_session_in_every_language() {
    let (far, gate) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let ports = (serve(far.path()), serve(gate.path()));
    let mut bench = Bench::start("").unwrap();
    let folder = far.path().join("files");
    fs::create_dir_all(folder.join("py")).unwrap();
    for (name, text) in [("files.py", PYTHON), ("files.tcl", TCL), ("files.pl", PERL), ("files.sh", SHELL)] {
        let text = text.replace("@FOLDER@", &folder.display().to_string());
        bench.write(&format!("tests/{name}"), &text).unwrap();
    }
    bench.start_ep("EP-1", "").unwrap();
    let set = |name: &str, parent: &str, properties: serde_json::Value| {
        let body = json!({"parent": parent, "name": name, "properties": properties});
        bench.api.put::<serde_json::Value>("/resources", &body).unwrap();
    };
    set("lab", "/", json!({}));
    let way = |folder: &Path, port: u16| {
        json!({
            "host": "127.0.0.1", "port": port, "user": "root", "profile": "linux",
            "key": folder.join("id"), "host_key": "accept-new",
        })
    };
    set("gate", "/lab", way(gate.path(), ports.1));
    for library in ["russh", "libssh2"] {
        let mut host = way(far.path(), ports.0);
        host["jump"] = json!("/lab/gate");
        host["ssh_backend"] = json!(library);
        set("host", "/lab", host);
        let run = bench.api.submit("files", PROJECT).unwrap();
        bench.api.wait(run, Duration::from_secs(90)).unwrap();
        for test in bench.api.tests(run).unwrap() {
            let log = bench.api.log(test.attempt.unwrap(), "cli").unwrap_or_default();
            let told = format!("{} by {library}: {}\n{log}", test.name, test.reason);
            assert_eq!(test.state, TestState::Ended(Verdict::Pass), "{told}");
        }
        let image = folder.join("py/image.bin");
        assert_eq!(fs::read(&image).unwrap().len(), 1_024_000);
        fs::remove_file(image).unwrap();
    }
}
