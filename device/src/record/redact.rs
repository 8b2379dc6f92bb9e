//! Strikes secrets out of a stream, also where they arrive in pieces.

/// What stands where a secret stood.
pub const STARS: &[u8] = b"********";

/// Shorter ones are part of ordinary words: to strike them out would spoil the text and hide nothing.
pub const SECRET_BYTES_MIN: usize = 4;

/// A stream without its secrets.
#[derive(Clone, Debug, Default)]
pub struct Redactor {
    secrets: Vec<Vec<u8>>,
    /// The bytes that secrets begin with.
    begins: Vec<u8>,
    held: Vec<u8>,
}

impl Redactor {
    /// Strikes out these, but for the shortest. The longest go first, so that none is left in part.
    pub fn new(secrets: &[impl AsRef<[u8]>]) -> Self {
        let mut redactor = Self::default();
        redactor.add(secrets);
        redactor
    }

    /// Strikes out these too.
    pub fn add(&mut self, secrets: &[impl AsRef<[u8]>]) {
        let more = secrets
            .iter()
            .map(|secret| secret.as_ref().to_vec())
            .filter(|secret| secret.len() >= SECRET_BYTES_MIN)
            .filter(|secret| !self.secrets.contains(secret));
        let more: Vec<Vec<u8>> = more.collect();
        self.secrets.extend(more);
        self.secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        self.secrets.dedup();
        self.begins = self.secrets.iter().filter_map(|secret| secret.first().copied()).collect();
        self.begins.sort_unstable();
        self.begins.dedup();
    }

    /// Takes the next bytes and gives what may be shown: all but an end that could be the beginning of a secret.
    pub fn push(&mut self, bytes: &[u8]) -> Vec<u8> {
        if self.secrets.is_empty() {
            return bytes.to_vec();
        }
        self.held.extend_from_slice(bytes);
        self.strike(false)
    }

    /// What was held back, when nothing follows.
    pub fn finish(&mut self) -> Vec<u8> {
        self.strike(true)
    }

    fn strike(&mut self, at_end: bool) -> Vec<u8> {
        let mut clean = Vec::with_capacity(self.held.len());
        let mut rest: &[u8] = &self.held;
        while let Some((&first, after)) = rest.split_first() {
            if !self.begins.contains(&first) {
                // Nearly all bytes begin no secret, and go through in one piece.
                let plain = self.next_beginning(rest).unwrap_or(rest.len());
                let (text, tail) = rest.split_at_checked(plain).unwrap_or((rest, &[]));
                clean.extend_from_slice(text);
                rest = tail;
                continue;
            }
            let could_grow = |secret: &Vec<u8>| secret.len() > rest.len() && secret.starts_with(rest);
            if !at_end && self.secrets.iter().any(could_grow) {
                break;
            }
            let whole = self.secrets.iter().find(|secret| rest.starts_with(secret));
            if let Some(tail) = whole.and_then(|secret| rest.get(secret.len()..)) {
                clean.extend_from_slice(STARS);
                rest = tail;
            } else {
                clean.push(first);
                rest = after;
            }
        }
        self.held = rest.to_vec();
        clean
    }

    fn next_beginning(&self, bytes: &[u8]) -> Option<usize> {
        match self.begins.as_slice() {
            [one] => memchr::memchr(*one, bytes),
            [one, two] => memchr::memchr2(*one, *two, bytes),
            [one, two, three] => memchr::memchr3(*one, *two, *three, bytes),
            many => bytes.iter().position(|byte| many.contains(byte)),
        }
    }

    /// A whole text without its secrets.
    pub fn text(&self, text: &str) -> String {
        let mut fresh = Self { held: Vec::new(), ..self.clone() };
        let mut clean = fresh.push(text.as_bytes());
        clean.extend(fresh.finish());
        String::from_utf8_lossy(&clean).into_owned()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn no_cut_lets_a_secret_through(before in "[a-e]{0,8}", after in "[a-e]{0,8}", cut in any::<prop::sample::Index>()) {
            let text = format!("{before}abcab{after}");
            let mut redactor = Redactor::new(&["abcab".to_owned()]);
            let at = cut.index(text.len() + 1);
            let mut shown = redactor.push(&text.as_bytes()[..at]);
            shown.extend(redactor.push(&text.as_bytes()[at..]));
            shown.extend(redactor.finish());
            let shown = String::from_utf8(shown).unwrap();
            prop_assert!(!shown.contains("abcab"), "{}", shown);
            prop_assert_eq!(&shown, &Redactor::new(&["abcab".to_owned()]).text(&text));
        }
    }

    #[test]
    fn a_longer_secret_goes_before_a_shorter_one_in_it() {
        let redactor = Redactor::new(&["cisco".to_owned(), "cisco123".to_owned()]);
        assert_eq!(redactor.text("cisco123 cisco"), "******** ********");
        assert_eq!(Redactor::new(&["lab".to_owned(), String::new()]).text("/lab/r1"), "/lab/r1");
        let mut redactor = redactor;
        let mut shown = redactor.push(b"cisco");
        shown.extend(redactor.push(b"123"));
        shown.extend(redactor.finish());
        assert_eq!(shown, STARS);
    }
}
