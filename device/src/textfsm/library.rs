//! The templates of a lab: files by their names, and which of them is for which command of which kind of device.
//!
//! An `index` is read as ntc-templates and clitable write it: `Template, Hostname, Platform, Command`, where a command may be shortened as
//! its double brackets say (`sh[[ow]] ver[[sion]]`) and the first line that fits counts. A line may name several templates, with `:` between,
//! whose tables are joined. Without one, the name of a file says it:
//! `cisco_ios_show_version.textfsm`.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, OnceLock, PoisonError},
};

use jackfield_config::problem::nearest;

use super::{Template, TextFsmError, regex, shipped};

/// The file that says which template is for which command.
pub const INDEX: &str = "index";
/// How the names of template files end.
const ENDINGS: [&str; 2] = [".textfsm", ".template"];

/// The templates of a lab. A template is compiled when it is first used.
#[derive(Debug, Default)]
pub struct Templates {
    files: BTreeMap<String, String>,
    index: OnceLock<Result<Vec<Line>, LibraryError>>,
    compiled: Mutex<BTreeMap<String, Arc<Template>>>,
}

/// A line of the index.
#[derive(Clone, Debug)]
struct Line {
    number: usize,
    template: String,
    platform: String,
    command: String,
}

/// A template that a lab does not have, or that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LibraryError {
    /// No file has this name.
    #[error("there is no template `{name}` in the lab's folder `templates`: {remedy}")]
    Unknown {
        /// The name.
        name: String,
        /// What there is.
        remedy: String,
    },
    /// None is for this command.
    #[error("no template of the lab is for `{command}` on `{platform}`: {remedy}")]
    NoneFor {
        /// What was given.
        command: String,
        /// The kind of device.
        platform: String,
        /// What to add.
        remedy: String,
    },
    /// The index cannot be read.
    #[error("line {line} of the lab's `templates/index`: {why}")]
    Index {
        /// Where.
        line: usize,
        /// What is wrong, and what would be right.
        why: String,
    },
    /// The template itself is wrong.
    #[error("template `{name}`: {source}")]
    Wrong {
        /// Which.
        name: String,
        /// Why.
        source: TextFsmError,
    },
}

impl Templates {
    /// Those of some files: name and text.
    pub fn new(files: BTreeMap<String, String>) -> Self {
        Self { files, ..Self::default() }
    }

    /// The template of this name, with or without its ending; of several, with `:` between, whose tables are joined.
    ///
    /// # Errors
    /// There is none, or it is wrong, or they cannot be joined.
    pub fn named(&self, name: &str) -> Result<Arc<Template>, LibraryError> {
        if let Some(known) = self.compiled().get(name) {
            return Ok(Arc::clone(known));
        }
        let template = match name.split_once(':') {
            None => self.compile(name)?,
            Some((first, others)) => {
                let others: Result<Vec<_>, _> =
                    others.split(':').map(|other| self.named(other.trim())).collect();
                let wrong = |source| LibraryError::Wrong { name: name.to_owned(), source };
                self.compile(first.trim())?.with_joined(others?).map_err(wrong)?
            }
        };
        let template = Arc::new(template);
        self.compiled().insert(name.to_owned(), Arc::clone(&template));
        Ok(template)
    }

    fn compile(&self, name: &str) -> Result<Template, LibraryError> {
        let with_ending = ENDINGS.iter().map(|ending| format!("{name}{ending}"));
        let file = std::iter::once(name.to_owned())
            .chain(with_ending)
            .find(|file| file != INDEX && self.files.contains_key(file));
        let own = file.as_ref().and_then(|file| self.files.get_key_value(file));
        let own = own.map(|(file, text)| (file.as_str(), text.as_str()));
        let (file, text) = own.or_else(|| shipped::named(name)).ok_or_else(|| self.unknown(name))?;
        Template::parse(text).map_err(|source| LibraryError::Wrong { name: file.to_owned(), source })
    }

