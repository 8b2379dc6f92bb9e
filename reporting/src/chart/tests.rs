use super::*;
use crate::{
    chart::svg::Theme,
    table::{Column, Row},
};

fn table(kinds: &[(&str, ColumnKind)], rows: &[&[&str]]) -> Table {
    let cell = |text: &&str| match *text {
        "" => Cell::Null,
        text if text.parse::<f64>().is_ok() => Cell::Number(text.to_owned()),
        text => Cell::Text(text.to_owned()),
    };
    let rows: Vec<Row> = rows.iter().map(|row| row.iter().map(cell).collect()).collect();
    let column = |(name, kind): &(&str, ColumnKind)| Column { name: (*name).to_owned(), kind: *kind };
    Table { columns: kinds.iter().map(column).collect(), rows }
}

const RUN: (&str, ColumnKind) = ("Run", ColumnKind::Text);
const COUNT: (&str, ColumnKind) = ("Tests", ColumnKind::Number);

#[test]
fn the_bottom_is_what_the_first_column_is() {
    for (kind, labels, axis) in [
        (ColumnKind::Text, ["Run 1", "Run 2"], Axis::Names),
        (ColumnKind::Date, ["2026-11-29", "2026-11-30 03:04:05.25"], Axis::Days),
        (ColumnKind::Date, ["2026-11-29 03:04:05+02", "2026-11-30 03:04:05+02"], Axis::Days),
        (ColumnKind::Date, ["2026-11-30", "2026-11-29"], Axis::Names),
        (ColumnKind::Number, ["4", "17"], Axis::Numbers),
        (ColumnKind::Number, ["17", "4"], Axis::Names),
    ] {
        let rows = labels.map(|label| [label, "1"]);
        let rows: Vec<&[&str]> = rows.iter().map(|row| row.as_slice()).collect();
        let table = table(&[("x", kind), COUNT], &rows);
        assert_eq!(Chart::of(ChartKind::Line, &table).unwrap().axis, axis, "{labels:?}");
        assert_eq!(Chart::of(ChartKind::Bar, &table).unwrap().axis, Axis::Names, "bars stand side by side");
    }
}

#[test]
fn a_point_leads_to_the_run_that_the_query_names() {
    let link = ("Jackfield_Run", ColumnKind::Number);
    let rows: &[&[&str]] = &[&["a", "12", "3"], &["b", "", "4"]];
    let chart = Chart::of(ChartKind::Bar, &table(&[RUN, link, COUNT], rows)).unwrap();
    let names: Vec<&str> = chart.series.iter().map(|series| &*series.name).collect();
    assert_eq!((names, chart.runs), (vec!["Tests"], vec![Some(12), None]));
    let first = Chart::of(ChartKind::Line, &table(&[link, COUNT], &[&["7", "1"], &["9", "2"]])).unwrap();
    assert_eq!((first.axis, first.runs), (Axis::Numbers, vec![Some(7), Some(9)]));
    assert!(Chart::of(ChartKind::Bar, &table(&[RUN, COUNT], &[&["a", "1"]])).unwrap().runs.is_empty());
}

#[test]
fn what_cannot_be_drawn_is_told() {
    let refused = |kind, table: &Table| Chart::of(kind, table).unwrap_err().to_string();
    assert!(refused(ChartKind::Bar, &table(&[RUN], &[&["a"]])).contains("this query gives 1"));
    assert_eq!(refused(ChartKind::Bar, &table(&[RUN, COUNT], &[])), "the select is empty");
    let words = table(&[RUN, ("Note", ColumnKind::Text)], &[&["a", "b"]]);
    assert!(refused(ChartKind::Bar, &words).contains("column `Note` has no number"));
    let below = table(&[RUN, COUNT], &[&["a", "-1"]]);
    assert!(refused(ChartKind::Pie, &below).contains("-1 of `a`"));
    assert!(Chart::of(ChartKind::Bar, &below).is_ok());
}

#[test]
fn charts_are_drawn_as_people_have_seen_them() {
    let status =
        table(&[("Status", ColumnKind::Text), COUNT], &[&["PASS", "41"], &["FAIL", "7"], &["<b>&\"", "2"]]);
    let runs: Vec<[String; 3]> =
        (1..=30).map(|run| [format!("Run {run}"), (run * 3).to_string(), (90 - run).to_string()]).collect();
    let runs: Vec<[&str; 3]> = runs.iter().map(|row| [&*row[0], &*row[1], &*row[2]]).collect();
    let runs: Vec<&[&str]> = runs.iter().map(|row| row.as_slice()).collect();
    let history = table(&[RUN, COUNT, ("Rate", ColumnKind::Number)], &runs);
    let days = table(
        &[("Day", ColumnKind::Date), ("Seconds", ColumnKind::Number)],
        &[&["2026-11-01", "0.25"], &["2026-11-03", "0.5"], &["2026-11-20", ""], &["2026-11-30", "-0.1"]],
    );
    for (name, kind, table) in [
        ("pie", ChartKind::Pie, &status),
        ("bars", ChartKind::Bar, &history),
        ("line", ChartKind::Line, &history),
        ("days", ChartKind::Line, &days),
    ] {
        let chart = Chart::of(kind, table).unwrap();
        for (theme, word) in [(Theme::Light, "light"), (Theme::Dark, "dark")] {
            let drawn = svg::draw(&chart, "History <Pass & Rate>", theme);
            roxmltree::Document::parse(&drawn).unwrap();
            if word == "light" || name == "pie" {
                insta::assert_snapshot!(format!("chart_{name}_{word}"), drawn);
            }
        }
    }
}

#[test]
fn one_part_is_a_whole_pie_and_hundreds_are_a_dozen() {
    let one = table(&[RUN, COUNT], &[&["PASS", "3"]]);
    let drawn = svg::draw(&Chart::of(ChartKind::Pie, &one).unwrap(), "All", Theme::Light);
    assert!(drawn.contains("100.0 %"), "{drawn}");
    let many: Vec<[String; 2]> = (0..300).map(|part| [format!("p{part}"), "1".to_owned()]).collect();
    let many: Vec<[&str; 2]> = many.iter().map(|row| [&*row[0], &*row[1]]).collect();
    let many: Vec<&[&str]> = many.iter().map(|row| row.as_slice()).collect();
    let drawn =
        svg::draw(&Chart::of(ChartKind::Pie, &table(&[RUN, COUNT], &many)).unwrap(), "All", Theme::Dark);
    assert!(drawn.contains("289 others"), "{drawn}");
}
