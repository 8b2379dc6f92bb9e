//! Tests for a run that is under way: its own once more, or any test file of the lab.
//!
//! A test of the run is copied with the content it had when the run began. A file that the run does not have is taken
//! as it is now, as its owner sees it, and its content goes with the new test: what is edited later changes nothing.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use jackfield_config::Lab;
use jackfield_protocol::{
    error::{ErrorCode, Problem},
    id::{BlobHash, RunId, SuiteIndex},
    plan::{PlannedTest, Role, RunPlan},
};

use crate::{
    app::App,
    blobs::Blobs,
    run::{submit, taking},
};

/// What to put at the end of which suite.
pub(crate) type NewTests = BTreeMap<SuiteIndex, Vec<PlannedTest>>;

/// Finds the suite and the tests that a person names. Nothing is queued yet.
///
/// # Errors
/// A suite or a test that is not there, or a suite that takes no more tests; each says what to do.
pub(crate) async fn find(
    app: &App,
    run: RunId,
    plan: &Arc<RunPlan>,
    suite: Option<&str>,
    names: Vec<String>,
) -> Result<NewTests, Problem> {
    let suite = match suite {
        Some(name) => Some(open_suite(app, run, suites_named(plan, name)?).await?),
        None => None,
    };
    let (lab, blobs, plan) = (app.lab.as_user(&plan.user), app.blobs.clone(), Arc::clone(plan));
    let found = submit::blocking(move || {
        let take = |name: &str| take_file(&lab, &blobs, name);
        find_tests(&plan, suite, &names, take)
    });
    let found = found.await?;
    for suite in found.keys() {
        open_suite(app, run, vec![*suite]).await?;
    }
    Ok(found)
}

/// The first of these suites that takes more tests.
async fn open_suite(app: &App, run: RunId, suites: Vec<SuiteIndex>) -> Result<SuiteIndex, Problem> {
    let look = move |scheduler: &jackfield_scheduler::Scheduler| {
        let mut refused = format!("run {run} has no such suite");
        for suite in suites {
            match scheduler.may_queue(run, suite) {
                Ok(()) => return Ok(suite),
                Err(why) => refused = why,
            }
        }
        Err(refused)
    };
    app.engine.ask(look).await?.map_err(|why| {
        let title = format!("{why}; start a new run with `jackfield run`, or `jackfield runs retry {run}`");
        Problem::new(ErrorCode::WrongState, title)
    })
}

/// The suites of this name or ID, the last first, since that is the one that goes on longest.
fn suites_named(plan: &RunPlan, name: &str) -> Result<Vec<SuiteIndex>, Problem> {
    let named = (0..).map(SuiteIndex).zip(&plan.suites);
    let fits = named.filter(|(_, suite)| *suite.name == *name || *suite.id == *name);
    let mut found: Vec<SuiteIndex> = fits.map(|(index, _)| index).collect();
    found.reverse();
    if found.is_empty() {
        let title = format!("the run has no suite `{name}`; it has {}", suite_names(plan));
        return Err(Problem::new(ErrorCode::NotFound, title).field("suite"));
    }
    Ok(found)
}

fn suite_names(plan: &RunPlan) -> String {
    let names: BTreeSet<&str> = plan.suites.iter().map(|suite| &*suite.name).collect();
    names.into_iter().take(20).collect::<Vec<_>>().join(", ")
}

/// A file of the lab, as it is now.
#[derive(Clone, Debug)]
struct NewFile {
    /// Its name there.
    name: Arc<str>,
    content: BlobHash,
    /// It is its user's alone.
    is_private: bool,
}

fn take_file(lab: &Lab, blobs: &Blobs, name: &str) -> Result<NewFile, Problem> {
    let resolved = jackfield_config::Lookup::resolve(lab, name);
    let path = lab.test_file(&resolved).map_err(|error| {
        let title = format!(
            "`{name}` is no test of the run, and as a test file it {error}; correct the name, or put the file there"
        );
        Problem::new(ErrorCode::NotFound, title).field("files")
    })?;
    let is_private = lab.is_private(path.path());
    Ok(NewFile { name: resolved.into(), content: taking::take_file(&path, blobs)?, is_private })
}

/// Tests by ID, name or file; where the run has none of them, by the name of a file, which `take` fetches.
fn find_tests(
    plan: &RunPlan,
    suite: Option<SuiteIndex>,
    names: &[String],
    take: impl Fn(&str) -> Result<NewFile, Problem>,
) -> Result<NewTests, Problem> {
    let mut found = NewTests::new();
    let mut taken: BTreeSet<Arc<str>> = plan.tests.iter().map(|test| Arc::clone(&test.id)).collect();
    for name in names {
        let known = plan.tests.iter().find(|test| is_named(test, name));
        let test = match known {
            Some(test) => again(test, suite, &mut taken),
            None => {
                let file = take(name)?;
                fresh(plan, suite.map_or_else(|| only_suite(plan, name), Ok)?, file, &mut taken)
            }
        };
        found.entry(test.suite).or_default().push(test);
    }
    Ok(found)
}

/// A test of the run once more, for its own sake and now.
fn again(test: &PlannedTest, suite: Option<SuiteIndex>, taken: &mut BTreeSet<Arc<str>>) -> PlannedTest {
    let suite = suite.unwrap_or(test.suite);
    let id = fresh_id(&test.id, taken);
    PlannedTest { id, suite, role: Role::Test, depends: Vec::new(), ..test.clone() }
}

