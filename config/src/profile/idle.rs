//! Words of a profile that nothing would ever use: refused where they stand, since who wrote them expects something of them.

use super::Level;
use crate::toml_table::Table;

/// What is asked on the way to a level is asked by the command that leads there.
pub(super) fn check_level(fields: &Table<'_>) {
    if fields.has("enter") {
        return;
    }
    for key in ["user", "secret", "questions", "more_questions"] {
        if fields.has(key) {
            let message = format!("`{key}` of a level without `enter` is never asked");
            fields.error_at(key, message, "add the command that leads there from the level below");
        }
    }
}

/// Nothing lies below the lowest level: no command leads there from below, and none from it down.
pub(super) fn check_lowest(fields: &Table<'_>, levels: &[Level]) {
    let Some(lowest) = levels.first() else { return };
    for (key, command) in [("enter", &lowest.enter), ("leave", &lowest.leave)] {
        if let Some(command) = command {
            let message =
                format!("`{key}` (`{command}`) of the lowest level `{}` is never given", lowest.name);
            fields.error_at("levels", message, "leave it out, or put the levels in order, the lowest first");
        }
    }
}

/// A text of several lines ends with the mark that its first line names.
pub(super) fn check_text(fields: &Table<'_>, text: Option<&str>) {
    let groups =
        text.and_then(|text| regex::bytes::Regex::new(text).ok()).map_or(2, |regex| regex.captures_len());
    if groups < 2 {
        let message = "`text` has no group: nothing says which mark ends the text";
        fields.error_at("text", message, "put the mark into a group, such as text = '^banner \\w+ (\\S)'");
    }
}

pub(super) fn check_pager(fields: &Table<'_>) {
    if fields.has("end_answer") && !fields.has("end") {
        let message = "`end_answer` of a pager without `end` is never sent";
        fields.error_at("end_answer", message, "add what the pager shows after the last page");
    }
}
