//! Getting to a device and back to it: tries and their limits, addresses of both families, connections that are lost and made again,
//! peers that never come to the point.

use std::time::Duration;

use jackfield_device::{
    session::{Session, connect_raw},
    simulate::{Listen, Running, serve},
};
use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional},
    net::{TcpListener, TcpStream},
};

use crate::{LONG, WAYS, device, model, open, properties, settings, target};

/// A port that hangs up on the first so many connections, and leads to a device after that.
async fn flaky(device: &Running, protocol: &str, failures: usize) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let to = if protocol == "ssh" { device.ssh } else { device.telnet }.unwrap();
    tokio::spawn(async move {
        for number in 0.. {
            let (mut near, _) = listener.accept().await.unwrap();
            if number >= failures {
                tokio::spawn(async move {
                    let mut far = TcpStream::connect(to).await.unwrap();
                    copy_bidirectional(&mut near, &mut far).await.ok();
                });
            }
        }
    });
    port
}

with_both_libraries!(what_cannot_be_reached_is_tried_again, each_try_has_its_own_limit);

async fn what_cannot_be_reached_is_tried_again(library: &str) {
    let router = device("router").await;
    let port = flaky(&router, "ssh", 2).await;
    let more = json!({"port": port, "profile": "ios", "retries": 2});
    open(target(properties(&router, library), more)).await.unwrap().close().await;
    let port = flaky(&router, "ssh", 2).await;
    let more = json!({"port": port, "profile": "ios", "retries": 1});
    let error = open(target(properties(&router, library), more)).await.unwrap_err().to_string();
    // What the system calls it depends on who was faster.
    let lost = ["the server closed it without a goodbye", "connection reset by peer", "broken pipe"];
    let told = |lost: &&str| error.ends_with(&format!("the SSH dialogue failed: {lost}"));
    assert!(lost.iter().any(told), "{error}");
    // A wrong password stays wrong.
    let port = flaky(&router, "ssh", 0).await;
    let more = json!({"port": port, "profile": "ios", "retries": 1000, "password": "no"});
    let error = open(target(properties(&router, library), more)).await.unwrap_err().to_string();
    assert!(error.contains("the device did not accept"), "{error}");
}

async fn each_try_has_its_own_limit(library: &str) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let silent = json!({
        "protocol": "ssh", "host": "127.0.0.1", "port": port, "user": "x", "password": "y", "ssh_backend": library,
        "connect_timeout": "50ms", "retries": 1,
    });
    let error = open(target([], silent)).await.unwrap_err().to_string();
    let expected = format!(
        "ssh 127.0.0.1:{port} cannot be reached: no answer within 50.0ms (connected to 127.0.0.1:{port}, waiting for its SSH greeting and keys) (2 tries)"
    );
    assert_eq!(error, expected);
}

#[tokio::test]
async fn devices_have_addresses_of_both_families() {
    let any = Some("[::1]:0".parse().unwrap());
    let router = serve(model("router"), Listen { telnet: any, ssh: any }).await.unwrap();
    for way in WAYS {
        let target = target(properties(&router, way), json!({"profile": "ios"}));
        let protocol = if way == "telnet" { way } else { "ssh" };
        assert!(target.connect.to_string().starts_with(&format!("{protocol} [::1]:")), "{}", target.connect);
        let mut session = open(target).await.unwrap();
        assert!(session.command("show version", LONG).await.unwrap().contains("uptime"));
        session.close().await;
    }
}

#[tokio::test]
async fn a_lost_session_is_made_again_where_its_resource_says_so() {
    let router = device("router").await;
    for way in WAYS {
        let more = |reconnect| {
            json!({
                "profile": "ios", "level": "privileged", "enable_password": "lab-enable", "reconnect": reconnect,
            })
        };
        let mut session = open(target(properties(&router, way), more(true))).await.unwrap();
        // The command that is cut off is not given twice.
        let error = session.command("debug drop", LONG).await.unwrap_err();
        assert!(error.to_string().contains("the device closed the connection"), "{error}");
        assert!(session.command("show version", LONG).await.unwrap().contains("uptime"));
        assert_eq!(session.prompt(), "router1#");
        // A connection that is lost while nobody asks for anything is noticed as well.
        session.send("debug drop", true, LONG).await.unwrap();
        session.dialogue().drain(LONG, jackfield_device::Deadline::after(LONG)).await.unwrap();
        session.config(&["ip route 10.50.0.0/16 192.0.2.7".to_owned()], LONG).await.unwrap();
        session.close().await;
        let mut session = open(target(properties(&router, way), more(false))).await.unwrap();
        session.command("debug drop", LONG).await.unwrap_err();
        session.command("show version", LONG).await.unwrap_err();
    }
}

