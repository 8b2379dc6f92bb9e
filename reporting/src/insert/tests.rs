//! Templates of labs, and what becomes of them in each database.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::fixture;

const ALL: [Dialect; 3] = [Dialect::MySql, Dialect::Postgres, Dialect::Sqlite];

fn known() -> Known {
    let variables = ["x", "y", "release", "build", "Run_Number", "twister_tc_status", "twister_tc_log"];
    Known {
        variables: variables.map(Arc::from).into(),
        fields: BTreeSet::from(["ID".to_owned(), "Release".to_owned(), "Run Number".to_owned()]),
    }
}

/// The SQL, and the pieces bound.
fn shown(template: &str, dialect: Dialect) -> String {
    match Statement::parse(1, template, dialect, &known()) {
        Err(error) => format!("refused: {error}"),
        Ok(statement) => statement.binds().iter().fold(statement.sql(), |text, bind| {
            let pieces = bind.pieces.iter().map(|piece| match piece {
                Piece::Text(text) => text.clone(),
                Piece::Variable(name) => format!("<{name}>"),
                Piece::Field(name) => format!("<@{name}>"),
            });
            let quote = if bind.bare { "" } else { "'" };
            format!("{text}\n  {quote}{}{quote}", pieces.collect::<String>())
        }),
    }
}

#[test]
fn templates_in_every_database() {
    let templates = [
        "INSERT INTO r (a, b) VALUES ($Run_Number, '$twister_tc_status')",
        "INSERT INTO r VALUES ('$release.$build', 'it''s $x', 'plain ''text''', \n\t${y});",
        "SELECT id FROM r WHERE name LIKE '@Release@%' AND n = @ID@ -- the last $x\n",
        "INSERT INTO r VALUES ('costs $$5 and $5', '$$', 'ana@lab.com')",
        "UPDATE r SET a = '$x' WHERE b = $y",
        "INSERT INTO r SET a='$x',b=$y /* of $z */",
        "INSERT INTO r VALUES (EXTRACT(YEAR FROM $x), $y IS DISTINCT FROM '$x', CASE WHEN $x THEN$y END)",
        "DELETE FROM r WHERE n IN ($x, '@Run Number@')",
    ];
    for dialect in ALL {
        let text: Vec<String> = templates.iter().map(|template| shown(template, dialect)).collect();
        insta::assert_snapshot!(format!("templates_{dialect:?}"), text.join("\n\n"));
    }
}

#[test]
fn what_only_one_database_writes() {
    use Dialect::{MySql, Postgres, Sqlite};
    for (dialect, template, expected) in [
        (MySql, r"INSERT INTO `r` VALUES ('it\'s $x\n')", "INSERT INTO `r` VALUES (?)\n  'it's <x>\n'"),
        (
            MySql,
            r#"INSERT INTO r VALUES ("$x's", @@version, @v)"#,
            "INSERT INTO r VALUES (?, @@version, @v)\n  '<x>'s'",
        ),
        (MySql, "INSERT INTO r VALUES (5--1, $x) # it's", "INSERT INTO r VALUES (5--1, ?)\n  <x>"),
        (
            Postgres,
            "INSERT INTO r VALUES ($$it's $x$$, E'\\'$y')",
            "INSERT INTO r VALUES ($1, $2)\n  'it's <x>'\n  ''<y>'",
        ),
        (
            Postgres,
            "SELECT a @> b, c ? 'k', '$x'::text FROM r",
            "SELECT a @> b, c ? 'k', $1::text FROM r\n  '<x>'",
        ),
        (Sqlite, "INSERT INTO [r] VALUES ('\\$x')", "INSERT INTO [r] VALUES ($1)\n  '\\<x>'"),
    ] {
        assert_eq!(shown(template, dialect), expected, "{dialect:?}");
    }
}

#[test]
fn refusals_say_where_and_what_to_do() {
    use Dialect::{MySql, Postgres, Sqlite};
    let cases = [
        (MySql, "INSERT INTO r VALUES ($twister_tc_statsu)"),
        (MySql, "INSERT INTO r VALUES (1,\n  'x $station')"),
        (Sqlite, "SELECT '@Relase@'"),
        (Sqlite, "INSERT INTO $x VALUES (1)"),
        (Postgres, "INSERT INTO r ($x) VALUES (1)"),
        (Postgres, "INSERT INTO lab.$x VALUES (1)"),
        (MySql, "INSERT INTO r_$x VALUES (1)"),
        (MySql, "INSERT INTO `r_$x` VALUES (1)"),
        (Sqlite, "INSERT INTO r VALUES (\"$x\")"),
        (MySql, "SELECT 1 FROM r ORDER BY $x"),
        (MySql, "SELECT $x(1)"),
        (MySql, "INSERT INTO r VALUES ('$x' 'y')"),
        (MySql, "INSERT INTO r VALUES ($x$y)"),
        (MySql, "INSERT INTO r VALUES (X'$x')"),
        (Sqlite, "INSERT INTO r VALUES (?, :a)"),
        (Postgres, "INSERT INTO r VALUES ($1)"),
        (Sqlite, "INSERT INTO r VALUES ('$x"),
        (MySql, "INSERT INTO r VALUES (1) /*!40101 , ($x) */"),
        (Sqlite, "SELECT $$"),
        (Sqlite, "INSERT INTO r VALUES (1); DROP TABLE r"),
        (Sqlite, " -- nothing\n ;"),
        (MySql, "SELECT 1 INTO OUTFILE '$x'"),
    ];
    let text = cases.map(|(dialect, template)| format!("{template}\n{}", shown(template, dialect)));
    assert!(text.iter().all(|text| text.contains("refused: ")), "{text:#?}");
    insta::assert_snapshot!(text.join("\n\n"));
}

