use std::{net::SocketAddr, path::Path};

use jackfield_protocol::{event::RunState, id::RunId, log::Stream, plan::Save, time::Time};
use jackfield_reporting::excerpt::Logs as _;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _};

use super::*;
use crate::{
    lab_db::tests as lab_db,
    run::results::LogsOfEngine,
    settings::Settings,
    store::tests::{
        both::postgres_database,
        fixture::{attempts, begun, failed, passed, plan, run_row},
    },
};

mod inserts;
mod mails;
mod webhooks;

const RUN: RunId = RunId(1);

struct Lab {
    app: web::Data<App>,
    settings: Settings,
    folder: tempfile::TempDir,
}

/// An engine whose run 1 has ended, with these files in its lab folder.
async fn lab(save: Save, files: &[(&str, &str)]) -> Lab {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        std::fs::write(folder.path().join(name), text).unwrap();
    }
    let (lab, settings) = crate::open_lab(folder.path(), None).unwrap();
    std::fs::create_dir_all(&settings.data.folder).unwrap();
    let address = SocketAddr::from(([127, 0, 0, 1], 8000));
    let (app, _) = crate::assemble(lab, settings.clone(), address).await.unwrap();
    let mut plan = jackfield_protocol::plan::RunPlan::clone(&plan("demo", 2));
    plan.options.save = save;
    app.store.commit(begun(RUN, &plan.into(), RunState::Running)).await.unwrap();
    let mut batch = attempts([passed(RUN, 0), failed(RUN, 1)]);
    batch.rows.push(jackfield_scheduler::effect::Row::Run(run_row(RUN, RunState::Completed)));
    app.store.commit(batch).await.unwrap();
    Lab { app, settings, folder }
}

impl Lab {
    async fn attempt(&self, work: Work) -> Result<End> {
        let job = JobRow { id: 1, work, tries: 0, due: None, error: String::new() };
        super::attempt(&self.app, &job).await
    }

    /// Saves, and stores what came of it, as the worker does.
    async fn save(&self) {
        let mut conn = self.app.store.write().await.unwrap();
        store::job::enqueue(&mut conn, Time(0), &[Work::SaveRun { run: RUN }]).await.unwrap();
        conn.commit().await.unwrap();
        let jobs = store::job::of_run(&mut self.app.store.read().await.unwrap(), RUN).await.unwrap();
        let job = jobs.last().unwrap();
        let settlement = settle::decide(job, super::attempt(&self.app, job).await, clock::now());
        settle::store(&self.app, &settlement, clock::now()).await.unwrap();
        // What the loop may have lost the answer of comes again, and changes nothing.
        settle::store(&self.app, &settlement, clock::now()).await.unwrap();
    }

    /// Why the newest job is not done.
    async fn left(&self) -> String {
        let jobs = store::job::of_run(&mut self.app.store.read().await.unwrap(), RUN).await.unwrap();
        jobs.last().unwrap().error.clone()
    }

    fn outbox(&self, name: &str) -> String {
        std::fs::read_to_string(self.app.jobs.outbox.join(name)).unwrap()
    }
}

fn next(end: Result<End>) -> Vec<Work> {
    match end.unwrap() {
        End::Done { next, .. } => next,
        End::Saved => Vec::new(),
        End::Hopeless(error) | End::NotSaved(error) | End::Rest { error, .. } => panic!("{error:#}"),
    }
}

fn hopeless(end: Result<End>) -> String {
    match end.unwrap() {
        End::Done { .. } | End::Saved => panic!("it was done"),
        End::Hopeless(error) | End::NotSaved(error) | End::Rest { error, .. } => format!("{error:#}"),
    }
}

