//! What mail programs do not know is not in our mail: Outlook draws with Word, Gmail throws away what it does not like, and both show the rest
//! without a word. Whatever HTML a run makes is held against what they know.

use std::collections::BTreeSet;

use super::tests::{changes, settings};
use super::*;
use crate::{chart::ChartKind, excerpt::NoLogs, fixture, mail::chart::tests::chart};

/// Bytes of HTML from which on Gmail cuts a mail off.
const GMAIL_BYTES_MAX: usize = 102 * 1024;
/// Properties that Word draws. Of the others none may be needed to read the mail, so none is there.
const WORD_KNOWS: [&str; 17] = [
    "background",
    "border",
    "border-collapse",
    "border-left",
    "color",
    "display",
    "font-family",
    "font-size",
    "font-weight",
    "line-height",
    "margin",
    "padding",
    "padding-left",
    "padding-top",
    "text-align",
    "vertical-align",
    "width",
];
/// Not known there, and not missed: a long word is broken, or makes the table wider.
const NOT_MISSED: [&str; 1] = ["word-break"];
const ELEMENTS: [&str; 18] = [
    "html", "head", "meta", "title", "style", "body", "table", "tr", "td", "th", "h1", "h2", "p", "span",
    "b", "a", "img", "br",
];

/// An opening tag: its name and attributes.
struct Tag<'m> {
    name: &'m str,
    text: &'m str,
}

impl<'m> Tag<'m> {
    fn attribute(&self, name: &str) -> Option<&'m str> {
        let (_, behind) = self.text.split_once(&format!(" {name}=\""))?;
        behind.split('"').next()
    }
}

/// Our own HTML has no `>` inside of an attribute: text is escaped.
fn tags(html: &str) -> Vec<Tag<'_>> {
    let opening = html.split('<').skip(1).filter_map(|rest| rest.split_once('>').map(|(tag, _)| tag));
    let opening = opening.filter(|tag| tag.starts_with(|first: char| first.is_ascii_alphabetic()));
    opening.map(|text| Tag { name: text.split([' ', '/']).next().unwrap_or_default(), text }).collect()
}

fn faults(html: &str) -> Vec<String> {
    let mut faults = Vec::new();
    let known: BTreeSet<&str> = ELEMENTS.into();
    let properties: BTreeSet<&str> = WORD_KNOWS.into_iter().chain(NOT_MISSED).collect();
    for tag in tags(html) {
        if !known.contains(tag.name) {
            faults.push(format!("<{}> is not an element that every mail program knows", tag.name));
        }
        for property in
            tag.attribute("style").unwrap_or_default().split(';').filter(|one| !one.trim().is_empty())
        {
            let (name, value) = property.split_once(':').unwrap_or_default();
            let (name, value) = (name.trim(), value.trim());
            if !properties.contains(name)
                || ["flex", "grid", "var(", "calc(", "rgb", "url("].iter().any(|no| value.contains(no))
            {
                faults.push(format!("Word does not draw `{}` of {}", property.trim(), tag.text));
            }
        }
        let needs: &[&str] = match tag.name {
            "img" => &["width", "height", "alt"],
            "table" => &["cellpadding", "cellspacing", "border"],
            _ => &[],
        };
        let missing = needs.iter().filter(|name| tag.attribute(name).is_none());
        faults.extend(missing.map(|name| format!("{} has no {name}", tag.text)));
        let painted = tag.attribute("style").is_some_and(|style| style.contains("background:"));
        if painted && tag.attribute("bgcolor").is_none() {
            faults.push(format!("{} has its background in a style alone", tag.text));
        }
        let from_outside = tag.attribute("src").is_some_and(|place| !place.starts_with("cid:"));
        if from_outside {
            faults.push(format!("{} is fetched from elsewhere, which mail programs ask about", tag.text));
        }
    }
    if html.len() > GMAIL_BYTES_MAX {
        faults.push(format!("{} bytes are cut off by Gmail", html.len()));
    }
    // What is behind the media query is for those who know it; nothing else may be in a style sheet.
    let sheet =
        html.split("<style>").nth(1).and_then(|rest| rest.split("</style>").next()).unwrap_or_default();
    if !sheet.trim().is_empty() && !sheet.trim_start().starts_with("@media (prefers-color-scheme: dark)") {
        faults.push("a style sheet says more than what dark is".to_owned());
    }
    faults
}

#[test]
fn our_mail_has_what_outlook_and_gmail_draw_and_nothing_else() {
    let rows: Vec<&str> = vec!["a name of an ordinary length"; 100];
    let values = vec![Some(12.5); 100];
    let drawn = [ChartKind::Pie, ChartKind::Bar, ChartKind::Line, ChartKind::Bar]
        .map(|kind| chart(kind, &rows, &[("one", &values), ("two", &values)]));
    let compose = |results: &Results, changes: Option<&Changes>| {
        compose(results, &NoLogs, &settings(), &HtmlTemplate::Ours, changes, &drawn).unwrap().html
    };
    let mut failed = fixture::large(100_000);
    failed.tests.iter_mut().filter_map(|test| test.outcome.as_mut()).for_each(|outcome| {
        (outcome.verdict, outcome.reason) = (Verdict::Fail, "<p style=\"float: left\"> & co ".repeat(40));
    });
    for html in [
        compose(&fixture::demo(), None),
        compose(&fixture::demo(), Some(&changes())),
        compose(&fixture::large(100_000), None),
        compose(&failed, Some(&changes())),
        compose_test(&settings()).unwrap().html,
    ] {
        assert_eq!(faults(&html), [""; 0]);
    }
}

#[test]
fn what_they_do_not_draw_is_found() {
    for wrong in [
        "<div>x</div>",
        "<p style=\"display: flex\">x</p>",
        "<p style=\"white-space: pre-wrap;\">x</p>",
        "<td style=\"background: #fff\">x</td>",
        "<table><tr></tr></table>",
        "<img src=\"https://example.org/a.png\" width=\"1\" height=\"1\" alt=\"\">",
        "<img src=\"cid:trend\">",
        "<style>.page { color: red }</style>",
    ] {
        assert!(!faults(wrong).is_empty(), "{wrong}");
    }
    assert!(!faults(&"x".repeat(GMAIL_BYTES_MAX + 1)).is_empty());
}
