//! The summary mail of a run: sent by SMTP, or written into the outbox where `email.xml` is not enabled.

mod smtp;

use std::sync::Arc;

use anyhow::{Context as _, Result, anyhow};
use jackfield_config::email::EmailConfig;
use jackfield_protocol::id::RunId;
use jackfield_reporting::{
    mail::{Address, HtmlTemplate, Mail, Settings, compose},
    results::Results,
};
use lettre::{
    Message,
    message::{Mailbox, MultiPart},
};

use self::smtp::{Delivery, Server, deliver};
use super::{
    End, Tried,
    report::{MAIL, file_of, make, write_whole},
    results_of,
};
use crate::{app::App, run::results::LogsOfEngine, store::job::Work};

/// Sends it to everybody, or to those who are left (`to`).
pub(super) async fn run(app: &App, run: RunId, to: &[String]) -> Tried {
    let results = Arc::new(results_of(app, run).await?);
    let lab = app.lab.as_user(&results.run.user);
    let (config, template) = match tokio::task::spawn_blocking(move || read(&lab)).await? {
        Ok(Some(files)) => files,
        // A lab without email.xml wants no mail.
        Ok(None) => return Ok(End::done()),
        Err(error) => return Ok(End::Hopeless(error)),
    };
    let (shared, logs, wanted) =
        (Arc::clone(&results), LogsOfEngine(app.logs.clone()), mail_settings(&config));
    let composed = tokio::task::spawn_blocking(move || compose(&shared, &logs, &wanted, &template)).await?;
    let id = message_id(app, &results);
    let message = match composed.map_err(anyhow::Error::from).and_then(|mail| build(&mail, id)) {
        Ok(message) => message,
        Err(error) => return Ok(End::Hopeless(error)),
    };
    if config.enabled {
        return send(app, &config, message, run, to).await;
    }
    let (file, outbox) = (file_of(&results, &app.jobs.outbox, MAIL), app.jobs.outbox.clone());
    let text = message.formatted();
    let write = move || make(&outbox).and_then(|()| write_whole(&file, |out| out.write_all(&text)));
    tokio::task::spawn_blocking(write).await??;
    Ok(End::done())
}

/// The same at each try, and no other run's: a server that took the mail and whose answer was lost can tell.
fn message_id(app: &App, results: &Results) -> String {
    let run = &results.run;
    format!("<jackfield-run-{}.{}@{}>", run.id, run.submitted.0, app.facts.hostname)
}

/// The lab's `email.xml` and template; none where it has no `email.xml`.
fn read(lab: &jackfield_config::Lab) -> Result<Option<(EmailConfig, HtmlTemplate)>> {
    let Some(read) = lab.email() else { return Ok(None) };
    let lines: Vec<String> = read.problems.iter().map(ToString::to_string).collect();
    let config = read.value.ok_or_else(|| anyhow!("email.xml cannot be used:\n{}", lines.join("\n")))?;
    let template = match lab.email_template() {
        None => HtmlTemplate::Ours,
        Some(Ok(source)) => HtmlTemplate::Twister(source.text().to_owned()),
        Some(Err(problem)) => return Err(anyhow!("{problem}")),
    };
    Ok(Some((config, template)))
}

fn mail_settings(config: &EmailConfig) -> Settings {
    let to: Vec<&str> = config.to.iter().map(|to| &*to.value).collect();
    // A mail that goes no further than the outbox needs no addresses; the file of it does.
    let or_nobody = |text: String| {
        if text.is_empty() && !config.enabled { "nobody@lab.invalid".to_owned() } else { text }
    };
    Settings {
        from: or_nobody(config.from.as_ref().map(|from| from.value.to_string()).unwrap_or_default()),
        to: or_nobody(to.join(", ")),
        subject: config.subject.to_string(),
        message: config.message.to_string(),
    }
}

fn mailbox(address: &Address) -> Result<Mailbox> {
    let text = address.to_string();
    text.parse().with_context(|| format!("`{text}` cannot stand in a mail"))
}

