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
/// The longest limit that a test may give a clean-up; a longer one is refused, and the test told. While a clean-up runs, its lane waits.
pub(crate) const CLEANUP_MILLIS_MAX: u64 = 3_600_000;
/// How long all clean-ups of one test may take together; those that are left then do not run, and are told as not executed.
pub(crate) const CLEANUPS_LIMIT: Duration = Duration::from_secs(7_200);
/// How long clean-ups may take when their EP is to end; then they are ended, and those that are left do not run.
pub(crate) const CLEANUPS_FAREWELL_LIMIT: Duration = Duration::from_secs(20);
/// Words of a clean-up's command, and their bytes; more are refused. Each clean-up stands in the spool while its test runs.
pub(crate) const CLEANUP_COMMAND_BYTES_MAX: usize = 16 * 1024;
/// Of a clean-up's output, the most that is kept.
pub(crate) const CLEANUP_OUTPUT_BYTES: usize = 64 * 1024;
/// How long reading the results that a test left may take; the test is INVALID then.
pub(crate) const RESULT_READ_LIMIT: Duration = Duration::from_secs(120);
/// How long all files of a test may take to the engine, while its lane waits; those that are left then go to the outbox.
pub(crate) const ARTIFACTS_SEND_LIMIT: Duration = Duration::from_secs(120);
/// How long looking at a file, or copying it to the outbox, may take; it is not kept then, and the log says so.
pub(crate) const ARTIFACT_DISK_LIMIT: Duration = Duration::from_secs(60);

/// How long it may take to become the user of a test, or to begin in its group; the test is INVALID then.
pub(crate) const START_LIMIT: Duration = Duration::from_secs(20);
/// How long signals and looks as the user of a test may take; what they were for is not done then, and the log of the EP says so.
pub(crate) const ACCOUNT_CHORE_LIMIT: Duration = Duration::from_secs(20);
/// How long a file that a test named may take between it and the EP; it is not kept, or not sent, then.
pub(crate) const ACCOUNT_FILE_LIMIT: Duration = Duration::from_secs(60);
/// How long it may take to remove what the user of a test left; the rest stays then, and the log of the EP says so.
pub(crate) const CLEAR_LIMIT: Duration = Duration::from_secs(120);
/// The largest file that a test has sent to a device, or fetched from one, where it runs as another user than its EP; a larger one is refused.
pub(crate) const STAGED_BYTES_MAX: u64 = 8 << 30;

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

// Conversation with the engine.

/// Control messages that wait to be sent; more means that the connection does not move, and it is given up.
pub(crate) const CONTROL_MAX: usize = 8192;
/// Log frames between the pump and the socket.
pub(crate) const FRAMES_MAX: usize = 4;
/// How long dialling and being welcomed may take together; the connection is given up then.
pub(crate) const GREETING_LIMIT: Duration = Duration::from_secs(30);
/// How long a connection is closed in good order; it is dropped then.
pub(crate) const CLOSE_LIMIT: Duration = Duration::from_secs(2);
/// How long the greeting waits for a Python that is slow to start.
pub(crate) const PYTHON_LIMIT: Duration = Duration::from_secs(5);
/// How long the Python of tests may take to say what it has.
pub(crate) const MODULES_LIMIT: Duration = Duration::from_secs(2);
/// What is kept of the answers; then they are forgotten, and asked anew.
pub(crate) const MODULES_KEPT_MAX: usize = 5_000;
/// The largest message of an engine.
pub(crate) const LINK_MESSAGE_BYTES_MAX: usize = 2 * jackfield_protocol::link::ANSWER_BYTES_MAX;
/// Wait before the second try to reach the engine; each further one is twice as long, up to the most.
pub(crate) const BACKOFF_MIN: Duration = Duration::from_millis(100);
/// The longest such wait.
pub(crate) const BACKOFF_MAX: Duration = Duration::from_secs(5);
/// How long one try may take.
pub(crate) const DIAL_LIMIT: Duration = Duration::from_secs(10);
/// Reports the engine has not acknowledged, after which no further test is started.
pub(crate) const UNACKED_MAX: usize = 10_000;
/// Questions that wait for an answer.
pub(crate) const CALLS_MAX: usize = 10_000;
/// A question to a person, with its options or variables.
pub(crate) const QUESTION_BYTES_MAX: usize = 512 * 1024;
/// How long an EP that ends waits for its reports, and then its logs, to be acknowledged.
pub(crate) const FAREWELL_LIMIT: Duration = Duration::from_secs(5);

// Files.

