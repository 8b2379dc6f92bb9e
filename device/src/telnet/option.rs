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
}

/// Where one side of an option stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    No,
    Yes,
    WantNo,
    WantNoButYes,
    WantYes,
    WantYesButNo,
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
        matches!(self.0, State::Yes | State::WantNo | State::WantNoButYes)
    }

    /// We want it on; the answer says what to send.
    pub(crate) fn ask(&mut self) -> Answer {
        let (next, answer) = match self.0 {
            State::No => (State::WantYes, Answer::Agree),
            State::WantNo => (State::WantNoButYes, Answer::Silent),
            State::WantYesButNo => (State::WantYes, Answer::Silent),
            State::Yes | State::WantYes | State::WantNoButYes => (self.0, Answer::Silent),
        };
        self.0 = next;
        answer
    }

    /// The peer says yes (WILL for its side, DO for ours).
    pub(crate) fn peer_agrees(&mut self, supported: bool) -> Answer {
        let (next, answer) = match self.0 {
            State::No if supported => (State::Yes, Answer::Agree),
            State::No => (State::No, Answer::Refuse),
            State::Yes => (State::Yes, Answer::Silent),
            // A yes where a no was asked for breaks the protocol; RFC 1143 says which end to believe.
            State::WantNo => (State::No, Answer::Silent),
            State::WantNoButYes => (State::Yes, Answer::Silent),
            State::WantYes => (State::Yes, Answer::Silent),
            State::WantYesButNo => (State::WantNo, Answer::Refuse),
        };
        self.0 = next;
        answer
    }

    /// The peer says no (WONT for its side, DONT for ours).
    pub(crate) fn peer_refuses(&mut self) -> Answer {
        let (next, answer) = match self.0 {
            State::Yes => (State::No, Answer::Refuse),
            State::WantNoButYes => (State::WantYes, Answer::Agree),
            State::No | State::WantNo | State::WantYes | State::WantYesButNo => (State::No, Answer::Silent),
        };
        self.0 = next;
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
