//! A message with its golden files.

use std::fmt::Debug;

use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

/// An enum whose variants all have a name, and all have a golden file.
pub(crate) trait Variants: Sized {
    /// Every name, by an exhaustive list.
    const NAMES: &'static [&'static str];
    /// The name of this one, by the same list.
    fn name(&self) -> &'static str;
}

/// Names every variant of an enum; a variant that is not listed does not compile.
macro_rules! variants {
    ($enum:ty { $($variant:pat => $name:literal),+ $(,)? }) => {
        impl $crate::sample::Variants for $enum {
            const NAMES: &'static [&'static str] = &[$($name),+];
            fn name(&self) -> &'static str {
                match self {
                    $($variant => $name),+
                }
            }
        }
    };
}
pub(crate) use variants;

/// What a text is when it is read.
#[derive(Debug, PartialEq)]
pub(crate) enum Reading {
    /// The value with everything set.
    Full,
    /// The value with nothing set that need not be.
    Bare,
    /// Another value; in words.
    Other(String),
}

type Reader = Box<dyn Fn(&str) -> Result<Reading, String>>;

/// A message: as a value, and as it is written.
pub(crate) struct Sample {
    /// Its file, below `golden/v1` and without ending: `ep_to_engine/hello`.
    pub name: String,
    /// With everything set, as it is written.
    pub full: Value,
    /// With everything set, as text.
    pub full_text: String,
    /// With nothing set that need not be, as text; none for a message without optional fields.
    pub bare_text: Option<String>,
    read: Reader,
}

impl Sample {
    /// A message without optional fields.
    pub(crate) fn new<T>(name: impl Into<String>, full: T) -> Self
    where
        T: Serialize + DeserializeOwned + PartialEq + Debug + 'static,
    {
        Self::make(name.into(), full, None)
    }

    /// A message with everything set, and with nothing set that need not be; all else is the same.
    pub(crate) fn with_bare<T>(name: impl Into<String>, full: T, bare: T) -> Self
    where
        T: Serialize + DeserializeOwned + PartialEq + Debug + 'static,
    {
        Self::make(name.into(), full, Some(bare))
    }

    fn make<T>(name: String, full: T, bare: Option<T>) -> Self
    where
        T: Serialize + DeserializeOwned + PartialEq + Debug + 'static,
    {
        Self {
            name,
            full: serde_json::to_value(&full).unwrap(),
            full_text: pretty(&full),
            bare_text: bare.as_ref().map(pretty),
            read: Box::new(move |text| {
                let value: T = serde_json::from_str(text).map_err(|e| e.to_string())?;
                Ok(match () {
                    () if value == full => Reading::Full,
                    () if bare.as_ref() == Some(&value) => Reading::Bare,
                    () => Reading::Other(format!("{value:?}")),
                })
            }),
        }
    }

    /// Reads a text as this message's type.
    pub(crate) fn read(&self, text: &str) -> Result<Reading, String> {
        (self.read)(text)
    }

    /// Reads a changed message.
    pub(crate) fn read_value(&self, value: &Value) -> Result<Reading, String> {
        self.read(&value.to_string())
    }
}

/// One sample for each variant of an enum; the folder is the enum's.
pub(crate) struct Family<T> {
    folder: &'static str,
    samples: Vec<Sample>,
    seen: Vec<&'static str>,
    variants: std::marker::PhantomData<T>,
}

impl<T: Variants + Serialize + DeserializeOwned + PartialEq + Debug + 'static> Family<T> {
    pub(crate) fn new(folder: &'static str) -> Self {
        Self { folder, samples: Vec::new(), seen: Vec::new(), variants: std::marker::PhantomData }
    }

    /// A variant without optional fields.
    pub(crate) fn one(mut self, full: T) -> Self {
        let name = self.note(&full);
        self.samples.push(Sample::new(name, full));
        self
    }

    /// A variant with everything set, and with nothing set that need not be.
    pub(crate) fn both(mut self, full: T, bare: T) -> Self {
        let name = self.note(&full);
        assert_eq!(full.name(), bare.name());
        self.samples.push(Sample::with_bare(name, full, bare));
        self
    }

    fn note(&mut self, value: &T) -> String {
        self.seen.push(value.name());
        format!("{}/{}", self.folder, value.name())
    }

    /// The samples, when every variant has one.
    pub(crate) fn whole(mut self) -> Vec<Sample> {
        let mut names = T::NAMES.to_vec();
        names.sort_unstable();
        self.seen.sort_unstable();
        assert_eq!(self.seen, names, "each variant of {} has one sample", self.folder);
        self.samples
    }
}

fn pretty<T: Serialize>(value: &T) -> String {
    let mut text = serde_json::to_string_pretty(value).unwrap();
    text.push('\n');
    text
}

/// Every message there is.
pub(crate) fn all() -> Vec<Sample> {
    let mut samples = crate::link::samples();
    samples.extend(crate::console::samples());
    samples.extend(crate::power::samples());
    samples.extend(crate::decided::samples());
    samples.extend(crate::event::samples());
    samples.extend(crate::plan::samples());
    samples.extend(crate::api::samples());
    samples
}
