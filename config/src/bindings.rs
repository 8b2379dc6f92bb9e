//! `bindings.xml`: which component of a SUT stands for which component of a test configuration.

pub mod edit;

use std::{collections::BTreeMap, sync::Arc};

use crate::{
    problem::Read,
    source::Source,
    xml::{self, Element, Walk},
};

/// The binding that counts where a configuration has none of its own.
pub const DEFAULT_BINDING: &str = "default_binding";

/// The bindings of all configurations.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bindings {
    /// By configuration, then by its component: the SUT's component as path or id.
    pub by_config: BTreeMap<Arc<str>, BTreeMap<Arc<str>, Arc<str>>>,
}

impl Bindings {
    /// Reads the file: `binding` elements with attributes, or the older `<bind>component=sut</bind>` at the top, which
    /// belong to [`DEFAULT_BINDING`].
    pub fn read(source: &Arc<Source>) -> Read<Self> {
        let tree = match xml::parse(source) {
            Ok(tree) => tree,
            Err(problems) => return Read { value: None, problems },
        };
        let walk = Walk::new(&tree);
        let root = tree.root();
        let mut bindings = Self::default();
        if !root.name().eq_ignore_ascii_case("root") {
            let message = format!("the file begins with <root>, not <{}>", root.name());
            walk.error(root.name_span(), message, "is this another kind of file?");
        }
        let fields = walk.fields(root);
        for binding in fields.each("binding") {
            let inner = walk.fields(binding);
            match inner.text("name") {
                Some(name) => {
                    for bind in inner.each("bind") {
                        bindings.add(&walk, &name.value, bind);
                    }
                }
                None => {
                    walk.error(binding.name_span(), "<binding> without <name>", "name the test configuration")
                }
            }
            inner.each("bind").for_each(drop);
            inner.finish();
        }
        for bind in fields.each("bind") {
            bindings.add(&walk, &DEFAULT_BINDING.into(), bind);
        }
        fields.finish();
        Read { value: Some(bindings), problems: walk.finish() }
    }

    /// The SUT's component for a component of a configuration.
    pub fn get(&self, config: &str, component: &str) -> Option<&Arc<str>> {
        let of = |config: &str| self.by_config.get(config)?.get(component);
        of(config).or_else(|| of(DEFAULT_BINDING))
    }

    fn add(&mut self, walk: &Walk, config: &Arc<str>, bind: Element<'_>) {
        let Some(Bound { component, sut }) = bound_in(bind) else {
            let says_nothing = bind.attributes().next().is_none() && bind.text().trim().is_empty();
            if !says_nothing {
                let help = "write <bind config=\"component\" sut=\"path\"/>";
                walk.error(bind.name_span(), "<bind> does not say what is bound to what", help);
            }
            return;
        };
        let of_config = self.by_config.entry(Arc::clone(config)).or_default();
        if of_config.insert(component.as_str().into(), sut.as_str().into()).is_some() {
            let message = format!("`{component}` is bound twice; the last one counts");
            walk.warn(bind.name_span(), message, "remove one");
        }
    }
}

/// What a `<bind>` says.
struct Bound {
    component: String,
    sut: String,
}

/// Two attributes, or `component=sut` as text; none where it says neither.
fn bound_in(bind: Element<'_>) -> Option<Bound> {
    let text = bind.text();
    let of = |(component, sut): (&str, &str)| Bound {
        component: component.trim().to_owned(),
        sut: sut.trim().to_owned(),
    };
    match (bind.attribute("config"), bind.attribute("sut")) {
        (Some((component, _)), Some((sut, _))) => Some(of((&component, &sut))),
        (None, None) => text.trim().split_once('=').map(of),
        (Some(_), None) | (None, Some(_)) => None,
    }
}
