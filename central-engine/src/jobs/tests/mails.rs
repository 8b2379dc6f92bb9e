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
