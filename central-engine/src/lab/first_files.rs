//! What the lab's files say of things that live in the store or in memory: resources, SUTs, global parameters.

use std::sync::Arc;

use anyhow::{Result, bail};
use jackfield_config::{Lab, Read, problem, resources::Node};
use jackfield_protocol::{
    error::{ErrorCode, Problem},
    id::SutName,
};
use serde_json::{Value, json};

use crate::lab::{globals::FromFile, resources::FirstResources};

/// `resources.json` and `sut/*.json`, for the first start.
///
/// # Errors
/// A file has errors: a bench must not start with half of its devices.
pub(crate) fn resources(lab: &Lab) -> Result<FirstResources> {
    let mut first = FirstResources::default();
    if let Some(read) = lab.resources() {
        first.tree = Some(node("resources.json", read)?);
    }
    for (name, read) in lab.suts() {
        first.suts.insert(SutName::from(name.as_str()), node(&name, read)?);
    }
    Ok(first)
}

fn node(name: &str, read: Read<Node>) -> Result<Value> {
    for problem in &read.problems {
        tracing::warn!("{problem}");
    }
    match read.value {
        Some(node) if !problem::has_errors(&read.problems) => Ok(serde_json::from_str(&node.write())?),
        _ => {
            let lines: Vec<String> = read.problems.iter().map(ToString::to_string).collect();
            bail!("{name} has errors:\n{}", lines.join("\n"))
        }
    }
}

/// How a user's `globals.xml` is read, each time it is asked for: people edit it while tests run.
pub(crate) fn globals(lab: Arc<Lab>) -> FromFile {
    Arc::new(move |user| {
        let Some(read) = lab.as_user(user).globals() else { return Ok(json!({})) };
        if problem::has_errors(&read.problems) {
            let mut bad = Problem::new(ErrorCode::BadFile, "globals.xml has errors");
            bad.problems = read.problems;
            return Err(bad);
        }
        Ok(read.value.map_or_else(|| json!({}), |params| params.top.to_json()))
    })
}
