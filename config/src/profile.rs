//! A profile: how to talk with one kind of device, as data.
//!
//! Everything is a regular expression over bytes or a text to send. A resource names its profile; a lab may override a shipped one
//! with a file of the same name in `profiles/`, or base its own on one.

use std::time::Duration;

use crate::toml_table::Table;

mod based_on;
mod encoding;
mod idle;
mod screen_size;
pub mod shipped;
mod ssh_backend;

pub use based_on::{ReadProfile, name_in, read_profiles};
pub use encoding::Encoding;
pub use screen_size::{ScreenSize, ScreenSizeError};
pub use ssh_backend::SshBackend;

/// How to talk with one kind of device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    /// What resources call it.
    pub name: String,
    /// For people.
    pub description: String,
    /// What templates call this kind of device (`cisco_ios`); its name where nothing else is given.
    pub platform: String,
    /// Matches a prompt where nothing follows it.
    pub prompt: String,
    /// What ends a line that is sent.
    pub line_ending: String,
    /// How its bytes are letters.
    pub encoding: Encoding,
    /// The kind of terminal that the device is told it talks to.
    pub terminal: String,
    /// The size of the screen, where programs of this kind of device fill one.
    pub screen: Option<ScreenSize>,
    /// Quiet time after which a prompt that was not seen before is believed.
    pub settle: Duration,
    /// The prompt is also shown between a command and its answer: also a known one is believed only after the settle time.
    pub prompt_before_answer: bool,
    /// Given after each command, where a prompt does not prove that the answer is whole.
    pub answer_end: Option<AnswerEnd>,
    /// Match what the device's line editor draws in the middle of an answer: it is no part of it.
    pub redrawn: Vec<String>,
    /// Answers that go on behind a prompt.
    pub goes_on: Vec<GoesOn>,
    /// The key at which the device shows help in the middle of a line.
    pub help: Option<Help>,
    /// How to get from the connection to the first prompt.
    pub login: Login,
    /// What to send once at the first prompt, in order: no pager, wide lines.
    pub setup: Vec<String>,
    /// What a pager shows, and what makes it go on; none where there is no pager.
    pub pager: Option<Pager>,
    /// Privilege levels from the lowest to the highest; may be empty.
    pub levels: Vec<Level>,
    /// How lines of configuration are given.
    pub config: Option<ConfigMode>,
    /// Match an answer that refuses a command.
    pub errors: Vec<String>,
    /// Match what comes unasked, up to the end of its line (log lines on a console): it is no part of an answer.
    pub unasked: Vec<String>,
    /// Match commands whose answers are such lines: there they are what was asked for.
    pub log_commands: Vec<String>,
    /// Match commands that ask nothing and, after `setup`, fill no pages: what proves the end of their answer is sent with them.
    pub plain_commands: Vec<String>,
    /// What a command may ask, and what it is answered.
    pub questions: Vec<Question>,
    /// How it is started anew; none where nobody may.
    pub reboot: Option<Reboot>,
    /// Time between two bytes that are sent, for a line that loses what comes too fast.
    pub pace: Option<Duration>,
    /// What ends the dialogue in good order.
    pub logout: Option<String>,
    /// Devices of this kind offer only algorithms that are unsafe by today's measure.
    pub legacy_ssh: bool,
    /// The library that devices of this kind get on better with; none: the usual one.
    pub ssh_backend: Option<SshBackend>,
}

/// The way from the connection to the first prompt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Login {
    /// Asks for the user.
    pub user: String,
    /// Asks for the password.
    pub password: String,
    /// Asks for a new password in place of one that must be changed.
    pub new_password: String,
    /// Asks for a one-time code.
    pub code: String,
    /// Waits for a line end before it asks anything, on a console that nobody has used for a while.
    pub wake: String,
    /// Says that they were not right.
    pub failed: String,
    /// A console that says nothing is sent a nudge after this long, and again; none: never.
    pub nudge: Option<Duration>,
    /// What a nudge is; the line ending where it is not given.
    pub nudge_text: Option<String>,
    /// Also a console that talks is nudged. Without it one that is starting is left alone: an empty line would stop its boot loader.
    pub nudge_always: bool,
    /// What may be asked on the way, and what it is answered at once: `Press any key to continue`, the countdown of a boot loader.
    pub questions: Vec<Question>,
    /// Once logged in, the first prompt is asked for again with an empty line, and believed when it comes back. Without it the
    /// device must be quiet for the settle time.
    pub confirm: bool,
}

