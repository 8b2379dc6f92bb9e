//! Fields of `db.xml` that are asked for while results are inserted: a query gives a value, or a script prints it; once a
//! save, once a suite, or for every test.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result, anyhow, bail};
use jackfield_config::db::FieldLevel;
use jackfield_protocol::{id::TestIndex, verdict::Verdict};

use super::{
    Source,
    prepare::{Prepared, Script, Select},
};
use crate::{
    app::App,
    jobs::hook,
    lab_db::LabDb,
    store::saved::{Progress, progress::Values},
};

/// The values of the fields, for the test whose turn it is.
pub(super) struct Fields<'a> {
    app: &'a App,
    prepared: &'a Prepared,
    selected: BTreeMap<String, String>,
    printed: BTreeMap<String, String>,
    /// Whose values these are; none before the first.
    test: Option<TestIndex>,
}

/// A field that is to be filled.
#[derive(Clone, Copy)]
enum Due<'a> {
    Select(&'a Select),
    Script(&'a Script),
}

impl<'a> Fields<'a> {
    pub(super) fn new(app: &'a App, prepared: &'a Prepared) -> Self {
        let (selected, printed) = (BTreeMap::new(), BTreeMap::new());
        Self { app, prepared, selected, printed, test: None }
    }

    /// What a query gave; none where it gave nothing.
    pub(super) fn selected(&self, name: &str) -> Option<String> {
        self.selected.get(name).cloned()
    }

    /// What scripts printed.
    pub(super) fn printed(&self) -> &BTreeMap<String, String> {
        &self.printed
    }

    /// Asks for the fields that are due for a test; whether there are new values that belong to more than it.
    pub(super) async fn evaluate(
        &mut self,
        db: &mut LabDb,
        source: Source<'_>,
        progress: &mut Progress,
    ) -> Result<bool> {
        if self.test == Some(source.row.index) {
            return Ok(false);
        }
        self.test = None;
        let Prepared { selects, scripts, .. } = self.prepared;
        let suite = source.row.test.suite.0;
        let mut has_news = false;
        // A script is asked at most once a suite: that is all that Twister ever did.
        let level_of_script = |level: FieldLevel| match level {
            FieldLevel::Project => FieldLevel::Project,
            FieldLevel::Suite | FieldLevel::Test => FieldLevel::Suite,
        };
        let scripts = scripts.iter().map(|one| (level_of_script(one.level), Due::Script(one)));
        let selects = selects.iter().map(|one| (one.level, Due::Select(one)));
        for (level, due) in scripts.chain(selects) {
            let known: Option<&mut Values> = match level {
                FieldLevel::Project => Some(&mut progress.of_run),
                FieldLevel::Suite => Some(progress.of_suites.entry(suite).or_default()),
                FieldLevel::Test => None,
            };
            let value = match known.as_ref().and_then(|known| known.get(due.id())) {
                Some(value) => value.clone(),
                None => self.ask(db, due, source).await?,
            };
            if let Some(known) = known {
                has_news |= known.insert(due.id().to_owned(), value.clone()).is_none();
            }
            let values = match due {
                Due::Select(_) => &mut self.selected,
                Due::Script(_) => &mut self.printed,
            };
            values.remove(due.id());
            values.extend(value.map(|value| (due.id().to_owned(), value)));
        }
        self.test = Some(source.row.index);
        Ok(has_news)
    }

    async fn ask(&self, db: &mut LabDb, due: Due<'_>, source: Source<'_>) -> Result<Option<String>> {
        match due {
            Due::Select(Select { id, query, .. }) => {
                let value = db.value(query, &source.bound(query, self)).await;
                value.with_context(|| format!("the query of field {id}"))
            }
            Due::Script(script) => self.run(script, source).await,
        }
    }

    /// The field's value is the path of a script on the engine's host; what it prints takes its place.
    async fn run(&self, Script { id, .. }: &Script, source: Source<'_>) -> Result<Option<String>> {
        let written = Fields { printed: BTreeMap::new(), selected: BTreeMap::new(), ..*self };
        let Some(path) = source.variable(&written, id).filter(|path| !path.is_empty()) else {
            return Ok(None);
        };
        let what = format!("the script {path} of field {id}");
        let run = &source.results.run;
        let mut command = hook::command(self.app, &run.user, &path).map_err(|why| anyhow!("{what} {why}"))?;
        command.env("JACKFIELD_RUN", run.id.to_string());
        let (outcome, printed) = hook::execute(self.app, command, &what).await;
        if outcome.verdict != Verdict::Pass {
            bail!("{}; it printed: {}", outcome.reason, printed.trim());
        }
        Ok(Some(printed.trim_end().to_owned()))
    }
}

impl Due<'_> {
    fn id(&self) -> &str {
        match self {
            Self::Select(select) => &select.id,
            Self::Script(script) => &script.id,
        }
    }
}