/// Silence of the engine after which a transfer is given up.
pub(crate) const CONNECT_LIMIT: Duration = Duration::from_secs(10);
/// The longest one transfer may take.
pub(crate) const TRANSFER_LIMIT: Duration = Duration::from_secs(600);
/// The largest file that is fetched.
pub(crate) const FILE_BYTES_MAX: u64 = 4 << 30;
/// Wait before the second try; each further one is twice as long, up to the most.
pub(crate) const OUTBOX_PAUSE: Duration = Duration::from_secs(1);
/// The longest such wait.
pub(crate) const OUTBOX_PAUSE_MAX: Duration = Duration::from_secs(30);
/// Between two tries to fetch a file from an engine that does not answer.
pub(crate) const FETCH_PAUSE: Duration = Duration::from_secs(1);
/// How long a file is waited for at least, however short the test's own limit is.
pub(crate) const FETCH_MILLIS_MIN: u64 = 120_000;
/// Folders put aside, at most.
pub(crate) const IDLE_FOLDERS_MAX: usize = 64;
/// A folder of fewer entries is as quickly copied as kept for a later run.
pub(crate) const KEPT_ENTRIES_MIN: usize = 8;
/// Folders that are kept for later runs, their entries and their bytes, at most; then those go that have waited for longest.
pub(crate) const KEPT_FOLDERS_MAX: usize = 64;
pub(crate) const KEPT_ENTRIES_MAX: usize = 50_000;
pub(crate) const KEPT_BYTES_MAX: u64 = 256 << 20;

// Logs and reports.

/// Chunks between the tests and this task.
pub(crate) const CHUNKS_MAX: usize = 64;
/// Between two tries when the disk would not take a chunk.
pub(crate) const LOG_RETRY_PAUSE: Duration = Duration::from_secs(1);
/// An engine that stores nothing for this long, of what it was sent, never will.
pub(crate) const LOG_STALL_LIMIT: Duration = Duration::from_secs(300);
/// A new segment is begun when the last is longer than this.
pub(crate) const LOG_SEGMENT_BYTES: u64 = 8 << 20;
/// A segment whose frames are all stored is emptied, even the one being written, when it is longer than this.
pub(crate) const LOG_EMPTIED_BYTES: u64 = 1 << 20;
/// Frames kept in memory for a connection that keeps up.
pub(crate) const LOG_MEMORY_BYTES: usize = 1 << 20;
/// Frames under way, however small they are.
pub(crate) const FRAMES_UNDER_WAY_MAX: usize = 1024;
/// Rewrite the file without what is acknowledged when it is longer than this.
pub(crate) const SPOOL_ROTATE_BYTES: u64 = 1 << 20;

// Processes.

/// Another thread of this program may hold a file it just wrote open for as long as its own start of a process takes.
pub(crate) const BUSY_TRIES: u32 = 50;
/// Between two such tries.
pub(crate) const BUSY_PAUSE: Duration = Duration::from_millis(2);
/// How often and how long it is looked whether killed processes are gone.
pub(crate) const KILL_ROUNDS: u32 = 200;
/// Between two such looks.
pub(crate) const KILL_PAUSE: Duration = Duration::from_millis(5);
/// Requests that wait for the interpreter.
pub(crate) const WARM_REQUESTS_MAX: usize = 64;
/// An interpreter that dies this often in a row before it is ready is not started again until the EP is.
pub(crate) const WARM_FAILED_STARTS_MAX: u32 = 3;
/// The longest message of the interpreter.
pub(crate) const WARM_MESSAGE_BYTES_MAX: u32 = 1 << 20;
/// How long it may take to say that it listens, and to end.
pub(crate) const CAPTURE_START_LIMIT: Duration = Duration::from_secs(10);
/// How long it may take to write its file to the end; it is killed then.
pub(crate) const CAPTURE_STOP_LIMIT: Duration = Duration::from_secs(5);
/// How often it is looked whether it has written all packets that there were.
pub(crate) const CAPTURE_SILENCE_LOOKS: u32 = 100;
/// Between two such looks.
pub(crate) const CAPTURE_SILENCE_PAUSE: Duration = Duration::from_millis(5);
/// Captures of one test at once.
pub(crate) const CAPTURES_MAX: usize = 16;

/// A process is gone by then with the control group that it was killed with; groups are not used otherwise.
pub(crate) const CGROUP_PROBE_LIMIT: Duration = Duration::from_secs(5);
/// A process that was killed is gone by then, or nobody says so: the interpreter stands still, or the kernel holds it. It is left to itself.
pub(crate) const GONE_LIMIT: Duration = Duration::from_secs(5);

// What a test says.

/// The longest name of a part, variable, artifact or clean-up; a longer one is refused, and the test told.
pub(crate) const NAME_BYTES_MAX: usize = 1_000;
/// The longest reason that is kept; of a longer one, the beginning.
pub(crate) const REASON_BYTES_MAX: usize = 16 * 1024;
/// The longest value of a variable; a longer one is refused, and the test told: cut, it would stand wrong in the lab's database.
pub(crate) const VARIABLE_BYTES_MAX: usize = 1 << 20;

