//! Elements that hold elements of their own kind, as suites hold suites and tests and folders hold folders and values: found by ways, moved and
//! copied as text.
//!
//! A way counts the items from the outermost element on: `[]` is that element, `[0, 2]` the third item of its first item.

use super::{
    Element, Splices, Tree,
    way::{stand_there, ways, without},
};

/// Which elements of a file are items.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Items(pub(crate) fn(&Element<'_>) -> bool);

/// A text that goes somewhere else, and the indentation it had.
pub(crate) type Carried = (String, String);

/// Where items go.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Spot<'s> {
    /// The way to what shall hold them.
    pub(crate) parent: &'s [usize],
    /// Before which item of it, counted as it is now; behind the last where there are fewer.
    pub(crate) to: usize,
    /// What the content of an element is indented by, for one that has none yet.
    pub(crate) unit: &'s str,
}

impl Items {
    /// The items right inside an element.
    pub(crate) fn of(self, element: Element<'_>) -> impl Iterator<Item = Element<'_>> {
        element.children().filter(move |child| (self.0)(child))
    }

    /// The item at a way.
    pub(crate) fn at<'t>(self, tree: &'t Tree, way: &[usize]) -> Option<Element<'t>> {
        way.iter().try_fold(tree.root(), |element, step| self.of(element).nth(*step))
    }

    /// Every item with how many stand around it, in the order of the file; the outermost element comes first.
    pub(crate) fn outline(self, tree: &Tree) -> Vec<(Element<'_>, usize)> {
        let mut outline = Vec::new();
        let mut open = vec![(tree.root(), 0_usize)];
        while let Some((element, depth)) = open.pop() {
            outline.push((element, depth));
            let inner: Vec<_> = self.of(element).map(|child| (child, depth.saturating_add(1))).collect();
            open.extend(inner.into_iter().rev());
        }
        outline
    }

    /// Puts texts somewhere, each at the indentation of its new place. Answers the splices and the ways to the new items.
    pub(crate) fn put(
        self,
        holder: Element<'_>,
        spot: Spot<'_>,
        write: impl FnOnce(&str) -> Vec<String>,
    ) -> (Splices, Vec<Vec<usize>>) {
        let mut splices = Splices::default();
        let mut count = 0;
        splices.add_before(holder, self.of(holder).nth(spot.to), spot.unit, |lead| {
            let texts = write(lead);
            count = texts.len();
            texts
        });
        let first = spot.to.min(self.of(holder).count());
        (splices, ways(spot.parent, first, count))
    }

    /// Moves items, of which none is inside another and none holds the place they go to. Answers nothing where they stand there already.
    pub(crate) fn moved(
        self,
        holder: Element<'_>,
        moved: &[(Vec<usize>, Element<'_>)],
        spot: Spot<'_>,
    ) -> Option<(Splices, Vec<Vec<usize>>)> {
        let from: Vec<Vec<usize>> = moved.iter().map(|(way, _)| way.clone()).collect();
        if stand_there(&from, spot.parent, spot.to) {
            return None;
        }
        let stays = |at: &usize| {
            !from
                .iter()
                .any(|item| item.split_last().is_some_and(|(last, above)| last == at && above == spot.parent))
        };
        let place = (spot.to..self.of(holder).count()).find(stays);
        let mut splices = Splices::default();
        let next = place.and_then(|at| self.of(holder).nth(at));
        let texts: Vec<Carried> = moved.iter().map(|(_, item)| carried(*item)).collect();
        splices.add_before(holder, next, spot.unit, |lead| at_indentation(&texts, lead));
        for (_, item) in moved {
            splices.remove(*item);
        }
        let end = place.unwrap_or_else(|| self.of(holder).count());
        let first = (0..end).filter(stays).count();
        Some((splices, ways(&without(spot.parent, &from), first, from.len())))
    }
}

/// The text of an item that goes somewhere else.
pub(crate) fn carried(item: Element<'_>) -> Carried {
    (item.written().to_owned(), indentation(item.line_start()).to_owned())
}

/// Texts at the indentation of their new place.
pub(crate) fn at_indentation(texts: &[Carried], lead: &str) -> Vec<String> {
    texts.iter().map(|(text, from)| reindented(text, from, indentation(lead))).collect()
}

/// What the content of an element is indented by in a file: as its outermost element indents.
pub(crate) fn unit_of(tree: &Tree) -> Option<&str> {
    let root = tree.root();
    let lead = root.children().map(Element::line_start).find(|lead| !lead.is_empty())?;
    let (own, lead) = (indentation(root.line_start()), indentation(lead));
    Some(lead.strip_prefix(own).unwrap_or(lead))
}

/// The blanks behind the line end.
pub(crate) fn indentation(lead: &str) -> &str {
    lead.trim_start_matches(['\r', '\n'])
}

/// A text that moves from one indentation to another: lines that begin with markup move with it. What has CDATA stays as it is, since a line
/// within it may look like markup.
fn reindented(text: &str, from: &str, to: &str) -> String {
    if from == to || text.contains("<![CDATA[") {
        return text.to_owned();
    }
    let mut lines = text.split_inclusive('\n');
    let first = lines.next().unwrap_or_default().to_owned();
    lines.fold(first, |mut moved, line| {
        match line.strip_prefix(from).filter(|rest| rest.trim_start().starts_with('<')) {
            Some(rest) => moved.extend([to, rest]),
            None => moved.push_str(line),
        }
        moved
    })
}
