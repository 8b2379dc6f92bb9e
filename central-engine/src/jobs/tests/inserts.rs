//! Inserts that do not go as they should: each row is there once in the end, or it is said which is not.

use super::*;
use crate::store::saved::{Progress, Saved, progress::Tally};

/// Two statements, of which the second needs a table that is not there.
const TWO: &str = "<root>\n<db_config><url>URL</url>MORE</db_config>\n<insert_section>\n\
    <field ID=\"Run\" Type=\"DbSelect\" Level=\"Project\" SQLQuery=\"SELECT COALESCE(MAX(run), 0) + 1 FROM results\"/>\n\
    <sql_statement>INSERT INTO results (run, name) VALUES (@Run@, '$twister_tc_name')</sql_statement>\n\
    <sql_statement>INSERT INTO notes (run, name) VALUES (@Run@, '$twister_tc_name')</sql_statement>\n\
    </insert_section>\n</root>\n";

const RESULTS: &str = "CREATE TABLE results (run INTEGER, name VARCHAR(99))";
const NOTES: &str = "CREATE TABLE notes (run INTEGER, name VARCHAR(99))";

fn db_xml(url: &str, more: &str) -> String {
    TWO.replace("URL", &url.replace('&', "&amp;")).replace("MORE", more)
}

/// A lab whose database is empty but for these tables, for each kind of database.
async fn labs(more: &str, tables: &[&str]) -> Vec<(Lab, lab_db::Client)> {
    let mut labs = Vec::new();
    for url in lab_db::urls().await {
        let lab = lab(Save::Save, &[("db.xml", &db_xml(&url, more))]).await;
        let client = lab_db::Client::new(&url, lab.folder.path());
        for table in tables {
            client.run(table).await;
        }
        labs.push((lab, client));
    }
    labs
}

impl Lab {
    async fn state(&self) -> Option<Saved> {
        store::saved::state(&mut self.app.store.read().await.unwrap(), RUN).await.unwrap()
    }

    async fn tally(&self) -> Tally {
        let parts = store::saved::parts(&mut self.app.store.read().await.unwrap(), RUN).await.unwrap();
        parts.get(&1).unwrap().tally()
    }

    /// As if the engine had died in the middle of the inserts.
    async fn broke_off(&self, progress: &Progress) {
        let mut conn = self.app.store.write().await.unwrap();
        store::saved::begin(&mut conn, RUN, Time(1)).await.unwrap();
        store::saved::put_part(&mut conn, RUN, 1, progress).await.unwrap();
        conn.commit().await.unwrap();
    }
}

const BOTH: &str = "1 t0.py, 1 t1.py";

async fn kept(client: &lab_db::Client, table: &str) -> String {
    let rows = client.rows(&format!("SELECT run, name FROM {table} ORDER BY name")).await;
    rows.iter().map(|row| row.join(" ")).collect::<Vec<_>>().join(", ")
}

#[tokio::test]
async fn one_bad_statement_stops_no_other_and_is_named() {
    for (lab, client) in labs("", &[RESULTS]).await {
        lab.save().await;
        assert_eq!(kept(&client, "results").await, BOTH, "{client}");
        let said = lab.left().await;
        assert!(
            said.starts_with("db.xml: statement 2, for test t0.py and 1 more: the database refused: "),
            "{said}"
        );
        assert_eq!(lab.tally().await, Tally { kept: 2, refused: 2, unknown: 0 });
        lab.save().await;
        assert_eq!(kept(&client, "results").await, BOTH, "{client}: what is there is not inserted again");
        client.run(NOTES).await;
        lab.save().await;
        assert_eq!(kept(&client, "results").await, BOTH, "{client}");
        assert_eq!(kept(&client, "notes").await, BOTH, "{client}: with the value of the first go");
        assert_eq!(lab.state().await, Some(Saved::Done));
    }
}

#[tokio::test]
async fn a_run_that_is_one_transaction_is_there_as_a_whole_or_not_at_all() {
    for (lab, client) in labs("<commit>run</commit>", &[RESULTS]).await {
        lab.save().await;
        let said = lab.left().await;
        assert!(
            said.contains("statement 2, for test t0.py") && said.contains("nothing of the run"),
            "{said}"
        );
        assert_eq!(kept(&client, "results").await, "", "{client}");
        client.run(NOTES).await;
        lab.save().await;
        assert_eq!(
            (kept(&client, "results").await, kept(&client, "notes").await),
            (BOTH.into(), BOTH.into())
        );
        assert_eq!(lab.state().await, Some(Saved::Done));
    }
}

/// Of t0 both statements were kept, of t1 none; the engine died before it could note either.
fn all_open() -> Progress {
    let mut progress = Progress::default();
    for (test, statement) in [(0, 1), (0, 2), (1, 1), (1, 2)] {
        progress.open(test, statement);
    }
    progress.of_run.insert("Run".to_owned(), Some("1".to_owned()));
    progress
}

#[tokio::test]
async fn a_marker_tells_what_was_kept_when_the_engine_died() {
    for (lab, client) in labs("<marker>jackfield_saved</marker>", &[RESULTS, NOTES]).await {
        let word = save::word(&lab.app).await.unwrap();
        client.run(&crate::lab_db::marker::Marker::definition("jackfield_saved", false)).await;
        for statement in [1, 2] {
            client.run(&format!("INSERT INTO jackfield_saved VALUES ('{word}', 1, 1, 0, {statement})")).await;
        }
        client.run("INSERT INTO results VALUES (1, 't0.py')").await;
        client.run("INSERT INTO notes VALUES (1, 't0.py')").await;
        lab.broke_off(&all_open()).await;
        lab.save().await;
        assert_eq!(
            (kept(&client, "results").await, kept(&client, "notes").await),
            (BOTH.into(), BOTH.into()),
            "{client}"
        );
        assert_eq!(lab.state().await, Some(Saved::Done));
        let marks = client.rows("SELECT test, statement FROM jackfield_saved ORDER BY test, statement").await;
        assert_eq!(marks.len(), 4, "{client}");
    }
}

