//! A text that must not be read by accident: a password, a key, a token.
//!
//! It becomes a [`Secret`] where it comes in, and from there on cannot be printed, logged, put into an error or written into an answer: it has no
//! `Display` and no `Serialize`, and `Debug` shows stars. Each way out is a door with a name of its own, so that a search for `expose_for` finds all
//! of them, and a table in `tests/rules` says which file may use which. Its memory is overwritten when it is dropped.

use std::fmt;

use serde::{Deserialize, Serializer};
use zeroize::Zeroize;

/// Parts of names of properties that hold secrets.
const PARTS: [&str; 12] = [
    "passw",
    "passphrase",
    "passcode",
    "pwd",
    "secret",
    "token",
    "community",
    "private",
    "credential",
    "apikey",
    "totp",
    "bearer",
];
/// Names that are one as a whole; `conf` are lines of snmp.conf.
const WHOLE: [&str; 6] = ["pass", "pw", "pin", "psk", "otp", "conf"];
/// Ends of such names.
const ENDS: [&str; 2] = ["enable", "key"];
/// Names that end so and are no secrets.
const OPEN: [&str; 4] = ["public_key", "host_key", "publickey", "hostkey"];

/// Whether a property of this name holds a secret: labs name properties as they like, so their names are all there is to tell by.
pub fn names_a_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase().replace('-', "_");
    let ends = ENDS.iter().any(|end| name.ends_with(end)) && !OPEN.iter().any(|open| name.ends_with(open));
    ends || WHOLE.contains(&name.as_str())
        || name.ends_with("_psk")
        || PARTS.iter().any(|part| name.contains(part))
}

/// A text that is never shown.
///
/// ```compile_fail
/// println!("{}", jackfield_protocol::secret::Secret::new("hunter2"));
/// ```
///
/// ```compile_fail
/// serde_json::to_string(&jackfield_protocol::secret::Secret::new("hunter2"));
/// ```
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(value_type = String, format = Password))]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// Hides a text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Whether there is nothing to hide.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many bytes it has.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// The same with other text around it or less of it, as hidden as before: what the closure is given goes nowhere else.
    #[must_use]
    pub fn map(&self, change: impl FnOnce(&str) -> String) -> Self {
        Self(change(&self.0))
    }

    /// To the device that asks for it, or to whoever is asked to prove something to a device: its dialogue, its files, its PDU.
    pub fn expose_for_device(&self) -> &str {
        &self.0
    }

    /// To a server that lets us in by it: an engine, a database, a mail server.
    pub fn expose_for_login(&self) -> &str {
        &self.0
    }

    /// To the person or program it was made for, once.
    pub fn expose_for_owner(&self) -> &str {
        &self.0
    }

    /// Into a hash, or for a comparison with one.
    pub fn expose_for_hash(&self) -> &str {
        &self.0
    }

    /// To what strikes it out of records, which must know what to look for.
    pub fn expose_for_striking_out(&self) -> &str {
        &self.0
    }

    /// Into a message to the one peer it is meant for: `#[serde(serialize_with = "Secret::expose_for_peer")]`.
    ///
    /// # Errors
    /// The serializer's own.
    pub fn expose_for_peer<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&self.0)
    }
}

impl From<&str> for Secret {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("********")
    }
}

impl Drop for Secret {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

#[cfg(test)]
mod tests {
    use serde::Serialize;

    use super::*;

    #[test]
    fn names_of_secrets_are_known_and_others_are_not_taken_for_them() {
        for name in [
            "password",
            "Enable",
            "snmp-community",
            "pass",
            "wpa_psk",
            "conf",
            "totp_secret",
            "key",
            "ssh_key",
            "api-token",
            "bearer",
        ] {
            assert!(names_a_secret(name), "{name}");
        }
        for name in [
            "host",
            "host_key",
            "public-key",
            "port",
            "passive",
            "config",
            "hotplug",
            "monkeys",
            "pinout",
            "profile",
        ] {
            assert!(!names_a_secret(name), "{name}");
        }
    }

    #[test]
    fn a_secret_is_stars_wherever_it_is_not_asked_for_by_name() {
        #[derive(Debug, Deserialize, Serialize)]
        struct Greeting {
            #[serde(serialize_with = "Secret::expose_for_peer")]
            token: Secret,
        }
        let greeting: Greeting = serde_json::from_str(r#"{"token":"hunter2"}"#).unwrap();
        assert_eq!(
            format!("{greeting:?} {:#?}", Some(&greeting.token)),
            "Greeting { token: ******** } Some(\n    ********,\n)"
        );
        assert_eq!(serde_json::to_string(&greeting).unwrap(), r#"{"token":"hunter2"}"#);
        let longer = greeting.token.map(|text| format!("Bearer {text}"));
        assert_eq!(
            (longer.expose_for_login(), longer.len(), longer.is_empty()),
            ("Bearer hunter2", 14, false)
        );
    }
}
