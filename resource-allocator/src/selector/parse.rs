//! From words and signs to a selector.
//!
//! ```text
//! any     = all { "|" all }
//! all     = one { "," one }
//! one     = "!" one | "(" any ")" | near | clause
//! near    = ("child" | "below" | "parent" | "above" | "link") "(" any ")" [ comparison NUMBER ]
//! clause  = key [ comparison value | "~" pattern | ["not"] "in" "(" value { "," value } ")" ]
//! ```

use std::sync::Arc;

use super::{
    Clause, Comparison, Key, Lexer, Literal, Near, Pattern, Relation, Selector, SyntaxError, Term, Test,
    Token,
};

/// Clauses and values of one text.
const CLAUSES_MAX: usize = 256;
/// How deep brackets may stand in brackets.
const DEPTH_MAX: usize = 16;
/// Letters of a pattern.
const PATTERN_MAX: usize = 128;

const VALUE: &str = "write a word, a number, or a text in quotes";
const CLAUSE: &str = "write what the resource is, such as kind=router, ports>=4 or !broken";

/// Reads what follows of a text as a selector.
pub(crate) struct Parser<'l, 'a> {
    pub(crate) lexer: &'l mut Lexer<'a>,
    clauses: usize,
    depth: usize,
    nears: usize,
}

pub(super) fn whole(text: &str) -> Result<Selector, SyntaxError> {
    let mut lexer = Lexer::new(text)?;
    let selector = Parser::new(&mut lexer).selector()?;
    match lexer.peek() {
        Token::End => Ok(selector),
        other @ (Token::Word(_) | Token::Quoted(_) | Token::Sign(_)) => {
            let problem = format!("{other} cannot follow here");
            let help = match other {
                Token::Word(word) if matches!(&**word, "and" | "AND" | "&" | "&&") => "write `,` for and",
                Token::Word(word) if matches!(&**word, "or" | "OR" | "||") => "write `|` for or",
                Token::Word(_) | Token::Quoted(_) | Token::Sign(_) | Token::End => {
                    "write `,` between clauses that must all hold, `|` between those of which one is enough"
                }
            };
            Err(lexer.wrong(problem, help))
        }
    }
}

impl<'l, 'a> Parser<'l, 'a> {
    pub(crate) fn new(lexer: &'l mut Lexer<'a>) -> Self {
        Self { lexer, clauses: 0, depth: 0, nears: 0 }
    }

    pub(crate) fn selector(&mut self) -> Result<Selector, SyntaxError> {
        Ok(Selector { term: self.any()? })
    }

    fn any(&mut self) -> Result<Term, SyntaxError> {
        let mut terms = vec![self.all()?];
        while self.lexer.takes("|") {
            // `||` is what programmers write.
            self.lexer.takes("|");
            terms.push(self.all()?);
        }
        Ok(one_or(terms, Term::Any))
    }

    fn all(&mut self) -> Result<Term, SyntaxError> {
        let mut terms = vec![self.one()?];
        while self.lexer.takes(",") {
            terms.push(self.one()?);
        }
        Ok(one_or(terms, Term::All))
    }

    fn one(&mut self) -> Result<Term, SyntaxError> {
        if self.lexer.takes("!") {
            return self.inside(|parser| Ok(Term::Not(Box::new(parser.one()?))));
        }
        if self.lexer.takes("(") {
            return self.inside(|parser| {
                let term = parser.any()?;
                parser.close()?;
                Ok(term)
            });
        }
        let is_call = matches!(self.lexer.peek_second(), Token::Sign("("));
        if is_call && let Token::Word(word) = self.lexer.peek() {
            let word = Arc::clone(word);
            return self.near(&word);
        }
        self.clause()
    }

    /// One level deeper.
    fn inside(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<Term, SyntaxError>,
    ) -> Result<Term, SyntaxError> {
        self.depth = self.depth.saturating_add(1);
        if self.depth > DEPTH_MAX {
            let problem = format!("brackets stand in brackets more than {DEPTH_MAX} deep");
            return Err(self.lexer.wrong_before(problem, "say it with fewer of them"));
        }
        let term = read(self);
        self.depth = self.depth.saturating_sub(1);
        term
    }

    fn close(&mut self) -> Result<(), SyntaxError> {
        if self.lexer.takes(")") {
            return Ok(());
        }
        let problem = format!("{} where a bracket should be closed", self.lexer.peek());
        Err(self.lexer.wrong(problem, "write `)`, or `,` and another clause"))
    }

    fn near(&mut self, word: &str) -> Result<Term, SyntaxError> {
        let Some(relation) = Relation::ALL.into_iter().find(|relation| relation.as_str() == word) else {
            let help = "write child(…), below(…), parent(…), above(…) or link(…); values stand after `in`: \
                        model in (a, b)";
            return Err(self.lexer.wrong(format!("`{word}(` is not known"), help));
        };
        self.lexer.take();
        self.lexer.take();
        let term = self.inside(|parser| {
            let term = parser.any()?;
            parser.close()?;
            Ok(term)
        })?;
        let number = self.nears;
        self.nears = number.saturating_add(1);
        self.count_in()?;
        let (comparison, count) = match self.comparison() {
            None => (Comparison::AtLeast, 1),
            Some(comparison) => {
                let count = match self.lexer.take() {
                    Token::Word(word) => word.parse().ok(),
                    Token::Quoted(_) | Token::Sign(_) | Token::End => None,
                };
                let wrong = || self.lexer.wrong_before("a number is missing", "write how many, such as >=2");
                (comparison, count.ok_or_else(wrong)?)
            }
        };
        Ok(Term::Near(Near { relation, term: Box::new(term), number, comparison, count }))
    }

