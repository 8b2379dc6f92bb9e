//! A folder that is copied over an old one: whatever fails, and whatever the server can do, the old file or the new one is there, whole.

use std::{path::PathBuf, sync::Arc, time::Duration};

use jackfield_device::{
    Deadline,
    session::Session,
    transfer::{self, TransferError, Way},
};
use russh::{
    Channel, ChannelId,
    keys::{Algorithm, PrivateKey, key::safe_rng},
    server::{self, Auth, ChannelOpenHandle, Config, Handler, Msg},
};
use serde_json::json;
use tokio::net::TcpListener;

use crate::{
    LONG,
    file_server::{Fault, FileServer, Renames},
    scratch, settings, target,
};

const OLD: &[u8] = b"as it was";
const NEW: &[u8] = b"as it is to be";
/// What stands there before.
const BEFORE: [(&str, &[u8]); 1] = [("there/f", OLD)];

/// A folder here with two files, one of which is there already.
fn folder() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let root = scratch(&folder, "new");
    std::fs::create_dir(&root).unwrap();
    for name in ["f", "g"] {
        std::fs::write(root.join(name), NEW).unwrap();
    }
    (folder, root)
}

async fn put(server: &FileServer, within: Duration) -> Result<u64, TransferError> {
    let (_folder, root) = folder();
    let deadline = Deadline::after(within);
    transfer::put(server, &root, "there", Way::Sftp, deadline).await.map(|moved| moved.files)
}

fn names(server: &FileServer) -> Vec<String> {
    server.store.lock().unwrap().files.keys().cloned().collect()
}

fn there(server: &FileServer, name: &str) -> Option<Vec<u8>> {
    server.store.lock().unwrap().files.get(name).cloned()
}

