//! Changes to `bindings.xml`: what is bound otherwise changes in the text, all else stays byte for byte.

use std::sync::Arc;

use super::{Bound, DEFAULT_BINDING, bound_in};
use crate::{
    limits::FILE_BYTES_MAX,
    problem::Read,
    source::Source,
    xml::{self, Element, Splices, Tree, attribute_text, content_text, unit_of},
    xml_file::{EditError, edited},
};

/// A file of bindings that is edited.
#[derive(Clone, Debug)]
pub struct BindingsFile {
    tree: Tree,
}

/// One change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BindingChange {
    /// A component of a test configuration stands for one of a SUT, whatever it stood for before.
    Bind {
        /// The test configuration, or [`DEFAULT_BINDING`].
        config: String,
        /// Its component.
        component: String,
        /// The SUT's component: `/router.user/wan`, or its id.
        sut: String,
    },
    /// It stands for none any more.
    Unbind {
        /// The test configuration.
        config: String,
        /// Its component.
        component: String,
    },
}

/// A binding as its page shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BoundItem {
    /// The test configuration, or [`DEFAULT_BINDING`].
    pub config: String,
    /// Its component.
    pub component: String,
    /// What it stands for.
    pub sut: String,
    /// Line and column of its begin, from 1.
    pub begins: (u32, u32),
    /// Line and column of its end.
    pub ends: (u32, u32),
}

/// A change that cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum BindingChangeError {
    /// A name that says nothing, or breaks a line.
    #[error("`{0}` is no name of a {1}: give one of one line")]
    Name(String, &'static str),
    /// There is no such binding.
    #[error("`{component}` of `{config}` is not bound")]
    NoSuch {
        /// The test configuration.
        config: String,
        /// Its component.
        component: String,
    },
    /// The text cannot take the change.
    #[error(transparent)]
    Text(#[from] EditError),
}

impl BindingsFile {
    /// Reads a file for editing. Whether it makes sense is for [`super::Bindings::read`].
    pub fn read(source: &Arc<Source>) -> Read<Self> {
        xml::parse(source).map(|tree| Self { tree }).into()
    }

    /// The text as it is now.
    pub fn text(&self) -> &str {
        self.tree.source().text()
    }

    /// Every binding, as they stand in the file.
    pub fn outline(&self) -> Vec<BoundItem> {
        let source = self.tree.source();
        let item = |(config, bind): (Arc<str>, Element<'_>)| {
            let Bound { component, sut } = bound_in(bind)?;
            Some(BoundItem {
                config: config.to_string(),
                component,
                sut,
                begins: source.position(bind.outer().start),
                ends: source.position(bind.outer().end),
            })
        };
        self.binds().into_iter().filter_map(item).collect()
    }

    /// Makes changes, one after the other, or none of them.
    ///
    /// # Errors
    /// A name that is none, or nothing to take away; with the number of the change, from 0.
    pub fn change_all(&mut self, changes: &[BindingChange]) -> Result<(), (usize, BindingChangeError)> {
        let before = self.tree.clone();
        for (at, change) in changes.iter().enumerate() {
            if let Err(error) = self.change(change) {
                self.tree = before;
                return Err((at, error));
            }
        }
        Ok(())
    }

    fn change(&mut self, change: &BindingChange) -> Result<(), BindingChangeError> {
        let splices = match change {
            BindingChange::Bind { config, component, sut } => {
                let (config, component) = (named(config, "configuration")?, named(component, "component")?);
                self.bind(config, component, named(sut, "SUT's component")?)
            }
            BindingChange::Unbind { config, component } => self.unbind(config.trim(), component.trim())?,
        };
        self.tree = edited(&self.tree, splices, FILE_BYTES_MAX)?;
        Ok(())
    }

    fn bind(&self, config: &str, component: &str, sut: &str) -> Splices {
        let mut splices = Splices::default();
        // Of several the last one counts, so it is the one that is changed.
        if let Some(bind) = self.all_of(config, component).last() {
            match bind.attribute("sut") {
                Some((_, span)) => splices.replace(span, attribute(sut)),
                None => splices.set_text(*bind, &format!("{component}={sut}")),
            }
            return splices;
        }
        let new = format!("<bind config=\"{}\" sut=\"{}\"/>", attribute(component), attribute(sut));
        let of_config = |binding: &Element<'_>| name_of(*binding).as_deref() == Some(config);
        let unit = unit_of(&self.tree).unwrap_or("    ");
        if let Some(binding) = self.tree.root().children_named("binding").filter(of_config).last() {
            splices.append_child(binding, &new);
            return splices;
        }
        splices.add_before(self.tree.root(), None, unit, |lead| {
            let name = format!("<name>{}</name>", content_text(config));
            if lead.is_empty() {
                return vec![format!("<binding>{name}{new}</binding>")];
            }
            vec![format!("<binding>{lead}{unit}{name}{lead}{unit}{new}{lead}</binding>")]
        });
        splices
    }

    fn unbind(&self, config: &str, component: &str) -> Result<Splices, BindingChangeError> {
        let gone = self.all_of(config, component);
        if gone.is_empty() {
            let (config, component) = (config.to_owned(), component.to_owned());
            return Err(BindingChangeError::NoSuch { config, component });
        }
        let mut splices = Splices::default();
        let is_gone = |bind: &Element<'_>| gone.iter().any(|other| other.outer() == bind.outer());
        for binding in self.tree.root().children_named("binding") {
            let mut binds = binding.children_named("bind").peekable();
            let is_empty = binds.peek().is_some() && binds.all(|bind| is_gone(&bind));
            // Somebody's words in it stay.
            if is_empty && !binding.has_comment() {
                splices.remove(binding);
            } else {
                binding.children_named("bind").filter(is_gone).for_each(|bind| splices.remove(bind));
            }
        }
        self.tree.root().children_named("bind").filter(is_gone).for_each(|bind| splices.remove(bind));
        Ok(splices)
    }

    /// The elements that bind a component of a configuration, in the order in which they count.
    fn all_of(&self, config: &str, component: &str) -> Vec<Element<'_>> {
        let is_it = |(of, bind): &(Arc<str>, Element<'_>)| {
            of.as_ref() == config && bound_in(*bind).is_some_and(|bound| bound.component == component)
        };
        self.binds().into_iter().filter(is_it).map(|(_, bind)| bind).collect()
    }

    /// Every `bind`, with the configuration that it is of, in the order in which they count.
    fn binds(&self) -> Vec<(Arc<str>, Element<'_>)> {
        let root = self.tree.root();
        let mut binds = Vec::new();
        for binding in root.children_named("binding") {
            let Some(name) = name_of(binding) else { continue };
            let name: Arc<str> = name.into();
            binds.extend(binding.children_named("bind").map(|bind| (Arc::clone(&name), bind)));
        }
        binds.extend(root.children_named("bind").map(|bind| (DEFAULT_BINDING.into(), bind)));
        binds
    }
}

