//! Which library speaks SSH with a kind of device.

/// A library that speaks SSH.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SshBackend {
    /// The usual one.
    #[default]
    Russh,
    /// The one that knows what is even older.
    Libssh2,
}

impl SshBackend {
    /// What each is called.
    pub const NAMES: [(&str, Self); 2] = [("russh", Self::Russh), ("libssh2", Self::Libssh2)];
}
