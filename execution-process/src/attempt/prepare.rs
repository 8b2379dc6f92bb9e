//! Before the process of a test: its file, its libraries, its configurations, its work folder.

use std::{collections::BTreeMap, ffi::OsString, path::PathBuf, sync::Arc, time::Duration};

use jackfield_protocol::verdict::{Cause, DecidedBy, Outcome, Verdict};

use super::Attempt;
use crate::limits::{FETCH_MILLIS_MIN, FETCH_PAUSE};
use crate::{
    blobs::BlobError,
    event::End,
    library::{FilesError, Shelf, TestFile},
    runner::{self, Places, Plan},
};

/// A test that can be started.
#[derive(Debug)]
pub(super) struct Ready {
    pub(super) file: PathBuf,
    pub(super) work: PathBuf,
    pub(super) environment: BTreeMap<OsString, OsString>,
    pub(super) plan: Plan,
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
        let (file, shelf) = tokio::select! {
            biased;
            files = self.fetch() => files.map_err(NotReady::Invalid)?,
            ended = end.wait_for(|end| *end != End::Itself) => return Err(match ended.as_deref() {
                Ok(End::With(outcome)) => NotReady::Invalid(outcome.clone()),
                Ok(End::TakenBack) => NotReady::TakenBack,
                Ok(End::Unwanted | End::Itself) | Err(_) => NotReady::Unwanted,
            }),
        };
        let work = self.station.work_folders.take(&self.order.attempt.to_string()).map_err(|error| {
            let reason = format!("its work folder cannot be made: {error}; free disk space");
            NotReady::Invalid(Outcome::not_pass(Verdict::Invalid, Cause::Lab, DecidedBy::NotStarted, reason))
        })?;
        let TestFile { path: file, root } = file;
        let places = Places { file: &file, root: &root, work: &work, sdk: &self.station.sdk };
        let plan = match runner::choose(&self.station.settings.languages, &self.order.test, places) {
            Ok(plan) => plan,
            Err(outcome) => {
                self.station.work_folders.give_back(&work).await;
                return Err(NotReady::Invalid(outcome));
            }
        };
        let environment = self.environment(&work, &shelf);
        Ok(Ready { file, work, environment, plan })
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