#[tokio::test]
async fn the_end_of_a_run_writes_reports_and_promises_the_rest() {
    let lab = lab(Save::Save, &[]).await;
    let attempt = failed(RUN, 1).attempt;
    lab.app.logs.write(attempt, Stream::Cli, 0, vec![b'x'; 100_000]).await.unwrap();
    let promised = next(lab.attempt(Work::FinishRun { run: RUN }).await);
    let mail = Work::MailRun { run: RUN, to: Vec::new() };
    assert_eq!(promised, [Work::WriteReports { run: RUN }, mail, Work::SaveRun { run: RUN }]);
    next(lab.attempt(Work::WriteReports { run: RUN }).await);
    assert!(lab.outbox("run-1-demo.junit.xml").contains("no route to 10.0.0.1"));
    assert!(lab.outbox("run-1-demo.report.html").contains("t1.py"));
    let left: Vec<_> = std::fs::read_dir(&lab.app.jobs.outbox).unwrap().collect();
    assert_eq!(left.len(), 2, "no unfinished files");
    let packed = lab.settings.data.folder.join("logs/1/0/1.1.cli.zst");
    assert!(packed.is_file());
    let results = results_of(&lab.app, RUN).await.unwrap();
    let mut result = results.tests[1].attempts[0].clone();
    result.end.as_mut().unwrap().log_bytes.insert(Stream::Cli, 100_002);
    let tail = LogsOfEngine(lab.app.logs.clone()).tail(&result, Stream::Cli, 10).unwrap();
    assert_eq!((tail.text.len(), tail.cut_bytes, tail.missing_bytes), (10, 99_990, 2));
    // Done again after a crash: the same.
    assert_eq!(next(lab.attempt(Work::FinishRun { run: RUN }).await), promised);
}

const EMAIL: &str = "<Root>\n<Enabled>ENABLED</Enabled>\n<SMTPPath>127.0.0.1:PORT</SMTPPath>\n<SMTPUser></SMTPUser>\n<SMTPPwd></SMTPPwd>\n\
    <From>lab@example.com</From>\n<To>ana@example.com, bob@example.com</To>\n<Subject>Run of $twister_user</Subject>\n<Message>All done</Message>\n</Root>\n";

#[tokio::test]
async fn mail_goes_into_the_outbox_where_it_is_not_enabled() {
    let email = EMAIL.replace("ENABLED", "0").replace("PORT", "25");
    let lab = lab(Save::NoSave, &[("email.xml", &email)]).await;
    next(lab.attempt(Work::MailRun { run: RUN, to: Vec::new() }).await);
    let mail = lab.outbox("run-1-demo.eml");
    for line in [
        "From: lab@example.com\r\n",
        "To: ana@example.com\r\n",
        "Cc: bob@example.com\r\n",
        "multipart/alternative",
    ] {
        assert!(mail.contains(line), "{line} is not in {mail}");
    }
}

#[tokio::test]
async fn a_lab_without_email_sends_none() {
    let lab = lab(Save::NoSave, &[]).await;
    assert!(next(lab.attempt(Work::MailRun { run: RUN, to: Vec::new() }).await).is_empty());
    assert!(!lab.app.jobs.outbox.join("run-1-demo.eml").is_file());
}

/// A mail server that takes one mail, and gives it back.
async fn mail_server(listener: tokio::net::TcpListener) -> String {
    let (stream, _) = listener.accept().await.unwrap();
    let (read, mut write) = stream.into_split();
    let mut lines = tokio::io::BufReader::new(read).lines();
    let (mut mail, mut in_data) = (String::new(), false);
    write.write_all(b"220 test\r\n").await.unwrap();
    while let Ok(Some(line)) = lines.next_line().await {
        let answer: &[u8] = match line.as_str() {
            "." if in_data => {
                in_data = false;
                b"250 taken\r\n"
            }
            _ if in_data => {
                mail.push_str(&line);
                mail.push('\n');
                continue;
            }
            "DATA" => {
                in_data = true;
                b"354 go on\r\n"
            }
            "QUIT" => b"221 bye\r\n",
            _ => {
                mail.push_str(&line);
                mail.push('\n');
                b"250 ok\r\n"
            }
        };
        write.write_all(answer).await.unwrap();
    }
    mail
}

#[tokio::test]
async fn mail_is_handed_to_the_server_of_the_lab() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let email = EMAIL.replace("ENABLED", "1").replace("PORT", &port.to_string());
    let lab = lab(Save::NoSave, &[("email.xml", &email)]).await;
    let server = tokio::spawn(mail_server(listener));
    next(lab.attempt(Work::MailRun { run: RUN, to: Vec::new() }).await);
    let mail = server.await.unwrap();
    for line in
        ["MAIL FROM:<lab@example.com>", "RCPT TO:<bob@example.com>", "Subject: Run of ana", "All done"]
    {
        assert!(mail.contains(line), "{line} is not in {mail}");
    }
    let gone = lab.attempt(Work::MailRun { run: RUN, to: Vec::new() }).await;
    assert!(gone.is_err_and(|error| format!("{error:#}").contains("did not take it")), "it is tried again");
}

