//! Modules that a Python test imports and that do not come along, though the lab has them.
//!
//! Two things are told: what the lab itself shows, a module that is a library of the lab which the project does not name, or that lies in a folder
//! above the test which stays behind; and, where EPs have said which modules their Pythons lack, what of the rest is not there either. An import that
//! may be left out (in `try`, in `if`, in a function) is somebody's decision, and a test that changes its own path knows better.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    sync::Arc,
};

use jackfield_protocol::{
    api::EpModules,
    error::{FileProblem, Severity},
    id::EpName,
    plan::{PlannedTest, RunPlan},
};

use super::{
    Lab,
    beside::Gathered,
    references::{libraries, text_of},
};

/// Modules that Python has of its own, or that come with the SDK: these are found first, whatever the lab has of that name.
const THERE_ALREADY: &str = "\
    TscCommonLib TscFtpLib TscSshLib TscTelnetLib TscThreadsLib TscUnitTestLib __future__ abc aifc antigravity argparse array ast \
    asynchat asyncio asyncore atexit audioop base64 bdb binascii bisect builtins bz2 cProfile calendar ce_libs cgi cgitb chunk \
    cmath cmd code codecs codeop collections colorsys compileall concurrent configparser contextlib contextvars copy copyreg crypt \
    csv ctypes curses dataclasses datetime dbm decimal difflib dis distutils doctest email encodings ensurepip enum errno \
    faulthandler fcntl filecmp fileinput fnmatch fractions ftplib functools gc genericpath getopt getpass gettext glob graphlib \
    grp gzip hashlib heapq hmac html http idlelib imaplib imghdr imp importlib inspect io ipaddress itertools jackfield json \
    keyword lib2to3 linecache locale logging lzma mailbox mailcap marshal math mimetypes mmap modulefinder multiprocessing netrc \
    nis nntplib ntpath nturl2path numbers opcode operator optparse os ossaudiodev pathlib pdb pickle pickletools pipes pkgutil \
    platform plistlib poplib posix posixpath pprint profile pstats pty pwd py_compile pyclbr pydoc pydoc_data pyexpat queue quopri \
    random re readline reprlib resource rlcompleter runpy sched secrets select selectors shelve shlex shutil signal site smtpd \
    smtplib sndhdr socket socketserver spwd sqlite3 sre_compile sre_constants sre_parse ssl stat statistics string stringprep \
    struct subprocess sunau symtable sys sysconfig syslog tabnanny tarfile telnetlib tempfile termios textwrap this threading time \
    timeit tkinter token tokenize tomllib trace traceback tracemalloc tty turtle turtledemo types typing unicodedata unittest \
    urllib uu uuid venv warnings wave weakref webbrowser wsgiref xdrlib xml xmlrpc zipapp zipfile zipimport zlib zoneinfo";

/// A module that a test imports, and that only the Python of its EP can have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WantedModule {
    /// The test, as the plan names it.
    pub file: Arc<str>,
    /// Where it imports it.
    pub line: u32,
    /// The first part of its name.
    pub module: Arc<str>,
    /// The EPs that its suites name; none among them: whichever is free.
    pub eps: BTreeSet<Option<EpName>>,
}

/// What tests import that does not come along, and what is left to their EPs.
pub(super) fn look(lab: &Lab, plan: &RunPlan, folders: &[Gathered]) -> (Vec<FileProblem>, Vec<WantedModule>) {
    let mut places: BTreeMap<&Arc<str>, BTreeSet<Option<EpName>>> = BTreeMap::new();
    for test in plan.tests.iter().filter(|test| test.file.ends_with(".py")) {
        places.entry(&test.file).or_default().insert(place(plan, test));
    }
    let (mut problems, mut wanted) = (Vec::new(), Vec::new());
    let mut seen = BTreeSet::new();
    for test in plan.tests.iter().filter(|test| test.file.ends_with(".py") && seen.insert(&test.file)) {
        let Ok(file) = lab.test_file(&test.file) else { continue };
        let Some(text) = text_of(&file).filter(|text| !finds_modules_itself(text)) else { continue };
        let folder = folders.iter().find(|folder| folder.tests.contains_key(&test.file));
        for (line, module) in imports(&text) {
            let is_there = THERE_ALREADY.split_whitespace().any(|known| known == module)
                || folder.is_some_and(|folder| comes_along(folder, module))
                || is_in_a_library(lab, plan, module);
            if is_there {
                continue;
            }
            let Some((place, help)) = elsewhere(lab, file.path(), module) else {
                let eps = places.get(&test.file).cloned().unwrap_or_default();
                wanted.push(WantedModule { file: Arc::clone(&test.file), line, module: module.into(), eps });
                continue;
            };
            problems.push(FileProblem {
                severity: Severity::Warning,
                file: test.file.to_string(),
                line,
                column: 0,
                message: format!("imports `{module}`, which does not come along: it is {place}"),
                help: help.to_owned(),
            });
        }
    }
    (problems, wanted)
}

