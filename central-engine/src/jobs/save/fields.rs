//! The fields of `db.xml` that somebody has to be asked for: the database by a query, or a script. Each is asked as often
//! as its level says: once a save, once a suite, or for every test.

use std::{collections::BTreeMap, path::PathBuf};

use anyhow::{Context as _, Result, bail};
use jackfield_config::db::FieldLevel;
use jackfield_protocol::{id::SuiteIndex, verdict::Verdict};
use tokio::process::Command;

use super::{
    Source,
    prepare::{Prepared, Script, Select},
};
use crate::{app::App, jobs::hook, lab_db::LabDb};

/// The values of the fields, for the test whose turn it is.
pub(super) struct Fields<'a> {
    app: &'a App,
    prepared: &'a Prepared,
    selected: BTreeMap<String, String>,
    printed: BTreeMap<String, String>,
    /// The suite of the test before; none before the first.
    suite: Option<SuiteIndex>,
}

impl<'a> Fields<'a> {
    pub(super) fn new(app: &'a App, prepared: &'a Prepared) -> Self {
        let (selected, printed) = (BTreeMap::new(), BTreeMap::new());
        Self { app, prepared, selected, printed, suite: None }
    }

    /// What a query gave; none where it gave nothing.
    pub(super) fn selected(&self, name: &str) -> Option<String> {
        self.selected.get(name).cloned()
    }

    /// What scripts printed.
    pub(super) fn printed(&self) -> &BTreeMap<String, String> {
        &self.printed
    }

    /// Asks for the fields that are due for a test.
    pub(super) async fn evaluate(&mut self, db: &mut LabDb, source: Source<'_>) -> Result<()> {
        let suite = source.row.test.suite;
        let (first, new_suite) = (self.suite.is_none(), self.suite != Some(suite));
        self.suite = Some(suite);
        let due = |level: FieldLevel| match level {
            FieldLevel::Project => first,
            FieldLevel::Suite => new_suite,
            FieldLevel::Test => true,
        };
        let Prepared { selects, scripts, .. } = self.prepared;
        // A script is asked at most once a suite: that is all that Twister ever did.
        for script in
            scripts.iter().filter(|script| first || (new_suite && script.level != FieldLevel::Project))
        {
            self.run(script, source).await?;
        }
        for select in selects.iter().filter(|select| due(select.level)) {
            self.select(db, select, source).await?;
        }
        Ok(())
    }

    async fn select(&mut self, db: &mut LabDb, select: &Select, source: Source<'_>) -> Result<()> {
        let Select { id, query, .. } = select;
        let value = db.value(query, &source.bound(query, self)).await;
        let value = value.with_context(|| format!("db.xml: the query of field {id}"))?;
        self.selected.remove(id);
        self.selected.extend(value.map(|value| (id.clone(), value)));
        Ok(())
    }

    /// The field's value is the path of a script on the engine's host; what it prints takes its place.
    async fn run(&mut self, script: &Script, source: Source<'_>) -> Result<()> {
        let Script { id, .. } = script;
        self.printed.remove(id);
        let Some(path) = source.variable(self, id).filter(|path| !path.is_empty()) else { return Ok(()) };
        let layout = self.app.lab.layout();
        let file: PathBuf = layout.root.join(layout.resolve(&path));
        let mut command = Command::new(&file);
        command.current_dir(&layout.root).env("JACKFIELD_RUN", source.results.run.id.to_string());
        let what = format!("the script {path} of field {id}");
        let (outcome, printed) = hook::execute(self.app, command, &what).await;
        if outcome.verdict != Verdict::Pass {
            bail!("db.xml: {}; it printed: {}", outcome.reason, printed.trim());
        }
        self.printed.insert(id.clone(), printed.trim_end().to_owned());
        Ok(())
    }
}
