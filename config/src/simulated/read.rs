//! A device model from its TOML.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{
    Ask, Change, Condition, DeviceModel, Fault, Go, LaterResult, LoginAnswer, LoginAsk, Mode, ModelCommand,
    ModelLogin, ModelPager, Word,
};
use crate::{problem::suggest, toml_table::Table};

const FAULTS: [(&str, Fault); 5] = [
    ("hang", Fault::Hang),
    ("drop", Fault::Drop),
    ("flood", Fault::Flood),
    ("garble", Fault::Garble),
    ("reboot", Fault::Reboot),
];

/// Time that a device needs to start, where the model does not say.
const DOWN_DEFAULT: std::time::Duration = std::time::Duration::from_secs(1);
/// Most lines of a page.
const PAGE_LINES_MAX: u32 = 10_000;

pub(super) fn read_model(fields: &Table<'_>) -> Option<DeviceModel> {
    let modes: BTreeMap<String, Mode> = fields
        .named_tables("modes", "a mode")
        .into_iter()
        .filter_map(|(name, mode)| read_mode(&mode).map(|mode| (name.to_owned(), mode)))
        .collect();
    let names: Vec<&str> = modes.keys().map(String::as_str).collect();
    let commands = fields
        .tables("commands", "a command")
        .iter()
        .filter_map(|command| read_command(command, &names))
        .collect();
    let start = fields.required_text("start").unwrap_or_default();
    if fields.has("start") {
        check_mode(fields, "start", &start, &names);
    }
    // What must be there and is not is told of: a document with a problem gives no value.
    Some(DeviceModel {
        name: fields.required_text("name").unwrap_or_default(),
        description: fields.text("description").unwrap_or_default(),
        banner: fields.text("banner").unwrap_or_default(),
        welcome: fields.text("welcome").unwrap_or_default(),
        login: fields.table("login", "a login").as_ref().and_then(read_login),
        unknown: fields.text("unknown").unwrap_or_else(|| "% Unknown command.".to_owned()),
        ambiguous: fields.text("ambiguous").unwrap_or_else(|| "% Ambiguous command.".to_owned()),
        abbreviate: fields.flag("abbreviate").unwrap_or(false),
        redraws: fields.flag("redraws").unwrap_or(false),
        redraws_keys: fields.flag("redraws_keys").unwrap_or(false),
        pager: fields.table("pager", "a pager").as_ref().and_then(read_pager),
        start,
        commands,
        state: fields.values("state"),
        modes,
    })
}

fn check_mode(fields: &Table<'_>, key: &str, name: &str, known: &[&str]) {
    if !known.contains(&name) {
        fields.error_at(key, format!("there is no mode `{name}`"), suggest(name, known.iter().copied()));
    }
}

fn read_login(fields: &Table<'_>) -> Option<ModelLogin> {
    let text = |key: &'static str, default: &str| fields.text(key).unwrap_or_else(|| default.to_owned());
    let (user, password) = (fields.required_text("user"), fields.required_text("password"));
    let (user_prompt, password_prompt) =
        (text("user_prompt", "Username: "), text("password_prompt", "Password: "));
    let failed = text("failed", "% Login incorrect");
    let questions = fields.flag("questions").unwrap_or(false);
    let asks = fields.tables("asks", "a question of the login").iter().filter_map(read_login_ask).collect();
    fields.finish();
    Some(ModelLogin {
        user: user?,
        password: password?,
        user_prompt,
        password_prompt,
        failed,
        questions,
        asks,
    })
}

fn read_login_ask(fields: &Table<'_>) -> Option<LoginAsk> {
    let (text, prompt) = (fields.text("text").unwrap_or_default(), fields.required_text("prompt"));
    let flag = |key: &'static str| fields.flag(key).unwrap_or(false);
    let (hidden, after_password) = (flag("hidden"), flag("after_password"));
    let answer = match (fields.text("answer"), fields.text("totp_secret"), flag("key")) {
        (Some(line), None, false) => Some(LoginAnswer::Line(line)),
        (None, Some(secret), false) => Some(LoginAnswer::Code(secret)),
        (None, None, true) => Some(LoginAnswer::Key),
        _ => {
            let remedy = "write one of `answer` (a line), `totp_secret` (base32) and `key = true`";
            fields.error("a question of the login takes one kind of answer", remedy);
            None
        }
    };
    fields.finish();
    Some(LoginAsk { text, prompt: prompt?, answer: answer?, hidden, after_password })
}

fn read_pager(fields: &Table<'_>) -> Option<ModelPager> {
    let lines = fields.number("lines", 0..=PAGE_LINES_MAX).unwrap_or(24);
    let text = fields.text("text").unwrap_or_else(|| " --More-- ".to_owned());
    fields.finish();
    Some(ModelPager { lines, text })
}