/// A test that the run does not have: mandatory, without parameters, with the test configurations of its suite.
fn fresh(plan: &RunPlan, suite: SuiteIndex, file: NewFile, taken: &mut BTreeSet<Arc<str>>) -> PlannedTest {
    let NewFile { name: file, content, is_private } = file;
    let name: Arc<str> = file.rsplit('/').next().unwrap_or_default().into();
    let top = plan.suite_chain(suite).last();
    let ep = top.and_then(|(_, suite)| suite.place.ep.as_ref()).map_or(String::new(), |ep| format!("#{ep}"));
    let wanted: Arc<str> = format!("{name}{ep}").into();
    let id = if taken.insert(Arc::clone(&wanted)) { wanted } else { fresh_id(&wanted, taken) };
    let configs = plan.suite(suite).map(|suite| suite.configs.clone()).unwrap_or_default();
    PlannedTest {
        origin: name,
        content: Some(content),
        is_private,
        configs,
        ..PlannedTest::new(id, suite, file)
    }
}

/// The run's one suite: a new file has no suite of its own.
fn only_suite(plan: &RunPlan, name: &str) -> Result<SuiteIndex, Problem> {
    if plan.suites.len() == 1 {
        return Ok(SuiteIndex(0));
    }
    let title =
        format!("`{name}` is no test of the run, so say with `suite` where to put it: {}", suite_names(plan));
    Err(Problem::new(ErrorCode::BadRequest, title).field("suite"))
}

fn is_named(test: &PlannedTest, name: &str) -> bool {
    let ends =
        |path: &str| path.strip_suffix(name).is_some_and(|rest| rest.is_empty() || rest.ends_with('/'));
    *test.id == *name || *test.origin == *name || *test.name == *name || ends(&test.file)
}

/// `id+2`, `id+3`, …: the EP's part of the ID stays at its end.
fn fresh_id(id: &str, taken: &mut BTreeSet<Arc<str>>) -> Arc<str> {
    let (own, ep) = id.split_once('#').map_or((id, String::new()), |(own, ep)| (own, format!("#{ep}")));
    let fresh = (2_u64..).map(|count| Arc::from(format!("{own}+{count}{ep}"))).find(|id| !taken.contains(id));
    let fresh: Arc<str> = fresh.unwrap_or_else(|| id.into());
    taken.insert(Arc::clone(&fresh));
    fresh
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{run::retry::tests::nested, store::tests::fixture::planned};

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(ToString::to_string).collect()
    }

    fn nothing(name: &str) -> Result<NewFile, Problem> {
        Err(Problem::new(ErrorCode::NotFound, format!("no {name}")))
    }

    #[test]
    fn tests_of_the_run_get_ids_of_their_own() {
        let mut plan = nested();
        plan.tests[1].id = "one#EP-1".into();
        let asked = names(&["t1.py", "one#EP-1", "tests/t7.py"]);
        let found = find_tests(&plan, None, &asked, nothing).unwrap();
        let ids: Vec<_> = found[&SuiteIndex(0)].iter().map(|test| test.id.to_string()).collect();
        assert_eq!(ids, ["one+2#EP-1", "one+3#EP-1"]);
        assert_eq!(found[&SuiteIndex(2)][0].file, planned(7).file);
        let there = find_tests(&plan, Some(SuiteIndex(1)), &names(&["t7.py"]), nothing).unwrap();
        assert_eq!(there[&SuiteIndex(1)][0].suite, SuiteIndex(1));
        let unknown = find_tests(&plan, Some(SuiteIndex(1)), &names(&["7.py"]), nothing).unwrap_err();
        assert_eq!(unknown.title, "no 7.py");
    }

    #[test]
    fn a_new_file_comes_with_its_content() {
        let mut plan = nested();
        plan.suites[0].place.ep = Some("EP-1".into());
        let hash = BlobHash([7; 32]);
        let take = |name: &str| {
            let name = Arc::from(format!("late/{name}"));
            Ok(NewFile { name, content: hash, is_private: true })
        };
        let found = find_tests(&plan, Some(SuiteIndex(1)), &names(&["new.sh", "new.sh"]), take).unwrap();
        let new = &found[&SuiteIndex(1)];
        assert_eq!((&*new[0].id, &*new[1].id), ("new.sh#EP-1", "new.sh+2#EP-1"));
        assert_eq!((&*new[0].file, new[0].content), ("late/new.sh", Some(hash)));
        assert!(new[0].is_private);
        let refused = find_tests(&plan, None, &names(&["new.sh"]), take).unwrap_err();
        assert_eq!(
            refused.title,
            "`new.sh` is no test of the run, so say with `suite` where to put it: inner, other, outer"
        );
    }

    #[test]
    fn a_suite_is_found_by_its_name_the_last_of_several_first() {
        let mut plan = nested();
        plan.suites[2].name = "inner".into();
        assert_eq!(suites_named(&plan, "inner").unwrap(), [SuiteIndex(2), SuiteIndex(1)]);
        let unknown = suites_named(&plan, "none").unwrap_err();
        assert_eq!(unknown.title, "the run has no suite `none`; it has inner, outer");
    }
}
