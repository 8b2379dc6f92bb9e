//! `[health]`: what is done so that nobody is given a resource that does not work.

use super::set;
use crate::toml_table::Table;

/// When a resource is not fit to be given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HealthSettings {
    /// The project that checks resources of which none of their properties `health_check` says another; empty: none does.
    pub check: String,
    /// Whether also a resource is checked that nobody had trouble with.
    pub after_each: bool,
    /// Uses in a row that the lab spoiled, after which a resource is taken out of service; 0: however many.
    pub spoiled_max: u32,
}

impl Default for HealthSettings {
    fn default() -> Self {
        Self { check: String::new(), after_each: false, spoiled_max: 3 }
    }
}

impl HealthSettings {
    pub(super) fn read(&mut self, top: &Table<'_>) {
        let Some(health) = top.section("health") else { return };
        set(&mut self.check, health.text("check").map(|check| check.trim().to_owned()));
        let after = |word: &str| match word {
            "trouble" => Ok(false),
            "each" => Ok(true),
            _ => Err("trouble or each"),
        };
        set(&mut self.after_each, health.parsed("after", after));
        set(&mut self.spoiled_max, health.number("spoiled", 0..=1_000_000));
        health.finish();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use crate::{EngineSettings, source::Source};

    #[test]
    fn what_is_checked_and_when_is_read_and_what_is_wrong_is_told() {
        let read = |text: &str| EngineSettings::read(&Arc::new(Source::new("engine.toml", text)));
        let text = "[health]\ncheck = \"health.xml\"\nafter = \"each\"\nspoiled = 0\n";
        let health = read(text).usable().unwrap().0.health;
        assert_eq!((health.check.as_str(), health.after_each, health.spoiled_max), ("health.xml", true, 0));
        let wrong = "[health]\nafter = \"always\"\nspoiled = -1\nprojekt = \"x\"\n";
        let problems: Vec<_> = read(wrong).problems.iter().map(ToString::to_string).collect();
        insta::assert_snapshot!(problems.join("\n"));
    }
}
