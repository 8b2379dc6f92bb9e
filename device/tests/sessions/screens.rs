//! Programs that fill the screen: a pager, an editor, a menu and a process list, over SSH, telnet and in a terminal of our own.

use std::time::Duration;

use jackfield_config::steps::{Awaited, StepTest};
use jackfield_device::{
    channel::Window,
    screen::view::{Sight, Sought},
    session::{Session, SessionSettings},
};
use jackfield_protocol::verdict::Verdict;
use serde_json::{Value, json};

use crate::{
    LONG,
    peers::{installed, ssh_properties, sshd, telnetd},
    scratch, settings,
    steps::Lab,
    target,
};

const SMALL: Window = Window { rows: 12, columns: 60 };

async fn enter(mut properties: Value, settings: &SessionSettings) -> Session {
    properties["screen"] = json!("80x24");
    Session::open(target([], properties), settings, LONG, Vec::new()).await.unwrap()
}

async fn wait(session: &mut Session, pattern: &str) -> Sight {
    let sought = Sought::new(&[Awaited::Pattern(pattern.to_owned())]).unwrap();
    session.wait_screen(&sought, LONG).await.unwrap()
}

async fn gone(session: &mut Session, text: &str) {
    let sought = Sought::new(&[Awaited::Exact(text.to_owned())]).unwrap();
    session.wait_screen_without(&sought, LONG).await.unwrap();
}

/// A text of 100 lines, looked at by a pager: forward, to its end, searched, in a smaller window.
async fn read_with_less(session: &mut Session, folder: &tempfile::TempDir) {
    let file = scratch(folder, "lines");
    let lines: Vec<String> = (1..=100).map(|number| format!("line {number}")).collect();
    std::fs::write(&file, lines.join("\n")).unwrap();
    session.send(&format!("less {}", file.display()), true, LONG).await.unwrap();
    let first = wait(session, "^line 23$").await.view;
    assert_eq!((first.lines[0].as_str(), first.rows, first.columns), ("line 1", 24, 80));
    session.press(&["page-down"]).await.unwrap();
    assert_eq!(wait(session, "^line 46$").await.view.lines[0], "line 24");
    session.press(&["end"]).await.unwrap();
    assert_eq!(wait(session, "^line 100$").await.view.lines[0], "line 78");
    session.set_screen(SMALL).await.unwrap();
    // A pager that is told of its new size while it reads a key forgets the key.
    session.screen(None).await.unwrap();
    session.press(&["g"]).await.unwrap();
    let small = wait(session, r"^line 1\n(?s:.*)^line 11$").await.view;
    assert_eq!(small.lines.len(), 12);
    session.press(&["/"]).await.unwrap();
    session.send("line 50", true, LONG).await.unwrap();
    let found = wait(session, "^line 60$").await.view;
    assert_eq!(found.highlighted[0].text, "line 50");
    session.press(&["q"]).await.unwrap();
    gone(session, "line 50").await;
    // The dialogue is what it was before.
    assert_eq!(session.command("echo $((40 + 2))", LONG).await.unwrap(), "42");
    assert_eq!(session.command("stty size", LONG).await.unwrap(), "12 60");
}

#[tokio::test]
async fn a_pager_over_ssh() {
    if !installed("/usr/sbin/sshd", "openssh-server") || !installed("/usr/bin/less", "less") {
        return;
    }
    let (folder, settings) = settings();
    let server = sshd(&folder, "");
    let mut session = enter(ssh_properties("russh", &server, &folder), &settings).await;
    assert_eq!(session.command("echo $TERM; stty size", LONG).await.unwrap(), "xterm\n24 80");
    read_with_less(&mut session, &folder).await;
    session.close().await;
}

#[tokio::test]
async fn a_pager_over_telnet() {
    if !installed("/usr/sbin/telnetd", "inetutils-telnetd") || !installed("/usr/bin/less", "less") {
        return;
    }
    let (folder, settings) = settings();
    let server = telnetd(&folder);
    let properties = json!({"protocol": "telnet", "host": "127.0.0.1", "port": server.port, "profile": "linux", "user": "ana"});
    let mut session = enter(properties, &settings).await;
    read_with_less(&mut session, &folder).await;
    session.close().await;
}

