//! Numbers with units, as devices write them: `1.5 GB`, `20ms`, `1,234 packets`, `-7.2 dBm`.

use std::cmp::Ordering;

/// A number in the base unit of its dimension.
#[derive(Clone, Debug, PartialEq)]
pub struct Quantity {
    value: f64,
    dimension: String,
}

/// Why a text is no number to compare.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum QuantityError {
    /// No number at its start.
    #[error("`{0}` is not a number")]
    NotANumber(String),
    /// Milliseconds against megabytes.
    #[error("`{0}` and `{1}` are not the same kind of thing")]
    Dimension(String, String),
}

/// What of a number is lost when it goes from one unit to another: 15 us are 0.000015 s, though not to the last bit.
const PRECISION: f64 = 1e-12;

/// Units by what they measure, with their size in the base unit.
const UNITS: [(&str, &[(&str, f64)]); 6] = [
    (
        "time",
        &[
            ("ns", 1e-9),
            ("us", 1e-6),
            ("µs", 1e-6),
            ("usec", 1e-6),
            ("ms", 1e-3),
            ("msec", 1e-3),
            ("s", 1.0),
            ("sec", 1.0),
            ("secs", 1.0),
            ("second", 1.0),
            ("seconds", 1.0),
            ("min", 60.0),
            ("mins", 60.0),
            ("minute", 60.0),
            ("minutes", 60.0),
            ("h", 3600.0),
            ("hour", 3600.0),
            ("hours", 3600.0),
            ("d", 86_400.0),
            ("day", 86_400.0),
            ("days", 86_400.0),
        ],
    ),
    (
        "bytes",
        &[
            ("B", 1.0),
            ("byte", 1.0),
            ("bytes", 1.0),
            ("kB", 1e3),
            ("KB", 1e3),
            ("MB", 1e6),
            ("GB", 1e9),
            ("TB", 1e12),
            ("KiB", 1024.0),
            ("MiB", 1_048_576.0),
            ("GiB", 1_073_741_824.0),
            ("TiB", 1_099_511_627_776.0),
        ],
    ),
    (
        "bits per second",
        &[
            ("bps", 1.0),
            ("bit/s", 1.0),
            ("bits/s", 1.0),
            ("bits/sec", 1.0),
            ("kbps", 1e3),
            ("Kbps", 1e3),
            ("kbit/s", 1e3),
            ("Kbit/s", 1e3),
            ("Mbps", 1e6),
            ("Mbit/s", 1e6),
            ("Gbps", 1e9),
            ("Gbit/s", 1e9),
            ("B/s", 8.0),
            ("kB/s", 8e3),
            ("KB/s", 8e3),
            ("MB/s", 8e6),
            ("GB/s", 8e9),
        ],
    ),
    ("frequency", &[("Hz", 1.0), ("kHz", 1e3), ("MHz", 1e6), ("GHz", 1e9)]),
    ("voltage", &[("mV", 1e-3), ("V", 1.0), ("kV", 1e3)]),
    ("power", &[("mW", 1e-3), ("W", 1.0), ("kW", 1e3)]),
];

impl Quantity {
    /// Reads a number and its unit; commas and spaces between groups of three digits are fine.
    ///
    /// # Errors
    /// The text does not begin with a number.
    pub fn parse(text: &str) -> Result<Self, QuantityError> {
        let text = text.trim();
        let not_a_number = || QuantityError::NotANumber(text.chars().take(80).collect());
        let (number, unit) = split_number(text).ok_or_else(not_a_number)?;
        let value: f64 =
            number.parse().ok().filter(|value: &f64| value.is_finite()).ok_or_else(not_a_number)?;
        let unit = unit.trim();
        // Another kind of unit (packets, %, dBm) is compared with itself only.
        let known = UNITS.iter().find_map(|(dimension, units)| {
            let (_, size) = units.iter().find(|(name, _)| *name == unit)?;
            Some((value * size, (*dimension).to_owned()))
        });
        let (value, dimension) = known.unwrap_or((value, unit.to_owned()));
        Ok(Self { value, dimension })
    }

