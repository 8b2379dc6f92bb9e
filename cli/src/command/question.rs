//! `jackfield runs questions` and `runs answer`: what tests ask people who do not watch the run at that moment.

use anyhow::{Result, bail};
use jackfield_protocol::{
    api::Page,
    call::{Interact, InteractKind},
    id::{AttemptId, RunId},
    time::Time,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{Context, exit::Exit, output::table};

/// A question that waits for its answer.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Question {
    /// Its number in the run.
    question: u64,
    attempt: AttemptId,
    asked: Time,
    interact: Interact,
}

impl Question {
    /// As a line of what waits.
    pub(crate) fn waits(&self, run: RunId) -> String {
        let Self { question, attempt, interact, .. } = self;
        format!(
            "test {} waits for an answer to: {} (`jackfield runs answer {run} {question}{}`)",
            attempt.test,
            interact.message.lines().next().unwrap_or_default(),
            how(interact.kind)
        )
    }
}

/// What an answer looks like.
fn how(kind: InteractKind) -> &'static str {
    match kind {
        InteractKind::Message => "",
        InteractKind::Input => " TEXT",
        InteractKind::Decide => " true|false",
        InteractKind::Options => " OPTION",
    }
}

/// The questions of a run that wait.
pub(crate) fn of_run(context: &Context, run: RunId) -> Result<Vec<Question>> {
    context.client.get(&format!("/runs/{run}/questions"))
}

/// Prints those of a run, or of all.
pub(crate) fn list(context: &Context, run: Option<RunId>) -> Result<Exit> {
    #[derive(Deserialize)]
    struct OfRun {
        run: RunId,
        questions: Vec<Question>,
    }
    let of_runs = match run {
        Some(run) => vec![OfRun { run, questions: of_run(context, run)? }],
        None => context.client.get::<Page<OfRun>>("/questions")?.items,
    };
    let asked = of_runs.iter().flat_map(|of| of.questions.iter().map(|question| (of.run, question)));
    let items: Vec<Value> = asked
        .map(|(run, question)| {
            let Question { question, attempt, asked, interact } = question;
            json!({"run": run, "question": question, "attempt": attempt, "asked": asked, "interact": interact})
        })
        .collect();
    context.output.list(&items, |_| {
        show(&of_runs.iter().map(|of| (of.run, of.questions.as_slice())).collect::<Vec<_>>())
    })?;
    Ok(Exit::Done)
}

fn show(of_runs: &[(RunId, &[Question])]) -> String {
    let mut rows = table(&["RUN", "NO", "TEST", "SINCE", "ASKS", "ANSWER WITH"]);
    let mut count = 0_usize;
    for (run, questions) in of_runs {
        for Question { question, attempt, asked, interact } in *questions {
            count += 1;
            let options = interact.options.join(", ");
            let message = interact.message.lines().next().unwrap_or_default();
            let asks = if options.is_empty() { message.to_owned() } else { format!("{message} ({options})") };
            rows.add_row(vec![
                run.to_string(),
                question.to_string(),
                format!("{run}.{}", attempt.test),
                asked.to_string(),
                asks,
                format!("jackfield runs answer {run} {question}{}", how(interact.kind)),
            ]);
        }
    }
    if count == 0 { "no test asks anything".to_owned() } else { rows.trim_fmt() }
}

/// Answers one as its kind wants it: an empty text is an answer where a text is asked for.
pub(crate) fn answer(context: &Context, run: RunId, number: u64, given: Option<&str>) -> Result<Exit> {
    let questions = of_run(context, run)?;
    let Some(Question { interact, .. }) = questions.iter().find(|question| question.question == number)
    else {
        let numbers: Vec<String> = questions.iter().map(|question| question.question.to_string()).collect();
        match numbers.as_slice() {
            [] => bail!(
                "no test of run {run} asks anything; `jackfield runs questions` lists what all runs ask"
            ),
            numbers => {
                bail!("run {run} has no question {number} that waits; there are {}", numbers.join(", "))
            }
        }
    };
    let answer = read(interact, given)?;
    let _done: Value =
        context.client.post(&format!("/runs/{run}/questions/{number}"), &json!({"answer": answer}))?;
    context.output.done("answered", json!({"run": run, "question": number}), "the test goes on")?;
    Ok(Exit::Done)
}

fn read(interact: &Interact, given: Option<&str>) -> Result<Value> {
    Ok(match (interact.kind, given) {
        (InteractKind::Message, None | Some("")) => Value::Null,
        (InteractKind::Message, Some(_)) => bail!("this is a message: it takes no answer, it is seen"),
        (InteractKind::Decide, Some("true" | "yes" | "y")) => true.into(),
        (InteractKind::Decide, Some("false" | "no" | "n")) => false.into(),
        (InteractKind::Decide, _) => bail!("it is a decision: answer true or false"),
        (InteractKind::Input, text) => text.unwrap_or_default().into(),
        (InteractKind::Options, Some(text)) if interact.options.iter().any(|option| option == text) => {
            text.into()
        }
        (InteractKind::Options, _) => bail!("choose one of: {}", interact.options.join(", ")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(kind: InteractKind) -> Interact {
        let options = vec!["left".to_owned(), "right".to_owned()];
        Interact { kind, message: String::new(), options, default: Value::Null, timeout_millis: 1 }
    }

    #[test]
    fn an_answer_is_what_its_question_wants() {
        for (kind, given, answer) in [
            (InteractKind::Message, None, Some(Value::Null)),
            (InteractKind::Message, Some("x"), None),
            (InteractKind::Input, None, Some("".into())),
            (InteractKind::Input, Some("true"), Some("true".into())),
            (InteractKind::Decide, Some("yes"), Some(true.into())),
            (InteractKind::Decide, Some("maybe"), None),
            (InteractKind::Decide, None, None),
            (InteractKind::Options, Some("left"), Some("left".into())),
            (InteractKind::Options, Some("up"), None),
        ] {
            assert_eq!(read(&ask(kind), given).ok(), answer, "{kind:?} {given:?}");
        }
    }
}