#[tokio::test]
async fn an_editor_writes_a_file() {
    if !installed("/usr/bin/vi", "vim-tiny") {
        return;
    }
    let (folder, settings) = settings();
    let file = scratch(&folder, "note.txt");
    let mut session = enter(json!({"command": ["/bin/sh", "-i"], "profile": "linux"}), &settings).await;
    session.send(&format!("vi -u NONE {}", file.display()), true, LONG).await.unwrap();
    wait(&mut session, "^~$").await;
    session.press(&["i"]).await.unwrap();
    session.send("first", true, LONG).await.unwrap();
    session.send("last", false, LONG).await.unwrap();
    let view = wait(&mut session, "^last$").await.view;
    assert_eq!((view.lines[0].as_str(), view.cursor.row, view.cursor.column), ("first", 1, 4));
    // Up in the editor's own mode of the cursor keys, and a word more.
    session.press(&["escape"]).await.unwrap();
    session.screen(None).await.unwrap();
    session.press(&["up", "A"]).await.unwrap();
    session.send(" word", false, LONG).await.unwrap();
    wait(&mut session, "^first word$").await;
    session.press(&["escape"]).await.unwrap();
    session.screen(None).await.unwrap();
    session.send(":wq", true, LONG).await.unwrap();
    // A command is given when the prompt is back.
    gone(&mut session, "first word").await;
    let shown = session.command(&format!("cat {}", file.display()), LONG).await.unwrap();
    assert_eq!(shown, "first word\nlast");
    session.close().await;
}

#[tokio::test]
async fn a_menu_is_gone_through() {
    if !installed("/usr/bin/whiptail", "whiptail") {
        return;
    }
    let (_folder, settings) = settings();
    // Without UTF-8 its frame comes in the line drawing set of the terminal.
    let properties = json!({"command": ["/bin/sh", "-c", "LC_ALL=C exec sh -i"], "profile": "linux"});
    let mut session = enter(properties, &settings).await;
    let menu = "whiptail --title Trunks --menu Choose 15 40 4 sip 'SIP trunk' isdn 'ISDN trunk' fxo Analogue 2>chosen; cat chosen; rm chosen; echo";
    session.send(menu, true, LONG).await.unwrap();
    let view = wait(&mut session, "ISDN trunk").await.view;
    assert!(view.text().contains('┌') && view.text().contains("┤ Trunks ├"), "{}", view.text());
    session.press(&["down", "down", "tab"]).await.unwrap();
    session.screen(None).await.unwrap();
    session.press(&["enter"]).await.unwrap();
    wait(&mut session, "fxo$").await;
    session.close().await;
}

#[tokio::test]
async fn a_process_list_goes_on_and_its_error_shows_the_screen() {
    if !installed("/usr/bin/top", "procps") {
        return;
    }
    let (_folder, settings) = settings();
    let mut session = enter(json!({"command": ["/bin/sh", "-i"], "profile": "linux"}), &settings).await;
    session.send("top -d 0.1", true, LONG).await.unwrap();
    let seen = wait(&mut session, r"load average: (\d+\.\d+)").await;
    assert!(seen.groups[0].is_some());
    assert!(seen.view.highlighted.iter().any(|piece| piece.text.starts_with("PID")), "{:?}", seen.view);
    let sought = Sought::new(&[Awaited::Exact("a line that no list has".to_owned())]).unwrap();
    let error = session.wait_screen(&sought, Duration::from_millis(300)).await.unwrap_err().to_string();
    assert!(
        error.starts_with("look at the screen: timed out after 300.0ms waiting for `a line that no list has`; last seen: top - "),
        "{error}"
    );
    session.press(&["q"]).await.unwrap();
    wait(&mut session, r"[#$]$").await;
    assert_eq!(session.command("echo $((40 + 2))", LONG).await.unwrap(), "42");
    session.close().await;
}

#[tokio::test]
async fn a_console_that_asks_its_terminal_is_answered() {
    let (_folder, settings) = settings();
    let mut session = enter(json!({"command": ["/bin/sh", "-i"], "profile": "linux"}), &settings).await;
    // As a shell on a serial line asks how large its terminal is.
    let ask = r"stty raw -echo min 1 time 20; printf '\033[999;999H\033[6n'; answer=$(dd bs=1 count=8 2>/dev/null | tr '\033' E); stty sane -echo; echo; echo got $answer";
    assert!(session.command(ask, LONG).await.unwrap().ends_with("got E[24;80R"));
    session.close().await;
}

#[tokio::test]
async fn a_step_test_reads_a_screen() {
    if !installed("/usr/bin/less", "less") {
        return;
    }
    let (folder, settings) = settings();
    let file = scratch(&folder, "lines");
    std::fs::write(&file, "alpha\nbeta 7\ngamma\n").unwrap();
    let text = format!(
        r#"
        title = "a pager"
        [sessions.host]
        connect = {{ command = ["/bin/sh", "-i"], profile = "linux", screen = "40x10" }}
        [[steps]]
        send = "less {}"
        [[steps]]
        screen = '^beta (?<number>\d)$'
        check = [{{ contains = "gamma" }}, {{ value = "${{number}}", equals = "7" }}]
        [[steps]]
        press = "q"
        [[steps]]
        screen = {{ exact = "gamma" }}
        gone = true
        [[steps]]
        screen = true
        check = {{ not_contains = "beta" }}
        "#,
        file.display()
    );
    let test = StepTest::parse("t", &text).unwrap();
    let report = jackfield_device::steps::run(&test, &settings, &mut Lab::default()).await;
    assert!(report.outcome.verdict == Verdict::Pass, "{report:#?}");
}
