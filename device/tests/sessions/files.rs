//! Files to and from OpenSSH's server, by SFTP and by SCP.

use std::path::{Path, PathBuf};

use jackfield_device::{
    beside::execute,
    session::Session,
    transfer::{self, Moved, Way},
};
use serde_json::json;

use crate::{
    LONG, open,
    peers::{Server, installed, run, ssh_properties, sshd},
    scratch, settings, target,
};

/// A server without the forced shell, with SFTP where that is wanted.
pub(crate) fn server(folder: &tempfile::TempDir, sftp: bool) -> Server {
    let server = sshd(folder, "");
    let config = std::fs::read_to_string(scratch(folder, "config")).unwrap();
    let subsystem = if sftp { "Subsystem sftp internal-sftp\n" } else { "" };
    let config = config.replace("ForceCommand /bin/sh -i\n", subsystem);
    std::fs::write(scratch(folder, "config"), config).unwrap();
    server
}

/// A session with such a server, and the folder of both; none where the lab does without.
async fn session(library: &str, sftp: bool) -> Option<(tempfile::TempDir, Server, Session)> {
    if !installed("/usr/sbin/sshd", "openssh-server") || !installed("/usr/bin/scp", "openssh-client") {
        return None;
    }
    let (folder, settings) = settings();
    let server = server(&folder, sftp);
    let way = target([], ssh_properties(library, &server, &folder));
    let session = Session::open(way, &settings, LONG, Vec::new()).await.unwrap();
    Some((folder, server, session))
}

/// Bytes of every value that do not repeat in step with any packet.
fn bytes(count: usize) -> Vec<u8> {
    (0..count).map(|at| u8::try_from((at * 7 + at / 251) % 256).unwrap()).collect()
}

with_both_libraries!(
    files_arrive_whole_both_ways,
    what_cannot_be_moved_is_told_and_leaves_nothing,
    a_server_without_sftp_gets_scp,
    folders_arrive_whole_both_ways,
    a_folder_that_was_moved_in_part_names_the_file,
    a_name_that_leads_elsewhere_is_refused
);

