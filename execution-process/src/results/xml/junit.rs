//! JUnit files as pytest, Robot Framework, Surefire, GoogleTest, CTest and many others write them. There is no standard: a case says how
//! it ended by an element in it, by an attribute, or by both, and they need not agree.

use super::{
    super::{Case, Cases, Habits, Mark, Shown, Told, case::seconds, first_line},
    Dialect, Element,
};

/// What a file is read into.
#[derive(Debug)]
pub(super) struct Junit {
    habits: Habits,
    open: Option<Case>,
    /// The case before, while the one that follows may be another try of it.
    held: Option<Case>,
    suites: Vec<Shown>,
}

impl Junit {
    pub(super) fn new(habits: Habits) -> Self {
        Self { habits, open: None, held: None, suites: Vec::new() }
    }

    fn add(&mut self, case: Case, cases: &mut Cases) {
        if !self.habits.reruns {
            cases.add(case);
            return;
        }
        if let Some(before) = self.held.take() {
            let is_try = before.has_passed() && case.is_same(&before);
            if !is_try {
                cases.add(before);
            }
        }
        self.held = Some(case);
    }

    fn flush(&mut self, cases: &mut Cases) {
        self.held.take().into_iter().for_each(|case| cases.add(case));
    }

    fn end_suite(&mut self, element: &Element, cases: &mut Cases) {
        self.flush(cases);
        let Some(before) = self.suites.pop() else { return };
        let now = cases.shown();
        let shown = Shown {
            total: now.total.saturating_sub(before.total),
            failed: now.failed.saturating_sub(before.failed),
        };
        let failed = element.number("failures").saturating_add(element.number("errors"));
        let name =
            if element.attribute("name").is_empty() { &element.name } else { element.attribute("name") };
        let total = element.number("tests");
        // Catch2 and pytest are known to count other things: assertions, and tests inside of tests.
        let counts_otherwise = element.attribute("hostname") == "tbd" || name == "pytest";
        if !self.habits.reruns && !counts_otherwise {
            cases.compare_counts(total, shown.total, name);
        }
        // It counts what ran, and lists what it collected or set up alone.
        if name == "pytest" && element.attribute("tests") == "0" && shown.total > 0 {
            cases.not_run(shown.total);
        }
        cases.compare(Told { total, failed }, shown, name);
    }
}

impl Dialect for Junit {
    fn opened(&mut self, _around: &[Element], element: &Element, cases: &mut Cases) {
        match element.name.as_str() {
            "testsuites" | "testsuite" => {
                self.flush(cases);
                self.suites.push(cases.shown());
            }
            "testcase" => self.open = Some(case(element)),
            _ => {}
        }
    }

    fn closed(&mut self, around: &[Element], element: &Element, cases: &mut Cases) {
        let parent = around.last();
        let in_case = parent.is_some_and(|parent| parent.name == "testcase");
        match element.name.as_str() {
            "testsuites" | "testsuite" => self.end_suite(element, cases),
            "testcase" => {
                if let Some(case) = self.open.take() {
                    self.add(case, cases);
                }
            }
            // Tries after a failure, of a tool that tells of nothing else: none of them passed.
            "rerunFailure" | "rerunError" if in_case => {
                if let Some(case) = self.open.as_mut().filter(|case| case.has_passed()) {
                    case.mark(Mark::Failed, &reason(element));
                }
            }
            // PHPUnit: of a test class without tests, or of something beside the test, which passed then.
            "warning" if in_case && reason(element).starts_with("No tests found") => {
                if let Some(case) = &mut self.open {
                    case.mark(Mark::Skipped, &reason(element));
                }
            }
            word if in_case => {
                if let (Some(mark), Some(case)) = (element_mark(word), &mut self.open) {
                    case.mark(mark, &reason(element));
                }
            }
            // Of a whole suite: its set-up, or a class that cannot be loaded.
            word @ ("error" | "failure" | "skipped") => {
                let Some(suite) = parent.filter(|parent| parent.name.starts_with("testsuite")) else {
                    return;
                };
                let name =
                    if suite.attribute("name").is_empty() { &suite.name } else { suite.attribute("name") };
                let mut case = Case::new(name.to_owned());
                let mark = if word == "skipped" { Mark::Skipped } else { Mark::Broken };
                case.mark(mark, &reason(element));
                self.flush(cases);
                cases.add(case);
            }
            _ => {}
        }
    }
}

/// The case as its attributes tell it.
fn case(element: &Element) -> Case {
    let (name, class) = (element.attribute("name"), element.attribute("classname"));
    let shown =
        [class, name].into_iter().filter(|part| !part.trim().is_empty()).collect::<Vec<_>>().join(".");
    // pytest writes one without any name for the test that ran when it was interrupted.
    let is_nameless = shown.is_empty();
    let shown = if is_nameless { "(a test without a name)".to_owned() } else { shown };
    let mut case = Case::new(shown).lasted(seconds(element.attribute("time")));
    for attribute in ["status", "result"] {
        case.mark(Mark::of_word(element.attribute(attribute)), "");
    }
    if is_nameless {
        case.mark(Mark::Unfinished, "");
    }
    case
}

/// What an element in a case says of it; none where it says nothing. `flakyFailure` and its kin tell of tries before one that passed.
fn element_mark(word: &str) -> Option<Mark> {
    match word {
        "failure" => Some(Mark::Failed),
        "error" => Some(Mark::Broken),
        "aborted" => Some(Mark::Unfinished),
        "skipped" | "disabled" | "ignored" | "pending" => Some(Mark::Skipped),
        _ => None,
    }
}

fn reason(element: &Element) -> String {
    let message = element.attribute("message").trim();
    if !message.is_empty() {
        // pytest tells of a module that cannot be imported, or that skips itself, only in the text.
        let why = match message {
            "collection failure" => {
                let line = element.text.lines().map(str::trim).rfind(|line| line.starts_with("E "));
                line.map(|line| line.trim_start_matches("E ").trim())
            }
            "collection skipped" => {
                let why = element.text.split_once("Skipped: ");
                why.map(|(_, why)| why.trim_end_matches([')', '"', '\'']))
            }
            _ => None,
        };
        return why.map_or_else(|| message.to_owned(), |why| format!("{message}: {why}"));
    }
    let text = first_line(&element.text);
    if text.is_empty() { element.message().to_owned() } else { text.to_owned() }
}
