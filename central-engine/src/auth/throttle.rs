//! Failed log-ins, counted, so that guessing passwords is slow.

use std::collections::BTreeMap;

use jackfield_protocol::time::Time;

use crate::limits;

/// Failures by user and by address, each within a window that starts with the first.
#[derive(Debug, Default)]
pub struct Throttle {
    failures: BTreeMap<String, (Time, u32)>,
}

impl Throttle {
    /// Whether another try is allowed for each of these (a user, an address), after at most so many failures.
    pub fn allows(&self, keys: &[String], failures_max: u64, now: Time) -> bool {
        keys.iter().all(|key| {
            self.failures.get(key).is_none_or(|(since, count)| {
                u64::from(*count) < failures_max || now.millis_since(*since) >= limits::LOGIN_WINDOW_MILLIS
            })
        })
    }

    /// Counts a failure for each.
    pub fn failed(&mut self, keys: &[String], now: Time) {
        self.failures.retain(|_, (since, _)| now.millis_since(*since) < limits::LOGIN_WINDOW_MILLIS);
        for key in keys {
            if self.failures.len() >= limits::LOGIN_TRACKED_MAX && !self.failures.contains_key(key) {
                let oldest = self.failures.iter().min_by_key(|(_, (since, _))| *since);
                if let Some(oldest) = oldest.map(|(key, _)| key.clone()) {
                    self.failures.remove(&oldest);
                }
            }
            let (_, count) = self.failures.entry(key.clone()).or_insert((now, 0));
            *count = count.saturating_add(1);
        }
    }

    /// The right password clears a user's failures; those of the address stay.
    pub fn succeeded(&mut self, user: &str) {
        self.failures.remove(user);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn too_many_failures_close_the_door_for_the_window() {
        let mut throttle = Throttle::default();
        let keys = ["ana".to_owned(), "10.0.0.9".to_owned()];
        for _ in 0..10 {
            assert!(throttle.allows(&keys, 10, Time(0)));
            throttle.failed(&keys, Time(0));
        }
        assert!(!throttle.allows(&keys, 10, Time(1)));
        assert!(
            !throttle.allows(&["bob".to_owned(), "10.0.0.9".to_owned()], 10, Time(1)),
            "the address counts too"
        );
        assert!(throttle.allows(&keys, 10, Time(0).plus_millis(limits::LOGIN_WINDOW_MILLIS)));
        throttle.succeeded("ana");
        assert!(throttle.allows(&["ana".to_owned()], 10, Time(1)));
    }
}
