//! Before the process of a test: its file, its libraries, its configurations, its work folder.

use std::{
    collections::BTreeMap,
    ffi::OsString,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use jackfield_protocol::verdict::{Cause, DecidedBy, Outcome, Verdict};

use super::Attempt;
use crate::limits::{FETCH_MILLIS_MIN, FETCH_PAUSE};
use crate::{
    account::{Room, Staged, Tenant},
    blobs::BlobError,
    cgroup::Group,
    event::End,
    library::{self, FilesError, Shelf, TestFile},
    runner::{self, Places, Plan},
};

/// A test that can be started.
#[derive(Debug)]
pub(super) struct Ready {
    pub(super) file: PathBuf,
    pub(super) work: PathBuf,
    pub(super) environment: BTreeMap<OsString, OsString>,
    pub(super) plan: Plan,
    /// The user that it runs as, where it is not this EP's own.
    pub(super) tenant: Option<Tenant>,
    /// Its control group, where it has one.
    pub(super) group: Option<Arc<Group>>,
    /// Where a step test has its files then.
    pub(super) steps_folder: Option<Arc<Staged>>,
    /// That this user may come to the files of its run.
    _room: Option<Room>,
}

/// Why a test is not started.
#[derive(Debug)]
pub(super) enum NotReady {
    /// It ends so.
    Invalid(Outcome),
    /// The engine took it back.
    TakenBack,
    /// The engine does not want it.
    Unwanted,
}

impl Attempt {
    pub(super) async fn prepare(&mut self) -> Result<Ready, NotReady> {
        let mut end = self.end.clone();
        let room = self.enter().map_err(NotReady::Invalid)?;
        let (file, shelf) = tokio::select! {
            biased;
            files = self.fetch() => files.map_err(NotReady::Invalid)?,
            ended = end.wait_for(|end| *end != End::Itself) => return Err(match ended.as_deref() {
                Ok(End::With(outcome)) => NotReady::Invalid(outcome.clone()),
                Ok(End::TakenBack) => NotReady::TakenBack,
                Ok(End::Unwanted | End::Itself) | Err(_) => NotReady::Unwanted,
            }),
        };
        let tenant = self.station.account(self.order.lane).map(Tenant::new);
        let name = self.order.attempt.to_string();
        let work = self
            .station
            .work_folders
            .take(&name, tenant.as_ref())
            .map_err(|error| NotReady::Invalid(no_folder(&error)))?;
        let TestFile { path: file, root } = file;
        let places = Places { file: &file, root: &root, work: &work, sdk: &self.station.sdk };
        let planned = self.plan(places, tenant.as_ref());
        let planned = planned.and_then(|(plan, folder)| Ok((self.group(&plan)?, plan, folder)));
        let (group, plan, steps_folder) = match planned {
            Ok(planned) => planned,
            Err(outcome) => {
                self.station.work_folders.give_back(&work, tenant.as_ref()).await;
                return Err(NotReady::Invalid(outcome));
            }
        };
        let mut environment = self.environment(&work, &shelf);
        if let Some(tenant) = &tenant {
            tenant.account.dress(&mut environment, &work);
        }
        Ok(Ready { file, work, environment, plan, tenant, group, steps_folder, _room: room })
    }

    /// Lets the user of the test in where the files of its run are.
    fn enter(&self) -> Result<Option<Room>, Outcome> {
        let Some(accounts) = &self.station.accounts else { return Ok(None) };
        let run = self.order.attempt.run;
        let folder = library::run_folder(&self.station.settings.work_dir, run);
        accounts.enter(folder, run, self.order.lane).map(Some).map_err(|error| {
            let reason = format!("the files of its run cannot be opened to its user: {error}");
            Outcome::not_pass(Verdict::Invalid, Cause::Lab, DecidedBy::NotStarted, reason)
        })
    }

    /// Its control group; a step test has no processes of its own.
    fn group(&self, plan: &Plan) -> Result<Option<Arc<Group>>, Outcome> {
        if *plan == Plan::Steps {
            return Ok(None);
        }
        self.station.group(&self.order.attempt.to_string()).map_err(|error| {
            let reason = format!("its control group cannot be made: {error}; look at [cgroup] in ep.toml");
            Outcome::not_pass(Verdict::Invalid, Cause::Lab, DecidedBy::NotStarted, reason)
        })
    }

    /// How it is run, and where a step test has its files.
    fn plan(
        &self,
        places: Places<'_>,
        tenant: Option<&Tenant>,
    ) -> Result<(Plan, Option<Arc<Staged>>), Outcome> {
        let plan = runner::choose(&self.station.settings.languages, &self.order.test, places)?;
        let plan = self.cold_where_nobody_forks(plan, places);
        if tenant.is_none() || plan != Plan::Steps {
            return Ok((plan, None));
        }
        let staged = Staged::new(&self.station.staging(), Path::new("steps"));
        let staged = staged.map_err(|error| no_folder(&error))?;
        Ok((plan, Some(Arc::new(staged))))
    }

    /// What the warm interpreter forks can become another user only where this EP is root; elsewhere each Python test has an interpreter of its
    /// own.
    fn cold_where_nobody_forks(&self, plan: Plan, places: Places<'_>) -> Plan {
        let account = self.station.account(self.order.lane);
        if plan != Plan::Warm || account.is_none_or(|account| account.for_a_fork().is_some()) {
            return plan;
        }
        runner::cold_python(&self.station.settings.languages, &self.order.test, places)
    }

    /// Puts every file in place; an engine that does not answer is asked again for a good while.
    async fn fetch(&self) -> Result<(TestFile, Arc<Shelf>), Outcome> {
        let patience = Duration::from_millis(self.order.timeout_millis.max(FETCH_MILLIS_MIN));
        let mut last = String::new();
        let tries = async {
            loop {
                match self.files_in_place().await {
                    Err(FilesError::Blob(error @ BlobError::Engine { .. })) => last = error.to_string(),
                    Err(error) => {
                        let by = DecidedBy::NotStarted;
                        return Err(Outcome::not_pass(Verdict::Invalid, Cause::Lab, by, error.to_string()));
                    }
                    Ok(files) => return Ok(files),
                }
                tokio::time::sleep(FETCH_PAUSE).await;
            }
        };
        match tokio::time::timeout(patience, tries).await {
            Ok(result) => result,
            Err(_) => Err(Outcome::not_pass(Verdict::Invalid, Cause::Lab, DecidedBy::NotStarted, last)),
        }
    }

    async fn files_in_place(&self) -> Result<(TestFile, Arc<Shelf>), FilesError> {
        let test = &self.order.test;
        for (_, config) in &test.configs {
            self.station.blobs.fetch(*config).await?;
        }
        let mut files = self.files.lock().await;
        let shelf = files.shelf(&test.libraries).await?;
        // A test without content never comes this far: it is skipped by rule.
        let content = test.content.ok_or_else(|| FilesError::NoLibrary(Arc::clone(&test.file)))?;
        Ok((files.test_file(&test.file, content).await?, shelf))
    }
}

fn no_folder(error: &std::io::Error) -> Outcome {
    let reason = format!("its work folder cannot be made: {error}; free disk space");
    Outcome::not_pass(Verdict::Invalid, Cause::Lab, DecidedBy::NotStarted, reason)
}
