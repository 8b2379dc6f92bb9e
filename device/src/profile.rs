//! Profiles ready for use: the shipped ones, a lab's own over them, with their patterns compiled.

mod unasked;

use std::{
    collections::BTreeMap,
    sync::{Arc, OnceLock},
};

use jackfield_config::{
    problem::nearest,
    profile::{Profile, Question, ReadProfile, read_profiles, shipped::SHIPPED},
};
use jackfield_protocol::error::FileProblem;
use regex_automata::{meta, util::syntax};
use serde_json::{Map, Value};

pub(crate) use self::unasked::replaced;
use crate::expect::{PatternError, Patterns};

/// Profiles by name. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Profiles(Arc<BTreeMap<String, Arc<Entry>>>);

/// A profile and, from its first use on, its compiled patterns.
#[derive(Debug)]
struct Entry {
    /// Where it was written, and what.
    file: String,
    text: String,
    profile: Arc<Profile>,
    kind: OnceLock<Arc<Kind>>,
}

/// A name that no profile has.
#[derive(Debug, thiserror::Error)]
#[error("there is no profile `{name}`: {remedy}")]
pub struct UnknownProfile {
    name: String,
    remedy: String,
}

impl Profiles {
    /// The shipped ones, which are read once.
    pub fn shipped() -> Self {
        static READ: OnceLock<Profiles> = OnceLock::new();
        let read = || {
            Self::default().with_files(&SHIPPED).unwrap_or_else(|problems| {
                // They are compiled in and a test reads them: this is a fault of the build, not of a user.
                tracing::error!(?problems, "a shipped profile cannot be read");
                Self::default()
            })
        };
        READ.get_or_init(read).clone()
    }

    /// The same with more files, which go before those of the same name, and may be based on each other and on those that are there.
    ///
    /// # Errors
    /// Every problem of every file.
    pub fn with_files<F: AsRef<str>, T: AsRef<str>>(
        self,
        files: &[(F, T)],
    ) -> Result<Self, Vec<FileProblem>> {
        let (profiles, problems) = self.with(files);
        if problems.is_empty() { Ok(profiles) } else { Err(problems) }
    }

    /// The same with the files of a lab; one that cannot be read is left out, and logged.
    #[must_use]
    pub fn with_lab<F: AsRef<str>, T: AsRef<str>>(self, files: &[(F, T)]) -> Self {
        let (profiles, problems) = self.with(files);
        if !problems.is_empty() {
            tracing::warn!("profiles of the lab cannot be read: {}", told(&problems));
        }
        profiles
    }

    fn with<F: AsRef<str>, T: AsRef<str>>(self, files: &[(F, T)]) -> (Self, Vec<FileProblem>) {
        let mut profiles = Arc::unwrap_or_clone(self.0);
        let below = profiles.iter().map(|(name, entry)| (name.clone(), entry.text.clone())).collect();
        let (read, problems) = read_profiles(files, &below);
        for ReadProfile { file, text, profile } in read {
            let name = profile.name.clone();
            let entry = Entry { file, text, profile: Arc::new(profile), kind: OnceLock::new() };
            profiles.insert(name, Arc::new(entry));
        }
        (Self(Arc::new(profiles)), problems)
    }

    /// One of them with some of its keys written anew, as a resource may.
    pub(crate) fn kind_with(&self, name: &str, anew: &Map<String, Value>) -> Result<Arc<Kind>, KindError> {
        if anew.is_empty() {
            return self.kind(name);
        }
        let entry = self.entry(name)?;
        let profile = Profile::parse_with(&entry.file, &entry.text, anew)
            .map_err(|problems| KindError::Settings(told(&problems)))?;
        Ok(Arc::new(Kind::new(&Arc::new(profile))?))
    }

    /// One of them.
    ///
    /// # Errors
    /// No profile has this name; the error says which there are.
    pub fn get(&self, name: &str) -> Result<&Arc<Profile>, UnknownProfile> {
        self.entry(name).map(|entry| &entry.profile)
    }

