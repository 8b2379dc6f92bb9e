//! Serial lines: pairs of terminals that socat makes, with a peer that asks for a login, and ser2net, which speaks RFC 2217.

use std::{
    fs::File,
    io::{Read, Write},
    net::{Ipv4Addr, TcpListener},
    os::unix::fs::PermissionsExt,
    path::Path,
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex},
    time::Duration,
};

use jackfield_device::{
    expect::Patterns,
    line::{LineOrder, ModemLines},
    session::{Session, SessionError},
};
use serde_json::{Value, json};

use crate::{LONG, open, peers::installed, scratch, settings, target};

/// A program that ends with its test.
pub(crate) struct Running(Child);

impl Running {
    fn start(program: &str, arguments: &[&str]) -> Self {
        // Killed with us, also where we are killed.
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL", "--", program]);
        command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        Self(command.spawn().unwrap())
    }
}

impl Running {
    /// With no time to say farewell, or to take links away.
    fn kill(mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Asked to end, socat takes its links away.
        rustix::process::kill_process(
            rustix::process::Pid::from_raw(i32::try_from(self.0.id()).unwrap()).unwrap(),
            rustix::process::Signal::TERM,
        )
        .ok();
        self.0.wait().ok();
    }
}

async fn appears(path: &Path) {
    while !path.try_exists().unwrap() {
        tokio::task::yield_now().await;
    }
}

/// A line whose other end is a program in a terminal.
pub(crate) async fn line_to(link: &Path, program: &str) -> Running {
    let near = format!("PTY,link={},raw,echo=0", link.display());
    let far = format!("EXEC:{program},pty,stderr,setsid,ctty,sane");
    let running = Running::start("/usr/bin/socat", &[&near, &far]);
    appears(link).await;
    running
}

/// A line with both ends in our hands.
pub(crate) async fn pair(near: &Path, far: &Path) -> impl Drop {
    let end = |link: &Path| format!("PTY,link={},raw,echo=0", link.display());
    let running = Running::start("/usr/bin/socat", &[&end(near), &end(far)]);
    appears(near).await;
    appears(far).await;
    running
}

/// A program that asks for user and password as getty and login do, and then is a shell.
pub(crate) fn getty(folder: &tempfile::TempDir) -> String {
    let file = scratch(folder, "getty");
    let script = "#!/bin/sh\nwhile :; do\nprintf 'box login: '; read user; [ \"$user\" ] || continue\nstty -echo; printf 'Password: '; read word; stty echo; echo\n[ \"$user:$word\" = ana:secret ] && break\necho 'Login incorrect'\ndone\nPS1='box# ' exec /bin/sh -i\n";
    std::fs::write(&file, script).unwrap();
    std::fs::set_permissions(&file, PermissionsExt::from_mode(0o755)).unwrap();
    file.display().to_string()
}

pub(crate) fn properties(link: &Path, more: Value) -> Value {
    let mut all =
        json!({"device": link, "profile": "linux", "user": "ana", "password": "secret", "speed": 115_200});
    all.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    all
}

/// The speed that a line is set to, seen by one who opened it before.
fn speed(file: &File) -> u32 {
    rustix::termios::tcgetattr(file).unwrap().output_speed()
}

/// Opens a line without waiting for anything.
fn look(link: &Path) -> File {
    let flags = rustix::fs::OFlags::RDWR | rustix::fs::OFlags::NOCTTY | rustix::fs::OFlags::NONBLOCK;
    rustix::fs::open(link, flags, rustix::fs::Mode::empty()).unwrap().into()
}

