//! No type that travels is without a golden file: the list is compared with the source.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use crate::{sample, word};

/// Every type of `protocol/src` that can be written, with a golden file in which it stands.
const TYPES: &[(&str, &str)] = &[
    ("Ask", "ask/interact"),
    ("AskModules", "api/ask_modules"),
    ("Assignment", "engine_to_ep/assign"),
    ("AttemptEnd", "report/ended"),
    ("AttemptId", "report/started"),
    ("BlobHash", "engine_to_ep/assign"),
    ("Blocker", "api/blocker"),
    ("Blocks", "words/blocks"),
    ("Booked", "api/booked"),
    ("BookingCheck", "api/booking_check"),
    ("BookingTime", "api/booking_check"),
    ("CalendarFeedView", "api/calendar_feed"),
    ("Call", "call/get_resource"),
    ("CallResult", "call_result/ok"),
    ("Cause", "words/cause"),
    ("Check", "report/ended"),
    ("ConsoleId", "engine_to_ep/open_console"),
    ("ConsoleOf", "console_of/device"),
    ("ConsoleOn", "words/console_on"),
    ("ConsoleOrder", "engine_to_ep/open_console"),
    ("ConsoleRow", "api/console_row"),
    ("DecidedBy", "decided_by/exit_status"),
    ("Dependency", "plan/run_plan"),
    ("DeviceUse", "api/device_use"),
    ("Ended", "report/ended"),
    ("EngineToEp", "engine_to_ep/ack"),
    ("EpModules", "api/ep_modules"),
    ("EpName", "ep_to_engine/hello"),
    ("EpRow", "api/ep_row"),
    ("EpState", "words/ep_state"),
    ("EpToEngine", "ep_to_engine/heartbeat"),
    ("EpToPerson", "ep_to_person/begin"),
    ("Epoch", "engine_to_ep/welcome"),
    ("ErrorCode", "words/error_code"),
    ("Every", "words/every"),
    ("Fact", "run_event/note"),
    ("FeedKind", "words/feed_kind"),
    ("FeedOf", "api/calendar_feed"),
    ("FileProblem", "error/file_problem"),
    ("GoingRun", "api/retention_view"),
    ("Guard", "engine_to_ep/assign"),
    ("Held", "ep_to_engine/hello"),
    ("HeldScript", "ep_to_engine/hello"),
    ("HeldState", "words/held_state"),
    ("Hello", "ep_to_engine/hello"),
    ("HolderKind", "words/holder_kind"),
    ("Hook", "words/hook"),
    ("HookScript", "plan/run_plan"),
    ("Host", "ep_to_engine/hello"),
    ("Interact", "ask/interact"),
    ("InteractKind", "words/interact_kind"),
    ("Iteration", "engine_to_ep/assign"),
    ("IterationSave", "words/iteration_save"),
    ("IteratorValue", "engine_to_ep/assign"),
    ("Latch", "engine_to_ep/assign"),
    ("HealthState", "words/health_state"),
    ("JudgeResource", "api/judge_resource"),
    ("ResourceHealth", "api/resource_health"),
    ("LeaseEnd", "api/lease_view"),
    ("LeaseEnded", "words/lease_ended"),
    ("LeaseForecast", "api/lease_forecast"),
    ("LeaseId", "id/lease"),
    ("LeaseKind", "words/lease_kind"),
    ("LeaseRequest", "api/lease_request"),
    ("LeaseState", "words/lease_state"),
    ("LeaseView", "api/lease_view"),
    ("Library", "engine_to_ep/open_run"),
    ("LibraryKind", "words/library_kind"),
    ("LibraryLayout", "words/library_layout"),
    ("Login", "api/login"),
    ("Look", "api/retention_view"),
    ("MaintenanceAhead", "api/lease_view"),
    ("Notice", "ep_to_engine/notices"),
    ("OnEpLost", "words/on_ep_lost"),
    ("OpenSession", "ep_to_engine/sessions"),
    ("Outcome", "report/ended"),
    ("Page", "api/run_page"),
    ("Part", "report/ended"),
    ("PersonToEp", "person_to_ep/take"),
    ("Place", "plan/run_plan"),
    ("PlannedSuite", "plan/run_plan"),
    ("PlannedTest", "plan/run_plan"),
    ("PowerAction", "words/power_action"),
    ("PowerAnswer", "power_result/done"),
    ("PowerDone", "api/power_done"),
    ("PowerOrder", "engine_to_ep/power"),
    ("PowerRequest", "api/power_request"),
    ("PowerResult", "power_result/done"),
    ("PowerState", "words/power_state"),
    ("Private", "plan/run_plan"),
    ("Problem", "error/problem"),
    ("Raise", "engine_to_ep/assign"),
    ("Raised", "guard/raised"),
    ("Recurrence", "api/lease_view"),
    ("Repeat", "api/lease_view"),
    ("Report", "report/started"),
    ("Resource", "api/resource"),
    ("RetentionView", "api/retention_view"),
    ("Role", "words/role"),
    ("RunContext", "engine_to_ep/open_run"),
    ("RunEvent", "run_event/note"),
    ("RunId", "run_event/note"),
    ("RunOptions", "plan/run_plan"),
    ("RunPlan", "plan/run_plan"),
    ("RunSnapshot", "api/run_snapshot"),
    ("RunState", "words/run_state"),
    ("RunSummary", "api/run_summary"),
    ("Save", "words/save"),
    ("Scope", "words/scope"),
    ("ScriptEnded", "report/script_ended"),
    ("ScriptOrder", "engine_to_ep/run_script"),
    ("SeriesView", "api/lease_view"),
    ("Severity", "words/severity"),
    ("Span", "api/booking_check"),
    ("Stream", "words/stream"),
    ("SubmitRun", "api/submit_run"),
    ("Submitted", "api/submitted"),
    ("SuiteIndex", "run_event/placed"),
    ("SutName", "engine_to_ep/assign"),
    ("TestEnded", "run_event/test_ended"),
    ("TestFolder", "engine_to_ep/open_run"),
    ("TestIndex", "run_event/test_waits"),
    ("TestOrder", "engine_to_ep/assign"),
    ("TestRow", "api/test_row"),
    ("TestState", "words/test_state"),
    ("Time", "report/started"),
    ("UseKind", "words/use_kind"),
    ("UserName", "run_event/submitted"),
    ("Verdict", "words/verdict"),
    ("VerdictSet", "engine_to_ep/assign"),
    ("Waiting", "api/waiting"),
    ("Weekday", "words/weekday"),
    ("Welcome", "engine_to_ep/welcome"),
];