/// The EP that the suites of a test name.
fn place(plan: &RunPlan, test: &PlannedTest) -> Option<EpName> {
    plan.suite_chain(test.suite).find_map(|(_, suite)| suite.place.ep.clone())
}

/// The modules to ask EPs for, each once.
#[must_use]
pub fn names(wanted: &[WantedModule]) -> Vec<Arc<str>> {
    let names: BTreeSet<&Arc<str>> = wanted.iter().map(|wanted| &wanted.module).collect();
    names.into_iter().cloned().collect()
}

/// What tests import, and EPs on which they may run do not have. Of EPs that have not said anything, nothing is.
#[must_use]
pub fn not_there(wanted: &[WantedModule], eps: &[EpModules]) -> Vec<FileProblem> {
    let problem = |wanted: &WantedModule| {
        let may_run =
            |ep: &&EpModules| wanted.eps.iter().any(|name| name.as_ref().is_none_or(|name| *name == ep.ep));
        let (lack, have): (Vec<_>, Vec<_>) =
            eps.iter().filter(may_run).partition(|ep| ep.missing.contains(&wanted.module));
        let (first, more) = (lack.first()?, lack.len().saturating_sub(1));
        let others = if more == 0 { String::new() } else { format!(" and {more} more") };
        let but = have.first().map_or(String::new(), |ep| format!("; that of {} does", ep.ep));
        Some(FileProblem {
            severity: Severity::Warning,
            file: wanted.file.to_string(),
            line: wanted.line,
            column: 0,
            message: format!(
                "imports `{}`, which the Python of {}{others} does not have{but}",
                wanted.module, first.ep
            ),
            help: "install it there, put it beside the test, or make it a library of the project".to_owned(),
        })
    };
    wanted.iter().filter_map(problem).collect()
}

/// Whether a test says where Python looks for modules, other than beside itself.
fn finds_modules_itself(text: &str) -> bool {
    text.lines()
        .any(|line| line.contains("addsitedir") || (line.contains("sys.path") && !line.contains("__file__")))
}

/// The modules that a script imports at its margin, with their lines: the first part of each name. What stands deeper may be left out.
fn imports(text: &str) -> Vec<(u32, &str)> {
    let mut found = Vec::new();
    let mut quoted: Option<&str> = None;
    for (number, line) in (1_u32..).zip(text.lines()) {
        let begins_quoted = quoted.is_some();
        quoted = quote_after(line, quoted);
        if begins_quoted {
            continue;
        }
        let named: Vec<&str> = if let Some(rest) = line.strip_prefix("import ") {
            rest.split(['#', ';']).next().unwrap_or_default().split(',').collect()
        } else if let Some(rest) = line.strip_prefix("from ") {
            vec![rest]
        } else {
            continue;
        };
        for name in named {
            let name = name.trim_start();
            let end = name.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(name.len());
            found.extend(name.get(..end).filter(|name| !name.is_empty()).map(|name| (number, name)));
        }
    }
    found
}

/// The quotes of several lines that are open after a line: text in them is no code.
fn quote_after<'a>(line: &'a str, before: Option<&'a str>) -> Option<&'a str> {
    let mut open = before;
    let mut rest = line;
    loop {
        let next = match open {
            Some(quote) => rest.find(quote).map(|at| (at, None)),
            None => {
                ["\"\"\"", "'''"].iter().filter_map(|quote| Some((rest.find(quote)?, Some(*quote)))).min()
            }
        };
        let Some((at, now)) = next else { return open };
        open = now;
        rest = rest.get(at.saturating_add(3)..).unwrap_or_default();
    }
}

/// Whether something of that name comes along, wherever: Python may well be told to look there.
fn comes_along(folder: &Gathered, module: &str) -> bool {
    let is_it = |part: &std::ffi::OsStr| {
        let name = part.to_string_lossy();
        name.split('.').next() == Some(module)
    };
    folder.files.keys().any(|name| Path::new(name).iter().any(is_it))
}

fn is_in_a_library(lab: &Lab, plan: &RunPlan, module: &str) -> bool {
    libraries(lab, plan).any(|library| {
        let path = library.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        // A packed library may hold anything.
        let is_packed = path.is_file() && !name.ends_with(".py");
        is_packed || name.split('.').next() == Some(module) || has_module(path, module)
    })
}

