//! A value of the lab's database, as reports and inserts want it. PostgreSQL writes its values itself: it knows best how.

use sqlx::{Column as _, Row as _, TypeInfo as _, ValueRef as _, mysql::MySqlRow, sqlite::SqliteRow};

use jackfield_reporting::table::Cell;

use super::LabDbError;

/// Text where the bytes are one, else their hexadecimal digits.
fn of_bytes(bytes: Vec<u8>) -> Cell {
    let is_control = |c: char| c.is_control() && !matches!(c, '\n' | '\r' | '\t' | '\u{1b}');
    match String::from_utf8(bytes) {
        Ok(text) if !text.contains(is_control) => Cell::Text(text),
        Ok(text) => Cell::Text(hex(text.as_bytes())),
        Err(error) => Cell::Text(hex(error.as_bytes())),
    }
}

fn hex(bytes: &[u8]) -> String {
    let mut text = String::from("\\x");
    for byte in bytes {
        text.push_str(&format!("{byte:02x}"));
    }
    text
}

/// A value of a row of SQLite.
pub(super) fn sqlite(row: &SqliteRow, at: usize) -> Result<Cell, LabDbError> {
    let value = row.try_get_raw(at)?;
    if value.is_null() {
        return Ok(Cell::Null);
    }
    Ok(match value.type_info().name() {
        "INTEGER" => Cell::Number(row.try_get_unchecked::<i64, _>(at)?.to_string()),
        "REAL" => Cell::Number(float(row.try_get_unchecked::<f64, _>(at)?)),
        // Nothing keeps a program from storing a text that is none.
        "TEXT" => Cell::Text(
            String::from_utf8(row.try_get_unchecked::<Vec<u8>, _>(at)?)
                .unwrap_or_else(|error| hex(error.as_bytes())),
        ),
        _ => of_bytes(row.try_get_unchecked::<Vec<u8>, _>(at)?),
    })
}

/// The shortest digits that are this number and no other.
fn float(number: f64) -> String {
    let text = number.to_string();
    if text.len() > 24 { format!("{number:e}") } else { text }
}

/// A value of a row of MySQL. Prepared queries answer in binary: numbers and times are written here, all else comes as it is written.
pub(super) fn mysql(row: &MySqlRow, at: usize) -> Result<Cell, LabDbError> {
    let value = row.try_get_raw(at)?;
    if value.is_null() {
        return Ok(Cell::Null);
    }
    let kind = row.columns().get(at).map_or("", |column| column.type_info().name()).to_owned();
    Ok(if kind == "BOOLEAN" || (kind.contains("INT") && !kind.ends_with("UNSIGNED")) {
        Cell::Number(row.try_get_unchecked::<i64, _>(at)?.to_string())
    } else if kind.contains("INT") || kind == "YEAR" || kind == "BIT" {
        Cell::Number(row.try_get_unchecked::<u64, _>(at)?.to_string())
    } else if kind == "FLOAT" {
        Cell::Number(row.try_get_unchecked::<f32, _>(at)?.to_string())
    } else if kind == "DOUBLE" {
        Cell::Number(float(row.try_get_unchecked::<f64, _>(at)?))
    } else if kind == "DECIMAL" {
        let digits = String::from_utf8(row.try_get_unchecked::<Vec<u8>, _>(at)?);
        Cell::Number(digits.map_err(|_not_text| LabDbError::Unreadable("a DECIMAL".to_owned()))?)
    } else if matches!(kind.as_str(), "DATE" | "DATETIME" | "TIMESTAMP" | "TIME") {
        Cell::Text(time(&kind, &row.try_get_unchecked::<Vec<u8>, _>(at)?))
    } else {
        of_bytes(row.try_get_unchecked::<Vec<u8>, _>(at)?)
    })
}

/// A time of MySQL's binary protocol as MySQL writes it. Behind their number stand the bytes: of TIME a sign, days, hours, minutes, seconds; of
/// the others year, month, day, hours, minutes, seconds; then microseconds. What is 0 at the end is left out.
fn time(kind: &str, bytes: &[u8]) -> String {
    let mut parts = [0_u8; 13];
    for (part, byte) in parts.iter_mut().zip(bytes) {
        *part = *byte;
    }
    let fraction = |micros: [u8; 4]| match u32::from_le_bytes(micros) {
        0 => String::new(),
        micros => format!(".{micros:06}"),
    };
    if kind == "TIME" {
        let [_, sign, d0, d1, d2, d3, hour, minute, second, micros @ ..] = parts;
        let hours =
            u64::from(u32::from_le_bytes([d0, d1, d2, d3])).saturating_mul(24).saturating_add(hour.into());
        let sign = if sign == 1 { "-" } else { "" };
        return format!("{sign}{hours:02}:{minute:02}:{second:02}{}", fraction(micros));
    }
    let [_, y0, y1, month, day, hour, minute, second, m0, m1, m2, m3, _] = parts;
    let date = format!("{:04}-{month:02}-{day:02}", u16::from_le_bytes([y0, y1]));
    if kind == "DATE" {
        return date;
    }
    format!("{date} {hour:02}:{minute:02}:{second:02}{}", fraction([m0, m1, m2, m3]))
}

#[cfg(test)]
mod tests {
    use super::time;

    #[test]
    fn times_of_the_binary_protocol_are_written_as_mysql_writes_them() {
        for (kind, bytes, text) in [
            ("DATE", &[4, 0xea, 7, 11, 30][..], "2026-11-30"),
            ("DATETIME", &[0], "0000-00-00 00:00:00"),
            ("TIMESTAMP", &[7, 0xea, 7, 11, 30, 3, 4, 5], "2026-11-30 03:04:05"),
            ("DATETIME", &[11, 0xea, 7, 11, 30, 3, 4, 5, 1, 0, 0, 0], "2026-11-30 03:04:05.000001"),
            ("TIME", &[8, 1, 1, 0, 0, 0, 2, 3, 4], "-26:03:04"),
            ("TIME", &[12, 0, 0, 0, 0, 0, 2, 3, 4, 0x20, 0xa1, 7, 0], "02:03:04.500000"),
        ] {
            assert_eq!(time(kind, bytes), text, "{kind} {bytes:?}");
        }
    }
}
