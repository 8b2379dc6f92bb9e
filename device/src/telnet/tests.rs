//! The telnet codec against bytes of real peers, and against any cut of any bytes.

use std::time::Duration;

use proptest::prelude::*;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::{Codec, Role, Telnet};
use crate::{channel::Window, clock::Deadline, expect::Dialogue};

fn window() -> Window {
    Window { rows: 24, columns: 255 }
}

/// Data and answers of some bytes that arrive cut at some places.
fn received(chunks: &[&[u8]]) -> (Vec<u8>, Vec<u8>) {
    let mut codec = Codec::new(Role::Client, window(), "ana");
    let (mut data, mut out) = (Vec::new(), Vec::new());
    for chunk in chunks {
        codec.receive(chunk, &mut data, &mut out);
    }
    (data, out)
}

#[test]
fn what_real_peers_send_is_answered_as_they_need() {
    // inetutils-telnetd: WILL AUTH, WILL ENCRYPT, DO TTYPE TSPEED XDISPLOC NEW-ENVIRON ENVIRON.
    let telnetd: &[u8] =
        &[255, 251, 37, 255, 251, 38, 255, 253, 24, 255, 253, 32, 255, 253, 35, 255, 253, 39, 255, 253, 36];
    let answers: &[u8] =
        &[255, 254, 37, 255, 254, 38, 255, 251, 24, 255, 252, 32, 255, 252, 35, 255, 251, 39, 255, 252, 36];
    assert_eq!(received(&[telnetd]), (vec![], answers.to_vec()));
    // FRR's own vty: WILL ECHO, WILL SGA, DONT LINEMODE, DO NAWS; our width of 255 is escaped.
    let vty: &[u8] = &[255, 251, 1, 255, 251, 3, 255, 254, 34, 255, 253, 31];
    let answers: &[u8] =
        &[255, 253, 1, 255, 253, 3, 255, 251, 31, 255, 250, 31, 0, 255, 255, 0, 24, 255, 240];
    assert_eq!(received(&[vty]), (vec![], answers.to_vec()));
}

#[test]
fn terminal_type_and_user_are_told_when_asked() {
    let ask: &[u8] = &[255, 253, 24, 255, 253, 39, 255, 250, 24, 1, 255, 240, 255, 250, 39, 1, 255, 240];
    let (_, out) = received(&[ask]);
    let told = out.split_at(6).1.to_vec();
    let mut expected = vec![255, 250, 24, 0];
    expected.extend_from_slice(b"vt100");
    expected.extend_from_slice(&[255, 240, 255, 250, 39, 0, 0]);
    expected.extend_from_slice(b"USER\x01ana");
    expected.extend_from_slice(&[255, 240]);
    assert_eq!(told, expected);
}

#[test]
fn data_are_what_they_were() {
    for (arrived, data) in [
        (&b"x\xff\xffy"[..], &b"x\xffy"[..]),
        (b"a\r\0b\r\nc", b"a\rb\r\nc"),
        (b"\xff\xf1ok\xff\xf9", b"ok"),
        (b"\xff\xfa\x63junk\xff\xff\xff\xf0after", b"after"),
        (b"\r\xff\xff", b"\r\xff"),
    ] {
        assert_eq!(received(&[arrived]).0, data, "{arrived:?}");
    }
}

#[test]
fn a_peer_that_negotiates_forever_is_answered_only_so_often() {
    let storm: Vec<u8> = [255, 251, 1, 255, 252, 1, 255, 253, 99, 255, 246].repeat(100_000);
    let (data, out) = received(&[&storm]);
    assert!(data.is_empty());
    assert!(out.len() < 32_000, "{}", out.len());
}

#[test]
fn what_is_sent_is_escaped() {
    let codec = Codec::new(Role::Client, window(), "");
    let mut out = Vec::new();
    codec.send(b"a\r\nb\rc\xff\r", &mut out);
    assert_eq!(out, b"a\r\nb\r\0c\xff\xff\r\0");
}

#[tokio::test(start_paused = true)]
async fn a_terminal_server_without_room_is_sent_nothing_until_it_has_some() {
    let (near, mut far) = tokio::io::duplex(1024);
    let codec = Codec::new(Role::Client, window(), "").with_com_port();
    let telnet = Telnet::new(near, codec, Role::Client);
    let mut dialogue = Dialogue::new(Box::new(telnet), Duration::from_millis(10), Vec::new());
    let short = || Deadline::after(Duration::from_secs(1));
    // DO COM-PORT, then FLOWCONTROL-SUSPEND.
    far.write_all(&[255, 253, 44, 255, 250, 44, 108, 255, 240]).await.unwrap();
    dialogue.drain(Duration::from_millis(10), short()).await.unwrap();
    let error = dialogue.send(b"data", short()).await.unwrap_err();
    assert!(error.to_string().contains("waiting for the device to take what was sent"), "{error}");
    let (sent, resumed) = tokio::join!(dialogue.send(b"data", short()), async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        far.write_all(&[255, 250, 44, 109, 255, 240]).await
    });
    sent.unwrap();
    resumed.unwrap();
    drop(dialogue);
    let mut heard = Vec::new();
    far.read_to_end(&mut heard).await.unwrap();
    assert!(heard.ends_with(b"data") && !heard.ends_with(b"datadata"), "{heard:?}");
}

fn telnet_bytes() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        3 => proptest::collection::vec(any::<u8>(), 0..12),
        3 => prop_oneof![Just(255_u8), Just(13), Just(10), Just(0), Just(250), Just(240), Just(253), Just(251), Just(24), Just(31)]
            .prop_map(|byte| vec![byte]),
        1 => Just(vec![255, 253, 31]),
        1 => Just(vec![255, 250, 24, 1, 255, 240]),
    ];
    proptest::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn any_cut_gives_the_same(bytes in telnet_bytes(), cuts in proptest::collection::vec(any::<prop::sample::Index>(), 0..10)) {
        let mut places: Vec<usize> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
        places.sort_unstable();
        let mut chunks = Vec::new();
        let mut from = 0;
        for place in places {
            chunks.push(&bytes[from..place]);
            from = place;
        }
        chunks.push(&bytes[from..]);
        prop_assert_eq!(received(&chunks), received(&[&bytes]));
    }

    #[test]
    fn what_one_end_sends_the_other_reads(text in proptest::collection::vec(any::<u8>(), 0..200)) {
        let sender = Codec::new(Role::Server, window(), "");
        let mut wire = Vec::new();
        sender.send(&text, &mut wire);
        prop_assert_eq!(received(&[&wire]).0, text);
    }
}
