//! Every limit of the engine, by name, with what happens when it is reached.

use std::time::Duration;

/// Decoded plans kept in memory; the one not looked at longest is dropped and read again when wanted.
pub const PLANS_CACHED_MAX: usize = 8;
/// Connections that read the store at once; further readers wait up to [`STORE_WAIT`].
pub const STORE_READERS_MAX: u32 = 4;
/// How long anyone waits for a connection to the store; then the request fails with `storage`.
pub const STORE_WAIT: Duration = Duration::from_secs(15);
/// How long the lab's own database may take for one thing that it is asked; then the work is tried again later.
pub const LAB_DB_WAIT: Duration = Duration::from_secs(60);
/// How long a query of a report may take, where its rows are shown; then the database ends it.
pub const REPORT_WAIT: Duration = Duration::from_secs(60);
/// The same where its rows are exported.
pub const EXPORT_WAIT: Duration = Duration::from_secs(60 * 60);
/// Rows from which a chart is drawn, and that are put beside others (`SQLTotal`, `SQLCompare`); what is beyond is said.
pub const CHART_ROWS_MAX: usize = 5_000;
/// Queries of reports at once; one more is refused with `too_many`.
pub const REPORTS_AT_ONCE_MAX: usize = 16;
/// The same by links without an account, so that whoever has one cannot keep people from theirs.
pub const SHARED_AT_ONCE_MAX: usize = 4;
/// Days that a link to a report opens it when nothing else is asked for.
pub const SHARE_DAYS_DEFAULT: u32 = 30;
/// Days that such a link can be made for.
pub const SHARE_DAYS_MAX: u32 = 365;
/// Links of one person that have not ended; one more is refused.
pub const SHARES_EACH_MAX: usize = 1_000;
/// Views of reports that one person keeps; one more is refused.
pub const REPORT_VIEWS_EACH_MAX: usize = 1_000;
/// Bytes of what a view or a link holds of values and filters; more is refused.
pub const REPORT_QUERY_BYTES_MAX: usize = 8 * 1024;
/// Rows of a query that fills the list of a field; what is beyond is left out.
pub const CHOICES_MAX: usize = 1_000;
/// Of these, how many an error tells.
pub const CHOICES_TOLD_MAX: usize = 20;
/// Earlier runs of a project that mails and webhooks look back to.
pub const RUNS_COMPARED_MAX: u32 = 10;
/// The longest that the mail of a run waits for its rows in the lab's database, where it shows reports of them, and between two looks.
pub const MAIL_ROWS_WAIT: Duration = Duration::from_secs(15);
/// See [`MAIL_ROWS_WAIT`].
pub const MAIL_ROWS_LOOK: Duration = Duration::from_millis(200);
/// Runs of that name that are looked at to find them: those of other people's projects are passed over.
pub const RUNS_LOOKED_AT_MAX: u32 = 1_000;
/// The same where the lab says what else runs must have in common: the plan of each is read.
pub const RUNS_LOOKED_INTO_MAX: usize = 200;
/// Tests that are noted before their rows are inserted and after: of so many it is not known, when the engine is killed in between, whether
/// the lab's database has them, where it has no table of ours that tells.
pub const INSERTS_NOTED_AT_ONCE: usize = 200;
/// How often it is looked whether tests have ended whose rows are inserted while their run goes on.
pub const LIVE_INSERTS_LOOK: Duration = Duration::from_secs(1);
/// How many times as long as such a look took nothing is looked at.
pub const LIVE_INSERTS_REST: u32 = 5;
/// Items of a page when a request names no `limit`.
pub const PAGE_DEFAULT: u32 = 100;
/// Items of a page; a larger `limit` is lowered to it.
pub const PAGE_MAX: u32 = 1_000;

/// Bytes of a JSON request; more is refused with `too_large`.
pub const JSON_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Bytes of a JSON request that carries a project, before the lab's own `limits.project` is asked.
pub const PROJECT_JSON_BYTES_MAX: usize = 96 * 1024 * 1024;
/// Bytes of one answer with a range of a log or blob; the rest is asked for with the next range.
pub const RANGE_BYTES_MAX: u64 = 64 * 1024 * 1024;
/// Bytes that are read from a file or received from a socket at once.
pub const COPY_BYTES: usize = 256 * 1024;

