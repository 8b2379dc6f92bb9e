//! The statements of `db.xml`, made safe: a template with `$name` and `@field@` becomes SQL with placeholders, and each value
//! is bound to one, never pasted.
//!
//! A `'text with $name'` becomes one bound value as a whole; a bare `$name` becomes one too. A value that is missing is NULL.
//! Everything is decided before the first row is written: an unknown name, a template for a table or column, a second
//! statement are refused with their place and what to do.
//!
//! ```text
//! INSERT INTO results (run, status) VALUES ($Run_Number, 'of $user: $$')      the template
//! INSERT INTO results (run, status) VALUES ($1, $2)                           Statement::sql
//! [Run_Number]  [`of `, user, `: $`]                                          Statement::binds
//! ```

mod braces;
mod error;
mod lexer;
pub(crate) mod pieces;
mod place;

use std::{collections::BTreeSet, sync::Arc};

use jackfield_protocol::{
    plan::{IterationSave, Role},
    verdict::Verdict,
};

use crate::results::{Results, Row};
pub use error::{InsertError, Position};
use lexer::{FaultKind, Kind, Token};
use place::Misplaced;

/// Most bytes of one statement.
pub const STATEMENT_BYTES_MAX: usize = 256 * 1024;

/// A kind of database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// MySQL and MariaDB.
    MySql,
    /// PostgreSQL.
    Postgres,
    /// SQLite.
    Sqlite,
}

/// The names that may stand in a template.
#[derive(Clone, Debug, Default)]
pub struct Known {
    /// For `$name`: [`crate::variables::known_names`], and the fields of `db.xml` that people or scripts fill.
    pub variables: BTreeSet<Arc<str>>,
    /// For `@name@`: fields with a query (`DbSelect`), and in reports all fields.
    pub fields: BTreeSet<String>,
}

/// A part of a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    /// Itself.
    Text(String),
    /// What `$name` stands for.
    Variable(String),
    /// What `@name@` stands for.
    Field(String),
}

/// What is bound to one placeholder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bind {
    /// Joined, they are the value.
    pub pieces: Vec<Piece>,
    /// It stood in the template without quotes, where a number reads as a number.
    pub bare: bool,
}

/// A value to bind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// No value.
    Null,
    /// A text.
    Text(String),
    /// A whole number that stood bare.
    Integer(i64),
}

/// One statement, ready to be prepared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    dialect: Dialect,
    /// What stands before each placeholder, and behind the last.
    texts: Vec<String>,
    binds: Vec<Bind>,
}

impl Statement {
    /// Reads a template: statement `number` (from 1) of `db.xml`.
    ///
    /// # Errors
    /// The first thing in it that cannot be bound, with its place and what to do.
    pub fn parse(
        number: usize,
        template: &str,
        dialect: Dialect,
        known: &Known,
    ) -> Result<Self, InsertError> {
        if template.len() > STATEMENT_BYTES_MAX {
            return Err(InsertError::TooLong(number));
        }
        let template = braces::modern(template, known);
        let template = template.as_ref();
        let source = Source { number, text: template };
        let tokens = lexer::tokens(template, dialect).map_err(|fault| {
            let at = source.position(fault.at);
            match fault.kind {
                FaultKind::Open(what) => InsertError::Open { at, what },
                FaultKind::ConditionalComment => InsertError::ConditionalComment { at },
                FaultKind::DollarDollar => InsertError::DollarDollar { at },
            }
        })?;
        let tokens = one_statement(tokens, source)?;
        build(&tokens, source, dialect, known)
    }

    /// The SQL, with `?` (MySQL) or `$1`, `$2` … in the place of values.
    pub fn sql(&self) -> String {
        self.render(|number| match self.dialect {
            Dialect::MySql => "?".to_owned(),
            Dialect::Postgres | Dialect::Sqlite => format!("${number}"),
        })
    }

    /// The SQL for PostgreSQL, which does not turn a text into a number or date by itself: each placeholder is cast to the type
    /// that the server named when it prepared [`Self::sql`]; none leaves it as it is. Bind every value as text.
    pub fn sql_with_casts(&self, types: &[Option<String>]) -> String {
        self.render(|number| match number.checked_sub(1).and_then(|at| types.get(at)?.as_ref()) {
            Some(kind) => format!("CAST(${number}::text AS {kind})"),
            None => format!("${number}"),
        })
    }

