//! A store of each earlier build, with rows in it, is brought up to this one: its runs, jobs and EPs are there afterwards.
//!
//! The rows are written as those builds wrote them: the texts below are never changed, a new schema adds its own.

use jackfield_protocol::{
    event::RunState,
    id::{LeaseId, RunId},
    time::Time,
};
use jackfield_scheduler::effect::Row;

use super::{both::both, fixture::plan};
use crate::store::{self, Store, db::binds, job::Work, schema};

const RUN: RunId = RunId(7);

const OFFER: &str = r#"{"labels":{},"capabilities":["python"],"lanes":1,"pool":null}"#;
const HOST: &str = r#"{"name":"bench1","ip":"192.0.2.7","os":"Debian 12","python":"3.11"}"#;

/// Rows that every build wrote alike.
const ROWS: [&str; 9] = [
    "INSERT INTO run (id, project, owner, tests, temporary, is_open, state, submitted, started, seq) \
     VALUES (7, 'demo', 'ana', 1, 0, 1, 'running', 1000, 2000, 3)",
    "INSERT INTO attempt (run, test, attempt, state, ep, assigned, elapsed) VALUES (7, 0, 1, 1, 'EP-1', 2000, 0)",
    "INSERT INTO submission (owner, client_key, run) VALUES ('ana', 'ci-1', 7)",
    "INSERT INTO counter (name, value) VALUES ('run', 7), ('job', 3)",
    r#"INSERT INTO job (id, run, body, tries, due, error) VALUES
        (1, 6, '{"job":"run_hook","run":6,"hook":"post","path":"post.sh"}', 0, 10, ''),
        (2, 6, '{"job":"mail_run","run":6}', 4, 20, 'refused'),
        (3, 5, '{"job":"save_run","run":5}', 20, NULL, 'no such table')"#,
    "INSERT INTO saved (run, state, at) VALUES (4, 'done', 900)",
    "INSERT INTO account (name, password, in_groups, roles, is_disabled, created) VALUES ('ana', '', '[]', '[]', 0, 7)",
    "INSERT INTO session (hash, owner, created, expires) VALUES ('h', 'ana', 10, 1000)",
    r#"INSERT INTO sut (name, version, body) VALUES ('bench.system', 3, '{"password":"P"}')"#,
];

/// What there is from schema 12 on.
const GIVEN_AWAY: [&str; 2] = [
    r#"INSERT INTO share (id, hash, owner, report, given, created, expires)
        VALUES (1, 's', 'ana', 'Runs', '{"Run":"1"}', 10, 1000)"#,
    r#"INSERT INTO report_view (owner, name, body)
        VALUES ('ana', 'mine', '{"report":"Runs","query":{"sort":"-2"},"everybody":true}')"#,
];

#[tokio::test]
async fn a_store_of_each_earlier_build_is_brought_up_to_this_one() {
    for step in 1..schema::NEWEST {
        for fresh in both().await {
            let mut conn = fresh.store.write().await.unwrap();
            empty(&mut conn).await;
            schema::migrate_to(&mut conn, Time(1), step).await.unwrap();
            for sql in ROWS {
                conn.run(sql, vec![]).await.unwrap();
            }
            let body = zstd::bulk::compress(&serde_json::to_vec(&*plan("demo", 1)).unwrap(), 1).unwrap();
            conn.run("INSERT INTO plan (run, body) VALUES ($1, $2)", binds![RUN.0, body]).await.unwrap();
            let acked = if step < 3 { (", acked", ", 11") } else { ("", "") };
            let sql = format!(
                "INSERT INTO ep (name, epoch, offer, drained, host, software{}) VALUES ('EP-1', 9, '{OFFER}', 0, '{HOST}', 'jackfield'{})",
                acked.0, acked.1
            );
            conn.run(sqlx::AssertSqlSafe(sql), vec![]).await.unwrap();
            if step >= 4 {
                let sql =
                    "UPDATE job SET kind = CASE id WHEN 1 THEN 'hook' WHEN 2 THEN 'mail' ELSE 'save' END";
                conn.run(sql, vec![]).await.unwrap();
            }
            let sql = r#"INSERT INTO lease (id, what, run, since) VALUES
                (4, '{"lane":["EP-1",0]}', 7, 1500), (5, '{"sut":"bench.system"}', 7, 1500)"#;
            conn.run(sql, vec![]).await.unwrap();
            if step >= 8 {
                conn.run("UPDATE counter SET value = 5 WHERE name = 'lease'", vec![]).await.unwrap();
            }
            if step >= 12 {
                for sql in GIVEN_AWAY {
                    conn.run(sql, vec![]).await.unwrap();
                }
            }
            conn.commit().await.unwrap();
            let store = Store::open(&fresh.url, Time(5)).await.unwrap();
            check(&store).await;
            if step >= 12 {
                check_given_away(&store).await;
            }
        }
    }
}

