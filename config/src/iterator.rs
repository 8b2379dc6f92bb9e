//! The values of an iterator: a comma list with ranges, `3, 1..3`, of which the first is the default.

use std::{collections::BTreeSet, sync::Arc};

use crate::limits::{ITERATOR_VALUES_MAX, ITERATOR_VALUES_WRITTEN_MAX};

/// More values than one iterator may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooManyValues;

/// The values in order. `x..y` and `x...y` are whole numbers with both ends (downwards where `x` is larger); ends that
/// are no whole numbers are two plain values. The first value is the default. Each occurs once, where it stands first.
///
/// # Errors
/// More values than [`ITERATOR_VALUES_MAX`], or more than [`ITERATOR_VALUES_WRITTEN_MAX`] with those that stand there again.
pub fn values(text: &str) -> Result<Vec<Arc<str>>, TooManyValues> {
    let mut values = Values::default();
    for item in text.split(',').map(str::trim).filter(|item| !item.is_empty()) {
        match range(item) {
            Item::One(value) => values.push(value.into())?,
            Item::Two(from, to) => {
                values.push(from.into())?;
                values.push(to.into())?;
            }
            Item::Range(from, to) => {
                let count = from.abs_diff(to);
                if count >= u64::try_from(ITERATOR_VALUES_MAX).unwrap_or(u64::MAX) {
                    return Err(TooManyValues);
                }
                let step = if from <= to { 1 } else { -1 };
                let mut at = from;
                values.push(at.to_string().into())?;
                while at != to {
                    at = at.saturating_add(step);
                    values.push(at.to_string().into())?;
                }
            }
        }
    }
    Ok(values.in_order)
}

#[derive(Default)]
struct Values {
    in_order: Vec<Arc<str>>,
    known: BTreeSet<Arc<str>>,
    /// Those that stand there again count, too.
    pushed: usize,
}

impl Values {
    fn push(&mut self, value: Arc<str>) -> Result<(), TooManyValues> {
        self.pushed = self.pushed.saturating_add(1);
        if self.pushed > ITERATOR_VALUES_WRITTEN_MAX {
            return Err(TooManyValues);
        }
        if self.known.insert(Arc::clone(&value)) {
            if self.in_order.len() >= ITERATOR_VALUES_MAX {
                return Err(TooManyValues);
            }
            self.in_order.push(value);
        }
        Ok(())
    }
}

enum Item<'t> {
    One(&'t str),
    Two(&'t str, &'t str),
    Range(i64, i64),
}

fn range(item: &str) -> Item<'_> {
    let Some((from, to)) = item.split_once("...").or_else(|| item.split_once("..")) else {
        return Item::One(item);
    };
    let (from, to) = (from.trim(), to.trim());
    match (from.parse(), to.parse()) {
        _ if from.is_empty() || to.is_empty() => Item::One(item),
        (Ok(from), Ok(to)) => Item::Range(from, to),
        _ => Item::Two(from, to),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn joined(text: &str) -> String {
        values(text).unwrap().join(" ")
    }

    #[test]
    fn the_grammar_of_values() {
        for (text, expect) in [
            ("3, 1..3", "3 1 2"),
            ("1..3", "1 2 3"),
            ("1...3", "1 2 3"),
            ("3..1", "3 2 1"),
            ("-1 .. 1", "-1 0 1"),
            ("a, b..c, d", "a b c d"),
            ("1.5..3", "1.5 3"),
            ("2, 2, 4, 4", "2 4"),
            ("1..3, 2", "1 2 3"),
            ("..", ".."),
            ("5..5", "5"),
            (" , x ,", "x"),
            ("", ""),
        ] {
            assert_eq!(joined(text), expect, "{text}");
        }
    }

    #[test]
    fn endless_ranges_are_refused_at_once() {
        assert_eq!(values("1..100000000000"), Err(TooManyValues));
        assert_eq!(values("-9223372036854775808..9223372036854775807"), Err(TooManyValues));
        assert_eq!(values("1..60000, 60001..120000"), Err(TooManyValues));
        assert_eq!(joined("1..60000, 1..60000").split(' ').count(), 60_000);
        assert_eq!(joined("9223372036854775806..9223372036854775807").split(' ').count(), 2);
    }

    proptest! {
        #[test]
        fn a_range_has_both_ends_and_all_between(from in -500_i64..500, to in -500_i64..500) {
            let list = values(&format!("{from}..{to}")).unwrap();
            prop_assert_eq!(u64::try_from(list.len()).unwrap(), from.abs_diff(to) + 1);
            let last = to.to_string();
            prop_assert_eq!(list.last().unwrap().as_ref(), last.as_str());
        }

        #[test]
        fn no_text_breaks_it(text in "[0-9a-z., -]{0,40}") {
            if let Ok(list) = values(&text) {
                let known: BTreeSet<_> = list.iter().collect();
                prop_assert_eq!(known.len(), list.len());
            }
        }
    }
}
