//! Twister's libraries for devices, as its scripts import and call them, against real servers: Debian's telnetd with a login, OpenSSH with a
//! password, an FTP server; and Tcl scripts with the Expect they always had.

use std::{
    fs,
    io::{BufRead, BufReader},
    os::unix::fs::PermissionsExt,
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};

use jackfield_protocol::verdict::{TestState, Verdict};
use jackfield_tests::Bench;

use crate::{beside, serial::GETTY};

const LIMIT: Duration = Duration::from_secs(120);

const TELNET: &str = r#"
import jackfield
from TscTelnetLib import TelnetManager, TelnetConnection

manager = TelnetManager()
assert manager.open_connection("r1", "127.0.0.1", @TELNET@, "ana", "secret", "login:", "assword:")
assert manager.open_connection("r1", "127.0.0.1", @TELNET@) is False
assert manager.list_connections() == ["r1"] and manager.set_active_connection("r1")
assert "42" in manager.write("echo $((40 + 2))")
assert manager.get_connection().write("echo $((20 + 3))", result=False) is True
assert "23" in manager.read_until("23")
assert manager.write("echo $((30 + 4))") and "34" in manager.read_until("34", "r1")
assert "box#" in manager.read() and not manager.read()
assert manager.set_newline("\n") and manager.set_newline(7) is False
assert manager.set_timeout(1) and manager.get_connection("r1").timeout == 2
assert manager.read_until("what never comes") is False
assert manager.set_timeout(9) and manager.set_timeout("long") is False

# Waits for a text, and then gives a command: its answer is what follows.
connection = manager.get_connection("r1")
assert connection.write("echo rea''dy", result=False)
answer = connection.expect("ready", "echo $((50 + 6))")
assert "56" in answer, answer
assert connection.alive() and manager.login("r1")

# A connection that the device closed is made again.
connection.write("exit", result=False)
connection.session.expect(jackfield.END, timeout=9)
assert connection.alive() and "7" in connection.write("echo $((3 + 4))")

second = TelnetConnection("r2", "127.0.0.1", @TELNET@, "ana", "secret")
assert "9" in second.write("echo $((4 + 5))") and second.close()
later = manager.open_connection("r4", "127.0.0.1", @TELNET@)
assert later and manager.login("r4", "ana", "secret", "login:", "assword:"), later
assert "11" in manager.write("echo $((5 + 6))", "r4")
raw = TelnetConnection("r5", "127.0.0.1", @TELNET@)
assert "assword" in raw.expect("login:", "ana")
assert raw.expect("assword", "secret", display=False) and "13" in raw.write("echo $((6 + 7))")
wrong = manager.open_connection("r3", "127.0.0.1", @TELNET@, "ana", "wrong", "login:", "assword:")
assert wrong is False, wrong
assert manager.close_connection("r1") and manager.write("echo gone", "r1") is False
assert manager.close_all_connections() and manager.list_connections() == []
"#;

const SSH: &str = r#"
from TscSshLib import SshManager, SshConnection

manager = SshManager()
assert manager.open_connection("s1", "127.0.0.1", "root", "jackfield", @SSH@)
assert manager.set_active_connection("s1") and manager.activeConnection == "s1"
assert "42" in manager.write("echo $((40 + 2))")
assert manager.write("echo on", "s1") and "on" in manager.read("s1")
assert manager.set_timeout(5) and manager.get_connection().host == "127.0.0.1"
connection = SshConnection("s2", "127.0.0.1", @SSH@, "root", "jackfield")
assert "9" in connection.write("echo $((4 + 5))") and connection.close()
assert manager.open_connection("s3", "127.0.0.1", "root", "wrong", @SSH@) is False
assert manager.list_connections() == ["s1"] and manager.close_connection() and manager.close_all_connections()
"#;

const FTP: &str = r#"
import ftplib, io
from TscFtpLib import *

