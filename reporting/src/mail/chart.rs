//! Reports of the lab's own database in a mail: bars and pies as tables, which every mail program draws, lines as a picture. What a picture cannot
//! say without letters (an engine has no fonts) stands around it.

use serde::Serialize;

use super::{
    Picture,
    png::{Colour, Points},
};
use crate::{
    chart::{Chart, ChartKind, Series, svg::Theme},
    text::{one_line, shortened},
};

/// A report that goes along with a mail.
#[derive(Clone, Debug, PartialEq)]
pub struct ReportChart {
    /// What it is called.
    pub title: String,
    /// Where its page is; empty where the engine's address is not known.
    pub link: String,
    /// What is drawn, or why nothing can be.
    pub drawn: Result<Chart, String>,
    /// What a reader should know: what was left out.
    pub notices: Vec<String>,
}

/// Points that have a row of their own; of more, the last of bars and the largest of pies.
const ROWS_MAX: usize = 12;
/// Series that are drawn.
const SERIES_MAX: usize = 4;
const NAME_CHARS_MAX: usize = 40;
/// Widest bar.
const BAR_WIDTH: f64 = 240.0;
/// Size at which a picture is shown; it has twice as many points.
const WIDTH: usize = 420;
const HEIGHT: usize = 120;
const SCALE: usize = 2;
/// Half of a line's thickness, in points.
const HALF_LINE: i64 = 2;
const GROUND: Colour = [110, 119, 129];

/// As templates know it.
#[derive(Debug, Default, Serialize)]
pub(super) struct ChartView {
    title: String,
    link: String,
    error: Option<String>,
    notices: Vec<String>,
    /// What the colours mean, where there are several.
    legend: Vec<Legend>,
    rows: Vec<BarRow>,
    more: usize,
    picture: Option<PictureView>,
}

#[derive(Debug, Serialize)]
struct Legend {
    name: String,
    colour: &'static str,
}

#[derive(Debug, Serialize)]
struct BarRow {
    label: String,
    bars: Vec<BarView>,
}

#[derive(Debug, Serialize)]
struct BarView {
    colour: &'static str,
    /// In points; 0 where nothing is to be drawn.
    width: u32,
    value: String,
}

#[derive(Debug, Serialize)]
struct PictureView {
    name: String,
    told: String,
    width: usize,
    height: usize,
    low: String,
    high: String,
    first: String,
    last: String,
}

impl ChartView {
    /// The chart of this number in its mail.
    pub(super) fn of(number: usize, chart: &ReportChart) -> Self {
        let view = Self {
            title: one_line(&chart.title),
            link: chart.link.clone(),
            notices: notices(chart),
            ..Self::default()
        };
        match &chart.drawn {
            Err(error) => Self { error: Some(one_line(error)), ..view },
            Ok(drawn) => match drawn.kind {
                ChartKind::Pie => view.with_parts(drawn),
                ChartKind::Bar => view.with_bars(drawn),
                ChartKind::Line => view.with_line(number, drawn),
            },
        }
    }

    fn with_parts(self, chart: &Chart) -> Self {
        let values = chart.series.first().map(|series| &*series.values).unwrap_or_default();
        let whole: f64 = values.iter().flatten().sum();
        let row = |(number, (at, label)): (usize, (usize, &String))| {
            let value = values.get(at).copied().flatten().unwrap_or(0.0);
            let share = if whole > 0.0 { value / whole } else { 0.0 };
            let bar = BarView {
                colour: Theme::Light.of_label(label, number),
                width: whole_number(share * BAR_WIDTH).try_into().unwrap_or(0),
                value: format!("{} ({:.1} %)", shown(value), share * 100.0),
            };
            BarRow { label: name(label), bars: vec![bar] }
        };
        let rows = with_room(chart).into_iter().enumerate().map(row).collect();
        Self { rows, more: left_out(chart), ..self }
    }

