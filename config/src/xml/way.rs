//! Ways to items, as lists of numbers: what becomes of them when items come and go.

/// The items of which none is inside another, in the order of the file.
pub(crate) fn outermost(items: &[Vec<usize>]) -> Vec<Vec<usize>> {
    let mut sorted = items.to_vec();
    sorted.sort();
    sorted.dedup();
    let mut tops: Vec<Vec<usize>> = Vec::new();
    for item in sorted {
        if !tops.last().is_some_and(|top| item.starts_with(top)) {
            tops.push(item);
        }
    }
    tops
}

/// Whether these items stand side by side where they are to go: then not even a comment between them changes its place.
pub(crate) fn stand_there(items: &[Vec<usize>], parent: &[usize], to: usize) -> bool {
    let first = items.first().and_then(|item| item.last().copied()).unwrap_or(0);
    let end = first.saturating_add(items.len());
    ways(parent, first, items.len()) == items && (first..=end).contains(&to)
}

/// The ways to so many items of a holder, from one on.
pub(crate) fn ways(parent: &[usize], first: usize, count: usize) -> Vec<Vec<usize>> {
    let way = |nth: usize| parent.iter().copied().chain([first.saturating_add(nth)]).collect();
    (0..count).map(way).collect()
}

/// A way, as it is when these items are gone.
pub(crate) fn without(way: &[usize], gone: &[Vec<usize>]) -> Vec<usize> {
    let shifted = |depth: usize, step: usize| {
        let above = way.get(..depth).unwrap_or_default();
        let before =
            |item: &&Vec<usize>| item.split_last().is_some_and(|(last, its)| its == above && *last < step);
        step.saturating_sub(gone.iter().filter(before).count())
    };
    way.iter().enumerate().map(|(depth, step)| shifted(depth, *step)).collect()
}
