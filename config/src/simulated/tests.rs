//! Models that are wrong, and words of commands.

use super::*;

#[test]
fn every_problem_of_a_model_is_told_at_once() {
    let text = r#"
name = "x"
start = "exce"
[modes.exec]
prompt = "> "
[modes.config]
prmpt = "$ "
[[commands]]
command = "{rest...} more"
[[commands]]
command = "go"
go = "confg"
modes = ["nowhere"]
[[commands]]
command = "break"
fault = "explode"
delay = "soon"
add = { n = "x" }
"#;
    let problems = DeviceModel::parse("m.toml", text).unwrap_err();
    let told: Vec<String> = problems.iter().map(ToString::to_string).collect();
    insta::assert_snapshot!(told.join("\n"), @r#"
    m.toml:3:9: error: there is no mode `exce`; did you mean `exec`?
    m.toml:6:1: error: a mode has no `prompt`; add `prompt = "…"`
    m.toml:7:1: error: a mode has no key `prmpt`; did you mean `prompt`?
    m.toml:9:11: error: `command` is empty, or goes on after the rest of the line; write words, then {rest...}
    m.toml:12:6: error: there is no mode `confg`; known here: exec
    m.toml:13:9: error: there is no mode `nowhere`; known here: exec
    m.toml:16:9: error: `fault`: there is no `explode`; known here: hang, drop, flood, garble, reboot
    m.toml:17:9: error: `delay` is "soon"; write a time such as 90, 500ms, 5m or 2h
    m.toml:18:7: error: `add`: `n` is no whole number
    "#);
}

#[test]
fn words_are_fixed_kept_or_the_rest() {
    let text =
        "name = 'x'\nstart = 'm'\n[modes.m]\nprompt = '>'\n[[commands]]\ncommand = 'set {key} {value...}'\n";
    let model = DeviceModel::parse("m.toml", text).unwrap();
    let words = &model.commands[0].words;
    assert_eq!(*words, [Word::Literal("set".into()), Word::Any("key".into()), Word::Rest("value".into())]);
}
