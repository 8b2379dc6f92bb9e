//! A test is a guest: it finds what every test finds, and what it does to its files reaches no other.

use std::{collections::BTreeMap, sync::Arc};

use jackfield_protocol::{
    link::{EngineToEp, RunContext},
    log::Stream,
    plan::{Library, LibraryKind, TestFolder},
    verdict::Verdict,
};

use crate::{
    engine::Engine,
    fixture::{Ep, assign, context, id, order, shell},
};

/// What a test printed.
async fn printed(engine: &Engine, test: u32) -> String {
    String::from_utf8(engine.log(id(test), Stream::Cli).await).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_test_does_to_its_files_reaches_no_other() {
    let engine = Engine::start().await;
    let ep = Ep::start(&engine).await;
    let file = |path: &str, text: &str| (Arc::<str>::from(path), engine.blob(text.as_bytes()));
    let files = [file("one.py", "who = 'one'\n"), file("two.py", "who = 'two'\n")].into();
    let library = Library { kind: LibraryKind::Folder, files };
    let libraries = BTreeMap::from([(Arc::from("net"), library)]);
    engine.say(EngineToEp::OpenRun(Box::new(RunContext { libraries, ..context() })));
    let text = "import os, sys, json\nsys.path_importer_cache.clear()\nimport one, two\nprint(one.who, two.who, json.__file__.startswith(sys.base_prefix))\n\
        os.chmod(__file__, 0o755)\nopen(__file__, 'a').write('\\nassert False, \"an earlier test wrote this\"\\n')\n\
        libs = os.environ['JACKFIELD_LIB_DIR']\nos.chmod(libs + '/one.py', 0o644)\nopen(libs + '/one.py', 'a').write('who = \"changed\"\\n')\n\
        os.remove(libs + '/two.py')\nopen(libs + '/json.py', 'w').write('')\nopen(os.path.dirname(__file__) + '/csv.py', 'w').write('assert 0')\n\
        for name in os.listdir(cache := os.environ['JACKFIELD_WORK_DIR'] + '/../../cache'):\n os.chmod(f'{cache}/{name}', 0o644)\n open(f'{cache}/{name}', 'a').write('# changed')\n";
    for test in 1..=3 {
        let mut same = order(&engine, test, "same.py", text);
        same.test.libraries = vec!["net".into()];
        assign(&engine, same);
    }
    for test in 1..=3 {
        let log = printed(&engine, test).await;
        assert_eq!(engine.ended(id(test)).await.end.outcome.verdict, Verdict::Pass, "{log}");
        assert_eq!(log, "one two True\n");
    }
    ep.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_stands_beside_a_test_comes_along_with_it() {
    let engine = Engine::start().await;
    let ep = Ep::start(&engine).await;
    let text = "import os, helper\nfrom routers.sub import deeper\nprint(helper.who, deeper.who, open(os.path.dirname(__file__) + '/data.txt').read())\n";
    let file = |path: &str, text: &str| (Arc::<str>::from(path), engine.blob(text.as_bytes()));
    let files = [
        file("sub/login.py", text),
        file(
            "sub/helper.py",
            "import sys, os\nsys.path.append(os.path.dirname(__file__) + '/../..')\nwho = 'beside'\n",
        ),
        file("sub/deeper.py", "who = 'package'\n"),
        file("sub/__init__.py", "\n"),
        file("sub/data.txt", "data"),
        file("sub/common.sh", "greet() { echo hello; }\n"),
        file("sub/greet.sh", "jf_log logTest x\n. \"$(dirname \"$0\")/common.sh\"\ngreet\n"),
    ];
    let tests = [("tests/login.py", "sub/login.py"), ("tests/greet.sh", "sub/greet.sh")];
    let tests = tests.into_iter().map(|(test, inside)| (test.into(), inside.into())).collect();
    let folder = TestFolder { files: files.into(), tests };
    let folders = BTreeMap::from([(Arc::from("1a2b/routers"), folder)]);
    engine.say(EngineToEp::OpenRun(Box::new(RunContext { folders, ..context() })));
    assign(&engine, order(&engine, 1, "login.py", text));
    assert_eq!(printed(&engine, 1).await, "beside package data\n");
    // The same name with another content is another file, which came into the run later.
    assign(&engine, order(&engine, 2, "login.py", "import helper\n"));
    assert!(engine.ended(id(2)).await.end.outcome.reason.contains("No module named 'helper'"));
    ep.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_name_that_leaves_the_run_is_refused() {
    let engine = Engine::start().await;
    let ep = Ep::start(&engine).await;
    for (test, key, inside) in [(1, "../../x", "a.sh"), (2, "1a/x", "../../../a.sh")] {
        let content = engine.blob(b"#!/bin/sh\n# a\n");
        let name: Arc<str> = "tests/a".into();
        let folder = TestFolder {
            files: [(Arc::from(inside), content)].into(),
            tests: [(Arc::clone(&name), Arc::from(inside))].into(),
        };
        let folders = BTreeMap::from([(Arc::from(key), folder)]);
        engine.say(EngineToEp::OpenRun(Box::new(RunContext { folders, ..context() })));
        assign(&engine, order(&engine, test, "a", "#!/bin/sh\n# a\n"));
        let outcome = engine.ended(id(test)).await.end.outcome;
        assert_eq!(outcome.verdict, Verdict::Invalid, "{}", outcome.reason);
        assert!(outcome.reason.contains("outside of itself"), "{}", outcome.reason);
    }
    ep.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_work_folder_may_have_blanks_colons_and_quotes_in_its_name() {
    let engine = Engine::start().await;
    let ep = Ep::start_at(&engine, |settings| {
        let odd = settings.work_dir.parent().unwrap().join("lab one: {it's} \"ep\"");
        settings.work_dir = odd;
    })
    .await;
    let file = |path: &str, text: &str| (Arc::<str>::from(path), engine.blob(text.as_bytes()));
    let files = [
        file("one.py", "who = 'python'\n"),
        file("One.pm", "package One; sub who { 'perl' } 1;\n"),
        file("pkgIndex.tcl", "package ifneeded one 1.0 [list source [file join $dir one.tcl]]\n"),
        file("one.tcl", "package provide one 1.0\nproc who {} { return tcl }\n"),
    ];
    let library = Library { kind: LibraryKind::Folder, files: files.into() };
    let libraries = BTreeMap::from([(Arc::from("net"), library)]);
    engine.say(EngineToEp::OpenRun(Box::new(RunContext { libraries, ..context() })));
    let tests = [
        ("a.py", "import one\nprint(one.who)\n", "python\n"),
        ("a.pl", "use One; print One::who(), \"\\n\";\n", "perl\n"),
        ("a.tcl", "package require one\nputs [who]\n", "tcl\n"),
        ("a.sh", "command -v jf_call >/dev/null && echo shell\n", "shell\n"),
    ];
    for (test, (name, text, expect)) in (1..).zip(tests) {
        let mut order = order(&engine, test, name, text);
        order.test.libraries = vec!["net".into()];
        assign(&engine, order);
        assert_eq!(printed(&engine, test).await, expect, "{name}");
    }
    ep.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_test_finds_the_defaults_of_a_fresh_login() {
    let engine = Engine::start().await;
    let ep = Ep::start(&engine).await;
    shell(
        &engine,
        1,
        "umask; echo $LANG; env | grep -c ^LC_; grep ^SigIgn: /proc/self/status; grep ^SigBlk: /proc/self/status",
    );
    let mut python = order(
        &engine,
        2,
        "a.py",
        "print(os.environ['LANG'])\nfor line in open('/proc/self/status'):\n    if line.startswith('SigBlk'): print(line, end='')\n",
    );
    python.timeout_millis = 20_000;
    assign(&engine, python);
    let log = printed(&engine, 1).await;
    let (rest, ignored) = log.split_once("SigIgn:\t").unwrap();
    assert_eq!(rest, "0022\nC.UTF-8\n0\n");
    let (ignored, blocked) = ignored.split_once('\n').unwrap();
    // Two real-time signals are the C library's own.
    assert_eq!(u64::from_str_radix(ignored, 16).unwrap() & 0x7fff_ffff, 0, "{ignored}");
    assert_eq!(blocked, "SigBlk:\t0000000000000000\n");
    assert_eq!(printed(&engine, 2).await, "C.UTF-8\nSigBlk:\t0000000000000000\n");
    ep.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_test_leaves_in_the_place_of_its_results_holds_nobody_up() {
    let engine = Engine::start().await;
    let ep = Ep::start_with(&engine, |settings| {
        let runner = jackfield_config::ep::Runner {
            kind: jackfield_config::ep::RunnerKind::Command,
            command: vec!["/bin/sh".to_owned()],
            results: Some("out.xml".to_owned()),
            output: jackfield_config::ep::RunnerOutput::Text,
            classpath: Vec::new(),
        };
        settings.languages.runners.insert("junit.sh".into(), runner);
    })
    .await;
    for (test, script, expect) in [
        (1, "mkfifo out.xml", "`out.xml` is a named pipe, and no file"),
        (2, "ln -s /dev/zero out.xml", "`out.xml` is a device, and no file"),
        (3, "true", "it left no file of results: `out.xml` is not there, so nothing shows that a test ran"),
        (
            4,
            "echo '<testsuite><testcase name=\"a\"/>' > out.xml; kill -KILL $$",
            "it was ended by signal 9 (KILL)",
        ),
    ] {
        assign(&engine, order(&engine, test, "t.junit.sh", &format!("{script}\n")));
        let outcome = engine.ended(id(test)).await.end.outcome;
        assert_ne!(outcome.verdict, Verdict::Pass);
        assert!(outcome.reason.contains(expect), "{}", outcome.reason);
    }
    ep.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn tap_is_read_from_any_program_and_from_perl() {
    let engine = Engine::start().await;
    let ep = Ep::start(&engine).await;
    let mut program = order(
        &engine,
        1,
        "prints",
        "#!/bin/sh\necho 1..2\necho 'ok 1 - first'\necho noise >&2\necho 'not ok 2 - second'\necho '# no link'\nexit 1\n",
    );
    program.test.properties = BTreeMap::from([("runner".into(), "tap".into())]);
    assign(&engine, program);
    assign(&engine, order(&engine, 2, "a.pl", "use Test::More skip_all => 'no device';\n"));
    assign(
        &engine,
        order(&engine, 3, "b.pl", "use Test::More tests => 2; ok 1, 'up'; BAIL_OUT('the router is gone');\n"),
    );
    assign(&engine, order(&engine, 4, "c.pl", "print \"1..3\\n\"; exit 0;\n"));
    assign(&engine, order(&engine, 5, "d.t", "exit 0;\n"));
    let mut reasons = Vec::new();
    for test in 1..=5 {
        let ended = engine.ended(id(test)).await;
        let parts: Vec<String> =
            ended.end.parts.iter().map(|part| format!("{} {}", part.verdict, part.name)).collect();
        reasons.push(format!(
            "{} {} [{}]",
            ended.end.outcome.verdict,
            ended.end.outcome.reason,
            parts.join(", ")
        ));
    }
    insta::assert_snapshot!(reasons.join("\n"));
    ep.stop().await.unwrap();
}