    fn with_bars(self, chart: &Chart) -> Self {
        let series = drawn(chart);
        let most =
            series.iter().flat_map(|series| series.values.iter().flatten()).copied().fold(0.0, f64::max);
        let row = |(at, label): (usize, &String)| {
            let bar = |(number, series): (usize, &Series)| {
                let value = series.values.get(at).copied().flatten();
                let share =
                    value.filter(|value| *value > 0.0 && most > 0.0).map_or(0.0, |value| value / most);
                BarView {
                    colour: colour(series, number),
                    width: whole_number(share * BAR_WIDTH).try_into().unwrap_or(0),
                    value: value.map_or_else(|| "none".to_owned(), shown),
                }
            };
            BarRow { label: name(label), bars: series.iter().enumerate().map(bar).collect() }
        };
        let rows = with_room(chart).into_iter().map(row).collect();
        Self { rows, more: left_out(chart), legend: legend(series), ..self }
    }

    fn with_line(self, number: usize, chart: &Chart) -> Self {
        let (low, high) = range(drawn(chart));
        let ends = |label: Option<&String>| label.map(|label| name(label)).unwrap_or_default();
        let picture = PictureView {
            name: picture_name(number),
            told: told(chart, "; "),
            width: WIDTH,
            height: HEIGHT,
            low: shown(low),
            high: shown(high),
            first: ends(chart.labels.first()),
            last: ends(chart.labels.last()),
        };
        Self { picture: Some(picture), legend: legend(drawn(chart)), ..self }
    }
}

/// What the mail calls the picture of this number.
fn picture_name(number: usize) -> String {
    format!("chart{number}")
}

/// The picture of a chart, where it has one.
pub(super) fn picture(number: usize, chart: &ReportChart) -> Option<Picture> {
    let drawn = chart.drawn.as_ref().ok().filter(|drawn| drawn.kind == ChartKind::Line)?;
    Some(Picture { name: picture_name(number), png: lines(drawn) })
}

/// The same for the plain part.
pub(super) fn text(chart: &ReportChart) -> String {
    let (body, more) = match &chart.drawn {
        Err(error) => (one_line(error), 0),
        Ok(drawn) => (told(drawn, "\n"), left_out(drawn)),
    };
    let body: String = body.lines().map(|line| format!("  {line}\n")).collect();
    let more = if more > 0 { format!("  ({more} more are left out)\n") } else { String::new() };
    let notices: String = notices(chart).iter().map(|notice| format!("  ({notice})\n")).collect();
    format!("{}:\n{body}{more}{notices}", one_line(&chart.title))
}

/// What a reader should know: what was left out before, and which series have no room here.
fn notices(chart: &ReportChart) -> Vec<String> {
    let before = chart.notices.iter().map(|notice| one_line(notice));
    // A pie is its first series.
    let shown = chart.drawn.as_ref().ok().filter(|drawn| drawn.kind != ChartKind::Pie);
    let more = shown.map_or(0, |drawn| drawn.series.len().saturating_sub(SERIES_MAX));
    let more = (more > 0).then(|| format!("{more} more columns are not shown"));
    before.chain(more).collect()
}

/// The points that have a row of their own, with their places in the chart.
fn with_room(chart: &Chart) -> Vec<(usize, &String)> {
    let more = left_out(chart);
    let mut points: Vec<(usize, &String)> = chart.labels.iter().enumerate().collect();
    if more == 0 || chart.kind != ChartKind::Pie {
        return points.split_off(more);
    }
    let values = chart.series.first().map(|series| &*series.values).unwrap_or_default();
    let value = |at: usize| values.get(at).copied().flatten().unwrap_or(0.0);
    points.sort_by(|one, other| value(other.0).total_cmp(&value(one.0)));
    points.truncate(ROWS_MAX);
    points
}

/// How many points have none.
fn left_out(chart: &Chart) -> usize {
    chart.labels.len().saturating_sub(ROWS_MAX)
}

/// The points that have a row, in words.
fn told(chart: &Chart, between: &str) -> String {
    let of_point = |(at, label): (usize, &String)| {
        let values = drawn(chart).iter().map(|series| {
            let value = series.values.get(at).copied().flatten().map_or_else(|| "none".to_owned(), shown);
            if chart.series.len() > 1 { format!("{} {value}", name(&series.name)) } else { value }
        });
        format!("{}: {}", name(label), values.collect::<Vec<_>>().join(", "))
    };
    let points: Vec<String> = with_room(chart).into_iter().map(of_point).collect();
    points.join(between)
}

