//! TAP, the Test Anything Protocol, of versions 12 to 14: a plan, and a line for each test.

use jackfield_protocol::verdict::{Cause, Verdict};

use super::{
    Cases,
    case::{Case, Mark},
    input_line::Lines,
};

use crate::limits::{TAP_DEPTH_MAX, TAP_MISSING_MAX};

/// Lines of a diagnosis that become a reason.
const DIAGNOSIS_LINES: usize = 3;

/// How far the tests inside a test are indented.
const INDENT: &str = "    ";
/// The comment before tests inside a test.
const SUBTEST: &str = "# Subtest";

/// Reads lines as they come. What is indented are the tests inside a test, whose own line follows and sums them up: it makes none of them better.
#[derive(Debug, Default)]
pub(crate) struct Tap {
    cases: Cases,
    lines: Lines,
    open: Option<Case>,
    diagnosis: Vec<String>,
    plan: Option<u64>,
    /// Whether tests came before the plan.
    plan_is_late: bool,
    count: u64,
    in_yaml: bool,
    /// Nothing but its version came before its plan.
    begins_with_plan: bool,
    /// Something was printed.
    has_begun: bool,
    /// Why its lines contradict each other.
    wrong: Option<String>,
    /// The tests inside the test whose line comes next, or, in a block, came before.
    inside: Option<Box<Tap>>,
    /// A comment said that they are such tests, so that they want a plan.
    is_subtest: bool,
    is_block: bool,
    /// How many others these are inside of.
    depth: usize,
}

impl Tap {
    /// Whether this is a first line of it.
    pub(super) fn begins(line: &str) -> bool {
        line.starts_with("TAP version ") || plan(line).is_some() || test_line(line).is_some()
    }

    pub(crate) fn feed(&mut self, bytes: &[u8]) {
        let mut lines = std::mem::take(&mut self.lines);
        lines.feed(bytes, |line| self.line(line));
        self.lines = lines;
    }

    fn line(&mut self, line: &str) {
        // A block that nobody closed ends with what stands at the margin, or tests would be taken for a part of it.
        self.in_yaml &= line.is_empty() || line.starts_with(' ');
        if self.in_yaml {
            self.yaml(line);
        } else if let Some((inside, line)) = self.inside.as_mut().zip(line.strip_prefix(INDENT)) {
            inside.line(line);
            if let Some(why) = inside.cases.gave_up.clone() {
                self.gives_up(why);
            }
        } else if line.trim() == "---" && line.starts_with(' ') && self.open.is_some() {
            self.in_yaml = true;
        } else if let Some((is_ok, rest)) = test_line(line) {
            self.close();
            self.count = self.count.saturating_add(1);
            if self.plan_is_late {
                self.is_wrong("its plan stands between its tests");
            }
            // Perl's buffered tests have what is inside of them behind their own line, up to a `}`.
            let block = rest.strip_suffix('{');
            let mut case = test(is_ok, block.unwrap_or(rest).trim_end(), self.count);
            self.judge_inside(&mut case);
            self.open = Some(case);
            self.is_block = block.is_some();
        } else if let Some((count, why)) = plan(line) {
            if self.plan.replace(count).is_some() {
                self.is_wrong("it has more than one plan");
            }
            self.plan_is_late = self.count > 0;
            self.begins_with_plan |= !self.has_begun;
            if count == 0 {
                let why = if why.is_empty() { "it planned no tests" } else { why };
                self.cases.skipped_whole = Some(why.to_owned());
            }
        // A test inside a test gives up for all of them.
        } else if let Some(why) = line.trim_start().strip_prefix("Bail out!") {
            let colon = if why.trim().is_empty() { "" } else { ": " };
            self.gives_up(format!("it bailed out{colon}{}", why.trim()));
        } else if line.trim_end() == "}" && self.is_block {
            self.is_block = false;
            if let Some(mut case) = self.open.take() {
                self.judge_inside(&mut case);
                self.open = Some(case);
            }
        } else if line.trim_start().starts_with(SUBTEST) || self.begins_inside(line) {
            self.open_inside(line);
        } else if let Some(text) = line.strip_prefix('#') {
            self.diagnose(text.trim());
        }
        self.has_begun |= !line.starts_with("TAP version ");
    }

