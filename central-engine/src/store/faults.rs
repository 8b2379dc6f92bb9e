//! The places where a database may fail its engine, so that simulated days can make it do so. In builds for people there
//! is nothing here that could.

use super::StoreError;

/// A place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Point {
    /// Before a look.
    Look,
    /// Rows are read, and not handed on yet.
    Rows,
    /// Before a transaction.
    Begin,
    /// Between two statements of a transaction.
    Statement,
    /// Before it is made durable.
    Commit,
    /// It is durable, and nobody knows yet.
    Committed,
}

/// What goes wrong: nothing.
#[cfg(not(test))]
#[derive(Clone, Debug, Default)]
pub(super) struct Faults(());

/// Somebody works on something, which matters to nobody.
#[cfg(not(test))]
pub(super) struct Busy(());

#[cfg(not(test))]
impl Faults {
    #[expect(clippy::unused_async, reason = "the tests' one waits")]
    pub(super) async fn at(&self, _: Point) -> Result<(), StoreError> {
        Ok(())
    }

    pub(super) fn busy(&self) -> Busy {
        Busy(())
    }
}

#[cfg(test)]
pub(crate) use self::dice::{Busy, Faults};

#[cfg(test)]
mod dice {
    use std::{
        sync::{Arc, Mutex},
        time::Duration,
    };

    use super::{Point, StoreError};
    use jackfield_tests::dice::Dice;

    /// What goes wrong, by dice.
    #[derive(Clone, Debug, Default)]
    pub(crate) struct Faults(Arc<Mutex<State>>);

    /// The database works on something; virtual time stands still meanwhile.
    pub(crate) struct Busy(Faults);

    impl Drop for Busy {
        fn drop(&mut self) {
            self.0.0.lock().unwrap().busy -= 1;
        }
    }

    #[derive(Debug, Default)]
    struct State {
        busy: u32,
        /// None: nothing does.
        dice: Option<Dice>,
        stalls_only: bool,
        count: u64,
        /// How many points pass until all fail.
        left: Option<u64>,
    }

    impl Faults {
        /// From now on things go wrong; the same ones for the same seed and order.
        pub(crate) fn begin(&self, seed: u64, stalls_only: bool) {
            let mut state = self.0.lock().unwrap();
            (state.dice, state.stalls_only) = (Some(Dice::new(seed)), stalls_only);
        }

        /// So many points pass, and from then on everything fails, as if the engine had been killed there.
        pub(crate) fn cut_off_after(&self, points: u64) {
            self.0.lock().unwrap().left = Some(points);
        }

        /// From now on nothing does.
        pub(crate) fn end(&self) {
            let mut state = self.0.lock().unwrap();
            (state.dice, state.left) = (None, None);
        }

        /// Whether the database works on something.
        pub(crate) fn is_busy(&self) -> bool {
            self.0.lock().unwrap().busy > 0
        }

        /// Until the answer is dropped, somebody works on something.
        pub(crate) fn busy(&self) -> Busy {
            self.0.lock().unwrap().busy += 1;
            Busy(self.clone())
        }

        /// How often something failed.
        pub(crate) fn count(&self) -> u64 {
            self.0.lock().unwrap().count
        }

        pub(in super::super) async fn at(&self, point: Point) -> Result<(), StoreError> {
            let wait = {
                let mut state = self.0.lock().unwrap();
                let is_cut = state.left.is_some_and(|left| left == 0);
                state.left = state.left.map(|left| left.saturating_sub(1));
                if is_cut {
                    let cut = std::io::Error::from(std::io::ErrorKind::Interrupted);
                    return Err(StoreError::Database(sqlx::Error::Io(cut)));
                }
                let stalls_only = state.stalls_only;
                let Some(dice) = &mut state.dice else { return Ok(()) };
                let (fails, stalls) = match point {
                    Point::Look | Point::Begin => (5, 10),
                    Point::Rows => (1, 20),
                    Point::Statement => (1, 1),
                    Point::Commit | Point::Committed => (8, 8),
                };
                let (fails, stalls) =
                    (dice.percent(fails), dice.percent(stalls).then(|| dice.between(1, 3_000)));
                if fails && !stalls_only {
                    state.count += 1;
                    let full = std::io::Error::from(std::io::ErrorKind::StorageFull);
                    return Err(StoreError::Full(sqlx::Error::Io(full)));
                }
                stalls.map(Duration::from_millis)
            };
            if let Some(wait) = wait {
                tokio::time::sleep(wait).await;
            }
            Ok(())
        }
    }
}