/// How long failed log-ins count; how many are allowed in it is the lab's `limits.login_attempts`.
pub const LOGIN_WINDOW_MILLIS: u64 = 60 * 1_000;
/// Users and addresses with failed log-ins that are remembered; the oldest is forgotten.
pub const LOGIN_TRACKED_MAX: usize = 10_000;
/// Tries that strangers have for one account, from wherever, in tries of one address.
pub const LOGIN_ADDRESSES_FACTOR: u64 = 5;
/// Passwords that wait to be looked at; one more is refused.
pub const PASSWORDS_WAITING_MAX: usize = 256;
/// A body with a name and a password in it.
pub const LOGIN_BYTES_MAX: usize = 16 * 1024;
/// A request whose body stands still for this long is given up.
pub const BODY_SILENCE_MAX: Duration = Duration::from_secs(15);
/// How long the whole of a body may take to come, but for files, which may be large: they need only go on.
pub const BODY_WAIT_MAX: Duration = Duration::from_secs(60);
/// Large bodies that are read at once; more wait before anything of them is read.
pub const LARGE_BODIES_MAX: usize = 2;
/// Passwords hashed at once; each takes a core for tens of milliseconds. Further log-ins wait.
pub const PASSWORD_HASHES_MAX: usize = 2;
/// Characters of a password.
pub const PASSWORD_CHARS_MIN: usize = 8;
/// Bytes of a password; more is refused, since hashing it would cost.
pub const PASSWORD_BYTES_MAX: usize = 1_024;
/// How long a browser session lasts.
pub const SESSION_MILLIS: u64 = 14 * 24 * 60 * 60 * 1_000;
/// How long a token lasts when nothing else is asked for.
pub const TOKEN_MILLIS_DEFAULT: u64 = 365 * 24 * 60 * 60 * 1_000;
/// How often, within the time after which a browser session that is left alone is over, its use is written down.
pub const SESSION_TOUCHES: u64 = 20;
/// How often the last use of a token is written down.
pub const TOKEN_TOUCH_MILLIS: u64 = 60 * 60 * 1_000;
/// Characters of the name of a user, group or token.
pub const NAME_CHARS_MAX: usize = 100;

/// Bytes of the key a client chooses for a run.
pub const IDEMPOTENCY_KEY_BYTES_MAX: usize = 200;
/// Tests added to a run with one request.
pub const QUEUED_TESTS_MAX: usize = 1_000;
/// How often a followed log looks whether its attempt has ended, when nothing is written.
pub const LOG_FOLLOW_LOOK: Duration = Duration::from_secs(1);
/// Bytes of the beginning of a test's source in which its tags are looked for.
pub const TAG_BYTES: usize = 64 * 1024;
/// Bytes of `db.xml` where it is tried.
pub const DB_XML_BYTES_MAX: u64 = 16 * 1024 * 1024;
/// Bytes of a test file that is edited or uploaded.
pub const TEST_BYTES_MAX: usize = 16 * 1024 * 1024;
/// Bytes of a test file that a search looks through; of a larger one the beginning.
pub const FOUND_FILE_BYTES_MAX: usize = 1024 * 1024;
/// Bytes of all test files that one search looks through; what lies behind them is told as not looked at.
pub const FOUND_BYTES_MAX: usize = 256 * 1024 * 1024;
/// Test files that one search answers.
pub const FOUND_FILES_MAX: usize = 200;
/// Characters of the line that was found.
pub const FOUND_LINE_CHARS_MAX: usize = 300;
/// How long Git may take to answer.
pub const GIT_WAIT_MAX: Duration = Duration::from_secs(10);
/// Bytes of what it answers.
pub const GIT_BYTES_MAX: usize = 16 * 1024 * 1024;
/// Commits of a file that are listed.
pub const GIT_COMMITS_MAX: usize = 50;
/// Runs in which the last results of a test file are looked for.
pub const FILE_RESULT_RUNS: u32 = 60;
/// Results of a test file that are listed.
pub const FILE_RESULTS_MAX: usize = 20;
/// How long the engine's Python may take to say its version at the start.
pub const PYTHON_VERSION_WAIT: Duration = Duration::from_secs(2);
/// How often a report that waits for logs looks whether they are whole.
pub const LOG_REST_LOOK: Duration = Duration::from_millis(100);
/// How long nothing may come of a log whose test has ended before it is no more waited for: by someone who follows it,
/// and by the reports of its run. What comes later is stored all the same.
pub const LOG_REST_WAIT: Duration = Duration::from_secs(30);

