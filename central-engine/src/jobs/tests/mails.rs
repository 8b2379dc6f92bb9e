//! Who gets the mail of a run, and what it says first.

use super::*;
use crate::store::tests::fixture::{attempts, begun, failed, passed, plan, run_row};

const RULES: &str = "[[rule]]\nto = [\"ana@lab\"]\nwhen = \"failure\"\nprojects = [\"de*\"]\n\
    [[rule]]\nto = [\"Ana <ANA@lab>\", \"boss@lab\"]\n[[rule]]\nto = [\"night@lab\"]\nprojects = [\"night*\"]\n\
    [[rule]]\nto = [\"keeper@lab\"]\ncauses = [\"lab\"]\n[[rule]]\nto = [\"curious@lab\"]\nwhen = \"change\"\n";

fn email() -> String {
    EMAIL.replace("ENABLED", "false").replace("PORT", "25")
}

async fn people(lab: &Lab, run: u64) -> Vec<String> {
    let mail = mail::preview(&lab.app, RunId(run)).await.unwrap();
    mail.iter().flat_map(|mail| [&mail.to].into_iter().chain(&mail.cc)).map(ToString::to_string).collect()
}

#[tokio::test]
async fn rules_say_who_gets_the_mail_of_which_run() {
    let lab = lab(Save::NoSave, &[("email.xml", &email()), ("mail.toml", RULES)]).await;
    assert_eq!(
        people(&lab, 1).await,
        ["ana@lab", "boss@lab", "curious@lab"],
        "of a first run all that failed is new"
    );
    std::fs::write(
        lab.folder.path().join("mail.toml"),
        "[[rule]]\nto = [\"x@lab\"]\nprojects = [\"other\"]\n",
    )
    .unwrap();
    assert_eq!(people(&lab, 1).await, [""; 0]);
    next(lab.attempt(Work::MailRun { run: RUN, to: Vec::new() }).await);
    assert!(!lab.app.jobs.outbox.join("run-1-demo.eml").try_exists().unwrap(), "nobody is nobody");
    std::fs::write(lab.folder.path().join("mail.toml"), "[[rule]]\nto = [\"x\"]\n").unwrap();
    let wrong = mail::preview(&lab.app, RUN).await.unwrap_err().to_string();
    assert!(wrong.contains("mail.toml") && wrong.contains("`x` is not an address"), "{wrong}");
}

#[tokio::test]
async fn a_mail_says_what_changed_since_the_last_run() {
    let lab = lab(Save::NoSave, &[("email.xml", &email()), ("mail.toml", RULES)]).await;
    let add = async |run: u64, ends: [jackfield_scheduler::effect::AttemptRow; 2]| {
        let run = RunId(run);
        lab.app.store.commit(begun(run, &plan("demo", 2), RunState::Running)).await.unwrap();
        let mut batch = attempts(ends);
        batch.rows.push(jackfield_scheduler::effect::Row::Run(run_row(run, RunState::Completed)));
        lab.app.store.commit(batch).await.unwrap();
    };
    add(2, [passed(RunId(2), 0), failed(RunId(2), 1)]).await;
    assert_eq!(people(&lab, 2).await, ["ana@lab", "boss@lab"], "nothing changed");
    let text = mail::preview(&lab.app, RunId(2)).await.unwrap().unwrap().text;
    assert!(text.contains("Since run 1: 1 still broken.") && text.contains("(since run 1)"), "{text}");
    add(3, [failed(RunId(3), 0), passed(RunId(3), 1)]).await;
    assert_eq!(people(&lab, 3).await, ["ana@lab", "boss@lab", "curious@lab"]);
    let text = mail::preview(&lab.app, RunId(3)).await.unwrap().unwrap().text;
    assert!(text.contains("Since run 2: 1 newly broken, 1 mended."), "{text}");
}

