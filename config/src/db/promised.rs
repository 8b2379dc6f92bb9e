//! What a person should know of `db.xml` before a run whose results are to go into the lab's database: told when its project
//! is checked or started, not when the night is over. A mandatory field without a value keeps a run from starting whose results are
//! saved by themselves; nothing else of it keeps tests from running.

use jackfield_protocol::{
    error::{FileProblem, Severity},
    plan::{RunPlan, Save},
};

use super::{
    DbConfig, Field, FieldKind, FieldLevel,
    database::{self, Database, NoDatabase},
};
use crate::{
    Lab,
    load::{Databases, LabDatabase},
    problem::whole_file,
};

/// A field that must have a value, and has none.
#[derive(Clone, Debug, PartialEq)]
pub struct Wanting {
    /// The field.
    pub field: Field,
    /// The database that it is for.
    pub database: LabDatabase,
    /// A sentence for the person who starts the run.
    pub problem: FileProblem,
}

/// What stands between this run and the lab's database.
pub fn problems(lab: &Lab, plan: &RunPlan) -> Vec<FileProblem> {
    let Some(databases) = wanted(lab, plan) else { return Vec::new() };
    let mut warnings = Vec::new();
    for LabDatabase { file, config } in &databases.inserts {
        let said = no_database(config).map(|(message, help)| whole_file(file, message, help));
        warnings.extend(said);
    }
    let missing: Vec<FileProblem> =
        all_wanting(&databases, plan).into_iter().map(|wanting| wanting.problem).collect();
    warnings.extend(databases.problems);
    for problem in &mut warnings {
        problem.severity = Severity::Warning;
    }
    warnings.extend(missing);
    warnings
}

/// The fields without which this run is not started, or of which it is warned where a person decides later whether it is saved.
pub fn wanting(lab: &Lab, plan: &RunPlan) -> Vec<Wanting> {
    wanted(lab, plan).map(|databases| all_wanting(&databases, plan)).unwrap_or_default()
}

fn wanted(lab: &Lab, plan: &RunPlan) -> Option<Databases> {
    let options = &plan.options;
    let is_wanted = match options.save {
        Save::Save | Save::Ask => !options.temporary,
        Save::NoSave => false,
    };
    is_wanted.then(|| lab.databases()).flatten()
}

fn all_wanting(databases: &Databases, plan: &RunPlan) -> Vec<Wanting> {
    let of_people = |field: &&Field| match field.kind {
        FieldKind::UserText | FieldKind::UserSelect | FieldKind::UserScript => field.mandatory,
        FieldKind::DbSelect => false,
    };
    let mut all = Vec::new();
    for database in databases.inserts.iter().filter(|database| !database.config.statements.is_empty()) {
        for field in database.config.fields.iter().filter(of_people) {
            let Some((message, help)) = lacks(field, plan) else { continue };
            let mut problem = whole_file(&database.file, message, help);
            problem.severity = match plan.options.save {
                Save::Save => Severity::Error,
                Save::Ask | Save::NoSave => Severity::Warning,
            };
            all.push(Wanting { field: field.clone(), database: database.clone(), problem });
        }
    }
    all
}

type Said = (String, String);

fn no_database(config: &DbConfig) -> Option<Said> {
    if config.statements.is_empty() {
        return None;
    }
    match Database::of(config.connection.as_ref()) {
        Err(NoDatabase { message, help }) => Some((format!("results will not be saved: {message}"), help)),
        Ok(database) => {
            let plain = database.plain_password()?;
            database::is_cipher_text(plain).then(|| {
                let message = "the password of db.xml looks like Twister's cipher text, which only Twister's key can read";
                let help = "write the password itself, or its place: env:NAME, or file:PATH in the lab folder";
                (message.to_owned(), help.to_owned())
            })
        }
    }
}

fn lacks(field: &Field, plan: &RunPlan) -> Option<Said> {
    let id = &*field.id.value;
    let filled = |value: Option<&std::sync::Arc<str>>| value.is_some_and(|value| !value.trim().is_empty());
    if filled(plan.options.user_defined.get(id)) {
        return None;
    }
    let whose = match field.level {
        FieldLevel::Project => "the project".to_owned(),
        FieldLevel::Suite | FieldLevel::Test => {
            let lacking = plan.tests.iter().find(|test| {
                let mut chain = plan.suite_chain(test.suite);
                !filled(test.properties.get(id))
                    && !chain.any(|(_, suite)| filled(suite.user_defined.get(id)))
            });
            let suite = plan.suite(lacking?.suite)?;
            format!("suite {}", suite.name)
        }
    };
    let help = format!("start it with --field {id}=VALUE, or give it a UserDefined property {id}");
    Some((format!("field `{id}` is mandatory, and {whose} has no value for it"), help))
}
