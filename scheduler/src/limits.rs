//! Every number the scheduler goes by, in one place.

/// Pauses of a run that are told apart; of more, the oldest count as one.
pub(crate) const PAUSES_MAX: usize = 256;

/// What the engine's settings decide.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Silence after which engine and EP give a connection up; an EP starts nothing more after it.
    pub silence_millis: u64,
    /// How long a vanished EP may stay away beyond the silence before its tests are given up.
    pub grace_millis: u64,
    /// Limit of a test that has none, in no suite that has one.
    pub test_timeout_millis: u64,
    /// Limit of a script around a run on an EP.
    pub script_timeout_millis: u64,
    /// Of what such a script prints, the end of this length is kept.
    pub script_output_bytes: u64,
    /// Most tests of one lane that an EP holds at once, the running one included; at least 1.
    pub send_ahead: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            silence_millis: 30_000,
            grace_millis: 120_000,
            test_timeout_millis: 3_600_000,
            script_timeout_millis: 600_000,
            script_output_bytes: 64 << 10,
            send_ahead: 64,
        }
    }
}