#[tokio::test]
async fn a_device_that_negotiates_forever_ends_at_the_deadline() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let storm = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        let (mut reader, mut writer) = stream.into_split();
        let piece = [255, 253, 31, 255, 254, 31, 255, 251, 1, 255, 252, 1, 255, 253, 99].repeat(1000);
        let mut answers = vec![0; 65_536];
        let mut heard = 0;
        loop {
            tokio::select! {
                biased;
                read = reader.read(&mut answers) => match read {
                    Ok(count @ 1..) => heard += count,
                    Ok(0) | Err(_) => return heard,
                },
                written = writer.write_all(&piece) => if written.is_err() { return heard },
            }
        }
    });
    let (_folder, settings) = settings();
    let endless = target([], json!({"protocol": "telnet", "host": "127.0.0.1", "port": port}));
    let error = Session::open(endless, &settings, Duration::from_millis(400), Vec::new()).await.unwrap_err();
    let told = error.to_string();
    assert!(told.contains("timed out after") && told.contains("nothing was seen"), "{told}");
    assert!(
        told.contains("it negotiates telnet options without end, and is no longer answered after 1000"),
        "{told}"
    );
    let heard = storm.await.unwrap();
    assert!(heard < 32_000, "{heard}");
}

#[tokio::test]
async fn telnet_has_a_break_of_its_own() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let (_folder, settings) = settings();
    let target = target([], json!({"protocol": "telnet", "host": "127.0.0.1", "port": port}));
    let connecting = connect_raw(&target, &settings, LONG);
    let (channel, accepted) = tokio::join!(connecting, listener.accept());
    let (mut channel, (mut stream, _)) = (channel.unwrap(), accepted.unwrap());
    channel.order(jackfield_device::line::LineOrder::Break(Duration::ZERO)).await.unwrap();
    let mut bytes = [0; 2];
    stream.read_exact(&mut bytes).await.unwrap();
    assert_eq!(bytes, [255, 243]);
    let error = channel.order(jackfield_device::line::LineOrder::Purge).await.unwrap_err();
    assert!(error.to_string().contains("use protocol = rfc2217"), "{error}");
}

/// Pages of this process that are in memory, in bytes.
fn resident() -> u64 {
    let text = std::fs::read_to_string("/proc/self/statm").unwrap();
    text.split(' ').nth(1).unwrap().parse::<u64>().unwrap() * 4096
}

/// Floods a session that is being opened; the error, and how much memory that took.
async fn flooded_with(byte: u8) -> (String, u64) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let flood = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let piece = vec![byte; 1 << 20];
        while stream.write_all(&piece).await.is_ok() {}
    });
    let (_folder, settings) = settings();
    let before = resident();
    let target =
        target([], json!({"protocol": "telnet", "host": "127.0.0.1", "port": port, "profile": "linux"}));
    let error = Session::open(target, &settings, Duration::from_secs(2), Vec::new()).await.unwrap_err();
    let grown = resident().saturating_sub(before);
    flood.await.unwrap();
    (error.to_string(), grown)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_at_full_speed_leaves_memory_flat() {
    let (told, grown) = flooded_with(b'x').await;
    assert!(told.contains("it sends a line that does not end: "), "{told}");
    // The window, what doubles while it grows, and the network's own buffers; other tests run meanwhile.
    assert!(grown < 400 << 20, "{grown} bytes");
    // Every byte of this one may be the end of a prompt.
    let (told, grown) = flooded_with(b'#').await;
    assert!(told.contains("it sends a line that does not end: "), "{}", told.len());
    assert!(told.len() < 2000 && grown < 400 << 20, "{grown} bytes");
}
