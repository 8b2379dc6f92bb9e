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
use crate::{
    app::App,
    jobs::hook,
    lab_db::{LabDb, Ready},
};

/// The values of the fields, for the test whose turn it is.
pub(super) struct Fields<'a> {
    app: &'a App,
    prepared: &'a Prepared,
    /// Each with its query as the database has looked at it, once it was asked.
    queries: Vec<(&'a Select, Option<Ready>)>,
    selected: BTreeMap<String, String>,
    printed: BTreeMap<String, String>,
    /// The suite of the test before; none before the first.
    suite: Option<SuiteIndex>,
}

impl<'a> Fields<'a> {
    pub(super) fn new(app: &'a App, prepared: &'a Prepared) -> Self {
        let queries = prepared.selects.iter().map(|select| (select, None)).collect();
        let (selected, printed) = (BTreeMap::new(), BTreeMap::new());
        Self { app, prepared, queries, selected, printed, suite: None }
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
        let scripts = &self.prepared.scripts;
        // A script is asked at most once a suite: that is all that Twister ever did.
        for script in
            scripts.iter().filter(|script| first || (new_suite && script.level != FieldLevel::Project))
        {
            self.run(script, source).await?;
        }
        for place in 0..self.queries.len() {
            let Some((select, ready)) = self.queries.get(place).cloned() else { break };
            if !due(select.level) {
                continue;
            }
            let ready = match ready {
                Some(ready) => ready,
                None => db.prepare_value(&select.query).await.with_context(|| select.told())?,
            };
            self.select(db, select, &ready, source).await?;
            if let Some((_, kept)) = self.queries.get_mut(place) {
                *kept = Some(ready);
            }
        }
        Ok(())
    }

    async fn select(
        &mut self,
        db: &mut LabDb,
        select: &Select,
        ready: &Ready,
        source: Source<'_>,
    ) -> Result<()> {
        let value = db.value(ready, &source.bound(&select.query, self)).await;
        let value = value.with_context(|| select.told())?;
        self.selected.remove(&select.id);
        self.selected.extend(value.map(|value| (select.id.clone(), value)));
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
