//! What `db check` finds beside what the database refuses: queries that are none, charts with nothing to draw, fields that ask for themselves;
//! and what of a statement we refuse ourselves.

use super::*;

#[tokio::test]
async fn a_report_that_gives_too_little_is_found() {
    let folder = tempfile::tempdir().unwrap();
    for (kind, url) in kinds().await {
        Client::new(&url, folder.path()).run("CREATE TABLE results (name TEXT, n INTEGER)").await;
        let told = async |report: &str| {
            let text = format!(
                "<root><db_config><url>{}</url></db_config><reports_section>\n<field ID=\"Run\" Type=\"UserText\"/>\n{report}\n</reports_section></root>",
                url.replace('&', "&amp;")
            );
            let checked = check::check(&Arc::new(Source::new("db.xml", text)), folder.path()).await;
            let each = checked.problems.iter().map(|one| format!("{:?} {}", one.severity, one.message));
            each.collect::<Vec<_>>().join("; ")
        };
        for (report, wanted) in [
            (
                "<report ID=\"R\" Type=\"LineChart\" SQLQuery=\"SELECT name FROM results\"/>",
                "Error the query of report `R`: a chart needs two columns",
            ),
            ("<report ID=\"R\" Type=\"LineChart\" SQLQuery=\"SELECT name, n FROM results\"/>", ""),
            ("<report ID=\"R\" Type=\"Table\" SQLQuery=\"SELECT name FROM results\"/>", ""),
            (
                "<report ID=\"R\" Type=\"Table\" SQLQuery=\"DELETE FROM results\"/>",
                "Error the query of report `R`: this is no query: it gives no columns",
            ),
            (
                "<report ID=\"R\" Type=\"BarChart\" SQLQuery=\"SELECT name, n FROM results\" SQLTotal=\"SELECT n FROM results\"/>",
                "Error SQLTotal of report `R`: a chart needs two columns",
            ),
            (
                "<report ID=\"R\" Type=\"Table\" SQLQuery=\"SELECT name /* of @Build@ */ FROM results WHERE name = '@Run@'\"/>",
                "Warning report `R` asks for `@Build@`, which is no field",
            ),
            ("<redirect ID=\"Wiki\"/>", "Error <redirect> without `Path`"),
        ] {
            assert_eq!(told(report).await, wanted, "{kind}: {report}");
        }
    }
}

#[tokio::test]
async fn fields_that_ask_for_themselves_are_found() {
    let told = |fields: &str| {
        let text = format!(
            "<root><db_config><url>sqlite:r.db</url></db_config><reports_section>{fields}</reports_section></root>"
        );
        let read = jackfield_config::db::DbFile::read(&Arc::new(Source::new("db.xml", text)));
        read.problems.iter().map(|one| one.message.clone()).collect::<Vec<_>>().join("; ")
    };
    let field = |id: &str, of: &str| {
        format!(
            "<field ID=\"{id}\" Type=\"UserSelect\" SQLQuery=\"SELECT name FROM results WHERE a = '{of}'\"/>"
        )
    };
    assert_eq!(told(&(field("A", "@B@") + &field("B", "@C@") + &field("C", "x"))), "");
    let round = "the choices of field `A` are asked with its own value";
    assert_eq!(told(&(field("A", "@B@") + &field("B", "@C@") + &field("C", "@A@"))), round);
    assert_eq!(told(&field("A", "@A@")), round);
    let behind = field("X", "@A@") + &field("A", "@B@") + &field("B", "@A@");
    assert_eq!(told(&behind), round, "X is asked with A, and is not in the circle");
}

#[tokio::test]
async fn an_insert_opens_no_other_file() {
    let folder = tempfile::tempdir().unwrap();
    execute(folder.path(), "CREATE TABLE results (name TEXT)").await;
    let mut lab = Lab::open(&address("sqlite:results.db", folder.path())).await;
    for sql in ["ATTACH 'other.db' AS other", "/* of last year */ ATTACH 'other.db' AS other"] {
        let refused = lab.run(sql, None, "").await.unwrap_err().to_string();
        assert!(refused.contains("opens no other file"), "{refused}");
    }
    lab.run("INSERT INTO results VALUES ($x)", Some("attach"), "").await.unwrap();
}

#[test]
fn an_address_of_version_six_is_reached_and_shown() {
    for (url, shown) in [
        ("mysql://lab@[2001:db8::1]:3307/d", "MySQL lab@[2001:db8::1]:3307/d"),
        ("postgres://lab@[::1]/d", "PostgreSQL lab@[::1]:5432/d"),
        ("postgres://lab@db1/d?host=/run/pg", "PostgreSQL lab@/run/pg/d"),
        ("mysql://lab@localhost/d?socket=/run/m", "MySQL lab@/run/m/d"),
    ] {
        assert_eq!(address(url, Path::new("/")).to_string(), shown);
    }
    let Address::MySql(options) = address("mysql://lab@[::1]/d", Path::new("/")) else {
        panic!("it is MySQL")
    };
    assert_eq!(options.get_host(), "::1", "brackets are the address's, not the machine's");
}
