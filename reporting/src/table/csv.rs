//! CSV (RFC 4180), UTF-8. NULL is nothing at all; an empty text is a pair of quotes, so that both can be told apart.

use super::Cell;

/// Adds a line to a buffer.
pub fn write_row<'c>(out: &mut Vec<u8>, cells: impl IntoIterator<Item = &'c Cell>) {
    for (number, cell) in cells.into_iter().enumerate() {
        if number > 0 {
            out.push(b',');
        }
        match cell {
            Cell::Null => {}
            Cell::Number(digits) => out.extend_from_slice(digits.as_bytes()),
            Cell::Text(text) => write_text(out, text),
        }
    }
    out.extend_from_slice(b"\r\n");
}

fn write_text(out: &mut Vec<u8>, text: &str) {
    let needs_quotes = text.is_empty()
        || text.starts_with(' ')
        || text.ends_with(' ')
        || text.bytes().any(|byte| matches!(byte, b',' | b'"' | b'\n' | b'\r'));
    if !needs_quotes {
        out.extend_from_slice(text.as_bytes());
        return;
    }
    out.push(b'"');
    for (number, part) in text.split('"').enumerate() {
        if number > 0 {
            out.extend_from_slice(b"\"\"");
        }
        out.extend_from_slice(part.as_bytes());
    }
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_table_needs_is_quoted_and_nothing_else() {
        let row = [
            Cell::Null,
            Cell::Text(String::new()),
            Cell::Number("18446744073709551615".into()),
            Cell::Text("plain".into()),
            Cell::Text("a,b".into()),
            Cell::Text("say \"yes\"".into()),
            Cell::Text("two\nlines".into()),
            Cell::Text(" blank".into()),
            Cell::Text("=1+1".into()),
        ];
        let mut out = Vec::new();
        write_row(&mut out, &row);
        let text = String::from_utf8(out).unwrap();
        assert_eq!(
            text,
            ",\"\",18446744073709551615,plain,\"a,b\",\"say \"\"yes\"\"\",\"two\nlines\",\" blank\",=1+1\r\n"
        );
    }
}
