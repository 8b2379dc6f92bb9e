//! `jackfield complete`: what may stand at the end of a line, for a shell behind whose Tab it is asked.
//!
//! Commands, options and fixed values are those of the command line itself; names of the lab's things are asked of the
//! engine, as whoever is logged in. Where that gives no answer at once there are no names: nobody waits for Tab.

use anyhow::Result;
use clap::{Arg, Command, CommandFactory};

use crate::{Context, exit::Exit, names::Names, output};

/// What may stand at the end of a line.
#[derive(clap::Args)]
pub(crate) struct Complete {
    /// The words of the line after `jackfield`; the last one is what is typed of the word to complete, maybe nothing.
    #[arg(last = true, allow_hyphen_values = true)]
    words: Vec<String>,
}

/// Something to offer, and what is said beside it.
pub(crate) type Offer = (String, String);

/// That file names fit, which a shell knows better.
const FILES: &str = ":files";

impl Complete {
    pub(crate) fn run(&self, context: &Context) -> Result<Exit> {
        let mut root = crate::Arguments::command();
        root.build();
        let ask = |names: Names, typed: &str| names.ask(&context.client, typed);
        let lines: Vec<String> = offers(&root, &self.words, &ask)
            .into_iter()
            .map(|(value, beside)| if beside.is_empty() { value } else { format!("{value}\t{beside}") })
            .collect();
        output::say(&lines.join("\n"))?;
        Ok(Exit::Done)
    }
}

/// What fits, given who is asked for names.
fn offers(root: &Command, words: &[String], ask: &dyn Fn(Names, &str) -> Vec<Offer>) -> Vec<Offer> {
    let (typed, before) = words.split_last().map_or(("", &[][..]), |(last, before)| (last.as_str(), before));
    let typed = if typed == "=" { "" } else { typed };
    let place = Place::after(root, before);
    let mut all = Vec::new();
    if let Some(option) = place.option {
        all.extend(values(&place.path, option, typed, ask));
    } else if typed.starts_with('-') {
        all.extend(options(place.command));
    } else {
        all.extend(
            place
                .command
                .get_subcommands()
                .filter(|command| !command.is_hide_set())
                .map(|command| (command.get_name().to_owned(), first_line(command.get_about()))),
        );
        if let Some(argument) = place.argument() {
            all.extend(values(&place.path, argument, typed, ask));
        }
    }
    all.retain(|(value, _)| value == FILES || value.starts_with(typed));
    all
}

/// Where in a line one is.
struct Place<'a> {
    command: &'a Command,
    /// The names of the commands that lead here.
    path: Vec<&'a str>,
    /// How many words stand here that are no options.
    arguments: usize,
    /// The option whose value comes next.
    option: Option<&'a Arg>,
}

impl<'a> Place<'a> {
    fn after(root: &'a Command, words: &[String]) -> Self {
        let mut place = Self { command: root, path: Vec::new(), arguments: 0, option: None };
        for word in words {
            place.pass(word);
        }
        place
    }

    fn pass(&mut self, word: &str) {
        if self.option.is_some() {
            // A shell may make words of `--ep`, `=` and what follows.
            if word != "=" {
                self.option = None;
            }
        } else if let Some(long) = word.strip_prefix("--") {
            let takes = |option: &&Arg| option.get_action().takes_values();
            self.option =
                self.command.get_arguments().find(|option| option.get_long() == Some(long)).filter(takes);
        } else if let Some(command) = self.command.find_subcommand(word) {
            *self = Self {
                command,
                path: [&self.path[..], &[command.get_name()]].concat(),
                arguments: 0,
                option: None,
            };
        } else if !word.starts_with('-') {
            self.arguments += 1;
        }
    }

    /// The argument that comes next; the last one may take many.
    fn argument(&self) -> Option<&'a Arg> {
        let all: Vec<&Arg> = self.command.get_positionals().collect();
        let many = |argument: &&&Arg| matches!(argument.get_action(), clap::ArgAction::Append);
        all.get(self.arguments).or_else(|| all.last().filter(many)).copied()
    }
}

fn options(command: &Command) -> Vec<Offer> {
    let shown = command.get_arguments().filter(|option| !option.is_hide_set());
    shown
        .filter_map(|option| Some((format!("--{}", option.get_long()?), first_line(option.get_help()))))
        .collect()
}

/// What an option or argument may be.
fn values(path: &[&str], argument: &Arg, typed: &str, ask: &dyn Fn(Names, &str) -> Vec<Offer>) -> Vec<Offer> {
    let mut all: Vec<Offer> = argument
        .get_possible_values()
        .iter()
        .filter(|value| !value.is_hide_set())
        .map(|value| (value.get_name().to_owned(), first_line(value.get_help())))
        .collect();
    if let Some(names) = Names::of(path, argument.get_id().as_str()) {
        all.extend(ask(names, typed));
    }
    if argument.get_value_parser().type_id() == clap::builder::ValueParser::path_buf().type_id() {
        all.push((FILES.to_owned(), String::new()));
    }
    all
}

fn first_line(text: Option<&clap::builder::StyledStr>) -> String {
    text.map(ToString::to_string).and_then(|text| text.lines().next().map(str::to_owned)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offered(line: &str) -> Vec<String> {
        let mut root = crate::Arguments::command();
        root.build();
        let words: Vec<String> = line.split(' ').map(str::to_owned).collect();
        let ask = |names: Names, _: &str| vec![(format!("<{names:?}>"), String::new())];
        // Names of a lab are as they are: what was typed so far narrows them elsewhere.
        offers(&root, &words, &ask).into_iter().map(|(value, _)| value).collect()
    }

    #[test]
    fn what_may_come_next_is_offered() {
        for (line, some) in [
            ("", "runs"),
            ("ru", "runs"),
            ("runs ", "logs"),
            ("runs logs ", "<Tests>"),
            ("runs logs 41.1 --st", "--stream"),
            ("runs logs 41.1 --stream ", "running"),
            ("runs show ", "<Runs>"),
            ("run ", "<Projects>"),
            ("run ", FILES),
            ("run first --ep ", "<Eps>"),
            ("run first --ep = ", "<Eps>"),
            ("run first --junit ", FILES),
            ("--json runs show ", "<Runs>"),
            ("--engine http://lab runs show ", "<Runs>"),
            ("eps drain ", "<Eps>"),
            ("user set ", "<Users>"),
            ("user set ana --group ", "<Groups>"),
            ("group delete ", "<Groups>"),
            ("project export ", "<Projects>"),
            ("resource get ", "<Resources>"),
            ("resource power /lab/r ", "cycle"),
            ("console ", "<Resources>"),
            ("sut show ", "<Suts>"),
            ("token revoke ", "<Tokens>"),
            ("share revoke ", "<Shares>"),
            ("sdk path ", "python"),
            ("completions ", "fish"),
        ] {
            assert!(offered(line).contains(&some.to_owned()), "`{line}`: {:?}", offered(line));
        }
        assert!(!offered("").contains(&"complete".to_owned()), "what is hidden is not offered");
        assert!(!offered("user create ").contains(&"<Users>".to_owned()), "a new name is nobody's yet");
    }
}
