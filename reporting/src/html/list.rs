//! The list of all tests: the first of them as rows, all of them as data for the page's script.

use std::{
    collections::BTreeMap,
    io::{self, Write},
};

use jackfield_protocol::verdict::Verdict;

use super::sign;
use crate::{
    results::{Results, Row},
    text::{attribute, escaped, grouped, one_line, shortened, span},
};

/// Tests that the list holds without its script.
pub(super) const LISTED_TESTS_MAX: usize = 200;

/// Most characters of a reason in it.
const REASON_CHARACTERS_MAX: usize = 300;

/// Writes the list with its filter.
pub(super) fn write(results: &Results, out: &mut dyn Write) -> io::Result<()> {
    write!(
        out,
        "<h2 id=\"tests\">All tests</h2>\n<form id=\"filter\" data-script hidden>\n\
         <label>find in names, suites, reasons and EPs<input id=\"find\" type=\"search\" autocomplete=\"off\"></label>\n\
         <label>verdict<select id=\"verdict\"><option value=\"\">all</option><option>not passed</option>"
    )?;
    for verdict in Verdict::ALL {
        write!(out, "<option>{verdict}</option>")?;
    }
    write!(
        out,
        "</select></label>\n</form>\n<nav data-script hidden aria-label=\"Pages of tests\">\n\
         <button id=\"previous\" type=\"button\">previous</button>\n<button id=\"next\" type=\"button\">next</button>\n</nav>\n\
         <p id=\"tests-status\" class=\"soft\" role=\"status\">{}</p>\n<table aria-labelledby=\"tests\">\n\
         <thead><tr><th scope=\"col\" class=\"number\">#</th><th scope=\"col\">suite</th><th scope=\"col\">test</th><th scope=\"col\">verdict</th>\
         <th scope=\"col\">cause</th><th scope=\"col\">reason</th><th scope=\"col\">EP</th><th scope=\"col\" class=\"number\">time</th></tr></thead>\n\
         <tbody id=\"tests-body\">\n",
        how_many(results.plan.tests.len())
    )?;
    for row in results.rows().take(LISTED_TESTS_MAX) {
        listed(results, row, out)?;
    }
    writeln!(out, "</tbody>\n</table>")?;
    write!(out, "<script id=\"tests-data\" type=\"application/json\">")?;
    table(results, out)?;
    writeln!(out, "</script>")
}

/// What the list holds without its script.
fn how_many(tests: usize) -> String {
    let all = grouped(u64::try_from(tests).unwrap_or(u64::MAX));
    if tests > LISTED_TESTS_MAX {
        format!("the first {LISTED_TESTS_MAX} of {all} tests; the rest needs JavaScript")
    } else {
        format!("{all} tests")
    }
}

fn listed(results: &Results, row: Row<'_>, out: &mut dyn Write) -> io::Result<()> {
    let state = row.state().as_str();
    writeln!(
        out,
        "<tr><td class=\"number\">{}</td><td>{}</td><td>{}</td><td class=\"verdict {state}\">{} {state}</td><td>{}</td><td>{}</td><td>{}</td><td class=\"number\">{}</td></tr>",
        row.index,
        escaped(&results.suite_path(row.test.suite).join("/")),
        escaped(&row.test.name),
        sign(row.verdict()),
        row.cause().map_or("", |cause| cause.as_str()),
        escaped(&shortened(&one_line(row.reason()), REASON_CHARACTERS_MAX)),
        attribute(row.ep().map_or("", |ep| ep.as_str())),
        span(row.elapsed_millis())
    )
}

/// The list as data: `{"strings": […], "rows": [[index, suite, name, state, cause, reason, ep, millis], …]}`, where all but the
/// first and last are places in `strings`, so that what repeats stands there once.
fn table(results: &Results, out: &mut dyn Write) -> io::Result<()> {
    let mut strings = Strings::default();
    let mut rows = String::new();
    let mut paths = BTreeMap::new();
    for row in results.rows() {
        let suite = *paths
            .entry(row.test.suite)
            .or_insert_with(|| strings.place(results.suite_path(row.test.suite).join("/")));
        let name = strings.place(row.test.name.to_string());
        let state = strings.place(row.state().as_str().to_owned());
        let cause = strings.place(row.cause().map_or(String::new(), |cause| cause.to_string()));
        let reason = strings.place(shortened(&one_line(row.reason()), REASON_CHARACTERS_MAX));
        let ep = strings.place(row.ep().map_or(String::new(), ToString::to_string));
        let comma = if rows.is_empty() { "" } else { ",\n" };
        let millis = row.elapsed_millis();
        rows.push_str(&format!(
            "{comma}[{},{suite},{name},{state},{cause},{reason},{ep},{millis}]",
            row.index
        ));
    }
    // `<` would end the script element early, wherever it stands in a text.
    let strings = serde_json::to_string(&strings.list)?.replace('<', "\\u003c");
    write!(out, "{{\"strings\":{strings},\"rows\":[\n{rows}\n]}}")
}

#[derive(Default)]
struct Strings {
    list: Vec<String>,
    places: BTreeMap<String, usize>,
}

impl Strings {
    fn place(&mut self, text: String) -> usize {
        if let Some(place) = self.places.get(&text) {
            return *place;
        }
        let place = self.list.len();
        self.list.push(text.clone());
        self.places.insert(text, place);
        place
    }
}
