//! Links that open one report, and nothing else, without an account; and views of reports that people keep.

use actix_web::{http::Method, test::TestRequest};
use jackfield_protocol::error::ErrorCode;
use serde_json::{Value, json};

use super::lab::{Got, Lab};
use crate::{
    auth::{self, Scope},
    clock, lab_db, store,
};

const DB: &str = "<root><db_config><url>sqlite:results.db</url></db_config><reports_section>
<field ID=\"Run\" Label=\"Build\" Type=\"UserText\"/>
<report ID=\"Of run\" Type=\"BarChart\" SQLQuery=\"SELECT name, seconds FROM results WHERE run = CAST('@Run@' AS INTEGER) ORDER BY name\"/>
<report ID=\"All\" Type=\"Table\" SQLQuery=\"SELECT * FROM results\"/>
<report ID=\"Wrong\" Type=\"Table\" SQLQuery=\"SELECT * FROM salaries\"/>
</reports_section></root>";

async fn lab() -> Lab {
    let lab = Lab::new().await;
    std::fs::write(lab.folder.path().join("db.xml"), DB).unwrap();
    let folder = lab.folder.path();
    lab_db::tests::execute(folder, "CREATE TABLE results (run INTEGER, name TEXT, seconds INTEGER)").await;
    let rows = "INSERT INTO results VALUES (1, 'a', 3), (1, 'b', 4), (2, 'secret', 5)";
    lab_db::tests::execute(folder, rows).await;
    lab
}

async fn open(lab: &Lab, path: &str) -> Got {
    lab.send(TestRequest::get().uri(&format!("/api/v1/shared/{path}"))).await
}

async fn made(lab: &Lab, token: &str, body: Value) -> (u64, String) {
    let made: Value = lab.post(token, "/shares", body).await.expect(201).json();
    (made["id"].as_u64().unwrap(), made["link"].as_str().unwrap().to_owned())
}

#[actix_web::test]
async fn a_link_opens_one_report_with_its_values_and_nothing_else() {
    let lab = lab().await;
    let token = lab.token(Scope::Admin).await;
    let (id, link) = made(&lab, &token, json!({"report": "Of run", "values": {"Run": "1"}})).await;
    let shown: Value = open(&lab, &link).await.expect(200).json();
    assert_eq!(
        (&shown["report"], &shown["kind"], &shown["values"], &shown["owner"]),
        (&json!("Of run"), &json!("bar"), &json!([{"label": "Build", "value": "1"}]), &json!("admin"))
    );
    let rows: Value = open(&lab, &format!("{link}/rows?sort=-1")).await.expect(200).json();
    assert_eq!(rows["rows"], json!([["b", 4], ["a", 3]]));
    let count: Value = open(&lab, &format!("{link}/count")).await.expect(200).json();
    assert_eq!(count["rows"], 2);
    let chart: Value = open(&lab, &format!("{link}/chart")).await.expect(200).json();
    assert_eq!(chart["chart"]["labels"], json!(["a", "b"]));
    assert!(open(&lab, &format!("{link}/chart.svg")).await.expect(200).text().starts_with("<svg"));
    let csv = open(&lab, &format!("{link}/export/csv")).await.expect(200).text();
    assert_eq!(csv, "name,seconds\r\na,3\r\nb,4\r\n");
    // Neither other values, nor anything that needs an account.
    let other = open(&lab, &format!("{link}/rows?field.Run=2")).await.expect(400);
    assert_eq!(other.problem(), ErrorCode::BadRequest);
    for path in ["/reports", "/reports/All/rows", "/runs", "/me", "/shares"] {
        lab.get(&link, path).await.expect(401);
    }
    let listed = lab.get(&token, "/shares").await.expect(200);
    assert!(!listed.text().contains(&link), "a secret is shown once");
    assert_eq!(listed.json::<Value>()["items"][0]["report"], "Of run");
    lab.with(&token, Method::DELETE, &format!("/shares/{id}"), None).await.expect(204);
    for part in ["", "/rows", "/count", "/chart", "/chart.svg", "/export/csv"] {
        assert_eq!(open(&lab, &format!("{link}{part}")).await.expect(404).problem(), ErrorCode::NotFound);
    }
}

#[actix_web::test]
async fn a_link_ends_with_its_time_and_with_the_rights_of_who_made_it() {
    let lab = lab().await;
    let ana = lab.person("ana", &["VIEW_REPORTS"]).await;
    let (_, link) = made(&lab, &ana, json!({"report": "All", "days": 2})).await;
    open(&lab, &format!("{link}/rows")).await.expect(200);
    let hash = auth::token_hash(&link);
    let at = async |millis: u64| {
        let mut conn = lab.app.store.read().await.unwrap();
        store::share::find(&mut conn, &hash, clock::now().plus_millis(millis)).await.unwrap().is_some()
    };
    assert!(at(47 * 3_600_000).await);
    assert!(!at(49 * 3_600_000).await);
    lab.person("ana", &["RUN_TESTS"]).await;
    open(&lab, &format!("{link}/rows")).await.expect(404);
    lab.person("ana", &["VIEW_REPORTS"]).await;
    open(&lab, &format!("{link}/rows")).await.expect(200);
    let mut conn = lab.app.store.write().await.unwrap();
    store::account::delete(&mut conn, &"ana".into()).await.unwrap();
    conn.commit().await.unwrap();
    lab.person("ana", &["VIEW_REPORTS"]).await;
    open(&lab, &link).await.expect(404);
}