#[tokio::test]
async fn runs_of_other_peoples_projects_of_one_name_are_not_compared() {
    let lab = lab(Save::NoSave, &[("email.xml", &email()), ("mail.toml", RULES)]).await;
    let folder = |path: &str| {
        let file = lab.folder.path().join(path);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, "<Root/>").unwrap();
    };
    let add = async |run: u64, user: &str| {
        let run = RunId(run);
        let mut plan = jackfield_protocol::plan::RunPlan::clone(&plan("demo", 2));
        plan.user = user.into();
        lab.app.store.commit(begun(run, &plan.into(), RunState::Running)).await.unwrap();
        let mut batch = attempts([passed(run, 0), passed(run, 1)]);
        batch.rows.push(jackfield_scheduler::effect::Row::Run(run_row(run, RunState::Completed)));
        lab.app.store.commit(batch).await.unwrap();
    };
    let against = async |run: u64| {
        let text = mail::preview(&lab.app, RunId(run)).await.unwrap().unwrap().text;
        text.lines()
            .filter_map(|line| line.split_once(':'))
            .map(|(since, _)| since.to_owned())
            .find(|since| since.starts_with("Since run "))
    };
    // The lab has no file of the project: each user's own.
    add(2, "bob").await;
    assert_eq!(against(2).await, None, "ana's run 1 was of a file that nobody knows");
    folder("projects/demo.xml");
    assert_eq!(against(2).await.as_deref(), Some("Since run 1"), "one file for both");
    folder("users/bob/projects/demo.xml");
    assert_eq!(against(2).await, None, "bob's is another");
    add(3, "ana").await;
    assert_eq!(against(3).await.as_deref(), Some("Since run 1"));
}

#[tokio::test]
async fn runs_are_compared_that_have_in_common_what_the_lab_wants() {
    let settings = "[mail]\ncompare = [\"sut\", \"Release\"]\n";
    let lab =
        lab(Save::NoSave, &[("email.xml", &email()), ("mail.toml", RULES), ("engine.toml", settings)]).await;
    let add = async |run: u64, sut: Option<&str>, release: Option<&str>| {
        let run = RunId(run);
        let mut plan = jackfield_protocol::plan::RunPlan::clone(&plan("demo", 2));
        let fields = release.into_iter().map(|release| ("Release".into(), release.into()));
        plan.options.user_defined.extend(fields);
        plan.suites.iter_mut().for_each(|suite| suite.sut = sut.map(Into::into));
        lab.app.store.commit(begun(run, &plan.into(), RunState::Running)).await.unwrap();
        let mut batch = attempts([passed(run, 0), passed(run, 1)]);
        batch.rows.push(jackfield_scheduler::effect::Row::Run(run_row(run, RunState::Completed)));
        lab.app.store.commit(batch).await.unwrap();
        let changes = compared::changes(&lab.app, &results_of(&lab.app, run).await.unwrap()).await.unwrap();
        changes.map(|changes| changes.trend.iter().map(|tally| tally.run.0).collect::<Vec<_>>())
    };
    // Run 1 has neither.
    assert_eq!(add(2, None, Some("4.2")).await, None);
    assert_eq!(add(3, Some("a.system"), Some("4.2")).await, None);
    assert_eq!(add(4, Some("b.system"), Some("4.2")).await, None);
    assert_eq!(add(5, Some("a.system"), Some("4.2")).await.unwrap(), [3, 5]);
    assert_eq!(add(6, Some("a.system"), Some("4.3")).await, None);
    assert_eq!(add(7, None, None).await.unwrap(), [1, 7]);
    assert_eq!(add(8, Some("a.system"), Some("4.2")).await.unwrap(), [3, 5, 8]);
}