    /// One of them, with its patterns compiled; they are compiled once.
    pub(crate) fn kind(&self, name: &str) -> Result<Arc<Kind>, KindError> {
        let entry = self.entry(name)?;
        if let Some(kind) = entry.kind.get() {
            return Ok(Arc::clone(kind));
        }
        let kind = Arc::new(Kind::new(&entry.profile)?);
        Ok(Arc::clone(entry.kind.get_or_init(|| kind)))
    }

    fn entry(&self, name: &str) -> Result<&Arc<Entry>, UnknownProfile> {
        self.0.get(name).ok_or_else(|| UnknownProfile {
            name: name.to_owned(),
            remedy: nearest(name, self.names()).map_or_else(
                || format!("there are {}", self.names().collect::<Vec<_>>().join(", ")),
                |near| format!("did you mean `{near}`?"),
            ),
        })
    }

    /// Their names.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }
}

/// Why a profile cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum KindError {
    #[error(transparent)]
    Unknown(#[from] UnknownProfile),
    #[error(transparent)]
    Pattern(#[from] PatternError),
    #[error("the resource's `profile_settings` do not fit: {0}")]
    Settings(String),
}

fn told(problems: &[FileProblem]) -> String {
    problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

/// A question whose pattern is compiled.
#[derive(Clone, Debug)]
pub(crate) struct Asks {
    pub(crate) pattern: meta::Regex,
    /// It is a key that is waited for, and believed wherever it stands in the last line: the countdown of a boot loader.
    pub(crate) anywhere: bool,
    /// Its line may go on behind the pattern, where the device waits at it.
    pub(crate) is_loose: bool,
}

impl Asks {
    pub(crate) fn new(pattern: &str, anywhere: bool) -> Result<Self, PatternError> {
        Ok(Self { pattern: search(pattern)?, anywhere, is_loose: false })
    }

    /// The same for a line that has the pattern somewhere in it, as people write one for a question that they expect.
    pub(crate) fn in_line(pattern: &str) -> Result<Self, PatternError> {
        Ok(Self { is_loose: true, ..Self::new(pattern, false)? })
    }

    fn all(questions: &[Question]) -> Result<Vec<Self>, PatternError> {
        let asks =
            |question: &Question| Self::new(&question.asks, !question.enter && !question.asks.ends_with('$'));
        questions.iter().map(asks).collect()
    }
}

/// What is awaited on the way to the first prompt.
#[derive(Debug)]
pub(crate) struct LoginPatterns {
    pub(crate) user: meta::Regex,
    pub(crate) password: meta::Regex,
    pub(crate) new_password: meta::Regex,
    pub(crate) code: meta::Regex,
    pub(crate) failed: meta::Regex,
    pub(crate) wake: meta::Regex,
    pub(crate) questions: Vec<Asks>,
}

/// A profile whose patterns are compiled.
#[derive(Debug)]
pub(crate) struct Kind {
    pub(crate) profile: Arc<Profile>,
    /// What is awaited on the way to the first prompt.
    pub(crate) login: LoginPatterns,
    /// A prompt where nothing follows it.
    pub(crate) prompt: meta::Regex,
    /// A prompt may have lines above its last one.
    pub(crate) has_lines_above: bool,
    pub(crate) pager: Option<meta::Regex>,
    /// The pager after its last page.
    pub(crate) pager_end: Option<meta::Regex>,
    pub(crate) questions: Vec<Asks>,
    /// What the device says to the command that ends an answer.
    pub(crate) answer_end: Option<Patterns>,
    redrawn: Vec<meta::Regex>,
    /// What says that an answer goes on, and what ends it then.
    goes_on: Vec<(meta::Regex, meta::Regex)>,
    unasked: Vec<meta::Regex>,
    /// The same within a line.
    unasked_within: Vec<meta::Regex>,
    log_commands: Vec<meta::Regex>,
    plain_commands: Vec<meta::Regex>,
    errors: Vec<meta::Regex>,
    levels: Vec<meta::Regex>,
    config_prompt: Option<meta::Regex>,
    config_text: Option<meta::Regex>,
}

fn all(patterns: &[String]) -> Result<Vec<meta::Regex>, PatternError> {
    patterns.iter().map(|pattern| search(pattern)).collect()
}

fn optional(pattern: Option<&String>) -> Result<Option<meta::Regex>, PatternError> {
    pattern.map(|pattern| search(pattern)).transpose()
}

impl Kind {
    pub(crate) fn new(profile: &Arc<Profile>) -> Result<Self, PatternError> {
        let entry = &profile.login;
        let (pager, config) = (profile.pager.as_ref(), profile.config.as_ref());
        Ok(Self {
            profile: Arc::clone(profile),
            login: LoginPatterns {
                user: search(&entry.user)?,
                password: search(&entry.password)?,
                new_password: search(&entry.new_password)?,
                code: search(&entry.code)?,
                failed: search(&entry.failed)?,
                wake: search(&entry.wake)?,
                questions: Asks::all(&entry.questions)?,
            },
            prompt: search(&at_the_end(&profile.prompt))?,
            has_lines_above: profile.prompt.contains("\\n") || profile.prompt.contains(r"\r"),
            pager: optional(pager.map(|pager| &pager.more))?,
            pager_end: optional(pager.and_then(|pager| pager.end.as_ref()))?,
            questions: Asks::all(&profile.questions)?,
            answer_end: profile
                .answer_end
                .as_ref()
                .map(|end| Patterns::regexes(&[&end.shows]))
                .transpose()?,
            redrawn: all(&profile.redrawn)?,
            goes_on: profile
                .goes_on
                .iter()
                .map(|on| Ok((search(&on.says)?, search(&on.until)?)))
                .collect::<Result<_, PatternError>>()?,
            unasked: all(&profile.unasked)?,
            unasked_within: profile
                .unasked
                .iter()
                .map(|pattern| search(pattern.trim_start_matches("(?m)").trim_start_matches('^')))
                .collect::<Result<_, _>>()?,
            log_commands: all(&profile.log_commands)?,
            plain_commands: all(&profile.plain_commands)?,
            errors: all(&profile.errors)?,
            levels: profile
                .levels
                .iter()
                .map(|level| search(&at_the_end(&level.prompt)))
                .collect::<Result<_, _>>()?,
            config_prompt: config
                .and_then(|config| config.prompt.as_ref())
                .map(|prompt| search(&at_the_end(prompt)))
                .transpose()?,
            config_text: optional(config.and_then(|config| config.text.as_ref()))?,
        })
    }

    /// Whether an answer goes on behind its prompt; false where its end has come, or it never does.
    pub(crate) fn goes_on(&self, answer: &[u8]) -> bool {
        self.goes_on.iter().any(|(says, until)| {
            says.find(answer)
                .is_some_and(|found| !until.is_match(answer.get(found.end()..).unwrap_or_default()))
        })
    }

    /// Whether an answer is one whose result came behind a prompt.
    pub(crate) fn went_on(&self, answer: &[u8]) -> bool {
        self.goes_on.iter().any(|(says, _)| says.is_match(answer))
    }

    /// Whether a command asks for what comes unasked otherwise.
    pub(crate) fn asks_for_logs(&self, command: &str) -> bool {
        self.log_commands.iter().any(|pattern| pattern.is_match(command.trim()))
    }

    /// Whether a command is known to ask nothing; one whose answer is a log may show anything.
    pub(crate) fn is_plain(&self, command: &str) -> bool {
        self.plain_commands.iter().any(|pattern| pattern.is_match(command.trim()))
            && !self.asks_for_logs(command)
    }

    /// Whether a line of an answer is the pager's.
    pub(crate) fn shows_pager(&self, answer: &str) -> bool {
        let is_pager = |line: &str| {
            let found = self.pager.as_ref().and_then(|pager| pager.find(line.trim()));
            found.is_some_and(|found| {
                found.start() == 0 && found.end() == line.trim().len() && !found.is_empty()
            })
        };
        self.pager.is_some() && answer.lines().any(is_pager)
    }

    /// Whether a command does what those of the setup do, in another way: it may bring the pager back.
    pub(crate) fn undoes_setup(&self, command: &str) -> bool {
        let verb = |line: &str| line.split_ascii_whitespace().next().map(str::to_owned);
        let setup = &self.profile.setup;
        setup.iter().any(|line| verb(line) == verb(command))
            && !setup.iter().any(|line| line == command.trim())
    }

    /// Whether a prompt is one of configuration mode.
    pub(crate) fn is_in_config(&self, prompt: &str) -> bool {
        self.config_prompt.as_ref().is_some_and(|pattern| pattern.is_match(prompt))
    }

    /// The mark that ends the text which a line of configuration begins, where it begins one.
    pub(crate) fn text_mark(&self, line: &str) -> Option<String> {
        let pattern = self.config_text.as_ref()?;
        let mut groups = pattern.create_captures();
        pattern.captures(line, &mut groups);
        let mark = groups.get_group(1)?;
        line.get(mark.range()).map(str::to_owned)
    }

    /// The line of an answer that refuses the command, if there is one.
    pub(crate) fn refusal(&self, answer: &str) -> Option<String> {
        self.errors.iter().find_map(|error| {
            let found = error.find(answer.as_bytes())?;
            // A pattern may begin with the empty line before the words.
            let words = answer.get(found.range())?;
            let blank = words.len().saturating_sub(words.trim_start().len());
            let start = found.start().saturating_add(blank);
            let from = answer.get(..start)?.rfind('\n').map_or(0, |at| at.saturating_add(1));
            answer.get(from..)?.lines().next().map(|line| line.trim().to_owned())
        })
    }

    /// An answer without what the line editor drew in the middle of it.
    pub(crate) fn without_redrawn(&self, mut answer: Vec<u8>) -> Vec<u8> {
        for drawn in &self.redrawn {
            let mut clean = Vec::with_capacity(answer.len());
            let mut from = 0;
            for found in drawn.find_iter(&answer) {
                clean.extend_from_slice(answer.get(from..found.start()).unwrap_or_default());
                from = found.end();
            }
            clean.extend_from_slice(answer.get(from..).unwrap_or_default());
            answer = clean;
        }
        answer
    }

    /// The place of the highest level that a prompt belongs to.
    pub(crate) fn level_of(&self, prompt: &str) -> Option<usize> {
        self.levels.iter().rposition(|level| level.is_match(prompt))
    }
}

/// What a terminal does and does not show after a prompt: colours that end, the question where the cursor is, which BusyBox asks at every line.
/// Bounded, as all of a prompt is: what has no longest match is looked for byte by byte.
const CODES: &str = r"(?:\x1b\[[0-9;?]{0,16}[a-zA-Z]){0,4}";

/// A prompt stands where nothing follows: its last `$` is the end of what came, also under `(?m)`, where it would be that of any line.
fn at_the_end(prompt: &str) -> String {
    match prompt.strip_suffix('$') {
        Some(rest) if !rest.ends_with('\\') => format!(r"(?:{rest}){CODES}\z"),
        _ => format!(r"(?:{prompt}) ?{CODES}\z"),
    }
}

/// A regular expression over bytes, to search a text that is complete.
pub(crate) fn search(pattern: &str) -> Result<meta::Regex, PatternError> {
    meta::Regex::builder()
        .syntax(syntax::Config::new().unicode(false).utf8(false))
        .configure(meta::Regex::config().utf8_empty(false))
        .build(pattern)
        .map_err(|error| PatternError::Pattern { pattern: pattern.to_owned(), why: error.to_string() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shipped_profiles_can_be_read_and_compiled() {
        let profiles = Profiles::shipped();
        let names: Vec<&str> = profiles.names().collect();
        assert_eq!(names.len(), SHIPPED.len());
        for name in names {
            Kind::new(profiles.get(name).unwrap()).unwrap();
        }
        insta::assert_snapshot!(profiles.get("iso").unwrap_err(), @"there is no profile `iso`: did you mean `ios`?");
    }

    #[test]
    fn a_refusal_is_the_line_that_says_so() {
        let kind = Kind::new(Profiles::shipped().get("frr").unwrap()).unwrap();
        let answer = "some text\n% Unknown command: shwo\nmore";
        assert_eq!(kind.refusal(answer).as_deref(), Some("% Unknown command: shwo"));
        assert_eq!(kind.refusal("100% of it"), None);
    }
}
