//! What a device may wait for on the way in: told to whoever tries a profile by the key that describes it.

/// What a device may wait for on the way in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asks {
    User,
    Password,
    NewPassword,
    /// A one-time code.
    Code,
    /// The password that must be changed, once more.
    OldPassword,
    /// A question of the profile, by its place.
    Question(usize),
    /// What may be a prompt.
    Prompt,
    /// A line end, before it says anything.
    Wake,
}

impl Asks {
    /// The key of the profile that describes it.
    pub(super) fn key(self) -> String {
        match self {
            Self::User => "[login] user".to_owned(),
            Self::Password | Self::OldPassword => "[login] password".to_owned(),
            Self::NewPassword => "[login] new_password".to_owned(),
            Self::Code => "[login] code".to_owned(),
            Self::Question(place) => format!("[[login.questions]], number {}", place.saturating_add(1)),
            Self::Prompt => "prompt".to_owned(),
            Self::Wake => "[login] wake".to_owned(),
        }
    }
}