#[tokio::test]
async fn a_console_on_a_serial_line_is_logged_in_to() {
    if !installed("/usr/bin/socat", "socat") {
        return;
    }
    let (folder, _) = settings();
    let link = scratch(&folder, "tty");
    let _peer = line_to(&link, &getty(&folder)).await;
    let watched = look(&link);
    let mut session = open(target([], properties(&link, json!({})))).await.unwrap();
    assert_eq!(session.command("echo $((40 + 2))", LONG).await.unwrap(), "42");
    let many = session.command("seq 1 5000", LONG).await.unwrap();
    assert_eq!(many.lines().count(), 5000);
    assert_eq!(speed(&watched), 115_200);
    let slower = LineOrder::Set { speed: Some(38_400), framing: None, flow: None };
    session.order(slower).await.unwrap();
    assert_eq!(speed(&watched), 38_400);
    session.order(LineOrder::Break(Duration::ZERO)).await.unwrap();
    session.order(LineOrder::Purge).await.unwrap();
    let none = "it has no modem lines (DTR, RTS, CTS, DSR, RI, CD), as a pseudo terminal has none";
    for order in [LineOrder::Dtr(true), LineOrder::Rts(false)] {
        let error = session.order(order).await.unwrap_err().to_string();
        assert!(error.ends_with(none), "{error}");
    }
    let error = session.modem_lines().await.unwrap_err().to_string();
    assert!(error.ends_with(none), "{error}");
    assert_eq!(session.command("echo still", LONG).await.unwrap(), "still");
    // A terminal pair has eight bits and no parity, and a line that cannot be set so says it.
    session.close().await;
    // The shell has ended, and its line goes with it.
    let (link, far) = (scratch(&folder, "near"), scratch(&folder, "far"));
    let _ends = pair(&link, &far).await;
    let error = open(target([], properties(&link, json!({"framing": "7E1"})))).await.unwrap_err().to_string();
    assert!(error.ends_with("cannot be reached: the line cannot be set to 7E1"), "{error}");
}

#[tokio::test]
async fn a_line_is_for_one_alone() {
    if !installed("/usr/bin/socat", "socat") {
        return;
    }
    let (folder, _) = settings();
    let link = scratch(&folder, "tty");
    let _peer = line_to(&link, &getty(&folder)).await;
    let told = |result: Result<Session, SessionError>| result.unwrap_err().to_string();
    let target = || target([], properties(&link, json!({"retries": 0})));
    let mut session = open(target()).await.unwrap();
    let error = told(open(target()).await);
    assert!(error.contains("tty` is in use by ") && error.contains("another session of this EP"), "{error}");
    session.close().await;
    // The shell has ended, and its line goes with it: in whose hands a line is needs one that stays.
    let (link, far) = (scratch(&folder, "held"), scratch(&folder, "far"));
    let _ends = pair(&link, &far).await;
    let target = || crate::target([], properties(&link, json!({"retries": 0})));
    let ready = scratch(&folder, "ready");
    let script = format!("touch {}; exec sleep 600", ready.display());
    let other = Running::start("/usr/bin/flock", &[&link.display().to_string(), "sh", "-c", &script]);
    appears(&ready).await;
    let error = told(open(target()).await);
    assert!(
        error.contains("held` is in use by ") && error.contains(&format!("flock (process {})", other.0.id())),
        "{error}"
    );
    let missing = json!({"device": "/dev/no-such-line"});
    let error = told(open(crate::target([], missing)).await);
    assert!(error.ends_with("`/dev/no-such-line`: no such file or directory; is it plugged in?"), "{error}");
    let error = told(open(crate::target([], json!({"device": "/dev/null"}))).await);
    assert!(error.ends_with("`/dev/null` is no serial line"), "{error}");
}