/// Events read from the store at once for a live page.
pub const LIVE_BATCH: u32 = 500;
/// Shortest time between two pieces of a run's events to one who looks on: with fifty of them, a thousand events a second
/// are a thousand writes, and each page draws twenty times. What comes after a silence goes at once.
pub const LIVE_PACE: Duration = Duration::from_millis(50);
/// Runs and logs that one answer follows together.
pub const FOLLOWED_MAX: usize = 100;
/// Tokens and log-ins by which somebody was recognised a moment ago; with more, all are forgotten.
pub const CALLERS_KEPT_MAX: usize = 10_000;
/// How often it is looked whether who reads a live page may still do so, and for how long somebody is known without a look at the store.
pub const LIVE_CALLER_LOOK: Duration = Duration::from_secs(15);
/// Silence after which a live page gets a comment line, so that proxies keep the connection.
pub const LIVE_KEEPALIVE: Duration = Duration::from_secs(15);

/// Lines of the engine's own log that are kept for who looks at it from a page; the oldest go.
pub const OWN_LOG_LINES_MAX: usize = 2_000;
/// Characters of one of them; a longer one is cut.
pub const OWN_LOG_CHARS_MAX: usize = 2_000;

/// Runs of each project in a list of their results, where none is asked for.
pub const PROJECT_RUNS_DEFAULT: u32 = 8;
/// See [`PROJECT_RUNS_DEFAULT`]; at most.
pub const PROJECT_RUNS_MAX: u32 = 50;
/// Changes of a project that one request makes.
pub const PROJECT_CHANGES_MAX: usize = 20_000;
/// Words that a line of the audit log is looked through for; more are left out.
pub const AUDIT_WORDS_MAX: usize = 8;
/// Runs of a project from which the duration of its tests is told.
pub const DURATION_RUNS: u32 = 5;
/// Tests in these runs that are looked at; of a project with more, the older runs are left out.
pub const DURATION_TESTS_MAX: u32 = 100_000;
/// Values of an iterator that its page shows; of more the first, beside their count.
pub const ITERATOR_VALUES_SHOWN: usize = 50;
/// Changes of a file of named values in one request.
pub const PARAM_CHANGES_MAX: usize = 1_000;
/// Tests that a checked project is shown with; it may have more.
pub const PREVIEW_TESTS_MAX: usize = 5_000;

/// Tests in one answer with the outline of a run; the rest is asked for with the next.
pub const OUTLINE_TESTS_MAX: u32 = 100_000;
/// Tests in an answer with those that need a look first.
pub const OUTLINE_FOREMOST_MAX: u32 = 1_000;
/// Characters of a reason in an outline; the test itself has all of it.
pub const OUTLINE_REASON_CHARS_MAX: usize = 300;

/// Things whose newest state the live feed of the lab keeps; a watcher that is behind the oldest asks for everything.
pub const FEED_KEPT_MAX: usize = 10_000;
/// Shortest time between two looks at what is different: a run with a thousand events a second is ten lines a second.
pub const FEED_PAUSE: Duration = Duration::from_millis(100);

