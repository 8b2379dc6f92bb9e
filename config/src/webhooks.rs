//! `webhooks.toml`: addresses that hear of runs that have ended, and in which shape.

use std::{collections::BTreeSet, sync::Arc};

use jackfield_protocol::secret::Secret;

use crate::{
    problem::Read,
    run_filter::RunFilter,
    source::Source,
    toml_table::{self, Table},
};

/// Letters of a name, which stands in addresses and in lists.
const NAME_CHARS_MAX: usize = 60;

/// The file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Webhooks {
    /// Each by itself: what one does not take, the others do.
    pub webhooks: Vec<Webhook>,
}

/// `[[webhook]]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Webhook {
    /// `name`: one of its own.
    pub name: String,
    /// `url`: itself, or its place as `env:NAME` or `file:PATH`, since it is what lets in.
    pub url: Secret,
    /// `format`.
    pub format: Format,
    /// `secret`: what it is signed with, or its place; none: it is not signed.
    pub secret: Option<Secret>,
    /// Of which runs.
    pub of: RunFilter,
}

/// What it is told in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// The run as JSON.
    #[default]
    Json,
    /// A message for Slack's incoming webhooks.
    Slack,
    /// A card for a workflow of Microsoft Teams.
    Teams,
    /// A message for Mattermost's incoming webhooks.
    Mattermost,
}

const FORMATS: [(&str, Format); 4] = [
    ("json", Format::Json),
    ("slack", Format::Slack),
    ("teams", Format::Teams),
    ("mattermost", Format::Mattermost),
];

impl Format {
    /// As the file writes it.
    pub fn as_str(self) -> &'static str {
        FORMATS.iter().find(|(_, known)| *known == self).map_or("", |(word, _)| word)
    }
}

impl Webhooks {
    /// Reads the file.
    pub fn read(source: &Arc<Source>) -> Read<Self> {
        let (value, problems) = toml_table::read_settings(source, |top| {
            let mut names = BTreeSet::new();
            let tables = top.tables("webhook", "a webhook");
            let webhooks: Vec<Webhook> =
                tables.iter().filter_map(|table| read_one(table, &mut names)).collect();
            Self { webhooks }
        });
        Read { value, problems }
    }

    /// The one of a name.
    pub fn find(&self, name: &str) -> Option<&Webhook> {
        self.webhooks.iter().find(|webhook| webhook.name == name)
    }
}

fn read_one(table: &Table<'_>, names: &mut BTreeSet<String>) -> Option<Webhook> {
    let name = table.text("name");
    let url = table.text("url");
    let webhook = Webhook {
        name: name.unwrap_or_default(),
        url: Secret::new(url.as_deref().unwrap_or_default().trim()),
        format: table.choice("format", &FORMATS).unwrap_or_default(),
        secret: table.text("secret").filter(|secret| !secret.trim().is_empty()).map(Secret::new),
        of: RunFilter::read(table),
    };
    table.finish();
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_' | '.');
    let name = &webhook.name;
    let fits = !name.is_empty() && name.len() <= NAME_CHARS_MAX && name.chars().all(is_plain);
    if !fits {
        let help = format!("name = \"team\": letters, digits, `-`, `_` and `.`, at most {NAME_CHARS_MAX}");
        table.error_at("name", "a webhook needs a name", help);
    } else if !names.insert(name.clone()) {
        table.error_at("name", format!("two webhooks are `{name}`"), "give each a name of its own");
    }
    let told = url.as_deref().map_or(Err("a webhook without `url` calls nobody"), is_address);
    if let Err(message) = told {
        table.error_at(
            "url",
            message,
            "url = \"https://HOST/PATH\", or its place: env:NAME, or file:PATH in the lab folder",
        );
        return None;
    }
    if webhook.secret.is_some() && webhook.format != Format::Json {
        let message = format!("{} reads no signature", webhook.format.as_str());
        table.error_at("secret", message, "leave `secret` out, or use format = \"json\"");
    }
    Some(webhook)
}

/// Whether this is an address, or says where one stands. The address itself is in no message: it may let anybody in.
///
/// # Errors
/// What is wrong with it.
pub fn is_address(url: &str) -> Result<(), &'static str> {
    let url = url.trim();
    if let Some(place) = url.strip_prefix("env:").or_else(|| url.strip_prefix("file:")) {
        return if place.trim().is_empty() { Err("the place of the address is empty") } else { Ok(()) };
    }
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
    let rest = rest.ok_or("the address begins neither with https:// nor with http://")?;
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    if host.is_empty() || host.contains('@') || url.contains(|c: char| c.is_whitespace() || c.is_control()) {
        return Err("the address has no host, a user, or blanks in it");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run_filter::When;

    fn read(text: &str) -> Read<Webhooks> {
        Webhooks::read(&Arc::new(Source::new("webhooks.toml", text)))
    }

    #[test]
    fn webhooks_say_who_hears_what() {
        let read = read(
            "[[webhook]]\nname = \"team\"\nurl = \"env:SLACK\"\nformat = \"slack\"\nwhen = \"change\"\n\
             [[webhook]]\nname = \"ci\"\nurl = \"http://10.0.0.1:8080/hook\"\nsecret = \"file:hook.key\"\ncauses = [\"lab\"]\n",
        );
        assert_eq!(read.problems, []);
        let file = read.value.unwrap();
        let [team, ci] = &*file.webhooks else { panic!("two webhooks") };
        assert_eq!((team.format, team.of.when, ci.format), (Format::Slack, When::Change, Format::Json));
        assert!(ci.secret.is_some() && file.find("ci").is_some() && file.find("x").is_none());
        assert_eq!((team.of.told(), ci.of.told()), ("change".to_owned(), "always; causes lab".to_owned()));
    }

    #[test]
    fn what_is_wrong_is_told_with_its_place() {
        let read = read(
            "[[webhook]]\nurl = \"hooks.example.org\"\n[[webhook]]\nname = \"a b\"\nurl = \"http://\"\nformat = \"discord\"\n\
             [[webhook]]\nname = \"x\"\nurl = \"env:\"\nevery = \"day\"\n[[webhook]]\nname = \"y\"\nurl = \"https://a/\"\nformat = \"slack\"\nsecret = \"s\"\n\
             [[webhook]]\nname = \"y\"\nurl = \"https://user:pw@a/\"\n[[webhook]]\nname = \"z\"\n",
        );
        let lines: Vec<String> = read.problems.iter().map(ToString::to_string).collect();
        insta::assert_snapshot!(lines.join("\n"));
    }
}