fn build(mail: &Mail, id: String) -> Result<Message> {
    let mut message = Message::builder()
        .message_id(Some(id))
        .from(mailbox(&mail.from)?)
        .to(mailbox(&mail.to)?)
        .subject(&mail.subject);
    for copy in &mail.cc {
        message = message.cc(mailbox(copy)?);
    }
    let body = MultiPart::alternative_plain_html(mail.text.clone(), mail.html.clone());
    message.multipart(body).context("the mail cannot be put together")
}

async fn send(app: &App, config: &EmailConfig, message: Message, run: RunId, left: &[String]) -> Tried {
    let Some((host, port)) = config.server.clone() else {
        return Ok(End::Hopeless(anyhow!("email.xml is enabled but has no SMTPPath; write host:port")));
    };
    let envelope = message.envelope();
    let Some(from) = envelope.from() else {
        return Ok(End::Hopeless(anyhow!("email.xml is enabled but has no From; write an address")));
    };
    let is_left =
        |address: &lettre::Address| left.is_empty() || left.iter().any(|left| *left == address.to_string());
    let to: Vec<_> = envelope.to().iter().filter(|address| is_left(address)).cloned().collect();
    let login = config.user.as_deref().zip(config.password.as_ref()).filter(|(user, _)| !user.is_empty());
    let server = Server { host: &host, port, login, limit: app.jobs.mail_timeout };
    let delivery = deliver(&server, from, &to, &message.formatted()).await?;
    Ok(end(delivery, run))
}

/// Who was refused is named; who was refused for now is tried again, alone.
fn end(delivery: Delivery, run: RunId) -> End {
    let Delivery { accepted, refused, later } = delivery;
    let list = |those: &[(lettre::Address, String)]| {
        let each: Vec<String> = those.iter().map(|(address, words)| format!("{address} ({words})")).collect();
        each.join(", ")
    };
    let told: Vec<String> = (!refused.is_empty())
        .then(|| {
            format!("the mail server refused the mail for {}; correct `To` of email.xml", list(&refused))
        })
        .into_iter()
        .collect();
    if !later.is_empty() {
        let error = anyhow!("the mail server does not take it now for {}", list(&later));
        let to = later.iter().map(|(address, _)| address.to_string()).collect();
        return End::Rest { work: Work::MailRun { run, to }, error, told };
    }
    if accepted == 0 {
        return End::Hopeless(anyhow!("the mail server refused it for everybody: {}", list(&refused)));
    }
    End::Done { next: Vec::new(), told }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mail_that_is_not_sent_needs_no_addresses() {
        let settings = |text| {
            let source = jackfield_config::Source::new("email.xml", text);
            mail_settings(&EmailConfig::read(&std::sync::Arc::new(source)).value.unwrap())
        };
        let kept = settings("<Root><Enabled>false</Enabled><From></From><To></To></Root>");
        assert_eq!((kept.from.as_str(), kept.to.as_str()), ("nobody@lab.invalid", "nobody@lab.invalid"));
        assert_eq!(settings("<Root><Enabled>true</Enabled></Root>").from, "");
    }

    #[test]
    fn who_is_refused_for_now_alone_is_left() {
        let refused =
            |name: &str, words: &str| (format!("{name}@x.example").parse().unwrap(), words.to_owned());
        let delivery = Delivery {
            accepted: 1,
            refused: vec![refused("gone", "550 no such user")],
            later: vec![refused("slow", "451 try later")],
        };
        let End::Rest { work, error, told } = end(delivery, RunId(4)) else { panic!("it is not done") };
        assert_eq!(work, Work::MailRun { run: RunId(4), to: vec!["slow@x.example".to_owned()] });
        assert_eq!(
            error.to_string(),
            "the mail server does not take it now for slow@x.example (451 try later)"
        );
        assert_eq!(
            told,
            [
                "the mail server refused the mail for gone@x.example (550 no such user); correct `To` of email.xml"
            ]
        );
    }
}
