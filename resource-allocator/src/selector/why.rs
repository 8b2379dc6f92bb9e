//! Why a selector finds nothing: the clause that leaves nothing of what the clauses before it found.

use super::{Selector, Sight, Term, TooMuch, select::Look};
use crate::tree::Tree;

impl Tree {
    /// How a person is told that nothing fits: `no resource has kind=ruter`, or `none of the 12 with kind=router has
    /// ports>=48`.
    ///
    /// # Errors
    /// It would take too long.
    pub fn why_none(&self, selector: &Selector, sight: Sight) -> Result<String, TooMuch> {
        let one = [selector.term.clone()];
        let terms = if let Term::All(terms) = &selector.term { terms.as_slice() } else { &one };
        let look = Look::new(self, sight);
        let mut left: Vec<_> = self.nodes.values().collect();
        let mut said: Vec<String> = Vec::new();
        for term in terms {
            let before = left.len();
            left.retain(|node| look.fits(node, term));
            look.check()?;
            if left.is_empty() {
                return Ok(match said.as_slice() {
                    [] => format!("no resource has {term}"),
                    said => format!("none of the {before} with {} has {term}", said.join(", ")),
                });
            }
            said.push(term.to_string());
        }
        Ok(format!("{} fit {selector}", left.len()))
    }
}
