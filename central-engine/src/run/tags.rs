//! What a test's source says of itself in its comments, as Twister reads it: `# <title>Ping all ports</title>`.

use std::{collections::BTreeMap, sync::Arc};

use jackfield_protocol::id::BlobHash;
use jackfield_reporting::results::Results;

use crate::{blobs::Blobs, limits};

/// The tags that reports and statements can name.
const NAMES: [&str; 3] = ["title", "description", "revision"];

/// Values by the names of tags.
pub(crate) type Tags = BTreeMap<Arc<str>, Arc<str>>;

/// Reads the tags of every test of a run; each file once. Blocks on the disk.
pub(crate) fn fill(results: &mut Results, blobs: &Blobs) {
    let mut read: BTreeMap<BlobHash, Tags> = BTreeMap::new();
    let plan = Arc::clone(&results.plan);
    for (test, result) in plan.tests.iter().zip(&mut results.tests) {
        let Some(hash) = test.content.or_else(|| plan.files.get(&test.file).copied()) else { continue };
        let tags = read.entry(hash).or_insert_with(|| {
            // A file that is not there any more says nothing; the run is told of that elsewhere.
            let bytes = blobs.read(&hash).ok().flatten().unwrap_or_default();
            let head = bytes.get(..limits::TAG_BYTES).unwrap_or(&bytes);
            tags_of(&String::from_utf8_lossy(head))
        });
        result.tags.clone_from(tags);
    }
}

/// What a source says of itself.
pub(crate) fn tags_of(source: &str) -> Tags {
    let tag = |name: &'static str| {
        let (begin, end) = (format!("<{name}>"), format!("</{name}>"));
        let (before, rest) = source.split_once(&begin)?;
        let lead = before.rsplit('\n').next().unwrap_or_default();
        let (value, _) = rest.split_once(&end).filter(|_| is_lead(lead))?;
        let lines = value.lines().map(|line| line.trim_start_matches(is_lead_letter).trim());
        let text = lines.filter(|line| !line.is_empty()).collect::<Vec<_>>().join(" ");
        Some((Arc::from(name), Arc::from(text)))
    };
    NAMES.into_iter().filter_map(tag).collect()
}

/// Whether nothing but the beginning of a comment stands before a tag.
fn is_lead(text: &str) -> bool {
    text.chars().all(is_lead_letter)
}

fn is_lead_letter(letter: char) -> bool {
    letter.is_whitespace() || matches!(letter, '#' | '/' | '*' | ';' | '-' | '%' | '"' | '\'')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_stand_in_comments_of_any_language() {
        let tags = |source: &str| {
            let tags = tags_of(source);
            tags.into_iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("; ")
        };
        assert_eq!(
            tags(
                "#!/bin/sh\n# <title>Ping</title>\n# <description>All ports,\n#   one by one</description>\nping x\n"
            ),
            "description=All ports, one by one; title=Ping"
        );
        assert_eq!(tags("// <title>Java</title> <revision>7</revision>\n"), "title=Java");
        assert_eq!(tags("page = '<title>no tag</title>'\n"), "");
        assert_eq!(tags("# <title>never closed\n"), "");
    }
}
