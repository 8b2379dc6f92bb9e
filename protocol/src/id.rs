//! Names of things. Each is its own type, so that a run is never taken for an attempt.

use std::{fmt, str::FromStr, sync::Arc};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A text that is not the id it should be.
#[derive(Debug, thiserror::Error)]
#[error("`{text}` is not {expected}")]
pub struct IdError {
    text: String,
    expected: &'static str,
}

macro_rules! number_id {
    ($(#[$doc:meta])* $name:ident($number:ty), $expected:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
        #[serde(transparent)]
        pub struct $name(pub $number);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = IdError;
            fn from_str(text: &str) -> Result<Self, IdError> {
                text.parse().ok().map(Self).ok_or_else(|| IdError { text: text.to_owned(), expected: $expected })
            }
        }
    };
}

number_id! {
    /// One launch of a project; counted up from 1 by the store.
    RunId(u64), "a run number, such as 41"
}
number_id! {
    /// The place of a test in [`crate::plan::RunPlan::tests`], from 0.
    TestIndex(u32), "the number of a test in its run"
}
number_id! {
    /// The place of a suite in [`crate::plan::RunPlan::suites`], from 0.
    SuiteIndex(u32), "the number of a suite in its run"
}
number_id! {
    /// One connection of an EP; grows with each, so that what a stale one still says is dropped.
    Epoch(u64), "the number of a connection"
}
number_id! {
    /// A person's console on a device; counted up from 1 in each life of the engine.
    ConsoleId(u64), "the number of a console"
}
number_id! {
    /// A right to use a resource, SUT or EP; counted up from 1.
    LeaseId(u64), "a lease number"
}

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(value_type = String))]
        #[serde(transparent)]
        pub struct $name(pub Arc<str>);

        impl $name {
            /// The name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self(text.into())
            }
        }

        impl From<String> for $name {
            fn from(text: String) -> Self {
                Self(text.into())
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

text_id! {
    /// An Execution Process, by the name it registers with: unique in one engine.
    EpName
}
text_id! {
    /// A person or service with an account.
    UserName
}
text_id! {
    /// A SUT as projects write it and the store keeps it: `name.user` or `name.system`, without the slash.
    SutName
}

/// One try of one test of a run on one EP: `41.17.1` is the first try of test 17 of run 41.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AttemptId {
    /// The run.
    pub run: RunId,
    /// The test in that run.
    pub test: TestIndex,
    /// Counted from 1; it grows when a test that was sent to one EP is given to another.
    pub attempt: u16,
}

#[cfg(feature = "openapi")]
impl utoipa::PartialSchema for AttemptId {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        String::schema()
    }
}

#[cfg(feature = "openapi")]
impl utoipa::ToSchema for AttemptId {}

const ATTEMPT: &str = "an attempt, such as 41.17.1";

impl fmt::Display for AttemptId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.run, self.test, self.attempt)
    }
}

impl FromStr for AttemptId {
    type Err = IdError;
    fn from_str(text: &str) -> Result<Self, IdError> {
        // Numbers as Rust reads them may begin with a plus; an id does not.
        let is_plain = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
        let parse = || {
            let mut parts = text.split('.');
            let run = parts.next()?.parse().ok()?;
            let test = parts.next()?.parse().ok()?;
            let attempt = parts.next()?.parse().ok()?;
            parts.next().is_none().then_some(Self { run: RunId(run), test: TestIndex(test), attempt })
        };
        parse().filter(|_| is_plain).ok_or_else(|| IdError { text: text.to_owned(), expected: ATTEMPT })
    }
}

impl Serialize for AttemptId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for AttemptId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

/// The BLAKE3 hash of some bytes, 64 hexadecimal digits in text: the name by which files travel.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(value_type = String))]
pub struct BlobHash(pub [u8; 32]);

impl fmt::Display for BlobHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for BlobHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for BlobHash {
    type Err = IdError;
    fn from_str(text: &str) -> Result<Self, IdError> {
        let refuse =
            || IdError { text: text.to_owned(), expected: "a content hash of 64 hexadecimal digits" };
        if text.len() != 64 || !text.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return Err(refuse());
        }
        let mut bytes = [0; 32];
        for (byte, digits) in bytes.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
            let digits = std::str::from_utf8(digits).ok().ok_or_else(refuse)?;
            *byte = u8::from_str_radix(digits, 16).ok().ok_or_else(refuse)?;
        }
        Ok(Self(bytes))
    }
}

impl Serialize for BlobHash {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for BlobHash {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_attempt_reads_as_it_is_written() {
        let id = AttemptId { run: RunId(41), test: TestIndex(17), attempt: 1 };
        assert_eq!(id.to_string(), "41.17.1");
        assert_eq!("41.17.1".parse::<AttemptId>().unwrap(), id);
        for bad in ["", "41", "41.17", "41.17.1.2", "41.-1.1", "41.17.x", "41.+17.1", "+9.41.17.1"] {
            assert!(bad.parse::<AttemptId>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_hash_refuses_what_is_not_hexadecimal() {
        let text = "ab".repeat(32);
        assert_eq!(text.parse::<BlobHash>().unwrap().to_string(), text);
        assert!("zz".repeat(32).parse::<BlobHash>().is_err());
        assert!("+a".repeat(32).parse::<BlobHash>().is_err());
        assert!("é".repeat(32).parse::<BlobHash>().is_err());
    }
}
