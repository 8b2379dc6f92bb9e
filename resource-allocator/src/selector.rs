//! Selectors: which resources are meant, by what they are and what is around them. `kind=router, ports>=4, !broken`.
//!
//! ```text
//! text ── lexer.rs ──▶ tokens ── parse.rs ──▶ Selector ── select.rs ──▶ the nodes that fit, in the order of their paths
//!                                                │
//!                         compare.rs             └─ why.rs ──▶ which clause leaves nothing
//!                         is a value what a clause says?
//! ```
//!
//! A selector is parsed once, with the place of whatever is wrong in it, and is then a type that cannot be wrong. What it
//! costs is bounded twice: a text has at most so many clauses, one in another at most so deep; and whoever looks has a
//! budget of looks at nodes, after which the answer is a refusal and not a lab that stands still.

mod compare;
mod lexer;
mod parse;
mod select;
#[cfg(test)]
mod tests;
mod why;

use std::{fmt, sync::Arc};

use jackfield_protocol::secret::names_a_secret;

pub(crate) use self::{
    compare::{absent_fits, fits, is_there},
    lexer::{Lexer, Token},
    parse::Parser,
};
pub use self::{
    lexer::SyntaxError,
    select::{Found, Sight, TooMuch},
};

/// Which resources are meant.
#[derive(Clone, Debug, PartialEq)]
pub struct Selector {
    pub(crate) term: Term,
}

/// A selector or a part of one.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Term {
    /// All of them: `a, b`.
    All(Vec<Term>),
    /// At least one of them: `a | b`.
    Any(Vec<Term>),
    /// `!a`.
    Not(Box<Term>),
    /// Something of the node itself.
    Is(Clause),
    /// Something of the nodes around it.
    Near(Near),
}

/// What a node has: `ports>=4`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Clause {
    pub(crate) key: Key,
    pub(crate) test: Test,
}

/// What of a node is looked at.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Key {
    /// Its name.
    Name,
    /// Its path.
    Path,
    /// Its id.
    Id,
    /// Each of its tags: the properties `tags` and `tag`.
    Tag,
    /// A property; after a dot, what is inside of it.
    Property(Arc<str>),
}

/// What is said of it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Test {
    /// It is there, and neither empty nor a no.
    There,
    /// `=4`, `>=4`
    Is(Comparison, Literal),
    /// `in (a, b)`
    In(Vec<Literal>),
    /// `~ex*`
    Like(Pattern),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Comparison {
    Equal,
    NotEqual,
    Less,
    AtMost,
    More,
    AtLeast,
}

/// A value as it stands in a selector.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Literal {
    pub(crate) text: Arc<str>,
    /// It stood in quotes, and is a text whatever it looks like.
    pub(crate) quoted: bool,
}

/// A text with `*` and `?` in it, in lower case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pattern(pub(crate) Arc<str>);

/// How many nodes around it fit: `child(kind=port) >= 4`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Near {
    pub(crate) relation: Relation,
    pub(crate) term: Box<Term>,
    /// Which of the text's it is, for what is remembered of it.
    pub(crate) number: usize,
    pub(crate) comparison: Comparison,
    pub(crate) count: u64,
}

/// Where other nodes are, seen from a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Relation {
    /// Right below.
    Child,
    /// Below, however deep.
    Below,
    /// Right above.
    Parent,
    /// Above, however high.
    Above,
    /// Linked: counted are the links to one node that fits, from this one and all below it.
    Link,
}

impl Selector {
    /// Reads one.
    ///
    /// # Errors
    /// Where it is wrong, and what would be right.
    pub fn parse(text: &str) -> Result<Self, SyntaxError> {
        parse::whole(text)
    }

    /// Whether it looks at a property whose name is that of a secret: whoever may not see secrets may not try them either.
    pub fn looks_at_secrets(&self) -> bool {
        fn secret(term: &Term) -> bool {
            match term {
                Term::All(terms) | Term::Any(terms) => terms.iter().any(secret),
                Term::Not(term) => secret(term),
                Term::Near(near) => secret(&near.term),
                Term::Is(Clause { key: Key::Property(key), .. }) => key.split('.').any(names_a_secret),
                Term::Is(_) => false,
            }
        }
        secret(&self.term)
    }

