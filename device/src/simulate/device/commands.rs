//! Which command a line means.

use jackfield_config::simulated::{DeviceModel, ModelCommand, Word};
use serde_json::{Map, Value};

/// What a line is.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Found {
    /// An empty line.
    Nothing,
    /// A command by its place, with the words it keeps.
    Command(usize, Map<String, Value>),
    /// None that works here; what is shown.
    Refused(String),
}

/// How well a line fits: words written out, and fixed words in all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Fit {
    whole: u32,
    fixed: u32,
    shortened: bool,
}

pub(super) fn find(model: &DeviceModel, mode: &str, line: &str) -> Found {
    let given: Vec<&str> = line.split_whitespace().collect();
    if given.is_empty() {
        return Found::Nothing;
    }
    let mut best: Option<(Fit, usize, Map<String, Value>)> = None;
    let mut rivals = 0_u32;
    let mut incomplete = false;
    for (index, command) in
        model.commands.iter().enumerate().filter(|(_, command)| works_in(model, command, mode))
    {
        match fits(command, &given, model.abbreviate) {
            Outcome::Fits(fit, words) => {
                let rank = |fit: &Fit| (fit.whole, fit.fixed);
                match best.as_ref().map(|(known, ..)| rank(&fit).cmp(&rank(known))) {
                    None | Some(std::cmp::Ordering::Greater) => {
                        best = Some((fit, index, words));
                        rivals = 0;
                    }
                    // Of two that fit as well, the first counts, unless words were shortened: then nobody knows.
                    Some(std::cmp::Ordering::Equal) if fit.shortened => rivals = rivals.saturating_add(1),
                    Some(std::cmp::Ordering::Equal | std::cmp::Ordering::Less) => {}
                }
            }
            Outcome::TooShort => incomplete = true,
            Outcome::No => {}
        }
    }
    match best {
        Some((Fit { shortened: true, .. }, ..)) if rivals > 0 => Found::Refused(model.ambiguous.clone()),
        Some((_, index, words)) => Found::Command(index, words),
        None if incomplete && model.abbreviate => Found::Refused("% Incomplete command.".to_owned()),
        None => Found::Refused(model.unknown.clone()),
    }
}

fn works_in(model: &DeviceModel, command: &ModelCommand, mode: &str) -> bool {
    if command.modes.is_empty() {
        return true;
    }
    let mut mode = Some(mode);
    // A mode may have the commands of another; a circle of them ends at the number of modes.
    for _ in 0..=model.modes.len() {
        let Some(name) = mode else { return false };
        if command.modes.iter().any(|known| known == name) {
            return true;
        }
        mode = model.modes.get(name).and_then(|mode| mode.also.as_deref());
    }
    false
}

enum Outcome {
    Fits(Fit, Map<String, Value>),
    TooShort,
    No,
}

fn fits(command: &ModelCommand, given: &[&str], abbreviate: bool) -> Outcome {
    let mut fit = Fit::default();
    let mut words = Map::new();
    let mut left = given.iter();
    for wanted in &command.words {
        match (wanted, left.next()) {
            (Word::Rest(name), first) => {
                let rest: Vec<&str> = first.into_iter().chain(left.by_ref()).copied().collect();
                words.insert(name.clone(), rest.join(" ").into());
            }
            (_, None) => return Outcome::TooShort,
            (Word::Any(name), Some(word)) => {
                words.insert(name.clone(), (*word).into());
            }
            (Word::Literal(literal), Some(word)) if literal == word => {
                fit.whole = fit.whole.saturating_add(1);
                fit.fixed = fit.fixed.saturating_add(1);
            }
            (Word::Literal(literal), Some(word)) if abbreviate && begins(literal, word) => {
                fit.shortened = true;
                fit.fixed = fit.fixed.saturating_add(1);
            }
            (Word::Literal(_), Some(_)) => return Outcome::No,
        }
    }
    if left.next().is_some() { Outcome::No } else { Outcome::Fits(fit, words) }
}

fn begins(literal: &str, word: &str) -> bool {
    literal.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word))
}