/// An answer that goes on behind a prompt: the device takes an order, and tells its result when it is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GoesOn {
    /// Matches an answer that goes on.
    pub says: String,
    /// Matches the end of its result.
    pub until: String,
}

/// Help at a key, which the device shows without a line end, with the line behind it as it was typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Help {
    /// The key: `?`.
    pub key: String,
    /// What wipes the line that was typed.
    pub wipe: String,
}

/// A command that does nothing but mark the end of the answer before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AnswerEnd {
    /// The command.
    pub command: String,
    /// Matches what the device says to it, whole line.
    pub shows: String,
}

/// A question in the middle of a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// Matches the question.
    pub asks: String,
    /// The answer, without a line ending.
    pub answer: String,
    /// The answer is ended as a line.
    pub enter: bool,
}

/// How a device is started anew, and known to be back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reboot {
    /// The command.
    pub command: String,
    /// What it may ask, and what it is answered.
    pub questions: Vec<Question>,
    /// Matches what the device says when it has begun to go down; without it the command alone counts.
    pub going: Option<String>,
    /// Time until it must be back with a prompt.
    pub timeout: Duration,
    /// Time after the command before it is tried to reach it again.
    pub pause: Duration,
    /// A command whose answer is another one after each start: until it is, the device has not been down yet.
    pub proof: Option<String>,
    /// The device has no telnet of its own while it starts: a telnet session leads to its serial console, and stays.
    pub console: bool,
}

/// A pager.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pager {
    /// What it shows.
    pub more: String,
    /// What makes it go on.
    pub answer: String,
    /// What it shows after the last page, where it does not end by itself.
    pub end: Option<String>,
    /// What ends it then.
    pub end_answer: String,
}

/// A privilege level.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Level {
    /// Its name.
    pub name: String,
    /// Matches its prompts.
    pub prompt: String,
    /// The command that leads here from the level below.
    pub enter: Option<String>,
    /// Asks for the secret on the way here.
    pub secret: Option<String>,
    /// Asks for the user on the way here.
    pub user: Option<String>,
    /// What else is asked on the way, and what it is answered.
    pub questions: Vec<Question>,
    /// The command that leads back to the level below.
    pub leave: Option<String>,
}

/// Configuration mode.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigMode {
    /// The command that leads into it; none where the first line of configuration does.
    pub enter: Option<String>,
    /// What makes the lines count, before leaving (`commit`).
    pub commit: Option<String>,
    /// What takes back the lines before, when one was refused (`rollback 0`).
    pub abort: Option<String>,
    /// The command that leads out of it, from any depth.
    pub leave: String,
    /// The level it can be entered from.
    pub level: Option<String>,
    /// Matches its prompts: a device that is found in it is brought out first.
    pub prompt: Option<String>,
    /// Matches a line that begins a text of several lines (a banner); its group is the mark that ends the text.
    pub text: Option<String>,
}

impl Question {
    /// What is sent as its answer, where lines end so.
    pub fn reply(&self, line_ending: &str) -> String {
        let ending = if self.enter { line_ending } else { "" };
        format!("{}{ending}", self.answer)
    }
}

/// Time for a device to come back, where a profile names none.
pub const REBOOT_TIMEOUT_DEFAULT: Duration = Duration::from_secs(300);
/// Time before a device that was started anew is tried again, where a profile names none.
pub const REBOOT_PAUSE_DEFAULT: Duration = Duration::from_secs(5);
/// Quiet time where a profile names none.
pub const SETTLE_DEFAULT: Duration = Duration::from_millis(100);