#[tokio::test(start_paused = true)]
async fn a_folder_takes_the_place_of_an_old_one_where_the_server_can_rename() {
    for renames in Renames::ALL {
        let server = FileServer::new(&BEFORE, renames, None);
        let put = put(&server, LONG).await;
        if renames == Renames::Nothing {
            insta::assert_snapshot!(put.unwrap_err(), @"`there/f` on the device: the server puts no file in the place of another (operation unsupported); the old one was left as it is: remove it first, or move the folder by SCP; 0 files of the folder were moved before it");
            assert_eq!(
                (names(&server), there(&server, "there/f")),
                (vec!["there/f".to_owned()], Some(OLD.to_vec()))
            );
            continue;
        }
        assert_eq!(put.unwrap(), 2, "{renames:?}");
        assert_eq!(names(&server), ["there/f", "there/g"], "{renames:?}");
        assert_eq!(there(&server, "there/f").unwrap(), NEW, "{renames:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_that_renames_nothing_takes_files_that_are_not_there_yet() {
    let server = FileServer::new(&[], Renames::Nothing, None);
    assert_eq!(put(&server, LONG).await.unwrap(), 2);
    assert_eq!(names(&server), ["there/f", "there/g"]);
    assert_eq!(there(&server, "there/g").unwrap(), NEW);
}

#[tokio::test(start_paused = true)]
async fn whatever_fails_the_old_file_or_the_new_one_is_there() {
    let mut tried = 0;
    for renames in Renames::ALL {
        for fault in [Fault::Refused, Fault::CutBefore, Fault::CutAfter] {
            for step in 1_usize.. {
                let server = FileServer::new(&BEFORE, renames, Some((step, fault)));
                let told = put(&server, LONG).await.map_err(|error| error.to_string());
                if !server.has_failed() {
                    break;
                }
                tried += 1;
                check(&server, &format!("{renames:?}, {fault:?} at step {step}: {told:?}"), &told, fault);
                // The next time it is mended, whatever was left.
                let mended = server.mended();
                let again = put(&mended, LONG).await;
                if renames != Renames::Nothing {
                    assert_eq!(again.unwrap(), 2, "{renames:?}, {fault:?} at step {step}");
                    assert_eq!(there(&mended, "there/f").unwrap(), NEW);
                }
            }
        }
    }
    assert!(tried > 60, "only {tried} faults were tried");
}

fn check(server: &FileServer, case: &str, told: &Result<u64, String>, fault: Fault) {
    let whole = |name: &str| there(server, name).filter(|bytes| bytes == OLD || bytes == NEW);
    match there(server, "there/f") {
        Some(bytes) => assert!(bytes == OLD || bytes == NEW, "{case}: half a file is in its place"),
        // Only a broken connection leaves it beside its place, and says so.
        None => {
            assert_ne!(fault, Fault::Refused, "{case}: no file is left");
            assert!(whole("there/f.jackfield-old").is_some(), "{case}: no file is left");
            assert!(told.as_ref().unwrap_err().contains("`there/f.jackfield-old`"), "{case}");
        }
    }
    if told.is_ok() {
        assert_eq!(there(server, "there/f").unwrap(), NEW, "{case}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_file_that_is_taking_its_place_is_not_left_between_when_the_time_is_over() {
    let taken = async |step| {
        let server = FileServer::new(&BEFORE, Renames::Free, Some((step, Fault::Slow)));
        let late = put(&server, Duration::from_secs(5)).await.is_err();
        (late, there(&server, "there/f"))
    };
    let mut swaps = 0;
    for step in 1..20 {
        let (late, file) = taken(step).await;
        assert!(file.is_some(), "at step {step} it was left without a file");
        swaps += usize::from(late && file.as_deref() == Some(NEW));
    }
    assert!(swaps >= 3, "only {swaps} steps of taking a place were late");
}

/// An SSH server that has SFTP of ours, and a shell that says no more than its prompt.
struct Server {
    files: FileServer,
    opened: Option<Channel<Msg>>,
    shell: Option<ChannelId>,
}

impl Handler for Server {
    type Error = russh::Error;

    async fn auth_password(&mut self, _user: &str, _password: &str) -> Result<Auth, russh::Error> {
        Ok(Auth::Accept)
    }

    async fn channel_open_session(
        &mut self,
        channel: Channel<Msg>,
        reply: ChannelOpenHandle,
        _session: &mut server::Session,
    ) -> Result<(), russh::Error> {
        self.opened = Some(channel);
        reply.accept().await;
        Ok(())
    }

    // libssh2 waits for an answer.
    async fn pty_request(
        &mut self,
        id: ChannelId,
        _terminal: &str,
        _columns: u32,
        _rows: u32,
        _width: u32,
        _height: u32,
        _modes: &[(russh::Pty, u32)],
        session: &mut server::Session,
    ) -> Result<(), russh::Error> {
        session.channel_success(id)
    }

    async fn shell_request(
        &mut self,
        id: ChannelId,
        session: &mut server::Session,
    ) -> Result<(), russh::Error> {
        self.shell = Some(id);
        session.channel_success(id)?;
        session.data(id, "r1# ".to_owned().into_bytes())
    }

    async fn data(
        &mut self,
        id: ChannelId,
        _data: &[u8],
        session: &mut server::Session,
    ) -> Result<(), russh::Error> {
        // What is sent to a file server comes by here, too.
        if self.shell == Some(id) { session.data(id, "\r\nr1# ".to_owned().into_bytes()) } else { Ok(()) }
    }

    async fn subsystem_request(
        &mut self,
        id: ChannelId,
        _name: &str,
        session: &mut server::Session,
    ) -> Result<(), russh::Error> {
        session.channel_success(id)?;
        let channel = self.opened.take().unwrap();
        russh_sftp::server::run(channel.into_stream(), self.files.clone()).await;
        Ok(())
    }
}

with_both_libraries!(an_old_folder_stays_on_a_server_without_rename);

async fn an_old_folder_stays_on_a_server_without_rename(library: &str) {
    let files = FileServer::new(&BEFORE, Renames::Nothing, None);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let key = PrivateKey::random(&mut safe_rng(), Algorithm::Ed25519).unwrap();
    let config = Arc::new(Config { keys: vec![key], ..Config::default() });
    let served = files.clone();
    let serving = tokio::spawn(async move {
        // A library may connect anew, to look at the host key first.
        let mut running = Vec::new();
        while let Ok((stream, _)) = listener.accept().await {
            let handler = Server { files: served.clone(), opened: None, shell: None };
            running.extend(server::run_stream(Arc::clone(&config), stream, handler).await);
        }
    });
    let (_settings, settings) = settings();
    let way = json!({"protocol": "ssh", "host": "127.0.0.1", "port": port, "user": "lab", "password": "lab",
        "host_key": "accept-new", "profile": "generic", "ssh_backend": library});
    let session = Session::open(target([], way), &settings, LONG, Vec::new()).await.unwrap();
    let (_folder, root) = folder();
    let error = session.put(&root, "there", Way::Sftp, LONG).await.unwrap_err();
    assert!(error.is_lab());
    assert!(error.to_string().contains("the old one was left as it is"), "{error}");
    assert_eq!(there(&files, "there/f").unwrap(), OLD);
    assert_eq!(session.put(&root, "elsewhere", Way::Sftp, LONG).await.unwrap().files, 2);
    assert_eq!(there(&files, "elsewhere/f").unwrap(), NEW);
    drop(session);
    serving.abort();
}