/// Log files held open for writing; the one not written longest is closed and opened again when wanted.
pub const LOG_FILES_OPEN_MAX: usize = 256;
/// Bytes of a log that one frame of its compressed form holds; a range is read by unpacking the frames it touches.
pub const LOG_FRAME_BYTES: usize = 1024 * 1024;
/// Lines of one answer; the rest is asked for with the next.
pub const LOG_LINES_MAX: u64 = 2_000;
/// Bytes of one line in an answer; of a longer one the beginning is sent, and the rest is there by byte range.
pub const LOG_LINE_BYTES: usize = 4 * 1024;
/// Bytes of the lines of one answer; it ends with the line that reaches them.
pub const LOG_WINDOW_BYTES: usize = 1024 * 1024;
/// Logs whose lines are counted in memory; the one not asked for longest is forgotten, and counted again when wanted.
pub const LOG_INDEXES_MAX: usize = 128;
/// Searches in logs at once, each on a thread of its own; one more is refused with `too_many`.
pub const LOG_SEARCHES_MAX: usize = 8;
/// Bytes of a search pattern, and of what it is compiled to; more is refused.
pub const LOG_PATTERN_BYTES: usize = 1024;
/// See [`LOG_PATTERN_BYTES`].
pub const LOG_PROGRAM_BYTES: usize = 4 * 1024 * 1024;
/// Bytes of a line that are searched as one; a match across such a border is not found.
pub const LOG_SEARCH_LINE_BYTES: usize = 8 * 1024 * 1024;
/// Lines that a search lists; the others are counted.
pub const LOG_HITS_MAX: u64 = 10_000;
/// Places in one line that a search names.
pub const LOG_HIT_RANGES_MAX: usize = 64;
/// How much of a log is searched between two words about how far it is.
pub const LOG_SEARCH_TELL_BYTES: u64 = 32 * 1024 * 1024;
/// Threads that read ahead for one search, if there are so many processors.
pub const LOG_SEARCH_THREADS_MAX: usize = 4;
/// Pieces that each of them has ready.
pub const LOG_SEARCH_AHEAD: usize = 2;
/// Findings of a search that wait for a slow reader; the search waits, too.
pub const LOG_SEARCH_QUEUE: usize = 64;
/// How exactly it is known when the bytes of a log came, as long as the log has not more times than the next limit.
pub const LOG_TIMES_FINE_MILLIS: u64 = 100;
/// Times of a log that are as exact as that: an hour of a log that never rests.
pub const LOG_TIMES_FINE_MAX: usize = 36_000;
/// How exactly it is known from there on; and a log that came within it has one time, which costs no file.
pub const LOG_TIMES_COARSE_MILLIS: u64 = 1_000;
/// How often somebody who looks at a growing log is told how long it is.
pub const LOG_GROWTH_PACE: Duration = Duration::from_millis(100);

/// How long the output of a script around a run is waited for when the script itself has ended.
pub const HOOK_OUTPUT_WAIT: Duration = Duration::from_secs(2);
/// Jobs of one kind done at once; further ones of that kind wait.
pub const JOBS_AT_ONCE_MAX: usize = 8;
/// Longest time between two looks for jobs.
pub const JOB_IDLE_WAIT_MILLIS: u64 = 60 * 1_000;
/// How long to wait when the store cannot say what is to be done, or does not take what a job has come to; of the latter,
/// the first wait, which doubles.
pub const JOB_STORE_WAIT: Duration = Duration::from_secs(1);
/// Longest wait until what a job has come to is stored again.
pub const JOB_STORE_WAIT_MAX: Duration = Duration::from_secs(60);
/// How often it is looked whether scripts of the engine's life before have ended.
pub const LEFTOVER_LOOK: Duration = Duration::from_millis(20);
/// How long they may take to be gone once they are killed.
pub const LEFTOVER_KILL_WAIT: Duration = Duration::from_secs(5);
/// First wait before a failed job is tried again; it doubles with each failure.
pub const JOB_RETRY_MILLIS: u64 = 5_000;
/// Longest wait between two tries of a job.
pub const JOB_RETRY_MILLIS_MAX: u64 = 10 * 60 * 1_000;
/// Tries before a job is given up; it stays in the store with its last error.
pub const JOB_TRIES_MAX: u32 = 20;

/// How often it is looked what is to be checked, where nothing says that something is.
pub const CHECK_LOOK: Duration = Duration::from_secs(60);
/// Health checks that are begun at one look.
pub const CHECKS_BEGUN_MAX: usize = 64;
/// How often it is looked which old runs are to go.
pub const RETENTION_LOOK: Duration = Duration::from_secs(60 * 60);
/// How long after its start the engine looks first: then it has other things to do.
pub const RETENTION_FIRST_LOOK: Duration = Duration::from_secs(60);
/// Further ahead of all that the store knows of, the clock of the machine is not believed: nothing goes for its age.
pub const RETENTION_CLOCK_DOUBT_MILLIS: u64 = 7 * 24 * 60 * 60 * 1_000;
/// How long a file by content stays that no row names (yet).
pub const BLOB_YOUNG: Duration = Duration::from_secs(24 * 60 * 60);
/// Rows of one kind (of attempts: tests) of a run that is gone that are removed in one transaction: others commit between two.
pub const ROWS_CLEARED_MAX: u64 = 2_000;
/// Runs that are to go of which an answer tells; the others are counted.
pub const RETENTION_TOLD_MAX: usize = 1_000;

