//! A step that gives a command, with what it may ask and where its answer goes.

use crate::{
    steps::{Answer, Command, ToFile},
    toml_table::Table,
};

/// `command = "reload"` with `answers`, `keep_unasked`, `allow_error`, `to_file` and `artifact`.
pub(super) fn read_command(fields: &Table<'_>) -> Option<Command> {
    let answers = fields.tables("answers", "an answer");
    let to_file = fields.filled_text("to_file");
    let artifact = fields.flag("artifact");
    if artifact.is_some() && !fields.has("to_file") {
        fields.error_at(
            "artifact",
            "`artifact` says nothing without `to_file`",
            "add to_file = \"answer.txt\"",
        );
    }
    Some(Command {
        line: fields.text("command")?,
        allow_error: fields.flag("allow_error").unwrap_or(false),
        answers: answers.iter().filter_map(read_answer).collect(),
        keep_unasked: fields.flag("keep_unasked").unwrap_or(false),
        to_file: to_file.map(|path| ToFile { path, artifact: artifact.unwrap_or(false) }),
    })
}

/// `{ asks = "confirm", answer = "y" }`; an answer that is left out is the line end alone.
fn read_answer(fields: &Table<'_>) -> Option<Answer> {
    if !fields.has("asks") {
        fields
            .error("an answer does not say to what", "add asks = \"a regular expression for the question\"");
    }
    let answer = Answer {
        asks: fields.pattern("asks").unwrap_or_default(),
        answer: fields.text("answer").unwrap_or_default(),
        enter: fields.flag("enter").unwrap_or(true),
        secret: fields.flag("secret").unwrap_or(false),
    };
    if answer.answer.is_empty() && !answer.enter {
        fields.error_at("enter", "an empty answer without a line end sends nothing", "leave `enter` out");
    }
    fields.finish();
    fields.has("asks").then_some(answer)
}
