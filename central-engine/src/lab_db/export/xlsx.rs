//! A workbook for Excel: rows go to a temporary file as they come, and from there into the answer.

use std::io::{Read as _, Seek as _};

use jackfield_reporting::table::{Cell, Column, ColumnKind, Row};
use rust_xlsxwriter::{ExcelDateTime, Format, Workbook, Worksheet, XlsxError};
use tokio::sync::mpsc;

use super::{Out, failed, rows};
use crate::{
    lab_db::{
        LabDbError,
        read::View,
        report::{Opened, ReportError},
    },
    limits,
};

/// Rows that a sheet can hold below its line of names; Excel's limit, with a line left for what was left out.
const ROWS_MAX: u32 = 1_048_574;
/// Letters that a cell can hold; Excel's limit.
const CELL_CHARS_MAX: usize = 32_767;
/// Digits of a number that Excel keeps.
const DIGITS_MAX: usize = 15;

pub(super) async fn write(opened: Opened, view: View, out: &Out) -> Result<(), ReportError> {
    let (columns, notices) = (opened.columns.clone(), opened.notices.clone());
    let (rows, ended) = rows(opened, view);
    let file = tokio::task::spawn_blocking(move || book(&columns, rows, notices)).await;
    ended.await.unwrap_or_else(|error| Err(LabDbError::Lost(error.to_string()))).map_err(failed)?;
    let file = file.map_err(|error| failed(LabDbError::Lost(error.to_string())))?;
    let mut file = file.map_err(|error| {
        failed(LabDbError::Unreadable(format!("rows that no workbook can hold ({error})")))
    })?;
    let sender = out.clone();
    let sent = tokio::task::spawn_blocking(move || -> std::io::Result<()> {
        file.rewind()?;
        loop {
            let mut piece = Vec::new();
            let size = u64::try_from(limits::COPY_BYTES).unwrap_or(u64::MAX);
            (&mut file).take(size).read_to_end(&mut piece)?;
            if piece.is_empty() || sender.blocking_send(Ok(piece)).is_err() {
                return Ok(());
            }
        }
    });
    let sent = sent.await.unwrap_or_else(|error| Err(std::io::Error::other(error)));
    sent.map_err(|error| failed(LabDbError::Lost(format!("the workbook cannot be read back: {error}"))))
}

/// Writes all rows; the answer is the file, from which nobody has read.
fn book(
    columns: &[Column],
    mut rows: mpsc::Receiver<Vec<Row>>,
    notices: Vec<String>,
) -> Result<std::fs::File, XlsxError> {
    let mut book = Workbook::new();
    let sheet = book.add_worksheet_with_constant_memory()?;
    let bold = Format::new().set_bold();
    for (at, column) in (0..).zip(columns) {
        sheet.write_with_format(0, at, column.name.as_str(), &bold)?;
    }
    sheet.set_freeze_panes(1, 0)?;
    let mut notices = notices;
    let (mut line, mut is_cut) = (1, false);
    'rows: while let Some(some) = rows.blocking_recv() {
        for row in some {
            if line > ROWS_MAX {
                notices.push(format!(
                    "a sheet holds {ROWS_MAX} rows; the others are left out: export the report as CSV"
                ));
                break 'rows;
            }
            is_cut |= write_row(sheet, line, columns, &row)?;
            line = line.saturating_add(1);
        }
    }
    if is_cut {
        notices
            .push(format!("texts of more than {CELL_CHARS_MAX} letters are cut, since no cell holds more"));
    }
    if !notices.is_empty() {
        sheet.write(line, 0, format!("[{}]", notices.join("; ")))?;
    }
    let mut file = tempfile::tempfile()?;
    book.save_to_writer(&mut file)?;
    Ok(file)
}

/// Whether something of it is cut.
fn write_row(sheet: &mut Worksheet, line: u32, columns: &[Column], row: &Row) -> Result<bool, XlsxError> {
    let mut is_cut = false;
    for ((at, cell), column) in (0..).zip(row).zip(columns) {
        let text = match cell {
            Cell::Null => continue,
            Cell::Number(digits) => match exact_number(cell, digits) {
                Some(number) => {
                    sheet.write_number(line, at, number)?;
                    continue;
                }
                None => digits,
            },
            Cell::Text(text) => text,
        };
        if column.kind == ColumnKind::Date
            && let Ok(instant) = ExcelDateTime::parse_from_str(text)
        {
            let pattern = if text.len() > 10 { "yyyy-mm-dd hh:mm:ss" } else { "yyyy-mm-dd" };
            sheet.write_datetime_with_format(line, at, instant, &Format::new().set_num_format(pattern))?;
            continue;
        }
        if text.chars().count() > CELL_CHARS_MAX {
            is_cut = true;
            sheet.write_string(line, at, text.chars().take(CELL_CHARS_MAX).collect::<String>())?;
        } else {
            sheet.write_string(line, at, text)?;
        }
    }
    Ok(is_cut)
}

/// A number that Excel keeps with all its digits.
fn exact_number(cell: &Cell, digits: &str) -> Option<f64> {
    let count = digits.chars().filter(char::is_ascii_digit).count();
    cell.number().filter(|_| count <= DIGITS_MAX)
}