/// Takes the tables of this build away again.
async fn empty(conn: &mut store::Conn) {
    let sql = if conn.is_postgres() {
        "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
    } else {
        "SELECT name FROM sqlite_master WHERE type = 'table'"
    };
    for line in conn.rows(sql, vec![]).await.unwrap() {
        let sql = format!("DROP TABLE {}", line.text(0).unwrap());
        conn.run(sqlx::AssertSqlSafe(sql), vec![]).await.unwrap();
    }
}

async fn check(store: &Store) {
    let mut conn = store.read().await.unwrap();
    let summary = store::run::summary(&mut conn, RUN).await.unwrap().unwrap();
    assert_eq!((summary.project.as_str(), summary.state, summary.tests), ("demo", RunState::Running, 1));
    let attempts = store::attempt::of_tests(&mut conn, RUN, 0..1).await.unwrap();
    assert_eq!(attempts[0].ep.as_ref().map(ToString::to_string).as_deref(), Some("EP-1"));
    let jobs = store::job::list(&mut conn, None, 9).await.unwrap();
    let told: Vec<_> = jobs.iter().map(|job| (job.id, job.work.kind().as_str(), job.tries)).collect();
    assert_eq!(told, [(3, "save", 20), (2, "mail", 4), (1, "hook", 0)]);
    for (kind, id) in [(store::job::Kind::Hook, 1), (store::job::Kind::Mail, 2)] {
        let due = store::job::due(&mut conn, kind, Time(100), 9).await.unwrap();
        assert_eq!(due.iter().map(|job| job.id).collect::<Vec<_>>(), [id], "{kind:?}");
    }
    assert_eq!(jobs[1].work, Work::MailRun { run: RunId(6), to: Vec::new() });
    assert!(store::saved::is_saved(&mut conn, RunId(4)).await.unwrap());
    let started = store::submission::find(&mut conn, &"ana".into(), "ci-1").await.unwrap();
    assert_eq!(started, Some(RUN));
    let seen = store::ep::seen(&mut conn).await.unwrap();
    assert_eq!(seen.get(&"EP-1".into()).unwrap().host.ip, "192.0.2.7");
    drop(conn);
    assert_eq!(store.plan(RUN).await.unwrap().unwrap().tests.len(), 1);
    assert_eq!(store.next_run(), RunId(8), "numbers go on");
    check_sealed(store).await;
    check_session(store).await;
    check_leases(store).await;
}

async fn check_leases(store: &Store) {
    let restored = store.load().await.unwrap();
    assert_eq!(restored.last_lease, LeaseId(5), "numbers of leases go on");
    let leases: Vec<String> = restored.rows.iter().filter_map(lease_told).collect();
    assert_eq!(leases, ["run 7: a lane of EP-1", "run 7: SUT bench.system"]);
}

fn lease_told(row: &Row) -> Option<String> {
    let Row::Lease(lease) = row else { return None };
    Some(format!("{}: {}", lease.holder, lease.what))
}

/// What held secrets in the open does so no more.
async fn check_sealed(store: &Store) {
    let is_sealed = |text: &str| text.starts_with("sealed:");
    let mut conn = store.read().await.unwrap();
    let suts = conn.rows("SELECT body FROM sut", vec![]).await.unwrap();
    assert!(suts.iter().all(|line| is_sealed(&line.text(0).unwrap())) && suts.len() == 1);
    assert_eq!(store::sut::list(&mut conn).await.unwrap()[0].body, serde_json::json!({"password": "P"}));
}

async fn check_given_away(store: &Store) {
    let mut conn = store.read().await.unwrap();
    let share = store::share::find(&mut conn, "s", Time(999)).await.unwrap().unwrap();
    assert_eq!((share.report.as_str(), share.given["Run"].as_str()), ("Runs", "1"));
    let views = store::report_view::list(&mut conn).await.unwrap();
    let shown = &views[0].shown;
    assert_eq!((shown.report.as_str(), shown.query["sort"].as_str(), shown.everybody), ("Runs", "-2", true));
}

async fn check_session(store: &Store) {
    let mut conn = store.read().await.unwrap();
    let session = store::session::find(&mut conn, "h", Time(999)).await.unwrap().unwrap();
    assert_eq!((session.owner.as_str(), session.used, session.idle_millis), ("ana", Time(10), None));
}
