//! What Git knows of a file of the lab, where its folder is a repository: asked of the `git` of the engine's host, which changes nothing.
//!
//! A repository may say which programs Git is to start for it: filters of files, hooks, what fetches an object that is missing. None of that is
//! done here: whoever may write a file of the lab is not thereby somebody who runs programs as the engine. What can be switched off is, filters
//! by their names, and Git itself refuses a repository that is somebody else's.

use std::{
    collections::BTreeSet, ffi::OsString, os::unix::ffi::OsStringExt as _, path::Path, process::Stdio,
};

use jackfield_protocol::time::Time;
use serde::Serialize;
use tokio::{io::AsyncReadExt as _, process::Command, time::timeout};

use crate::limits;

/// A file and its repository.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct FileHistory {
    /// The branch that is checked out; none where it is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) branch: Option<String>,
    /// How the file stands to what was committed last.
    pub(crate) state: FileState,
    /// The commits that changed it, the newest first; at most 50.
    pub(crate) commits: Vec<FileCommit>,
}

/// How a file stands to what was committed last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum FileState {
    /// As it was committed.
    Committed,
    /// Changed since.
    Changed,
    /// Never committed.
    New,
    /// Left out by `.gitignore`.
    Ignored,
    /// Both sides of a merge have changed it.
    Conflict,
}

/// A commit.
#[derive(Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub(crate) struct FileCommit {
    /// Its name.
    pub(crate) commit: String,
    /// Who wrote it.
    pub(crate) author: String,
    /// When.
    pub(crate) at: Time,
    /// Its first line.
    pub(crate) subject: String,
}

/// Why Git does not answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum GitError {
    /// The file is in no repository.
    #[error("its folder is no Git repository")]
    NoRepository,
    /// There is no Git.
    #[error("there is no `git` on the engine's host; install it to see the history of files")]
    NoGit,
    /// It did not answer in time.
    #[error("`git` did not answer within {} s", limits::GIT_WAIT_MAX.as_secs())]
    Silent,
    /// It answered more than is taken.
    #[error("what `git` has of it is longer than {} MiB", limits::GIT_BYTES_MAX / (1024 * 1024))]
    TooLong,
    /// There is no such commit, or the file was not in it.
    #[error("there is no such version of the file")]
    NoVersion,
    /// What it said.
    #[error("`git` says: {0}")]
    Said(String),
}

/// What Git knows of a file; its path must be the real one.
pub(crate) async fn history(file: &Path) -> Result<FileHistory, GitError> {
    let off = filters_off(file).await?;
    let (branch, state) = read_status(&ask_with(file, &off, &STATUS).await?);
    let count = format!("--max-count={}", limits::GIT_COMMITS_MAX);
    let format = "--format=%H%x00%an%x00%at%x00%s%x1e";
    let log = ["log", "--no-show-signature", format, count.as_str(), "--", NAME];
    let commits = match ask(file, &log).await {
        Ok(said) => read_log(&said),
        // A repository in which nothing was committed yet.
        Err(GitError::Said(why)) if why.contains("does not have any commits") => Vec::new(),
        Err(error) => return Err(error),
    };
    Ok(FileHistory { branch, state, commits })
}

/// The content of a file as it was committed.
pub(crate) async fn version(file: &Path, commit: &str) -> Result<Vec<u8>, GitError> {
    if commit.is_empty() || !commit.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(GitError::NoVersion);
    }
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    let said = ask(file, &["show", "--no-textconv", &format!("{commit}:./{name}")]).await;
    said.map_err(|error| if matches!(error, GitError::Said(_)) { GitError::NoVersion } else { error })
}

/// Of a Git that fails without a word.
const NO_WORD: &str = "nothing";
/// Stands for the file's name, which may be anything: `--literal-pathspecs` keeps Git from reading it as a pattern.
const NAME: &str = "\0name";

const STATUS: [&str; 8] = [
    "status",
    "--porcelain=v2",
    "--branch",
    "--ignored=matching",
    "--ignore-submodules=all",
    "-z",
    "--",
    NAME,
];
/// What of a filter names a program, and what makes one that is missing an error.
const FILTER_KEYS: [&str; 4] = ["clean=", "smudge=", "process=", "required=false"];

/// Settings that switch off each filter which the repository has: a file that has changed is put through one to be compared.
async fn filters_off(file: &Path) -> Result<Vec<OsString>, GitError> {
    let names =
        ["config", "--name-only", "-z", "--get-regexp", r"^filter\..*\.(clean|smudge|process|required)$"];
    let said = match ask(file, &names).await {
        Ok(said) => said,
        // It ends so, without a word, where there is none.
        Err(GitError::Said(why)) if why == NO_WORD => Vec::new(),
        Err(error) => return Err(error),
    };
    let filters: BTreeSet<&[u8]> = said.split(|byte| *byte == 0).filter_map(filter_of).collect();
    // Git takes what is before the first `=` for the name of a setting: such a filter would stay on.
    if let Some(filter) = filters.iter().find(|filter| filter.contains(&b'=')) {
        let filter = String::from_utf8_lossy(filter);
        return Err(GitError::Said(format!("`{filter}` cannot be switched off; give it a name without `=`")));
    }
    let keys = |filter: &&[u8]| {
        FILTER_KEYS.map(|key| OsString::from_vec([*filter, b".".as_slice(), key.as_bytes()].concat()))
    };
    Ok(filters.iter().flat_map(keys).collect())
}

