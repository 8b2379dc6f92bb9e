//! A token as people handle it: the secret, and the engine that it is for.
//!
//! `jackfield_SECRET.PIN`: what comes after the point is the fingerprint of the engine's authority. It is no secret, and is never sent: it says
//! to whom the rest may be.

use jackfield_protocol::secret::Secret;

use crate::Fingerprint;

/// A token, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credential {
    /// What the engine is told.
    pub secret: Secret,
    /// The authority that it may be told to; none where the token says nothing of it.
    pub pin: Option<Fingerprint>,
}

impl Credential {
    /// Takes a token apart.
    pub fn read(token: &Secret) -> Self {
        let mut pin = None;
        let secret = token.map(|text| {
            let (secret, found) = Self::parts(text);
            pin = found;
            secret.to_owned()
        });
        Self { secret, pin }
    }

    /// The same of a text. One without a pin, or whose end is none, is a secret as a whole.
    pub fn parts(text: &str) -> (&str, Option<Fingerprint>) {
        let text = text.trim();
        let parts = text.rsplit_once('.').filter(|(_, end)| end.len() == 64);
        match parts.and_then(|(secret, end)| Some((secret, end.parse().ok()?))) {
            Some((secret, pin)) => (secret, Some(pin)),
            None => (text, None),
        }
    }

    /// The token that carries both.
    pub fn join(secret: &Secret, pin: Option<Fingerprint>) -> Secret {
        secret.map(|text| pin.map_or_else(|| text.to_owned(), |pin| format!("{text}.{}", pin.compact())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_taken_apart_as_it_was_put_together() {
        let (pin, secret) = (Fingerprint::of(b"authority"), Secret::new("jackfield_00ff"));
        for pin in [None, Some(pin)] {
            let token = Credential::join(&secret, pin).map(|text| format!("{text}\n"));
            assert_eq!(Credential::read(&token), Credential { secret: secret.clone(), pin });
        }
        for odd in ["", ".", "a.b", "jackfield_1.ab", &format!("x.{}", "g".repeat(64))] {
            assert_eq!(Credential::parts(odd), (odd, None));
        }
    }
}
