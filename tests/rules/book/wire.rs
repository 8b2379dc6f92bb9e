//! What the book shows of the wire can be read, and its table of error codes is that of the code.

use std::{collections::BTreeMap, fs};

use jackfield_protocol::{
    error::Problem,
    event::RunEvent,
    link::{EngineToEp, EpToEngine},
};
use serde::de::DeserializeOwned;

use crate::page::{self, Page, split_code};

fn read<T: DeserializeOwned>(at: &str, text: &str) {
    if let Err(e) = serde_json::from_str::<T>(text) {
        panic!("{at}: this is no {}: {e}\n{text}", std::any::type_name::<T>());
    }
}

#[test]
fn messages_that_are_shown_can_be_read() {
    let link = Page::open("docs/protocol.md");
    let blocks: Vec<_> = link.blocks.iter().filter(|block| block.language == "json").collect();
    assert!(!blocks.is_empty(), "docs/protocol.md shows no message");
    for block in blocks {
        if serde_json::from_str::<EngineToEp>(&block.text).is_err() {
            read::<EpToEngine>(&link.at(block.line), &block.text);
        }
    }
    let api = Page::open("docs/api.md");
    for block in api.blocks.iter().filter(|block| block.language == "json") {
        read::<Problem>(&api.at(block.line), &block.text);
    }
    let events: Vec<_> = api
        .blocks
        .iter()
        .flat_map(|block| block.text.lines())
        .filter_map(|line| line.strip_prefix("data: "))
        .collect();
    assert!(!events.is_empty(), "docs/api.md shows no event");
    for event in events {
        read::<RunEvent>("docs/api.md", event);
    }
}

#[test]
fn the_table_of_error_codes_is_that_of_the_code() {
    let golden = page::root().join("protocol/tests/golden/v1/words/error_status.json");
    let codes: Vec<(String, u16)> = serde_json::from_str(&fs::read_to_string(golden).unwrap()).unwrap();
    let codes: BTreeMap<String, u16> = codes.into_iter().collect();
    let row = |text: &str| -> Option<(String, u16)> {
        let mut cells = text.trim_matches('|').split('|').map(str::trim);
        let (_, code) = split_code(cells.next()?);
        Some((code.into_iter().next()?, cells.next()?.parse().ok()?))
    };
    let page = Page::open("docs/api.md");
    let shown: BTreeMap<String, u16> = page.rows.iter().filter_map(|piece| row(&piece.text)).collect();
    assert_eq!(shown, codes, "docs/api.md, and ErrorCode::status");
}
