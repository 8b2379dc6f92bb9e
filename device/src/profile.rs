//! Profiles ready for use: the shipped ones, a lab's own over them, with their patterns compiled.

use std::{
    collections::BTreeMap,
    sync::{Arc, OnceLock},
};

use jackfield_config::{problem::nearest, profile::Profile};
use jackfield_protocol::error::FileProblem;
use regex_automata::{meta, util::syntax};
use serde_json::{Map, Value};

use crate::expect::{PatternError, Patterns};

/// The profiles that are in the binary: file name and text.
const SHIPPED: [(&str, &str); 10] = [
    ("generic.toml", include_str!("../profiles/generic.toml")),
    ("linux.toml", include_str!("../profiles/linux.toml")),
    ("frr.toml", include_str!("../profiles/frr.toml")),
    ("ios.toml", include_str!("../profiles/ios.toml")),
    ("junos.toml", include_str!("../profiles/junos.toml")),
    ("vrp.toml", include_str!("../profiles/vrp.toml")),
    ("asterisk.toml", include_str!("../profiles/asterisk.toml")),
    ("osmocom.toml", include_str!("../profiles/osmocom.toml")),
    ("ovs.toml", include_str!("../profiles/ovs.toml")),
    ("uboot.toml", include_str!("../profiles/uboot.toml")),
];

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

impl Entry {
    fn new(file: &str, text: &str, profile: Profile) -> Self {
        let (file, text) = (file.to_owned(), text.to_owned());
        Self { file, text, profile: Arc::new(profile), kind: OnceLock::new() }
    }
}

impl Profiles {
    /// The shipped ones.
    pub fn shipped() -> Self {
        Self::default().with_files(&SHIPPED).unwrap_or_else(|problems| {
            // They are compiled in and a test reads them: this is a fault of the build, not of a user.
            tracing::error!(?problems, "a shipped profile cannot be read");
            Self::default()
        })
    }

    /// The same with more files, which go before those of the same name.
    ///
    /// # Errors
    /// Every problem of every file.
    pub fn with_files<F: AsRef<str>, T: AsRef<str>>(
        self,
        files: &[(F, T)],
    ) -> Result<Self, Vec<FileProblem>> {
        let mut profiles = Arc::unwrap_or_clone(self.0);
        let mut problems = Vec::new();
        for (file, text) in files {
            match Profile::parse(file.as_ref(), text.as_ref()) {
                Ok(profile) => {
                    let entry = Entry::new(file.as_ref(), text.as_ref(), profile);
                    profiles.insert(entry.profile.name.clone(), Arc::new(entry));
                }
                Err(mut more) => problems.append(&mut more),
            }
        }
        if problems.is_empty() { Ok(Self(Arc::new(profiles))) } else { Err(problems) }
    }

    /// The same with one more file, which goes before one of the same name; one that cannot be read is left out, and logged.
    #[must_use]
    pub fn with_file(self, file: &str, text: &str) -> Self {
        match Profile::parse(file, text) {
            Ok(profile) => {
                let mut profiles = Arc::unwrap_or_clone(self.0);
                let entry = Entry::new(file, text, profile);
                profiles.insert(entry.profile.name.clone(), Arc::new(entry));
                Self(Arc::new(profiles))
            }
            Err(problems) => {
                tracing::warn!("a profile of the lab cannot be read: {}", told(&problems));
                self
            }
        }
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

/// What may follow a command, but for a prompt that was seen before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Follow {
    /// A prompt as the profile describes it.
    Prompt,
    /// The pager.
    Pager,
    /// The pager after its last page.
    PagerEnd,
    /// A question of the profile, by its place.
    Question(usize),
}

/// A profile whose patterns are compiled.
#[derive(Debug)]
pub(crate) struct Kind {
    pub(crate) profile: Arc<Profile>,
    /// User, password, failure, prompt, then the questions of the profile: the dialogue of a login.
    pub(crate) login: Patterns,
    /// What may follow a command.
    pub(crate) follows: Patterns,
    /// Which is which of them.
    pub(crate) follow_kinds: Vec<Follow>,
    /// What the device says to the command that ends an answer.
    pub(crate) answer_end: Option<Patterns>,
    redrawn: Vec<meta::Regex>,
    unasked: Vec<meta::Regex>,
    errors: Vec<meta::Regex>,
    levels: Vec<meta::Regex>,
}

impl Kind {
    pub(crate) fn new(profile: &Arc<Profile>) -> Result<Self, PatternError> {
        let login = &profile.login;
        let prompt = at_the_end(&profile.prompt);
        let mut dialogue = vec![&login.user, &login.password, &login.failed, &prompt];
        dialogue.extend(login.questions.iter().map(|question| &question.asks));
        let (follows, follow_kinds) = follows(profile)?;
        Ok(Self {
            profile: Arc::clone(profile),
            follows,
            follow_kinds,
            answer_end: profile
                .answer_end
                .as_ref()
                .map(|end| Patterns::regexes(&[&end.shows]))
                .transpose()?,
            redrawn: profile.redrawn.iter().map(|drawn| search(drawn)).collect::<Result<_, _>>()?,
            unasked: profile.unasked.iter().map(|line| search(line)).collect::<Result<_, _>>()?,
            login: Patterns::regexes(&dialogue)?.told_as("a login or a prompt"),
            errors: profile.errors.iter().map(|error| search(error)).collect::<Result<_, _>>()?,
            levels: profile
                .levels
                .iter()
                .map(|level| search(&at_the_end(&level.prompt)))
                .collect::<Result<_, _>>()?,
        })
    }

