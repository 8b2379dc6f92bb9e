//! A serial line: speed, framing and flow control, and what can be done to it while it is in use.

use std::{fmt, str::FromStr, time::Duration};

/// How a line is set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line {
    /// Bits in a second.
    pub speed: u32,
    /// How a byte is framed.
    pub framing: Framing,
    /// Who may stop whom.
    pub flow: Flow,
}

impl Default for Line {
    /// What most consoles speak.
    fn default() -> Self {
        Self { speed: 9600, framing: Framing::default(), flow: Flow::None }
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.speed, self.framing)
    }
}

/// How a byte is framed: `8N1`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Framing {
    /// 5 to 8.
    pub data_bits: u8,
    /// The bit after them.
    pub parity: Parity,
    /// 1 or 2.
    pub stop_bits: u8,
}

impl Default for Framing {
    fn default() -> Self {
        Self { data_bits: 8, parity: Parity::None, stop_bits: 1 }
    }
}

/// The bit that guards a byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parity {
    /// There is none.
    None,
    /// It makes the number of ones odd.
    Odd,
    /// It makes the number of ones even.
    Even,
    /// It is always one.
    Mark,
    /// It is always zero.
    Space,
}

/// Who may stop whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flow {
    /// Nobody.
    None,
    /// Wires: RTS and CTS.
    Hardware,
    /// Characters: XON and XOFF.
    Software,
}

/// A word that is no framing or no flow control.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LineError {
    /// No framing.
    #[error("write data bits, parity and stop bits, like 8N1 or 7E2")]
    Framing,
    /// No flow control.
    #[error("use none, hardware or software")]
    Flow,
}

impl FromStr for Framing {
    type Err = LineError;

    fn from_str(text: &str) -> Result<Self, LineError> {
        let mut letters = text.trim().chars();
        let (data, parity, stop) = (letters.next(), letters.next(), letters.next());
        let data_bits = match data {
            Some('5') => 5,
            Some('6') => 6,
            Some('7') => 7,
            Some('8') => 8,
            _ => return Err(LineError::Framing),
        };
        let parity = match parity.map(|letter| letter.to_ascii_uppercase()) {
            Some('N') => Parity::None,
            Some('O') => Parity::Odd,
            Some('E') => Parity::Even,
            Some('M') => Parity::Mark,
            Some('S') => Parity::Space,
            _ => return Err(LineError::Framing),
        };
        let stop_bits = match (stop, letters.next()) {
            (Some('1'), None) => 1,
            (Some('2'), None) => 2,
            _ => return Err(LineError::Framing),
        };
        Ok(Self { data_bits, parity, stop_bits })
    }
}

impl fmt::Display for Framing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parity = match self.parity {
            Parity::None => 'N',
            Parity::Odd => 'O',
            Parity::Even => 'E',
            Parity::Mark => 'M',
            Parity::Space => 'S',
        };
        write!(f, "{}{parity}{}", self.data_bits, self.stop_bits)
    }
}

impl FromStr for Flow {
    type Err = LineError;

    fn from_str(text: &str) -> Result<Self, LineError> {
        match text.trim().to_ascii_lowercase().as_str() {
            "none" | "off" => Ok(Self::None),
            "hardware" | "rtscts" | "rts/cts" => Ok(Self::Hardware),
            "software" | "xonxoff" | "xon/xoff" => Ok(Self::Software),
            _ => Err(LineError::Flow),
        }
    }
}

/// The modem lines that the other end sets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ModemLines {
    /// It lets us send.
    pub cts: bool,
    /// It is there.
    pub dsr: bool,
    /// It rings.
    pub ri: bool,
    /// It hears a carrier.
    pub cd: bool,
}

/// What can be done to a line in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LineOrder {
    /// Sets it anew, as far as something is said.
    Set {
        /// Bits in a second.
        speed: Option<u32>,
        /// How a byte is framed.
        framing: Option<Framing>,
        /// Who may stop whom.
        flow: Option<Flow>,
    },
    /// Holds the line down for so long, which consoles take for "attention".
    Break(Duration),
    /// Sets the line that says we are there.
    Dtr(bool),
    /// Sets the line that says we would send.
    Rts(bool),
    /// Forgets what waits in both directions.
    Purge,
}

impl LineOrder {
    /// The line as it is after a `Set`; others leave it as it was.
    #[must_use]
    pub fn applied_to(self, line: Line) -> Line {
        match self {
            Self::Set { speed, framing, flow } => Line {
                speed: speed.unwrap_or(line.speed),
                framing: framing.unwrap_or(line.framing),
                flow: flow.unwrap_or(line.flow),
            },
            Self::Break(_) | Self::Dtr(_) | Self::Rts(_) | Self::Purge => line,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn framing_is_read_as_people_write_it() {
        for (text, written) in
            [("8N1", "8N1"), ("7e2", "7E2"), (" 5O1 ", "5O1"), ("8m1", "8M1"), ("6S2", "6S2")]
        {
            assert_eq!(text.parse::<Framing>().unwrap().to_string(), written);
        }
        for text in ["", "8N", "9N1", "8X1", "8N3", "8N1x"] {
            assert_eq!(text.parse::<Framing>(), Err(LineError::Framing), "{text}");
        }
    }

    #[test]
    fn what_is_not_said_stays() {
        let order = LineOrder::Set { speed: Some(115_200), framing: None, flow: None };
        assert_eq!(order.applied_to(Line::default()).to_string(), "115200 8N1");
        assert_eq!(LineOrder::Purge.applied_to(Line::default()), Line::default());
    }
}
