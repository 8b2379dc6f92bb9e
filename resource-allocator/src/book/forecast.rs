//! When somebody could have what they would ask for: a copy of the book is led into the future, in which everybody keeps
//! their word and nobody new comes.

use jackfield_protocol::time::Time;

use super::{Ask, Book, Claims, Lease, Obstacle, Refusal, State, Turn};

/// Steps into the future.
const STEPS_MAX: usize = 500;

/// What would come of a wish.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Forecast {
    /// The lease as it would begin, or as it would wait for ever.
    pub lease: Lease,
    /// When it would begin, if that can be told.
    pub at: Option<Time>,
    /// The lease whose end it would wait for last, as it is now.
    pub after: Option<Lease>,
    /// What nobody can tell the end of, where it would wait for that.
    pub waits: Option<Waits>,
}

/// What somebody would wait for, nobody knows until when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Waits {
    /// For the turn of somebody who asked before.
    Turn(Turn),
    /// For something else: a sentence.
    Told(String),
}

impl Book {
    /// What would come of a wish, which is not made.
    ///
    /// # Errors
    /// It would be refused, however long the asker would wait.
    pub fn forecast(&self, now: Time, ask: Ask, claims: Claims<'_>) -> Result<Forecast, Refusal> {
        let mut ahead = self.clone();
        // A check takes some minutes, which nobody can foretell.
        ahead.upkeep.after_each = false;
        let id = ahead.ask(now, Ask { wait: None, offer: None, ..ask }, claims)?;
        ahead.take_rows();
        let (mut at, mut after) = (now, None);
        for _ in 0..STEPS_MAX {
            ahead.settle(at, claims);
            for row in ahead.take_rows() {
                let is_near = || {
                    let set = ahead.leases.get(&id).and_then(|lease| lease.what.set());
                    row.what.set().zip(set).is_some_and(|(one, other)| one.touches(other))
                };
                if row.is_over() && is_near() {
                    after = self.leases.get(&row.id).cloned().or(after);
                }
            }
            let Some(lease) = ahead.leases.get(&id) else { break };
            if lease.holds() || matches!(lease.state, State::Asked { .. }) {
                return Ok(Forecast { lease: lease.clone(), at: Some(at), after, waits: None });
            }
            let Some(next) = ahead.deadline() else { break };
            at = at.max(next);
            ahead.pass(at);
        }
        // Only what waits is left: it stays as long as somebody without an end has it, or a run waits before.
        let lease = ahead.leases.get(&id).cloned().ok_or(Refusal::NoSuch { lease: id })?;
        let waits = ahead.waits_of(at, &lease, claims);
        let held = lease.what.set().into_iter().flat_map(|set| self.holding(set));
        let without_end = held.filter(|held| held.until.is_none()).max_by_key(|held| held.id).cloned();
        let after = without_end.or_else(|| after.filter(|_| waits.is_none()));
        Ok(Forecast { lease, at: None, after, waits })
    }

    /// What stands in the way of a lease and is no lease.
    fn waits_of(&self, now: Time, lease: &Lease, claims: Claims<'_>) -> Option<Waits> {
        if let Some(needs) = lease.needs.as_ref().filter(|_| lease.leaves_choice()) {
            let choice = self.choices.get(needs)?;
            return Some(Waits::Told(self.none_free(now, lease, choice, claims)));
        }
        let want = lease.want_from(now);
        match self.obstacle(now, &want, &lease.rank(), claims)? {
            Obstacle::Held(_) | Obstacle::Booked(_) => None,
            Obstacle::Behind(turn) => Some(Waits::Turn(turn)),
            Obstacle::Unfit => Some(Waits::Told(self.told_unfit(&want))),
        }
    }

    /// Everybody who waits by themselves and can begin does. Runs need more than the book knows, and go on waiting.
    fn settle(&mut self, now: Time, claims: Claims<'_>) {
        while let Some(woken) = self.pop_woken() {
            let begins = match woken.rank.turn {
                Turn::Ask(id) => self.try_begin(now, id, claims),
                Turn::Part { .. } => false,
            };
            if !begins {
                self.passed(woken, claims(woken.rank.turn));
            }
        }
    }
}
