//! Who is told by mail of their leases, and when; what cannot be seen in an hour of a story.

use jackfield_protocol::{calendar::Booked, lease::LeaseView};
use serde_json::{Value, json};

use super::lab::Lab;
use crate::{auth::Scope, jobs::remind, store};

const MINUTE: u64 = 60_000;

async fn lab() -> (Lab, String) {
    let lab = Lab::new().await;
    std::fs::write(lab.folder.path().join("email.xml"), "<Root><Enabled>false</Enabled></Root>").unwrap();
    let rules = "out_of_service = \"rack@lab.example\"\n[people]\nana = \"Ana <ana@lab.example>\"\n";
    std::fs::write(lab.folder.path().join("mail.toml"), rules).unwrap();
    let admin = lab.token(Scope::Admin).await;
    for (parent, name) in [("/", "tb1"), ("/tb1", "r1"), ("/tb1", "r2")] {
        let body = json!({"parent": parent, "name": name});
        lab.with(&admin, actix_web::http::Method::PUT, "/resources", Some(body)).await.expect(201);
    }
    (lab, admin)
}

/// The letters that are to be sent, oldest first: subject, text, and whether an event is beside them.
async fn letters(lab: &Lab) -> Vec<(String, String, bool)> {
    let jobs = store::job::list(&mut lab.app.store.read().await.unwrap(), None, 100).await.unwrap();
    let letter = |job: store::job::JobRow| {
        let store::job::Work::MailPerson { letter } = job.work else { panic!("another job") };
        let event = letter.calendar.is_some_and(|text| text.contains("BEGIN:VEVENT"));
        (letter.subject, letter.text, event)
    };
    jobs.into_iter().rev().map(letter).collect()
}

#[actix_web::test]
async fn a_holder_is_told_once_before_the_end_and_when_maintenance_comes() {
    let (lab, admin) = lab().await;
    let roles = ["VIEW_REPORTS", "LOCK_TESTBED"];
    let (ana, bob) = (lab.person("ana", &roles).await, lab.person("bob", &roles).await);
    let take = |path: &str| json!({"resources": [path], "for_millis": 120 * MINUTE, "reason": "bug 1234"});
    let hers: LeaseView = lab.post(&ana, "/leases", take("/tb1/r1")).await.expect(201).json();
    lab.post(&bob, "/leases", take("/tb1/r2")).await.expect(201);
    let mut known = None;
    let since = hers.since.unwrap();
    for (minutes, count) in [(0, 0), (104, 0), (106, 1), (107, 1), (119, 1)] {
        remind::look(&lab.app, &mut known, since.plus_millis(minutes * MINUTE)).await.unwrap();
        assert_eq!(letters(&lab).await.len(), count, "after {minutes} minutes");
    }
    let told = letters(&lab).await;
    let (subject, text, event) = told.first().unwrap();
    assert!(subject.starts_with("your lease of /tb1/r1 ends at 20") && *event, "{subject}");
    assert!(
        text.contains("jackfield lease extend 1 --for 1h") && text.contains("reason: bug 1234"),
        "{text}"
    );
    // Bob has no address in the file, and Ana's other lease is not his business.
    let close = json!({"resources": ["/tb1"], "begin": since.plus_millis(60 * MINUTE), "for_millis": 60 * MINUTE,
        "maintenance": true, "reason": "new PSU"});
    let made: Booked = lab.post(&admin, "/calendar", close).await.expect(201).json();
    assert_eq!(made.drains.len(), 2);
    let told = letters(&lab).await;
    let (subject, text, _) = told.get(1).unwrap();
    assert!(subject.starts_with("maintenance ends your lease of /tb1/r1 at 20"), "{subject}");
    assert!(text.contains("the lab (by admin) has booked /tb1 from") && text.contains("(new PSU)"), "{text}");
    assert_eq!(told.len(), 2);
}

#[actix_web::test]
async fn who_looks_after_the_lab_is_told_of_what_it_took_out_of_service() {
    let (lab, admin) = lab().await;
    let mut known = None;
    let now = crate::clock::now();
    remind::look(&lab.app, &mut known, now).await.unwrap();
    // What a person says, that person knows.
    let out = json!({"resource": "/tb1/r1", "health": "out_of_service", "reason": "the display is dead"});
    lab.with(&admin, actix_web::http::Method::PUT, "/resources/health", Some(out)).await;
    remind::look(&lab.app, &mut known, now).await.unwrap();
    assert_eq!(letters(&lab).await.len(), 0);
    let all: Value = lab.get(&admin, "/resources/health").await.expect(200).json();
    assert_eq!(all["items"].as_array().unwrap().len(), 1, "{all}");
}
