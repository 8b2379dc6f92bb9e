//! Small XML files edited by the names of their elements: `email.xml`, `fwmconfig.xml`, the head of `db.xml`.

use std::sync::Arc;

use jackfield_protocol::error::FileProblem;

use crate::{
    limits::FILE_BYTES_MAX,
    problem::Read,
    source::Source,
    xml::{self, Element, Splices, Tree, content_text},
};

/// An XML file that is edited; all but what is edited stays byte for byte.
#[derive(Clone, Debug)]
pub struct XmlFile {
    tree: Tree,
}

/// A place that an edit cannot reach.
#[derive(Debug, thiserror::Error)]
pub enum EditError {
    /// A name that is no element name.
    #[error("`{0}` is not the name of an element")]
    BadName(String),
    /// An element that holds others has no text of its own to set.
    #[error("<{0}> holds elements; name one of them")]
    NotAText(String),
    /// The edit would break the limits of a file.
    #[error("the file cannot take this edit: {}", .0.first().map(ToString::to_string).unwrap_or_default())]
    Refused(Vec<FileProblem>),
    /// It would be larger than any such file may be.
    #[error("the file would be larger than {0} bytes")]
    TooLarge(u64),
}

impl XmlFile {
    /// Reads a file for editing.
    pub fn read(source: &Arc<Source>) -> Read<Self> {
        xml::parse(source).map(|tree| Self { tree }).into()
    }

    /// The text as it is now.
    pub fn text(&self) -> &str {
        self.tree.source().text()
    }

    /// The text of the first element with these names below the root, trimmed: `["LogFiles", "logCli"]`.
    pub fn get(&self, path: &[&str]) -> Option<String> {
        let element = path.iter().try_fold(self.tree.root(), |at, name| at.child(name))?;
        Some(element.text().trim().to_owned())
    }

    /// Sets the text of the first element with these names; elements that are missing are added.
    ///
    /// # Errors
    /// Names that are none, or an element that holds elements.
    pub fn set(&mut self, path: &[&str], text: &str) -> Result<(), EditError> {
        let name_is_bad = |name: &str| {
            let first = name.chars().next().is_some_and(|c| c.is_alphabetic() || c == '_');
            !first || !name.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.'))
        };
        if let Some(bad) = path.iter().find(|name| name_is_bad(name)) {
            return Err(EditError::BadName((*bad).to_owned()));
        }
        let mut at: Element<'_> = self.tree.root();
        let mut missing = path.iter();
        for name in path {
            match at.child(name) {
                Some(child) => at = child,
                None => break,
            }
            missing.next();
        }
        let missing: Vec<&str> = missing.copied().collect();
        let mut splices = Splices::default();
        if missing.is_empty() {
            if at.children().next().is_some() || path.is_empty() {
                return Err(EditError::NotAText(at.name().to_owned()));
            }
            if at.text().trim() == text.trim() {
                return Ok(());
            }
            splices.set_text(at, text);
        } else {
            let inner = missing
                .iter()
                .rev()
                .fold(content_text(text), |text, name| format!("<{name}>{text}</{name}>"));
            splices.append_child(at, &inner);
        }
        self.tree = edited(&self.tree, splices, FILE_BYTES_MAX)?;
        Ok(())
    }

    /// Removes the first element with these names; false where there is none.
    ///
    /// # Errors
    /// Never for a file within its limits, since it only becomes smaller.
    pub fn remove(&mut self, path: &[&str]) -> Result<bool, EditError> {
        let found = path.iter().try_fold(self.tree.root(), |at, name| at.child(name));
        let Some(element) = found.filter(|_| !path.is_empty()) else { return Ok(false) };
        let mut splices = Splices::default();
        splices.remove(element);
        self.tree = edited(&self.tree, splices, FILE_BYTES_MAX)?;
        Ok(true)
    }
}

/// What becomes of a file with these pieces replaced, read again: a text that is broken, or longer than such a file may be, does not come about.
pub(crate) fn edited(tree: &Tree, splices: Splices, bytes_max: u64) -> Result<Tree, EditError> {
    let text = splices.apply(tree.source().text());
    if u64::try_from(text.len()).unwrap_or(u64::MAX) > bytes_max {
        return Err(EditError::TooLarge(bytes_max));
    }
    let source = Source::new(tree.source().name(), text);
    xml::parse(&Arc::new(source)).map_err(EditError::Refused)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(text: &str) -> XmlFile {
        XmlFile::read(&Arc::new(Source::new("f.xml", text))).value.unwrap()
    }

    #[test]
    fn only_what_is_edited_changes() {
        let text = "<Root>\r\n\t<!-- who -->\r\n\t<To>a@b</To>\r\n\t<From />\r\n\t<X a='1'><![CDATA[y]]></X>\r\n</Root>\r\n";
        let mut edited = file(text);
        edited.set(&["To"], "a@b").unwrap();
        assert_eq!(edited.text(), text);
        edited.set(&["To"], "a & b <c>").unwrap();
        edited.set(&["From"], "me").unwrap();
        edited.set(&["LogFiles", "logCli"], "CLI.log").unwrap();
        insta::assert_snapshot!(edited.text().replace('\r', "␍"));
        assert_eq!(edited.get(&["To"]).unwrap(), "a & b <c>");
        assert!(edited.remove(&["LogFiles"]).unwrap());
        edited.set(&["To"], "a@b").unwrap();
        assert_eq!(edited.text(), text.replace("<From />", "<From>me</From>"));
    }

    #[test]
    fn edits_that_make_no_sense_are_refused() {
        let mut edited = file("<Root><a><b/></a></Root>");
        assert!(matches!(edited.set(&["a"], "x"), Err(EditError::NotAText(_))));
        assert!(matches!(edited.set(&["a><c"], "x"), Err(EditError::BadName(_))));
        assert!(matches!(edited.set(&[], "x"), Err(EditError::NotAText(_))));
        assert!(!edited.remove(&["nothing"]).unwrap());
    }
}