#[tokio::test]
async fn a_line_that_is_unplugged_and_plugged_in_again_goes_on() {
    if !installed("/usr/bin/socat", "socat") {
        return;
    }
    let (folder, _) = settings();
    let link = scratch(&folder, "tty");
    let peer = line_to(&link, &getty(&folder)).await;
    let mut session = open(target([], properties(&link, json!({})))).await.unwrap();
    assert_eq!(session.command("echo before", LONG).await.unwrap(), "before");
    drop(peer);
    let error = session.command("echo lost", Duration::from_millis(400)).await.unwrap_err().to_string();
    assert!(error.contains("timed out") && error.contains("tty` has been gone for "), "{error}");
    let _peer = line_to(&link, &getty(&folder)).await;
    let watched = look(&link);
    // What is on the line now is a login, as after a power cut.
    let login = Patterns::regexes(&["login: "]).unwrap();
    session.expect(&login, LONG).await.unwrap();
    for (text, next) in [("ana", "Password: "), ("secret", "box# ")] {
        session.send(text, true, LONG).await.unwrap();
        session.expect(&Patterns::regexes(&[next]).unwrap(), LONG).await.unwrap();
    }
    assert_eq!(session.command("echo after", LONG).await.unwrap(), "after");
    assert_eq!(speed(&watched), 115_200);
    let error = session.command("sleep 60", Duration::from_millis(100)).await.unwrap_err().to_string();
    assert!(error.contains("was unplugged and came back, 1 times so far"), "{error}");
}

/// A port that was free a moment ago: ser2net cannot say which one it was given.
fn free_port() -> u16 {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port()
}

/// ser2net between a port and something behind it.
async fn ser2net(folder: &tempfile::TempDir, connector: &str) -> (Running, u16) {
    let port = free_port();
    (ser2net_at(folder, port, connector).await, port)
}

async fn ser2net_at(folder: &tempfile::TempDir, port: u16, connector: &str) -> Running {
    let config = scratch(folder, &format!("ser2net-{port}.yaml"));
    let text = format!(
        "connection: &c\n  accepter: telnet(rfc2217),tcp,127.0.0.1,{port}\n  connector: {connector}\n  options:\n    mdns: false\n"
    );
    std::fs::write(&config, text).unwrap();
    let running = Running::start("/usr/sbin/ser2net", &["-n", "-u", "-c", &config.display().to_string()]);
    while tokio::net::TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await.is_err() {
        tokio::task::yield_now().await;
    }
    running
}

#[tokio::test]
async fn ser2net_sets_the_line_as_it_is_told() {
    if !installed("/usr/bin/socat", "socat") || !installed("/usr/sbin/ser2net", "ser2net") {
        return;
    }
    let (folder, _) = settings();
    let link = scratch(&folder, "tty");
    let _peer = line_to(&link, &getty(&folder)).await;
    let watched = look(&link);
    let connector = format!("serialdev,{},9600n81,local", link.display());
    let (_server, port) = ser2net(&folder, &connector).await;
    let way = json!({"protocol": "rfc2217", "host": "127.0.0.1", "port": port});
    let mut session = open(target([], properties(&link, way))).await.unwrap();
    assert_eq!(speed(&watched), 115_200);
    assert_eq!(session.command("echo $((40 + 2))", LONG).await.unwrap(), "42");
    // Bytes of all values pass, with the telnet marker among them.
    let bytes = session.command(r"printf '\377\015\000x' | od -An -tu1", LONG).await.unwrap();
    assert_eq!(bytes.split_whitespace().collect::<Vec<_>>(), ["255", "13", "0", "120"]);
    session.order(LineOrder::Set { speed: Some(38_400), framing: None, flow: None }).await.unwrap();
    assert_eq!(speed(&watched), 38_400);
    session.order(LineOrder::Purge).await.unwrap();
    session.order(LineOrder::Break(Duration::from_millis(10))).await.unwrap();
    assert_eq!(session.command("echo on", LONG).await.unwrap(), "on");
    session.close().await;
}

