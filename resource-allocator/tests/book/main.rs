//! The book of leases against a model that knows no index, over thousands of seeded days: persons, runs, consoles and
//! the lab fight for a few devices; they book, wait, extend, hand over and die; the engine is killed and restores the
//! book from its rows. After each event book and model must say the same, and nothing may be held twice.
//!
//! A failing day prints its seed: `JACKFIELD_SEED=n cargo test -p jackfield-resource-allocator --test book` plays it
//! again and tells it.
//!
//! Faults that were planted, one at a time, to see that they are found, with the first day that found them:
//!
//! | fault | found on day |
//! |---|---|
//! | a lease does not see what is held below it | 1 |
//! | a node stays among those below when nobody has it any more | 0 |
//! | somebody goes ahead of the first for longer than the first has to wait | 17 |
//! | a console outlives the lease that let it in | 17 |
//! | an offer that nobody accepted is not passed on | 2 |
//! | after a restart, clients must have been heard while there was no engine | 33 |
//! | something is booked over a booking that is late | 1 |
//! | a lease that went ahead is extended over the one it overtook | 224 |
//! | a lease that is handed over keeps its number | 6 |
//! | who waits for two things blocks the second for those who would be back in time | 58 |

#[cfg(test)]
mod day;
#[cfg(test)]
mod figures;
#[cfg(test)]
mod model;
#[cfg(test)]
mod stories;

#[cfg(test)]
mod tests {
    #[test]
    fn every_day_the_book_says_what_the_model_says() {
        jackfield_tests::days::play(crate::day::play);
    }
}
