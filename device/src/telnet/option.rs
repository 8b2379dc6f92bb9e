//! Telnet options by the Q method of RFC 1143: no side answers what it already agreed to, so negotiation always ends.

/// An option's number.
pub mod code {
    /// Data are eight bits wide (RFC 856).
    pub const BINARY: u8 = 0;
    /// The peer echoes (RFC 857).
    pub const ECHO: u8 = 1;
    /// No go-ahead (RFC 858).
    pub const SGA: u8 = 3;
    /// Terminal type (RFC 1091).
    pub const TTYPE: u8 = 24;
    /// Window size (RFC 1073).
    pub const NAWS: u8 = 31;
    /// Environment (RFC 1572).
    pub const NEW_ENVIRON: u8 = 39;
    /// A serial line (RFC 2217).
    pub const COM_PORT: u8 = 44;
}

/// Where one side of an option stands. We ask for things to be on, never for them to be off again, so of RFC 1143's six states
/// those of a withdrawn wish do not occur.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    No,
    Yes,
    WantYes,
}

/// What is to be done about a side of an option.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// Say yes (DO or WILL).
    Agree,
    /// Say no (DONT or WONT).
    Refuse,
    /// Say nothing.
    Silent,
}

/// One side of one option: ours (we WILL) or the peer's (we want it to: DO).
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Side(State);

impl Side {
    /// Whether it is in use.
    pub(crate) fn is_on(self) -> bool {
        self.0 == State::Yes
    }

    /// Whether it is neither in use nor asked for.
    pub(crate) fn is_off(self) -> bool {
        self.0 == State::No
    }

    /// We want it on; the answer says what to send.
    pub(crate) fn ask(&mut self) -> Answer {
        match self.0 {
            State::No => {
                self.0 = State::WantYes;
                Answer::Agree
            }
            State::Yes | State::WantYes => Answer::Silent,
        }
    }

    /// The peer says yes (WILL for its side, DO for ours).
    pub(crate) fn peer_agrees(&mut self, supported: bool) -> Answer {
        let (next, answer) = match self.0 {
            State::No if supported => (State::Yes, Answer::Agree),
            State::No => (State::No, Answer::Refuse),
            State::Yes | State::WantYes => (State::Yes, Answer::Silent),
        };
        self.0 = next;
        answer
    }

    /// The peer says no (WONT for its side, DONT for ours).
    pub(crate) fn peer_refuses(&mut self) -> Answer {
        let answer = match self.0 {
            State::Yes => Answer::Refuse,
            State::No | State::WantYes => Answer::Silent,
        };
        self.0 = State::No;
        answer
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repeated_request_is_answered_once() {
        let mut side = Side::default();
        assert_eq!(side.peer_agrees(true), Answer::Agree);
        for _ in 0..5 {
            assert_eq!(side.peer_agrees(true), Answer::Silent);
        }
        assert!(side.is_on());
        assert_eq!(side.peer_refuses(), Answer::Refuse);
        assert_eq!(side.peer_refuses(), Answer::Silent);
    }

    #[test]
    fn what_is_not_supported_is_refused_each_time_and_stays_off() {
        let mut side = Side::default();
        assert_eq!(side.peer_agrees(false), Answer::Refuse);
        assert_eq!(side.peer_agrees(false), Answer::Refuse);
        assert!(!side.is_on());
    }

    #[test]
    fn an_agreement_to_our_own_wish_is_not_answered() {
        let mut side = Side::default();
        assert_eq!(side.ask(), Answer::Agree);
        assert_eq!(side.ask(), Answer::Silent);
        assert_eq!(side.peer_agrees(true), Answer::Silent);
        assert!(side.is_on());
    }
}
