//! Scales, the grid behind a drawing, and what is written along its sides.

use std::fmt::Write as _;

use super::{NAME_CHARS_MAX, NAMES_LEVEL_MAX, NAMES_MAX, Paint, float, short};
use crate::{
    chart::{Axis, Chart},
    text::escaped,
};

/// Lines of the grid, about.
const LINES: f64 = 5.0;
/// Marks along the bottom where it is days or numbers.
const MARKS: u32 = 6;
/// Lines of the grid that are drawn at most, whatever the numbers are.
const LINES_MAX: u32 = 40;

/// From numbers to places in the picture.
pub(super) struct Scale {
    first: f64,
    last: f64,
    begin: f64,
    end: f64,
    step: f64,
}

impl Scale {
    pub(super) fn between(first: f64, last: f64, begin: f64, end: f64) -> Self {
        let last = if last > first { last } else { first + 1.0 };
        Self { first, last, begin, end, step: 1.0 }
    }

    /// From 0, or what is below it, to a round number above all values.
    pub(super) fn of_values(values: impl Iterator<Item = f64>, begin: f64, end: f64) -> Self {
        let (low, high) =
            values.fold((0.0_f64, 0.0_f64), |(low, high), value| (low.min(value), high.max(value)));
        let step = round_step((high - low) / LINES);
        let first = (low / step).floor() * step;
        let last = ((high / step).ceil() * step).max(first + step);
        Self { first, last, begin, end, step }
    }

    pub(super) fn at(&self, value: f64) -> f64 {
        self.begin + (value - self.first) / (self.last - self.first) * (self.end - self.begin)
    }
}

/// 1, 2 or 5 times a power of ten.
fn round_step(rough: f64) -> f64 {
    if rough <= 0.0 || !rough.is_finite() {
        return 1.0;
    }
    let power = 10.0_f64.powf(rough.log10().floor());
    let factor = [1.0, 2.0, 5.0, 10.0].into_iter().find(|factor| factor * power >= rough);
    factor.unwrap_or(10.0) * power
}

/// Lines across, each with its number.
pub(super) fn grid(out: &mut String, up: &Scale, paint: &Paint, (left, right): (f64, f64)) {
    let lines = (0..=LINES_MAX).map(|line| up.first + f64::from(line) * up.step);
    for value in lines.take_while(|value| *value <= up.last + up.step / 2.0) {
        let y = up.at(value);
        let _ = write!(
            out,
            "<path d=\"M{left} {y:.1}H{right}\" stroke=\"{}\"/>\
             <text x=\"{:.0}\" y=\"{:.1}\" text-anchor=\"end\" font-size=\"12\" fill=\"{}\">{}</text>",
            paint.grid,
            left - 8.0,
            y + 4.0,
            paint.quiet,
            number(value, up.step)
        );
    }
}

/// With as many decimals as the step between two has; thousands and more by their letter.
fn number(value: f64, step: f64) -> String {
    for (size, letter) in [(1e9, "G"), (1e6, "M"), (1e3, "k")] {
        if step >= size {
            return format!("{}{letter}", value / size);
        }
    }
    if step >= 1.0 {
        return format!("{value:.0}");
    }
    if step >= 0.1 {
        return format!("{value:.1}");
    }
    if step >= 0.001 { format!("{value:.3}") } else { format!("{value:.1e}") }
}

/// What stands along the bottom.
pub(super) fn names(out: &mut String, chart: &Chart, across: &Scale, paint: &Paint, ground: f64) {
    let _ = write!(
        out,
        "<text x=\"{:.0}\" y=\"{:.0}\" text-anchor=\"end\" font-size=\"12\" fill=\"{}\">{}</text>",
        super::WIDTH - super::RIGHT,
        super::HEIGHT - 8.0,
        paint.quiet,
        escaped(&short(&chart.axis_name, 60))
    );
    let marks = marks(chart, across);
    let longest = marks.iter().map(|(_, text)| text.chars().count()).max().unwrap_or(0);
    let fits = float(longest) * 7.0 * float(marks.len()) < 700.0;
    let is_level = chart.axis != Axis::Names || (marks.len() <= NAMES_LEVEL_MAX && fits);
    for (place, text) in marks {
        let (x, y) = (across.at(place), ground + 18.0);
        // The last of them has no room on its right.
        let is_last = chart.axis != Axis::Names && place >= across.last;
        let (anchor, turn) = if is_level {
            (if is_last { "end" } else { "middle" }, String::new())
        } else {
            ("end", format!(" transform=\"rotate(-35 {x:.1} {y:.1})\""))
        };
        let _ = write!(
            out,
            "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\" font-size=\"12\" fill=\"{}\"{turn}>{}</text>",
            paint.quiet,
            escaped(&text)
        );
    }
}

/// Names where their points are; of numbers and days some, evenly spaced.
fn marks(chart: &Chart, across: &Scale) -> Vec<(f64, String)> {
    match chart.axis {
        Axis::Names => {
            let every = chart.labels.len().div_ceil(NAMES_MAX).max(1);
            let some = chart.places.iter().zip(&chart.labels).step_by(every);
            some.map(|(place, label)| (*place, short(label, NAME_CHARS_MAX))).collect()
        }
        Axis::Numbers | Axis::Days => {
            let step = (across.last - across.first) / f64::from(MARKS);
            let places = (0..=MARKS).map(|mark| across.first + step * f64::from(mark));
            places.map(|place| (place, place_told(chart.axis, place, step))).collect()
        }
    }
}

fn place_told(axis: Axis, place: f64, step: f64) -> String {
    match axis {
        Axis::Names | Axis::Numbers => number(place, round_step(step / 10.0)),
        Axis::Days => {
            let seconds: Option<i64> = format!("{place:.0}").parse().ok();
            let instant = seconds.and_then(|seconds| jiff::Timestamp::from_second(seconds).ok());
            let format = if step < 86_400.0 { "%m-%d %H:%M" } else { "%Y-%m-%d" };
            instant.map(|instant| instant.strftime(format).to_string()).unwrap_or_default()
        }
    }
}
