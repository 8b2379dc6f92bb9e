//! TestNG's own file: methods of classes, among them those that set up and clean up.

use std::time::Duration;

use super::{
    super::{Case, Cases, Mark, Told},
    Dialect, Element,
};

/// What a file is read into.
#[derive(Debug, Default)]
pub(super) struct Testng {
    open: Option<Case>,
}

impl Dialect for Testng {
    fn opened(&mut self, around: &[Element], element: &Element, _cases: &mut Cases) {
        if element.name == "test-method" {
            self.open = Some(case(around, element));
        }
    }

    fn closed(&mut self, _around: &[Element], element: &Element, cases: &mut Cases) {
        match element.name.as_str() {
            "test-method" => {
                let is_configuration = element.attribute("is-config") == "true";
                let case = self.open.take().filter(|case| !is_configuration || !case.has_passed());
                case.into_iter().for_each(|case| cases.add(case));
            }
            "message" => {
                if let Some(case) = &mut self.open {
                    case.explain(&element.text);
                }
            }
            "testng-results" => {
                let told = Told { total: element.number("total"), failed: element.number("failed") };
                // Those that are ignored are counted and not written.
                let written = told.total.saturating_sub(element.number("ignored"));
                cases.compare_counts(written, cases.shown().total, "testng-results");
                cases.compare(told, cases.shown(), "testng-results");
            }
            _ => {}
        }
    }
}

fn case(around: &[Element], element: &Element) -> Case {
    let class =
        around.iter().rfind(|element| element.name == "class").map_or("", |class| class.attribute("name"));
    let name = element.attribute("name");
    let shown = [class, name].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(".");
    let millis = element.attribute("duration-ms").parse().unwrap_or(0);
    let mut case = Case::new(shown).lasted(Some(Duration::from_millis(millis)));
    let is_configuration = element.attribute("is-config") == "true";
    match element.attribute("status") {
        "PASS" => {}
        // Whatever sets a test up is no statement about the product.
        "FAIL" if is_configuration => case.mark(Mark::Broken, ""),
        "FAIL" => case.mark(Mark::Failed, ""),
        "SKIP" => case.mark(Mark::Skipped, ""),
        other => case.mark(Mark::Unfinished, &format!("its status is `{other}`")),
    }
    case
}
