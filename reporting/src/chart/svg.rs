//! A chart as SVG: one picture that needs nothing else, no font but the reader's own, no script.

mod axes;
mod pie;

use std::fmt::Write as _;

use super::{Axis, Chart, ChartKind, Series};
use crate::text::escaped;
use axes::Scale;

/// Which colours the picture has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Theme {
    /// Dark on light.
    #[default]
    Light,
    /// Light on dark.
    Dark,
}

/// Size of the picture.
const WIDTH: f64 = 800.0;
const HEIGHT: f64 = 420.0;
/// What is kept free around the drawing: above for the title, left for numbers, below for names.
const TOP: f64 = 56.0;
const LEFT: f64 = 64.0;
const RIGHT: f64 = 24.0;
const BOTTOM: f64 = 84.0;
/// With more points than this, a line has no dots.
const DOTS_MAX: usize = 80;
/// Names along the bottom that fit; of more, every second, third … is written.
const NAMES_MAX: usize = 24;
/// Names that fit without being turned.
const NAMES_LEVEL_MAX: usize = 8;
/// Letters of a name along the bottom.
const NAME_CHARS_MAX: usize = 16;

/// Colours of a theme.
struct Paint {
    ground: &'static str,
    ink: &'static str,
    quiet: &'static str,
    grid: &'static str,
    lines: [&'static str; 6],
}

const LIGHT: Paint = Paint {
    ground: "#ffffff",
    ink: "#1b1f24",
    quiet: "#57606a",
    grid: "#d8dee4",
    lines: ["#0b62c4", "#b35900", "#7a3fc0", "#00797a", "#a3266d", "#5c6b00"],
};
const DARK: Paint = Paint {
    ground: "#14181d",
    ink: "#e8edf2",
    quiet: "#9aa6b2",
    grid: "#2c343d",
    lines: ["#6fb1ff", "#ffab5e", "#c39bff", "#4fd1d1", "#ff8fc7", "#c5d65b"],
};

impl Theme {
    fn paint(self) -> &'static Paint {
        match self {
            Self::Light => &LIGHT,
            Self::Dark => &DARK,
        }
    }

    /// Verdicts have their own colours, as everywhere.
    pub(crate) fn of_label(self, label: &str, number: usize) -> &'static str {
        let known = match (label.trim().to_ascii_uppercase().as_str(), self) {
            ("PASS" | "PASSED", Self::Light) => "#1a7f37",
            ("PASS" | "PASSED", Self::Dark) => "#4ac26b",
            ("FAIL" | "FAILED", Self::Light) => "#c4232b",
            ("FAIL" | "FAILED", Self::Dark) => "#ff7b72",
            ("TIMEOUT" | "ABORTED", Self::Light) => "#9a6700",
            ("TIMEOUT" | "ABORTED", Self::Dark) => "#e3b341",
            ("SKIPPED" | "NO EXEC" | "NOT_EXECUTED", Self::Light) => "#6e7781",
            ("SKIPPED" | "NO EXEC" | "NOT_EXECUTED", Self::Dark) => "#8b949e",
            _ => "",
        };
        if known.is_empty() { cycle(self.paint(), number) } else { known }
    }
}

fn cycle(paint: &Paint, number: usize) -> &'static str {
    let count = paint.lines.len();
    number.checked_rem(count).and_then(|at| paint.lines.get(at)).copied().unwrap_or("#808080")
}

/// Draws it.
pub fn draw(chart: &Chart, title: &str, theme: Theme) -> String {
    let paint = theme.paint();
    let mut out = String::new();
    let shown = escaped(title);
    let _ = write!(
        out,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" width=\"{WIDTH}\" height=\"{HEIGHT}\" role=\"img\" \
         font-family=\"system-ui, sans-serif\" font-size=\"13\"><title>{shown}</title>\
         <rect width=\"{WIDTH}\" height=\"{HEIGHT}\" fill=\"{}\"/>\
         <text x=\"{LEFT}\" y=\"26\" font-size=\"17\" font-weight=\"600\" fill=\"{}\">{shown}</text>",
        paint.ground, paint.ink
    );
    match chart.kind {
        ChartKind::Pie => pie::draw(&mut out, chart, theme),
        ChartKind::Bar | ChartKind::Line => graph(&mut out, chart, theme),
    }
    out.push_str("</svg>\n");
    out
}