const DB: &str = "<Root>\n<db_config><url>sqlite://results.db</url></db_config>\n\
    <insert_section>\n<field ID=\"next_id\" Type=\"DbSelect\" SQLQuery=\"SELECT COUNT(*) + 100 FROM results\" Level=\"Testcase\"/>\n\
    <sql_statement>INSERT INTO results (id, name, status, build, note) VALUES (@next_id@, '$twister_tc_name', '$twister_tc_status', '$build', 'it''s $twister_user')</sql_statement>\n\
    </insert_section>\n</Root>\n";

async fn rows(folder: &Path) -> String {
    let sql = "SELECT group_concat(id || ' ' || name || ' ' || status || ' ' || COALESCE(build, '-') || ' ' || note, '; ') FROM results";
    lab_db::text(folder, sql).await.unwrap_or_default()
}

const TABLE: &str =
    "CREATE TABLE results (id INTEGER PRIMARY KEY, name TEXT, status TEXT, build TEXT, note TEXT)";

async fn with_table(folder: &Path) {
    lab_db::execute(folder, TABLE).await;
}

#[tokio::test]
async fn results_go_into_the_labs_database_once() {
    let lab = lab(Save::Save, &[("db.xml", DB)]).await;
    with_table(lab.folder.path()).await;
    lab.save().await;
    let saved = rows(lab.folder.path()).await;
    assert_eq!(saved, "100 t0.py PASS - it's ana; 101 t1.py FAIL 7.2 it's ana");
    lab.save().await;
    assert_eq!(rows(lab.folder.path()).await, saved, "twice is once");
}

#[tokio::test]
async fn results_go_into_servers_as_well() {
    for url in [lab_db::mariadb::database().await, postgres_database().await].into_iter().flatten() {
        let address = lab_db::address(&url, Path::new("/"));
        let mut db = lab_db::Lab::open(&address).await;
        db.run(TABLE, None, "").await.unwrap();
        db.db.commit().await.unwrap();
        let lab = lab(Save::Save, &[("db.xml", &DB.replace("sqlite://results.db", &url))]).await;
        lab.save().await;
        let mut db = lab_db::Lab::open(&address).await;
        for (id, row) in [(100, "t0.py PASS it's ana"), (101, "t1.py FAIL it's ana")] {
            let sql = format!("SELECT CONCAT(name, ' ', status, ' ', note) FROM results WHERE id = {id}");
            assert_eq!(db.value(&sql).await.as_deref(), Some(row), "{address}");
        }
    }
}

#[tokio::test]
async fn a_statement_may_make_the_table_of_the_next() {
    let db = DB.replace("SELECT COUNT(*) + 100 FROM results", "SELECT 100").replace("@next_id@", "NULL");
    let made = format!(
        "<sql_statement>{}</sql_statement>\n<sql_statement>INSERT",
        TABLE.replace("TABLE", "TABLE IF NOT EXISTS")
    );
    let lab = lab(Save::Save, &[("db.xml", &db.replace("<sql_statement>INSERT", &made))]).await;
    lab.save().await;
    assert_eq!(rows(lab.folder.path()).await, "1 t0.py PASS - it's ana; 2 t1.py FAIL 7.2 it's ana");
}

#[tokio::test]
async fn a_wrong_db_xml_is_hopeless_and_says_where() {
    let wrong = DB.replace("$twister_tc_status", "$twister_tc_stauts");
    let lab = lab(Save::Save, &[("db.xml", &wrong)]).await;
    let said = hopeless(lab.attempt(Work::SaveRun { run: RUN }).await);
    assert!(said.contains("twister_tc_stauts"), "{said}");
}

