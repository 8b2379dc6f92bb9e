//! NUnit: `test-run` of version 3, `test-results` of version 2.

use super::{
    super::{Case, Cases, Mark, Told, case::seconds},
    Dialect, Element,
};

/// What a file is read into.
#[derive(Debug, Default)]
pub(super) struct Nunit {
    open: Option<Case>,
    /// The last message that stood outside of a case.
    said: String,
}

impl Dialect for Nunit {
    fn opened(&mut self, _around: &[Element], element: &Element, _cases: &mut Cases) {
        if element.name == "test-case" {
            self.open = Some(case(element));
        }
    }

    fn closed(&mut self, around: &[Element], element: &Element, cases: &mut Cases) {
        match element.name.as_str() {
            "test-case" => self.open.take().into_iter().for_each(|case| cases.add(case)),
            "message" => match &mut self.open {
                Some(case) => case.explain(&element.text),
                None => self.said.clone_from(&element.text),
            },
            "test-suite" => suite(element, cases),
            "failure" if self.open.is_none() => self.suite_failure(around, cases),
            "test-run" | "test-results" => root(element, cases),
            _ => {}
        }
    }
}

fn case(element: &Element) -> Case {
    let name = [element.attribute("fullname"), element.attribute("name")];
    let name = name.into_iter().find(|name| !name.is_empty()).unwrap_or("(a test without a name)");
    let time = [element.attribute("duration"), element.attribute("time")];
    let time = time.into_iter().find(|time| !time.is_empty()).unwrap_or_default();
    let mut case = Case::new(name.to_owned()).lasted(seconds(time));
    let result = element.attribute("result");
    let word = |word: &str| matches!(word.to_ascii_lowercase().as_str(), "passed" | "success" | "warning");
    case.mark(Mark::of_word(result), "");
    case.mark(Mark::of_word(element.attribute("label")), "");
    if element.attribute("executed").eq_ignore_ascii_case("false") {
        case.mark(Mark::Skipped, "");
    }
    if element.attribute("success").eq_ignore_ascii_case("false") {
        case.mark(Mark::Failed, "");
    }
    // A word that nobody knows is no PASS.
    if case.has_passed() && !word(result) && !element.attribute("success").eq_ignore_ascii_case("true") {
        case.mark(Mark::Unfinished, &format!("its result is `{result}`"));
    }
    case
}

/// A suite that failed by itself, not by one of its tests, and of which nothing else was told.
fn suite(element: &Element, cases: &mut Cases) {
    let by_itself = element.attribute("runstate") == "NotRunnable" || element.attribute("label") == "Invalid";
    if by_itself && element.attribute("result") == "Failed" && cases.shown().failed == 0 {
        let mut case = Case::new(element.attribute("name").to_owned());
        case.mark(Mark::Broken, "it cannot be run");
        cases.add(case);
    }
}

impl Nunit {
    /// Its set-up or tear-down, or an assembly that cannot be loaded. Version 2 does not tell whose failure it is; the head of its file does.
    fn suite_failure(&mut self, around: &[Element], cases: &mut Cases) {
        let said = std::mem::take(&mut self.said);
        let Some(suite) = around.last().filter(|suite| suite.name == "test-suite") else { return };
        let what = match (suite.attribute("site"), suite.attribute("label")) {
            ("SetUp", _) => "its set-up failed",
            ("TearDown", _) => "its tear-down failed",
            (_, "Invalid") => "it cannot be run",
            _ => return,
        };
        let name = [suite.attribute("fullname"), suite.attribute("name")];
        let mut case =
            Case::new(name.into_iter().find(|name| !name.is_empty()).unwrap_or("suite").to_owned());
        case.mark(Mark::Broken, &format!("{what}: {}", said.trim()));
        cases.add(case);
    }
}

fn root(element: &Element, cases: &mut Cases) {
    let counted = ["failed", "failures", "errors"].into_iter().map(|name| element.number(name)).sum();
    let failed = if element.attribute("result") == "Failed" { 1.max(counted) } else { counted };
    let total = element.number("total").max(element.number("testcasecount"));
    // `testcasecount` has those, too, that were not asked for.
    cases.compare_counts(element.number("total"), cases.shown().total, &element.name);
    cases.compare(Told { total, failed }, cases.shown(), &element.name);
}
