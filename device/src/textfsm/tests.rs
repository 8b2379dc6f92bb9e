//! What Google's interpreter makes of the same templates and texts; the rows were made by it.

use proptest::prelude::*;
use serde_json::json;

use super::*;

fn rows(template: &str, text: &str) -> Value {
    json!(parse(template, text).unwrap().rows)
}

fn told(template: &str, text: &str) -> String {
    parse(template, text).unwrap_err().to_string()
}

const INTERFACES: &str = r"# Interfaces and their addresses
Value Required,Key INTERFACE (\S+)
Value Filldown SLOT (\d+)
Value List ADDRESS ([\d.]+/\d+)
Value STATE (up|down)

Start
  ^Slot ${SLOT}:
  # a new interface records the one before it
  ^\S+ is -> Continue.Record
  ^${INTERFACE} is ${STATE}
  ^\s+address ${ADDRESS}
  ^$$
  ^. -> Error

EOF
";

#[test]
fn records_fill_down_and_collect_lists() {
    let text = "Slot 1:\nge0 is up\n  address 10.0.0.1/24\n  address 10.0.0.2/24\nge1 is down\n\nSlot 2:\nge2 is up\nx is -\n";
    // The EOF state keeps the last one from being recorded.
    let template = INTERFACES.replace("^. ->", "^zzz ->");
    assert_eq!(
        rows(&template, text),
        json!([
            ["ge0", "1", ["10.0.0.1/24", "10.0.0.2/24"], "up"],
            ["ge1", "2", [], "down"],
            ["ge2", "2", [], "up"],
        ])
    );
    insta::assert_snapshot!(told(INTERFACES, "what?"), @"the template refuses line 1 of the output: it is an error (`what?`, by the rule at line 14)");
}

#[test]
fn values_fill_up_until_one_that_is_there() {
    let template = "Value Fillup GROUP (\\d+)\nValue NAME ([a-z]+)\n\nStart\n ^${NAME}$$ -> Record\n ^${NAME} ${GROUP} -> Record\n";
    let filled = json!([["7", "a"], ["7", "b"], ["7", "c"], ["9", "d"], ["9", "e"], ["", "f"]]);
    assert_eq!(rows(template, "a\nb\nc 7\nd\ne 9\nf\n"), filled);
}

#[test]
fn lists_of_groups_are_lists_of_objects() {
    let template = "Value List PEER ((?P<name>\\w+) (?P<age>\\d+))\n\nStart\n ^${PEER}\n";
    assert_eq!(
        rows(template, "ana 30\nbob 40\n"),
        json!([[[{"name": "ana", "age": "30"}, {"name": "bob", "age": "40"}]]])
    );
}

#[test]
fn states_lead_on_and_end() {
    let template = "Value A (\\w+)\nValue B (\\w+)\n\nStart\n ^first ${A} -> Second\n\nSecond\n ^second ${B} -> Record Start\n ^drop -> Clear\n ^gone -> Clearall Start\n ^stop -> Record End\n";
    for (text, wanted) in [
        ("first a\nsecond b\nfirst c\n", json!([["a", "b"], ["c", ""]])),
        ("first a\ndrop\nsecond b\n", json!([["", "b"]])),
        ("first a\ngone\nsecond b\n", json!([])),
        ("first a\nstop\nfirst c\nsecond d", json!([["a", ""]])),
        ("", json!([])),
    ] {
        assert_eq!(rows(template, text), wanted, "{text}");
    }
}

#[test]
fn a_required_value_that_is_missing_drops_the_record() {
    let template = "Value Filldown HOST (\\w+)\nValue Required IF (\\w+)\n\nStart\n ^host ${HOST}\n ^if ${IF} -> Record\n";
    assert_eq!(rows(template, "host r1\nif a\nhost r2\n"), json!([["r1", "a"]]));
}

#[test]
fn what_is_wrong_with_a_template_is_told_with_its_line() {
    let value = "Value A (\\w+)\n\n";
    let all: Vec<String> = [
        "Start\n",
        "Value A (\\w+\n\nStart\n",
        "Value Often A (\\w+)\n\nStart\n",
        "Value List,List A (\\w+)\n\nStart\n",
        "Value A (\\w+)\nStart\n",
        &format!("{value}Begin\n ^x\n"),
        &format!("{value}Start\n^x\n"),
        &format!("{value}Start\n ^${{B}}\n"),
        &format!("{value}Start\n ^x$\n"),
        &format!("{value}Start\n ^x -> Recrod Next up\n"),
        &format!("{value}Start\n ^x -> Continue Start\n"),
        &format!("{value}Start\n ^x -> Elsewhere\n"),
        &format!("{value}Start\n ^(x\n"),
        &format!("{value}Start\n ^x\n\nStart\n"),
        &format!("{value}Start\n\nEOF\n ^x\n"),
        &format!("{value}Continue\n"),
    ]
    .iter()
    .map(|template| told(template, ""))
    .collect();
    insta::assert_snapshot!(all.join("\n"), @r"
    the template is wrong at line 1: a template begins with Value lines
    the template is wrong at line 1: the expression of `A` must stand in brackets: ((\w+)
    the template is wrong at line 1: there is no option `Often`: there are Required, Filldown, Fillup, Key, List
    the template is wrong at line 1: option `List` is there twice
    the template is wrong at line 2: a blank line ends the values
    the template is wrong: there is no state `Start`
    the template is wrong at line 4: a rule begins with one or two spaces and `^`
    the template is wrong at line 4: `^${B}`: there is no value `B`; add `Value B (…)` at the top
    the template is wrong at line 4: `^x$`: a `$` stands before no name; the end of the line is written `$$`
    the template is wrong at line 4: ` Recrod Next up` is no action: write -> Line.Record State, such as -> Continue.Record
    the template is wrong at line 4: `^x -> Continue Start`: Continue leads to no other state, or the template might never end
    the template is wrong at line 4: there is no state `Elsewhere`
    the template is wrong at line 4: `^(x` is no regular expression: Parsing error at position 8: Opening parenthesis without closing parenthesis
    the template is wrong at line 6: state `Start` is there twice
    the template is wrong at line 6: state `EOF` has no rules
    the template is wrong at line 3: `Continue` is no name for a state
    ");
}

proptest! {
    #[test]
    fn no_template_and_no_text_is_too_strange(
        values in proptest::collection::vec(("(List |Required |Filldown |Fillup )?", "[A-C]", "[a-z.\\\\\\[\\]{}+*?^$]{0,6}"), 0..3),
        rules in proptest::collection::vec("\\^[a-c ${}.\\\\*]{0,8}( -> (Continue|Next|Error)?.?(Record|Clear)? ?[A-Z]?)?", 0..3),
        text in "[a-c \n]{0,40}",
    ) {
        let mut template = String::new();
        for (options, name, regex) in values {
            template.push_str(&format!("Value {options}{name} ({regex})\n"));
        }
        template.push_str("\nStart\n");
        for rule in rules {
            template.push_str(&format!(" {rule}\n"));
        }
        let _ = parse(&template, &text);
    }
}
