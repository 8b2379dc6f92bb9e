//! `email.xml`: where the summary of a run is sent.

use std::sync::Arc;

use jackfield_protocol::{mailbox::Address, secret::Secret};

use crate::{
    problem::Read,
    source::{At, Source},
    value,
    xml::{self, Element, Walk},
};

/// The file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EmailConfig {
    /// `Enabled`: false writes the mail to a folder instead of sending it.
    pub enabled: bool,
    /// `SMTPPath`: host of the mail server, and its port.
    pub server: Option<(Arc<str>, u16)>,
    /// `SMTPUser`.
    pub user: Option<Arc<str>>,
    /// `SMTPPwd`: plain, or Twister's cipher text.
    pub password: Option<Secret>,
    /// `From`.
    pub from: Option<At<Arc<str>>>,
    /// `To`: the first is the recipient, the others get copies.
    pub to: Vec<At<Arc<str>>>,
    /// `Subject`, a template.
    pub subject: Arc<str>,
    /// `Message`, a template.
    pub message: Arc<str>,
}

/// Where mail is taken when the file names no port.
const SMTP_PORT: u16 = 25;

impl EmailConfig {
    /// Reads the file of a lab whose `mail.toml` does not say who gets what.
    pub fn read(source: &Arc<Source>) -> Read<Self> {
        Self::read_beside(source, false)
    }

    /// Reads the file; where rules name the people, it needs no `To`.
    pub fn read_beside(source: &Arc<Source>, has_rules: bool) -> Read<Self> {
        let tree = match xml::parse(source) {
            Ok(tree) => tree,
            Err(problems) => return Read { value: None, problems },
        };
        let walk = Walk::new(&tree);
        let root = tree.root();
        if !root.name().eq_ignore_ascii_case("Root") {
            let message = format!("the file begins with <Root>, not <{}>", root.name());
            walk.error(root.name_span(), message, "is this another kind of file?");
        }
        let fields = walk.fields(root);
        let enabled = |text: &str| match text {
            "0" => Ok(false),
            "1" => Ok(true),
            text => value::truth(text),
        };
        let text = |name| fields.text(name).map(|text| text.value);
        let config = Self {
            enabled: fields.parsed("Enabled", enabled).is_some_and(|enabled| enabled.value),
            server: fields.parsed("SMTPPath", server).map(|server| server.value),
            user: text("SMTPUser"),
            password: text("SMTPPwd").map(|text| Secret::new(&*text)),
            from: fields.text("From"),
            to: fields.text("To").map(|to| recipients(&walk, &to)).unwrap_or_default(),
            subject: text("Subject").unwrap_or_default(),
            // The message is sent as it stands, with its own line ends and indentation.
            message: fields
                .one("Message")
                .map(|message| Arc::from(message.text().as_ref()))
                .unwrap_or_default(),
        };
        fields.finish();
        for address in config.from.iter().chain(&config.to).filter(|address| !is_address(&address.value)) {
            let message = format!("`{}` is not an address", address.value);
            walk.error(address.span, message, "write name@host, or Name <name@host>");
        }
        if config.enabled && !says(root, "SMTPPath") {
            walk.error(root.name_span(), "mail is enabled without <SMTPPath>", "name the mail server");
        }
        if config.enabled && !has_rules && !says(root, "To") {
            let help = "name a recipient, or write rules into mail.toml";
            walk.error(root.name_span(), "mail is enabled without <To>", help);
        }
        Read { value: Some(config), problems: walk.finish() }
    }
}

/// Whether an element is there with a text; a wrong one is reported for itself.
fn says(root: Element<'_>, name: &str) -> bool {
    root.child(name).is_some_and(|element| !element.text().trim().is_empty())
}

fn server(text: &str) -> Result<(Arc<str>, u16), &'static str> {
    const EXPECTED: &str = "host or host:port";
    let (host, port) = match text.rsplit_once(':') {
        Some((host, port)) => (host, port.parse().ok().filter(|port| *port > 0).ok_or(EXPECTED)?),
        None => (text, SMTP_PORT),
    };
    let wrong = host.is_empty() || host.contains(|c: char| c.is_whitespace() || c == '/');
    if wrong { Err(EXPECTED) } else { Ok((host.into(), port)) }
}

/// Separated by `,` or `;`, outside quotes.
fn recipients(walk: &Walk, text: &At<Arc<str>>) -> Vec<At<Arc<str>>> {
    Address::split_with_places(&text.value).into_iter().map(|part| walk.part(text, part)).collect()
}

/// Whether a text is one address: what is none here is none for the mail server either.
pub(crate) fn is_address(text: &str) -> bool {
    Address::parse(text).is_some()
}
