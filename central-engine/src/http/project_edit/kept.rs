//! Drafts as they were read last: the next change of one begins with the text that the one before has led to, and need not be read again for that.
//!
//! Nothing depends on it. What is kept is found by the hash of its text, so whoever finds it has sent that very text.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
};

use jackfield_config::{Read, project::edit::ProjectFile, source::Source};

/// Drafts that are kept; the one that was used longest ago goes.
const KEPT_MAX: usize = 8;
/// Bytes of the texts of all of them.
const BYTES_MAX: usize = 32 * 1024 * 1024;

type Key = (Arc<str>, blake3::Hash);

/// The drafts that are kept.
#[derive(Debug)]
pub(super) struct Kept(Mutex<VecDeque<(Key, ProjectFile)>>);

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
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let at = kept.iter().position(|(key, _)| *key == wanted);
        let found = at.and_then(|at| kept.remove(at));
        drop(kept);
        match found {
            Some((_, file)) => Read { value: Some(file), problems: Vec::new() },
            None => ProjectFile::read(source),
        }
    }

    /// Keeps a draft for the next change of it.
    pub(super) fn keep(&self, file: ProjectFile) {
        let key = key(file.name(), file.text());
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.push_front((key, file));
        let mut bytes = 0_usize;
        let fits = |(_, file): &(Key, ProjectFile)| {
            bytes = bytes.saturating_add(file.text().len());
            bytes <= BYTES_MAX
        };
        let count = kept.iter().take(KEPT_MAX).map(fits).take_while(|fits| *fits).count();
        kept.truncate(count);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_drafts_that_were_used_last_are_kept_within_their_bounds() {
        let kept = Kept::new();
        let source = |nth: usize| Arc::new(Source::new("p.xml", format!("<Root><!-- {nth} --></Root>")));
        for nth in 0..=KEPT_MAX {
            kept.keep(ProjectFile::read(&source(nth)).value.unwrap());
        }
        let count = || kept.0.lock().unwrap().len();
        assert_eq!(count(), KEPT_MAX);
        let newest = source(KEPT_MAX);
        assert_eq!(kept.read(&newest).value.unwrap().text(), newest.text());
        assert_eq!(count(), KEPT_MAX - 1, "it was kept, and is in use now");
        assert_eq!(kept.read(&source(0)).value.unwrap().text(), source(0).text(), "read anew");
        let large = format!("<Root><!-- {} --></Root>", "x".repeat(BYTES_MAX));
        kept.keep(ProjectFile::read(&Arc::new(Source::new("p.xml", large))).value.unwrap());
        assert_eq!(count(), 0);
    }
}
