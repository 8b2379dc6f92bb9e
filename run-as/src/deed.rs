//! What is to be done, and how that is written as arguments.
//!
//! ```text
//! USER start [--open-files=N] [--processes=N] [--memory=BYTES] [--home=FOLDER] [--plain] [--wait] -- PROGRAM [ARGUMENT …]
//! USER read BYTES FILE           to standard output
//! USER write FILE                from standard input
//! USER end SIGNAL all            every process of the user
//! USER end SIGNAL PID …          these
//! USER end SIGNAL NAME=VALUE     those with this in their environment
//! USER clear FOLDER SECONDS      what is in it, and what the user put into temporary folders since
//! USER reach PATH …              whether the user comes there
//! ```

use std::{
    ffi::{OsStr, OsString},
    os::unix::ffi::OsStrExt as _,
    path::PathBuf,
};

use crate::Fault;

/// What is to be done as whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// The user.
    pub user: String,
    /// What.
    pub deed: Deed,
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Deed {
    /// Becomes a program.
    Start {
        /// What it may take of the machine.
        limits: Limits,
        /// Its home, and its place for temporary files, as it finds them in its environment.
        home: Option<PathBuf>,
        /// Of the caller's environment it gets little: it was not made for it.
        plain: bool,
        /// It begins when the other end of standard input says [`crate::GO`]: it is put where it belongs first.
        waits: bool,
        /// The program and its arguments.
        command: Vec<OsString>,
    },
    /// Writes a file to standard output.
    Read {
        /// No file with more bytes.
        most: u64,
        /// Which.
        file: PathBuf,
    },
    /// Writes standard input to a file.
    Write {
        /// Which; what was there is replaced.
        file: PathBuf,
    },
    /// Signals processes.
    End {
        /// The number.
        signal: i32,
        /// Which.
        whom: Whom,
    },
    /// Removes what is in a folder, and what the user put into the machine's temporary folders.
    Clear {
        /// It stays itself.
        folder: PathBuf,
        /// What was there before, in seconds since 1970, stays in temporary folders.
        since: i64,
    },
    /// Looks whether the user comes to places.
    Reach {
        /// Which.
        paths: Vec<PathBuf>,
    },
}

/// Which processes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Whom {
    /// Every one of the user.
    All,
    /// These.
    These(Vec<i32>),
    /// Those with this in their environment.
    Marked(OsString),
}

/// What one test may take of the machine.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// Of one process.
    pub open_files: Option<u64>,
    /// Of the user.
    pub processes: Option<u64>,
    /// Bytes of one process.
    pub memory: Option<u64>,
}

impl Order {
    /// Reads arguments.
    ///
    /// # Errors
    /// They are none.
    pub fn read(arguments: impl IntoIterator<Item = OsString>) -> Result<Self, Fault> {
        let mut words = arguments.into_iter();
        let user = text(words.next(), "user")?;
        let deed = text(words.next(), "deed")?;
        let deed = match deed.as_str() {
            "start" => start(&mut words)?,
            "read" => Deed::Read { most: number(words.next())?, file: path(words.next())? },
            "write" => Deed::Write { file: path(words.next())? },
            "end" => Deed::End { signal: number(words.next())?, whom: whom(words.by_ref().collect())? },
            "clear" => Deed::Clear { folder: path(words.next())?, since: number(words.next())? },
            "reach" => Deed::Reach { paths: words.by_ref().map(PathBuf::from).collect() },
            other => return Err(Fault::NoOrder(format!("there is no deed `{other}`"))),
        };
        match words.next() {
            None => Ok(Self { user, deed }),
            Some(more) => Err(Fault::NoOrder(format!("`{}` is one argument too many", more.display()))),
        }
    }

    /// The arguments that say so.
    pub fn arguments(&self) -> Vec<OsString> {
        let mut all = vec![OsString::from(&self.user)];
        let mut add = |words: &[&dyn AsRef<OsStr>]| {
            all.extend(words.iter().map(|word| word.as_ref().to_owned()));
        };
        match &self.deed {
            Deed::Start { limits, home, plain, waits, command } => {
                add(&[&"start"]);
                let Limits { open_files, processes, memory } = limits;
                for (name, limit) in
                    [("open-files", open_files), ("processes", processes), ("memory", memory)]
                {
                    if let Some(limit) = limit {
                        add(&[&format!("--{name}={limit}")]);
                    }
                }
                if let Some(home) = home {
                    let mut word = OsString::from("--home=");
                    word.push(home);
                    add(&[&word]);
                }
                if *plain {
                    add(&[&"--plain"]);
                }
                if *waits {
                    add(&[&"--wait"]);
                }
                add(&[&"--"]);
                command.iter().for_each(|word| add(&[word]));
            }
            Deed::Read { most, file } => add(&[&"read", &most.to_string(), file]),
            Deed::Write { file } => add(&[&"write", file]),
            Deed::End { signal, whom } => {
                add(&[&"end", &signal.to_string()]);
                match whom {
                    Whom::All => add(&[&"all"]),
                    Whom::These(pids) => pids.iter().for_each(|pid| add(&[&pid.to_string()])),
                    Whom::Marked(mark) => add(&[mark]),
                }
            }
            Deed::Clear { folder, since } => add(&[&"clear", folder, &since.to_string()]),
            Deed::Reach { paths } => {
                add(&[&"reach"]);
                paths.iter().for_each(|path| add(&[path]));
            }
        }
        all
    }
}