#[tokio::test]
async fn marks_of_another_engine_say_nothing() {
    for (lab, client) in labs("<marker>jackfield_saved</marker>", &[RESULTS, NOTES]).await {
        client.run(&crate::lab_db::marker::Marker::definition("jackfield_saved", false)).await;
        client.run("INSERT INTO jackfield_saved VALUES ('another', 1, 1, 0, 1)").await;
        lab.broke_off(&all_open()).await;
        lab.save().await;
        assert_eq!(kept(&client, "results").await, BOTH, "{client}: {}", lab.left().await);
    }
}

#[tokio::test]
async fn without_a_marker_what_nobody_can_know_is_left_to_a_person_and_the_rest_goes_on() {
    for (lab, client) in labs("", &[RESULTS, NOTES]).await {
        let mut progress = Progress::default();
        progress.open(0, 1);
        progress.of_run.insert("Run".to_owned(), Some("7".to_owned()));
        lab.broke_off(&progress).await;
        lab.save().await;
        let said = lab.left().await;
        assert!(
            said.contains("not known whether the database has the rows of 1 tests of run 1, t0.py"),
            "{said}"
        );
        assert_eq!(kept(&client, "results").await, "7 t1.py", "{client}");
        assert_eq!(kept(&client, "notes").await, "7 t0.py, 7 t1.py", "{client}");
        assert_eq!(lab.tally().await, Tally { kept: 3, refused: 0, unknown: 1 });
    }
}

#[tokio::test]
async fn an_insert_of_an_earlier_build_that_broke_off_is_left_to_a_person() {
    let lab = lab(Save::Save, &[("db.xml", DB)]).await;
    with_table(lab.folder.path()).await;
    let mut conn = lab.app.store.write().await.unwrap();
    store::saved::begin(&mut conn, RUN, Time(1)).await.unwrap();
    conn.commit().await.unwrap();
    assert!(hopeless(lab.attempt(Work::SaveRun { run: RUN }).await).contains("it is not known"));
    assert_eq!(rows(lab.folder.path()).await, "");
    assert_eq!(lab.state().await, Some(Saved::Begun));
}

#[tokio::test]
async fn each_database_of_a_file_gets_its_own_inserts() {
    let section = |url: &str, table: &str| {
        format!(
            "<server_section><db_config><url>{url}</url></db_config><insert_section><sql_statement>INSERT INTO {table} \
             VALUES (1, '$twister_tc_name')</sql_statement></insert_section></server_section>"
        )
    };
    let file =
        format!("<root>{}{}</root>", section("sqlite:a.db", "results"), section("sqlite:b.db", "notes"));
    let lab = lab(Save::Save, &[("db.xml", &file)]).await;
    let clients = ["sqlite:a.db", "sqlite:b.db"].map(|url| lab_db::Client::new(url, lab.folder.path()));
    clients[0].run(RESULTS).await;
    lab.save().await;
    assert!(lab.left().await.contains("statement 1"), "{}", lab.left().await);
    assert_eq!(kept(&clients[0], "results").await, BOTH, "the second does not stop the first");
    clients[1].run(NOTES).await;
    lab.save().await;
    assert_eq!(
        (kept(&clients[0], "results").await, kept(&clients[1], "notes").await),
        (BOTH.into(), BOTH.into())
    );
}

#[tokio::test]
async fn shared_databases_take_the_place_of_the_labs_own() {
    let own = db_xml("sqlite:own.db", "<use_shared_db>yes</use_shared_db>");
    let shared = db_xml("sqlite:shared.db", "");
    let lab = lab(Save::Save, &[("db.xml", &own), ("shared_db.xml", &shared)]).await;
    let client = lab_db::Client::new("sqlite:shared.db", lab.folder.path());
    client.run(RESULTS).await;
    client.run(NOTES).await;
    lab.save().await;
    assert_eq!(kept(&client, "results").await, BOTH);
    assert!(!lab.folder.path().join("own.db").try_exists().unwrap());
}

#[tokio::test]
async fn a_database_that_is_away_is_tried_again_and_nothing_is_there_twice() {
    let lab = lab(Save::Save, &[("db.xml", &db_xml("mysql://root@127.0.0.1:1/lab", ""))]).await;
    lab.save().await;
    assert!(lab.left().await.contains("cannot be reached"), "{}", lab.left().await);
    std::fs::write(lab.folder.path().join("db.xml"), db_xml("sqlite:results.db", "")).unwrap();
    let client = lab_db::Client::new("sqlite:results.db", lab.folder.path());
    client.run(RESULTS).await;
    client.run(NOTES).await;
    lab.save().await;
    assert_eq!(kept(&client, "results").await, BOTH);
}

#[tokio::test]
async fn tables_that_take_nothing_back_keep_each_statement_by_itself() {
    let Some(url) = lab_db::mariadb::database().await else { return };
    let lab = lab(Save::Save, &[("db.xml", &db_xml(&url, ""))]).await;
    let client = lab_db::Client::new(&url, lab.folder.path());
    client.run(&format!("{RESULTS} ENGINE=MyISAM")).await;
    lab.save().await;
    assert_eq!(kept(&client, "results").await, BOTH);
    assert_eq!(lab.tally().await, Tally { kept: 2, refused: 2, unknown: 0 }, "{}", lab.left().await);
    client.run(NOTES).await;
    lab.save().await;
    assert_eq!((kept(&client, "results").await, kept(&client, "notes").await), (BOTH.into(), BOTH.into()));
}
