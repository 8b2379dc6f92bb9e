//! `jackfield runs prune` and `runs keep`: old runs that go by themselves, and those that stay.

use anyhow::Result;
use jackfield_protocol::{
    id::{RunId, UserName},
    time::Time,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{Context, client::Client, exit::Exit, output::table};

/// What the engine says of old runs.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Retention {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    age_millis: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    runs_max: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    bytes_max: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    outbox_millis: Option<u64>,
    runs: u64,
    bytes: u64,
    kept: u64,
    going: Vec<Going>,
    going_runs: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    doubt: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    last: Option<Last>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Going {
    run: RunId,
    project: String,
    user: UserName,
    ended: Time,
    bytes: u64,
    reason: String,
}

/// What the engine's last look came to.
#[derive(Debug, Serialize, Deserialize)]
struct Last {
    at: Time,
    runs: u64,
    files: u64,
    file_bytes: u64,
    outbox: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

impl Retention {
    /// As the engine sees it now.
    pub(crate) fn of(client: &Client) -> Result<Self> {
        client.get("/retention")
    }

    /// Why somebody should look after it; none where nobody need.
    pub(crate) fn trouble(&self) -> Option<&str> {
        let broken = self.last.as_ref().and_then(|last| last.error.as_deref());
        broken.or(self.doubt.as_deref())
    }

    /// The rules, and how much there is: `ended more than 90 days ago; 120 runs, 3 of them kept, take 512 MB`.
    pub(crate) fn told(&self) -> String {
        let days = |millis: u64| match millis / 86_400_000 {
            0 => format!("{} h", millis / 3_600_000),
            days => format!("{days} days"),
        };
        let rules = [
            self.age_millis.map(|age| format!("older than {}", days(age))),
            self.runs_max.map(|runs| format!("all but the newest {runs}")),
            self.bytes_max.map(|bytes| format!("beyond {} MB", bytes >> 20)),
            self.outbox_millis.map(|age| format!("of the outbox, older than {}", days(age))),
        ];
        let rules: Vec<String> = rules.into_iter().flatten().collect();
        let rules = if rules.is_empty() {
            "nothing goes by itself".to_owned()
        } else {
            format!("goes: {}", rules.join("; "))
        };
        let last = self
            .last
            .as_ref()
            .filter(|last| last.runs > 0)
            .map_or_else(String::new, |last| format!("; {} went at {}", last.runs, last.at));
        format!("{rules}; {} runs, {} of them kept, take {} MB{last}", self.runs, self.kept, self.bytes >> 20)
    }
}

pub(crate) fn run(context: &Context, dry_run: bool) -> Result<Exit> {
    let found: Retention = if dry_run {
        Retention::of(&context.client)?
    } else {
        context.client.post("/retention/prune", &json!({}))?
    };
    context.output.print(&found, |found| show(found, dry_run))?;
    Ok(Exit::Done)
}

fn show(found: &Retention, dry_run: bool) -> String {
    let mut text = String::new();
    if !found.going.is_empty() {
        let mut rows = table(&["RUN", "PROJECT", "USER", "ENDED", "MB", "WHY"]);
        for Going { run, project, user, ended, bytes, reason } in &found.going {
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
    if let Some(trouble) = found.trouble() {
        text.push_str(&format!("{trouble}\n"));
    }
    let what = match (found.going_runs, dry_run) {
        (0, _) => "no run is to go".to_owned(),
        (1, true) => "1 run would go".to_owned(),
        (count, true) => format!("{count} runs would go"),
        (1, false) => "1 run goes now".to_owned(),
        (count, false) => format!("{count} runs go now"),
    };
    format!("{text}{what} ({})", found.told())
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
    use super::*;

    fn found(going: Vec<Going>) -> Retention {
        let going_runs = u64::try_from(going.len()).unwrap();
        Retention {
            age_millis: Some(90 * 86_400_000),
            runs: 7,
            bytes: 512 << 20,
            kept: 1,
            going,
            going_runs,
            ..Retention::default()
        }
    }

    #[test]
    fn what_goes_is_told_with_its_rule() {
        let going = Going {
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
        let none = Retention::default();
        assert_eq!(
            show(&none, true),
            "no run is to go (nothing goes by itself; 0 runs, 0 of them kept, take 0 MB)"
        );
        let doubt = Retention { doubt: Some("the clock is 9 days ahead".to_owned()), ..found(Vec::new()) };
        assert!(show(&doubt, false).starts_with("the clock is 9 days ahead\nno run is to go"));
    }
}
