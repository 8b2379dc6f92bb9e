//! Changes of suites and tests, several items at once: what a page asks for, and the history of a draft keeps.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    ConfigChange, ITEMS, ItemKind, NewItem, ProjectEditError, ProjectFile, check_place, configs,
    fields::element_of,
    items,
    style::Style,
    value::{PairName, set_or_remove_field, set_pair},
};
use crate::{
    project::expand::salted_id,
    xml::{Carried, Element, Splices, Spot, Tree, at_indentation, carried, outermost},
};

/// One change. A way is counted in the file as it is before the change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// Another text for a field of an item; an empty one takes the element away.
    Set {
        /// The way to it.
        at: Vec<usize>,
        /// The name of the field.
        field: String,
        /// What it is to say.
        value: String,
    },
    /// Another value of a property of a test, or of what a suite or the project defines; with none it goes.
    Property {
        /// The way to the item.
        at: Vec<usize>,
        /// Its name.
        name: String,
        /// Which of those with this name, from 0.
        nth: usize,
        /// What it is to say.
        value: Option<String>,
    },
    /// Another test configuration, one less, or something else said of one.
    Config {
        /// The way to the item that names it.
        at: Vec<usize>,
        /// What becomes of it.
        change: ConfigChange,
    },
    /// New suites and tests.
    Insert {
        /// The way to what shall hold them.
        parent: Vec<usize>,
        /// Before which item of it; behind the last where there are fewer.
        at: usize,
        /// The new ones, in order.
        items: Vec<NewItem>,
    },
    /// Takes items away, with all in them.
    Remove {
        /// The ways to them.
        items: Vec<Vec<usize>>,
    },
    /// Puts items somewhere else, text and all.
    Move {
        /// The ways to them.
        items: Vec<Vec<usize>>,
        /// The way to what shall hold them.
        parent: Vec<usize>,
        /// Before which item of it, counted as it is now.
        to: usize,
    },
    /// Puts copies somewhere, with IDs of their own.
    Copy {
        /// The ways to them.
        items: Vec<Vec<usize>>,
        /// The way to what shall hold the copies.
        parent: Vec<usize>,
        /// Before which item of it.
        to: usize,
        /// What the new IDs are made of, so that the same change gives the same text.
        salt: String,
    },
    /// Puts the items of another file somewhere; those whose IDs are used here get new ones.
    Paste {
        /// The other file, as XML.
        xml: String,
        /// The way to what shall hold them.
        parent: Vec<usize>,
        /// Before which item of it.
        to: usize,
        /// What the new IDs are made of.
        salt: String,
    },
}

impl ProjectFile {
    /// Makes changes, one after the other, or none of them. Answers the ways to the items that the last one was about, as they are afterwards.
    ///
    /// # Errors
    /// No such item or field, or a place where something cannot stand; with the number of the change, from 0.
    pub fn change_all(&mut self, changes: &[Change]) -> Result<Vec<Vec<usize>>, (usize, ProjectEditError)> {
        let before = self.tree.clone();
        let mut about = Vec::new();
        let mut at = 0;
        while let Some(change) = changes.get(at) {
            let rest = changes.get(at..).unwrap_or_default();
            let many = values_of_others(rest);
            let made = if many > 1 {
                self.set_values(rest.get(..many).unwrap_or_default())
                    .map(|()| about_all(rest.get(many.saturating_sub(1)..many)))
            } else {
                self.change(change)
            };
            about = made.map_err(|error| {
                self.tree = before.clone();
                (at, error)
            })?;
            at = at.saturating_add(many.max(1));
        }
        Ok(about)
    }

