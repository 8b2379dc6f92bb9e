//! Thousands of seeded days in a simulated lab against the scheduler's invariants and an independent oracle.
//!
//! EPs die, vanish and return, with or without what they held; messages are doubled, late, lost, or arrive over stale
//! connections; the engine dies and starts again from its rows; its clock jumps; people pause, stop, queue, drain, and
//! lease for themselves the devices that runs want.
//! A failing day prints its seed: `JACKFIELD_SEED=n cargo test -p jackfield-tests --test simulation` plays it again;
//! `JACKFIELD_DAYS=n` plays more of them.

#[cfg(test)]
mod day;
#[cfg(test)]
mod lab;
#[cfg(test)]
mod oracle;
#[cfg(test)]
mod plan;
#[cfg(test)]
mod store;

#[cfg(test)]
mod tests {
    #[test]
    fn every_day_keeps_every_promise() {
        jackfield_tests::days::play(crate::day::play);
    }
}
