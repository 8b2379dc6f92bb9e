//! The tree beside a model that is a list of paths, through random edits, undoing and plans.

#[cfg(test)]
mod edits;
#[cfg(test)]
mod model;
#[cfg(test)]
mod plans;