/// Whether a folder holds a module: a file of Python, or a folder with some.
fn has_module(folder: &Path, module: &str) -> bool {
    let package = folder.join(module);
    let holds_python = || {
        let entries = std::fs::read_dir(&package).into_iter().flatten().flatten();
        entries.map(|entry| entry.path()).any(|path| path.extension().is_some_and(|ending| ending == "py"))
    };
    folder.join(format!("{module}.py")).is_file() || holds_python()
}

/// Where the lab has it instead, and what to do.
fn elsewhere(lab: &Lab, file: &Path, module: &str) -> Option<(String, &'static str)> {
    let is_it = |name: &String| name == module || name.strip_suffix(".py") == Some(module);
    if let Some(name) = lab.library_names().into_iter().find(is_it) {
        let help = "name it in the <libraries> of the project or of the suite, unless the EP's own Python has a module of this name";
        return Some((format!("the library `{name}` of the lab, which the project does not name"), help));
    }
    let tests = lab.tests_folder_of(file)?;
    let mut above = file.parent()?.ancestors().skip(1).take_while(|folder| folder.starts_with(&tests));
    let folder = above.find(|folder| has_module(folder, module))?;
    let shown = folder.strip_prefix(&tests).unwrap_or(folder).join(module);
    let help = "mark the folder above both with an empty file `.beside`, put it beside the test, or make it a library";
    Some((format!("`{}` in a folder above, which stays behind", shown.display()), help))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn imports_at_the_margin_are_seen_by_their_first_names() {
        let cases: [(&str, &[(u32, &str)]); 7] = [
            ("import os, helper.deep as d\nfrom tools import x\n", &[(1, "os"), (1, "helper"), (2, "tools")]),
            ("from . import sib\nfrom .deep import x\nimported = 1\n", &[]),
            ("try:\n    import maybe\nexcept ImportError:\n    maybe = None\n", &[]),
            ("\"\"\"How to use it:\nimport wrong\n\"\"\"\nimport right\n", &[(4, "right")]),
            ("x = '''a''' + '''\nfrom wrong import x\n''' \nimport a;import b  # import, c\n", &[(4, "a")]),
            ("import a  # so, so\n", &[(1, "a")]),
            ("import\nfrom\n", &[]),
        ];
        for (text, expect) in cases {
            assert_eq!(imports(text), expect, "{text}");
        }
    }

    #[test]
    fn what_eps_lack_is_told_of_those_on_which_the_test_may_run() {
        let ep = |name: &str, missing: &[&str]| EpModules {
            ep: name.into(),
            missing: missing.iter().map(|module| Arc::from(*module)).collect(),
        };
        let eps = [ep("EP-1", &["serial"]), ep("EP-2", &[]), ep("EP-3", &["serial"])];
        let told = |places: &[Option<&str>], eps: &[EpModules]| {
            let eps_of = places.iter().map(|place| place.map(EpName::from)).collect();
            let wanted = WantedModule { file: "t.py".into(), line: 3, module: "serial".into(), eps: eps_of };
            not_there(&[wanted], eps).first().map(ToString::to_string)
        };
        let help = "; install it there, put it beside the test, or make it a library of the project";
        let line =
            |text: &str| Some(format!("t.py:3: warning: imports `serial`, which the Python of {text}{help}"));
        assert_eq!(told(&[Some("EP-1")], &eps), line("EP-1 does not have"));
        assert_eq!(told(&[Some("EP-2")], &eps), None);
        assert_eq!(told(&[None], &eps), line("EP-1 and 1 more does not have; that of EP-2 does"));
        assert_eq!(told(&[Some("EP-9")], &eps), None, "it is not connected");
        assert_eq!(told(&[Some("EP-2"), Some("EP-3")], &eps), line("EP-3 does not have; that of EP-2 does"));
        assert_eq!(told(&[None], &[]), None);
    }

    #[test]
    fn what_python_has_of_its_own_is_known() {
        let print = "import sys; print(*(name for name in sys.stdlib_module_names if name[0] != '_'))";
        let told = std::process::Command::new("/usr/bin/python3").args(["-c", print]).output().unwrap();
        let known: BTreeSet<&str> = THERE_ALREADY.split_whitespace().collect();
        let of_windows = ["msilib", "msvcrt", "nt", "winreg", "winsound"];
        let told = String::from_utf8(told.stdout).unwrap();
        let is_new = |name: &&str| !known.contains(name) && !of_windows.contains(name);
        let missing: Vec<_> = told.split_whitespace().filter(is_new).collect();
        assert!(missing.is_empty() && !told.is_empty(), "{missing:?}");
    }

    #[test]
    fn a_test_that_says_where_modules_are_is_believed() {
        assert!(finds_modules_itself("import sys\nsys.path.insert(0, '/opt/lab')\n"));
        assert!(!finds_modules_itself("sys.path.append(os.path.join(os.path.dirname(__file__), '..'))\n"));
    }
}