/// Things a test said that its attempt has not taken in yet.
pub(crate) const SAID_MAX: usize = 256;
/// Things of one kind that one test may say; more are refused, and that is written in its log.
pub(crate) const KIND_MAX: usize = 20_000;
/// The longest name of a file to keep; a longer one is shortened. File systems have 255, and whoever fetches it may add to it.
pub(crate) const FILE_NAME_BYTES_MAX: usize = 200;
/// What stands behind the last point of such a name is its ending, where it is no longer than this.
pub(crate) const ENDING_BYTES_MAX: usize = 16;
/// All that one test says and that is kept until its end; more is refused, and that is written in its log.
pub(crate) const STORY_BYTES_MAX: usize = 4 * jackfield_protocol::link::SAID_BYTES_MAX;
/// Files of one test to keep; more are refused, and that is written in its log.
pub(crate) const ARTIFACTS_MAX: usize = 1_000;
/// Refusals that are remembered; a test dies of one of its last.
pub(crate) const REFUSALS_MAX: usize = 16;
/// Connections at once, of all tests together.
pub(crate) const CONNECTIONS_MAX: usize = 4096;
/// Those of one test; a further one is told so and closed.
pub(crate) const CONNECTIONS_OF_ONE_MAX: usize = 256;
/// Those that have not said whose they are; the oldest gives way to one more.
pub(crate) const UNKNOWN_CONNECTIONS_MAX: usize = 512;
/// How long a connection may take to say who it is; it is closed then.
pub(crate) const HELLO_LIMIT: Duration = Duration::from_secs(30);
/// The longest request of a connection that has not said who it is.
pub(crate) const HELLO_BYTES_MAX: u64 = 4 * 1024;
/// The longest request.
pub(crate) const CALL_BYTES_MAX: u64 = 64 << 20;
/// A request up to this is read at once; a larger one waits for a place.
pub(crate) const CALL_BYTES_SMALL: u64 = 64 * 1024;
/// Places for larger ones, of all tests together.
pub(crate) const CALLS_LARGE_MAX: usize = 4;
/// How long a larger one may take to come whole; its connection is closed then, because others wait for the place.
pub(crate) const CALL_COMES_LIMIT: Duration = Duration::from_secs(60);
/// How long a person is waited for where the test names no limit.
pub(crate) const INTERACT_MILLIS: u64 = 600_000;
/// How long an outlet may take where the test names no limit.
pub(crate) const POWER_LIMIT: Duration = Duration::from_secs(30);

// Sessions and consoles.

/// Sessions of one run on one EP.
pub(crate) const SESSIONS_MAX: usize = 256;
/// Between two looks whether the person has let go.
pub(crate) const HELD_DEVICE_LOOK: Duration = Duration::from_secs(1);
/// Bytes of what the device said last, for those who come late.
pub(crate) const SCREEN_BYTES_MAX: usize = 32 * 1024;
/// Bytes that may wait for one watcher.
pub(crate) const WAITING_BYTES_MAX: usize = 1024 * 1024;
/// Consoles of one EP at once.
pub(crate) const CONSOLES_MAX: usize = 256;
/// Tries to give the engine a recording.
pub(crate) const UPLOAD_TRIES: u32 = 3;
/// Between two such tries.
pub(crate) const UPLOAD_PAUSE: Duration = Duration::from_secs(1);
/// How long a device may take what is typed.
pub(crate) const TYPE_LIMIT: Duration = Duration::from_secs(10);
/// How long a device that does not fall quiet is waited for.
pub(crate) const QUIET_LIMIT: Duration = Duration::from_secs(3);
/// How long a person may take nothing of what they are shown.
pub(crate) const SHOW_LIMIT: Duration = Duration::from_secs(60);
/// How long its end may take; it is left to itself then.
pub(crate) const END_LIMIT: Duration = Duration::from_secs(2);
/// The engine asks whether we live more often than this.
pub(crate) const CONSOLE_SILENCE: Duration = Duration::from_secs(90);

// Results of tools.

/// Deeper than any tool nests.
pub(crate) const RESULT_DEPTH_MAX: usize = 200;
/// Of the text of an element, what can become a reason.
pub(crate) const RESULT_TEXT_CHARS: usize = 4_000;
/// Of a plan, at most so many tests that never ran are told one by one.
pub(crate) const TAP_MISSING_MAX: u64 = 1_000;
/// TAP inside of TAP, so many times; what is deeper is text.
pub(crate) const TAP_DEPTH_MAX: usize = 16;
/// Of one text or attribute, what goes through. Longer than any reason that is kept.
pub(crate) const RESULT_TEXT_BYTES: usize = 16 * 1024;
/// A tag with more in it is none.
pub(crate) const RESULT_TAG_BYTES_MAX: usize = 1 << 20;
/// Tests that are open at once; one more is taken for a file that is no such thing.
pub(crate) const GO_TESTS_OPEN_MAX: usize = 100_000;
/// Of one line, what is kept.
pub(crate) const RESULT_LINE_BYTES: usize = 64 * 1024;