fn read_mode(fields: &Table<'_>) -> Option<Mode> {
    let (prompt, also) = (fields.required_text("prompt"), fields.text("also"));
    fields.finish();
    Some(Mode { prompt: prompt?, also })
}

fn read_command(fields: &Table<'_>, modes: &[&str]) -> Option<ModelCommand> {
    let ask = fields.table("ask", "a question").as_ref().and_then(read_ask);
    let later = fields
        .tables("later", "a later change")
        .iter()
        .map(|later| {
            let entry = (later.duration("after").unwrap_or_default(), read_changes(later));
            later.finish();
            entry
        })
        .collect();
    let command = ModelCommand {
        line: fields.line(),
        modes: fields.texts("modes"),
        words: read_words(fields)?,
        conditions: read_conditions(fields),
        ask,
        changes: read_changes(fields),
        later,
        output: fields.text("output").unwrap_or_default(),
        result: fields.table("result", "a later result").as_ref().and_then(read_result),
        go: read_go(fields, modes),
        context: templates(fields, "context"),
        page_lines: fields.text("page_lines"),
        delay: fields.duration("delay").unwrap_or_default(),
        fault: fields.choice("fault", &FAULTS),
        down: fields.duration("down").unwrap_or(DOWN_DEFAULT),
    };
    fields.finish();
    for mode in &command.modes {
        check_mode(fields, "modes", mode, modes);
    }
    Some(command)
}

fn read_words(fields: &Table<'_>) -> Option<Vec<Word>> {
    let words: Vec<Word> = fields
        .required_text("command")?
        .split_whitespace()
        .map(|word| match word.strip_prefix('{').and_then(|word| word.strip_suffix('}')) {
            None => Word::Literal(word.to_owned()),
            Some(name) => match name.strip_suffix("...") {
                Some(name) => Word::Rest(name.to_owned()),
                None => Word::Any(name.to_owned()),
            },
        })
        .collect();
    let rest_first = words.iter().rev().skip(1).any(|word| matches!(word, Word::Rest(_)));
    if words.is_empty() || rest_first {
        fields.error_at(
            "command",
            "`command` is empty, or goes on after the rest of the line",
            "write words, then {rest...}",
        );
        return None;
    }
    Some(words)
}

fn read_conditions(fields: &Table<'_>) -> Vec<Condition> {
    let mut conditions = Vec::new();
    for (key, present) in [("needs", true), ("forbids", false)] {
        for table in fields.tables(key, "a condition") {
            let (name, entry) = (table.required_text("table"), table.required_text("key"));
            let otherwise = table.required_text("otherwise");
            table.finish();
            if let (Some(table), Some(key), Some(otherwise)) = (name, entry, otherwise) {
                conditions.push(Condition { table, key, present, otherwise });
            }
        }
    }
    conditions
}

fn read_result(fields: &Table<'_>) -> Option<LaterResult> {
    let (after, output) = (fields.duration("after").unwrap_or_default(), fields.required_text("output"));
    fields.finish();
    Some(LaterResult { after, output: output? })
}

fn read_ask(fields: &Table<'_>) -> Option<Ask> {
    let (prompt, answer) = (fields.required_text("prompt"), fields.required_text("answer"));
    let wrong = fields.text("wrong").unwrap_or_else(|| "% Bad secrets".to_owned());
    fields.finish();
    Some(Ask { prompt: prompt?, answer: answer?, wrong })
}

fn read_changes(fields: &Table<'_>) -> Vec<Change> {
    let set = templates(fields, "set").into_iter().map(|(path, value)| Change::Set { path, value });
    let mut changes: Vec<Change> = set.collect();
    for table in fields.tables("put", "an entry to put") {
        let (name, key) = (table.required_text("table"), table.required_text("key"));
        let value = templates(&table, "value");
        table.finish();
        changes.extend(name.zip(key).map(|(table, key)| Change::Put { table, key, value }));
    }
    for table in fields.tables("remove", "an entry to remove") {
        let (name, key) = (table.required_text("table"), table.required_text("key"));
        table.finish();
        changes.extend(name.zip(key).map(|(table, key)| Change::Remove { table, key }));
    }
    for (path, amount) in fields.values("add") {
        match amount.as_i64() {
            Some(amount) => changes.push(Change::Add { path, amount }),
            None => fields.error_at("add", format!("`add`: `{path}` is no whole number"), ""),
        }
    }
    changes
}

fn read_go(fields: &Table<'_>, modes: &[&str]) -> Go {
    let Some(mode) = fields.text("go") else { return Go::Stay };
    match mode.as_str() {
        "back" => Go::Back,
        "close" => Go::Close,
        _ => {
            check_mode(fields, "go", &mode, modes);
            Go::Enter(mode)
        }
    }
}

fn templates(fields: &Table<'_>, key: &'static str) -> BTreeMap<String, String> {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    fields.values(key).iter().map(|(name, value)| (name.clone(), text(value))).collect()
}
