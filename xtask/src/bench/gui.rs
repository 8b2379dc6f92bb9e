//! The pages in Chromium: `web-ui/e2e/*.measure.ts` drive a browser against a lab of the release binary, and write a line for each
//! figure. How often each is measured they say themselves: a browser's start would drown the figures of a round.

use std::fs;

use anyhow::{Context, Result};
use serde::Deserialize;

use super::Measure;
use crate::{command::root, pages};

/// A line of the measures.
#[derive(Deserialize)]
struct Figure {
    name: String,
    value: f64,
    unit: String,
    goal: String,
    holds: Option<bool>,
}

impl From<Figure> for Measure {
    fn from(Figure { name, value, unit, goal, holds }: Figure) -> Self {
        Self { holds, ..Self::own(name, value, unit, goal) }
    }
}

pub(crate) fn measure() -> Result<Vec<Measure>> {
    let figures = root().join("target/measures.jsonl");
    fs::write(&figures, "").with_context(|| format!("writing {}", figures.display()))?;
    pages::measures(&root().join("target/dist/jackfield"), &figures)?;
    let text = fs::read_to_string(&figures)?;
    let read = |line: &str| {
        let figure: Figure = serde_json::from_str(line).with_context(|| format!("the figure `{line}`"))?;
        Ok(figure.into())
    };
    text.lines().map(read).collect()
}