fn drawn(chart: &Chart) -> &[Series] {
    chart.series.get(..SERIES_MAX).unwrap_or(&chart.series)
}

fn legend(series: &[Series]) -> Vec<Legend> {
    let each = series.iter().enumerate();
    let each = each.filter(|_| series.len() > 1);
    each.map(|(number, series)| Legend { name: name(&series.name), colour: colour(series, number) }).collect()
}

fn colour(series: &Series, number: usize) -> &'static str {
    Theme::Light.of_label(&series.name, number)
}

fn name(text: &str) -> String {
    shortened(&one_line(text), NAME_CHARS_MAX)
}

/// With two digits behind the point, and none that are 0.
fn shown(value: f64) -> String {
    let text = format!("{value:.2}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// The nearest whole number; 0 for what is none.
fn whole_number(value: f64) -> i64 {
    format!("{value:.0}").parse().unwrap_or(0)
}

/// From where to where a picture goes: from 0, unless the values lie far above it.
fn range(series: &[Series]) -> (f64, f64) {
    let values = || series.iter().flat_map(|series| series.values.iter().flatten()).copied();
    let (low, high) = (values().fold(f64::INFINITY, f64::min), values().fold(f64::NEG_INFINITY, f64::max));
    let low = if low >= 0.0 && low * 2.0 <= high { 0.0 } else { low };
    if low < high { (low, high) } else { (low, low + 1.0) }
}

fn lines(chart: &Chart) -> Vec<u8> {
    let (width, height) = (WIDTH.saturating_mul(SCALE), HEIGHT.saturating_mul(SCALE));
    let series = drawn(chart);
    let mut points = Points::new(width, height);
    for x in 0..width {
        (0..SCALE).for_each(|y| points.set(x, y, 1));
    }
    let mut palette = vec![GROUND];
    for (number, series) in series.iter().enumerate() {
        palette.push(bytes_of(colour(series, number)));
        let place = u8::try_from(palette.len()).unwrap_or(u8::MAX);
        let mut before: Option<(i64, i64)> = None;
        for point in places(chart, series, width, height) {
            if let Some(point) = point {
                line(&mut points, before.unwrap_or(point), point, place);
            }
            before = point;
        }
    }
    points.png(&palette)
}

/// Where the points of a series are in a picture; none where there is no value.
fn places(chart: &Chart, series: &Series, width: usize, height: usize) -> Vec<Option<(i64, i64)>> {
    let (low, high) = range(drawn(chart));
    let (first, last) =
        (chart.places.first().copied().unwrap_or(0.0), chart.places.last().copied().unwrap_or(0.0));
    let room = |points: usize| u32::try_from(points.saturating_sub(1)).map_or(0.0, f64::from) - 8.0;
    let place = |(at, value): (&f64, &Option<f64>)| {
        let across = if last > first { (at - first) / (last - first) } else { 0.5 };
        let up = ((*value)? - low) / (high - low);
        Some((whole_number(4.0 + across * room(width)), whole_number(4.0 + up * room(height))))
    };
    chart.places.iter().zip(&series.values).map(place).collect()
}

/// A line from one point to another, as thick above as below.
fn line(points: &mut Points, (x0, y0): (i64, i64), (x1, y1): (i64, i64), place: u8) {
    let steps = (x1 - x0).abs().max((y1 - y0).abs()).max(1);
    for step in 0..=steps {
        let on_way = |from: i64, to: i64| from + (to - from) * step / steps;
        for dx in -HALF_LINE..HALF_LINE {
            for dy in -HALF_LINE..HALF_LINE {
                let at = (usize::try_from(on_way(x0, x1) + dx), usize::try_from(on_way(y0, y1) + dy));
                if let (Ok(x), Ok(y)) = at {
                    points.set(x, y, place);
                }
            }
        }
    }
}

/// `#1a7f37` as bytes.
fn bytes_of(colour: &str) -> Colour {
    let number = u32::from_str_radix(colour.trim_start_matches('#'), 16).unwrap_or_default();
    let [_, red, green, blue] = number.to_be_bytes();
    [red, green, blue]
}

#[cfg(test)]
pub(super) mod tests;
