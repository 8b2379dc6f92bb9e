//! IDs of copies: the first copy keeps the file's ID, further ones get new IDs that are the same each time.

use std::{collections::BTreeMap, sync::Arc};

/// The ID of a suite or test that has none: from its place in the file.
pub(in crate::project) fn of_place(place: &[usize]) -> Arc<str> {
    let mut hasher = blake3::Hasher::new();
    hasher.update(b"place");
    for step in place {
        hasher.update(&u64::try_from(*step).unwrap_or(u64::MAX).to_be_bytes());
    }
    uuid(&hasher).into()
}

/// The ID of a copy: `copy` counts from 0. A placed copy carries its EP behind `#`.
pub(super) fn of_copy(origin: &Arc<str>, copy: u32, ep: Option<&str>) -> Arc<str> {
    let base = origin.split('#').next().unwrap_or_default();
    match (copy, ep) {
        (0, None) => Arc::clone(origin),
        (0, Some(ep)) => format!("{base}#{ep}").into(),
        (_, None) => derived(origin, copy).into(),
        (_, Some(ep)) => format!("{}#{ep}", derived(origin, copy)).into(),
    }
}

/// The ID of a copy that somebody makes in an editor: the same for the same salt.
pub(in crate::project) fn salted_id(origin: &str, salt: &str) -> String {
    let mut hasher = blake3::Hasher::new();
    hasher.update(b"edit").update(salt.as_bytes()).update(b"\0").update(origin.as_bytes());
    uuid(&hasher)
}

fn derived(origin: &str, copy: u32) -> String {
    let mut hasher = blake3::Hasher::new();
    hasher.update(b"copy").update(&copy.to_be_bytes()).update(origin.as_bytes());
    uuid(&hasher)
}

/// 128 bits of the hash as a UUID of version 8, the one that is free for own schemes.
fn uuid(hasher: &blake3::Hasher) -> String {
    let hash = hasher.finalize();
    let mut bytes = [0; 16];
    bytes.iter_mut().zip(hash.as_bytes()).for_each(|(byte, from)| *byte = *from);
    let number = u128::from_be_bytes(bytes);
    let number = number & !(0xf << 76) & !(0b11 << 62) | (0x8 << 76) | (0b10 << 62);
    let hex = format!("{number:032x}");
    let part = |from: usize, to: usize| hex.get(from..to).unwrap_or_default();
    format!("{}-{}-{}-{}-{}", part(0, 8), part(8, 12), part(12, 16), part(16, 20), part(20, 32))
}

/// Counts the copies of each origin, so that no two get one ID, even where a file uses an ID twice.
#[derive(Debug, Default)]
pub(super) struct Slots {
    by_origin: BTreeMap<Arc<str>, usize>,
}

impl Slots {
    /// The slot of an origin; true where it is new.
    pub(super) fn slot(&mut self, origin: &Arc<str>) -> (usize, bool) {
        if let Some(slot) = self.by_origin.get(origin) {
            return (*slot, false);
        }
        let slot = self.by_origin.len();
        self.by_origin.insert(Arc::clone(origin), slot);
        (slot, true)
    }

    /// The slot of an ID, where there is one.
    pub(super) fn find(&self, id: &str) -> Option<usize> {
        self.by_origin.get(id).copied()
    }

    /// All IDs, for suggestions.
    pub(super) fn ids(&self) -> impl Iterator<Item = &str> + Clone {
        self.by_origin.keys().map(AsRef::as_ref)
    }

    pub(super) fn len(&self) -> usize {
        self.by_origin.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_stable_and_distinct() {
        let origin: Arc<str> = "7d0fe343".into();
        assert_eq!(of_copy(&origin, 0, None), origin);
        assert_eq!(of_copy(&origin, 0, Some("EP-1")).as_ref(), "7d0fe343#EP-1");
        assert_eq!(of_copy(&"7d0fe343#EP-1".into(), 0, Some("EP-1")).as_ref(), "7d0fe343#EP-1");
        insta::assert_snapshot!(of_copy(&origin, 1, None), @"02fe2e61-3226-82df-b005-f9c89afb1f19");
        assert_ne!(of_copy(&origin, 1, None), of_copy(&origin, 2, None));
        assert_ne!(of_place(&[0, 1]), of_place(&[1, 0]));
        assert_eq!(of_place(&[0]).chars().nth(14), Some('8'));
    }
}
