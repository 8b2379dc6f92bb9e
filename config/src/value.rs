//! The small grammars inside elements and settings: yes and no, counts, spans of time, sizes, lists.
//!
//! Each reader says what it wants in words that can end the sentence "… is not …".

use std::{collections::BTreeMap, sync::Arc};

use crate::limits::TIMEOUT_MILLIS_MAX;

/// Why a text is not the value it should be: what was expected.
pub(crate) type Expected = &'static str;

/// `true` or `false`, whatever the case.
pub(crate) fn truth(text: &str) -> Result<bool, Expected> {
    match text {
        "true" | "True" | "TRUE" => Ok(true),
        "false" | "False" | "FALSE" => Ok(false),
        _ => Err("true or false"),
    }
}

/// How often something is repeated.
pub(crate) fn count(text: &str) -> Result<u32, Expected> {
    match text.parse() {
        Ok(0) | Err(_) => Err("a whole number from 1"),
        Ok(number) => Ok(number),
    }
}

/// Milliseconds from seconds (`90`, `0.5`), or from a number with its unit (`500ms`, `90s`, `5m`, `2h`, `1d`).
pub(crate) fn span_millis(text: &str) -> Result<u64, Expected> {
    const EXPECTED: Expected = "a time such as 90, 500ms, 5m or 2h";
    let split = text.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(text.len());
    let (number, unit) = text.split_at_checked(split).ok_or(EXPECTED)?;
    let unit_millis: u64 = match unit {
        "ms" => 1,
        "" | "s" => 1000,
        "m" | "min" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return Err(EXPECTED),
    };
    let millis = decimal_times(number.trim_end(), unit_millis).ok_or(EXPECTED)?;
    if millis > TIMEOUT_MILLIS_MAX { Err("a time of at most a year") } else { Ok(millis) }
}

/// Bytes from a plain number, or from a number with its unit (`64KB`, `16MB`, `2GB`; powers of 1024).
pub(crate) fn size_bytes(text: &str) -> Result<u64, Expected> {
    const EXPECTED: Expected = "a size such as 4096, 64KB, 16MB or 2GB";
    let split = text.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(text.len());
    let (number, unit) = text.split_at_checked(split).ok_or(EXPECTED)?;
    let unit_bytes: u64 = match unit.to_ascii_uppercase().as_str() {
        "" | "B" => 1,
        "K" | "KB" | "KIB" => 1 << 10,
        "M" | "MB" | "MIB" => 1 << 20,
        "G" | "GB" | "GIB" => 1 << 30,
        "T" | "TB" | "TIB" => 1 << 40,
        _ => return Err(EXPECTED),
    };
    decimal_times(number.trim_end(), unit_bytes).ok_or(EXPECTED)
}

/// A decimal number times a unit, without floating point: `1.5` hours are exactly 90 minutes.
fn decimal_times(number: &str, unit: u64) -> Option<u64> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || !digits(fraction) {
        return None;
    }
    let fraction = fraction.get(..fraction.len().min(9))?;
    let scale = 10_u64.checked_pow(u32::try_from(fraction.len()).ok()?)?;
    let part = u128::from(fraction.parse::<u64>().ok()?) * u128::from(unit) / u128::from(scale);
    whole.parse::<u64>().ok()?.checked_mul(unit)?.checked_add(u64::try_from(part).ok()?)
}

/// The parts of a list, with their byte offsets in it; empty parts are left out.
pub(crate) fn list_parts(text: &str, separator: char) -> impl Iterator<Item = (usize, &str)> {
    let mut offset = 0_usize;
    text.split(separator).filter_map(move |part| {
        let start = offset.saturating_add(part.len().saturating_sub(part.trim_start().len()));
        offset = offset.saturating_add(part.len()).saturating_add(separator.len_utf8());
        let part = part.trim();
        (!part.is_empty()).then_some((start, part))
    })
}

/// Labels `k=v;k2=v2`; a name alone stands for any value.
pub(crate) fn labels(text: &str) -> Result<BTreeMap<Arc<str>, Arc<str>>, Expected> {
    let mut labels = BTreeMap::new();
    for (_, part) in list_parts(text, ';') {
        let (name, value) = part.split_once('=').unwrap_or((part, ""));
        let name = name.trim();
        if name.is_empty() || labels.insert(name.into(), value.trim().into()).is_some() {
            return Err("a list of labels such as site=cluj;speed=10g, each name once");
        }
    }
    Ok(labels)
}

/// A script argument list: commas separate, `\,` is a comma inside an argument.
pub(crate) fn arguments(text: &str) -> Vec<String> {
    let mut arguments = vec![String::new()];
    let mut rest = text.chars().peekable();
    while let Some(letter) = rest.next() {
        match (letter, rest.peek(), arguments.last_mut()) {
            ('\\', Some(','), Some(last)) => {
                last.push(',');
                rest.next();
            }
            (',', _, _) => arguments.push(String::new()),
            (_, _, Some(last)) => last.push(letter),
            (_, _, None) => {}
        }
    }
    arguments
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_and_sizes() {
        for (text, millis) in [
            ("90", 90_000),
            ("0.5", 500),
            ("1.5h", 5_400_000),
            ("5m", 300_000),
            ("250ms", 250),
            ("10 s", 10_000),
            ("0", 0),
        ] {
            assert_eq!(span_millis(text), Ok(millis), "{text}");
        }
        for bad in ["", "x", "-1", "5 fortnights", "1.2.3", "1e9", ".5", "99999999999999999999", "500d", "١"]
        {
            assert!(span_millis(bad).is_err(), "{bad}");
        }
        assert_eq!(size_bytes("16MB"), Ok(16 << 20));
        assert_eq!(size_bytes("1.5k"), Ok(1536));
        assert!(size_bytes("many").is_err());
    }

    #[test]
    fn lists_keep_places() {
        let parts: Vec<_> = list_parts(" a; b ;;c", ';').collect();
        assert_eq!(parts, [(1, "a"), (4, "b"), (8, "c")]);
        assert_eq!(arguments(r"a,b\,c,,d"), ["a", "b,c", "", "d"]);
        assert_eq!(labels("site=cluj;fast").unwrap().len(), 2);
        assert!(labels("a=1;a=2").is_err());
        assert!(labels("=1").is_err());
    }
}
