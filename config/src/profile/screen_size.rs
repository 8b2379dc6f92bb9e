//! The size of a terminal's screen, as people write it: `80x24`.

use std::str::FromStr;

/// Columns of a screen.
const COLUMNS_MAX: u16 = 1000;
/// Rows of a screen.
const ROWS_MAX: u16 = 500;

/// Characters in a line, and lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ScreenSize {
    /// Characters in a line.
    pub columns: u16,
    /// Lines.
    pub rows: u16,
}

impl Default for ScreenSize {
    /// The one that every full-screen program was written for.
    fn default() -> Self {
        Self { columns: 80, rows: 24 }
    }
}

/// A text that is no size.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("write columns and rows, like 80x24, at most {COLUMNS_MAX}x{ROWS_MAX}")]
pub struct ScreenSizeError;

impl ScreenSize {
    /// A size in numbers.
    ///
    /// # Errors
    /// There is no such screen, or none so large.
    pub fn new(columns: u16, rows: u16) -> Result<Self, ScreenSizeError> {
        let fits = (1..=COLUMNS_MAX).contains(&columns) && (1..=ROWS_MAX).contains(&rows);
        if fits { Ok(Self { columns, rows }) } else { Err(ScreenSizeError) }
    }
}

impl FromStr for ScreenSize {
    type Err = ScreenSizeError;

    fn from_str(text: &str) -> Result<Self, ScreenSizeError> {
        let (columns, rows) = text.split_once(['x', 'X']).ok_or(ScreenSizeError)?;
        let number = |text: &str| text.trim().parse().ok();
        Self::new(number(columns).ok_or(ScreenSizeError)?, number(rows).ok_or(ScreenSizeError)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read() {
        assert_eq!("132 x 50".parse(), Ok(ScreenSize { columns: 132, rows: 50 }));
        for wrong in ["", "80", "x24", "0x24", "80x501", "80x24x2", "-1x2"] {
            assert_eq!(wrong.parse::<ScreenSize>(), Err(ScreenSizeError), "{wrong}");
        }
    }
}
