//! What of the lab fits, and why nothing does.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use jackfield_protocol::error::ErrorCode;
use serde_json::Value;

use super::{Needs, Wanted};
use crate::{
    book::{Alternative, Candidate, Choice, Options},
    node::ResourceId,
    selector::{Sight, TooMuch, is_there},
    tree::Tree,
};

/// Resources of which one may be chosen: of more nobody looks at each.
const FITS_MAX: usize = 10_000;
/// Resources that are named to somebody who asked for more.
const NAMED_MAX: usize = 5;
/// The property that keeps a resource, and all that is under it, from being given.
const OUT_OF_SERVICE: &str = "out_of_service";

/// Why the lab has nothing that is needed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    /// There is too little, whoever has it.
    #[error("the lab has nothing that could ever meet `{need}`: {why}")]
    Nothing {
        /// The need.
        need: String,
        /// Which clause leaves nothing.
        why: String,
    },
    /// Each need could be met, and not all together.
    #[error("the lab has what each of `{needs}` asks for, and cannot give it together: {why}")]
    Together {
        /// All of them.
        needs: String,
        /// What stands against it.
        why: String,
    },
    /// Too many resources fit.
    #[error("more than {FITS_MAX} resources fit `{need}`; say more precisely what is meant")]
    TooMany {
        /// The need.
        need: String,
    },
    /// A selector takes too long.
    #[error("{0}")]
    TooMuch(#[from] TooMuch),
}

impl Unfit {
    /// The word scripts compare.
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::Nothing { .. } | Self::Together { .. } => ErrorCode::NotFound,
            Self::TooMany { .. } | Self::TooMuch(_) => ErrorCode::TooLarge,
        }
    }
}

impl Needs {
    /// All that fits, whoever has it.
    ///
    /// # Errors
    /// Too much fits, or finding it would take too long.
    pub fn fit(&self, tree: &Tree) -> Result<Choice, Unfit> {
        let mut found = Vec::new();
        let mut all = BTreeSet::new();
        for need in &self.needs {
            let fits: Result<Vec<_>, _> = need.wanted.iter().map(|wanted| self.fits(tree, wanted)).collect();
            let fits = fits?;
            all.extend(fits.iter().flatten().cloned());
            found.push(fits);
        }
        let mut candidates: Vec<Candidate> = all
            .iter()
            .filter_map(|id| {
                Some(Candidate { spot: tree.spot_at(id)?, same: vec![Some(self.same_of(tree, id)?)] })
            })
            .collect();
        candidates.sort_by(|one, other| one.spot.path.cmp(&other.spot.path));
        let places: BTreeMap<_, _> =
            candidates.iter().enumerate().map(|(place, found)| (&found.spot.node, place)).collect();
        let needs = self.needs.iter().zip(found).map(|(need, fits)| {
            let alternatives = need.wanted.iter().zip(fits).map(|(wanted, fits)| {
                let mut fits: Vec<_> = fits.iter().filter_map(|id| places.get(id).copied()).collect();
                fits.sort_unstable();
                Alternative { text: wanted.to_string(), count: count(wanted), fits }
            });
            Options { name: need.name.clone(), scope: 0, alternatives: alternatives.collect() }
        });
        let needs = needs.collect();
        Ok(Choice { text: self.to_string().into(), candidates, needs })
    }

    /// All that fits, if it could be given when nobody had anything; else why not.
    ///
    /// # Errors
    /// Nothing fits, however long one waits.
    pub fn fit_ever(&self, tree: &Tree) -> Result<Choice, Unfit> {
        let choice = self.fit(tree)?;
        if choice.can_be_met() { Ok(choice) } else { Err(self.why(tree, &choice)?) }
    }

    /// Whether the lab could give all of these together, apart from each other, when nobody had anything.
    ///
    /// # Errors
    /// It could not, however long one waits.
    pub fn fit_together(tree: &Tree, all: &[&Self]) -> Result<(), Unfit> {
        let choices: Result<Vec<_>, _> = all.iter().map(|needs| needs.fit_ever(tree).map(Arc::new)).collect();
        let together = Choice::together(&choices?);
        if together.can_be_met() {
            return Ok(());
        }
        let why = "the same resource would have to be given twice".to_owned();
        Err(Unfit::Together { needs: together.text.to_string(), why })
    }

    /// The nodes that fit and are in service. Where one lies in another, the inner one is meant.
    fn fits(&self, tree: &Tree, wanted: &Wanted) -> Result<BTreeSet<ResourceId>, Unfit> {
        let found = tree.select(&wanted.selector, Sight::Open, &ResourceId::root(), None, FITS_MAX)?;
        if found.more {
            return Err(Unfit::TooMany { need: wanted.to_string() });
        }
        let mut fits: BTreeSet<_> = found.nodes.into_iter().collect();
        let outer: BTreeSet<_> =
            fits.iter().filter_map(|id| tree.spot_at(id)).flat_map(|spot| spot.above).collect();
        fits.retain(|id| !outer.contains(id) && tree.out_of_service(id).is_none());
        Ok(fits)
    }