    /// Whether tests inside the next one begin with this line, which no comment announced.
    fn begins_inside(&self, line: &str) -> bool {
        line.strip_prefix(INDENT).is_some_and(|line| self.inside.is_none() && Self::begins(line))
    }

    fn open_inside(&mut self, line: &str) {
        if self.depth >= TAP_DEPTH_MAX {
            return;
        }
        self.judge_left();
        let is_subtest = line.trim_start().starts_with(SUBTEST);
        let mut inside = Self { depth: self.depth.saturating_add(1), is_subtest, ..Self::default() };
        if let Some(line) = line.strip_prefix(INDENT).filter(|_| !is_subtest) {
            inside.line(line);
        }
        self.inside = Some(Box::new(inside));
    }

    fn gives_up(&mut self, why: String) {
        self.close();
        self.cases.gave_up = Some(why);
    }

    /// What the tests inside a test make of it, where its own line says that all is well.
    fn judge_inside(&mut self, case: &mut Case) {
        let inside = self.inside.take().filter(|_| case.has_passed());
        let Some(inside) = inside else { return };
        // Some text that looks like it is no stream of its own; and of a test that has none inside, none are missed.
        let counts = inside.is_plain() || (inside.is_subtest && inside.count > 0);
        let Some(outcome) = counts.then(|| inside.finish().outcome()).flatten() else { return };
        let mark = match outcome.verdict {
            Verdict::Pass => return,
            Verdict::Skipped => Mark::Skipped,
            Verdict::Aborted | Verdict::NotExecuted | Verdict::Timeout => Mark::Unfinished,
            Verdict::Invalid => Mark::Broken,
            Verdict::Fail if outcome.cause == Some(Cause::Test) => Mark::Broken,
            Verdict::Fail => Mark::Failed,
        };
        case.mark(mark, &format!("inside of it {}", outcome.reason));
    }

    /// The same of those that no line sums up.
    fn judge_left(&mut self) {
        let mut left = Case::new("tests inside a test".to_owned());
        self.judge_inside(&mut left);
        if !left.has_passed() {
            self.cases.add(left);
        }
    }

    /// A stream that contradicts itself shows nothing, as `prove` has it: the first reason is kept as a test that is at fault.
    fn is_wrong(&mut self, why: &str) {
        if self.wrong.is_none() {
            self.wrong = Some(why.to_owned());
        }
    }

    fn diagnose(&mut self, text: &str) {
        let says_where = text.is_empty()
            || text.starts_with("Failed ")
            || text.starts_with("at ")
            || text.starts_with("Looks like ");
        if self.open.is_some() && !says_where && self.diagnosis.len() < DIAGNOSIS_LINES {
            self.diagnosis.push(text.to_owned());
        }
    }

    fn yaml(&mut self, line: &str) {
        let text = line.trim();
        if text == "..." {
            self.in_yaml = false;
        } else if let Some(message) = text.strip_prefix("message:") {
            self.diagnosis.insert(0, message.trim().trim_matches(['"', '\'']).to_owned());
            self.diagnosis.truncate(DIAGNOSIS_LINES);
        }
    }

    fn close(&mut self) {
        self.in_yaml = false;
        let diagnosis = std::mem::take(&mut self.diagnosis).join(", ");
        if let Some(mut case) = self.open.take() {
            case.explain(&diagnosis);
            self.cases.add(case);
        }
    }

    /// Whether it has shown itself: a plan, with a test or the reason why there are none.
    pub(crate) fn is_plain(&self) -> bool {
        let shows_tests = |plan| plan == 0 || self.count > 0 || self.begins_with_plan;
        self.plan.is_some_and(shows_tests) || (self.cases.gave_up.is_some() && self.count > 0)
    }