#[actix_web::test]
async fn links_are_made_of_what_can_be_opened_by_whoever_may_give_it_away() {
    let lab = lab().await;
    let ana = lab.person("ana", &["VIEW_REPORTS"]).await;
    let refused =
        async |token: &str, body: Value, status| lab.post(token, "/shares", body).await.expect(status).text();
    let missing = refused(&ana, json!({"report": "Of run"}), 422).await;
    assert!(missing.contains("needs a value for `Run`"), "{missing}");
    let unknown = refused(&ana, json!({"report": "Of rum"}), 404).await;
    assert!(unknown.contains("do you mean `Of run`?"), "{unknown}");
    for days in [0, 366] {
        let told = refused(&ana, json!({"report": "All", "days": days}), 400).await;
        assert!(told.contains("after 1 to 365 days"), "{told}");
    }
    let long = refused(&ana, json!({"report": "Of run", "values": {"Run": "1".repeat(9_000)}}), 400).await;
    assert!(long.contains("may have 8 KB"), "{long}");
    let read = lab.token(Scope::Read).await;
    let told = refused(&read, json!({"report": "All"}), 403).await;
    assert!(told.contains("of the scope `admin`"), "{told}");
    // What is another's is not there, but for who may change users.
    let (id, link) = made(&lab, &ana, json!({"report": "Wrong"})).await;
    let bob = lab.person("bob", &["VIEW_REPORTS"]).await;
    let none: Value = lab.get(&bob, "/shares").await.expect(200).json();
    assert_eq!(none["items"], json!([]));
    lab.with(&bob, Method::DELETE, &format!("/shares/{id}"), None).await.expect(404);
    // What the database says of its tables is not for strangers.
    let told = open(&lab, &format!("{link}/rows")).await.expect(422).text();
    assert!(told.contains("does not give this report now") && !told.contains("salaries"), "{told}");
    let chief = lab.person("chief", &["CHANGE_USERS"]).await;
    lab.with(&chief, Method::DELETE, &format!("/shares/{id}"), None).await.expect(204);
    open(&lab, &link).await.expect(404);
}

#[actix_web::test]
async fn a_view_is_kept_under_its_name_for_oneself_or_for_everybody() {
    let lab = lab().await;
    let ana = lab.person("ana", &["VIEW_REPORTS"]).await;
    let bob = lab.person("bob", &["VIEW_REPORTS"]).await;
    let put = async |token: &str, name: &str, body: Value| {
        lab.with(token, Method::PUT, &format!("/report-views/{name}"), Some(body)).await
    };
    let listed = async |token: &str| {
        let page: Value = lab.get(token, "/report-views").await.expect(200).json();
        let items = page["items"].as_array().unwrap().clone();
        items
            .iter()
            .map(|view| format!("{} {} {}", view["owner"], view["name"], view["query"]))
            .collect::<Vec<_>>()
    };
    put(&ana, "slow%20ones", json!({"report": "All", "query": {"sort": "-3"}})).await.expect(204);
    put(&ana, "slow%20ones", json!({"report": "All", "query": {"sort": "-2"}})).await.expect(204);
    put(&ana, "run%201", json!({"report": "Of run", "query": {"f.Run": "1"}, "everybody": true}))
        .await
        .expect(204);
    assert_eq!(
        listed(&ana).await,
        ["\"ana\" \"run 1\" {\"f.Run\":\"1\"}", "\"ana\" \"slow ones\" {\"sort\":\"-2\"}"]
    );
    assert_eq!(listed(&bob).await, ["\"ana\" \"run 1\" {\"f.Run\":\"1\"}"]);
    lab.with(&bob, Method::DELETE, "/report-views/run%201", None).await.expect(404);
    lab.with(&ana, Method::DELETE, "/report-views/run%201", None).await.expect(204);
    assert_eq!(listed(&bob).await, [""; 0]);
    put(&ana, "%20wide%20", json!({"report": "All"})).await.expect(204);
    lab.with(&ana, Method::DELETE, "/report-views/%20wide%20", None).await.expect(204);
    put(&ana, "%20", json!({"report": "All"})).await.expect(400);
    put(&ana, "x", json!({"report": "All", "query": {"text": "x".repeat(9_000)}})).await.expect(400);
    let read = lab.token(Scope::Read).await;
    put(&read, "x", json!({"report": "All"})).await.expect(403);
}

#[actix_web::test]
async fn the_databases_are_tried_from_the_page() {
    let lab = lab().await;
    let token = lab.token(Scope::Admin).await;
    let tried: Value = lab.post(&token, "/lab-databases/check", json!({})).await.expect(200).json();
    let [file] = tried.as_array().unwrap().as_slice() else { panic!("{tried}") };
    assert_eq!(file["tried"], 3);
    let problems = file["problems"].as_array().unwrap();
    assert!(
        problems
            .iter()
            .any(|problem| problem["line"] == 5 && problem["message"].to_string().contains("salaries")),
        "{file}"
    );
    std::fs::write(lab.folder.path().join("db.xml"), "<root>").unwrap();
    let broken: Value = lab.post(&token, "/lab-databases/check", json!({})).await.expect(200).json();
    assert_eq!(
        (&broken[0]["database"], broken[0]["problems"][0]["severity"].as_str()),
        (&Value::Null, Some("error"))
    );
}
