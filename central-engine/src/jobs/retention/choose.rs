//! Which old runs go, and why. Pure: the same runs and rules, the same answer.

use jackfield_config::engine::Retention as Rules;
use jackfield_protocol::{id::RunId, time::Time};

/// A run that has ended.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Old {
    pub(crate) run: RunId,
    pub(crate) ended: Time,
    /// What its logs and artifacts take.
    pub(crate) bytes: u64,
    /// Nobody wants it kept, and nothing is left to do for it.
    pub(crate) may_go: bool,
}

/// One that goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Going {
    pub(crate) run: RunId,
    pub(crate) bytes: u64,
    /// Which rule says so: `retention.age: it ended 91 days ago`.
    pub(crate) reason: String,
}

/// Those that go, oldest first. `old` is in the order of their numbers. Those that stay for other reasons count as much as others do: a lab that
/// keeps a thousand by hand and ten by rule keeps the thousand.
pub(crate) fn going(old: &[Old], rules: Rules, now: Time) -> Vec<Going> {
    let mut going = Vec::new();
    let (mut newer, mut bytes, mut is_over) = (0_u64, 0_u64, false);
    for run in old.iter().rev() {
        let with_it = bytes.saturating_add(run.bytes);
        // Where there is no room for one, there is none for those before it: a small old run does not outlive a large newer one.
        is_over |= rules.bytes.is_some_and(|most| with_it > most);
        let reason = reason(run, rules, now, newer, is_over.then_some(with_it));
        match reason.filter(|_| run.may_go) {
            Some(reason) => going.push(Going { run: run.run, bytes: run.bytes, reason }),
            None => {
                newer = newer.saturating_add(1);
                bytes = bytes.saturating_add(run.bytes);
            }
        }
    }
    going.reverse();
    going
}

fn reason(run: &Old, rules: Rules, now: Time, newer: u64, over: Option<u64>) -> Option<String> {
    let Rules { age_millis, runs, bytes: _, outbox_millis: _ } = rules;
    let age = now.millis_since(run.ended);
    if age_millis.is_some_and(|most| age > most) {
        return Some(format!("retention.age: it ended {} ago", span(age)));
    }
    if runs.is_some_and(|most| newer >= most) {
        return Some(format!("retention.runs: {newer} newer ones are kept"));
    }
    over.map(|bytes| format!("retention.size: with it, those that are kept would take {} MB", bytes >> 20))
}

fn span(millis: u64) -> String {
    let (days, hours) = (millis / 86_400_000, millis / 3_600_000);
    if days > 1 { format!("{days} days") } else { format!("{hours} hours") }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: u64 = 86_400_000;
    const NOW: Time = Time(1_000 * 86_400_000);

    /// Runs 1, 2, …: so many days ago, so many MB, and whether each may go.
    fn runs(of: &[(u64, u64, bool)]) -> Vec<Old> {
        let run = |(number, (days, mb, may_go)): (u64, &(u64, u64, bool))| {
            let ago = i64::try_from(days * DAY).unwrap();
            Old { run: RunId(number), ended: Time(NOW.0 - ago), bytes: mb << 20, may_go: *may_go }
        };
        (1..).zip(of).map(run).collect()
    }

    #[test]
    fn each_rule_lets_the_oldest_go_and_none_that_is_wanted() {
        let none = Rules::default();
        let age = Rules { age_millis: Some(30 * DAY), ..none };
        let count = Rules { runs: Some(2), ..none };
        let size = Rules { bytes: Some(100 << 20), ..none };
        let of = [(90, 50, true), (60, 50, false), (31, 50, true), (2, 50, true), (1, 50, true)];
        let cases: [(Rules, &[(u64, &str)]); 6] = [
            (none, &[]),
            (age, &[(1, "retention.age: it ended 90 days ago"), (3, "retention.age: it ended 31 days ago")]),
            (
                count,
                &[(1, "retention.runs: 3 newer ones are kept"), (3, "retention.runs: 2 newer ones are kept")],
            ),
            (
                size,
                &[
                    (1, "retention.size: with it, those that are kept would take 200 MB"),
                    (3, "retention.size: with it, those that are kept would take 150 MB"),
                ],
            ),
            (
                Rules { runs: Some(4), ..age },
                &[(1, "retention.age: it ended 90 days ago"), (3, "retention.age: it ended 31 days ago")],
            ),
            (Rules { runs: Some(100), bytes: Some(u64::MAX), ..none }, &[]),
        ];
        for (rules, expect) in cases {
            let got = going(&runs(&of), rules, NOW);
            let got: Vec<(u64, &str)> =
                got.iter().map(|going| (going.run.0, going.reason.as_str())).collect();
            assert_eq!(got, expect, "{rules:?}");
        }
    }

    #[test]
    fn a_run_of_the_future_is_not_old() {
        let old = Old { run: RunId(1), ended: Time(i64::MAX), bytes: 0, may_go: true };
        assert_eq!(going(&[old], Rules { age_millis: Some(1), ..Rules::default() }, NOW), []);
    }
}
