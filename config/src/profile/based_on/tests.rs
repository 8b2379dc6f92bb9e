use serde_json::json;

use super::*;

const IOS: &str = "name = 'ios'\nplatform = 'cisco_ios'\nprompt = '[#>] ?$'\nsetup = ['terminal length 0']\nerrors = ['^% ']\n[login]\nnudge = '2s'\n[[login.questions]]\nasks = 'key'\nanswer = ''\n[pager]\nmore = '--More--'\n";

fn below() -> BTreeMap<String, String> {
    [("ios".to_owned(), IOS.to_owned())].into()
}

fn told(files: &[(&str, &str)]) -> String {
    let (_, problems) = read_profiles(files, &below());
    problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

#[test]
fn tables_are_merged_lists_replaced_and_more_is_added() {
    let text = "name = 'site'\nbased_on = 'ios'\nsetup = ['no page']\nmore_errors = ['^! ']\nmore_unasked = ['^log']\n[login]\nconfirm = false\n\
                [[login.more_questions]]\nasks = 'menu'\nanswer = '5'\n[pager]\nanswer = 'y'\n";
    let (profiles, problems) = read_profiles(&[("site.toml", text)], &below());
    assert_eq!(problems, []);
    let site = &profiles[0].profile;
    assert_eq!((site.name.as_str(), site.platform.as_str()), ("site", "cisco_ios"));
    assert_eq!(
        (site.setup.clone(), site.errors.clone()),
        (vec!["no page".to_owned()], vec!["^% ".to_owned(), "^! ".to_owned()])
    );
    assert_eq!(site.unasked, ["^log"]);
    assert_eq!((site.login.confirm, site.login.nudge), (false, Some(std::time::Duration::from_secs(2))));
    let asks: Vec<&str> = site.login.questions.iter().map(|question| question.asks.as_str()).collect();
    assert_eq!(asks, ["menu", "key"]);
    let pager = site.pager.as_ref().unwrap();
    assert_eq!((pager.more.as_str(), pager.answer.as_str()), ("--More--", "y"));
    // What it stands for is whole: it can be read again where nobody knows its base.
    assert_eq!(&Profile::parse("again.toml", &profiles[0].text).unwrap(), site);
}

#[test]
fn one_of_the_lab_is_a_base_wherever_it_stands_and_goes_before_the_shipped() {
    let files = [("a.toml", "name = 'a'\nbased_on = 'ios'"), ("z.toml", "name = 'ios'\nprompt = 'z$'")];
    let (profiles, problems) = read_profiles(&files, &below());
    assert_eq!((problems, profiles[0].profile.prompt.as_str()), (Vec::new(), "z$"));
    // One with the name of its base is the shipped one with some of it otherwise.
    let (profiles, problems) =
        read_profiles(&[("i.toml", "name = 'ios'\nbased_on = 'ios'\nsettle = '1s'")], &below());
    assert_eq!((problems, profiles[0].profile.setup.len()), (Vec::new(), 1));
}

#[test]
fn a_base_that_is_none_is_told_with_file_line_and_remedy() {
    insta::assert_snapshot!(told(&[("a.toml", "name = 'a'\nbased_on = 'iso'\n")]), @"a.toml:2:12: error: `based_on`: there is no profile `iso`; did you mean `ios`?");
    insta::assert_snapshot!(told(&[("a.toml", "name = 'a'\nbased_on = 'a'\n")]), @"a.toml:2:12: error: the profile `a` is based on itself; name another one, or give this one a name of its own");
    insta::assert_snapshot!(told(&[("a.toml", "name = 'a'\nbased_on = 'b'\n"), ("b.toml", "name = 'b'\nbased_on = 'ios'\n")]), @"a.toml:2:12: error: `based_on`: `b` is itself based on `ios` (b.toml); base this one on `ios` and write here what `b` has otherwise, or let `b` stand alone");
    insta::assert_snapshot!(told(&[("a.toml", "name = 'a'\nbased_on = 'b'\n"), ("b.toml", "name = 'b'\n\nbased_on = 'a'\n")]), @r"
    a.toml:2:12: error: `based_on`: `b` is itself based on `a` (b.toml); let one of the two stand alone
    b.toml:3:12: error: `based_on`: `a` is itself based on `b` (a.toml); let one of the two stand alone
    ");
    insta::assert_snapshot!(told(&[("a.toml", "name = 'a'\nbased_on = 7\nprompt = '$'")]), @"a.toml:2:12: error: `based_on` is 7; write a text in quotes");
}

#[test]
fn problems_have_their_place_in_the_file_itself() {
    let text = "name = 'a'\nbased_on = 'ios'\nsetupp = []\nmore_eror = ['x']\nprompt = '[#'\n[config]\nenter = 'c'\nleave = 'e'\nlevel = 'top'\n";
    insta::assert_snapshot!(told(&[("a.toml", text)]), @r"
    a.toml:4:1: error: the file has no key `more_eror`; did you mean `more_errors`?
    a.toml:5:10: error: `prompt`: `[#` is no regular expression: unclosed character class
    a.toml:3:1: error: the file has no key `setupp`; did you mean `setup`?
    a.toml:6:1: error: there is no level `top`; name one of [[levels]]
    ");
    let text = "name = 'a'\nbased_on = 'ios'\n[[login.more_questions]]\nanswer = 'x'\n";
    insta::assert_snapshot!(told(&[("a.toml", text)]), @r"a.toml:3:1: error: a question has no `asks`; add a regular expression such as asks = '\[confirm\]'");
}

#[test]
fn a_resource_adds_questions_to_those_of_the_profile() {
    let anew =
        json!({"login": {"more_questions": [{"asks": "menu", "answer": "5"}]}, "more_setup": ["wide"]});
    let profile = Profile::parse_with("p.toml", IOS, anew.as_object().unwrap()).unwrap();
    assert_eq!(profile.login.questions.len(), 2);
    assert_eq!(profile.setup, ["terminal length 0", "wide"]);
    let anew = json!({"login": {"questions": [{"asks": "menu", "answer": "5"}]}});
    assert_eq!(
        Profile::parse_with("p.toml", IOS, anew.as_object().unwrap()).unwrap().login.questions.len(),
        1
    );
}
