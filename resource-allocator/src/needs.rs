//! What a person or a project needs, by what it is and not by its name: `dut: 2x kind=router, ports>=4 else kind=switch;
//! phone: kind=phone; same bench`.
//!
//! ```text
//! needs  = need { ";" need | ";" "same" key { "," key } }
//! need   = [ NAME ":" ] wanted { "else" wanted }
//! wanted = [ NUMBER "x" ] selector
//! ```
//!
//! One grammar for the command line, HTTP and project files. What is needed is had together or not at all; of the
//! alternatives the first that can be had is taken.

mod fit;
mod parse;
#[cfg(test)]
mod tests;

use std::{fmt, sync::Arc};

pub use self::fit::Unfit;
use crate::{
    node::ResourceId,
    selector::{Selector, SyntaxError},
};

/// The name under which a health check is given what it checks.
const CHECKED: &str = "device";

/// Everything that somebody needs together.
#[derive(Clone, Debug, PartialEq)]
pub struct Needs {
    /// Each with a name of its own.
    pub(crate) needs: Vec<Need>,
    /// What all that is given must have the same of.
    pub(crate) same: Vec<Arc<str>>,
}

/// Something that is needed, under the name by which tests ask for it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Need {
    pub(crate) name: Arc<str>,
    /// Whether the name was written, and not made of the kind.
    pub(crate) named: bool,
    /// The first that can be had is taken.
    pub(crate) wanted: Vec<Wanted>,
}

/// So many resources that fit.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Wanted {
    pub(crate) count: u32,
    pub(crate) selector: Selector,
}

impl Needs {
    /// Reads them.
    ///
    /// # Errors
    /// Where they are wrong, and what would be right.
    pub fn parse(text: &str) -> Result<Self, SyntaxError> {
        parse::needs(text)
    }

    /// What a health check needs: the resource that it checks, under the name of `device`, and what the check itself says it needs
    /// beside.
    pub fn of_check(own: Option<&Self>, device: &ResourceId) -> Self {
        let text = format!("{CHECKED}: id=\"{device}\"");
        let mut needs = Self::parse(&text).expect("an id is ten digits, and reads as a text in quotes");
        if let Some(own) = own {
            needs.needs.extend(own.needs.iter().filter(|need| &*need.name != CHECKED).cloned());
            needs.same.clone_from(&own.same);
        }
        needs
    }

    /// The names under which they are given.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.needs.iter().map(|need| &*need.name)
    }
}

/// One text for the same needs, however they were written: by it they are stored and looked up.
impl fmt::Display for Needs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, need) in self.needs.iter().enumerate() {
            write!(f, "{}{need}", if number > 0 { "; " } else { "" })?;
        }
        if !self.same.is_empty() {
            let keys: Vec<&str> = self.same.iter().map(|key| &**key).collect();
            write!(f, "; same {}", keys.join(", "))?;
        }
        Ok(())
    }
}

impl fmt::Display for Need {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.named {
            write!(f, "{}: ", self.name)?;
        }
        for (number, wanted) in self.wanted.iter().enumerate() {
            write!(f, "{}{wanted}", if number > 0 { " else " } else { "" })?;
        }
        Ok(())
    }
}

impl fmt::Display for Wanted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.count > 1 {
            write!(f, "{}x ", self.count)?;
        }
        self.selector.fmt(f)
    }
}
