//! `db.xml` tried against its database before any run: the database itself looks at every statement and query, and nothing is executed.

use std::{path::Path, sync::Arc};

use jackfield_config::{
    db::{Connection, DbConfig, DbFile, Field, FieldKind, ReportKind, database, database::Database},
    problem::Read,
    source::{At, Source, Span},
};
use jackfield_protocol::error::{FileProblem, Severity};
use jackfield_reporting::{
    insert::{InsertError, Known, Statement},
    variables,
};

use super::{Address, LabDb, LabDbError, report};

/// What came of it.
#[derive(Debug)]
pub struct Checked {
    /// The databases, without their passwords; none where the file names none.
    pub database: Option<String>,
    /// How many statements and queries the database has looked at.
    pub tried: usize,
    /// Everything that is wrong, in the order of the file.
    pub problems: Vec<FileProblem>,
}

/// Tries the file; relative paths in it lie below `root`.
pub async fn check(source: &Arc<Source>, root: &Path) -> Checked {
    let Read { value, problems } = DbFile::read(source);
    let mut check = Check { source, tried: 0, problems };
    let mut databases = Vec::new();
    for section in &value.unwrap_or_default().sections {
        databases.extend(check.config(section, root).await);
    }
    let database = (!databases.is_empty()).then(|| databases.join(", "));
    check.problems.sort_by_key(|problem| (problem.line, problem.column));
    Checked { database, tried: check.tried, problems: check.problems }
}

struct Check<'a> {
    source: &'a Source,
    tried: usize,
    problems: Vec<FileProblem>,
}

/// What the database is asked to look at.
struct Wanted<'c> {
    what: String,
    template: &'c str,
    span: Span,
    known: &'c Known,
    /// Whether names that the file does not define may come from projects and tests.
    is_open: bool,
    /// How many columns it has to give: a query one, a chart what each point is of and a number.
    columns: usize,
}

impl Check<'_> {
    async fn config(&mut self, config: &DbConfig, root: &Path) -> Option<String> {
        let place = config.connection.as_ref().map_or(Span::default(), of_connection);
        let address = match Address::of(config.connection.as_ref(), root) {
            Ok(address) => address,
            Err(error) => {
                self.tell(Severity::Error, place, error.to_string(), String::new());
                return None;
            }
        };
        self.password(config.connection.as_ref());
        let told = Some(address.to_string());
        if let Some(file) = address.missing_file() {
            let message = format!(
                "{} is not there: the first run whose results are saved makes it, without tables",
                file.display()
            );
            let (severity, help) =
                if config.statements.iter().any(|statement| makes_something(&statement.value)) {
                    (Severity::Warning, "a statement of this file may make them; try it again after that run")
                } else {
                    (Severity::Error, "make the tables, with `sqlite3` for example")
                };
            self.tell(severity, place, message, help.to_owned());
            return told;
        }
        let mut db = match LabDb::look(&address).await {
            Ok(db) => db,
            Err(error) => {
                let help = help_of(&error, config.connection.as_ref());
                self.tell(Severity::Error, place, format!("{address}: {error}"), help);
                return told;
            }
        };
        if let Some(zone) = &db.unknown_zone {
            let message = format!("{address}: {}", zone.told());
            self.tell(Severity::Warning, place, message, zone.remedy().to_owned());
        }
        let (of_inserts, of_reports) = (known(&config.fields), report::known(config));
        let mut is_made_before = false;
        for wanted in wanted(config, &of_inserts, &of_reports) {
            let Some(statement) = self.parsed(&wanted, &address) else { continue };
            self.tried = self.tried.saturating_add(1);
            let looked = db.prepare(&statement).await;
            let (severity, help) = if is_made_before {
                (Severity::Warning, "a statement before it may make what is missing")
            } else {
                (Severity::Error, "")
            };
            is_made_before |= makes_something(wanted.template);
            let error = match looked {
                Ok(columns) => {
                    self.tell_of_too_few(&wanted, columns);
                    continue;
                }
                Err(error) => error,
            };
            self.tell(severity, wanted.span, format!("{}: {error}", wanted.what), help.to_owned());
            // PostgreSQL hears nothing more in a transaction in which it has refused something.
            match LabDb::look(&address).await {
                Ok(anew) => db = anew,
                Err(error) => {
                    self.tell(Severity::Error, place, format!("{address}: {error}"), String::new());
                    break;
                }
            }
        }
        told
    }

    /// The statement; names that only a project or a test can define are told and taken for defined.
    fn parsed(&mut self, wanted: &Wanted<'_>, address: &Address) -> Option<Statement> {
        let mut known = wanted.known.clone();
        loop {
            match Statement::parse(1, wanted.template, address.dialect(), &known) {
                Ok(statement) => return Some(statement),
                Err(InsertError::Unknown { at, name, help }) if wanted.is_open && name.starts_with('$') => {
                    let message = format!(
                        "{}: `{name}` is filled only where a project, suite or test defines it",
                        wanted.what
                    );
                    self.tell_at(Severity::Warning, wanted.span, (at.line, at.column), message, help);
                    known.variables.insert(name.trim_start_matches('$').into());
                }
                Err(error) => {
                    let (line, column) = error.position().map_or((1, 1), |at| (at.line, at.column));
                    let said = error.to_string();
                    let said = said.split_once(": ").map_or(&*said, |(_, said)| said);
                    let message = format!("{}: {said}", wanted.what);
                    self.tell_at(Severity::Error, wanted.span, (line, column), message, String::new());
                    return None;
                }
            }
        }
    }

    /// Tells of a query that gives less than is needed of it.
    fn tell_of_too_few(&mut self, wanted: &Wanted<'_>, columns: usize) {
        let (said, help) = match (columns, wanted.columns) {
            (given, needed) if given >= needed => return,
            (0, _) => ("this is no query: it gives no columns", "write a SELECT"),
            (_, _) => ("a chart needs two columns", "select what each point is of, and a number"),
        };
        self.tell(Severity::Error, wanted.span, format!("{}: {said}", wanted.what), help.to_owned());
    }

    fn password(&mut self, connection: Option<&Connection>) {
        let Some(written) = connection.and_then(|connection| connection.password.as_ref()) else { return };
        let is_plain = Database::of(connection).is_ok_and(|database| database.plain_password().is_some());
        if is_plain {
            let message = "the password stands in the file for all to read".to_owned();
            let help = "write its place: env:NAME, or file:PATH in the lab folder".to_owned();
            self.tell(Severity::Warning, written.span, message, help);
        }
    }

    fn tell(&mut self, severity: Severity, span: Span, message: String, help: String) {
        self.tell_at(severity, span, (1, 1), message, help);
    }

    /// Tells of a line and column of a text that begins at a place of the file.
    fn tell_at(
        &mut self,
        severity: Severity,
        span: Span,
        (line, column): (usize, usize),
        message: String,
        help: String,
    ) {
        let text = self.source.slice(span);
        let blanks = text.len().saturating_sub(text.trim_start().len());
        let (first, begin) = self.source.position(Span::new(blanks, 0).start.saturating_add(span.start));
        let below = u32::try_from(line.saturating_sub(1)).unwrap_or(u32::MAX);
        let across = u32::try_from(column).unwrap_or(u32::MAX);
        let column = if below == 0 { begin.saturating_add(across.saturating_sub(1)) } else { across };
        let (file, line) = (self.source.name().to_owned(), first.saturating_add(below));
        self.problems.push(FileProblem { severity, file, line, column, message, help });
    }
}

