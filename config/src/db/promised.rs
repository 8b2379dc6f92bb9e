//! What a person should know of `db.xml` before a run whose results are to go into the lab's database: told when its project
//! is checked or started, not when the night is over. Nothing of it keeps tests from running, so all of it is warnings.

use jackfield_protocol::{
    error::{FileProblem, Severity},
    plan::{RunPlan, Save},
};

use super::{
    DbConfig, Field, FieldKind, FieldLevel,
    database::{self, Database, NoDatabase},
};
use crate::{Lab, problem::whole_file};

/// What stands between this run and the lab's database.
pub fn warnings(lab: &Lab, plan: &RunPlan) -> Vec<FileProblem> {
    let options = &plan.options;
    let wanted = match options.save {
        Save::Save | Save::Ask => !options.temporary,
        Save::NoSave => false,
    };
    let Some(read) = lab.db().filter(|_| wanted) else { return Vec::new() };
    let mut problems = read.problems;
    if let Some(config) = read.value {
        let file = lab.layout().db.iter().find(|file| file.is_file());
        let file = file.map(|file| file.display().to_string()).unwrap_or_default();
        let said = no_database(&config).into_iter().chain(missing(&config, plan));
        problems.extend(said.map(|(message, help)| whole_file(&file, message, help)));
    }
    for problem in &mut problems {
        problem.severity = Severity::Warning;
    }
    problems
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

/// Fields that must have a value, and have none in a suite that has tests.
fn missing(config: &DbConfig, plan: &RunPlan) -> Vec<Said> {
    let of_people = |field: &&Field| match field.kind {
        FieldKind::UserText | FieldKind::UserSelect | FieldKind::UserScript => field.mandatory,
        FieldKind::DbSelect => false,
    };
    config.fields.iter().filter(of_people).filter_map(|field| lacks(field, plan)).collect()
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
    let help = format!("give it a UserDefined property {id}, or take Mandatory away");
    Some((
        format!("field `{id}` is mandatory, and {whose} has no value for it: its rows will have none"),
        help,
    ))
}
