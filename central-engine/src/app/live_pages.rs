//! How many live pages are open, and whose: one person with too many keeps nobody else out.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use jackfield_protocol::id::UserName;

/// The books. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub(crate) struct LivePages(Arc<Mutex<BTreeMap<UserName, u64>>>);

impl LivePages {
    fn books(&self) -> MutexGuard<'_, BTreeMap<UserName, u64>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One more of this person, where there are fewer than `most` in all and `each` of theirs.
    ///
    /// # Errors
    /// There are not; why.
    pub(crate) fn open(&self, user: &UserName, most: u64, each: u64) -> Result<(), String> {
        let mut books = self.books();
        let all = books.values().fold(0_u64, |all, count| all.saturating_add(*count));
        if all >= most {
            return Err(format!(
                "{most} live pages are open, and no more are served (`limits.browsers` of engine.toml)"
            ));
        }
        let own = books.entry(user.clone()).or_default();
        if *own >= each {
            return Err(format!(
                "{each} live pages of {user} are open, and no more are served to one person (`limits.browsers_each` of engine.toml)"
            ));
        }
        *own = own.saturating_add(1);
        Ok(())
    }

    /// One of this person less.
    pub(crate) fn close(&self, user: &UserName) {
        let mut books = self.books();
        if let Some(own) = books.get_mut(user) {
            *own = own.saturating_sub(1);
            if *own == 0 {
                books.remove(user);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_person_cannot_take_the_places_of_all() {
        let pages = LivePages::default();
        let (ana, bob) = (UserName::from("ana"), UserName::from("bob"));
        pages.open(&ana, 3, 2).unwrap();
        pages.open(&ana, 3, 2).unwrap();
        assert!(pages.open(&ana, 3, 2).unwrap_err().contains("2 live pages of ana are open"));
        pages.open(&bob, 3, 2).unwrap();
        assert!(pages.open(&bob, 3, 2).unwrap_err().contains("3 live pages are open"));
        pages.close(&ana);
        pages.open(&bob, 3, 2).unwrap();
        pages.close(&ana);
        assert!(!pages.books().contains_key(&ana), "who has none is forgotten");
    }
}
