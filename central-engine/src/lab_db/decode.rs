//! A value of the lab's database as text.

use sqlx::{Column as _, Row as _, TypeInfo as _, ValueRef as _, mysql::MySqlRow, sqlite::SqliteRow};

use super::LabDbError;

/// The first column of a row of SQLite; none where it is NULL.
pub(super) fn sqlite(row: &SqliteRow) -> Result<Option<String>, LabDbError> {
    let value = row.try_get_raw(0)?;
    if value.is_null() {
        return Ok(None);
    }
    Ok(Some(match value.type_info().name() {
        "INTEGER" => row.try_get_unchecked::<i64, _>(0)?.to_string(),
        "REAL" => row.try_get_unchecked::<f64, _>(0)?.to_string(),
        _ => row.try_get_unchecked::<String, _>(0)?,
    }))
}

/// The first column of a row of MySQL; none where it is NULL. Prepared queries answer in binary: numbers and times are written here, all
/// else comes as it is written.
pub(super) fn mysql(row: &MySqlRow) -> Result<Option<String>, LabDbError> {
    let value = row.try_get_raw(0)?;
    if value.is_null() {
        return Ok(None);
    }
    let kind = row.columns().first().map_or("", |column| column.type_info().name());
    let kind = kind.to_owned();
    let text = if kind == "BOOLEAN" || (kind.contains("INT") && !kind.ends_with("UNSIGNED")) {
        row.try_get_unchecked::<i64, _>(0)?.to_string()
    } else if kind.contains("INT") || kind == "YEAR" || kind == "BIT" {
        row.try_get_unchecked::<u64, _>(0)?.to_string()
    } else if kind == "FLOAT" {
        row.try_get_unchecked::<f32, _>(0)?.to_string()
    } else if kind == "DOUBLE" {
        row.try_get_unchecked::<f64, _>(0)?.to_string()
    } else if matches!(kind.as_str(), "DATE" | "DATETIME" | "TIMESTAMP" | "TIME") {
        time(&kind, &row.try_get_unchecked::<Vec<u8>, _>(0)?)
    } else {
        let bytes = row.try_get_unchecked::<Vec<u8>, _>(0)?;
        String::from_utf8(bytes).map_err(|_not_text| LabDbError::Unreadable(format!("a {kind}")))?
    };
    Ok(Some(text))
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