/// Whether a statement may make a table or a column: nothing is executed, so that what follows meets the database without it.
fn makes_something(statement: &str) -> bool {
    let word = statement.split_whitespace().next().unwrap_or_default();
    ["CREATE", "ALTER", "CALL", "DROP", "RENAME"].iter().any(|making| word.eq_ignore_ascii_case(making))
}

fn of_connection(connection: &Connection) -> Span {
    let named = [&connection.server, &connection.database, &connection.user];
    let url = connection.url.as_ref().map(|url| url.span);
    url.or_else(|| named.into_iter().flatten().next().map(|value| value.span)).unwrap_or_default()
}

fn help_of(error: &LabDbError, connection: Option<&Connection>) -> String {
    let password = connection.and_then(|connection| connection.password.as_ref());
    let is_cipher = password.is_some_and(|password| database::is_cipher_text(&password.value));
    match error {
        LabDbError::Refused(_) if is_cipher => {
            "the password looks like Twister's cipher text, which only Twister's key can read; write the password itself".to_owned()
        }
        LabDbError::Lost(_) | LabDbError::Late(_) => "is the server running, and does it listen there?".to_owned(),
        LabDbError::Refused(_) | LabDbError::Busy(_) | LabDbError::Unreadable(_) => String::new(),
    }
}

/// The names that statements may use without a project.
fn known(fields: &[Field]) -> Known {
    let (selected, others): (Vec<&Field>, Vec<&Field>) =
        fields.iter().partition(|field| field.kind == FieldKind::DbSelect);
    Known {
        variables: variables::fixed_names()
            .chain(others.iter().map(|field| Arc::clone(&field.id.value)))
            .collect(),
        fields: selected.iter().map(|field| field.id.value.to_string()).collect(),
    }
}

/// All that the file has for the database, in its order.
fn wanted<'c>(config: &'c DbConfig, of_inserts: &'c Known, of_reports: &'c Known) -> Vec<Wanted<'c>> {
    let mut all = Vec::new();
    let field = |all: &mut Vec<Wanted<'c>>, field: &'c Field, known: &'c Known, is_open: bool| {
        let has_query = matches!(field.kind, FieldKind::DbSelect | FieldKind::UserSelect);
        if has_query && !field.query.trim().is_empty() {
            let what = format!("the query of field `{}`", field.id.value);
            all.push(Wanted {
                what,
                template: &field.query,
                span: field.id.span,
                known,
                is_open,
                columns: 1,
            });
        }
    };
    for one in &config.fields {
        field(&mut all, one, of_inserts, true);
    }
    for (number, At { value, span }) in (1..).zip(&config.statements) {
        let what = format!("statement {number}");
        all.push(Wanted { what, template: value, span: *span, known: of_inserts, is_open: true, columns: 0 });
    }
    for one in &config.report_fields {
        field(&mut all, one, of_reports, false);
    }
    for report in &config.reports {
        let name = &report.id.value;
        let columns = if report.kind == ReportKind::Table { 1 } else { 2 };
        let queries = [
            (format!("the query of report `{name}`"), Some(&report.query.value), report.query.span),
            (format!("SQLTotal of report `{name}`"), report.total.as_ref(), report.id.span),
            (format!("SQLCompare of report `{name}`"), report.compare.as_ref(), report.id.span),
        ];
        for (what, query, span) in queries {
            let Some(template) = query.filter(|query| !query.trim().is_empty()) else { continue };
            all.push(Wanted { what, template, span, known: of_reports, is_open: false, columns });
        }
    }
    all
}
