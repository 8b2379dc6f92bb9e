//! The known name that a misspelt one probably means.

/// The nearest name, where one is near enough: at most a third of its letters differ.
pub(crate) fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let wanted = name.to_lowercase();
    let far = wanted.chars().count().div_ceil(3);
    known
        .map(|candidate| (distance(&wanted, &candidate.to_lowercase()), candidate))
        .min()
        .filter(|(distance, _)| *distance <= far)
        .map(|(_, candidate)| candidate)
}

/// How many letters must be changed, added or removed.
fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (line, letter) in one.chars().enumerate() {
        let mut diagonal = line;
        let mut left = line.saturating_add(1);
        if let Some(first) = row.first_mut() {
            *first = left;
        }
        for (above, candidate) in row.iter_mut().skip(1).zip(&other) {
            let change = diagonal.saturating_add(usize::from(*candidate != letter));
            diagonal = *above;
            left = change.min(left.saturating_add(1)).min(above.saturating_add(1));
            *above = left;
        }
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_the_pen_is_found() {
        let known = ["twister_tc_status", "twister_tc_log", "build"];
        let near = |name| nearest(name, known.into_iter());
        assert_eq!(near("twister_tc_statsu"), Some("twister_tc_status"));
        assert_eq!(near("Twister_TC_Status"), Some("twister_tc_status"));
        assert_eq!(near("biuld"), Some("build"));
        assert_eq!(near("station"), None);
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(distance("", "abc"), 3);
    }
}
