//! A mail to one person of the lab, about something other than a run: a lease that ends, a device that was taken out of service.

use anyhow::{Context as _, Result, anyhow};
use lettre::{
    Message,
    message::{Attachment, Mailbox, MultiPart, SinglePart, header::ContentType},
};

use super::{Files, MAIL, keep, mail_settings, read, send};
use crate::{
    app::App,
    jobs::{End, Tried},
    store::job::Letter,
};

/// Sends it, or writes it into the outbox where `email.xml` is not enabled.
pub(in crate::jobs) async fn run(app: &App, letter: &Letter) -> Tried {
    let lab = app.lab.clone();
    let files = tokio::task::spawn_blocking(move || read(&lab)).await?;
    let config = match files {
        Ok(Some(Files { config, .. })) => config,
        // A lab without email.xml wants no mail.
        Ok(None) => return Ok(End::done()),
        Err(error) => return Ok(End::Hopeless(error)),
    };
    let from = mail_settings(&config).from;
    let id = format!("<jackfield-{}@{}>", letter.key, app.facts.hostname);
    let message = match build(letter, &from, id) {
        Ok(message) => message,
        Err(error) => return Ok(End::Hopeless(error)),
    };
    if config.enabled {
        let sent = send(app, &config, message, letter.of(), &[]).await?;
        return match sent {
            // It goes to one alone: what is left of it is all of it.
            End::Rest { error, .. } => Err(error),
            other @ (End::Done { .. } | End::Hopeless(_) | End::Saved | End::NotSaved(_)) => Ok(other),
        };
    }
    keep(app, app.jobs.outbox.join(format!("{}.{MAIL}", letter.key)), message.formatted()).await
}

fn build(letter: &Letter, from: &str, id: String) -> Result<Message> {
    let mailbox = |text: &str| {
        text.parse::<Mailbox>().with_context(|| format!("`{text}` cannot stand in a mail; see mail.toml"))
    };
    let message = Message::builder()
        .message_id(Some(id))
        .from(mailbox(from)?)
        .to(mailbox(&letter.to)?)
        .subject(letter.subject.replace(|letter: char| letter.is_control(), " "));
    let text = SinglePart::plain(letter.text.clone());
    let whole = match &letter.calendar {
        None => message.singlepart(text),
        Some(calendar) => {
            let kind = ContentType::parse("text/calendar; charset=utf-8; method=PUBLISH")
                .map_err(|error| anyhow!("the type of a calendar: {error}"))?;
            let file = Attachment::new("lease.ics".to_owned()).body(calendar.clone(), kind);
            message.multipart(MultiPart::mixed().singlepart(text).singlepart(file))
        }
    };
    whole.context("the mail cannot be put together")
}

#[cfg(test)]
mod tests {
    use jackfield_protocol::id::RunId;

    use super::*;

    #[test]
    fn a_letter_has_its_event_beside_it_and_no_line_of_somebody_else() {
        let letter = Letter {
            to: "Ana <ana@lab.example>".to_owned(),
            key: "lease-7-ends".to_owned(),
            subject: "your lease of /tb1/r1\r\nBcc: eve@lab.example".to_owned(),
            text: "It ends at 16:00.\n".to_owned(),
            calendar: Some("BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n".to_owned()),
        };
        let message = build(&letter, "lab@lab.example", "<x@lab.example>".to_owned()).unwrap();
        let to: Vec<String> = message.envelope().to().iter().map(ToString::to_string).collect();
        assert_eq!(to, ["ana@lab.example"]);
        let text = String::from_utf8(message.formatted()).unwrap();
        assert!(!text.contains("\r\nBcc:"), "{text}");
        assert!(text.contains("Content-Type: text/calendar; charset=utf-8; method=PUBLISH"), "{text}");
        assert!(text.contains("filename=\"lease.ics\""), "{text}");
        assert_eq!(letter.of(), RunId(0));
    }
}