    /// The SQL for where PostgreSQL takes no placeholders (`COPY`): each stands for a setting of the transaction, `PREFIX1`, `PREFIX2` …, which
    /// holds its value as text. It is read once, and cast as [`Self::sql_with_casts`] casts.
    pub fn sql_with_settings(&self, prefix: &str, types: &[Option<String>]) -> String {
        self.render(|number| {
            let setting = format!("current_setting('{prefix}{number}')");
            match number.checked_sub(1).and_then(|at| types.get(at)?.as_ref()) {
                Some(kind) => format!("(SELECT CAST({setting} AS {kind}))"),
                None => format!("(SELECT {setting})"),
            }
        })
    }

    /// What is bound, in the order of the placeholders.
    pub fn binds(&self) -> &[Bind] {
        &self.binds
    }

    /// The values to bind, in the order of the placeholders, given what variables and fields stand for.
    pub fn values(
        &self,
        variable: &dyn Fn(&str) -> Option<String>,
        field: &dyn Fn(&str) -> Option<String>,
    ) -> Vec<Value> {
        self.binds.iter().map(|bind| bind.value(variable, field)).collect()
    }

    /// A placeholder is kept apart from a word that touched the value: `THEN$1` would be one name.
    fn render(&self, placeholder: impl Fn(usize) -> String) -> String {
        let mut sql = String::new();
        for (number, text) in self.texts.iter().enumerate() {
            if number > 0 {
                if sql.ends_with(lexer::continues_name) {
                    sql.push(' ');
                }
                sql.push_str(&placeholder(number));
                if text.starts_with(lexer::continues_name) {
                    sql.push(' ');
                }
            }
            sql.push_str(text);
        }
        sql
    }
}

impl Bind {
    /// The value to bind, given what variables and fields stand for. A value that is nothing but a missing one is NULL; inside
    /// a longer text a missing one is empty.
    pub fn value(
        &self,
        variable: &dyn Fn(&str) -> Option<String>,
        field: &dyn Fn(&str) -> Option<String>,
    ) -> Value {
        let resolve = |piece: &Piece| match piece {
            Piece::Text(text) => Some(text.clone()),
            Piece::Variable(name) => variable(name),
            Piece::Field(name) => field(name),
        };
        let text = match &*self.pieces {
            [only] => resolve(only),
            many => Some(many.iter().filter_map(resolve).collect()),
        };
        match text {
            None => Value::Null,
            Some(text) if self.bare => plain_integer(&text).map_or(Value::Text(text), Value::Integer),
            Some(text) => Value::Text(text),
        }
    }
}

/// Reads all templates of `db.xml`, in order.
///
/// # Errors
/// What is wrong with each template that cannot be bound, so that a person mends them all at once.
pub fn parse_all<'a>(
    templates: impl IntoIterator<Item = &'a str>,
    dialect: Dialect,
    known: &Known,
) -> Result<Vec<Statement>, Vec<InsertError>> {
    let mut statements = Vec::new();
    let mut errors = Vec::new();
    for (number, template) in (1..).zip(templates) {
        match Statement::parse(number, template, dialect, known) {
            Ok(statement) => statements.push(statement),
            Err(error) => errors.push(error),
        }
    }
    if errors.is_empty() { Ok(statements) } else { Err(errors) }
}

/// A number that is written as it would be printed; `007` and `+7` are texts.
fn plain_integer(text: &str) -> Option<i64> {
    text.parse::<i64>().ok().filter(|number| number.to_string() == text)
}

#[derive(Clone, Copy)]
struct Source<'a> {
    number: usize,
    text: &'a str,
}

impl Source<'_> {
    fn position(&self, at: usize) -> Position {
        let before = self.text.get(..at).unwrap_or(self.text);
        let line = before.matches('\n').count().saturating_add(1);
        let column =
            before.chars().rev().take_while(|character| *character != '\n').count().saturating_add(1);
        Position { statement: self.number, line, column }
    }

    fn slice(&self, token: &Token) -> &str {
        self.text.get(token.span.clone()).unwrap_or_default()
    }
}

/// The tokens up to the semicolon that may end the statement.
fn one_statement(mut tokens: Vec<Token>, source: Source<'_>) -> Result<Vec<Token>, InsertError> {
    let is_solid = |token: &Token| !matches!(token.kind, Kind::Gap | Kind::Sign(';'));
    if let Some(end) = tokens.iter().position(|token| token.kind == Kind::Sign(';')) {
        let second = tokens.iter().skip(end).find(|token| is_solid(token));
        if let Some(second) = second {
            return Err(InsertError::Second { at: source.position(second.span.start) });
        }
        tokens.truncate(end);
    }
    if tokens.iter().any(is_solid) { Ok(tokens) } else { Err(InsertError::Empty(source.number)) }
}