    /// The line of an answer that refuses the command, if there is one.
    pub(crate) fn refusal(&self, answer: &str) -> Option<String> {
        self.errors.iter().find_map(|error| {
            let found = error.find(answer.as_bytes())?;
            let from = answer.get(..found.start())?.rfind('\n').map_or(0, |at| at.saturating_add(1));
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

    /// An answer without the lines that came unasked; also where one came within a line.
    pub(crate) fn without_unasked(&self, mut answer: Vec<u8>) -> Vec<u8> {
        for unasked in &self.unasked {
            if !unasked.is_match(&answer) {
                continue;
            }
            let (mut clean, mut from) = (Vec::with_capacity(answer.len()), 0);
            for found in unasked.find_iter(&answer) {
                let rest = answer.get(found.end()..).unwrap_or_default();
                let line_end = memchr::memchr(b'\n', rest).map_or(rest.len(), |at| at.saturating_add(1));
                if found.start() >= from {
                    clean.extend_from_slice(answer.get(from..found.start()).unwrap_or_default());
                    from = found.end().saturating_add(line_end);
                }
            }
            clean.extend_from_slice(answer.get(from..).unwrap_or_default());
            answer = clean;
        }
        answer
    }

    /// The place of the highest level that a prompt belongs to.
    pub(crate) fn level_of(&self, prompt: &[u8]) -> Option<usize> {
        self.levels.iter().rposition(|level| level.is_match(prompt))
    }
}

/// What a terminal does and does not show after a prompt: colours that end, the question where the cursor is, which BusyBox asks at every line.
/// Bounded, as all of a prompt is: what has no longest match is looked for byte by byte.
const CODES: &str = r"(?:\x1b\[[0-9;?]{0,16}[a-zA-Z]){0,4}";

/// A prompt stands where nothing follows: its last `$` is the end of what came, also under `(?m)`, where it would be that of any line.
fn at_the_end(prompt: &str) -> String {
    match prompt.strip_suffix('$') {
        Some(rest) if !rest.ends_with('\\') => format!(r"{rest}{CODES}\z"),
        _ => prompt.to_owned(),
    }
}

fn follows(profile: &Profile) -> Result<(Patterns, Vec<Follow>), PatternError> {
    let prompt = at_the_end(&profile.prompt);
    let (mut patterns, mut kinds) = (vec![&prompt], vec![Follow::Prompt]);
    if let Some(pager) = &profile.pager {
        patterns.push(&pager.more);
        kinds.push(Follow::Pager);
        if let Some(end) = &pager.end {
            patterns.push(end);
            kinds.push(Follow::PagerEnd);
        }
    }
    for (place, question) in profile.questions.iter().enumerate() {
        patterns.push(&question.asks);
        kinds.push(Follow::Question(place));
    }
    Ok((Patterns::regexes(&patterns)?, kinds))
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
        assert_eq!(
            names,
            ["asterisk", "frr", "generic", "ios", "junos", "linux", "osmocom", "ovs", "uboot", "vrp"]
        );
        for name in names {
            let kind = Kind::new(profiles.get(name).unwrap()).unwrap();
            // Else every byte of a large answer goes through the automaton.
            assert!(kind.follows.longest().is_some(), "{name}: what follows a command has no longest match");
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