/// Reads a profile; `no_base` is what is wrong with the one that it is based on: a message and what to do.
fn read_profile(fields: &Table<'_>, no_base: Option<(&str, &str)>) -> Option<Profile> {
    if fields.text("based_on").is_some()
        && let Some((message, help)) = no_base
    {
        fields.error_at("based_on", message, help);
    }
    let login = fields.table("login", "a login");
    let levels = tables(fields, ["levels", "more_levels"], "a privilege level", read_level);
    idle::check_lowest(fields, &levels);
    let config = fields.table("config", "configuration mode").as_ref().and_then(read_config);
    if let Some(level) = config.as_ref().and_then(|config| config.level.as_ref())
        && !levels.iter().any(|known| known.name == *level)
    {
        fields.error_at("config", format!("there is no level `{level}`"), "name one of [[levels]]");
    }
    if !fields.has("prompt") {
        fields.error("a profile has no `prompt`", "add a regular expression such as prompt = '[#>] ?$'");
    }
    let (name, prompt) = (fields.required_text("name"), fields.pattern("prompt"));
    let name = name.unwrap_or_default();
    let profile = Profile {
        platform: fields.text("platform").unwrap_or_else(|| name.clone()),
        name,
        description: fields.text("description").unwrap_or_default(),
        prompt: prompt.unwrap_or_default(),
        line_ending: fields.text("line_ending").unwrap_or_else(|| "\r".to_owned()),
        encoding: read_encoding(fields),
        terminal: fields.text("terminal").unwrap_or_else(|| "vt100".to_owned()),
        screen: read_screen(fields),
        settle: fields.duration("settle").unwrap_or(SETTLE_DEFAULT),
        prompt_before_answer: fields.flag("prompt_before_answer").unwrap_or(false),
        answer_end: fields.table("answer_end", "the end of an answer").as_ref().and_then(read_answer_end),
        redrawn: all(fields.patterns("redrawn"), fields.patterns("more_redrawn")),
        goes_on: tables(fields, ["goes_on", "more_goes_on"], "an answer that goes on", read_goes_on),
        help: fields.table("help", "help at a key").as_ref().and_then(read_help),
        login: read_login(login.as_ref()),
        setup: all(fields.texts("setup"), fields.texts("more_setup")),
        pager: fields.table("pager", "a pager").as_ref().and_then(read_pager),
        levels,
        config,
        errors: all(fields.patterns("errors"), fields.patterns("more_errors")),
        unasked: all(fields.patterns("unasked"), fields.patterns("more_unasked")),
        log_commands: all(fields.patterns("log_commands"), fields.patterns("more_log_commands")),
        plain_commands: all(fields.patterns("plain_commands"), fields.patterns("more_plain_commands")),
        questions: read_questions(fields),
        reboot: fields.table("reboot", "a reboot").as_ref().and_then(read_reboot),
        pace: fields.duration("pace"),
        logout: fields.text("logout"),
        legacy_ssh: fields.flag("legacy_ssh").unwrap_or(false),
        ssh_backend: fields.choice("ssh_backend", &SshBackend::NAMES),
    };
    // What must be there and is not was told of above: a document with a problem gives no value.
    Some(profile)
}

fn read_encoding(fields: &Table<'_>) -> Encoding {
    let Some(name) = fields.text("encoding") else { return Encoding::UTF_8 };
    Encoding::named(&name).unwrap_or_else(|| {
        let message = format!("`encoding`: there is no `{name}` that a line of text can be sent in");
        fields.error_at(
            "encoding",
            message,
            "name one such as utf-8, latin1, windows-1252, gbk or shift_jis",
        );
        Encoding::UTF_8
    })
}

fn read_goes_on(fields: &Table<'_>) -> Option<GoesOn> {
    for key in ["says", "until"] {
        if !fields.has(key) {
            fields.error(format!("an answer that goes on has no `{key}`"), "add a regular expression for it");
        }
    }
    let (says, until) = (fields.pattern("says"), fields.pattern("until"));
    fields.finish();
    Some(GoesOn { says: says?, until: until? })
}

fn read_help(fields: &Table<'_>) -> Option<Help> {
    let key = fields.required_text("key");
    let wipe = fields.text("wipe").unwrap_or_else(|| "\u{15}".to_owned());
    fields.finish();
    Some(Help { key: key?, wipe })
}

fn read_screen(fields: &Table<'_>) -> Option<ScreenSize> {
    let text = fields.text("screen")?;
    match text.parse() {
        Ok(size) => Some(size),
        Err(error) => {
            let error: ScreenSizeError = error;
            fields.error_at("screen", format!("`{text}` is no size of a screen"), error.to_string());
            None
        }
    }
}

