//! What takes a fix back: a unified diff with a head that says the fault. A change is found by its lines, not by their numbers, so that a patch
//! goes on to fit while the file around it changes; lines that stand there twice, or not at all, are an error.

use std::{collections::BTreeMap, ops::Range};

use anyhow::{Context, Result, bail};

/// A patch.
#[derive(Debug)]
pub(super) struct Patch {
    /// The fault, in words.
    pub(super) fault: String,
    /// Seeds of the model among which one sees it.
    pub(super) seeds: Range<u64>,
    changes: Vec<Change>,
}

#[derive(Debug)]
struct Change {
    file: String,
    before: String,
    after: String,
}

impl Patch {
    pub(super) fn parse(text: &str) -> Result<Self> {
        let seeds = head(text, "Seeds: ")?;
        let seeds = seeds_of(seeds).with_context(|| format!("`Seeds: {seeds}`"))?;
        let (fault, _) = (head(text, "Fault: ")?.to_owned(), head(text, "Taken back: ")?);
        let (mut changes, mut file) = (Vec::<Change>::new(), None);
        let mut lines = text.lines().skip_while(|line| !line.starts_with("--- "));
        while let Some(line) = lines.next() {
            if line.starts_with("--- ") {
                let named = lines.next().and_then(|line| line.strip_prefix("+++ b/"));
                file = Some(named.context("no `+++ b/FILE` stands behind `---`")?.to_owned());
            } else if line.starts_with("@@ ") {
                let file = file.clone().context("lines stand before the name of their file")?;
                changes.push(Change { file, before: String::new(), after: String::new() });
            } else {
                let change = changes.last_mut().context("lines stand before the first `@@`")?;
                change.take(line).with_context(|| format!("`{line}`"))?;
            }
        }
        if changes.is_empty() {
            bail!("it changes nothing");
        }
        Ok(Self { fault, seeds, changes })
    }

    /// The files that it changes, with what stands in them then.
    pub(super) fn applied(&self, read: impl Fn(&str) -> Result<String>) -> Result<BTreeMap<&str, String>> {
        let mut files: BTreeMap<&str, String> = BTreeMap::new();
        for Change { file, before, after } in &self.changes {
            let text = match files.remove(file.as_str()) {
                Some(text) => text,
                None => read(file)?,
            };
            match text.matches(before.as_str()).count() {
                1 => files.insert(file, text.replacen(before.as_str(), after, 1)),
                count => bail!(
                    "these lines stand {count} times in `{file}`, not once: take the fix back anew\n{before}"
                ),
            };
        }
        Ok(files)
    }
}

impl Change {
    fn take(&mut self, line: &str) -> Result<()> {
        let (sign, line) = line.split_at_checked(1).unwrap_or((" ", ""));
        let (is_before, is_after) = match sign {
            " " => (true, true),
            "-" => (true, false),
            "+" => (false, true),
            _ => bail!("is no line of a diff"),
        };
        for (_, text) in
            [(is_before, &mut self.before), (is_after, &mut self.after)].into_iter().filter(|(is, _)| *is)
        {
            text.push_str(line);
            text.push('\n');
        }
        Ok(())
    }
}

/// A line of the head.
fn head<'t>(text: &'t str, key: &str) -> Result<&'t str> {
    let mut lines = text.lines().take_while(|line| !line.starts_with("--- "));
    lines.find_map(|line| line.strip_prefix(key)).with_context(|| format!("its head has no line `{key}…`"))
}

/// Seeds as they are written.
pub(super) fn seeds_of(text: &str) -> Result<Range<u64>> {
    let (from, to) = text.split_once("..").context("seeds are written as FROM..TO")?;
    let seeds = from.parse()?..to.parse()?;
    if seeds.is_empty() {
        bail!("there is no seed among them");
    }
    Ok(seeds)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATCH: &str = "Fault: a stone rolls.\nTaken back: a wall.\nSeeds: 3..9\n\n--- a/one.rs\n+++ b/one.rs\n@@ -1,3 +1,2 @@\n a\n-b\n c\n";

    #[test]
    fn a_change_is_found_by_its_lines() {
        let patch = Patch::parse(PATCH).unwrap();
        assert_eq!((patch.fault.as_str(), patch.seeds.clone()), ("a stone rolls.", 3..9));
        let applied = |text: &'static str| patch.applied(|_| Ok(text.to_owned()));
        assert_eq!(applied("x\nx\na\nb\nc\ny\n").unwrap().get("one.rs").unwrap(), "x\nx\na\nc\ny\n");
        assert!(applied("a\nc\n").unwrap_err().to_string().contains("0 times in `one.rs`"));
        assert!(applied("a\nb\nc\na\nb\nc\n").unwrap_err().to_string().contains("2 times"));
    }

    #[test]
    fn what_is_no_patch_is_refused() {
        for (from, to, why) in [
            ("Seeds: 3..9", "", "no line `Seeds: …`"),
            ("3..9", "3", "Seeds: 3"),
            ("3..9", "9..3", "Seeds: 9..3"),
            ("+++ b/one.rs\n", "", "behind `---`"),
            ("@@ -1,3 +1,2 @@\n", "", "before the first `@@`"),
            ("-b", "*b", "*b"),
        ] {
            let error = Patch::parse(&PATCH.replace(from, to)).unwrap_err();
            assert!(error.to_string().contains(why), "{error}");
        }
    }
}
