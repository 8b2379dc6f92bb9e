//! `go test -json`: an event on each line, for packages, tests and the tests inside them.

use std::{collections::BTreeMap, time::Duration};

use serde::Deserialize;

use super::{
    Cases,
    case::{Case, Mark},
    input_line::Lines,
};

use crate::limits::GO_TESTS_OPEN_MAX;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Line {
    action: String,
    #[serde(default)]
    package: String,
    #[serde(default)]
    import_path: String,
    #[serde(default)]
    test: String,
    #[serde(default)]
    elapsed: f64,
    #[serde(default)]
    output: String,
    /// Of a package that failed: what of it could not be built.
    #[serde(default)]
    failed_build: String,
}

#[derive(Debug, Default)]
struct Open {
    /// What it printed first that says something.
    said: String,
    /// A package: whether a test in it failed.
    has_failed: bool,
}

impl Open {
    fn hear(&mut self, text: &str) {
        let text = text.trim();
        // Old versions tell of a build that failed in this line alone.
        let is_unbuilt = text.ends_with("[build failed]") || text.ends_with("[setup failed]");
        let is_frame = text.is_empty()
            || ["=== ", "--- ", "PASS", "FAIL", "ok  ", "exit status", "# "]
                .iter()
                .any(|begin| text.starts_with(begin));
        if self.said.is_empty() && (is_unbuilt || !is_frame) {
            text.trim_start_matches("FAIL").trim_start().clone_into(&mut self.said);
        }
    }
}

/// Reads events as they come.
#[derive(Debug, Default)]
pub(crate) struct GoTest {
    cases: Cases,
    lines: Lines,
    /// By package, then test; a package itself has an empty test.
    open: BTreeMap<(String, String), Open>,
    /// What is being built, and what the compiler says of it.
    building: BTreeMap<String, Open>,
    /// What could not be built, until its package is told of.
    unbuilt: BTreeMap<String, Open>,
    events: usize,
}

impl GoTest {
    pub(crate) fn feed(&mut self, bytes: &[u8]) {
        let mut lines = std::mem::take(&mut self.lines);
        lines.feed(bytes, |line| self.line(line));
        self.lines = lines;
    }

    fn line(&mut self, text: &str) {
        // What else is printed, such as by the linker, stands between the events.
        let Ok(line) = serde_json::from_str::<Line>(text) else { return };
        self.events = self.events.saturating_add(1);
        let package = if line.package.is_empty() { line.import_path } else { line.package };
        if line.action == "fail" && !line.failed_build.is_empty() {
            // The one failure is told twice: as that of the build, and as that of the package.
            let built = self.unbuilt.remove(&line.failed_build).unwrap_or_default();
            self.broken(package.clone(), &built);
            self.open.remove(&(package, String::new()));
            return;
        }
        let key = (package, line.test);
        match line.action.as_str() {
            "start" | "run" => self.begin(key),
            "output" => self.output(key, &line.output),
            "build-output" => self.hear_build(key.0, &line.output),
            "build-fail" => {
                let said = self.building.remove(&key.0).unwrap_or_default();
                if self.unbuilt.len() >= GO_TESTS_OPEN_MAX {
                    return self.broken(key.0, &said);
                }
                self.unbuilt.insert(key.0, said);
            }
            "pass" => self.end(key, Mark::Passed, line.elapsed),
            "skip" => self.end(key, Mark::Skipped, line.elapsed),
            "fail" => self.end(key, Mark::Failed, line.elapsed),
            // `pause`, `cont`, `bench`, `attr`: on the way.
            _ => {}
        }
    }

    fn begin(&mut self, key: (String, String)) {
        if self.open.len() >= GO_TESTS_OPEN_MAX {
            self.cases.trouble = Some(format!("more than {GO_TESTS_OPEN_MAX} tests are open at once"));
            return;
        }
        if !key.1.is_empty() {
            self.open.entry((key.0.clone(), String::new())).or_default();
        }
        self.open.entry(key).or_default();
    }

    fn output(&mut self, key: (String, String), text: &str) {
        if let Some(open) = self.open.get_mut(&key) {
            open.hear(text);
        }
    }

    fn hear_build(&mut self, package: String, text: &str) {
        if self.building.len() < GO_TESTS_OPEN_MAX || self.building.contains_key(&package) {
            self.building.entry(package).or_default().hear(text);
        }
    }

    /// A package of which no test could run.
    fn broken(&mut self, package: String, open: &Open) {
        let mut case = Case::new(package);
        let said = if open.said.is_empty() { "it could not be built" } else { &open.said };
        case.mark(Mark::Broken, said);
        self.cases.add(case);
    }

    fn end(&mut self, key: (String, String), mark: Mark, elapsed: f64) {
        let open = self.open.remove(&key).unwrap_or_default();
        let (package, test) = key;
        if test.is_empty() {
            self.end_package(package, mark, &open);
            return;
        }
        let elapsed = Duration::try_from_secs_f64(elapsed).unwrap_or_default();
        let mut case = Case::new(format!("{package}.{test}")).lasted(Some(elapsed));
        case.mark(mark, &open.said);
        self.cases.add(case);
        if mark == Mark::Failed {
            self.open.entry((package, String::new())).or_default().has_failed = true;
        }
    }

    /// A package fails with its tests; by itself where it cannot be built, or dies.
    fn end_package(&mut self, package: String, mark: Mark, open: &Open) {
        let died = self.open_tests(&package);
        let dies = mark == Mark::Failed && !open.has_failed && died.is_empty();
        for key in died {
            let open = self.open.remove(&key).unwrap_or_default();
            let mut case = Case::new(format!("{}.{}", key.0, key.1));
            case.mark(Mark::Unfinished, &open.said);
            self.cases.add(case);
        }
        if dies {
            let mut of_build = || self.unbuilt.remove(&package).or_else(|| self.building.remove(&package));
            let said = if open.said.is_empty() { of_build() } else { None };
            let mut case = Case::new(package);
            case.mark(Mark::Broken, said.as_ref().map_or(&open.said, |build| &build.said));
            self.cases.add(case);
        }
    }

    fn open_tests(&self, package: &str) -> Vec<(String, String)> {
        self.open.keys().filter(|(of, test)| of == package && !test.is_empty()).cloned().collect()
    }

    /// Nothing more comes.
    pub(crate) fn finish(mut self) -> Cases {
        self.cases.source.format = "go test";
        let mut lines = std::mem::take(&mut self.lines);
        lines.finish(|line| self.line(line));
        for (package, open) in std::mem::take(&mut self.unbuilt) {
            self.broken(package, &open);
        }
        let open: Vec<(String, String)> = self.open.keys().cloned().collect();
        for (package, test) in open {
            let name = if test.is_empty() { package } else { format!("{package}.{test}") };
            let mut case = Case::new(name);
            case.mark(Mark::Unfinished, "");
            self.cases.add(case);
        }
        if self.events == 0 && self.cases.trouble.is_none() {
            self.cases.trouble = Some("there is no event of `go test -json` in them".to_owned());
        }
        self.cases
    }
}
