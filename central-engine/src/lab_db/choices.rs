//! What a field can be that a person picks from a list: the rows of its query.

use std::{collections::BTreeMap, path::Path};

use jackfield_config::db::{DbConfig, Field, FieldKind};
use jackfield_reporting::insert::Statement;
use serde::Serialize;

use super::{
    Address,
    read::Reader,
    report::{bound, known},
};
use crate::limits;

/// One of the things that a field can be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Choice {
    /// Its value.
    pub value: String,
    /// What a person reads: the other columns; empty where there is none.
    pub label: String,
}

/// The choices of a field, at most so many as a list can hold, given the values of others that its query names.
///
/// # Errors
/// The database does not give them.
pub(crate) async fn of(
    config: &DbConfig,
    field: &Field,
    root: &Path,
    values: &BTreeMap<String, String>,
) -> anyhow::Result<Vec<Choice>> {
    match field.kind {
        FieldKind::UserSelect => {}
        FieldKind::DbSelect | FieldKind::UserText | FieldKind::UserScript => return Ok(Vec::new()),
    }
    let address = Address::of(config.connection.as_ref(), root)?;
    let query = Statement::parse(1, &field.query, address.dialect(), &known(config))?;
    let mut reader = Reader::open(&address, limits::REPORT_WAIT).await?;
    let rows = reader.first(&query, &bound(&query, values), limits::CHOICES_MAX).await?;
    let choice = |row: jackfield_reporting::table::Row| {
        let mut texts = row.into_iter().map(|cell| cell.into_text().unwrap_or_default());
        Choice { value: texts.next().unwrap_or_default(), label: texts.collect::<Vec<_>>().join(" ") }
    };
    Ok(rows.into_iter().map(choice).filter(|choice| !choice.value.is_empty()).collect())
}

/// For the help of a problem: `; one of: 2.0, 2.1 (the old one)`.
pub(crate) async fn told(config: &DbConfig, field: &Field, root: &Path) -> String {
    if field.kind != FieldKind::UserSelect {
        return String::new();
    }
    match of(config, field, root, &BTreeMap::new()).await {
        Ok(choices) => {
            let more = choices.len().saturating_sub(limits::CHOICES_TOLD_MAX);
            let told = choices.iter().take(limits::CHOICES_TOLD_MAX).map(|choice| match &*choice.label {
                "" => choice.value.clone(),
                label => format!("{} ({label})", choice.value),
            });
            let told: Vec<String> = told.collect();
            match (told.is_empty(), more) {
                (true, _) => "; its query gives nothing to pick from".to_owned(),
                (false, 0) => format!("; one of: {}", told.join(", ")),
                (false, more) => format!("; one of: {}, and {more} more", told.join(", ")),
            }
        }
        Err(error) => format!("; what it can be is not known: {error:#}"),
    }
}