    /// Makes a change. Answers the ways to the items that it was about, as they are afterwards.
    ///
    /// # Errors
    /// No such item or field, or a place where something cannot stand; then nothing has changed.
    pub fn change(&mut self, change: &Change) -> Result<Vec<Vec<usize>>, ProjectEditError> {
        match change {
            Change::Set { .. } | Change::Property { .. } | Change::Config { .. } => {
                let one = std::slice::from_ref(change);
                self.set_values(one).map(|()| about_all(Some(one)))
            }
            Change::Insert { parent, at, items } => self.insert_all(parent, *at, items),
            Change::Remove { items } => {
                let mut splices = Splices::default();
                for at in outermost(items) {
                    splices.remove(self.below_root(&at)?);
                }
                self.apply(splices)?;
                Ok(Vec::new())
            }
            Change::Move { items, parent, to } => self.move_all(&outermost(items), parent, *to),
            Change::Copy { items, parent, to, salt } => self.copy_all(&outermost(items), parent, *to, salt),
            Change::Paste { xml, parent, to, salt } => self.paste(xml, parent, *to, salt),
        }
    }

    /// Fields and properties, each of an item of its own, with one new text for all.
    fn set_values(&mut self, changes: &[Change]) -> Result<(), ProjectEditError> {
        let style = Style::of(&self.tree);
        let mut splices = Splices::default();
        for change in changes {
            match change {
                Change::Set { at, field, value } => {
                    let item = self.item(at)?;
                    let field = ItemKind::of(item).field(field)?;
                    set_or_remove_field(&mut splices, item, field, value, &style)?;
                }
                Change::Property { at, name, nth, value } => {
                    let name = PairName { name, nth: *nth };
                    set_pair(&mut splices, self.item(at)?, name, value.as_deref(), &style);
                }
                Change::Config { at, change } => {
                    configs::change(&mut splices, self.item(at)?, change, &style)?;
                }
                Change::Insert { .. }
                | Change::Remove { .. }
                | Change::Move { .. }
                | Change::Copy { .. }
                | Change::Paste { .. } => {}
            }
        }
        self.apply(splices)
    }

    fn insert_all(
        &mut self,
        parent: &[usize],
        at: usize,
        new: &[NewItem],
    ) -> Result<Vec<Vec<usize>>, ProjectEditError> {
        let holder = self.item(parent)?;
        new.iter().try_for_each(|item| check_place(holder, matches!(item, NewItem::Test { .. })))?;
        let style = Style::of(&self.tree);
        let spot = Spot { parent, to: at, unit: style.unit() };
        let (splices, ways) =
            ITEMS.put(holder, spot, |lead| new.iter().map(|item| item.write(&style, lead)).collect());
        self.apply(splices)?;
        Ok(ways)
    }

    fn move_all(
        &mut self,
        moved: &[Vec<usize>],
        parent: &[usize],
        to: usize,
    ) -> Result<Vec<Vec<usize>>, ProjectEditError> {
        if moved.iter().any(|item| parent.starts_with(item)) {
            return Err(ProjectEditError::WrongPlace);
        }
        let holder = self.item(parent)?;
        let items = self.items_for(moved, holder)?;
        let style = Style::of(&self.tree);
        let Some((splices, ways)) = ITEMS.moved(holder, &items, Spot { parent, to, unit: style.unit() })
        else {
            return Ok(moved.to_vec());
        };
        self.apply(splices)?;
        Ok(ways)
    }

    fn copy_all(
        &mut self,
        copied: &[Vec<usize>],
        parent: &[usize],
        to: usize,
        salt: &str,
    ) -> Result<Vec<Vec<usize>>, ProjectEditError> {
        let holder = self.item(parent)?;
        let texts = self.items_for(copied, holder)?.into_iter().map(|(_, item)| carried(item)).collect();
        self.put_carried(texts, parent, to, salt)
    }

    /// Puts texts of items somewhere, with new IDs for those that are used in the file already.
    pub(super) fn put_carried(
        &mut self,
        texts: Vec<Carried>,
        parent: &[usize],
        to: usize,
        salt: &str,
    ) -> Result<Vec<Vec<usize>>, ProjectEditError> {
        let holder = self.item(parent)?;
        let style = Style::of(&self.tree);
        let spot = Spot { parent, to, unit: style.unit() };
        let (splices, copies) = ITEMS.put(holder, spot, |lead| at_indentation(&texts, lead));
        let before = self.tree.clone();
        self.apply(splices)?;
        let used = ids_of(&before);
        match self.renew_ids(&copies, &used, salt) {
            Ok(()) => Ok(copies),
            Err(error) => {
                self.tree = before;
                Err(error)
            }
        }
    }