    /// Compares with another; a number without unit is taken to have the other's own.
    ///
    /// # Errors
    /// They measure different things.
    pub fn compare(&self, other: &Self) -> Result<Ordering, QuantityError> {
        if self.dimension != other.dimension {
            return Err(QuantityError::Dimension(self.dimension.clone(), other.dimension.clone()));
        }
        let far = self.value.abs().max(other.value.abs()) * PRECISION;
        if (self.value - other.value).abs() <= far {
            return Ok(Ordering::Equal);
        }
        Ok(self.value.total_cmp(&other.value))
    }
}

/// Compares two texts as numbers. Where one has no unit it is read in the unit of the other.
///
/// # Errors
/// One is no number, or they measure different things.
pub fn compare(value: &str, limit: &str) -> Result<Ordering, QuantityError> {
    let unit_of =
        |text: &str| split_number(text.trim()).map(|(_, unit)| unit.trim().to_owned()).unwrap_or_default();
    let (left, right) = (unit_of(value), unit_of(limit));
    let with_unit = |text: &str, own: &str, other: &str| {
        if own.is_empty() { format!("{} {other}", text.trim()) } else { text.to_owned() }
    };
    let value = Quantity::parse(&with_unit(value, &left, &right))?;
    let limit = Quantity::parse(&with_unit(limit, &right, &left))?;
    value.compare(&limit)
}

/// Whether a text is a number and nothing else.
pub fn is_bare(text: &str) -> bool {
    split_number(text.trim()).is_some_and(|(_, unit)| unit.trim().is_empty())
}

/// The number at the start of a text, without the commas in it, and what follows.
fn split_number(text: &str) -> Option<(String, &str)> {
    let mut number = String::new();
    let mut rest = text;
    let mut chars = text.char_indices().peekable();
    while let Some((at, letter)) = chars.next() {
        let next_is_digit = chars.peek().is_some_and(|(_, next)| next.is_ascii_digit());
        match letter {
            '0'..='9' => number.push(letter),
            '+' | '-' if number.is_empty() && next_is_digit => number.push(letter),
            '.' if next_is_digit && !number.contains('.') => number.push(letter),
            ',' if next_is_digit && !number.is_empty() && !number.contains('.') => {}
            _ => {
                rest = text.get(at..).unwrap_or_default();
                if let Some((exponent, unit)) = exponent(rest).filter(|_| !number.is_empty()) {
                    return Some((number + exponent, unit));
                }
                return number.ends_with(|c: char| c.is_ascii_digit()).then_some((number, rest));
            }
        }
        rest = "";
    }
    number.ends_with(|c: char| c.is_ascii_digit()).then_some((number, rest))
}

/// `e-05` at the start of what follows a number, as programs write very small and very large ones, and what follows that.
fn exponent(text: &str) -> Option<(&str, &str)> {
    let digits = text.strip_prefix(['e', 'E'])?;
    let digits = digits.strip_prefix(['+', '-']).unwrap_or(digits);
    let unit = digits.trim_start_matches(|letter: char| letter.is_ascii_digit());
    let is_exponent = unit.len() < digits.len() && !unit.starts_with(|letter: char| letter.is_alphanumeric());
    is_exponent.then(|| text.split_at_checked(text.len().saturating_sub(unit.len())))?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_with_units_compare_by_what_they_are() {
        for (value, limit, expect) in [
            ("20 ms", "0.02s", Ok(Ordering::Equal)),
            ("1,234 packets", "1000", Ok(Ordering::Greater)),
            ("1.5 GB", "1 GiB", Ok(Ordering::Greater)),
            ("-7.2 dBm", "-8 dBm", Ok(Ordering::Greater)),
            ("15", "20 ms", Ok(Ordering::Less)),
            ("99.5%", "99 %", Ok(Ordering::Greater)),
            ("1000 Mbps", "1Gbit/s", Ok(Ordering::Equal)),
            ("3", "3.0", Ok(Ordering::Equal)),
            ("1.5e-05 s", "15 us", Ok(Ordering::Equal)),
            ("2E3", "2,000", Ok(Ordering::Equal)),
        ] {
            assert_eq!(compare(value, limit), expect, "{value} and {limit}");
        }
        for (value, limit) in [("20 ms", "3 MB"), ("up", "3"), ("", "3"), ("1e5000", "x")] {
            assert!(compare(value, limit).is_err(), "{value} and {limit}");
        }
    }
}