#[tokio::test]
async fn a_dialogue_goes_on_when_server_or_line_were_killed_in_its_middle() {
    if !installed("/usr/bin/socat", "socat") || !installed("/usr/sbin/ser2net", "ser2net") {
        return;
    }
    let (folder, _) = settings();
    let link = scratch(&folder, "tty");
    let line = line_to(&link, &getty(&folder)).await;
    let connector = format!("serialdev,{},115200n81,local", link.display());
    let (server, port) = ser2net(&folder, &connector).await;
    let way = json!({
        "protocol": "rfc2217", "host": "127.0.0.1", "port": port, "reconnect": true, "retries": 20,
        "profile_settings": {"login": {"nudge": "100ms"}},
    });
    let mut session = open(target([], properties(&link, way))).await.unwrap();
    session.send("before=1; echo wai''ting; read line", true, LONG).await.unwrap();
    session.expect(&Patterns::regexes(&["waiting"]).unwrap(), LONG).await.unwrap();
    server.kill();
    let never = Patterns::regexes(&["never"]).unwrap();
    let error = session.expect(&never, LONG).await.unwrap_err();
    assert!(error.is_lab() && error.to_string().contains("closed"), "{error}");
    let error = session.command("echo gone", Duration::from_millis(300)).await.unwrap_err();
    assert!(error.is_lab(), "{error}");
    let server = ser2net_at(&folder, port, &connector).await;
    // It is the same shell, which waited on its line all the time.
    assert_eq!(session.command("echo $before", LONG).await.unwrap(), "1");

    session.send("echo wai''ting; read line", true, LONG).await.unwrap();
    session.expect(&Patterns::regexes(&["waiting"]).unwrap(), LONG).await.unwrap();
    // Without its link first: the terminal's number may be somebody else's next.
    std::fs::remove_file(&link).unwrap();
    line.kill();
    let error = session.expect(&never, LONG).await.unwrap_err();
    assert!(error.is_lab(), "{error}");
    let _line = line_to(&link, &getty(&folder)).await;
    // It is another shell, which asks for a login.
    assert_eq!(session.command("echo [$before]", LONG).await.unwrap(), "[]");
    session.close().await;
    drop(server);
}

#[tokio::test]
async fn a_line_that_is_killed_in_the_middle_of_an_answer_is_told() {
    if !installed("/usr/bin/socat", "socat") {
        return;
    }
    let (folder, _) = settings();
    let link = scratch(&folder, "tty");
    let line = line_to(&link, &getty(&folder)).await;
    let more = json!({"profile_settings": {"login": {"nudge": "100ms"}}});
    let mut session = open(target([], properties(&link, more))).await.unwrap();
    session.send("echo ha''lf; read line", true, LONG).await.unwrap();
    session.expect(&Patterns::regexes(&["half"]).unwrap(), LONG).await.unwrap();
    std::fs::remove_file(&link).unwrap();
    line.kill();
    let error = session.command("", Duration::from_millis(300)).await.unwrap_err().to_string();
    assert!(error.contains("tty` has been gone for "), "{error}");
    let _line = line_to(&link, &getty(&folder)).await;
    let login = Patterns::regexes(&["login: "]).unwrap();
    session.expect(&login, LONG).await.unwrap();
}

/// The next whole order of RFC 2217 among some bytes.
pub(crate) fn next_order(heard: &mut Vec<u8>) -> Option<Vec<u8>> {
    let begin = heard.windows(3).position(|bytes| bytes == [255, 250, 44])?;
    let length = heard.split_at(begin).1.windows(2).position(|bytes| bytes == [255, 240])?;
    let order = heard.split_at(begin + length).0.split_at(begin + 3).1.to_vec();
    heard.drain(..begin + length + 2);
    Some(order)
}

/// A serial port at the end of a telnet line: grants what it is asked, and keeps the orders.
fn recording_port() -> (u16, Arc<Mutex<Vec<Vec<u8>>>>) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let orders = Arc::<Mutex<Vec<Vec<u8>>>>::default();
    let kept = Arc::clone(&orders);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            stream.write_all(&[255, 253, 44, 255, 251, 44]).ok();
            let mut heard = Vec::new();
            let mut piece = [0; 512];
            while let Ok(count @ 1..) = stream.read(&mut piece) {
                heard.extend_from_slice(piece.split_at(count).0);
                while let Some(order) = next_order(&mut heard) {
                    let (code, value) = order.split_first().unwrap();
                    let answer = [&[255, 250, 44, code + 100], value, &[255, 240]].concat();
                    stream.write_all(&answer).ok();
                    if *code == 11 {
                        // CTS, DSR and CD are on.
                        stream.write_all(&[255, 250, 44, 107, 0xb0, 255, 240]).ok();
                    }
                    kept.lock().unwrap().push(order);
                }
            }
        }
    });
    (port, orders)
}