#[tokio::test]
async fn the_worker_does_what_is_promised_and_keeps_what_it_cannot_do() {
    let lab = lab(Save::Save, &[("db.xml", "<Root>\n<broken")]).await;
    let worker = tokio::spawn(work(lab.app.clone()));
    let batch = store::Batch {
        now: clock::now(),
        jobs: vec![Work::FinishRun { run: RUN }],
        ..store::Batch::default()
    };
    lab.app.store.commit(batch).await.unwrap();
    let left = loop {
        let jobs = store::job::of_run(&mut lab.app.store.read().await.unwrap(), RUN).await.unwrap();
        if let [job] = &*jobs
            && job.due.is_none()
        {
            break job.clone();
        }
        tokio::task::yield_now().await;
    };
    assert_eq!((left.work, left.tries), (Work::SaveRun { run: RUN }, 1));
    assert!(left.error.contains("db.xml"), "{}", left.error);
    lab.app.stop.cancel();
    worker.await.unwrap();
    assert!(lab.outbox("run-1-demo.junit.xml").contains("testsuite"));
}

const RESOURCES: &str = r#"{"version": 0, "name": "/", "meta": {}, "children": {}}"#;

/// Every word that docs/reports.md promises, asked of the engine: no word means nothing for a test that ran on an EP.
#[tokio::test]
async fn every_promised_word_is_filled_by_the_engine() {
    use jackfield_reporting::variables::{EP_NAMES, RUN_NAMES, Style, TEST_NAMES, Variables};
    let lab = lab(
        Save::NoSave,
        &[("resources.json", RESOURCES), ("engine.toml", "[server]\nlocation = \"lab 2\"\n")],
    )
    .await;
    let source = b"# <title>Ping</title>\n# <description>All ports</description>\nprint('x')\n";
    let mut plan = jackfield_protocol::plan::RunPlan::clone(&plan("words", 1));
    let hash = lab.app.blobs.put(source).unwrap();
    plan.files.insert(std::sync::Arc::clone(&plan.tests[0].file), hash);
    plan.suites[0].sut = Some("bench.user".into());
    let run = RunId(2);
    let mut batch = begun(run, &plan.into(), RunState::Running);
    let mut ended = failed(run, 0);
    ended.end.as_mut().unwrap().elapsed_millis = 61_000;
    let ep = ended.ep.clone().unwrap();
    batch.rows.push(jackfield_scheduler::effect::Row::Attempt(Box::new(ended)));
    let offer = jackfield_scheduler::event::EpOffer::default();
    let epoch = jackfield_protocol::id::Epoch(1);
    let stranger = jackfield_protocol::id::EpName::from("EP-9");
    for ep in [ep.clone(), stranger.clone()] {
        let offer = offer.clone();
        let row = jackfield_scheduler::effect::EpRow {
            ep,
            epoch,
            offer,
            drained: false,
            drained_by: None,
            gone: None,
        };
        batch.rows.push(jackfield_scheduler::effect::Row::Ep(row));
    }
    let text = |text: &str| text.to_owned();
    let host = jackfield_protocol::link::Host {
        name: text("bench1"),
        ip: text("192.0.2.7"),
        os: text("Debian 12"),
        python: text("3.11"),
    };
    for ep in [ep.clone(), stranger] {
        let (host, software) = (host.clone(), text("jackfield"));
        batch.seen.push(store::ep::EpSeen { ep, at: Time(1), host, software });
    }
    lab.app.store.commit(batch).await.unwrap();
    let results = results_of(&lab.app, run).await.unwrap();
    assert_eq!(results.hosts.keys().collect::<Vec<_>>(), [&ep], "no EP that ran nothing of it");
    let row = results.rows().next().unwrap();
    let (logs, fields) = (LogsOfEngine(lab.app.logs.clone()), std::collections::BTreeMap::new());
    let words = Variables { results: &results, row, logs: &logs, fields: &fields, style: Style::default() };
    // Empty for this one, since it was not stopped and iterates nothing.
    let may_be_empty = ["jackfield_stopped", "twister_tc_iteration"];
    for name in RUN_NAMES.iter().chain(&EP_NAMES).chain(&TEST_NAMES) {
        let value = words.get(name);
        let filled = value.as_ref().is_some_and(|value| !value.is_empty());
        assert!(filled || may_be_empty.contains(name), "`{name}` is {value:?}");
    }
    assert_eq!(words.get("twister_tc_title").as_deref(), Some("Ping"));
    assert_eq!(words.get("twister_tc_description").as_deref(), Some("All ports"));
}
