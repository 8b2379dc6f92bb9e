//! The placeholders of early Twister files: `{name}` is `$name`, or `@name@` for a field with a query. Braces around
//! anything that nobody knows stay what they are: JSON in a text, an escape of the database.

use std::borrow::Cow;

use super::{
    Known,
    lexer::{continues_name, starts_name},
};

/// The template as it is written today.
pub(super) fn modern<'t>(template: &'t str, known: &Known) -> Cow<'t, str> {
    if !template.contains('{') {
        return Cow::Borrowed(template);
    }
    let mut text = String::with_capacity(template.len());
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        text.push_str(before);
        let length = after.find(|letter: char| !continues_name(letter)).unwrap_or(after.len());
        let (name, behind) = after.split_at_checked(length).unwrap_or((after, ""));
        let is_name = name.chars().next().is_some_and(starts_name) && !before.ends_with('$');
        match behind.strip_prefix('}').filter(|_| is_name) {
            Some(behind) if known.fields.contains(name) => {
                text.push_str(&format!("@{name}@"));
                rest = behind;
            }
            Some(behind) if known.variables.contains(name) => {
                text.push_str(&format!("${{{name}}}"));
                rest = behind;
            }
            Some(_) | None => {
                text.push('{');
                rest = after;
            }
        }
    }
    text.push_str(rest);
    Cow::Owned(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_names_in_braces_are_placeholders() {
        let known = Known { variables: ["status".into()].into(), fields: ["id".to_owned()].into() };
        for (old, new) in [
            ("VALUES ({id}, '{status}')", "VALUES (@id@, '${status}')"),
            ("'${status}' '$status'", "'${status}' '$status'"),
            ("'{\"status\": 1}' {fn now()} {other} {", "'{\"status\": 1}' {fn now()} {other} {"),
            ("{{status}}", "{${status}}"),
        ] {
            assert_eq!(modern(old, &known), new);
        }
    }
}
