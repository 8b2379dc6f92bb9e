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
