//! Breaks that a device sends, and the bytes of a line that marks them.

use std::{io::Write, time::Duration};

use jackfield_device::{channel::read, session::connect_raw};
use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

use crate::{LONG, open, peers::installed, scratch, serial, settings, target};

const IAC: u8 = 255;
const SE: u8 = 240;
const COM_PORT: u8 = 44;
/// What a server tells when a break has come over its line.
const BREAK_CAME: [u8; 7] = [IAC, 250, COM_PORT, 106, 0x10, IAC, SE];

/// A terminal server that takes every order, tells of breaks once it is asked to, and sends one when it reads `break`.
async fn terminal_server(mut stream: TcpStream) {
    stream.write_all(&[IAC, 253, COM_PORT, IAC, 251, 0, IAC, 253, 0]).await.unwrap();
    let (mut heard, mut all, mut tells) = (Vec::new(), Vec::new(), false);
    while stream.read_buf(&mut heard).await.unwrap_or(0) > 0 {
        all.extend_from_slice(&heard);
        while let Some(order) = serial::next_order(&mut heard) {
            tells |= order == [10, 0x10];
            let mut answer = vec![IAC, 250, COM_PORT, order[0] + 100];
            answer.extend_from_slice(&order[1..]);
            answer.extend_from_slice(&[IAC, SE]);
            stream.write_all(&answer).await.unwrap();
        }
        if tells && all.ends_with(b"break\r") {
            stream.write_all(&BREAK_CAME).await.unwrap();
            all.clear();
        }
    }
}

#[tokio::test]
async fn a_break_behind_a_terminal_server_is_told() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let serving = tokio::spawn(async move { terminal_server(listener.accept().await.unwrap().0).await });
    let way = json!({"protocol": "rfc2217", "host": "127.0.0.1", "port": port, "profile": "generic", "login": false});
    let mut session = open(target([], way)).await.unwrap();
    for _ in 0..2 {
        session.send("break\r", false, LONG).await.unwrap();
        session.wait_break(LONG).await.unwrap();
    }
    let error = session.wait_break(Duration::from_millis(1)).await.unwrap_err();
    assert!(error.to_string().starts_with("wait for a break: "), "{error}");
    assert!(!error.is_lab() && !error.is_test());
    drop(session);
    serving.await.unwrap();
}

#[tokio::test]
async fn a_break_of_telnet_itself_is_told_and_what_is_said_beside_it_is_kept() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let serving = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        stream.write_all(b"before \xff\xf3after\r\n").await.unwrap();
        stream
    });
    let way = json!({"protocol": "telnet", "host": "127.0.0.1", "port": port, "profile": "generic", "login": false});
    let mut session = open(target([], way)).await.unwrap();
    session.wait_break(LONG).await.unwrap();
    let patterns = jackfield_device::expect::Patterns::regexes(&["before after"]).unwrap();
    session.expect(&patterns, LONG).await.unwrap();
    // One whose device is gone does not wait for its time.
    drop(serving.await.unwrap());
    let error = session.wait_break(LONG).await.unwrap_err();
    assert!(error.is_lost(), "{error}");
}

#[tokio::test]
async fn a_session_without_a_line_says_that_it_cannot_tell() {
    let mut shell = open(target([], json!({"command": "/bin/sh -i", "profile": "linux"}))).await.unwrap();
    let error = shell.wait_break(LONG).await.unwrap_err().to_string();
    assert!(error.ends_with("only serial, rfc2217 and telnet sessions have"), "{error}");
    shell.close().await;
}

/// The kernel doubles `FF` where it marks breaks.
#[tokio::test]
async fn every_byte_comes_as_it_was_over_a_line_that_marks_breaks() {
    if !installed("/usr/bin/socat", "socat") {
        return;
    }
    let (folder, settings) = settings();
    let [near, far] = ["near", "far"].map(|name| scratch(&folder, name));
    let _pair = serial::pair(&near, &far).await;
    let way = target([], json!({"device": near, "profile": "generic", "speed": 115_200}));
    let mut line = connect_raw(&way, &settings, LONG).await.unwrap();
    let mut bytes: Vec<u8> = (0..=u8::MAX).collect();
    bytes.extend_from_slice(b"\xff\0\0\xff\xff\0\xff");
    std::fs::OpenOptions::new().write(true).open(&far).unwrap().write_all(&bytes).unwrap();
    let mut came = Vec::new();
    while came.len() < bytes.len() {
        assert!(read(line.as_mut(), &mut came).await.unwrap() > 0);
    }
    assert_eq!(came, bytes);
    assert!(!line.take_break().unwrap(), "bytes were taken for a break");
}