fn start(words: &mut impl Iterator<Item = OsString>) -> Result<Deed, Fault> {
    let (mut limits, mut home, mut plain, mut waits) = (Limits::default(), None, false, false);
    loop {
        let word = words.next().ok_or_else(|| Fault::NoOrder("there is no `--`".to_owned()))?;
        if word == "--" {
            break;
        }
        let bytes = word.as_encoded_bytes();
        let value = |name: &str| bytes.strip_prefix(name.as_bytes());
        let limit = |digits: &[u8]| number(Some(OsStr::from_bytes(digits).to_owned())).map(Some);
        if let Some(digits) = value("--open-files=") {
            limits.open_files = limit(digits)?;
        } else if let Some(digits) = value("--processes=") {
            limits.processes = limit(digits)?;
        } else if let Some(digits) = value("--memory=") {
            limits.memory = limit(digits)?;
        } else if let Some(folder) = value("--home=") {
            home = Some(PathBuf::from(OsStr::from_bytes(folder)));
        } else if word == "--plain" {
            plain = true;
        } else if word == "--wait" {
            waits = true;
        } else {
            return Err(Fault::NoOrder(format!("`{}` is no option", word.display())));
        }
    }
    let command: Vec<OsString> = words.collect();
    if command.is_empty() {
        return Err(Fault::NoOrder("there is no program to start".to_owned()));
    }
    Ok(Deed::Start { limits, home, plain, waits, command })
}

fn whom(words: Vec<OsString>) -> Result<Whom, Fault> {
    match words.as_slice() {
        [word] if word == "all" => Ok(Whom::All),
        [word] if word.as_encoded_bytes().contains(&b'=') => Ok(Whom::Marked(word.clone())),
        [] => Err(Fault::NoOrder("no process is named".to_owned())),
        _ => {
            let pids: Vec<i32> =
                words.into_iter().map(|word| number(Some(word))).collect::<Result<_, _>>()?;
            // Zero and what is below it are groups, or everybody.
            if pids.iter().any(|pid| *pid <= 1) {
                return Err(Fault::NoOrder("a process has a number above 1".to_owned()));
            }
            Ok(Whom::These(pids))
        }
    }
}

fn text(word: Option<OsString>, what: &str) -> Result<String, Fault> {
    let word = word.and_then(|word| word.into_string().ok()).filter(|word| !word.is_empty());
    word.ok_or_else(|| Fault::NoOrder(format!("the arguments name no {what}")))
}

fn number<T: std::str::FromStr>(word: Option<OsString>) -> Result<T, Fault> {
    let word = word.unwrap_or_default();
    let told = || Fault::NoOrder(format!("`{}` is no number", word.display()));
    word.to_str().and_then(|word| word.parse().ok()).ok_or_else(told)
}

fn path(word: Option<OsString>) -> Result<PathBuf, Fault> {
    let word = word.filter(|word| !word.is_empty());
    word.map(PathBuf::from).ok_or_else(|| Fault::NoOrder("the arguments name no file".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<OsString> {
        text.split(' ').map(OsString::from).collect()
    }

    #[test]
    fn an_order_is_read_as_it_was_written() {
        let limits = Limits { open_files: Some(64), processes: Some(9), memory: Some(1 << 30) };
        let deeds = [
            Deed::Start {
                limits,
                home: Some("/a b".into()),
                plain: true,
                waits: true,
                command: words("/bin/sh -c -- x"),
            },
            Deed::Start {
                limits: Limits::default(),
                home: None,
                plain: false,
                waits: false,
                command: words("start"),
            },
            Deed::Read { most: 5, file: "-x".into() },
            Deed::Write { file: "/x/y".into() },
            Deed::End { signal: 15, whom: Whom::All },
            Deed::End { signal: 9, whom: Whom::These(vec![2, 300]) },
            Deed::End { signal: 9, whom: Whom::Marked("A=1".into()) },
            Deed::Clear { folder: "/x".into(), since: -1 },
            Deed::Reach { paths: vec!["/".into(), "a".into()] },
        ];
        for deed in deeds {
            let order = Order { user: "tester".to_owned(), deed };
            assert_eq!(Order::read(order.arguments()).unwrap(), order);
        }
    }

    #[test]
    fn what_is_no_order_is_refused() {
        for bad in [
            "",
            "u",
            "u dance",
            "u start",
            "u start --",
            "u start --open-files=x -- a",
            "u start --uid=0 -- a",
            "u read x /f",
            "u read 5",
            "u read 5 /f more",
            "u end x all",
            "u end 9",
            "u end 9 0",
            "u end 9 -1",
            "u end 9 1",
            "u end 9 all 5",
            "u clear /f",
        ] {
            assert!(matches!(Order::read(words(bad)), Err(Fault::NoOrder(_))), "{bad}");
        }
    }
}