fn build(
    tokens: &[Token],
    source: Source<'_>,
    dialect: Dialect,
    known: &Known,
) -> Result<Statement, InsertError> {
    let mut texts = vec![String::new()];
    let mut binds = Vec::new();
    let mut values = Vec::new();
    for (place, token) in tokens.iter().enumerate() {
        let bind = bind_of(token, source, known)?;
        match bind {
            Some(bind) => {
                check_names(&bind, token, source, known)?;
                values.push(place);
                binds.push(bind);
                texts.push(String::new());
            }
            None => {
                let text = if token.kind == Kind::Gap { " " } else { source.slice(token) };
                if let Some(last) = texts.last_mut() {
                    last.push_str(text);
                }
            }
        }
    }
    if let Some((place, reason)) = place::misplaced(source.text, tokens, &values) {
        return Err(misplaced(tokens.get(place), reason, source));
    }
    if let Some(last) = texts.last_mut() {
        last.truncate(last.trim_end().len());
    }
    Ok(Statement { dialect, texts, binds })
}

/// What a token binds, if anything.
fn bind_of(token: &Token, source: Source<'_>, known: &Known) -> Result<Option<Bind>, InsertError> {
    let at = || source.position(token.span.start);
    let text = || source.slice(token).to_owned();
    let has_template = || {
        let found = pieces::pieces(source.slice(token), &known.fields);
        found.iter().any(|piece| !matches!(piece, Piece::Text(_)))
    };
    Ok(match &token.kind {
        Kind::Gap | Kind::Word | Kind::Sign(_) => None,
        Kind::Variable(name) => Some(Bind { pieces: vec![Piece::Variable(name.clone())], bare: true }),
        Kind::Field(name) => Some(Bind { pieces: vec![Piece::Field(name.clone())], bare: true }),
        Kind::Literal(content) => {
            let found = pieces::pieces(content, &known.fields);
            let as_written = matches!(&*found, [Piece::Text(text)] if text == content);
            (!as_written).then_some(Bind { pieces: found, bare: false })
        }
        Kind::QuotedName if has_template() => return Err(InsertError::QuotedName { at: at(), text: text() }),
        Kind::PrefixedLiteral if has_template() => {
            return Err(InsertError::Prefixed { at: at(), text: text() });
        }
        Kind::QuotedName | Kind::PrefixedLiteral => None,
        Kind::Placeholder => return Err(InsertError::Placeholder { at: at(), text: text() }),
    })
}

fn misplaced(token: Option<&Token>, reason: Misplaced, source: Source<'_>) -> InsertError {
    let at = source.position(token.map_or(0, |token| token.span.start));
    let text = token.map_or("", |token| source.slice(token)).to_owned();
    match reason {
        Misplaced::Name => InsertError::Name { at, text },
        Misplaced::Column => InsertError::Column { at, text },
        Misplaced::Beside => InsertError::Beside { at, text },
    }
}

fn check_names(bind: &Bind, token: &Token, source: Source<'_>, known: &Known) -> Result<(), InsertError> {
    for piece in &bind.pieces {
        let (written, nearest) = match piece {
            Piece::Text(_) => continue,
            Piece::Variable(name) if known.variables.contains(&**name) => continue,
            Piece::Field(name) if known.fields.contains(name) => continue,
            Piece::Variable(name) => {
                let nearest = crate::nearest::nearest(name, known.variables.iter().map(|known| &**known));
                (format!("${name}"), nearest.map(|near| format!("${near}")))
            }
            Piece::Field(name) => {
                let nearest = crate::nearest::nearest(name, known.fields.iter().map(|known| &**known));
                (format!("@{name}@"), nearest.map(|near| format!("@{near}@")))
            }
        };
        let help = match nearest {
            Some(nearest) => format!("did you mean `{nearest}`?"),
            None if written.starts_with('@') => "define a field of this ID in db.xml".to_owned(),
            None => "define it as a field in db.xml, or as UserDefined in the project".to_owned(),
        };
        return Err(InsertError::Unknown { at: source.position(token.span.start), name: written, help });
    }
    Ok(())
}

/// Whether a test goes to the lab's database: an ended test of a run that leaves traces, neither setup nor teardown nor
/// marked as unsaved, and no passed copy where the project wants only those that failed.
pub fn is_saved(results: &Results, row: Row<'_>) -> bool {
    let wanted = match row.test.iteration.as_ref().map(|iteration| iteration.save) {
        Some(IterationSave::Failed) => row.verdict() != Some(Verdict::Pass),
        Some(IterationSave::All) | None => true,
    };
    row.test.role == Role::Test && row.verdict().is_some() && wanted && !results.run.temporary
}

#[cfg(test)]
mod tests;
