//! SQL text into tokens, as the three databases would: so that a `$name` inside a text, a comment or a quoted name is told from
//! one that stands for a value.
//!
//! The lexer knows just enough to be sure where texts begin and end; what a statement means is for the database to judge.

use std::ops::Range;

use super::Dialect;

/// A piece of a statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Token {
    /// What it is.
    pub(super) kind: Kind,
    /// Its bytes in the statement.
    pub(super) span: Range<usize>,
}

/// What a piece of a statement is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Space or a comment.
    Gap,
    /// A keyword, a name, or a number.
    Word,
    /// A name in quotes.
    QuotedName,
    /// A text, with escapes resolved.
    Literal(String),
    /// `X'…'`, `_latin1'…'` and the like: a text whose meaning the prefix changes.
    PrefixedLiteral,
    /// `$name` or `${name}`.
    Variable(String),
    /// `@name@`.
    Field(String),
    /// A place for a value that nothing here would fill: `?`, `$1`, `:name`.
    Placeholder,
    /// Any other sign.
    Sign(char),
}

/// Why a statement cannot be cut into tokens, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Fault {
    /// The byte where it begins.
    pub(super) at: usize,
    /// What it is.
    pub(super) kind: FaultKind,
}

/// What is wrong with the text of a statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FaultKind {
    /// A text, quoted name or comment that does not end.
    Open(&'static str),
    /// `/*! … */`, which MySQL runs.
    ConditionalComment,
    /// `$$` outside a text.
    DollarDollar,
}

/// Cuts a statement into tokens that cover it without a hole.
pub(super) fn tokens(text: &str, dialect: Dialect) -> Result<Vec<Token>, Fault> {
    let mut lexer = Lexer { text, at: 0, dialect };
    let mut tokens = Vec::new();
    while lexer.at < text.len() {
        let start = lexer.at;
        let kind = lexer.next()?;
        tokens.push(Token { kind, span: start..lexer.at });
    }
    Ok(tokens)
}

struct Lexer<'a> {
    text: &'a str,
    at: usize,
    dialect: Dialect,
}