    /// The template for a command of a kind of device.
    ///
    /// # Errors
    /// There is none, or it is wrong, or the index is.
    pub fn for_command(&self, platform: &str, command: &str) -> Result<Arc<Template>, LibraryError> {
        let command = command.trim();
        let name = match self.index()? {
            Some(lines) => in_index(lines, platform, command)?,
            None => self.by_file_name(platform, command),
        };
        let stem = file_stem(platform, command);
        let name = name.or_else(|| shipped::named(&stem).map(|(file, _)| file.to_owned()));
        match name {
            Some(name) => self.named(&name),
            None => Err(LibraryError::NoneFor {
                command: command.to_owned(),
                platform: platform.to_owned(),
                remedy: if self.files.contains_key(INDEX) {
                    "add a line to `templates/index`, or name a template".to_owned()
                } else {
                    format!("add `templates/{}.textfsm`, or name a template", file_stem(platform, command))
                },
            }),
        }
    }

    /// What is wrong with its files, each with the name of the file.
    pub fn problems(&self) -> Vec<(String, LibraryError)> {
        let index = self.index().err().map(|error| (INDEX.to_owned(), error));
        let names = self.names().map(|name| (name.to_owned(), self.named(name).err()));
        index.into_iter().chain(names.filter_map(|(name, error)| Some((name, error?)))).collect()
    }

