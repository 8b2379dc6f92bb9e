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
    insta::assert_snapshot!(told.join("\n"), @"");
}

#[test]
fn words_are_fixed_kept_or_the_rest() {
    let text =
        "name = 'x'\nstart = 'm'\n[modes.m]\nprompt = '>'\n[[commands]]\ncommand = 'set {key} {value...}'\n";
    let model = DeviceModel::parse("m.toml", text).unwrap();
    let words = &model.commands[0].words;
    assert_eq!(*words, [Word::Literal("set".into()), Word::Any("key".into()), Word::Rest("value".into())]);
}
