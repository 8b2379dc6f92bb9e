//! Where a value may stand. A database binds values, never names: a template for a table or column would be refused by the
//! server with a riddle, or, worse, be read as a constant. So it is refused here, with its place and what to do.

use std::ops::Range;

use super::lexer::{Kind, Token};

/// Why no value may stand in a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Misplaced {
    /// It is, or is part of, the name of a table, column or function.
    Name,
    /// It stands in the list of columns of an INSERT.
    Column,
    /// Beside another value, with nothing between.
    Beside,
}

/// After these words a name follows, or (`BY`) a value would have no effect.
const BEFORE_NAMES: [&str; 17] = [
    "into", "from", "update", "table", "join", "call", "use", "database", "schema", "index", "view",
    "column", "as", "set", "by", "outfile", "collate",
];

/// Functions that write `from` between their arguments.
const WITH_FROM: [&str; 5] = ["extract", "substring", "trim", "overlay", "position"];

/// The first value (by its place in `tokens`) that stands where none may.
pub(super) fn misplaced(text: &str, tokens: &[Token], values: &[usize]) -> Option<(usize, Misplaced)> {
    let solid: Vec<(usize, &Token)> =
        tokens.iter().enumerate().filter(|(_, token)| token.kind != Kind::Gap).collect();
    let mut walk = Walk { text, columns: Columns::No, open: Vec::new() };
    let mut before: Option<&Token> = None;
    let mut before_that: Option<&Token> = None;
    for (place, (at, token)) in solid.iter().enumerate() {
        let after = solid.get(place.saturating_add(1)).map(|(_, token)| *token);
        if values.contains(at) {
            let neighbours = Neighbours { before_that, before, after };
            if let Some(reason) = walk.judge(token, &neighbours, |near| values.contains(&near), &solid, place)
            {
                return Some((*at, reason));
            }
        }
        walk.follow(token, before);
        before_that = before;
        before = Some(token);
    }
    None
}

struct Neighbours<'a> {
    before_that: Option<&'a Token>,
    before: Option<&'a Token>,
    after: Option<&'a Token>,
}

/// How far an INSERT is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Columns {
    /// In no INSERT, or past its list.
    No,
    /// INTO was read: a name follows, then perhaps the list.
    Name,
    /// In the list.
    List,
}

struct Walk<'a> {
    text: &'a str,
    columns: Columns,
    /// The word before each parenthesis that is open.
    open: Vec<String>,
}

impl Walk<'_> {
    fn word(&self, token: Option<&Token>) -> String {
        token
            .filter(|token| token.kind == Kind::Word)
            .and_then(|token| self.text.get(token.span.clone()))
            .map(str::to_ascii_lowercase)
            .unwrap_or_default()
    }

    fn follow(&mut self, token: &Token, before: Option<&Token>) {
        let word = self.word(Some(token));
        match (&token.kind, self.columns) {
            (Kind::Word, _) if word == "into" => self.columns = Columns::Name,
            (Kind::Word, Columns::Name)
                if ["values", "value", "select", "set", "default", "with"].contains(&&*word) =>
            {
                self.columns = Columns::No;
            }
            (Kind::Sign('('), Columns::Name) => self.columns = Columns::List,
            (Kind::Sign(')'), Columns::List) => self.columns = Columns::No,
            _ => {}
        }
        match token.kind {
            Kind::Sign('(') => self.open.push(self.word(before)),
            Kind::Sign(')') => {
                self.open.pop();
            }
            Kind::Gap
            | Kind::Word
            | Kind::QuotedName
            | Kind::Literal(_)
            | Kind::PrefixedLiteral
            | Kind::Variable(_)
            | Kind::Field(_)
            | Kind::Placeholder
            | Kind::Sign(_) => {}
        }
    }

    fn judge(
        &self,
        value: &Token,
        near: &Neighbours<'_>,
        is_value: impl Fn(usize) -> bool,
        solid: &[(usize, &Token)],
        place: usize,
    ) -> Option<Misplaced> {
        let word = self.word(near.before);
        let names_follow =
            BEFORE_NAMES.contains(&&*word) && !(word == "from" && self.no_name_follows(near.before_that));
        let in_name = [near.before, near.after].into_iter().flatten().any(|other| match other.kind {
            Kind::Sign(sign) => sign == '.',
            Kind::Word | Kind::QuotedName => touch(&other.span, &value.span) && !self.is_keyword(other),
            Kind::Gap
            | Kind::Literal(_)
            | Kind::PrefixedLiteral
            | Kind::Variable(_)
            | Kind::Field(_)
            | Kind::Placeholder => false,
        });
        let calls = near.after.is_some_and(|after| after.kind == Kind::Sign('('));
        if names_follow || in_name || calls || (self.columns == Columns::Name) {
            return Some(Misplaced::Name);
        }
        if self.columns == Columns::List {
            return Some(Misplaced::Column);
        }
        let around = [place.checked_sub(1), place.checked_add(1)];
        let beside = around.into_iter().flatten().filter_map(|place| solid.get(place)).any(|(at, other)| {
            is_value(*at) || matches!(other.kind, Kind::Literal(_) | Kind::PrefixedLiteral)
        });
        beside.then_some(Misplaced::Beside)
    }

    /// `EXTRACT(YEAR FROM $x)` and `IS DISTINCT FROM $x`: no name follows these.
    fn no_name_follows(&self, before_from: Option<&Token>) -> bool {
        let function = self.open.last().is_some_and(|word| WITH_FROM.contains(&&**word));
        function || self.word(before_from) == "distinct"
    }

    /// `IN'a'`, `AND$x`: a word that may touch a value without being part of it.
    fn is_keyword(&self, token: &Token) -> bool {
        const KEYWORDS: [&str; 16] = [
            "and", "or", "in", "like", "not", "values", "select", "where", "then", "else", "when", "end",
            "between", "is", "div", "mod",
        ];
        KEYWORDS.contains(&&*self.word(Some(token)))
    }
}

fn touch(one: &Range<usize>, other: &Range<usize>) -> bool {
    one.end == other.start || other.end == one.start
}