/// Edits of the resource tree that wait for their commit; further ones wait in the caller.
pub const RESOURCE_EDITS_WAITING_MAX: usize = 1_024;
/// Edits of the resource tree that are remembered, and can be undone; older ones are forgotten.
pub const EDITS_KEPT_MAX: u64 = 10_000;
/// Of those that take more than [`EDIT_BYTES_LARGE`], so many.
pub const LARGE_EDITS_KEPT_MAX: u32 = 100;
/// Bytes of an edit that is a large one.
pub const EDIT_BYTES_LARGE: usize = 64 * 1024;
/// Bytes of an edit that is remembered with all that it takes to undo it; of a larger one, only what it did.
pub const EDIT_BYTES_MAX: usize = 16 * 1024 * 1024;
/// What an edit did that is remembered for people, node by node; the rest is counted.
pub const EDIT_STEPS_KEPT_MAX: usize = 100;
/// What an edit would do that an answer tells, node by node; the rest is counted.
pub const PLAN_STEPS_TOLD_MAX: usize = 1_000;
/// Resources whose health is looked at in one turn of the loop, where only some are wanted.
pub const RESOURCES_LOOKED_AT: usize = 5_000;
/// Edits that one request may ask for together.
pub const EDITS_TOGETHER_MAX: usize = 10_000;
/// Bytes of a file of resources that is planned or applied, as JSON.
pub const RESOURCE_FILE_BYTES_MAX: usize = 64 * 1024 * 1024;

/// Commands that wait for the loop; further ones wait in whoever sends them.
pub const COMMANDS_WAITING_MAX: usize = 8_192;
/// Commands that one commit may cover.
pub const COMMANDS_PER_COMMIT_MAX: usize = 2_048;
/// How long reports of EPs wait for those that come with them, to be committed together.
pub const REPORTS_COLLECTED: Duration = Duration::from_millis(2);
/// Messages that wait to be written to one EP; one more closes its connection.
pub const LINK_QUEUE_MAX: usize = 4_096;
/// Attempts of which a connection remembers whether they are its EP's; the oldest is looked up again when wanted.
pub const LINK_ATTEMPTS_KNOWN_MAX: usize = 10_000;
/// Bytes of one frame from an EP; a larger one closes its connection.
pub const LINK_FRAME_BYTES_MAX: usize = jackfield_protocol::link::MESSAGE_BYTES_MAX;
/// Of what a script on an EP printed, the most that is kept: it comes in one frame, where a byte may take six.
pub const EP_SCRIPT_OUTPUT_BYTES_MAX: u64 = 1024 * 1024;
/// How long a new connection may take to say Hello.
pub const HELLO_WAIT_MAX: Duration = Duration::from_secs(10);
/// Connections of EPs that have not said Hello yet: each may hold the bytes of one.
pub const GREETINGS_MAX: usize = 128;
/// Lines that the log gets in a minute about connections that were refused; the others are counted.
pub const REFUSALS_TOLD_MAX: u32 = 20;
/// Bytes of a log that never came, in one piece: beyond it the rest of that log is not kept.
pub const LOG_HOLE_BYTES_MAX: u64 = 1 << 30;
/// Bytes of a Hello; ten thousand tests that an EP holds take less.
pub const HELLO_BYTES_MAX: usize = 2 * 1024 * 1024;
/// How long a store that refuses is left alone before the engine restores from it again.
pub const RESTORE_WAIT: Duration = Duration::from_secs(1);
/// How long tasks may take to end when the engine goes down.
pub const SHUTDOWN_WAIT: Duration = Duration::from_secs(10);

/// Consoles at once; one more is refused with `too_many`.
pub const CONSOLES_MAX: usize = 512;
/// Bytes of one frame of a console; a larger one ends it.
pub const CONSOLE_FRAME_BYTES_MAX: usize = 1024 * 1024;
/// How long EPs may take to say which sessions they have; one that takes longer counts as having none.
pub const CONSOLE_ASK_WAIT: Duration = Duration::from_secs(3);
/// How long EPs may take to say what their Pythons have; of one that takes longer nothing is said.
pub const MODULES_ASK_WAIT: Duration = Duration::from_secs(3);
/// How long each step of switching a device may take where the request names no limit, and at most.
pub const POWER_STEP_DEFAULT: Duration = Duration::from_secs(30);
/// See [`POWER_STEP_DEFAULT`]; more is refused.
pub const POWER_STEP_MAX: Duration = Duration::from_secs(300);
/// How long a device may stay off in a cycle; an EP whose outlet takes longer is not waited for, and goes on.
pub const POWER_PAUSE: Duration = Duration::from_secs(60);
/// How long somebody at a console may take a word about the device; then they are not told.
pub const CONSOLE_TELL_WAIT: Duration = Duration::from_secs(1);
/// How long an EP may take to dial back for a console.
pub const CONSOLE_DIAL_WAIT: Duration = Duration::from_secs(15);
/// How long an EP may take to let go of what a person held; then the console is closed in the books all the same.
pub const CONSOLE_LEAVE_WAIT: Duration = Duration::from_secs(15);