    fn clause(&mut self) -> Result<Term, SyntaxError> {
        self.count_in()?;
        let key = self.key()?;
        if let Some(comparison) = self.comparison() {
            let value = self.value()?;
            return Ok(Term::Is(Clause { key, test: Test::Is(comparison, value) }));
        }
        if self.lexer.takes("~") {
            let value = self.value()?;
            if value.text.chars().count() > PATTERN_MAX {
                let problem = format!("a pattern of more than {PATTERN_MAX} letters");
                return Err(self.lexer.wrong_before(problem, "write a shorter one, with * for the rest"));
            }
            return Ok(Term::Is(Clause { key, test: Test::Like(Pattern(value.text.to_lowercase().into())) }));
        }
        let is_in = |token: &Token| matches!(token, Token::Word(word) if &**word == "in");
        if matches!(self.lexer.peek(), Token::Word(word) if &**word == "not")
            && is_in(self.lexer.peek_second())
        {
            self.lexer.take();
            self.lexer.take();
            let test = self.values()?;
            return Ok(Term::Not(Box::new(Term::Is(Clause { key, test }))));
        }
        if is_in(self.lexer.peek()) {
            self.lexer.take();
            let test = self.values()?;
            return Ok(Term::Is(Clause { key, test }));
        }
        Ok(Term::Is(Clause { key, test: Test::There }))
    }

    fn key(&mut self) -> Result<Key, SyntaxError> {
        let is_property = self.lexer.takes(":");
        match self.lexer.take() {
            Token::Word(word) if word.contains(':') => {
                let problem = format!("a colon in `{word}`, where a clause should begin");
                Err(self
                    .lexer
                    .wrong_before(problem, "write a space behind the colon that ends a name, or quotes"))
            }
            Token::Word(word) if word.starts_with('/') => {
                let problem = format!("the path `{word}`, where a clause should begin");
                let help = format!("write path={word}, or path~{word}/* for what is below it");
                Err(self.lexer.wrong_before(problem, &help))
            }
            Token::Word(word) if !is_property => Ok(match &*word {
                "name" => Key::Name,
                "path" => Key::Path,
                "id" => Key::Id,
                "tag" | "tags" => Key::Tag,
                _ => Key::Property(word),
            }),
            Token::Word(word) => Ok(Key::Property(word)),
            Token::Quoted(text) if !text.is_empty() => Ok(Key::Property(text)),
            other @ (Token::Quoted(_) | Token::Sign(_) | Token::End) => {
                Err(self.lexer.wrong_before(format!("{other} where a clause should begin"), CLAUSE))
            }
        }
    }

    fn comparison(&mut self) -> Option<Comparison> {
        let signs = [
            ("==", Comparison::Equal),
            ("=", Comparison::Equal),
            ("!=", Comparison::NotEqual),
            ("<=", Comparison::AtMost),
            ("<", Comparison::Less),
            (">=", Comparison::AtLeast),
            (">", Comparison::More),
        ];
        signs.into_iter().find(|(sign, _)| self.lexer.takes(sign)).map(|(_, comparison)| comparison)
    }

    fn value(&mut self) -> Result<Literal, SyntaxError> {
        match self.lexer.take() {
            Token::Word(text) => Ok(Literal { text, quoted: false }),
            Token::Quoted(text) => Ok(Literal { text, quoted: true }),
            other @ (Token::Sign(_) | Token::End) => {
                Err(self.lexer.wrong_before(format!("{other} where a value should be"), VALUE))
            }
        }
    }

    fn values(&mut self) -> Result<Test, SyntaxError> {
        if !self.lexer.takes("(") {
            let problem = format!("{} where the values should begin", self.lexer.peek());
            return Err(self.lexer.wrong(problem, "write them in brackets: in (a, b)"));
        }
        let mut values = vec![self.value()?];
        while self.lexer.takes(",") {
            self.count_in()?;
            values.push(self.value()?);
        }
        self.close()?;
        Ok(Test::In(values))
    }

    fn count_in(&mut self) -> Result<(), SyntaxError> {
        self.clauses = self.clauses.saturating_add(1);
        if self.clauses <= CLAUSES_MAX {
            return Ok(());
        }
        let problem = format!("more than {CLAUSES_MAX} clauses and values");
        Err(self.lexer.wrong(problem, "say it with fewer, by a property that the resources share"))
    }
}

fn one_or(mut terms: Vec<Term>, more: fn(Vec<Term>) -> Term) -> Term {
    if terms.len() > 1 {
        return more(terms);
    }
    terms.pop().unwrap_or_else(|| more(Vec::new()))
}