assert ftp_open("127.0.0.1", @FTP@).startswith("220")
try:
    ftp_login("ana", "wrong")
    raise AssertionError("a wrong password was taken")
except ftplib.error_perm as error:
    assert str(error).startswith("530"), error
assert ftp_login("ana", "secret").startswith("230")
assert ftp_pwd() == "/" and ftp_mkd("images") == "/images" and ftp_cwd("images")
FTP.storbinary("STOR image.bin", io.BytesIO(bytes(5000)))
assert ftp_size("image.bin") == 5000
ftp_dir()
assert ftp_delete("image.bin") and ftp_cwd("/") and ftp_rmd("images")
assert ftp_quit().startswith("221")
ftp_close()
"#;

/// As a script that knew nothing but Expect talks to a device; what it found it tells by Twister's names.
const EXPECT: &str = r#"
set timeout 20
log_user 0
spawn telnet 127.0.0.1 @TELNET@
expect "login: " { send "ana\r" }
expect "Password: " { send "secret\r" }
expect "box# " { send "echo \$((40 + 2))\r" }
expect {
    -re {\n(\d+)\r} { setGlobal expect $expect_out(1,string) }
    timeout { testFail "no answer" }
    eof { testFail "the device closed" }
}
send "exit\r"
expect eof
logMsg logTest "found [getGlobal expect]"
"#;

/// An FTP server on a port of its own choice, over this folder.
struct FtpServer(Child, u16);

impl FtpServer {
    fn start(folder: &Path) -> Self {
        let mut server = Command::new("/usr/bin/python3");
        server.args([
            "-m",
            "pyftpdlib",
            "-i",
            "127.0.0.1",
            "-p",
            "0",
            "-u",
            "ana",
            "-P",
            "secret",
            "-w",
            "-d",
        ]);
        server.arg(folder).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut server = server.spawn().unwrap();
        let said = BufReader::new(server.stderr.take().unwrap());
        let port = said.lines().map_while(Result::ok).find_map(|line| {
            let (_, rest) = line.split_once("starting FTP server on 127.0.0.1:")?;
            rest.split(|letter: char| !letter.is_ascii_digit()).next()?.parse().ok()
        });
        Self(server, port.expect("pyftpdlib is missing: run `cargo xtask setup`"))
    }
}

impl Drop for FtpServer {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

#[test]
fn scripts_of_twister_find_their_libraries() {
    let folder = tempfile::tempdir().unwrap();
    let getty = folder.path().join("getty");
    fs::write(&getty, GETTY).unwrap();
    fs::set_permissions(&getty, PermissionsExt::from_mode(0o755)).unwrap();
    let telnet = beside::listen(move || {
        let mut telnetd = Command::new("/usr/sbin/telnetd");
        telnetd.arg("-h").arg("-E").arg(&getty);
        telnetd
    });
    let ssh = beside::serve_with_password(folder.path());
    let files = folder.path().join("ftp");
    fs::create_dir(&files).unwrap();
    let ftp = FtpServer::start(&files);
    let mut bench = Bench::start("").unwrap();
    let scripts = [("telnet.py", TELNET), ("ssh.py", SSH), ("ftp.py", FTP), ("expect.exp", EXPECT)];
    for (name, text) in scripts {
        let text = text.replace("@TELNET@", &telnet.to_string()).replace("@SSH@", &ssh.to_string());
        bench.write(&format!("tests/{name}"), &text.replace("@FTP@", &ftp.1.to_string())).unwrap();
    }
    bench.start_ep("EP-1", "").unwrap();
    for row in bench.api.run_files(&scripts.map(|(name, _)| name), LIMIT).unwrap() {
        let log = bench.api.log(row.attempt.unwrap(), "cli").unwrap_or_default();
        assert_eq!(row.state, TestState::Ended(Verdict::Pass), "{}: {}\n{log}", row.name, row.reason);
    }
    assert_eq!(fs::read_dir(&files).unwrap().count(), 0);
}