    /// What it says the kind must be, where it says so in one word: `router` of `kind=router, ports>=4`.
    pub fn kind(&self) -> Option<&str> {
        fn kind(term: &Term) -> Option<&str> {
            match term {
                Term::All(terms) => terms.iter().find_map(kind),
                Term::Is(Clause { key: Key::Property(key), test: Test::Is(Comparison::Equal, value) })
                    if &**key == "kind" =>
                {
                    Some(&value.text)
                }
                Term::Is(_) | Term::Any(_) | Term::Not(_) | Term::Near(_) => None,
            }
        }
        kind(&self.term)
    }
}

impl Comparison {
    fn as_str(self) -> &'static str {
        match self {
            Self::Equal => "=",
            Self::NotEqual => "!=",
            Self::Less => "<",
            Self::AtMost => "<=",
            Self::More => ">",
            Self::AtLeast => ">=",
        }
    }

    pub(crate) fn holds(self, order: std::cmp::Ordering) -> bool {
        match self {
            Self::Equal => order.is_eq(),
            Self::NotEqual => order.is_ne(),
            Self::Less => order.is_lt(),
            Self::AtMost => order.is_le(),
            Self::More => order.is_gt(),
            Self::AtLeast => order.is_ge(),
        }
    }
}

impl Relation {
    pub(crate) const ALL: [Self; 5] = [Self::Child, Self::Below, Self::Parent, Self::Above, Self::Link];

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Child => "child",
            Self::Below => "below",
            Self::Parent => "parent",
            Self::Above => "above",
            Self::Link => "link",
        }
    }
}

impl Key {
    fn as_str(&self) -> &str {
        match self {
            Self::Name => "name",
            Self::Path => "path",
            Self::Id => "id",
            Self::Tag => "tag",
            Self::Property(name) => name,
        }
    }
}

/// One text for one selector, however it was written: what is stored, compared and shown.
impl fmt::Display for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.term.fmt(f)
    }
}

impl fmt::Display for Term {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All(terms) => joined(f, terms, ", ", |term| matches!(term, Self::Any(_))),
            Self::Any(terms) => joined(f, terms, " | ", |_| false),
            Self::Not(term) if matches!(**term, Self::All(_) | Self::Any(_)) => write!(f, "!({term})"),
            // Without them it would read as another comparison.
            Self::Not(term) => write!(f, "!{term}"),
            Self::Is(clause) => clause.fmt(f),
            Self::Near(near) => near.fmt(f),
        }
    }
}

fn joined(
    f: &mut fmt::Formatter<'_>,
    terms: &[Term],
    between: &str,
    wants_brackets: fn(&Term) -> bool,
) -> fmt::Result {
    for (number, term) in terms.iter().enumerate() {
        if number > 0 {
            f.write_str(between)?;
        }
        if wants_brackets(term) { write!(f, "({term})") } else { write!(f, "{term}") }?;
    }
    Ok(())
}

impl fmt::Display for Clause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Key::Property(name) = &self.key {
            // A property with a name that means something else is told by its colon, as in a query.
            if ["name", "path", "id", "tag"].contains(&&**name) {
                f.write_str(":")?;
            }
        }
        lexer::write_word(f, self.key.as_str(), false)?;
        match &self.test {
            Test::There => Ok(()),
            Test::Is(comparison, value) => write!(f, "{}{value}", comparison.as_str()),
            Test::Like(pattern) => {
                f.write_str("~")?;
                lexer::write_word(f, &pattern.0, false)
            }
            Test::In(values) => {
                f.write_str(" in (")?;
                for (number, value) in values.iter().enumerate() {
                    write!(f, "{}{value}", if number > 0 { ", " } else { "" })?;
                }
                f.write_str(")")
            }
        }
    }
}

impl fmt::Display for Near {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}({})", self.relation.as_str(), self.term)?;
        let some = self.comparison == Comparison::AtLeast && self.count == 1;
        if some { Ok(()) } else { write!(f, "{}{}", self.comparison.as_str(), self.count) }
    }
}

impl fmt::Display for Literal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        lexer::write_word(f, &self.text, self.quoted)
    }
}
