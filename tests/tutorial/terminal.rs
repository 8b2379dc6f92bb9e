//! A machine of one's own to try a page on, and terminals on it.
//!
//! A network without anything else on it, where port 8000 is free, and processes that all end with the machine. With a root
//! file system it is a bare Debian.

use std::{
    fs,
    io::{BufRead, BufReader, Write},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, Command, Stdio},
    sync::mpsc,
    time::Duration,
};

use anyhow::{Context, Result, bail};
use jackfield_tests::{
    process::{Process, ending_with_us, jackfield},
    wait,
};
use tempfile::TempDir;

/// How long anything on a page may take.
const LIMIT: Duration = Duration::from_secs(120);
/// Where a terminal's commands and what they print lie, below the home of whoever types.
const NOTES: &str = ".terminal";

/// A machine; gone with this value, and every process on it.
pub(crate) struct Machine {
    folder: TempDir,
    root: Option<PathBuf>,
    holder: Process,
}

impl Machine {
    /// One with what this machine has, or a bare one with this root file system.
    ///
    /// # Errors
    /// This is not root.
    pub(crate) fn start(root: Option<&Path>) -> Result<Self> {
        let folder = TempDir::with_prefix("jackfield-tutorial-")?;
        let at = folder.path();
        fs::create_dir_all(at.join("home").join(NOTES))?;
        fs::create_dir_all(at.join("bin"))?;
        std::os::unix::fs::symlink(jackfield(), at.join("bin/jackfield"))?;
        let mut script = String::from("set -e\nip link set lo up\nmount -t proc proc /proc\n");
        if let Some(root) = root {
            let root = root.display();
            script.push_str(&format!(
                "mount --bind {home} {root}/root\nmount -t proc proc {root}/proc\nmount --rbind /dev {root}/dev\n\
                 mount -t tmpfs tmpfs {root}/tmp\nmount --bind {binary} {root}/usr/local/bin/jackfield\n",
                home = at.join("home").display(),
                binary = jackfield().display()
            ));
        }
        script.push_str(&format!("touch {}\nexec sleep infinity\n", at.join("ready").display()));
        let mut command = Command::new("unshare");
        command.args(["--net", "--mount", "--pid", "--fork", "--kill-child", "sh", "-c", &script]);
        let mut holder = Process::start("the machine", &mut command, &at.join("machine.log"))?;
        wait::until(LIMIT, "the machine to be up", || {
            if let Some(status) = holder.ended() {
                bail!("a machine needs root; it ended with {status}: {}", holder.output());
            }
            Ok(at.join("ready").try_exists()?.then_some(()))
        })?;
        Ok(Self { folder, root: root.map(Path::to_owned), holder })
    }

    /// The folder in which every terminal opens, as this process sees it.
    pub(crate) fn home(&self) -> PathBuf {
        self.folder.path().join("home")
    }

    /// Opens a terminal.
    pub(crate) fn terminal(&self) -> Result<Terminal> {
        let pid = self.holder.pid();
        let mut command = Command::new("nsenter");
        command.args([format!("--net=/proc/{pid}/ns/net"), format!("--mount=/proc/{pid}/ns/mnt")]);
        command.arg(format!("--pid=/proc/{pid}/ns/pid_for_children"));
        let (home, path) = match &self.root {
            Some(root) => {
                command.arg("chroot").arg(root);
                ("/root".to_owned(), "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin".to_owned())
            }
            None => {
                let bin = self.folder.path().join("bin");
                (
                    self.home().display().to_string(),
                    format!("{}:/usr/bin:/bin:/usr/sbin:/sbin", bin.display()),
                )
            }
        };
        command.args(["env", "-i", &format!("HOME={home}"), &format!("PATH={path}"), "LANG=C.UTF-8"]);
        command.args(["bash", "--noprofile", "--norc"]);
        let mut command = ending_with_us(&command);
        let mut shell =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().context("opening a terminal")?;
        let typed = shell.stdin.take().context("a pipe")?;
        let said = BufReader::new(shell.stdout.take().context("a pipe")?);
        let (sender, ends) = mpsc::channel();
        // It ends with its shell.
        std::thread::spawn(move || said.lines().map_while(Result::ok).try_for_each(|line| sender.send(line)));
        let mut terminal = Terminal { shell, typed, ends, notes: self.home().join(NOTES), stays: None };
        // Every command that fails is noted with its line, and the rest goes on, as it does for a person.
        terminal.line(&format!("cd; trap 'status=$?; echo \"$LINENO $status\" >> ~/{NOTES}/failed' ERR"))?;
        Ok(terminal)
    }
}

/// A shell in which somebody types.
pub(crate) struct Terminal {
    shell: Child,
    typed: ChildStdin,
    ends: mpsc::Receiver<String>,
    notes: PathBuf,
    /// What runs in it and does not end by itself.
    stays: Option<String>,
}

/// What came of commands.
pub(crate) struct Came {
    /// What they printed, on both outputs.
    pub(crate) output: String,
    /// Lines of the commands that failed, from 1, with their exit codes.
    pub(crate) failed: Vec<(usize, i32)>,
}

impl Terminal {
    fn line(&mut self, line: &str) -> Result<()> {
        writeln!(self.typed, "{line}").context("typing")
    }

    /// Whether something runs in it, so that nothing else can be typed.
    pub(crate) fn is_taken(&self) -> bool {
        self.stays.is_some()
    }

    /// Types commands, with what they ask for on their standard input, and waits for their end.
    pub(crate) fn run(&mut self, commands: &str, answers: &str) -> Result<Came> {
        let notes = self.notes.clone();
        let note = |name: &str| notes.join(name);
        for name in ["failed", "output"] {
            drop(fs::remove_file(note(name)));
        }
        // The file as a whole does not fail with its last line.
        fs::write(note("commands"), format!("{commands}\n:\n"))?;
        fs::write(note("answers"), answers)?;
        self.line(&format!(". ~/{NOTES}/commands < ~/{NOTES}/answers > ~/{NOTES}/output 2>&1; echo over"))?;
        let over = self.ends.recv_timeout(LIMIT);
        let output = String::from_utf8_lossy(&fs::read(note("output")).unwrap_or_default()).into_owned();
        if over.is_err() {
            bail!("these commands do not end:\n{commands}\nthey printed:\n{output}");
        }
        let failed = fs::read_to_string(note("failed")).unwrap_or_default();
        let failure = |line: &str| {
            let (line, status) = line.split_once(' ')?;
            Some((line.parse().ok()?, status.parse().ok()?))
        };
        Ok(Came { output, failed: failed.lines().filter_map(failure).collect() })
    }

    /// Types a command that does not end, and waits until it says this; what it printed by then.
    pub(crate) fn stay(&mut self, command: &str, says: &str) -> Result<String> {
        let name = format!("stays-{}", self.shell.id());
        let output = self.notes.join(&name);
        self.line(&format!("{command} > ~/{NOTES}/{name} 2>&1 < /dev/null"))?;
        self.stays = Some(command.to_owned());
        let seen = || fs::read_to_string(&output).unwrap_or_default();
        wait::until(LIMIT, &format!("`{command}` to say `{says}`"), || {
            let text = seen();
            Ok(text.contains(says).then_some(text))
        })
        .with_context(|| format!("it said: {}", seen()))
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // Ended already is as good as killed.
        drop(self.shell.kill());
        drop(self.shell.wait());
    }
}