fn name_of(binding: Element<'_>) -> Option<String> {
    binding.child("name").map(|name| name.text().trim().to_owned())
}

fn named<'n>(name: &'n str, what: &'static str) -> Result<&'n str, BindingChangeError> {
    let name = name.trim();
    let is_bad = name.is_empty() || name.chars().any(char::is_control);
    if is_bad { Err(BindingChangeError::Name(name.to_owned(), what)) } else { Ok(name) }
}

/// As the value of an attribute, whichever quotes it stands in.
fn attribute(text: &str) -> String {
    attribute_text(text).replace('\'', "&apos;")
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "<?xml version=\"1.0\"?>\n<root>\n  <!-- of the night -->\n  <binding>\n    <name>tc</name>\n    <bind config='comp' sut='/a.user/wan'/> <!-- why -->\n  </binding>\n  <bind>old=/a.user/lan</bind>\n</root>\n";

    fn file(text: &str) -> BindingsFile {
        BindingsFile::read(&Arc::new(Source::new("bindings.xml", text))).value.unwrap()
    }

    fn bind(config: &str, component: &str, sut: &str) -> BindingChange {
        let [config, component, sut] = [config, component, sut].map(str::to_owned);
        BindingChange::Bind { config, component, sut }
    }

    fn unbind(config: &str, component: &str) -> BindingChange {
        BindingChange::Unbind { config: config.to_owned(), component: component.to_owned() }
    }

    #[test]
    fn only_what_is_bound_otherwise_changes() {
        let mut edited = file(FILE);
        edited.change_all(&[bind("tc", "comp", "/b.user/it's")]).unwrap();
        assert_eq!(edited.text(), FILE.replace("/a.user/wan", "/b.user/it&apos;s"));
        edited.change_all(&[bind("tc", "comp", "/a.user/wan")]).unwrap();
        assert_eq!(edited.text(), FILE);
        edited.change_all(&[bind(DEFAULT_BINDING, "old", "/b.user/lan")]).unwrap();
        assert_eq!(edited.text(), FILE.replace("old=/a.user/lan", "old=/b.user/lan"));
        let told: Vec<_> =
            edited.outline().into_iter().map(|item| (item.config, item.component, item.sut)).collect();
        let expected = [("tc", "comp", "/a.user/wan"), (DEFAULT_BINDING, "old", "/b.user/lan")];
        assert_eq!(told, expected.map(|(a, b, c)| (a.to_owned(), b.to_owned(), c.to_owned())));
    }

    #[test]
    fn new_ones_are_written_as_the_file_is() {
        let mut edited = file("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<root>\n</root>\n");
        edited.change_all(&[bind("tc", "a & b", "/r.user/w"), bind("tc", "c", "/r.user/l")]).unwrap();
        let by_hand = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<root>\n    <binding>\n        <name>tc</name>\n        <bind config=\"a &amp; b\" sut=\"/r.user/w\"/>\n        <bind config=\"c\" sut=\"/r.user/l\"/>\n    </binding>\n</root>\n";
        assert_eq!(edited.text(), by_hand);
        edited.change_all(&[unbind("tc", "a & b")]).unwrap();
        let rest = by_hand.replace("        <bind config=\"a &amp; b\" sut=\"/r.user/w\"/>\n", "");
        assert_eq!(edited.text(), rest);
        edited.change_all(&[unbind("tc", "c")]).unwrap();
        assert_eq!(edited.text(), "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<root>\n</root>\n");
    }

    #[test]
    fn what_somebody_wrote_beside_stays() {
        let mut edited = file(FILE);
        edited.change_all(&[unbind("tc", "comp"), unbind(DEFAULT_BINDING, "old")]).unwrap();
        assert!(edited.text().contains("<!-- why -->") && edited.text().contains("<name>tc</name>"));
        assert!(edited.outline().is_empty());
    }

    #[test]
    fn of_several_changes_all_are_made_or_none() {
        let mut edited = file(FILE);
        let refused = edited.change_all(&[bind("tc", "new", "/a.user/x"), unbind("tc", "none")]).unwrap_err();
        assert_eq!((refused.0, refused.1.to_string().as_str()), (1, "`none` of `tc` is not bound"));
        assert_eq!(edited.text(), FILE);
        let refused = edited.change_all(&[bind("tc", " ", "/a.user/x")]).unwrap_err();
        assert_eq!(refused.1.to_string(), "`` is no name of a component: give one of one line");
    }
}