fn read_login(fields: Option<&Table<'_>>) -> Login {
    let pattern = |key: &'static str, default: &str| {
        fields.and_then(|fields| fields.pattern(key)).unwrap_or_else(|| default.to_owned())
    };
    let login = Login {
        // A line that is nothing but the question needs no quiet time after it; anything else might go on ("Last login: Monday").
        user: pattern("user", r"(?im)^(?:user ?name|login): |(?i:(?:login|user ?name|user) ?: ?$)"),
        password: pattern(
            "password",
            r"(?im)^password: |(?i:(?:password|passcode)(?: for [^\r\n:]{0,80})? ?: ?$)",
        ),
        new_password: pattern(
            "new_password",
            r"(?i)\b(?:new|retype|re-?enter|confirm|repeat|verify)\b[^\r\n:]{0,40}(?:password|passphrase|secret)[^\r\n:]{0,20} ?: ?$",
        ),
        code: pattern("code", r"(?i)(?:verification|one-time|otp|token|passcode)[^\r\n]{0,40}: ?$"),
        wake: pattern("wake", r#"(?i)press (?:the )?[<\[("']?(?:return|enter|any key)[^\r\n]{0,60}"#),
        failed: pattern(
            "failed",
            r"(?i)login (?:incorrect|invalid|failed)|authentication failed|access denied|bad passwords?|too many failures",
        ),
        nudge: fields.and_then(|fields| fields.duration("nudge")),
        nudge_text: fields.and_then(|fields| fields.text("nudge_text")),
        nudge_always: fields.and_then(|fields| fields.flag("nudge_always")).unwrap_or(false),
        questions: fields.map(read_questions).unwrap_or_default(),
        confirm: fields.and_then(|fields| fields.flag("confirm")).unwrap_or(true),
    };
    if let Some(fields) = fields {
        fields.finish();
    }
    login
}

fn read_answer_end(fields: &Table<'_>) -> Option<AnswerEnd> {
    let command = fields.required_text("command");
    if !fields.has("shows") {
        fields.error("the end of an answer has no `shows`", "add what the device says to its command");
    }
    let shows = fields.pattern("shows");
    fields.finish();
    Some(AnswerEnd { command: command?, shows: shows? })
}

fn read_pager(fields: &Table<'_>) -> Option<Pager> {
    if !fields.has("more") {
        fields.error("a pager has no `more`", "add what it shows, such as more = '--More--'");
    }
    let more = fields.pattern("more");
    let answer = fields.text("answer").unwrap_or_else(|| " ".to_owned());
    let end = fields.pattern("end");
    let end_answer = fields.text("end_answer").unwrap_or_else(|| "q".to_owned());
    idle::check_pager(fields);
    fields.finish();
    Some(Pager { more: more?, answer, end, end_answer })
}

fn read_level(fields: &Table<'_>) -> Option<Level> {
    let name = fields.required_text("name");
    if !fields.has("prompt") {
        fields.error("a privilege level has no `prompt`", "add a regular expression such as prompt = '#$'");
    }
    let prompt = fields.pattern("prompt");
    let (enter, secret, leave) = (fields.text("enter"), fields.pattern("secret"), fields.text("leave"));
    let (user, questions) = (fields.pattern("user"), read_questions(fields));
    idle::check_level(fields);
    fields.finish();
    Some(Level { name: name?, prompt: prompt?, enter, secret, user, questions, leave })
}

fn read_config(fields: &Table<'_>) -> Option<ConfigMode> {
    let (enter, leave) = (fields.text("enter"), fields.required_text("leave"));
    if !fields.has("enter") && !fields.has("prompt") {
        let remedy = "add the command that leads into it, or, where lines of configuration do, its `prompt`";
        fields.error("configuration mode has no `enter`", remedy);
    }
    let (commit, level, abort) = (fields.text("commit"), fields.text("level"), fields.text("abort"));
    let (prompt, text) = (fields.pattern("prompt"), fields.pattern("text"));
    idle::check_text(fields, text.as_deref());
    fields.finish();
    Some(ConfigMode { enter, commit, abort, leave: leave?, level, prompt, text })
}

fn read_questions(fields: &Table<'_>) -> Vec<Question> {
    tables(fields, ["more_questions", "questions"], "a question", read_question)
}

/// A list and what is added to it: without a base there is nothing else in it.
fn all(list: Vec<String>, more: Vec<String>) -> Vec<String> {
    [list, more].concat()
}