    /// Nothing more comes.
    pub(crate) fn finish(mut self) -> Cases {
        self.cases.source.format = "TAP";
        let mut lines = std::mem::take(&mut self.lines);
        lines.finish(|line| self.line(line));
        self.close();
        self.judge_left();
        if let Some(why) = self.wrong.take() {
            let mut case = Case::new("plan".to_owned());
            case.mark(Mark::Broken, &why);
            self.cases.add(case);
        }
        match self.plan {
            _ if self.cases.gave_up.is_some() => {}
            None if self.count == 0 => {
                self.cases.trouble = Some("there is no line of TAP in them".to_owned())
            }
            None => {
                self.cases.trouble = Some("they have no plan such as `1..4`: they ended early".to_owned())
            }
            Some(plan) if plan > self.count => self.miss(plan),
            Some(plan) if plan < self.count => {
                let mut case = Case::new("plan".to_owned());
                case.mark(Mark::Broken, &format!("{plan} tests were planned, and {} ran", self.count));
                self.cases.add(case);
            }
            Some(_) => {}
        }
        self.cases
    }

    fn miss(&mut self, plan: u64) {
        let first = self.count.saturating_add(1);
        let last = plan.min(self.count.saturating_add(TAP_MISSING_MAX));
        for number in first..=last {
            let mut case = Case::new(format!("test {number}"));
            case.mark(
                Mark::Unfinished,
                &format!("it was planned, and did not run: {} of {plan} did", self.count),
            );
            self.cases.add(case);
        }
    }
}

/// Whether a line is that of a test: how it ended, and what follows.
fn test_line(line: &str) -> Option<(bool, &str)> {
    let (is_ok, rest) = match line.strip_prefix("not ok") {
        Some(rest) => (false, rest),
        None => (true, line.strip_prefix("ok")?),
    };
    (rest.is_empty() || rest.starts_with([' ', '\t'])).then(|| (is_ok, rest.trim()))
}

/// `1..4`, `1..0 # SKIP reason`: how many, and why none.
fn plan(line: &str) -> Option<(u64, &str)> {
    let rest = line.strip_prefix("1..")?;
    let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    let (count, rest) = rest.split_at_checked(end)?;
    let rest = rest.trim();
    let why = rest.strip_prefix('#').map(str::trim);
    if !rest.is_empty() && why.is_none() {
        return None;
    }
    let why = why.unwrap_or_default();
    let word = why.split_whitespace().next().filter(|word| word.to_ascii_lowercase().starts_with("skip"));
    let why = word.and_then(|word| why.get(word.len()..)).unwrap_or(why).trim();
    Some((count.parse().ok()?, why))
}

/// A test by its line: number, description, and what a directive makes of it.
fn test(is_ok: bool, rest: &str, count: u64) -> Case {
    let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    let (number, rest) = rest.split_at_checked(end).unwrap_or(("", rest));
    let (description, directive) = split_directive(rest.trim());
    let description = description.trim_start_matches('-').trim();
    let name = if description.is_empty() { format!("test {count}") } else { description.replace("\\#", "#") };
    let mut case = Case::new(name);
    let word = directive.split_whitespace().next().unwrap_or_default();
    let why = directive.get(word.len()..).unwrap_or_default().trim();
    let lower = word.to_ascii_lowercase();
    if lower.starts_with("skip") {
        case.mark(Mark::Skipped, why);
    } else if lower == "todo" {
        // Of a test that is still to do nobody expects more; one that passes already does no harm.
        if !is_ok {
            case.mark(Mark::Skipped, &format!("to do: {why}"));
        }
    } else if !is_ok {
        case.mark(Mark::Failed, "");
    } else if !number.is_empty() && number.parse() != Ok(count) {
        case.mark(
            Mark::Broken,
            &format!("it is numbered {number} where {count} was due: lines are missing, or of two tests"),
        );
    }
    case
}

/// At the last ` # ` that a directive follows.
fn split_directive(text: &str) -> (&str, &str) {
    for (at, _) in text.match_indices('#') {
        let (before, behind) = text.split_at_checked(at).unwrap_or((text, ""));
        let directive = behind.trim_start_matches('#').trim_start();
        let lower = directive.to_ascii_lowercase();
        let is_escaped = before.ends_with('\\');
        if !is_escaped && (lower.starts_with("skip") || lower.starts_with("todo")) {
            return (before.trim(), directive);
        }
    }
    (text, "")
}
