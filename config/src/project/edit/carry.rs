//! Items that go from one project file to another: as a predefined suite, and out of one.

use std::sync::Arc;

use super::{ITEMS, ProjectEditError, ProjectFile, check_place, is_item, style::Style};
use crate::{
    source::Source,
    xml::{at_indentation, carried, outermost},
};

/// What a file of predefined suites begins and ends with.
const HEAD: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Root>";
const END: &str = "\n</Root>\n";

impl ProjectFile {
    /// A project of these suites alone, each as it is written here, with all that is in it.
    ///
    /// # Errors
    /// No such item, or a test: those stand in suites.
    pub fn extract(&self, items: &[Vec<usize>]) -> Result<String, ProjectEditError> {
        let style = Style::of(&self.tree);
        let suite = |way: &Vec<usize>| {
            let item = self.below_root(way)?;
            check_place(self.tree.root(), item.name() == "TestCase")?;
            Ok(carried(item))
        };
        let texts = outermost(items).iter().map(suite).collect::<Result<Vec<_>, ProjectEditError>>()?;
        let lead = format!("\n{}", style.unit());
        let suites = at_indentation(&texts, &lead).into_iter().map(|text| format!("{lead}{text}"));
        Ok(format!("{HEAD}{}{END}", suites.collect::<String>().replace("\r\n", "\n")))
    }

    /// Puts the items of another file somewhere.
    ///
    /// # Errors
    /// Another file that is no XML or holds no item, or a place where something cannot stand.
    pub(super) fn paste(
        &mut self,
        xml: &str,
        parent: &[usize],
        to: usize,
        salt: &str,
    ) -> Result<Vec<Vec<usize>>, ProjectEditError> {
        // In the line ends of this file.
        let xml = xml.replace("\r\n", "\n");
        let xml = if self.text().contains("\r\n") { xml.replace('\n', "\r\n") } else { xml };
        let source = Arc::new(Source::new("what is put here", xml));
        let other = Self::read(&source).usable().map_err(ProjectEditError::Foreign)?.0;
        let holder = self.item(parent)?;
        let root = other.tree.root();
        // Twister saves a predefined suite also without anything around it.
        let found: Vec<_> = if is_item(&root) { vec![root] } else { ITEMS.of(root).collect() };
        found.iter().try_for_each(|item| check_place(holder, item.name() == "TestCase"))?;
        if found.is_empty() {
            return Err(ProjectEditError::NothingToPut);
        }
        let texts = found.into_iter().map(carried).collect();
        self.put_carried(texts, parent, to, salt)
    }
}
