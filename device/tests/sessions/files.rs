//! Files to and from OpenSSH's server, by SFTP and by SCP.

use jackfield_device::{
    session::Session,
    transfer::{Moved, Way},
};
use serde_json::json;

use crate::{
    LONG, open,
    peers::{Server, installed, run, ssh_properties, sshd},
    scratch, settings, target,
};

/// A server without the forced shell, with SFTP where that is wanted.
fn server(folder: &tempfile::TempDir, sftp: bool) -> Server {
    let server = sshd(folder, "");
    let config = std::fs::read_to_string(scratch(folder, "config")).unwrap();
    let subsystem = if sftp { "Subsystem sftp internal-sftp\n" } else { "" };
    let config = config.replace("ForceCommand /bin/sh -i\n", subsystem);
    std::fs::write(scratch(folder, "config"), config).unwrap();
    server
}

/// Bytes of every value that do not repeat in step with any packet.
fn bytes(count: usize) -> Vec<u8> {
    (0..count).map(|at| u8::try_from((at * 7 + at / 251) % 256).unwrap()).collect()
}

with_both_libraries!(
    files_arrive_whole_both_ways,
    what_cannot_be_moved_is_told_and_leaves_nothing,
    a_server_without_sftp_gets_scp
);

async fn files_arrive_whole_both_ways(library: &str) {
    if !installed("/usr/sbin/sshd", "openssh-server") || !installed("/usr/bin/scp", "openssh-client") {
        return;
    }
    let (folder, settings) = settings();
    let server = server(&folder, true);
    let mut session =
        Session::open(target([], ssh_properties(library, &server, &folder)), &settings, LONG, Vec::new())
            .await
            .unwrap();
    let (here, back) = (scratch(&folder, "here"), scratch(&folder, "back"));
    for (way, name) in [(Way::Sftp, "sftp"), (Way::Scp, "scp"), (Way::Either, "sftp")] {
        for size in [0, 1, 3_000_000] {
            std::fs::write(&here, bytes(size)).unwrap();
            run("chmod", &["640", &here.display().to_string()]);
            let there = scratch(&folder, &format!("the file's {name} {size}")).display().to_string();
            let moved = Moved { bytes: u64::try_from(size).unwrap(), way: name };
            assert_eq!(session.put(&here, &there, way, LONG).await.unwrap(), moved);
            assert_eq!(std::fs::read(&there).unwrap(), bytes(size));
            assert_eq!(run("stat", &["-c", "%a", &there]), "640");
            assert_eq!(session.get(&there, &back, way, LONG).await.unwrap(), moved);
            assert_eq!(std::fs::read(&back).unwrap(), bytes(size));
            assert_eq!(run("stat", &["-c", "%a", &back.display().to_string()]), "640");
            std::fs::remove_file(&back).unwrap();
        }
    }
    // A name that ends with a slash, and a folder here, keep the file's name.
    let other = tempfile::tempdir().unwrap();
    session.put(&here, &format!("{}/", other.path().display()), Way::Sftp, LONG).await.unwrap();
    let landing = tempfile::tempdir().unwrap();
    session
        .get(&scratch(&other, "here").display().to_string(), landing.path(), Way::Scp, LONG)
        .await
        .unwrap();
    assert_eq!(std::fs::read(scratch(&landing, "here")).unwrap(), bytes(3_000_000));
    // The dialogue goes on meanwhile and after.
    assert_eq!(session.command("echo done", LONG).await.unwrap(), "done");
    session.close().await;
}

async fn what_cannot_be_moved_is_told_and_leaves_nothing(library: &str) {
    if !installed("/usr/sbin/sshd", "openssh-server") || !installed("/usr/bin/scp", "openssh-client") {
        return;
    }
    let (folder, settings) = settings();
    let server = server(&folder, true);
    let session =
        Session::open(target([], ssh_properties(library, &server, &folder)), &settings, LONG, Vec::new())
            .await
            .unwrap();
    let here = scratch(&folder, "here");
    for (way, told) in [
        (Way::Sftp, "`/no/such/file` on the device: there is no such file or folder"),
        (Way::Scp, "`/no/such/file` on the device: /no/such/file: No such file or directory"),
    ] {
        let error = session.get("/no/such/file", &here, way, LONG).await.unwrap_err();
        assert_eq!(error.to_string(), told);
        assert!(error.is_lab());
        let error = session.put(&here, "/tmp/x", way, LONG).await.unwrap_err();
        assert!(error.to_string().ends_with("here`: No such file or directory (os error 2)"), "{error}");
        assert!(error.is_test());
        let error = session.get("/etc", &here, way, LONG).await.unwrap_err().to_string();
        assert!(error.contains("file"), "{error}");
    }
    let left: Vec<String> = std::fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .filter(|name| name.starts_with("here"))
        .collect();
    assert!(left.is_empty(), "{left:?}");
    let error = session.put(folder.path(), "/tmp/x", Way::Sftp, LONG).await.unwrap_err().to_string();
    assert!(error.ends_with("it is no file; move files one by one"), "{error}");
    // A session that is no SSH session carries no files.
    let shell = open(target([], json!({"command": "/bin/sh -i", "profile": "linux"}))).await.unwrap();
    let error = shell.put(&here, "x", Way::Either, LONG).await.unwrap_err().to_string();
    assert!(error.ends_with("carries no files; only SSH does"), "{error}");
}

async fn a_server_without_sftp_gets_scp(library: &str) {
    if !installed("/usr/sbin/sshd", "openssh-server") || !installed("/usr/bin/scp", "openssh-client") {
        return;
    }
    let (folder, settings) = settings();
    let server = server(&folder, false);
    let session =
        Session::open(target([], ssh_properties(library, &server, &folder)), &settings, LONG, Vec::new())
            .await
            .unwrap();
    let here = scratch(&folder, "here");
    std::fs::write(&here, bytes(1000)).unwrap();
    let there = scratch(&folder, "there").display().to_string();
    let moved = session.put(&here, &there, Way::Either, LONG).await.unwrap();
    assert_eq!(moved, Moved { bytes: 1000, way: "scp" });
    let error = session.put(&here, &there, Way::Sftp, LONG).await.unwrap_err().to_string();
    assert_eq!(error, "SFTP failed: the server refuses to start its `sftp`");
}