fn graph(out: &mut String, chart: &Chart, theme: Theme) {
    let paint = theme.paint();
    let values = chart.series.iter().flat_map(|series| series.values.iter().flatten().copied());
    let up = Scale::of_values(values, HEIGHT - BOTTOM, TOP);
    axes::grid(out, &up, paint, (LEFT, WIDTH - RIGHT));
    let across = across(chart);
    axes::names(out, chart, &across, paint, HEIGHT - BOTTOM);
    for (number, series) in chart.series.iter().enumerate() {
        match chart.kind {
            ChartKind::Bar => bars(out, chart, (number, series), &across, &up, theme),
            ChartKind::Line | ChartKind::Pie => line(out, chart, series, &across, &up, cycle(paint, number)),
        }
    }
    if chart.series.len() > 1 {
        legend(out, chart, paint);
    }
}

/// Where things are along the bottom: names and bars have room on both sides.
fn across(chart: &Chart) -> Scale {
    let first = chart.places.first().copied().unwrap_or(0.0);
    let last = chart.places.last().copied().unwrap_or(1.0);
    match chart.axis {
        Axis::Names => Scale::between(first - 0.5, last + 0.5, LEFT, WIDTH - RIGHT),
        Axis::Numbers | Axis::Days => Scale::between(first, last, LEFT, WIDTH - RIGHT),
    }
}

fn bars(
    out: &mut String,
    chart: &Chart,
    (number, series): (usize, &Series),
    across: &Scale,
    up: &Scale,
    theme: Theme,
) {
    let room = across.at(1.0) - across.at(0.0);
    let width = (room * 0.8 / float(chart.series.len())).clamp(0.5, 90.0);
    let begin = -width * float(chart.series.len()) / 2.0 + width * float(number);
    let ground = up.at(0.0);
    for ((place, value), label) in chart.places.iter().zip(&series.values).zip(&chart.labels) {
        let Some(value) = value else { continue };
        let (x, end) = (across.at(*place) + begin, up.at(*value));
        let (y, height) = (end.min(ground), (end - ground).abs());
        let colour =
            if chart.series.len() == 1 { theme.of_label(label, 0) } else { theme.of_label("", number) };
        let _ = write!(
            out,
            "<rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{height:.1}\" fill=\"{colour}\"><title>{}: {value}</title></rect>",
            escaped(label)
        );
    }
}

fn line(out: &mut String, chart: &Chart, series: &Series, across: &Scale, up: &Scale, colour: &str) {
    let mut path = String::new();
    let mut is_open = false;
    for (place, value) in chart.places.iter().zip(&series.values) {
        let Some(value) = value else {
            is_open = false;
            continue;
        };
        let letter = if is_open { 'L' } else { 'M' };
        let _ = write!(path, "{letter}{:.1} {:.1}", across.at(*place), up.at(*value));
        is_open = true;
    }
    let _ = write!(
        out,
        "<path d=\"{path}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\" stroke-linejoin=\"round\"/>"
    );
    if chart.labels.len() > DOTS_MAX {
        return;
    }
    for ((place, value), label) in chart.places.iter().zip(&series.values).zip(&chart.labels) {
        let Some(value) = value else { continue };
        let _ = write!(
            out,
            "<circle cx=\"{:.1}\" cy=\"{:.1}\" r=\"3.5\" fill=\"{colour}\"><title>{}: {value}</title></circle>",
            across.at(*place),
            up.at(*value),
            escaped(label)
        );
    }
}

fn legend(out: &mut String, chart: &Chart, paint: &Paint) {
    let mut x = LEFT;
    for (number, series) in chart.series.iter().enumerate().take(paint.lines.len()) {
        let name = short(&series.name, 24);
        let _ = write!(
            out,
            "<rect x=\"{x:.0}\" y=\"36\" width=\"10\" height=\"10\" fill=\"{}\"/><text x=\"{:.0}\" y=\"45\" fill=\"{}\" font-size=\"12\">{}</text>",
            cycle(paint, number),
            x + 15.0,
            paint.quiet,
            escaped(&name)
        );
        x += 30.0 + 7.0 * float(name.chars().count());
    }
}

/// A name that fits.
fn short(name: &str, chars_max: usize) -> String {
    if name.chars().count() <= chars_max {
        return name.to_owned();
    }
    let kept: String = name.chars().take(chars_max.saturating_sub(1)).collect();
    format!("{kept}…")
}

fn float(count: usize) -> f64 {
    u32::try_from(count).map_or(f64::MAX, f64::from)
}