#[tokio::test]
async fn orders_go_through_ser2net_to_the_line_behind_it() {
    if !installed("/usr/sbin/ser2net", "ser2net") {
        return;
    }
    let (folder, _) = settings();
    let (port, orders) = recording_port();
    let (_server, port) = ser2net(&folder, &format!("telnet(rfc2217),tcp,127.0.0.1,{port}")).await;
    let way = json!({"protocol": "rfc2217", "host": "127.0.0.1", "port": port, "framing": "7E2", "flow": "hardware"});
    let (_folder, settings) = settings();
    let target = target([], properties(Path::new("x"), way));
    let connected = jackfield_device::session::connect_raw(&target, &settings, LONG);
    let mut channel = connected.await.unwrap();
    for order in [LineOrder::Break(Duration::from_millis(10)), LineOrder::Dtr(false), LineOrder::Rts(true)] {
        channel.order(order).await.unwrap();
    }
    let wanted =
        [&[1, 0, 1, 194, 0][..], &[2, 7], &[3, 3], &[4, 2], &[5, 3], &[5, 5], &[5, 6], &[5, 9], &[5, 11]];
    let missing = || {
        let orders = orders.lock().unwrap();
        wanted.into_iter().filter(|order| !orders.iter().any(|seen| seen == order)).collect::<Vec<_>>()
    };
    // ser2net answers before it hands on.
    let all = async {
        while !missing().is_empty() {
            tokio::task::yield_now().await;
        }
    };
    let come = tokio::time::timeout(LONG, all).await;
    assert!(come.is_ok(), "{:?} are missing among {:?}", missing(), orders.lock().unwrap());
}

#[tokio::test]
async fn the_modem_lines_behind_a_terminal_server_are_read() {
    let (port, _orders) = recording_port();
    let way = json!({"protocol": "rfc2217", "host": "127.0.0.1", "port": port});
    let (_folder, settings) = settings();
    let target = target([], properties(Path::new("x"), way));
    let connected = jackfield_device::session::connect_raw(&target, &settings, LONG);
    let told = connected.await.unwrap().modem_lines().await.unwrap();
    assert_eq!(told, ModemLines { cts: true, dsr: true, ri: false, cd: true });
    if !installed("/usr/sbin/ser2net", "ser2net") {
        return;
    }
    // ser2net says of a line that has none that they are off.
    let (folder, settings) = crate::settings();
    let link = scratch(&folder, "tty");
    let _peer = line_to(&link, &getty(&folder)).await;
    let (_server, port) = ser2net(&folder, &format!("serialdev,{},9600n81,local", link.display())).await;
    let way = json!({"protocol": "rfc2217", "host": "127.0.0.1", "port": port});
    let target = crate::target([], properties(&link, way));
    let mut channel = jackfield_device::session::connect_raw(&target, &settings, LONG).await.unwrap();
    let told = channel.modem_lines().await.unwrap();
    assert_eq!(told, ModemLines { cts: false, dsr: false, ri: false, cd: false });
}

#[tokio::test]
async fn a_telnet_server_without_a_line_is_told() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let refusing = tokio::spawn(async move {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        let (mut stream, _) = listener.accept().await.unwrap();
        stream.write_all(&[255, 254, 44]).await.unwrap();
        let mut rest = Vec::new();
        stream.read_to_end(&mut rest).await.ok();
    });
    let way = json!({"protocol": "rfc2217", "host": "127.0.0.1", "port": port});
    let error = open(target([], properties(Path::new("x"), way))).await.unwrap_err().to_string();
    assert!(error.ends_with("it speaks telnet, but not RFC 2217: use protocol = telnet"), "{error}");
    refusing.await.unwrap();
}