impl Lexer<'_> {
    fn rest(&self) -> &str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn second(&self) -> Option<char> {
        self.rest().chars().nth(1)
    }

    fn step(&mut self) -> Option<char> {
        let character = self.peek()?;
        self.at = self.at.saturating_add(character.len_utf8());
        Some(character)
    }

    fn eat(&mut self, wanted: &str) -> bool {
        let found = self.rest().starts_with(wanted);
        if found {
            self.at = self.at.saturating_add(wanted.len());
        }
        found
    }

    /// Reads on while the characters fit; what was read.
    fn take(&mut self, fits: impl Fn(char) -> bool) -> String {
        let taken: String = self.rest().chars().take_while(|character| fits(*character)).collect();
        self.at = self.at.saturating_add(taken.len());
        taken
    }

    fn next(&mut self) -> Result<Kind, Fault> {
        let start = self.at;
        let Some(first) = self.peek() else { return Ok(Kind::Gap) };
        match first {
            space if space.is_whitespace() => {
                self.take(char::is_whitespace);
                Ok(Kind::Gap)
            }
            '-' if self.starts_line_comment() => Ok(self.line_comment()),
            '#' if self.dialect == Dialect::MySql => Ok(self.line_comment()),
            '/' if self.second() == Some('*') => self.block_comment(),
            '\'' => self.literal(self.dialect == Dialect::MySql),
            '"' if self.dialect == Dialect::MySql => self.literal(true),
            '"' => self.quoted_name('"'),
            '`' => self.quoted_name('`'),
            '[' if self.dialect == Dialect::Sqlite => self.quoted_name(']'),
            '$' => self.dollar(),
            '@' => Ok(self.at_sign()),
            '?' if self.dialect != Dialect::Postgres => {
                self.step();
                Ok(Kind::Placeholder)
            }
            ':' if self.dialect == Dialect::Sqlite && self.second().is_some_and(starts_name) => {
                self.step();
                self.take(continues_name);
                Ok(Kind::Placeholder)
            }
            letter if starts_name(letter) || letter.is_ascii_digit() => self.word(start),
            sign => {
                self.step();
                Ok(Kind::Sign(sign))
            }
        }
    }

    /// MySQL wants a space after `--`, so that `5--1` is six.
    fn starts_line_comment(&self) -> bool {
        let mut rest = self.rest().chars();
        (rest.next(), rest.next()) == (Some('-'), Some('-'))
            && (self.dialect != Dialect::MySql
                || rest.next().is_none_or(|c| c.is_whitespace() || c.is_control()))
    }

    fn line_comment(&mut self) -> Kind {
        self.take(|character| character != '\n');
        Kind::Gap
    }

    fn block_comment(&mut self) -> Result<Kind, Fault> {
        let start = self.at;
        self.eat("/*");
        if self.dialect == Dialect::MySql && (self.peek() == Some('!') || self.rest().starts_with("M!")) {
            return Err(Fault { at: start, kind: FaultKind::ConditionalComment });
        }
        let mut depth = 1_u32;
        while depth > 0 {
            if self.eat("*/") {
                depth = depth.saturating_sub(1);
            } else if self.dialect == Dialect::Postgres && self.eat("/*") {
                depth = depth.saturating_add(1);
            } else if self.step().is_none() {
                return Err(Fault { at: start, kind: FaultKind::Open("comment") });
            }
        }
        Ok(Kind::Gap)
    }

    /// A text; its quote, doubled, stands for itself, and in MySQL a backslash begins an escape.
    fn literal(&mut self, backslashes: bool) -> Result<Kind, Fault> {
        let start = self.at;
        let open = Fault { at: start, kind: FaultKind::Open("text") };
        let quote = self.step().ok_or(open)?;
        let mut content = String::new();
        loop {
            match self.step().ok_or(open)? {
                end if end == quote && self.peek() == Some(quote) => {
                    self.step();
                    content.push(quote);
                }
                end if end == quote => return Ok(Kind::Literal(content)),
                '\\' if backslashes => self.escape(&mut content, open)?,
                other => content.push(other),
            }
        }
    }

    /// What follows a backslash in MySQL, and in PostgreSQL's `E'…'`.
    fn escape(&mut self, content: &mut String, open: Fault) -> Result<(), Fault> {
        let escaped = self.step().ok_or(open)?;
        match (escaped, self.dialect) {
            ('n', _) => content.push('\n'),
            ('t', _) => content.push('\t'),
            ('r', _) => content.push('\r'),
            ('b', _) => content.push('\x08'),
            ('0', Dialect::MySql) => content.push('\0'),
            ('Z', Dialect::MySql) => content.push('\x1a'),
            // Kept, as MySQL does, for patterns of LIKE.
            ('%' | '_', Dialect::MySql) => content.extend(['\\', escaped]),
            ('f', Dialect::Postgres) => content.push('\x0c'),
            (other, _) => content.push(other),
        }
        Ok(())
    }

    fn quoted_name(&mut self, end: char) -> Result<Kind, Fault> {
        let start = self.at;
        self.step();
        loop {
            match self.step() {
                None => return Err(Fault { at: start, kind: FaultKind::Open("quoted name") }),
                Some(character) if character == end && self.peek() == Some(end) && end != ']' => {
                    self.step();
                }
                Some(character) if character == end => return Ok(Kind::QuotedName),
                Some(_) => {}
            }
        }
    }

    fn dollar(&mut self) -> Result<Kind, Fault> {
        let start = self.at;
        if let Some(content) = self.dollar_quoted() {
            return Ok(Kind::Literal(content));
        }
        self.eat("$");
        match self.peek() {
            Some('$') => Err(Fault { at: start, kind: FaultKind::DollarDollar }),
            Some('{') => {
                let inside: String = self.rest().chars().skip(1).take_while(|c| continues_name(*c)).collect();
                if inside.chars().next().is_some_and(starts_name) && self.eat(&format!("{{{inside}}}")) {
                    return Ok(Kind::Variable(inside));
                }
                Ok(Kind::Sign('$'))
            }
            Some(digit) if digit.is_ascii_digit() => {
                self.take(|character| character.is_ascii_digit());
                Ok(Kind::Placeholder)
            }
            Some(letter) if starts_name(letter) => Ok(Kind::Variable(self.take(continues_name))),
            Some(_) | None => Ok(Kind::Sign('$')),
        }
    }

    /// PostgreSQL's `$tag$ … $tag$`, where it ends.
    fn dollar_quoted(&mut self) -> Option<String> {
        if self.dialect != Dialect::Postgres {
            return None;
        }
        let tag: String = self.rest().chars().skip(1).take_while(|c| continues_name(*c)).collect();
        let mark = format!("${tag}$");
        let body = self.rest().strip_prefix(&mark)?;
        let content = body.split_once(&mark)?.0.to_owned();
        self.at = self.at.saturating_add(mark.len().saturating_mul(2)).saturating_add(content.len());
        Some(content)
    }

    fn at_sign(&mut self) -> Kind {
        self.eat("@");
        if self.eat("@") {
            return Kind::Sign('@');
        }
        let name: String = self.rest().chars().take_while(|c| continues_name(*c)).collect();
        if !name.is_empty() && self.eat(&format!("{name}@")) {
            return Kind::Field(name);
        }
        match self.dialect {
            Dialect::Sqlite if !name.is_empty() => {
                self.eat(&name);
                Kind::Placeholder
            }
            Dialect::Sqlite | Dialect::MySql | Dialect::Postgres => Kind::Sign('@'),
        }
    }

    fn word(&mut self, start: usize) -> Result<Kind, Fault> {
        self.take(continues_name);
        let word = self.text.get(start..self.at).unwrap_or_default().to_ascii_lowercase();
        if self.dialect == Dialect::Postgres && word == "u" && self.rest().starts_with("&'") {
            self.eat("&");
            return self.literal(false).map(|_| Kind::PrefixedLiteral);
        }
        if self.peek() != Some('\'') {
            return Ok(Kind::Word);
        }
        match (&*word, self.dialect) {
            ("e", Dialect::Postgres) => self.literal(true),
            ("n", Dialect::Postgres | Dialect::MySql) => self.literal(self.dialect == Dialect::MySql),
            ("x" | "b", _) => self.literal(false).map(|_| Kind::PrefixedLiteral),
            (charset, Dialect::MySql) if charset.starts_with('_') => {
                self.literal(true).map(|_| Kind::PrefixedLiteral)
            }
            _ => Ok(Kind::Word),
        }
    }
}

