//! The last runs of the project as a picture that mail programs show: columns of what passed and what did not, oldest first.
//!
//! A PNG, since mail programs draw no SVG; without a background, so that it is right on light and dark; without letters, since an engine has no
//! fonts: what it shows is said beside it.

use super::png::{Colour, Points};
use crate::changes::Tally;

/// The picture's name in its mail: `cid:trend`.
pub const TREND: &str = "trend";
/// Size at which it is shown; it has twice as many points.
pub(super) const WIDTH: usize = 420;
pub(super) const HEIGHT: usize = 72;
const SCALE: usize = 2;
/// Widest column, and what is free between two.
const COLUMN_MAX: usize = 64;
const GAP: usize = 8;

/// Places in the palette.
const NOTHING: u8 = 0;
const PASSED: u8 = 1;
const FAILED: u8 = 2;
const GROUND: u8 = 3;
/// Of what is there; readable on white and on black.
const PALETTE: [Colour; 3] = [[46, 160, 67], [218, 54, 51], [110, 119, 129]];

/// The picture.
pub(super) fn picture(trend: &[Tally]) -> Vec<u8> {
    let (width, height) = (WIDTH.saturating_mul(SCALE), HEIGHT.saturating_mul(SCALE));
    let columns = columns(trend, width, height.saturating_sub(SCALE));
    let mut points = Points::new(width, height);
    for from_ground in 0..height {
        for x in 0..width {
            points.set(x, from_ground, point(&columns, x, from_ground));
        }
    }
    points.png(&PALETTE)
}

/// A column, in points: what failed stands on what passed.
struct Column {
    from: usize,
    until: usize,
    passed: usize,
    top: usize,
}

fn columns(trend: &[Tally], width: usize, height: usize) -> Vec<Column> {
    let all = |tally: &Tally| u64::from(tally.passed).saturating_add(tally.failed.into());
    let most = trend.iter().map(all).max().unwrap_or(0).max(1);
    let step = width.checked_div(trend.len()).unwrap_or(width).min(COLUMN_MAX.saturating_mul(SCALE));
    let points = |count: u64| {
        let points = u64::try_from(height).unwrap_or(0).saturating_mul(count).checked_div(most).unwrap_or(0);
        // What is there is seen, however little it is.
        usize::try_from(points.max(u64::from(count > 0).saturating_mul(3))).unwrap_or(height)
    };
    let place = |(number, tally): (usize, &Tally)| {
        let from = number.saturating_mul(step);
        let (failed, whole) = (points(tally.failed.into()), points(all(tally)).min(height));
        let passed = whole.saturating_sub(failed);
        let until = from.saturating_add(step.saturating_sub(GAP.saturating_mul(SCALE)).max(1));
        Column { from, until, passed, top: whole }
    };
    trend.iter().enumerate().map(place).collect()
}

fn point(columns: &[Column], x: usize, from_ground: usize) -> u8 {
    let Some(column) = columns.iter().find(|column| (column.from..column.until).contains(&x)) else {
        return NOTHING;
    };
    if from_ground < SCALE {
        return GROUND;
    }
    let above = from_ground.saturating_sub(SCALE);
    if above < column.passed {
        PASSED
    } else if above < column.top {
        FAILED
    } else {
        NOTHING
    }
}

/// What it shows, in words.
pub(super) fn told(trend: &[Tally]) -> String {
    let each = trend
        .iter()
        .map(|Tally { run, passed, failed }| format!("run {run}: {passed} passed, {failed} did not"));
    each.collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests {
    use jackfield_protocol::id::RunId;

    use super::*;

    fn tally(run: u64, passed: u32, failed: u32) -> Tally {
        Tally { run: RunId(run), passed, failed }
    }

    #[test]
    fn what_failed_stands_on_what_passed_and_is_never_too_small_to_be_seen() {
        let height = HEIGHT * SCALE - SCALE;
        let columns =
            columns(&[tally(1, 100_000, 1), tally(2, 0, 50_000), tally(3, 0, 0)], WIDTH * SCALE, height);
        let tops: Vec<(usize, usize)> = columns.iter().map(|column| (column.passed, column.top)).collect();
        assert_eq!(tops, [(height - 3, height), (0, height / 2 - 1), (0, 0)]);
        assert_eq!(point(&columns, columns[0].from, SCALE), PASSED);
        assert_eq!(point(&columns, columns[0].from, height + SCALE - 1), FAILED);
        assert_eq!(point(&columns, columns[0].until, SCALE), NOTHING);
        assert_eq!(point(&columns, columns[2].from, 0), GROUND);
    }

    #[test]
    fn a_picture_has_its_parts_and_is_small() {
        let picture = picture(&[tally(1, 9, 1), tally(2, 8, 2)]);
        assert!(picture.starts_with(b"\x89PNG\r\n\x1a\n") && picture.ends_with(b"IEND\xae\x42\x60\x82"));
        assert!(picture.len() < 2_000, "{}", picture.len());
    }
}
