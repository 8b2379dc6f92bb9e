//! `jackfield runs prune` and `runs keep`: old runs that go by themselves, and those that stay.

use anyhow::Result;
use jackfield_protocol::{
    id::RunId,
    retention::{GoingRun, RetentionView},
};
use serde_json::{Value, json};

use crate::{Context, client::Client, exit::Exit, output::table};

/// As the engine sees it now.
pub(crate) fn retention(client: &Client) -> Result<RetentionView> {
    client.get("/retention")
}

/// Why somebody should look after it; none where nobody need.
pub(crate) fn trouble(found: &RetentionView) -> Option<&str> {
    let broken = found.last.as_ref().and_then(|last| last.error.as_deref());
    broken.or(found.doubt.as_deref())
}

/// The rules, and how much there is: `goes: older than 90 days; 120 runs, 3 of them kept, take 512 MB`.
pub(crate) fn told(found: &RetentionView) -> String {
    let days = |millis: u64| match millis / 86_400_000 {
        0 => format!("{} h", millis / 3_600_000),
        1 => "1 day".to_owned(),
        days => format!("{days} days"),
    };
    let rules = [
        found.age_millis.map(|age| format!("older than {}", days(age))),
        found.runs_max.map(|runs| format!("all but the newest {runs}")),
        found.bytes_max.map(|bytes| format!("beyond {} MB", bytes >> 20)),
        found.outbox_millis.map(|age| format!("of the outbox, older than {}", days(age))),
    ];
    let rules: Vec<String> = rules.into_iter().flatten().collect();
    let rules = if rules.is_empty() {
        "nothing goes by itself".to_owned()
    } else {
        format!("goes: {}", rules.join("; "))
    };
    let last = found
        .last
        .as_ref()
        .filter(|last| last.runs > 0)
        .map_or_else(String::new, |last| format!("; {} went at {}", last.runs, last.at));
    format!("{rules}; {} runs, {} of them kept, take {} MB{last}", found.runs, found.kept, found.bytes >> 20)
}

pub(crate) fn run(context: &Context, dry_run: bool) -> Result<Exit> {
    let found: RetentionView = if dry_run {
        retention(&context.client)?
    } else {
        context.client.post("/retention/prune", &json!({}))?
    };
    context.output.print(&found, |found| show(found, dry_run))?;
    Ok(Exit::Done)
}

fn show(found: &RetentionView, dry_run: bool) -> String {
    let mut text = String::new();
    if !found.going.is_empty() {
        let mut rows = table(&["RUN", "PROJECT", "USER", "ENDED", "MB", "WHY"]);
        for GoingRun { run, project, user, ended, bytes, reason } in &found.going {
            rows.add_row(vec![
                run.to_string(),
                project.clone(),
                user.to_string(),
                ended.to_string(),
                (bytes >> 20).to_string(),
                reason.clone(),
            ]);
        }
        text = format!("{}\n\n", rows.trim_fmt());
    }
    let more = found.going_runs.saturating_sub(u64::try_from(found.going.len()).unwrap_or(u64::MAX));
    if more > 0 {
        text.push_str(&format!("and {more} more\n"));
    }
    if let Some(trouble) = trouble(found) {
        text.push_str(&format!("{trouble}\n"));
    }
    let what = match (found.going_runs, dry_run) {
        (0, _) => "no run is to go".to_owned(),
        (1, true) => "1 run would go".to_owned(),
        (count, true) => format!("{count} runs would go"),
        (1, false) => "1 run goes now".to_owned(),
        (count, false) => format!("{count} runs go now"),
    };
    format!("{text}{what} ({})", told(found))
}

/// Marks each, or takes the mark away; one that cannot be marked ends it, and those before it are.
pub(crate) fn keep(context: &Context, runs: &[RunId], kept: bool) -> Result<Exit> {
    for run in runs {
        let _nothing: Value = context.client.post(&format!("/runs/{run}/keep"), &json!({"kept": kept}))?;
    }
    let words: Vec<String> = runs.iter().map(ToString::to_string).collect();
    let (done, told) =
        if kept { ("kept", "kept, whatever the rules say") } else { ("released", "kept as the rules say") };
    context.output.done(done, runs, &format!("{told}: {}", words.join(", ")))?;
    Ok(Exit::Done)
}

#[cfg(test)]
mod tests {
    use jackfield_protocol::time::Time;

    use super::*;

    fn found(going: Vec<GoingRun>) -> RetentionView {
        let going_runs = u64::try_from(going.len()).unwrap();
        RetentionView {
            age_millis: Some(90 * 86_400_000),
            runs: 7,
            bytes: 512 << 20,
            kept: 1,
            going,
            going_runs,
            ..RetentionView::default()
        }
    }

    #[test]
    fn what_goes_is_told_with_its_rule() {
        let going = GoingRun {
            run: RunId(3),
            project: "nightly".to_owned(),
            user: "ana".into(),
            ended: Time(0),
            bytes: 5 << 20,
            reason: "retention.age: it ended 91 days ago".to_owned(),
        };
        insta::assert_snapshot!(show(&found(vec![going]), true));
    }

    #[test]
    fn nothing_and_trouble_are_told() {
        let none = RetentionView::default();
        assert_eq!(
            show(&none, true),
            "no run is to go (nothing goes by itself; 0 runs, 0 of them kept, take 0 MB)"
        );
        let doubt =
            RetentionView { doubt: Some("the clock is 9 days ahead".to_owned()), ..found(Vec::new()) };
        assert!(show(&doubt, false).starts_with("the clock is 9 days ahead\nno run is to go"));
    }
}
