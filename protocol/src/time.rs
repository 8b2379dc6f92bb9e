//! Instants and spans as they travel: milliseconds inside, RFC 3339 text in JSON.
//!
//! An instant that no calendar has (a clock that is wrong by thousands of years, a limit that never comes) is written as
//! its milliseconds, so that whatever can be held can be written and read.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// An instant in UTC, in milliseconds since 1970. In JSON: `"2026-11-20T23:53:00.123Z"`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(value_type = String, format = DateTime))]
pub struct Time(pub i64);

/// Ends the text of an instant that no calendar has.
const BEYOND: &str = " ms since 1970";

/// A text that is no RFC 3339 instant.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is not an instant such as 2026-11-20T23:53:00.123Z")]
pub struct TimeError(String);

impl Time {
    /// This instant moved by so many milliseconds, held inside the range of the type.
    #[must_use]
    pub fn plus_millis(self, millis: u64) -> Self {
        Self(self.0.saturating_add_unsigned(millis))
    }

    /// Milliseconds from `earlier` to this instant; 0 where `earlier` is later (clocks jump).
    pub fn millis_since(self, earlier: Self) -> u64 {
        u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0)
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_millisecond(self.0) {
            Ok(instant) => write!(f, "{instant:.3}"),
            Err(_) => write!(f, "{}{BEYOND}", self.0),
        }
    }
}

impl FromStr for Time {
    type Err = TimeError;
    fn from_str(text: &str) -> Result<Self, TimeError> {
        if let Some(millis) = text.strip_suffix(BEYOND).and_then(|millis| millis.parse().ok()) {
            return Ok(Self(millis));
        }
        let instant: jiff::Timestamp = text.parse().ok().ok_or_else(|| TimeError(text.to_owned()))?;
        Ok(Self(instant.as_millisecond()))
    }
}

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instant_reads_as_it_is_written() {
        for (millis, text) in
            [(0, "1970-01-01T00:00:00.000Z"), (1_795_219_980_123, "2026-11-21T00:13:00.123Z")]
        {
            assert_eq!(Time(millis).to_string(), text);
            assert_eq!(text.parse::<Time>().unwrap(), Time(millis));
        }
    }

    #[test]
    fn an_instant_that_no_calendar_has_reads_as_it_is_written() {
        for time in [Time(i64::MIN), Time(i64::MAX)] {
            assert_eq!(time.to_string().parse::<Time>().unwrap(), time);
        }
        assert!("soon ms since 1970".parse::<Time>().is_err());
    }

    #[test]
    fn a_clock_that_jumps_back_gives_no_negative_span() {
        assert_eq!(Time(5).millis_since(Time(9)), 0);
    }
}
