//! xUnit.net, of all its versions: assemblies, collections or classes, tests.

use super::{
    super::{Case, Cases, Mark, Shown, Told, case::seconds},
    Dialect, Element,
};

/// What a file is read into.
#[derive(Debug, Default)]
pub(super) struct Xunit {
    open: Option<Case>,
    error: Option<Case>,
    /// What stood in the file before the assembly that is read.
    before: Shown,
}

impl Dialect for Xunit {
    fn opened(&mut self, _around: &[Element], element: &Element, cases: &mut Cases) {
        match element.name.as_str() {
            "assembly" => self.before = cases.shown(),
            "test" => self.open = Some(case(element)),
            // Beside the tests: a fixture that broke, an assembly that could not be loaded.
            "error" => {
                let name = [element.attribute("name"), element.attribute("type")];
                let name = name.into_iter().find(|name| !name.is_empty()).unwrap_or("error");
                let mut case = Case::new(name.to_owned());
                case.mark(Mark::Broken, "");
                self.error = Some(case);
            }
            _ => {}
        }
    }

    fn closed(&mut self, _around: &[Element], element: &Element, cases: &mut Cases) {
        match element.name.as_str() {
            "test" => self.open.take().into_iter().for_each(|case| cases.add(case)),
            "error" => self.error.take().into_iter().for_each(|case| cases.add(case)),
            "message" | "reason" => {
                for case in self.open.iter_mut().chain(&mut self.error) {
                    case.explain(&element.text);
                }
            }
            "failure" => {
                if let Some(case) = &mut self.open {
                    case.mark(Mark::Failed, "");
                }
            }
            "assembly" => {
                let failed = element.number("failed").saturating_add(element.number("errors"));
                let (total, now) = (element.number("total"), cases.shown());
                let shown = Shown {
                    total: now.total.saturating_sub(self.before.total),
                    failed: now.failed.saturating_sub(self.before.failed),
                };
                cases.compare_counts(total, shown.total, "assembly");
                cases.compare(Told { total, failed }, shown, "assembly");
            }
            _ => {}
        }
    }
}

fn case(element: &Element) -> Case {
    let method = format!("{}.{}", element.attribute("type"), element.attribute("method"));
    let name = Some(element.attribute("name")).filter(|name| !name.is_empty()).unwrap_or(&method);
    let mut case = Case::new(name.to_owned()).lasted(seconds(element.attribute("time")));
    let result = element.attribute("result");
    match result {
        "Pass" => {}
        "Fail" => case.mark(Mark::Failed, ""),
        "Skip" | "NotRun" => case.mark(Mark::Skipped, ""),
        other => case.mark(Mark::Unfinished, &format!("its result is `{other}`")),
    }
    case
}