#[test]
fn values_are_texts_numbers_or_nothing() {
    let statement =
        Statement::parse(1, "INSERT INTO r VALUES ($x, '$x', 'a $y b', $build)", Dialect::Sqlite, &known());
    let variables = BTreeMap::from([("x", "42"), ("build", "007")]);
    let variable = |name: &str| variables.get(name).map(ToString::to_string);
    let values = statement.unwrap().values(&variable, &|_| None);
    assert_eq!(values[0], Value::Integer(42));
    assert_eq!(values[1], Value::Text("42".to_owned()));
    assert_eq!(values[2], Value::Text("a  b".to_owned()));
    assert_eq!(values[3], Value::Text("007".to_owned()));
    let missing = Bind { pieces: vec![Piece::Variable("nothing".to_owned())], bare: false };
    assert_eq!(missing.value(&variable, &|_| None), Value::Null);
}

#[test]
fn all_faults_are_told_at_once() {
    let good = parse_all(["SELECT $x", "SELECT '$y'"], Dialect::Sqlite, &known()).unwrap();
    assert_eq!(good.len(), 2);
    let bad = ["SELECT $a", "SELECT $x", "SELECT '"];
    let errors = parse_all(bad, Dialect::Sqlite, &known()).unwrap_err();
    let errors: Vec<String> = errors.iter().map(ToString::to_string).collect();
    assert!(errors[0].starts_with("statement 1, line 1, column 8: nothing defines `$a`"), "{errors:?}");
    assert!(errors[1].starts_with("statement 3, line 1, column 8: this text does not end"), "{errors:?}");
}

#[test]
fn postgres_gets_casts_at_the_placeholders_alone() {
    let statement =
        Statement::parse(1, "INSERT INTO r VALUES ('$$1', $x, '$y')", Dialect::Postgres, &known()).unwrap();
    let types = [None, Some("int4".to_owned()), Some("timestamptz".to_owned())];
    assert_eq!(
        statement.sql_with_casts(&types),
        "INSERT INTO r VALUES ($1, CAST($2::text AS int4), CAST($3::text AS timestamptz))"
    );
}

#[test]
fn only_what_counts_is_saved() {
    let mut results = fixture::demo();
    let saved = |results: &Results| {
        results.rows().filter(|row| is_saved(results, *row)).map(|row| row.index.0).collect::<Vec<_>>()
    };
    // 0 is a setup file, 2 a passed copy of an iteration that saves failures, 12 a teardown file without an end.
    assert_eq!(saved(&results), [1, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
    results.run.temporary = true;
    assert_eq!(saved(&results), [0_u32; 0]);
}

/// A piece of SQL that a lab may write, with a value inside.
fn expression() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("$x".to_owned()),
        Just("@ID@".to_owned()),
        "'[a-z$@ ]{0,4}''[a-z]{0,3}\\$x[ .%]{0,3}'",
        "'@Release@[a-z%]{0,4}'",
        "[0-9]{1,5}",
        "'[a-z ]{0,6}'",
    ]
}

proptest! {
    /// What is bound is never read as SQL: the text sent to the server holds as many places as values, and nothing of a text
    /// that holds one, whatever the dialect.
    #[test]
    fn no_value_is_ever_in_the_sql(expressions in prop::collection::vec(expression(), 1..8), marker in "[a-z]{12}") {
        let template = format!("INSERT INTO r VALUES ({}, 'secret {marker} $y')", expressions.join(", "));
        for dialect in ALL {
            let Ok(statement) = Statement::parse(1, &template, dialect, &known()) else { continue };
            let sql = statement.sql();
            prop_assert!(!sql.contains(&marker));
            let places = lexer::tokens(&sql, dialect).unwrap().into_iter().filter(|t| t.kind == Kind::Placeholder).count();
            prop_assert_eq!(places, statement.binds().len());
        }
    }

    /// Whatever people write, the answer is a statement or an error, and values change no byte of the SQL.
    #[test]
    fn any_text_is_answered(template in "[a-z$@'\"`\\\\;*/?:\\[\\](){}= \n-]{0,60}", value in ".{0,40}") {
        for dialect in ALL {
            if let Ok(statement) = Statement::parse(1, &template, dialect, &known()) {
                let before = statement.sql();
                let values: Vec<Value> =
                    statement.binds().iter().map(|bind| bind.value(&|_| Some(value.clone()), &|_| None)).collect();
                prop_assert_eq!(values.len(), statement.binds().len());
                prop_assert_eq!(before, statement.sql());
            }
        }
    }
}