    /// What must be the same, of a node or the nearest node above that says it; none where nobody does.
    fn same_of(&self, tree: &Tree, id: &ResourceId) -> Option<Vec<String>> {
        self.same.iter().map(|key| value_of(tree, id, key)).collect()
    }

    fn why(&self, tree: &Tree, choice: &Choice) -> Result<Unfit, Unfit> {
        for (need, options) in self.needs.iter().zip(&choice.needs) {
            let mut told = Vec::new();
            for (wanted, alternative) in need.wanted.iter().zip(&options.alternatives) {
                if alternative.fits.len() >= alternative.count {
                    told.clear();
                    break;
                }
                told.push(self.why_too_few(tree, wanted, alternative, choice)?);
            }
            if !told.is_empty() {
                return Ok(Unfit::Nothing { need: need.to_string(), why: told.join("; and ") });
            }
        }
        let why = if self.same.is_empty() {
            "the same resource would have to be given twice".to_owned()
        } else {
            let keys: Vec<&str> = self.same.iter().map(|key| &**key).collect();
            format!("nowhere are all of them with the same {}", keys.join(" and "))
        };
        Ok(Unfit::Together { needs: self.to_string(), why })
    }

    fn why_too_few(
        &self,
        tree: &Tree,
        wanted: &Wanted,
        alternative: &Alternative,
        choice: &Choice,
    ) -> Result<String, Unfit> {
        let all = tree.select(&wanted.selector, Sight::Open, &ResourceId::root(), None, FITS_MAX)?.nodes;
        if all.is_empty() {
            return Ok(tree.why_none(&wanted.selector, Sight::Open)?);
        }
        let fitting = alternative.fits.iter().filter_map(|place| choice.candidates.get(*place));
        let named: Vec<&str> = fitting.take(NAMED_MAX).map(|found| found.spot.path.as_str()).collect();
        let more = alternative.fits.len().saturating_sub(NAMED_MAX);
        let mut why = match named.as_slice() {
            [] => "none fits".to_owned(),
            [one] => format!("only {one} fits"),
            named if more > 0 => format!("only {} and {more} more fit", named.join(", ")),
            named => format!("only {} fit", named.join(", ")),
        };
        let out: Vec<_> =
            all.iter().filter_map(|id| Some((tree.path(id), tree.out_of_service(id)?))).collect();
        for (path, reason) in out.iter().take(NAMED_MAX) {
            why.push_str(&format!("; {path} is out of service ({reason})"));
        }
        let serves = |id: &&ResourceId| tree.out_of_service(id).is_none();
        let lacks: Vec<_> = all.iter().filter(serves).filter(|id| self.same_of(tree, id).is_none()).collect();
        for id in lacks.iter().take(NAMED_MAX) {
            why.push_str(&format!("; nobody says of which {} {} is", self.same.join(" and "), tree.path(id)));
        }
        Ok(why)
    }
}

fn count(wanted: &Wanted) -> usize {
    usize::try_from(wanted.count).unwrap_or(usize::MAX)
}

impl Tree {
    /// Why a node, or one above it, is out of service (`out_of_service`), as the selector of that name says it.
    pub fn out_of_service(&self, id: &ResourceId) -> Option<String> {
        self.up(id).find_map(|id| self.says_out_of_service(&id)).flatten()
    }

    /// What a node says of itself: that it is out of service, and why, or that it is not; nothing where it does not say.
    pub fn says_out_of_service(&self, id: &ResourceId) -> Option<Option<String>> {
        let value = self.row(id)?.properties.get(OUT_OF_SERVICE).filter(|value| !value.is_null())?;
        let why = || value.as_str().map_or_else(|| "no reason is given".to_owned(), str::to_owned);
        Some(is_there(value).then(why))
    }

    /// A node and those above it, the nearest first.
    fn up(&self, id: &ResourceId) -> impl Iterator<Item = ResourceId> {
        std::iter::successors(Some(id.clone()), |id| self.row(id)?.parent.clone())
    }
}

/// A property of a node, or of the nearest node above that has it.
fn said_above<'t>(tree: &'t Tree, id: &ResourceId, key: &str) -> Option<&'t Value> {
    tree.up(id).find_map(|id| tree.row(&id)?.properties.get(key).filter(|value| !value.is_null()))
}

/// Where nobody says of which bench something is, it is of that below the root in which it stands; and the parent is what
/// it is in.
fn value_of(tree: &Tree, id: &ResourceId, key: &str) -> Option<String> {
    if let Some(value) = said_above(tree, id, key) {
        return Some(value.as_str().map_or_else(|| value.to_string(), str::to_owned));
    }
    let spot = tree.spot_at(id)?;
    match key {
        "bench" => Some(spot.above.get(1).unwrap_or(id).to_string()),
        "parent" => spot.above.last().map(ToString::to_string),
        _ => None,
    }
}
