//! What a request wants of a report, as its address says.

use actix_web::{HttpRequest, web};
use jackfield_protocol::error::ErrorCode;

use crate::{
    failure::Failure,
    lab_db::{read::View, report::Values},
    limits,
};

/// What a request wants of a report.
#[derive(Debug, Default)]
pub(in crate::http) struct Asked {
    pub(in crate::http) values: Values,
    pub(in crate::http) view: View,
    pub(in crate::http) limit: Option<u32>,
    pub(in crate::http) dark: bool,
}

impl Asked {
    pub(in crate::http) fn of(request: &HttpRequest) -> Result<Self, Failure> {
        let pairs = web::Query::<Vec<(String, String)>>::from_query(request.query_string());
        let mut asked = Self::default();
        for (key, value) in pairs.map_err(|error| Failure::from_query(&error))?.into_inner() {
            asked.take(&key, &value).map_err(|title| Failure::new(ErrorCode::BadRequest, title))?;
        }
        Ok(asked)
    }

    fn take(&mut self, key: &str, value: &str) -> Result<(), String> {
        if let Some(field) = key.strip_prefix("field.") {
            self.values.insert(field.to_owned(), value.to_owned());
            return Ok(());
        }
        if let Some(number) = key.strip_prefix("filter.") {
            self.view.filters.push((column(number)?, value.to_owned()));
            return Ok(());
        }
        let count =
            |value: &str| value.parse().map_err(|_not_one| format!("`{key}` is a number, not `{value}`"));
        match key {
            "sort" => {
                let (number, is_descending) =
                    value.strip_prefix('-').map_or((value, false), |rest| (rest, true));
                self.view.sort = Some((column(number)?, is_descending));
            }
            "search" => self.view.search = value.to_owned(),
            "offset" => self.view.offset = count(value)?,
            "limit" => self.limit = Some(u32::try_from(count(value)?).unwrap_or(limits::PAGE_MAX)),
            "theme" => self.dark = value == "dark",
            _ => {
                return Err(format!(
                    "`{key}` is nothing that a report knows: field.NAME, sort, filter.COLUMN, search, offset, limit, theme"
                ));
            }
        }
        Ok(())
    }
}

/// A column's number, from 1.
fn column(number: &str) -> Result<usize, String> {
    let number: usize = number.parse().map_err(|_not_one| format!("`{number}` is no number of a column"))?;
    number.checked_sub(1).ok_or_else(|| "columns are counted from 1".to_owned())
}
