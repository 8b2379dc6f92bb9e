//! `jackfield db reports` and `db run`: the reports of a `db.xml`, from a terminal, without an engine.

use std::{
    fs::File,
    io::Write as _,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, bail};
use jackfield_central_engine::lab_db::{
    drawing,
    export::{self, Format},
    read::View,
    report::{self, Found, Values},
};
use jackfield_config::{Databases, LabDatabase, db::DbFile, problem};
use serde_json::{Value, json};

use super::{root_of, source_of};
use crate::{
    Context,
    command::name_and_value,
    exit::Exit,
    output::{complain, table, talk},
    visible::visible,
};

/// Rows that a terminal shows where nothing else is asked for.
const ROWS_SHOWN: u64 = 100;

/// What is wanted of a report.
#[derive(clap::Args)]
pub(crate) struct Run {
    /// The file.
    file: PathBuf,
    /// The report, by its ID.
    report: String,
    /// The value of a field.
    #[arg(long = "field", value_name = "NAME=VALUE", value_parser = name_and_value)]
    fields: Vec<(String, String)>,
    /// All rows into a file, as comma-separated values; `-` is the standard output.
    #[arg(long, value_name = "FILE")]
    csv: Option<PathBuf>,
    /// All rows into a file, as an Excel workbook.
    #[arg(long, value_name = "FILE")]
    xlsx: Option<PathBuf>,
    /// The chart into a file, as a picture.
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
    /// Most rows that are shown; 0 shows all.
    #[arg(long, default_value_t = ROWS_SHOWN)]
    limit: u64,
    /// Order by this column, counted from 1; the largest first with a minus before it.
    #[arg(long, value_name = "COLUMN", allow_negative_numbers = true)]
    sort: Option<i64>,
    /// Only rows with this text in some column.
    #[arg(long, value_name = "TEXT", default_value = "")]
    search: String,
    /// The folder that relative paths in the file lie in; else that of the file.
    #[arg(long)]
    lab: Option<PathBuf>,
}

/// Lists the reports of a file.
pub(super) fn list(context: &Context, file: &Path) -> Result<Exit> {
    let databases = databases(file)?;
    let reports: Vec<_> = report::all(&databases)
        .map(|found| {
            let report = found.report;
            let fields: Vec<String> = found.fields().iter().map(|field| field.id.value.to_string()).collect();
            json!({
                "id": &*report.id.value, "kind": found.kind(), "folder": report.folder.as_deref(), "fields": fields,
            })
        })
        .collect();
    context.output.list(&reports, |reports| {
        let mut rows = table(&["REPORT", "KIND", "FOLDER", "FIELDS"]);
        for report in reports {
            let text = |key: &str| report.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
            let fields = report
                .get("fields")
                .and_then(Value::as_array)
                .into_iter()
                .flatten()
                .filter_map(|field| field.as_str());
            rows.add_row(vec![
                text("id"),
                text("kind"),
                text("folder"),
                fields.collect::<Vec<_>>().join(", "),
            ]);
        }
        rows.trim_fmt()
    })?;
    Ok(Exit::Done)
}

fn databases(file: &Path) -> Result<Databases> {
    let source = source_of(file)?;
    let read = DbFile::read(&source);
    if problem::has_errors(&read.problems) {
        let lines: Vec<String> = read.problems.iter().map(ToString::to_string).collect();
        bail!("{} cannot be used:\n{}", file.display(), lines.join("\n"));
    }
    let name = file.display().to_string();
    let sections = read.value.unwrap_or_default().sections.into_iter();
    let reports = sections.map(|config| LabDatabase { file: name.clone(), config }).collect();
    Ok(Databases { reports, ..Databases::default() })
}