#[test]
fn every_type_that_travels_has_a_golden_file() {
    let known: BTreeSet<String> = TYPES.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(written_types(), known, "the types of protocol/src, and those of the list above");
    let mut files: BTreeSet<String> = sample::all().into_iter().map(|sample| sample.name).collect();
    files.extend(word::all().into_iter().map(|words| words.name.to_owned()));
    for (name, file) in TYPES {
        assert!(files.contains(*file), "{name} is to stand in {file}, which is no golden file");
    }
}

/// Names of all types with `Serialize`, derived or by hand.
fn written_types() -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for path in sources(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src"))) {
        let source = fs::read_to_string(path).unwrap();
        let production = source.split("#[cfg(test)]\nmod tests").next().unwrap();
        let mut derived = false;
        for line in production.lines() {
            let words: Vec<&str> =
                line.split(|c: char| !c.is_alphanumeric() && c != '_' && c != '$').collect();
            match words.as_slice() {
                ["impl", "Serialize", "for", name, ..]
                | ["pub", "struct" | "enum", name, ..]
                | ["struct" | "enum", name, ..]
                    if (derived || words[0] == "impl") && !name.starts_with('$') =>
                {
                    names.insert((*name).to_owned());
                    derived = false;
                }
                _ => {}
            }
            if line.starts_with("#[derive(") {
                derived = words.contains(&"Serialize");
            }
        }
        names.extend(made_by_macro(production));
    }
    names
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { sources(&path) } else { vec![path] }).collect()
}

/// Names of the ids that a macro makes: the first line of its call that is no comment.
fn made_by_macro(source: &str) -> Vec<String> {
    let calls = source.split("\nnumber_id! {\n").skip(1).chain(source.split("\ntext_id! {\n").skip(1));
    let name = |call: &str| {
        let line = call.lines().map(str::trim).find(|line| !line.starts_with("///"))?;
        line.split(|c: char| !c.is_alphanumeric()).next().map(str::to_owned)
    };
    calls.filter_map(name).collect()
}