/// `filter.NAME` of `filter.NAME.clean`; the name may be any bytes.
fn filter_of(setting: &[u8]) -> Option<&[u8]> {
    let end = setting.iter().rposition(|byte| *byte == b'.')?;
    setting.get(..end)
}

async fn ask(file: &Path, arguments: &[&str]) -> Result<Vec<u8>, GitError> {
    ask_with(file, &[], arguments).await
}

async fn ask_with(file: &Path, settings: &[OsString], arguments: &[&str]) -> Result<Vec<u8>, GitError> {
    let (Some(folder), Some(name)) = (file.parent(), file.file_name()) else {
        return Err(GitError::NoRepository);
    };
    let mut command = Command::new("git");
    command.arg("-C").arg(folder).args(["--no-pager", "--no-optional-locks", "--literal-pathspecs"]);
    for off in ["core.fsmonitor=false", "core.hooksPath=/dev/null", "core.pager=cat", "diff.external="] {
        command.args(["-c", off]);
    }
    for setting in settings {
        command.arg("-c").arg(setting);
    }
    for argument in arguments {
        if *argument == NAME {
            command.arg(name);
        } else {
            command.arg(argument);
        }
    }
    command
        .env("GIT_TERMINAL_PROMPT", "0")
        .env("LC_ALL", "C")
        // What is missing is fetched from nowhere: a repository may say which program that were.
        .env("GIT_NO_LAZY_FETCH", "1")
        .env("GIT_ALLOW_PROTOCOL", "none")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    let answered = timeout(limits::GIT_WAIT_MAX, said(command)).await;
    answered.unwrap_or(Err(GitError::Silent))
}

async fn said(mut command: Command) -> Result<Vec<u8>, GitError> {
    let mut child = command.spawn().map_err(|error| {
        if error.kind() == std::io::ErrorKind::NotFound {
            GitError::NoGit
        } else {
            GitError::Said(error.to_string())
        }
    })?;
    // One more than is taken tells that there is more.
    let most = u64::try_from(limits::GIT_BYTES_MAX).map_or(u64::MAX, |most| most.saturating_add(1));
    let (out, err) = (child.stdout.take(), child.stderr.take());
    let (mut answer, mut complaint) = (Vec::new(), Vec::new());
    let read_out = async {
        match out {
            Some(out) => out.take(most).read_to_end(&mut answer).await.map(drop),
            None => Ok(()),
        }
    };
    let read_err = async {
        match err {
            Some(err) => err.take(most).read_to_end(&mut complaint).await.map(drop),
            None => Ok(()),
        }
    };
    let said = |error: std::io::Error| GitError::Said(error.to_string());
    let (out, err) = tokio::join!(read_out, read_err);
    out.and(err).map_err(said)?;
    if answer.len() > limits::GIT_BYTES_MAX {
        return Err(GitError::TooLong);
    }
    if child.wait().await.map_err(said)?.success() {
        return Ok(answer);
    }
    let complaint = String::from_utf8_lossy(&complaint);
    if complaint.contains("not a git repository") {
        return Err(GitError::NoRepository);
    }
    Err(GitError::Said(complaint.lines().next().unwrap_or(NO_WORD).trim_start_matches("fatal: ").to_owned()))
}

/// Branch and state, from `--porcelain=v2 -z`.
fn read_status(said: &[u8]) -> (Option<String>, FileState) {
    let text = String::from_utf8_lossy(said);
    let mut branch = None;
    let mut state = FileState::Committed;
    for line in text.split('\0') {
        if let Some(head) = line.strip_prefix("# branch.head ") {
            branch = Some(head.to_owned()).filter(|head| head != "(detached)");
        }
        state = match line.as_bytes().first() {
            Some(b'1' | b'2') => FileState::Changed,
            Some(b'u') => FileState::Conflict,
            Some(b'?') => FileState::New,
            Some(b'!') => FileState::Ignored,
            _ => state,
        };
    }
    (branch, state)
}