const REPORTS: &str = "<root><db_config><url>sqlite:results.db</url></db_config><reports_section>\n\
    <field ID=\"Run\" Type=\"UserText\"/>\n\
    <report ID=\"Verdicts\" Type=\"PieChart\" SQLQuery=\"SELECT status, COUNT(*) AS tests FROM results WHERE run = CAST('@Run@' AS INTEGER) GROUP BY status\"/>\n\
    <report ID=\"Tests &amp; more\" Type=\"LineChart\" SQLQuery=\"SELECT run, COUNT(*) AS tests FROM results GROUP BY run\"/>\n\
    </reports_section></root>";
const CHARTS: &str = "[[chart]]\nreport = \"Verdicts\"\nfields = [\"Run=$jackfield_run\"]\n\
    [[chart]]\nreport = \"Tests & more\"\n[[chart]]\nreport = \"Verdict\"\n\
    [[chart]]\nreport = \"Tests & more\"\nprojects = [\"other\"]\n";

#[tokio::test]
async fn reports_of_the_labs_database_go_along() {
    let lab = lab(Save::NoSave, &[("email.xml", &email()), ("mail.toml", CHARTS), ("db.xml", REPORTS)]).await;
    let path = lab.folder.path();
    lab_db::execute(path, "CREATE TABLE results (run INTEGER, status TEXT)").await;
    lab_db::execute(path, "INSERT INTO results VALUES (1, 'PASS'), (1, 'FAIL'), (1, 'PASS'), (2, 'PASS')")
        .await;
    let mail = mail::preview(&lab.app, RUN).await.unwrap().unwrap();
    assert_eq!(mail.to.to_string(), "ana@example.com", "charts alone leave the people to email.xml");
    assert!(
        mail.text.contains("Verdicts:\n  FAIL: 1\n  PASS: 2\n\nTests & more:\n  1: 3\n  2: 1\n"),
        "{}",
        mail.text
    );
    assert!(
        mail.text.contains("Verdict:\n  ") && mail.text.contains("do you mean `Verdicts`?"),
        "{}",
        mail.text
    );
    assert_eq!(mail.text.matches("Tests & more").count(), 1, "the other is for other projects");
    let names: Vec<&str> = mail.pictures.iter().map(|picture| &*picture.name).collect();
    assert_eq!(names, ["chart2"]);
    assert!(
        mail.html.contains("/reports/Tests%20%26%20more\"")
            && mail.html.contains("/reports/Verdicts?f.Run&#x3D;1\""),
        "{}",
        mail.html
    );
    // Away, or no database any more: the mail goes all the same.
    std::fs::remove_file(path.join("results.db")).unwrap();
    let mail = mail::preview(&lab.app, RUN).await.unwrap().unwrap();
    assert!(mail.html.contains("It could not be made: ") && mail.pictures.is_empty(), "{}", mail.html);
}

#[tokio::test]
async fn a_test_mail_says_who_took_it_or_why_nobody_did() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let email = EMAIL.replace("ENABLED", "0").replace("PORT", &port.to_string());
    let lab = lab(Save::NoSave, &[("email.xml", &email)]).await;
    let server = tokio::spawn(mail_server(listener));
    let taken = mail::test(&lab.app, &"ana".into(), None).await.unwrap();
    assert_eq!(taken, ["ana@example.com", "bob@example.com"], "also where mail is not enabled");
    let sent = server.await.unwrap();
    assert!(sent.contains("Subject: Test mail: Run of $twister_user") && sent.contains("All done"), "{sent}");
    let gone =
        format!("{:#}", mail::test(&lab.app, &"ana".into(), Some("eva@example.com")).await.unwrap_err());
    assert!(gone.contains(&format!("the mail server 127.0.0.1:{port} did not take it")), "{gone}");
    let wrong = format!("{:#}", mail::test(&lab.app, &"ana".into(), Some("eva")).await.unwrap_err());
    assert!(wrong.contains("`eva`"), "{wrong}");
    std::fs::remove_file(lab.folder.path().join("email.xml")).unwrap();
    let none = format!("{:#}", mail::test(&lab.app, &"ana".into(), None).await.unwrap_err());
    assert_eq!(none, "the lab has no email.xml");
}