impl Run {
    pub(super) fn run(&self, context: &Context) -> Result<Exit> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.context("starting the runtime")?.block_on(self.make(context))
    }

    async fn make(&self, context: &Context) -> Result<Exit> {
        let databases = databases(&self.file)?;
        let found = report::find(&databases, &self.report)?;
        let root = root_of(&self.file, self.lab.as_deref());
        let values: Values = self.fields.iter().cloned().collect();
        let wait = jackfield_central_engine::limits::EXPORT_WAIT;
        let view = self.view()?;
        let mut files = Vec::new();
        for (file, format) in [(&self.csv, Format::Csv), (&self.xlsx, Format::Xlsx)] {
            let Some(file) = file else { continue };
            let opened = found.open(root, &values, wait).await?;
            write(opened, View { limit: None, ..view.clone() }, format, file).await?;
            files.push(file.display().to_string());
        }
        if let Some(file) = &self.svg {
            let mut opened = found.open(root, &values, wait).await?;
            let chart = opened.chart().await?;
            tell(&opened.notices);
            std::fs::write(file, drawing(&chart, &self.report))
                .with_context(|| format!("writing {}", file.display()))?;
            files.push(file.display().to_string());
        }
        if files.is_empty() {
            return self.show(context, found, root, &values, view).await;
        }
        if !files.iter().any(|file| file == "-") {
            context.output.done(
                "written",
                &files,
                &format!("report {} is in {}", self.report, files.join(", ")),
            )?;
        }
        Ok(Exit::Done)
    }

    async fn show(
        &self,
        context: &Context,
        found: Found<'_>,
        root: &Path,
        values: &Values,
        view: View,
    ) -> Result<Exit> {
        let mut opened = found.open(root, values, jackfield_central_engine::limits::EXPORT_WAIT).await?;
        let mut rows = opened.page(&view).await?;
        let limit = usize::try_from(self.limit).unwrap_or(usize::MAX);
        let more = self.limit > 0 && rows.rows.len() > limit;
        if more {
            rows.rows.truncate(limit);
        }
        tell(&opened.notices);
        let values: Vec<_> =
            rows.rows.iter().map(|row| jackfield_central_engine::lab_db::json_row(row)).collect();
        let whole = json!({"columns": rows.columns, "rows": values, "more": more, "notices": opened.notices});
        context.output.print(&whole, |_| {
            // What tests have printed moves no cursor here.
            let safe = |text: &str| visible(text).into_owned();
            let names: Vec<String> = rows.columns.iter().map(|column| safe(&column.name)).collect();
            let mut shown = table(&names.iter().map(String::as_str).collect::<Vec<_>>());
            for row in &rows.rows {
                let cells = row.iter().map(|cell| safe(cell.text().unwrap_or("NULL")));
                shown.add_row(cells.collect::<Vec<_>>());
            }
            shown.trim_fmt()
        })?;
        if more {
            talk("… and more: --limit 0 shows all, --csv FILE writes them");
        }
        Ok(Exit::Done)
    }

    fn view(&self) -> Result<View> {
        let place = |column: i64| {
            let number = usize::try_from(column.unsigned_abs())?;
            let place = number.checked_sub(1).context("--sort 0: columns are counted from 1")?;
            anyhow::Ok((place, column < 0))
        };
        let sort = self.sort.map(place).transpose()?;
        let limit = (self.limit > 0).then(|| self.limit.saturating_add(1));
        Ok(View { sort, search: self.search.clone(), limit, ..View::default() })
    }
}

fn tell(notices: &[String]) {
    notices.iter().for_each(|notice| complain(&visible(notice)));
}

/// Writes all of a report: the file is whole, or the error says that it is not.
async fn write(opened: report::Opened, view: View, format: Format, file: &Path) -> Result<()> {
    tell(&opened.notices);
    let to_stdout = file == Path::new("-");
    let mut out: Box<dyn std::io::Write> = if to_stdout {
        Box::new(std::io::stdout().lock())
    } else {
        Box::new(File::create(file).with_context(|| format!("creating {}", file.display()))?)
    };
    let mut pieces = export::pieces(opened, view, format);
    while let Some(piece) = pieces.recv().await {
        let piece = piece.with_context(|| format!("{} is not whole", file.display()))?;
        out.write_all(&piece).with_context(|| format!("writing {}", file.display()))?;
    }
    out.flush().with_context(|| format!("writing {}", file.display()))
}
