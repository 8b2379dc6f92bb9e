//! The text of a `Dependency`: `<ID>:<status>`, several joined by `;`.

use std::sync::Arc;

use jackfield_protocol::verdict::{Verdict, VerdictSet};

use super::DependsOn;
use crate::{problem::suggest, source::At, xml::Walk};

/// The words a status may be.
const STATUSES: [&str; 8] =
    ["pass", "fail", "skipped", "aborted", "not executed", "timeout", "invalid", "any"];

/// Reads the entries of one `Dependency` element.
pub(super) fn read(walk: &Walk, text: &At<Arc<str>>) -> Vec<DependsOn> {
    walk.split(text, ';').iter().filter_map(|entry| read_entry(walk, entry)).collect()
}

fn read_entry(walk: &Walk, entry: &At<Arc<str>>) -> Option<DependsOn> {
    let (id, status) = match entry.value.rsplit_once(':') {
        Some((id, status)) if !id.trim().is_empty() && !status.trim().is_empty() => {
            (id.trim(), status.trim())
        }
        _ => {
            let message = format!("`{}` is not a dependency", entry.value);
            walk.error(entry.span, message, "write <ID>:<status>, several joined by `;`");
            return None;
        }
    };
    let Some(demand) = demand(status) else {
        let word = status.to_lowercase();
        let help = match word.as_str() {
            "pending" | "working" | "waiting" => {
                "a dependency waits for an end: pass, fail or any".to_owned()
            }
            _ => suggest(&word, STATUSES),
        };
        walk.error(entry.span, format!("`{status}` is not a status a test can end with"), help);
        return None;
    };
    let id = At::new(walk.word(id), entry.span);
    Some(DependsOn { id, status: walk.word(status), demand })
}

fn demand(status: &str) -> Option<VerdictSet> {
    if status.eq_ignore_ascii_case("any") {
        return Some(VerdictSet(Verdict::ALL.into_iter().collect()));
    }
    status.parse().ok().map(|verdict| VerdictSet([verdict].into_iter().collect()))
}
