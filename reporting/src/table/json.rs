//! Values as JSON: a number is one where every reader gets it whole, else a text with all its digits.

use serde_json::Value;

use super::Cell;

/// Larger whole numbers are not whole in JavaScript.
const WHOLE_MAX: i64 = 1 << 53;

fn value(cell: &Cell) -> Value {
    match cell {
        Cell::Null => Value::Null,
        Cell::Text(text) => Value::String(text.clone()),
        Cell::Number(digits) => number(digits).unwrap_or_else(|| Value::String(digits.clone())),
    }
}

/// A row, in the order of its columns.
pub fn row(cells: &[Cell]) -> Value {
    Value::Array(cells.iter().map(value).collect())
}

fn number(digits: &str) -> Option<Value> {
    if let Ok(whole) = digits.parse::<i64>() {
        let is_whole = (-WHOLE_MAX..=WHOLE_MAX).contains(&whole) && whole.to_string() == digits;
        return is_whole.then(|| Value::from(whole));
    }
    let float: f64 = digits.parse().ok()?;
    // `1.50` has a digit that a number has not.
    let is_same = float.is_finite() && float.to_string() == digits;
    is_same.then(|| Value::from(float))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_digit_of_a_number_is_lost() {
        for (digits, json) in [
            ("7", "7"),
            ("-9007199254740992", "-9007199254740992"),
            ("9007199254740993", "\"9007199254740993\""),
            ("18446744073709551615", "\"18446744073709551615\""),
            ("1.5", "1.5"),
            ("1.50", "\"1.50\""),
            ("12345678901234567890.123", "\"12345678901234567890.123\""),
            ("NaN", "\"NaN\""),
            ("007", "\"007\""),
        ] {
            assert_eq!(value(&Cell::Number(digits.to_owned())).to_string(), json);
        }
    }
}
