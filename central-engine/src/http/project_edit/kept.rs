//! Drafts as they were answered last: the next change of one begins with the text that the one before has led to, which need not be read again for
//! that, nor sent.
//!
//! Nothing depends on it. What is kept is found by the hash of its text, so whoever finds it has sent that very text, or by the number of the
//! answer that it was, by whom it was given to. Who asks for what is not kept any more sends the text.

use std::{
    collections::VecDeque,
    sync::{
        Arc, LazyLock, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use jackfield_config::{Read, project::edit::ProjectFile, source::Source};
use jackfield_protocol::id::UserName;

use super::shape::ProjectItem;
use crate::clock;

/// Drafts that are kept; the one that was used longest ago goes.
const KEPT_MAX: usize = 8;
/// Bytes of the texts of all of them.
const BYTES_MAX: usize = 32 * 1024 * 1024;

type Key = (Arc<str>, blake3::Hash);

/// The drafts that are kept.
#[derive(Debug)]
pub(super) struct Kept(Mutex<VecDeque<Draft>>);

#[derive(Debug)]
struct Draft {
    key: Key,
    file: ProjectFile,
    answer: Answer,
}

/// What somebody was answered of a draft.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    /// What nothing else was answered as, by this engine or one before it.
    pub(super) number: String,
    /// Whom.
    pub(super) user: UserName,
    /// The items as they were told.
    pub(super) items: Arc<Vec<ProjectItem>>,
}

impl Answer {
    pub(super) fn new(user: UserName, items: Arc<Vec<ProjectItem>>) -> Self {
        static STARTED: LazyLock<i64> = LazyLock::new(|| clock::now().0);
        static LAST: AtomicU64 = AtomicU64::new(0);
        let number = format!("{:x}.{}", *STARTED, LAST.fetch_add(1, Ordering::Relaxed));
        Self { number, user, items }
    }
}

fn key(name: &str, text: &str) -> Key {
    (name.into(), blake3::hash(text.as_bytes()))
}

impl Kept {
    pub(super) const fn new() -> Self {
        Self(Mutex::new(VecDeque::new()))
    }

    /// Reads a draft, unless it is kept.
    pub(super) fn read(&self, source: &Arc<Source>) -> Read<ProjectFile> {
        let wanted = key(source.name(), source.text());
        match self.take(|draft| draft.key == wanted) {
            Some(draft) => Read { value: Some(draft.file), problems: Vec::new() },
            None => ProjectFile::read(source),
        }
    }

    /// The draft that an answer was of, and that answer.
    pub(super) fn after(&self, number: &str, user: &UserName, name: &str) -> Option<(ProjectFile, Answer)> {
        let is_it = |draft: &Draft| {
            draft.answer.number == number && draft.answer.user == *user && draft.file.name() == name
        };
        self.take(is_it).map(|draft| (draft.file, draft.answer))
    }

    fn take(&self, is_wanted: impl Fn(&Draft) -> bool) -> Option<Draft> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let at = kept.iter().position(is_wanted)?;
        kept.remove(at)
    }

    /// Keeps a draft for the next change of it.
    pub(super) fn keep(&self, file: ProjectFile, answer: Answer) {
        let key = key(file.name(), file.text());
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.push_front(Draft { key, file, answer });
        let mut bytes = 0_usize;
        let fits = |draft: &Draft| {
            bytes = bytes.saturating_add(draft.file.text().len());
            bytes <= BYTES_MAX
        };
        let count = kept.iter().take(KEPT_MAX).map(fits).take_while(|fits| *fits).count();
        kept.truncate(count);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(user: &str) -> Answer {
        Answer::new(user.into(), Arc::default())
    }

    #[test]
    fn the_drafts_that_were_used_last_are_kept_within_their_bounds() {
        let kept = Kept::new();
        let source = |nth: usize| Arc::new(Source::new("p.xml", format!("<Root><!-- {nth} --></Root>")));
        for nth in 0..=KEPT_MAX {
            kept.keep(ProjectFile::read(&source(nth)).value.unwrap(), answer("ana"));
        }
        let count = || kept.0.lock().unwrap().len();
        assert_eq!(count(), KEPT_MAX);
        let newest = source(KEPT_MAX);
        assert_eq!(kept.read(&newest).value.unwrap().text(), newest.text());
        assert_eq!(count(), KEPT_MAX - 1, "it was kept, and is in use now");
        assert_eq!(kept.read(&source(0)).value.unwrap().text(), source(0).text(), "read anew");
        let large = format!("<Root><!-- {} --></Root>", "x".repeat(BYTES_MAX));
        kept.keep(ProjectFile::read(&Arc::new(Source::new("p.xml", large))).value.unwrap(), answer("ana"));
        assert_eq!(count(), 0);
    }

    #[test]
    fn what_was_answered_is_found_by_whom_it_was_given_to_alone() {
        let kept = Kept::new();
        let (one, other) = (answer("ana"), answer("ana"));
        assert_ne!(one.number, other.number);
        let file = || ProjectFile::read(&Arc::new(Source::new("p.xml", "<Root></Root>"))).value.unwrap();
        kept.keep(file(), one.clone());
        let found = |number: &str, user: &str, name: &str| kept.after(number, &user.into(), name).is_some();
        assert!(!found(&one.number, "bob", "p.xml") && !found(&one.number, "ana", "q.xml"));
        assert!(!found(&other.number, "ana", "p.xml"));
        assert!(found(&one.number, "ana", "p.xml"));
    }
}