    /// The names of the template files.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.files.keys().map(String::as_str).filter(|name| *name != INDEX)
    }

    fn compiled(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, Arc<Template>>> {
        // A panic while it is held leaves a whole map.
        self.compiled.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn index(&self) -> Result<Option<&Vec<Line>>, LibraryError> {
        let Some(text) = self.files.get(INDEX) else { return Ok(None) };
        self.index.get_or_init(|| read_index(text)).as_ref().map(Some).map_err(Clone::clone)
    }

    fn by_file_name(&self, platform: &str, command: &str) -> Option<String> {
        let with_platform = file_stem(platform, command);
        let without = file_stem("", command);
        let has =
            |stem: &String| ENDINGS.iter().any(|ending| self.files.contains_key(&format!("{stem}{ending}")));
        [with_platform, without].into_iter().find(has)
    }

    fn unknown(&self, name: &str) -> LibraryError {
        let remedy = match nearest(name, self.names().map(|known| known.trim_end_matches(".textfsm"))) {
            Some(near) => format!("did you mean `{near}`?"),
            None if self.files.is_empty() => "the folder is not there, or empty".to_owned(),
            None => format!("it has {} others", self.names().count()),
        };
        LibraryError::Unknown { name: name.to_owned(), remedy }
    }
}

/// `cisco_ios_show_ip_route` of the platform and the command.
fn file_stem(platform: &str, command: &str) -> String {
    let letter = |letter: char| {
        if letter.is_ascii_alphanumeric() || matches!(letter, '-' | '.') {
            letter.to_ascii_lowercase()
        } else {
            '_'
        }
    };
    // RouterOS's commands begin with a slash.
    let command = command.trim_start_matches('/');
    let words = [platform].into_iter().chain(command.split_whitespace()).filter(|word| !word.is_empty());
    let words: Vec<String> = words.map(|word| word.chars().map(letter).collect()).collect();
    words.join("_")
}

fn read_index(text: &str) -> Result<Vec<Line>, LibraryError> {
    let lines = text.lines().zip(1..).filter(|(line, _)| {
        let line = line.trim();
        !line.is_empty() && !line.starts_with('#')
    });
    let mut columns: Option<[usize; 3]> = None;
    let mut index = Vec::new();
    for (line, number) in lines {
        let cells: Vec<&str> = line.split(',').map(str::trim).collect();
        let Some([template, platform, command]) = columns else {
            columns = Some(read_header(&cells, number)?);
            continue;
        };
        let cell = |place: usize| cells.get(place).map(|cell| (*cell).to_owned());
        let (Some(template), Some(platform), Some(command)) = (cell(template), cell(platform), cell(command))
        else {
            let why = "it has fewer cells than the first line has names";
            return Err(LibraryError::Index { line: number, why: why.to_owned() });
        };
        let command = completed(&command).map_err(|why| LibraryError::Index { line: number, why })?;
        index.push(Line { number, template, platform, command });
    }
    Ok(index)
}

/// The places of template, platform and command.
fn read_header(cells: &[&str], line: usize) -> Result<[usize; 3], LibraryError> {
    let place = |name: &str| {
        cells.iter().position(|cell| *cell == name).ok_or_else(|| LibraryError::Index {
            line,
            why: format!("it names no column `{name}`: write Template, Hostname, Platform, Command"),
        })
    };
    Ok([place("Template")?, place("Platform")?, place("Command")?])
}

/// A command as a regular expression: `sh[[ow]]` is `sh(?:o(?:w)?)?`.
fn completed(command: &str) -> Result<String, String> {
    let mut done = String::with_capacity(command.len());
    let mut rest = command;
    while let Some((before, after)) = rest.split_once("[[") {
        let (inside, after) =
            after.split_once("]]").ok_or_else(|| format!("`{command}`: `[[` is not closed by `]]`"))?;
        done.push_str(before);
        for letter in inside.chars() {
            done.push_str("(?:");
            done.push(letter);
        }
        done.push_str(&")?".repeat(inside.chars().count()));
        rest = after;
    }
    done.push_str(rest);
    Ok(done)
}

/// The first line that fits names the template.
fn in_index(lines: &[Line], platform: &str, command: &str) -> Result<Option<String>, LibraryError> {
    for line in lines {
        if matches(&line.platform, platform, line.number)? && matches(&line.command, command, line.number)? {
            return Ok(Some(line.template.clone()));
        }
    }
    Ok(None)
}

/// Whether an expression fits the beginning of a text, as clitable compares.
fn matches(expression: &str, text: &str, line: usize) -> Result<bool, LibraryError> {
    if expression.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
        return Ok(text.starts_with(expression));
    }
    let wrong = |why: String| LibraryError::Index { line, why: format!("`{expression}`: {why}") };
    let regex = regex::compile(expression).map_err(wrong)?;
    regex.is_match(text).map_err(|error| wrong(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANY: &str = "Value NAME (\\S+)\n\nStart\n  ^${NAME} -> Record\n";

    fn templates(files: &[(&str, &str)]) -> Templates {
        Templates::new(files.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect())
    }

    #[test]
    fn an_index_says_which_template_is_for_a_command() {
        let index = "# ours\nTemplate, Hostname, Platform, Command\n\nios_ip.textfsm, .*, cisco_ios, sh[[ow]] ip int[[erface]] br[[ief]]\n\
                     ios_if.textfsm, .*, cisco_(ios|xe), sh[[ow]] int[[erfaces]]\na.textfsm:b.textfsm, .*, junos, show both\n";
        let lab = templates(&[("index", index), ("ios_ip.textfsm", ANY), ("ios_if.textfsm", ANY.trim_end())]);
        let one = lab.for_command("cisco_ios", "show ip interface brief").unwrap();
        assert!(Arc::ptr_eq(&one, &lab.named("ios_ip.textfsm").unwrap()));
        for (platform, command) in
            [("cisco_ios", "sh ip int br"), ("cisco_xe", "sho interf eth0"), ("cisco_ios", "sh int")]
        {
            lab.for_command(platform, command)
                .unwrap_or_else(|error| panic!("{platform} {command}: {error}"));
        }
        let refused =
            |platform: &str, command: &str| lab.for_command(platform, command).unwrap_err().to_string();
        insta::assert_snapshot!(refused("junos", "sh int"), @"no template of the lab is for `sh int` on `junos`: add a line to `templates/index`, or name a template");
        insta::assert_snapshot!(refused("junos", "show both"), @"there is no template `a.textfsm` in the lab's folder `templates`: it has 2 others");
        insta::assert_snapshot!(lab.named("ios_id").unwrap_err(), @"there is no template `ios_id` in the lab's folder `templates`: did you mean `ios_if`?");
    }

    #[test]
    fn a_line_may_join_several_templates() {
        let index = "Template, Platform, Command\na.textfsm:b.textfsm, junos, show both\n";
        let state = "Value STATE (\\S+)\n\nStart\n  ^. -> Continue\n  ^\\S+ ${STATE} -> Record\n";
        let lab = templates(&[("index", index), ("a.textfsm", ANY), ("b.textfsm", state)]);
        for template in [lab.for_command("junos", "show both"), lab.named("a:b"), lab.named("a : b.textfsm")]
        {
            let table = template.unwrap().run("ge0 up\nge1 down\n").unwrap();
            assert_eq!(table.header, ["NAME", "STATE"]);
            assert_eq!(serde_json::json!(table.rows), serde_json::json!([["ge0", "up"], ["ge1", "down"]]));
        }
    }

    #[test]
    fn without_an_index_the_name_of_the_file_says_it() {
        let lab = templates(&[
            ("frr_show_ip_route.textfsm", ANY),
            ("show_version.template", ANY),
            ("bad.textfsm", "Value"),
        ]);
        lab.for_command("frr", "show ip  route").unwrap();
        lab.for_command("frr", "show version").unwrap();
        insta::assert_snapshot!(lab.for_command("frr", "show run").unwrap_err(), @"no template of the lab is for `show run` on `frr`: add `templates/frr_show_run.textfsm`, or name a template");
        insta::assert_snapshot!(lab.named("bad").unwrap_err(), @"template `bad.textfsm`: the template is wrong at line 1: a template begins with Value lines");
        assert_eq!(lab.problems().len(), 1);
        insta::assert_snapshot!(templates(&[]).named("x").unwrap_err(), @"there is no template `x` in the lab's folder `templates`: the folder is not there, or empty");
    }

    #[test]
    fn behind_those_of_the_lab_are_the_shipped() {
        let eos = "Arista DCS-7050TX-64-R\nSoftware image version: 4.27.3F\n";
        let index = ("index", "Template, Platform, Command\na.textfsm, frr, show\n");
        for lab in [templates(&[]), templates(&[index])] {
            let table = lab.for_command("arista_eos", "show version").unwrap().run(eos).unwrap();
            assert_eq!(
                serde_json::json!(table.rows),
                serde_json::json!([["DCS-7050TX-64-R", "", "4.27.3F", ""]])
            );
        }
        lab_goes_first(eos);
    }

    fn lab_goes_first(text: &str) {
        let lab = templates(&[("arista_eos_show_version.textfsm", ANY)]);
        let table = lab.for_command("arista_eos", "show version").unwrap().run(text).unwrap();
        assert_eq!(table.header, ["NAME"]);
    }

    #[test]
    fn a_wrong_index_is_told_with_its_line() {
        for (index, told) in [
            (
                "Name, Command\n",
                "line 1 of the lab's `templates/index`: it names no column `Template`: write Template, Hostname, Platform, Command",
            ),
            (
                "Template, Platform, Command\na, b\n",
                "line 2 of the lab's `templates/index`: it has fewer cells than the first line has names",
            ),
            (
                "Template, Platform, Command\na, b, sh[[ow\n",
                "line 2 of the lab's `templates/index`: `sh[[ow`: `[[` is not closed by `]]`",
            ),
        ] {
            assert_eq!(
                templates(&[("index", index)]).for_command("b", "show").unwrap_err().to_string(),
                told
            );
        }
        assert!(
            templates(&[("index", "Template, Platform, Command\na, b, sh(ow\n")])
                .for_command("b", "sh(ow")
                .is_err()
        );
    }
}
