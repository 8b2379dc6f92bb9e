//! Addresses that the book shows are those of the OpenAPI document.

use std::{collections::BTreeSet, fs};

use serde_json::Value;

use crate::page;

/// `GET /api/v1/runs/{}`: names of parameters do not count.
fn documented() -> BTreeSet<String> {
    let snapshot = "central-engine/src/http/snapshots/jackfield_central_engine__http__openapi__tests__the_document_is_a_promise.snap";
    let text = fs::read_to_string(page::root().join(snapshot)).unwrap();
    let document = text.splitn(3, "---\n").nth(2).unwrap();
    let document: Value = serde_json::from_str(document).unwrap();
    let paths = document["paths"].as_object().unwrap();
    let methods = |path: &Value| path.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    paths
        .iter()
        .flat_map(|(path, ways)| methods(ways).into_iter().map(|way| address(&way.to_uppercase(), path)))
        .collect()
}

/// A method and a path without its query, its parameters unnamed.
fn address(method: &str, path: &str) -> String {
    let path = path.split(['?', ' ']).next().unwrap_or_default();
    let parts: Vec<&str> =
        path.split('/').map(|part| if part.starts_with('{') { "{}" } else { part }).collect();
    format!("{method} {}", parts.join("/"))
}

#[test]
fn every_address_that_is_shown_is_documented() {
    let documented = documented();
    let methods = ["GET ", "POST ", "PUT ", "DELETE ", "PATCH "];
    let mut shown = 0;
    for page in page::all() {
        for code in &page.code {
            let Some(method) = methods.iter().find(|method| code.text.starts_with(**method)) else {
                continue;
            };
            let path = code.text.trim_start_matches(method);
            let bases = ["/api/v1", ""];
            let found = bases
                .iter()
                .any(|base| documented.contains(&address(method.trim(), &format!("{base}{path}"))));
            assert!(found, "{}: `{}` is not in the OpenAPI document", page.at(code.line), code.text);
            shown += 1;
        }
    }
    assert!(shown >= 10, "only {shown} addresses were found in the book");
}

#[test]
fn every_address_that_is_documented_is_in_the_book() {
    let page = page::Page::open("docs/api.md");
    let shown: BTreeSet<String> = page
        .rows
        .iter()
        .flat_map(|row| page::split_code(&row.text).1)
        .filter_map(|code| code.split_once(' ').map(|(method, path)| address(method, path)))
        .collect();
    let is_shown = |documented: &String| {
        let short = documented.replacen(" /api/v1", " ", 1);
        shown.contains(documented) || shown.contains(&short)
    };
    let missing: Vec<String> = documented().into_iter().filter(|address| !is_shown(address)).collect();
    assert!(missing.is_empty(), "docs/api.md does not list {}", missing.join(", "));
}