/// Whether a name may begin with it.
pub(super) fn starts_name(character: char) -> bool {
    character.is_alphabetic() || character == '_'
}

/// Whether a name may go on with it.
pub(super) fn continues_name(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(text: &str, dialect: Dialect) -> Vec<Kind> {
        let tokens = tokens(text, dialect).unwrap();
        assert_eq!(tokens.iter().filter_map(|token| text.get(token.span.clone())).collect::<String>(), text);
        tokens.into_iter().map(|token| token.kind).filter(|kind| *kind != Kind::Gap).collect()
    }

    fn literal(text: &str) -> Kind {
        Kind::Literal(text.to_owned())
    }

    #[test]
    fn texts_of_each_database() {
        use Dialect::{MySql, Postgres, Sqlite};
        for (dialect, text, expected) in [
            (MySql, r"'it\'s \\ \n \% ''x'''", literal("it's \\ \n \\% 'x'")),
            (MySql, r#""it's ""x"" \"y\"""#, literal(r#"it's "x" "y""#)),
            (Postgres, r"'it''s \'", literal(r"it's \")),
            (Sqlite, r"'it''s \'", literal(r"it's \")),
            (Postgres, r"E'it\'s \f'", literal("it's \x0c")),
            (Postgres, "$$it's $x$$", literal("it's $x")),
            (Postgres, "$a$ $$ $a$", literal(" $$ ")),
            (MySql, "n'x'", literal("x")),
            (Sqlite, "X'00'", Kind::PrefixedLiteral),
            (MySql, "_utf8'x'", Kind::PrefixedLiteral),
            (Postgres, "U&'x'", Kind::PrefixedLiteral),
            (Postgres, "\"a$b\"", Kind::QuotedName),
            (Sqlite, "[a$b]", Kind::QuotedName),
            (MySql, "`a``b`", Kind::QuotedName),
        ] {
            assert_eq!(kinds(text, dialect), [expected], "{dialect:?} {text}");
        }
    }

    #[test]
    fn comments_are_gaps() {
        use Dialect::{MySql, Postgres, Sqlite};
        for (dialect, text, signs) in [
            (MySql, "-- it's $x\n1", 1),
            (MySql, "5--1", 4),
            (MySql, "# it's\n1", 1),
            (Postgres, "/* /* it's */ */1", 1),
            (Sqlite, "/* /* it's */1", 1),
            (Sqlite, "5--1", 1),
        ] {
            assert_eq!(kinds(text, dialect).len(), signs, "{dialect:?} {text}");
        }
    }

    #[test]
    fn places_of_values_are_told_from_operators() {
        use Dialect::{MySql, Postgres, Sqlite};
        let variable = |name: &str| Kind::Variable(name.to_owned());
        assert_eq!(kinds("$a,${b}", MySql), [variable("a"), Kind::Sign(','), variable("b")]);
        assert_eq!(kinds("@a@", Postgres), [Kind::Field("a".to_owned())]);
        assert_eq!(kinds("@@version", MySql), [Kind::Sign('@'), Kind::Word]);
        assert_eq!(kinds("@v", MySql), [Kind::Sign('@'), Kind::Word]);
        assert_eq!(kinds("a@>b", Postgres).len(), 4);
        assert_eq!(kinds("a?b", Postgres).len(), 3);
        for text in ["?", "$1", ":a", "@a"] {
            assert_eq!(kinds(text, Sqlite), [Kind::Placeholder], "{text}");
        }
        assert_eq!(kinds("a::text", Postgres).len(), 4);
    }

    #[test]
    fn what_does_not_end_is_said_where_it_begins() {
        for (text, at) in [("x 'y", 2), ("x /* y", 2), ("x `y", 2), ("'a\\'", 0)] {
            assert_eq!(tokens(text, Dialect::MySql).unwrap_err().at, at, "{text}");
        }
        assert_eq!(
            tokens("a /*!40101 x */", Dialect::MySql).unwrap_err().kind,
            FaultKind::ConditionalComment
        );
        assert_eq!(tokens("a $$", Dialect::Sqlite).unwrap_err().kind, FaultKind::DollarDollar);
    }
}
