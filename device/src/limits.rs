//! Every limit of a session, in one place, with what happens when it is reached.

use std::time::Duration;

/// Bytes that may wait for a match. When a device sends more, the oldest are forgotten: a match still ends where it ends,
/// but the text before it is cut, and says so.
pub const WINDOW_BYTES_MAX: usize = 64 * 1024 * 1024;
/// Bytes taken from a channel at once.
pub const READ_BYTES: usize = 64 * 1024;
/// Bytes that may wait to be written to a device; sending waits for room until its deadline.
pub const TELNET_OUT_BYTES_MAX: usize = 64 * 1024;
/// Bytes of one telnet sub-negotiation; the rest of a longer one is dropped.
pub const TELNET_SUB_BYTES_MAX: usize = 4 * 1024;
/// Option answers in one telnet connection; after so many the peer negotiates without end, and is no longer answered.
pub const TELNET_ANSWERS_MAX: u32 = 1_000;
/// Bytes of the last text shown in an error.
pub const SEEN_BYTES_MAX: usize = 400;
/// Longest wait anyone may ask for: a year.
pub const WAIT_MAX: Duration = Duration::from_secs(366 * 24 * 3600);
/// Time to connect and log in, where nobody says another.
pub const OPEN_TIMEOUT: Duration = Duration::from_secs(30);
/// Time for a command, where nobody says another.
pub const COMMAND_TIMEOUT: Duration = Duration::from_secs(30);
/// Time after which a screen that is drawn on without a pause is looked at all the same.
pub const SCREEN_BUSY_MAX: Duration = Duration::from_secs(1);
/// Bytes of a screen shown in an error.
pub const SCREEN_SEEN_BYTES_MAX: usize = 4 * 1024;
/// Time for a dialogue to end in good order; then the connection is cut.
pub const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);
/// Memory for the states of one matcher; when it is full the states are forgotten and made again.
pub const MATCHER_BYTES: usize = 4 * 1024 * 1024;
/// Matchers of one list of patterns whose states are kept for the next search.
pub const IDLE_CACHES_MAX: usize = 4;
/// Pages a pager may show in one answer.
pub const PAGES_MAX: u32 = 100_000;
/// Prompts of one session that are known as texts; the oldest is forgotten, and found by its pattern again.
pub const PROMPTS_MAX: usize = 8;
/// Bytes of one recording; then it ends with a mark that says so, and the session goes on.
pub const RECORDING_BYTES_MAX: u64 = 256 * 1024 * 1024;
/// Bytes of one line that a simulated device takes; the rest is dropped.
pub const SIMULATED_LINE_BYTES_MAX: usize = 4 * 1024;
/// Connections to one simulated device at once; further ones are closed at once.
pub const SIMULATED_CONNECTIONS_MAX: usize = 2_000;
/// Time for one try to connect, where nobody says another; also bounded by the time to open.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(15);
/// Tries after the first, where a device cannot be reached and nobody says another number.
pub const CONNECT_RETRIES: u32 = 2;
/// Most tries that anyone may ask for.
pub const CONNECT_RETRIES_MAX: u32 = 10_000;
/// Wait before the second try; each further one is twice as long, up to the most.
pub const BACKOFF: Duration = Duration::from_millis(250);
/// Longest wait between two tries.
pub const BACKOFF_MAX: Duration = Duration::from_secs(5);
/// Head start of one address of a host over the next (RFC 8305).
pub const ADDRESS_HEAD_START: Duration = Duration::from_millis(250);
/// Silence after which a peer is asked whether it lives.
pub const KEEPALIVE: Duration = Duration::from_secs(20);
/// Questions without an answer before a connection is given up.
pub const KEEPALIVE_MAX: u32 = 3;
/// Hosts between us and a device.
pub const JUMPS_MAX: usize = 8;
/// Keys of an agent that are offered: servers hang up after six tries.
pub const AGENT_KEYS_MAX: usize = 5;
/// Bytes kept of each stream of a command that is run beside a session; the rest is dropped, and the answer says so.
pub const EXEC_BYTES_MAX: usize = 64 * 1024 * 1024;
/// Bytes of a file that a step looks at without keeping it; a larger one has to be kept.
pub const STEP_FILE_BYTES_MAX: u64 = 1024 * 1024;
/// Bytes kept of what a helper program says on its standard error.
pub const STDERR_BYTES_MAX: usize = 4 * 1024;
/// How often a serial line that is gone is looked for.
pub const REPLUG_POLL: Duration = Duration::from_millis(100);
/// How long a break is where nobody says: what consoles take for one.
pub const BREAK_DEFAULT: Duration = Duration::from_millis(250);
/// Longest break on a line.
pub const BREAK_MAX: Duration = Duration::from_secs(10);
/// Time for a terminal server to answer one order of RFC 2217; after it the order counts as not supported.
pub const COM_PORT_TIMEOUT: Duration = Duration::from_secs(3);
/// Answers of a terminal server that nobody took; the oldest is forgotten.
pub const COM_PORT_ANSWERS_MAX: usize = 64;
/// Seconds for one answer of an SFTP server; the whole transfer has its own deadline.
pub const SFTP_ANSWER_SECS_MAX: u64 = 60;
/// Bytes of one line of SCP.
pub const SCP_LINE_BYTES_MAX: usize = 8 * 1024;
/// Files and folders in a folder that is moved; a larger one is refused before anything is moved, or where that is only seen on the way.
pub const FOLDER_ENTRIES_MAX: usize = 100_000;
/// Folders within folders.
pub const FOLDER_DEPTH_MAX: usize = 64;
/// Time for a file, where nobody says another.
pub const TRANSFER_TIMEOUT: Duration = Duration::from_secs(600);
/// Commands of one session whose answers did not come in time and are still awaited; the oldest is forgotten.
pub const UNANSWERED_MAX: usize = 8;
/// Bytes of a prompt; a longer line is none, whatever it ends with.
pub const PROMPT_BYTES_MAX: usize = 1024;
/// Time for an SSH server to tell how a shell ended, after the last of its text.
pub const SSH_LAST_WORDS: Duration = Duration::from_millis(300);
/// Threads of libssh2, one for each connection that it speaks on; who comes after waits for one until the time to connect is over.
pub const SSH_THREADS_MAX: usize = 2_000;
/// Memory for the stack of such a thread; what is never touched is never taken.
pub const SSH_STACK_BYTES: usize = 512 * 1024;
/// Bytes that may wait on each side of a channel between such a thread and who uses it; then the device, or the one who writes, waits.
pub const SSH_PIPE_BYTES_MAX: usize = 256 * 1024;
/// Orders that may wait for such a thread; who gives one more waits.
pub const SSH_ORDERS_MAX: usize = 32;
/// Time for a connection that nobody holds any more to say goodbye.
pub const SSH_PARTING: Duration = Duration::from_millis(500);
/// Bytes of a server's greeting and of its list of algorithms, where it is asked for them alone.
pub const SSH_OFFER_BYTES_MAX: usize = 64 * 1024;
/// Questions of one command; a device that asks on has not taken the answers.
pub const QUESTIONS_MAX: usize = 64;
/// Bytes that a device has said unasked and nobody has taken; the oldest are forgotten.
pub const UNASKED_BYTES_MAX: usize = 256 * 1024;