fn read_log(said: &[u8]) -> Vec<FileCommit> {
    let text = String::from_utf8_lossy(said);
    let commit = |entry: &str| {
        let mut fields = entry.trim_start_matches('\n').split('\0');
        let (commit, author) = (fields.next()?.to_owned(), fields.next()?.to_owned());
        let seconds: i64 = fields.next()?.parse().ok()?;
        let subject = fields.next()?.to_owned();
        Some(FileCommit { commit, author, at: Time(seconds.saturating_mul(1000)), subject })
    };
    text.split('\u{1e}').filter_map(commit).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_git_says_is_read() {
        let status = b"# branch.oid 12\0# branch.head main\x001 .M N... 100644 100644 100644 1 2 a.py\0";
        assert_eq!(read_status(status), (Some("main".to_owned()), FileState::Changed));
        let new = b"# branch.oid 12\0# branch.head (detached)\0? a.py\0";
        assert_eq!(read_status(new), (None, FileState::New));
        assert_eq!(read_status(b"# branch.head x\0! a.py\0").1, FileState::Ignored);
        assert_eq!(read_status(b"").1, FileState::Committed);
        let log = "c1\0Ana\x007\0Ask twice: \"why\"\u{1e}\nc0\0B\x001\0\u{1e}\n";
        let commits = read_log(log.as_bytes());
        assert_eq!(commits.len(), 2);
        assert_eq!((commits[0].at, &*commits[0].subject), (Time(7000), "Ask twice: \"why\""));
        assert_eq!((&*commits[1].commit, &*commits[1].subject), ("c0", ""));
    }

    #[tokio::test]
    async fn more_than_is_taken_is_no_answer() {
        let zeros = |bytes: usize| {
            let mut command = Command::new("head");
            command.arg("-c").arg(bytes.to_string()).arg("/dev/zero");
            command.stdout(Stdio::piped()).stderr(Stdio::piped());
            said(command)
        };
        let most = limits::GIT_BYTES_MAX;
        assert_eq!(zeros(most).await.unwrap().len(), most);
        assert!(matches!(zeros(most + 1).await, Err(GitError::TooLong)));
    }

    /// A repository whose settings name programs: none of them is started, and what is said of the file is right.
    #[tokio::test]
    async fn a_repository_starts_no_program() {
        let folder = tempfile::tempdir().unwrap();
        let (root, file) = (folder.path(), folder.path().join("a.py"));
        let git = |arguments: &[&str]| {
            let mut git = std::process::Command::new("git");
            git.arg("-C").arg(root).args(["-c", "user.name=a", "-c", "user.email=a@b"]).args(arguments);
            let done = git.output().unwrap();
            assert!(done.status.success(), "{arguments:?}: {done:?}");
            String::from_utf8(done.stdout).unwrap().trim().to_owned()
        };
        git(&["init", "-q"]);
        std::fs::write(&file, "one\n").unwrap();
        std::fs::write(root.join("b.py"), "two\n").unwrap();
        git(&["add", "."]);
        git(&["commit", "-q", "-m", "first"]);
        let blob = git(&["ls-files", "-s", "a.py"]).split(' ').nth(1).unwrap().to_owned();
        let started = root.join("started");
        let program = format!("touch {}; cat", started.display());
        for (key, value) in [
            ("filter.x.clean", program.as_str()),
            ("filter.y.z.process", &program),
            ("filter.y.z.required", "true"),
            ("core.fsmonitor", &program),
            ("core.sshCommand", &program),
            ("core.repositoryformatversion", "1"),
            ("extensions.partialClone", "origin"),
            ("remote.origin.promisor", "true"),
            ("remote.origin.url", &root.display().to_string()),
            ("remote.origin.uploadpack", &program),
            ("protocol.file.allow", "always"),
        ] {
            git(&["config", key, value]);
        }
        std::fs::write(root.join(".git/info/attributes"), "a.py filter=x\nb.py filter=y.z\n").unwrap();
        for name in ["a.py", "b.py"] {
            std::fs::write(root.join(name), "changed\n").unwrap();
            let history = history(&root.join(name)).await.unwrap();
            assert_eq!((history.state, history.commits.len()), (FileState::Changed, 1), "{name}");
        }
        let head = history(&file).await.unwrap().commits.remove(0).commit;
        assert_eq!(version(&file, &head).await.unwrap(), b"one\n");
        let (begin, rest) = blob.split_at(2);
        std::fs::remove_file(root.join(".git/objects").join(begin).join(rest)).unwrap();
        assert!(matches!(version(&file, &head).await, Err(GitError::NoVersion)));
        let attributes = root.join(".git/info/attributes");
        let config = std::fs::read(root.join(".git/config")).unwrap();
        let strange = [&b"[filter \"\xff\"]\n\tclean = \""[..], program.as_bytes(), b"\"\n"].concat();
        std::fs::write(root.join(".git/config"), [config, strange].concat()).unwrap();
        std::fs::write(&attributes, b"b.py filter=\xff\n").unwrap();
        assert_eq!(history(&root.join("b.py")).await.unwrap().state, FileState::Changed);
        git(&["config", "filter.a=b.clean", &program]);
        std::fs::write(&attributes, "b.py filter=a=b\n").unwrap();
        assert!(matches!(history(&root.join("b.py")).await, Err(GitError::Said(_))));
        assert!(std::fs::metadata(&started).is_err(), "a program of the repository was started");
    }

    #[tokio::test]
    async fn a_version_is_named_by_its_hash_alone() {
        for name in ["", "HEAD", "--output=/tmp/x", "12 34"] {
            assert!(matches!(version(Path::new("/tmp/a"), name).await, Err(GitError::NoVersion)), "{name}");
        }
    }
}
