//! Choosing as anybody can check it by reading: every way to give what is needed, one by one.

use std::collections::BTreeSet;

use jackfield_protocol::time::Time;
use jackfield_resource_allocator::book::{Alternative, Choice, Set, Spot};

/// Every set that can be given of the first alternatives that can be had at all, with the time when all of it is free.
pub(crate) fn ways(choice: &Choice, free: &dyn Fn(&Spot) -> Option<Time>) -> Vec<(Set, Time)> {
    let mut combinations: Vec<Vec<&Alternative>> = vec![Vec::new()];
    for need in &choice.needs {
        combinations = combinations
            .into_iter()
            .flat_map(|before| {
                need.alternatives.iter().map(move |next| [before.clone(), vec![next]].concat())
            })
            .collect();
    }
    for combination in combinations {
        let slots: Vec<&Alternative> = combination
            .iter()
            .flat_map(|alternative| std::iter::repeat_n(*alternative, alternative.count))
            .collect();
        let mut found = Vec::new();
        fill(choice, free, &slots, &mut Vec::new(), &mut found);
        if !found.is_empty() {
            return found;
        }
    }
    Vec::new()
}

fn fill(
    choice: &Choice,
    free: &dyn Fn(&Spot) -> Option<Time>,
    slots: &[&Alternative],
    taken: &mut Vec<usize>,
    found: &mut Vec<(Set, Time)>,
) {
    let Some(slot) = slots.get(taken.len()) else {
        let spots: Vec<&Spot> = taken.iter().map(|place| &choice.candidates[*place].spot).collect();
        let nodes: BTreeSet<Spot> = spots.iter().map(|spot| (*spot).clone()).collect();
        let at = spots.iter().filter_map(|spot| free(spot)).max().unwrap_or(Time(0));
        found.push((Set { nodes: nodes.into_iter().collect(), ..Set::default() }, at));
        return;
    };
    for place in &slot.fits {
        let candidate = &choice.candidates[*place];
        let goes = taken.iter().all(|other| {
            let other = &choice.candidates[*other];
            let folder = |spot: &Spot| format!("{}/", spot.path.trim_end_matches('/'));
            let (one, two) = (folder(&candidate.spot), folder(&other.spot));
            candidate.same == other.same && !one.starts_with(&two) && !two.starts_with(&one)
        });
        if goes && free(&candidate.spot).is_some() {
            taken.push(*place);
            fill(choice, free, slots, taken, found);
            taken.pop();
        }
    }
}
