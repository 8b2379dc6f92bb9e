//! `${name}` in the texts of a test.

use std::collections::BTreeMap;

use super::{Failure, StepEnvironment};
use crate::expect::pattern::literal;

/// Most letters a text may grow to; variables can be set from variables.
const TEXT_BYTES_MAX: usize = 16 * 1024 * 1024;

/// The variables of a test while it runs.
#[derive(Clone, Debug, Default)]
pub(super) struct Variables(BTreeMap<String, String>);

impl Variables {
    pub(super) fn new(first: &BTreeMap<String, String>) -> Self {
        Self(first.clone())
    }

    pub(super) fn set(&mut self, name: &str, value: String) {
        self.0.insert(name.to_owned(), value);
    }

    pub(super) fn into_inner(self) -> BTreeMap<String, String> {
        self.0
    }

    /// A text with its variables filled in; `$${` is a plain `${`.
    pub(super) async fn fill<E: StepEnvironment>(
        &self,
        text: &str,
        environment: &mut E,
    ) -> Result<String, Failure> {
        self.fill_as(text, |value| value, environment).await
    }

    /// A regular expression with its variables filled in, which match themselves, whatever is in them.
    pub(super) async fn fill_pattern<E: StepEnvironment>(
        &self,
        pattern: &str,
        environment: &mut E,
    ) -> Result<String, Failure> {
        self.fill_as(pattern, |value| literal(value.as_bytes()), environment).await
    }

    async fn fill_as<E: StepEnvironment>(
        &self,
        text: &str,
        shape: impl Fn(String) -> String,
        environment: &mut E,
    ) -> Result<String, Failure> {
        let mut filled = String::with_capacity(text.len());
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("${") {
            if let Some(before) = before.strip_suffix('$') {
                filled.push_str(before);
                filled.push_str("${");
                rest = after;
                continue;
            }
            filled.push_str(before);
            let Some((name, after)) = after.split_once('}') else {
                return Err(Failure::test(format!(
                    "`{text}`: `${{` is not closed; write `$${{` for a plain one"
                )));
            };
            filled.push_str(&shape(self.value(name.trim(), environment).await?));
            if filled.len() > TEXT_BYTES_MAX {
                return Err(Failure::test(format!(
                    "a text with variables is larger than {TEXT_BYTES_MAX} bytes"
                )));
            }
            rest = after;
        }
        filled.push_str(rest);
        Ok(filled)
    }

    async fn value<E: StepEnvironment>(&self, name: &str, environment: &mut E) -> Result<String, Failure> {
        if let Some(value) = self.0.get(name) {
            return Ok(value.clone());
        }
        if let Some(value) = environment.variable(name).await {
            return Ok(value);
        }
        let near = jackfield_config::problem::nearest(name, self.0.keys().map(String::as_str));
        let help = near.map_or_else(
            || "capture it in an earlier step, or set it in [variables]".to_owned(),
            |near| format!("did you mean `{near}`?"),
        );
        Err(Failure::test(format!("there is no variable `{name}`: {help}")))
    }
}
