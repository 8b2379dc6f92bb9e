//! The book of leases against a model that knows no index, over thousands of seeded days: persons, runs, consoles and
//! the lab fight for a few devices; they book, again and again too, wait, extend, hand over and die, by name or for whatever fits, which changes
//! under their eyes; the engine is killed and restores the book from its rows. After each event book and model must say the
//! same, and nothing may be held twice.
//!
//! A failing day prints its seed: `JACKFIELD_SEED=n cargo test -p jackfield-resource-allocator --test book` plays it
//! again and tells it.
//!
//! Faults that were planted, one at a time, and found:
//!
//! - a lease does not see what is held below it
//! - a node stays among those below when nobody has it any more
//! - somebody goes ahead of the first for longer than the first has to wait
//! - a console outlives the lease that let it in
//! - an offer that nobody accepted is not passed on
//! - after a restart, clients must have been heard while there was no engine
//! - something is booked over a booking that is late
//! - a lease that went ahead is extended over the one it overtook
//! - a lease that is handed over keeps its number
//! - who waits for two things blocks the second for those who would be back in time

#[cfg(test)]
mod calendar;
#[cfg(test)]
mod day;
#[cfg(test)]
mod figures;
#[cfg(test)]
mod model;
#[cfg(test)]
mod picking;
#[cfg(test)]
mod stories;

#[cfg(test)]
mod tests {
    #[test]
    fn every_day_the_book_says_what_the_model_says() {
        jackfield_tests::days::play(crate::day::play);
    }
}
