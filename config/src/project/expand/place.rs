//! Where a suite runs: each of its SUTs, with each of its EPs.

use std::{collections::BTreeSet, sync::Arc};

use jackfield_protocol::id::{EpName, SutName};

use super::{
    Known, SutEps,
    prepare::{Absent, Preparer},
};
use crate::{
    problem::suggest,
    project::Suite,
    source::{At, Span},
};

impl Preparer<'_, '_> {
    /// SUT and EP of inner suites are those of the top suite.
    pub(super) fn inner_place(&mut self, suite: &Suite) {
        if !suite.labels.is_empty() {
            self.problems.warn(
                suite.span,
                "<Labels> of an inner suite are not used",
                "give them to the top suite",
            );
        }
    }

    /// Each SUT with each of its EPs.
    pub(super) fn places(&mut self, suite: &Suite) -> Vec<(Option<SutName>, Option<EpName>)> {
        let suts: Vec<At<Arc<str>>> = match &self.options.sut {
            Some(sut) => vec![At::new(sut.as_str().into(), suite.span)],
            None => suite.suts.clone(),
        };
        let suts: Vec<(Option<SutEps>, Span)> = if suts.is_empty() {
            vec![(None, suite.span)]
        } else {
            suts.iter().map(|sut| (Some(self.sut(sut)), sut.span)).collect()
        };
        let mut places = Vec::new();
        let mut seen = BTreeSet::new();
        for (sut, span) in suts {
            let name = sut.as_ref().map(|sut| SutName::from(sut.name.as_str()));
            for ep in self.eps(suite, sut) {
                let place = (name.clone(), ep);
                if !seen.insert(place.clone()) {
                    self.problems.warn(
                        span,
                        "the same SUT and EP are named twice",
                        "the suite runs there once",
                    );
                } else {
                    places.push(place);
                }
            }
        }
        places
    }

    /// The run's own EP, else the suite's, else the SUT's, else any.
    fn eps(&self, suite: &Suite, sut: Option<SutEps>) -> Vec<Option<EpName>> {
        if let Some(ep) = &self.options.ep {
            return vec![Some(ep.clone())];
        }
        let own: Vec<_> = suite.eps.iter().map(|ep| Some(EpName(Arc::clone(&ep.value)))).collect();
        if !own.is_empty() {
            return own;
        }
        let eps: Vec<_> = sut.unwrap_or_default().eps.into_iter().map(|ep| Some(EpName::from(ep))).collect();
        if eps.is_empty() { vec![None] } else { eps }
    }

    fn sut(&mut self, sut: &At<Arc<str>>) -> SutEps {
        let name = sut.value.trim_start_matches('/');
        if !self.suts.contains_key(&sut.value) {
            let nobody = "".into();
            let user = self.options.user.as_ref().unwrap_or(&nobody);
            let found = match self.lab.sut_eps(name, user) {
                Known::Yes(found) => Ok(found),
                Known::Unchecked => Ok(SutEps { name: name.to_owned(), eps: Vec::new() }),
                Known::No(reason) => {
                    let names = self.lab.sut_names();
                    let help = suggest(name, names.iter().map(String::as_str));
                    Err(Absent { reason, help })
                }
            };
            self.suts.insert(Arc::clone(&sut.value), found);
        }
        match self.suts.get(&sut.value) {
            Some(Ok(found)) => return found.clone(),
            Some(Err(Absent { reason, help })) => {
                self.problems.error(sut.span, format!("SUT `{name}` {reason}"), help.as_str());
            }
            None => {}
        }
        SutEps { name: name.to_owned(), eps: Vec::new() }
    }
}