    /// Gives copies IDs of their own; what depends on one of them inside of the copies depends on the new one.
    fn renew_ids(
        &mut self,
        copies: &[Vec<usize>],
        used: &BTreeSet<String>,
        salt: &str,
    ) -> Result<(), ProjectEditError> {
        let copied = self.with_all_in(copies)?;
        let new: BTreeMap<String, String> = copied
            .iter()
            .copied()
            .filter_map(id_of)
            .filter(|id| used.contains(id))
            .map(|id| (id.clone(), salted_id(&id, salt)))
            .collect();
        if new.is_empty() {
            return Ok(());
        }
        let mut splices = Splices::default();
        for item in copied {
            if let Some((element, new)) = item.child("ID").zip(id_of(item).and_then(|id| new.get(&id))) {
                splices.set_text(element, new);
            }
            if let Some(depends) = element_of(item, "Dependency") {
                let text = depends.text();
                let redirected = redirected(&text, &new);
                if redirected != text {
                    splices.set_text(depends, redirected.trim());
                }
            }
        }
        self.apply(splices)
    }

    /// The items at these ways, which shall stand in `holder`.
    fn items_for<'t>(
        &'t self,
        ways: &[Vec<usize>],
        holder: Element<'t>,
    ) -> Result<Vec<(Vec<usize>, Element<'t>)>, ProjectEditError> {
        let item = |way: &Vec<usize>| {
            let item = self.below_root(way)?;
            check_place(holder, ItemKind::of(item) == ItemKind::Test)?;
            Ok((way.clone(), item))
        };
        ways.iter().map(item).collect()
    }

    /// These items and all that is in them.
    fn with_all_in(&self, tops: &[Vec<usize>]) -> Result<Vec<Element<'_>>, ProjectEditError> {
        let mut open = tops.iter().map(|top| self.below_root(top)).collect::<Result<Vec<_>, _>>()?;
        let mut all = Vec::new();
        while let Some(item) = open.pop() {
            all.push(item);
            open.extend(items(item));
        }
        Ok(all)
    }
}

impl Change {
    /// The item whose field or property it sets.
    fn item_of_value(&self) -> Option<&[usize]> {
        match self {
            Self::Set { at, .. } | Self::Property { at, .. } | Self::Config { at, .. } => Some(at),
            Self::Insert { .. }
            | Self::Remove { .. }
            | Self::Move { .. }
            | Self::Copy { .. }
            | Self::Paste { .. } => None,
        }
    }
}

fn id_of(item: Element<'_>) -> Option<String> {
    Some(item.child("ID")?.text().trim().to_owned()).filter(|id| !id.is_empty())
}

/// The IDs that a file uses.
fn ids_of(tree: &Tree) -> BTreeSet<String> {
    ITEMS.outline(tree).into_iter().filter_map(|(item, _)| id_of(item)).collect()
}

/// How many changes from the first on set values, each of another item: those do not stand in each other's way.
fn values_of_others(changes: &[Change]) -> usize {
    let mut seen = BTreeSet::new();
    changes.iter().map_while(Change::item_of_value).take_while(|at| seen.insert(at.to_vec())).count()
}

fn about_all(changes: Option<&[Change]>) -> Vec<Vec<usize>> {
    changes.unwrap_or_default().iter().filter_map(Change::item_of_value).map(<[usize]>::to_vec).collect()
}

/// The entries of a dependency, with new IDs for those that have one.
fn redirected(depends: &str, new: &BTreeMap<String, String>) -> String {
    let entry =
        |entry: &str| match entry.rsplit_once(':').and_then(|(id, rest)| Some((new.get(id.trim())?, rest))) {
            Some((id, status)) => format!("{id}:{status}"),
            None => entry.to_owned(),
        };
    depends.split(';').map(entry).collect::<Vec<_>>().join(";")
}
