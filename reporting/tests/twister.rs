//! The files of a real Twister lab: what its `db.xml`, `email.xml` and `e-mail-tmpl.htm` say must keep working.

use std::{collections::BTreeSet, fs, path::Path, sync::Arc};

use jackfield_reporting::{
    insert::{Dialect, Known, Piece, Statement},
    mail::MAIL_NAMES,
    variables::{EP_NAMES, RUN_NAMES, TEST_NAMES},
};

/// A file of the sample lab; none, said aloud, where the samples are not on this machine.
#[expect(clippy::print_stderr, reason = "what was not checked is said aloud")]
fn sample(name: &str) -> Option<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/twister/data/config").join(name);
    match fs::read_to_string(&path) {
        Ok(text) => Some(text),
        Err(error) => {
            eprintln!("NOT CHECKED: the sample {} cannot be read: {error}", path.display());
            None
        }
    }
}

fn known() -> Known {
    let names = RUN_NAMES.iter().chain(&EP_NAMES).chain(&TEST_NAMES).chain(&["Run_Number"]);
    Known { variables: names.map(|name| Arc::from(*name)).collect(), fields: BTreeSet::new() }
}

fn statement(db: &str) -> String {
    let document = roxmltree::Document::parse(db).expect("the file is XML");
    let statement =
        document.descendants().find(|node| node.has_tag_name("sql_statement")).expect("it has a statement");
    statement.text().expect("the statement has a text").to_owned()
}

/// The statement of the sample, in a fixture of our own: 15 values, the first bare.
const OWN: &str = "<root><insert_section><sql_statement>INSERT INTO results ( run_nb,username,tc_status,tc_log )
    VALUES ($Run_Number, '$twister_user', '$twister_tc_status','$twister_tc_log')</sql_statement></insert_section></root>";

#[test]
fn the_insert_of_a_lab_is_bound_in_every_database() {
    let files = [(Some(OWN.to_owned()), 4), (sample("db.xml"), 15)];
    for (text, values) in files.into_iter().filter_map(|(text, values)| Some((text?, values))) {
        let template = statement(&text);
        for dialect in [Dialect::MySql, Dialect::Postgres, Dialect::Sqlite] {
            let statement = Statement::parse(1, &template, dialect, &known()).unwrap();
            assert_eq!(statement.binds().len(), values);
            assert!(statement.binds()[0].bare);
            assert_eq!(statement.binds()[0].pieces, [Piece::Variable("Run_Number".to_owned())]);
            assert!(
                !statement.sql().contains("twister") && !statement.sql().contains('\''),
                "{}",
                statement.sql()
            );
        }
    }
}

#[test]
fn every_name_in_the_mail_of_a_lab_is_known() {
    for file in ["email.xml", "e-mail-tmpl.htm"] {
        let Some(text) = sample(file) else { continue };
        let known: BTreeSet<&str> =
            RUN_NAMES.iter().chain(&EP_NAMES).chain(&TEST_NAMES).chain(&MAIL_NAMES).copied().collect();
        let names = text.split('$').skip(1).map(|rest| {
            rest.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).next().unwrap_or_default()
        });
        for name in names {
            assert!(known.contains(name), "{file}: ${name}");
        }
    }
}
