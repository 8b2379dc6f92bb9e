//! A whole report as CSV, JSON or a workbook for Excel, in pieces as the rows come: memory stays flat however many there are.

mod xlsx;

use jackfield_reporting::table::{Column, Row, csv_row, json_row};
use serde_json::json;
use tokio::sync::mpsc;

use super::{
    LabDbError,
    read::View,
    report::{Opened, ReportError, Source},
};

/// Pieces that wait for whoever takes them; a slow reader holds up the database.
const PIECES_WAITING_MAX: usize = 4;

/// What a report becomes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Comma-separated values, with a line of names.
    Csv,
    /// `{"columns": […], "rows": […], "notices": […]}`.
    Json,
    /// An Excel workbook.
    Xlsx,
}

impl Format {
    /// By the ending of a file.
    pub fn of_ending(ending: &str) -> Option<Self> {
        match ending {
            "csv" => Some(Self::Csv),
            "json" => Some(Self::Json),
            "xlsx" => Some(Self::Xlsx),
            _ => None,
        }
    }

    /// For browsers.
    pub fn content_type(self) -> &'static str {
        match self {
            Self::Csv => "text/csv; charset=utf-8",
            Self::Json => "application/json",
            Self::Xlsx => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        }
    }
}

/// The pieces of the document, in order. An error ends them: what came before is then not all of it.
pub fn pieces(opened: Opened, view: View, format: Format) -> mpsc::Receiver<Result<Vec<u8>, ReportError>> {
    let (out, pieces) = mpsc::channel(PIECES_WAITING_MAX);
    tokio::spawn(async move {
        let written = match format {
            Format::Csv => csv(opened, view, &out).await,
            Format::Json => text(opened, view, &out, Json { is_first: true }).await,
            Format::Xlsx => xlsx::write(opened, view, &out).await,
        };
        if let Err(error) = written {
            // Nobody who listens is told.
            drop(out.send(Err(error)).await);
        }
    });
    pieces
}

type Out = mpsc::Sender<Result<Vec<u8>, ReportError>>;

/// How rows become text.
trait Writer {
    fn head(&mut self, columns: &[Column]) -> Vec<u8>;
    fn rows(&mut self, rows: &[Row]) -> Vec<u8>;
    fn foot(&mut self, notices: &[String]) -> Vec<u8>;
}

struct Csv;

impl Writer for Csv {
    fn head(&mut self, columns: &[Column]) -> Vec<u8> {
        let mut out = Vec::new();
        let name = |column: &Column| jackfield_reporting::table::Cell::Text(column.name.clone());
        csv_row(&mut out, &columns.iter().map(name).collect::<Vec<_>>());
        out
    }

    fn rows(&mut self, rows: &[Row]) -> Vec<u8> {
        let mut out = Vec::with_capacity(rows.len().saturating_mul(64));
        rows.iter().for_each(|row| csv_row(&mut out, row));
        out
    }

    fn foot(&mut self, _: &[String]) -> Vec<u8> {
        Vec::new()
    }
}

struct Json {
    is_first: bool,
}

impl Writer for Json {
    fn head(&mut self, columns: &[Column]) -> Vec<u8> {
        format!("{{\"columns\":{},\"rows\":[", json!(columns)).into_bytes()
    }

    fn rows(&mut self, rows: &[Row]) -> Vec<u8> {
        let mut out = Vec::new();
        for row in rows {
            if !std::mem::take(&mut self.is_first) {
                out.push(b',');
            }
            out.push(b'\n');
            out.extend_from_slice(json_row(row).to_string().as_bytes());
        }
        out
    }

    fn foot(&mut self, notices: &[String]) -> Vec<u8> {
        format!("\n],\"notices\":{}}}\n", json!(notices)).into_bytes()
    }
}

/// Written by the database where it can, else by us.
async fn csv(mut opened: Opened, view: View, out: &Out) -> Result<(), ReportError> {
    if let Source::Query(reader, query) = &mut opened.source
        && let Some(copy) = reader.copy_of(query, &view).await.map_err(failed)?
    {
        return reader.copy(&copy, Csv.head(&opened.columns), out).await.map_err(failed);
    }
    text(opened, view, out, Csv).await
}

async fn text(opened: Opened, view: View, out: &Out, mut writer: impl Writer) -> Result<(), ReportError> {
    let notices = opened.notices.clone();
    // Sent with the first rows: what is refused before them is told as it should be.
    let mut piece = writer.head(&opened.columns);
    let (mut rows, ended) = rows(opened, view);
    while let Some(some) = rows.recv().await {
        piece.extend(writer.rows(&some));
        if out.send(Ok(std::mem::take(&mut piece))).await.is_err() {
            return Ok(());
        }
    }
    ended.await.unwrap_or_else(|error| Err(LabDbError::Lost(error.to_string()))).map_err(failed)?;
    piece.extend(writer.foot(&notices));
    if !piece.is_empty() {
        drop(out.send(Ok(piece)).await);
    }
    Ok(())
}

fn failed(error: LabDbError) -> ReportError {
    ReportError::Database { which: "SQLQuery", error }
}

type Ended = tokio::task::JoinHandle<Result<(), LabDbError>>;

/// All rows of a view, as they come; and how that ended.
fn rows(opened: Opened, view: View) -> (mpsc::Receiver<Vec<Row>>, Ended) {
    let (sender, rows) = mpsc::channel(PIECES_WAITING_MAX);
    let ended = tokio::spawn(async move {
        match opened.source {
            Source::Query(mut reader, query) => reader.send(&query, &view, sender).await,
            Source::Table(table) => {
                drop(sender.send(super::read::memory::page(&table, &view)).await);
                Ok(())
            }
        }
    });
    (rows, ended)
}
