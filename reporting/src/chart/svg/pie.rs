//! A pie, with what each part is, how many and how much beside it.

use std::{f64::consts::TAU, fmt::Write as _};

use super::{HEIGHT, LEFT, Theme, short};
use crate::{chart::Chart, text::escaped};

/// Parts that have a line of their own; the others are one.
const PARTS_MAX: usize = 12;
const RADIUS: f64 = 150.0;

struct Part {
    label: String,
    value: f64,
}

pub(super) fn draw(out: &mut String, chart: &Chart, theme: Theme) {
    let parts = parts(chart);
    let whole: f64 = parts.iter().map(|part| part.value).sum();
    let middle = (LEFT + RADIUS + 10.0, (HEIGHT + 30.0) / 2.0);
    let mut turn = 0.0;
    for (number, part) in parts.iter().enumerate() {
        let share = if whole > 0.0 { part.value / whole } else { 0.0 };
        let colour = theme.of_label(&part.label, number);
        if share > 0.0 {
            let _ = write!(
                out,
                "<path d=\"{}\" fill=\"{colour}\" stroke=\"{}\" stroke-width=\"1.5\"><title>{}: {}</title></path>",
                slice(middle, turn, share),
                theme.paint().ground,
                escaped(&part.label),
                part.value
            );
            turn += share;
        }
        line(out, part, (number, share), colour, theme);
    }
}

/// What stands beside the pie for a part.
fn line(out: &mut String, part: &Part, (number, share): (usize, f64), colour: &str, theme: Theme) {
    let (paint, y) = (theme.paint(), 84.0 + 25.0 * super::float(number));
    let _ = write!(
        out,
        "<rect x=\"440\" y=\"{:.0}\" width=\"12\" height=\"12\" fill=\"{colour}\"/>\
         <text x=\"460\" y=\"{y:.0}\" fill=\"{}\">{}</text>\
         <text x=\"690\" y=\"{y:.0}\" text-anchor=\"end\" fill=\"{}\">{}</text>\
         <text x=\"768\" y=\"{y:.0}\" text-anchor=\"end\" fill=\"{}\">{:.1} %</text>",
        y - 11.0,
        paint.ink,
        escaped(&short(&part.label, 26)),
        paint.ink,
        part.value,
        paint.quiet,
        share * 100.0
    );
}

/// A part of a circle; a whole one has no corners.
fn slice((x, y): (f64, f64), turn: f64, share: f64) -> String {
    let on_rim = |turn: f64| (x + RADIUS * (turn * TAU).sin(), y - RADIUS * (turn * TAU).cos());
    if share > 0.9999 {
        let (top, bottom) = (y - RADIUS, y + RADIUS);
        return format!("M{x} {top}A{RADIUS} {RADIUS} 0 1 1 {x} {bottom}A{RADIUS} {RADIUS} 0 1 1 {x} {top}Z");
    }
    let (from, to) = (on_rim(turn), on_rim(turn + share));
    let is_large = u8::from(share > 0.5);
    format!(
        "M{x:.1} {y:.1}L{:.1} {:.1}A{RADIUS} {RADIUS} 0 {is_large} 1 {:.1} {:.1}Z",
        from.0, from.1, to.0, to.1
    )
}

/// In their order; the smallest of too many become one.
fn parts(chart: &Chart) -> Vec<Part> {
    let values = chart.series.first().map(|series| series.values.as_slice()).unwrap_or_default();
    let named = chart.labels.iter().zip(values);
    let mut parts: Vec<Part> =
        named.map(|(label, value)| Part { label: label.clone(), value: value.unwrap_or(0.0) }).collect();
    if parts.len() > PARTS_MAX {
        parts.sort_by(|one, other| other.value.total_cmp(&one.value));
        let rest = parts.split_off(PARTS_MAX.saturating_sub(1));
        let label = format!("{} others", rest.len());
        parts.push(Part { label, value: rest.iter().map(|part| part.value).sum() });
    }
    parts
}