fn tables<T>(
    fields: &Table<'_>,
    keys: [&'static str; 2],
    noun: &'static str,
    read: impl Fn(&Table<'_>) -> Option<T>,
) -> Vec<T> {
    keys.iter().flat_map(|key| fields.tables(key, noun)).filter_map(|table| read(&table)).collect()
}

fn read_question(fields: &Table<'_>) -> Option<Question> {
    if !fields.has("asks") {
        fields.error("a question has no `asks`", "add a regular expression such as asks = '\\[confirm\\]'");
    }
    let (asks, answer) = (fields.pattern("asks"), fields.text("answer").unwrap_or_default());
    let enter = fields.flag("enter").unwrap_or(true);
    if answer.is_empty() && !enter {
        fields.error_at("enter", "an empty answer without a line end sends nothing", "give it an `answer`");
    }
    fields.finish();
    Some(Question { asks: asks?, answer, enter })
}

fn read_reboot(fields: &Table<'_>) -> Option<Reboot> {
    let command = fields.required_text("command");
    let reboot = Reboot {
        command: command.clone().unwrap_or_default(),
        questions: read_questions(fields),
        going: fields.pattern("going"),
        timeout: fields.duration("timeout").unwrap_or(REBOOT_TIMEOUT_DEFAULT),
        pause: fields.duration("pause").unwrap_or(REBOOT_PAUSE_DEFAULT),
        proof: fields.text("proof"),
        console: fields.flag("console").unwrap_or(false),
    };
    fields.finish();
    command.map(|_| reboot)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_problem_of_a_profile_is_told_at_once() {
        let text = "name = 'x'\nprompt = '[#'\nlevls = []\n[pager]\nanswer = ' '\n[config]\nenter = 'c'\nleave = 'e'\nlevel = 'top'\n";
        let problems = Profile::parse("p.toml", text).unwrap_err();
        let told: Vec<String> = problems.iter().map(ToString::to_string).collect();
        insta::assert_snapshot!(told.join("\n"), @r"
        p.toml:2:10: error: `prompt`: `[#` is no regular expression: unclosed character class
        p.toml:3:1: error: the file has no key `levls`; did you mean `levels`?
        p.toml:4:1: error: a pager has no `more`; add what it shows, such as more = '--More--'
        p.toml:6:1: error: there is no level `top`; name one of [[levels]]
        ");
    }

    #[test]
    fn words_that_nothing_would_use_are_refused_where_they_stand() {
        let text = "name = 'x'\nprompt = '> $'\n[[levels]]\nname = 'low'\nprompt = '>'\nleave = 'exit'\nsecret = 'word:'\n[pager]\nmore = '--More--'\nend_answer = 'q'\n[config]\nenter = 'c'\nleave = 'e'\ntext = '^banner'\n[[questions]]\nasks = 'key'\nenter = false\n";
        let problems = Profile::parse("p.toml", text).unwrap_err();
        let told: Vec<String> = problems.iter().map(ToString::to_string).collect();
        insta::assert_snapshot!(told.join("\n"), @r"
        p.toml:3:1: error: `leave` (`exit`) of the lowest level `low` is never given; leave it out, or put the levels in order, the lowest first
        p.toml:7:10: error: `secret` of a level without `enter` is never asked; add the command that leads there from the level below
        p.toml:10:14: error: `end_answer` of a pager without `end` is never sent; add what the pager shows after the last page
        p.toml:14:8: error: `text` has no group: nothing says which mark ends the text; put the mark into a group, such as text = '^banner \w+ (\S)'
        p.toml:17:9: error: an empty answer without a line end sends nothing; give it an `answer`
        ");
    }

    #[test]
    fn the_ssh_library_is_one_that_there_is() {
        let profile = |library: &str| {
            Profile::parse("p.toml", &format!("name = 'x'\nprompt = '> $'\nssh_backend = '{library}'"))
        };
        assert_eq!(profile("libssh2").unwrap().ssh_backend, Some(SshBackend::Libssh2));
        let told = profile("putty").unwrap_err().iter().map(ToString::to_string).collect::<String>();
        insta::assert_snapshot!(told, @"p.toml:3:15: error: `ssh_backend`: there is no `putty`; known here: russh, libssh2");
    }

    #[test]
    fn a_resource_may_write_some_of_it_anew() {
        let anew = serde_json::json!({"prompt": "=> $", "login": {"nudge": "1s"}});
        let text = "name = 'x'\nprompt = '> $'\n[login]\nuser = 'who: $'\n";
        let profile = Profile::parse_with("p.toml", text, anew.as_object().unwrap()).unwrap();
        assert_eq!((profile.prompt.as_str(), profile.login.user.as_str()), ("=> $", "who: $"));
        assert_eq!(profile.login.nudge, Some(Duration::from_secs(1)));
        let wrong = serde_json::json!({"promt": "x"});
        assert!(Profile::parse_with("p.toml", text, wrong.as_object().unwrap()).is_err());
    }

    #[test]
    fn what_is_not_said_has_a_default() {
        let profile = Profile::parse("p.toml", "name = 'x'\nprompt = '> $'").unwrap();
        assert_eq!((profile.line_ending.as_str(), profile.settle), ("\r", SETTLE_DEFAULT));
        assert_eq!(profile.login.nudge, None);
    }
}