/// Connections whose handshake is not over; where there is one more, the address with the most loses its oldest.
pub const HANDSHAKES_MAX: usize = 4_096;
/// How long a handshake may take, from the first moment of the connection.
pub const HANDSHAKE_WAIT: Duration = Duration::from_secs(10);
/// Bytes that are read at once from a connection with TLS: two full records.
pub const TLS_READ_BYTES: usize = 32 * 1024;
/// Bytes of the head of a plain request that is sent away; of a longer one the beginning is read.
pub const PLAIN_HEAD_BYTES: usize = 8 * 1024;
/// How long what follows that is read and thrown away, so that the answer arrives.
pub const PLAIN_REST_WAIT: Duration = Duration::from_secs(1);
/// How long a client may take to send the head of a request, and how long an idle connection is kept.
pub const HEAD_WAIT: Duration = Duration::from_secs(5);
/// How long a client that was answered may go on to send what nobody reads, before its connection is closed under it.
pub const REST_WAIT: Duration = Duration::from_secs(1);
/// How often it is looked whether another certificate is due, or there.
pub const CERTIFICATE_LOOK: Duration = Duration::from_secs(5);
/// Names and addresses of the certificate that the engine makes; further ones of earlier ones are left out.
pub const CERTIFICATE_NAMES_MAX: usize = 200;
/// Certificates in a file of the lab's.
pub const CERTIFICATES_MAX: usize = 10;
/// Bytes of such a file, or of a key.
pub const CERTIFICATE_BYTES_MAX: u64 = 256 * 1024;

/// How often it is looked whether the parts of the engine are well.
pub const HEALTH_LOOK: Duration = Duration::from_secs(1);
/// How long a health check waits for one part of the engine.
pub const HEALTH_WAIT: Duration = Duration::from_secs(5);

/// How long a lease lasts when nothing else is asked for and no client keeps it.
pub const LEASE_MILLIS_DEFAULT: u64 = 2 * 60 * 60 * 1_000;
/// The silence after which a client of a lease may be taken for lost.
pub const LEASE_PATIENCE_MILLIS: std::ops::RangeInclusive<u64> = 2_000..=24 * 60 * 60 * 1_000;
/// Bytes of the reason or note of a lease; more is refused.
pub const LEASE_TEXT_BYTES_MAX: usize = 1_000;
/// Bytes of all that the context of a lease says.
pub const LEASE_CONTEXT_BYTES_MAX: usize = 8_000;
/// Resources and SUTs in one lease.
pub const LEASE_THINGS_MAX: usize = 1_000;
/// Leases that are listed at once.
pub const LEASES_TOLD_MAX: usize = 10_000;
/// Leases that are over and looked at for those of one person or resource.
pub const LEASES_LOOKED_AT: u32 = 10_000;
/// Leases in an answer of the calendar, and in a feed of it; those that ended long ago are left out.
pub const CALENDAR_ENTRIES_MAX: usize = 10_000;
/// Days of leases that are over in a feed.
pub const CALENDAR_FEED_DAYS: u64 = 31;
/// Addresses of calendars that one person may have.
pub const CALENDAR_FEEDS_EACH_MAX: usize = 100;
/// Runs of which the live feed tells what they wait for as soon as others have it; the oldest. Of the rest it is told with
/// their own events.
pub const WAITS_FED_MAX: usize = 64;
/// Leases that the live feed tells; those who wait come last, and what is beyond is asked for.
pub const LEASES_FED_MAX: usize = 1_000;
/// Deeds of one lease that its story tells.
pub const LEASE_DEEDS_MAX: u32 = 200;
