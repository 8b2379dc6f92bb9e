//! `Needs`: what a project or a suite needs of the lab by what it is.

use jackfield_resource_allocator::needs::Needs;

use crate::{
    source::{At, Source, Span},
    xml::Fields,
};

/// The element, if it is there and right; what is wrong in it is told with its own place.
pub(super) fn read(fields: &Fields<'_, '_>) -> Option<At<Needs>> {
    let text = fields.text("Needs")?;
    match Needs::parse(&text.value) {
        Ok(needs) => Some(At::new(needs, text.span)),
        Err(error) => {
            let walk = fields.walk();
            let span = place(&walk.source(), text.span, error.at);
            walk.error(span, format!("<Needs>: {}", error.problem), error.help);
            None
        }
    }
}

/// Where in the file the so-manyth letter of a text stands: blanks before it do not count, and an entity is one letter.
fn place(source: &Source, span: Span, at: usize) -> Span {
    let raw = source.text().get(span.range()).unwrap_or_default();
    let blank = raw.len().saturating_sub(raw.trim_start().len());
    let mut left = at.saturating_sub(1);
    let mut is_entity = false;
    for (offset, letter) in raw.trim_start().char_indices() {
        if is_entity {
            is_entity = letter != ';';
            continue;
        }
        if left == 0 {
            let start = usize::try_from(span.start).unwrap_or_default().saturating_add(blank);
            let start = start.saturating_add(offset);
            return Span::new(start, start.saturating_add(letter.len_utf8()));
        }
        left = left.saturating_sub(1);
        is_entity = letter == '&';
    }
    Span { start: span.end.saturating_sub(1).max(span.start), end: span.end }
}