async fn files_arrive_whole_both_ways(library: &str) {
    let Some((folder, _server, mut session)) = session(library, true).await else { return };
    let (here, back) = (scratch(&folder, "here"), scratch(&folder, "back"));
    for (way, name) in [(Way::Sftp, "sftp"), (Way::Scp, "scp"), (Way::Either, "sftp")] {
        for size in [0, 1, 3_000_000] {
            std::fs::write(&here, bytes(size)).unwrap();
            run("chmod", &["640", &here.display().to_string()]);
            let there = scratch(&folder, &format!("the file's {name} {size}")).display().to_string();
            let bytes_moved = u64::try_from(size).unwrap();
            let moved = Moved { bytes: bytes_moved, files: 1, skipped: Vec::new(), way: name };
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
    // The dialogue goes on meanwhile and after, and so do other files.
    let beside = session.dialogue().beside().unwrap();
    std::fs::write(&here, bytes(2_000_000)).unwrap();
    let there = ["one", "two"].map(|name| scratch(&folder, name).display().to_string());
    let limit = || jackfield_device::Deadline::after(LONG);
    let upload = |there, way| transfer::put(beside.as_ref(), &here, there, way, limit());
    let reading = execute(beside.as_ref(), "head -c 2000000 /dev/zero");
    let talking = async {
        for _ in 0..20 {
            assert_eq!(session.command("seq 1 3000", LONG).await.unwrap().lines().count(), 3000);
        }
    };
    let (one, two, read, ()) =
        tokio::join!(upload(&there[0], Way::Sftp), upload(&there[1], Way::Scp), reading, talking);
    assert_eq!((one.unwrap().bytes, two.unwrap().bytes), (2_000_000, 2_000_000));
    assert_eq!(read.unwrap().output.len(), 2_000_000);
    for there in there {
        assert!(std::fs::read(there).unwrap() == bytes(2_000_000));
    }
    assert_eq!(session.command("echo done", LONG).await.unwrap(), "done");
    session.close().await;
}

async fn what_cannot_be_moved_is_told_and_leaves_nothing(library: &str) {
    let Some((folder, _server, session)) = session(library, true).await else { return };
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
        let error = session.get("/dev/null/x", &here, way, LONG).await.unwrap_err().to_string();
        assert!(error.contains("`/dev/null/x` on the device: "), "{error}");
    }
    let left: Vec<String> = std::fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .filter(|name| name.starts_with("here"))
        .collect();
    assert!(left.is_empty(), "{left:?}");
    let error = session.put("/dev/null".as_ref(), "/tmp/x", Way::Sftp, LONG).await.unwrap_err().to_string();
    assert!(error.ends_with("it is neither a file nor a folder"), "{error}");
    // A session that is no SSH session carries neither files nor commands.
    let shell = open(target([], json!({"command": "/bin/sh -i", "profile": "linux"}))).await.unwrap();
    let error = shell.put(&here, "x", Way::Either, LONG).await.unwrap_err().to_string();
    assert!(
        error.ends_with("carries neither files nor commands beside its dialogue; only SSH does"),
        "{error}"
    );
}

async fn a_server_without_sftp_gets_scp(library: &str) {
    let Some((folder, _server, session)) = session(library, false).await else { return };
    let here = scratch(&folder, "here");
    std::fs::write(&here, bytes(1000)).unwrap();
    let there = scratch(&folder, "there").display().to_string();
    let moved = session.put(&here, &there, Way::Either, LONG).await.unwrap();
    assert_eq!(moved, Moved { bytes: 1000, files: 1, skipped: Vec::new(), way: "scp" });
    let error = session.put(&here, &there, Way::Sftp, LONG).await.unwrap_err().to_string();
    assert_eq!(error, "SFTP failed: the server refuses to start its `sftp`");
}

/// Files in folders, an empty folder, and a link that leads back.
fn tree(folder: &tempfile::TempDir) -> PathBuf {
    let root = scratch(folder, "tree");
    std::fs::create_dir_all(root.join("b/empty one")).unwrap();
    std::fs::create_dir_all(root.join("b/c")).unwrap();
    for (name, size) in [("a", 10), ("b/c/deep", 200_000), ("b/two", 0), ("z", 5)] {
        std::fs::write(root.join(name), bytes(size)).unwrap();
    }
    run("chmod", &["640", &root.join("z").display().to_string()]);
    std::os::unix::fs::symlink("..", root.join("b/loop")).unwrap();
    root
}

/// What differs between two folders, but for the link.
fn differences(one: &Path, other: &Path) -> String {
    let output =
        std::process::Command::new("diff").arg("-rq").args(["-x", "loop"]).args([one, other]).output();
    String::from_utf8(output.unwrap().stdout).unwrap()
}

async fn folders_arrive_whole_both_ways(library: &str) {
    let Some((folder, _server, session)) = session(library, true).await else { return };
    let root = tree(&folder);
    let all = |way| Moved { bytes: 200_015, files: 4, skipped: vec!["b/loop".to_owned()], way };
    for (way, name) in [(Way::Sftp, "sftp"), (Way::Scp, "scp")] {
        let there = scratch(&folder, &format!("its {name}"));
        let far = there.display().to_string();
        // The second time every file is there already.
        for _ in 0..2 {
            assert_eq!(session.put(&root, &far, way, LONG).await.unwrap(), all(name));
            assert_eq!(differences(&root, &there), "");
        }
        assert_eq!(run("stat", &["-c", "%a", &format!("{far}/z")]), "640");
        // The device has a link, too: SFTP leaves it out, SCP over there follows it to the file.
        std::os::unix::fs::symlink("two", there.join("b/loop")).unwrap();
        let landing = tempfile::tempdir().unwrap();
        let back = scratch(&landing, &format!("its {name}"));
        for _ in 0..2 {
            let moved = session.get(&far, landing.path(), way, LONG).await.unwrap();
            let files = if way == Way::Sftp { (4, vec!["b/loop".to_owned()]) } else { (5, Vec::new()) };
            assert_eq!((moved.bytes, (moved.files, moved.skipped)), (200_015, files));
            assert_eq!(differences(&root, &back), "");
            assert_eq!(run("stat", &["-c", "%a", &back.join("z").display().to_string()]), "640");
        }
        // A folder here, and a name that ends with a slash there, keep the name.
        session.get(&format!("{far}/b/"), folder.path(), way, LONG).await.unwrap();
        assert_eq!(differences(&root.join("b"), &scratch(&folder, "b")), "");
        std::fs::remove_dir_all(scratch(&folder, "b")).unwrap();
        session.put(&root.join("b"), &format!("{far}/"), way, LONG).await.unwrap();
        assert_eq!(differences(&root, &there), "");
    }
}

async fn a_folder_that_was_moved_in_part_names_the_file(library: &str) {
    let Some((folder, _server, session)) = session(library, true).await else { return };
    let root = tree(&folder);
    for (way, name) in [(Way::Sftp, "sftp"), (Way::Scp, "scp")] {
        // A folder with something in it stands where a file is to go.
        let there = scratch(&folder, name);
        std::fs::create_dir_all(there.join("b/two/in")).unwrap();
        let error = session.put(&root, &there.display().to_string(), way, LONG).await.unwrap_err();
        let told = error.to_string();
        assert!(told.starts_with(&format!("`{}/b/two` on the device: ", there.display())), "{told}");
        assert!(told.ends_with("; 2 files of the folder were moved before it"), "{told}");
        assert!(error.is_lab());
        assert!(!there.join("b/two.part").try_exists().unwrap(), "half a file is left");
        std::fs::remove_dir_all(there).unwrap();

        let landing = tempfile::tempdir().unwrap();
        let here = scratch(&landing, "tree");
        std::fs::create_dir_all(here.join("z/in")).unwrap();
        let far = root.display().to_string();
        std::fs::remove_file(root.join("b/loop")).ok();
        let error = session.get(&far, landing.path(), way, LONG).await.unwrap_err();
        let told = error.to_string();
        assert!(told.contains(&format!("`{}/z`: ", here.display())), "{told}");
        assert!(told.contains("files of the folder were moved before it"), "{told}");
        assert!(!here.join("z.part").try_exists().unwrap(), "half a file is left");
    }
}

/// A server whose SCP sends a file that would be written elsewhere.
async fn a_name_that_leads_elsewhere_is_refused(library: &str) {
    if !installed("/usr/sbin/sshd", "openssh-server") {
        return;
    }
    let (folder, settings) = settings();
    let server = server(&folder, true);
    let script = scratch(&folder, "evil");
    let text = "#!/bin/sh\ncase $SSH_ORIGINAL_COMMAND in\n\
                'scp -f'*) printf '\\001scp: x: not a regular file\\n' ;;\n\
                'scp -r'*) printf 'D0755 0 x\\nC0644 1 ../evil\\nz\\000E\\n'; cat >/dev/null ;;\n\
                *) exec /bin/sh -i ;;\nesac\n";
    std::fs::write(&script, text).unwrap();
    run("chmod", &["755", &script.display().to_string()]);
    let config = std::fs::read_to_string(scratch(&folder, "config")).unwrap();
    std::fs::write(scratch(&folder, "config"), format!("{config}ForceCommand {}\n", script.display()))
        .unwrap();
    let session =
        Session::open(target([], ssh_properties(library, &server, &folder)), &settings, LONG, Vec::new())
            .await
            .unwrap();
    let here = scratch(&folder, "here");
    let error = session.get("/x", &here, Way::Scp, LONG).await.unwrap_err().to_string();
    assert!(
        error.starts_with("SCP failed: the device says `C0644 1 ../evil` where a file begins"),
        "{error}"
    );
    assert!(!scratch(&folder, "evil.part").try_exists().unwrap());
}
