//! What this EP holds back, waits for and keeps, at most; beside each, what happens there. What a lab may choose stands in `ep.toml`.

use std::time::Duration;

/// Messages of the engine that were read and are not handled; no more are read meanwhile, so a slow EP slows its engine down.
///
/// The inboxes of daemon and log pump have no bound of their own, because neither may wait for a place in the other's. Each who sends there has one:
/// the link has these places, an attempt and a script say when they begin and end, a test asks one question on each connection, and may
/// register [`CLEANUPS_MAX`] clean-ups.
pub(crate) const HEARD_MAX: usize = 1024;
/// Clean-ups of one test; more are refused, and its log says so.
pub(crate) const CLEANUPS_MAX: usize = 1000;
/// Never, for an alarm that is not wanted any more: a timer cannot be set for longer.
pub(crate) const FAR: Duration = Duration::from_secs(365 * 24 * 3600);
/// What is read of an output at once; as much of it waits in memory while the log spool is busy.
pub(crate) const OUTPUT_READ_BYTES: usize = 64 * 1024;
/// How long a process that is no more found may hold the output open before it is left to itself.
pub(crate) const DRAIN_LIMIT: Duration = Duration::from_secs(2);
/// How long the warm interpreter may take to fork.
pub(crate) const WARM_START_LIMIT: Duration = Duration::from_secs(60);
/// How often the processes of a test are counted: the kernel's own limit is one of the user, and none for root.
pub(crate) const PROCESS_COUNT_PAUSE: Duration = Duration::from_secs(1);
/// Of the end of an output, what is looked through for a reason.
pub(crate) const LAST_WORDS_BYTES: u64 = 8 * 1024;
/// Of a clean-up's output, the most that is kept.
pub(crate) const CLEANUP_OUTPUT_BYTES: usize = 64 * 1024;
/// How long reading the results that a test left may take; the test is INVALID then.
pub(crate) const RESULT_READ_LIMIT: Duration = Duration::from_secs(120);
/// How long all files of a test may take to the engine, while its lane waits; those that are left then go to the outbox.
pub(crate) const ARTIFACTS_SEND_LIMIT: Duration = Duration::from_secs(120);
/// How long looking at a file, or copying it to the outbox, may take; it is not kept then, and the log says so.
pub(crate) const ARTIFACT_DISK_LIMIT: Duration = Duration::from_secs(60);

/// Of a test file, what is looked at before it is run.
pub(crate) const FIRST_LOOK_BYTES: u64 = 1 << 20;
/// Of a file of results. More is not read, and the test is INVALID.
pub(crate) const RESULT_BYTES_MAX: u64 = 512 << 20;
/// More tests inside a test are counted, and not kept.
pub(crate) const RESULT_PARTS_MAX: usize = 20_000;
/// Of a message of a test inside a test, what a table can show; the rest is in the log.
pub(crate) const RESULT_REASON_CHARS: usize = 500;
/// Names of failed tests in a reason; the others are among the parts.
pub(crate) const RESULT_NAMES_SHOWN: usize = 3;
