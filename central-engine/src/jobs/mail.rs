//! The summary mail of a run: sent by SMTP, or written into the outbox where `email.xml` is not enabled.

mod charts;
pub(super) mod person;
mod recipients;
mod smtp;

use std::{path::PathBuf, sync::Arc};

use anyhow::{Context as _, Result, anyhow, bail};
use jackfield_config::{Read, email::EmailConfig, mail_rules::MailRules};
use jackfield_protocol::id::{RunId, UserName};
use jackfield_reporting::{
    mail::{Address, HtmlTemplate, Mail, Settings, compose, compose_test},
    results::Results,
};
use lettre::{
    Message,
    message::{Attachment, Mailbox, MultiPart, SinglePart, header::ContentType},
};

use self::smtp::{Delivery, Server, deliver};
use super::{
    End, Tried, compared,
    report::{MAIL, file_of, make, write_whole},
    results_of,
};
use crate::{app::App, run::results::LogsOfEngine, store::job::Work};

/// Sends it to everybody, or to those who are left (`to`).
pub(super) async fn run(app: &App, run: RunId, to: &[String]) -> Tried {
    let results = Arc::new(results_of(app, run).await?);
    let ready = match prepare(app, &results, Rows::Awaited).await {
        Ok(Some(ready)) => ready,
        // A lab without email.xml wants no mail, and a rule may want none of this run.
        Ok(None) => return Ok(End::done()),
        Err(Unusable::Now(error)) => return Err(error),
        Err(Unusable::ForGood(error)) => return Ok(End::Hopeless(error)),
    };
    let message = match build(&ready.mail, message_id(app, &results)) {
        Ok(message) => message,
        Err(error) => return Ok(End::Hopeless(error)),
    };
    if ready.config.enabled {
        return send(app, &ready.config, message, run, to).await;
    }
    keep(app, file_of(&results, &app.jobs.outbox, MAIL), message.formatted()).await
}

/// Writes a mail into the outbox, where no server is to have it.
async fn keep(app: &App, file: PathBuf, mail: Vec<u8>) -> Tried {
    let outbox = app.jobs.outbox.clone();
    let write = move || make(&outbox).and_then(|()| write_whole(&file, |out| out.write_all(&mail)));
    tokio::task::spawn_blocking(write).await??;
    Ok(End::done())
}

/// A mail that can be sent.
struct Ready {
    config: EmailConfig,
    mail: Mail,
}

/// Why there is no mail.
enum Unusable {
    /// That may pass.
    Now(anyhow::Error),
    /// A person has to mend a file.
    ForGood(anyhow::Error),
}

/// Whether the rows of the run are to be in the lab's database first, where the mail shows reports of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Rows {
    Awaited,
    AsTheyAre,
}

/// The mail of a run; none where nobody is to get it.
async fn prepare(app: &App, results: &Arc<Results>, rows: Rows) -> Result<Option<Ready>, Unusable> {
    let lab = app.lab.as_user(&results.run.user);
    let files = tokio::task::spawn_blocking(move || read(&lab)).await;
    let files = files.map_err(|error| Unusable::Now(error.into()))?.map_err(Unusable::ForGood)?;
    let Some(Files { config, template, rules }) = files else { return Ok(None) };
    let changes = compared::changes(app, results).await.map_err(Unusable::Now)?;
    let mut settings = mail_settings(&config);
    let rules = rules.unwrap_or_default();
    if !rules.rules.is_empty() {
        let people = recipients::of(&rules, results, changes.as_ref());
        if people.is_empty() {
            return Ok(None);
        }
        settings.to = people.join(", ");
    }
    let wanted = charts::wanted(&rules, results, changes.as_ref());
    if rows == Rows::Awaited {
        charts::rows_of_this_run(app, &wanted, results).await.map_err(Unusable::Now)?;
    }
    let charts = charts::of(app, &wanted, results).await;
    let (shared, logs) = (Arc::clone(results), LogsOfEngine(app.logs.clone()));
    let write = move || compose(&shared, &logs, &settings, &template, changes.as_ref(), &charts);
    let composed = tokio::task::spawn_blocking(write).await.map_err(|error| Unusable::Now(error.into()))?;
    let mail = composed.map_err(|error| Unusable::ForGood(error.into()))?;
    Ok(Some(Ready { config, mail }))
}

/// The mail of a run as it would be sent now; none where nobody is to get it.
///
/// # Errors
/// A file of the lab cannot be used, or the run not be read.
pub(crate) async fn preview(app: &App, run: RunId) -> Result<Option<Mail>> {
    let results = Arc::new(results_of(app, run).await?);
    match prepare(app, &results, Rows::AsTheyAre).await {
        Ok(ready) => Ok(ready.map(|ready| ready.mail)),
        Err(Unusable::Now(error) | Unusable::ForGood(error)) => Err(error),
    }
}

/// Sends the test mail, also where `email.xml` is not enabled; to `to`, or to everybody it names. The answer is who got it.
///
/// # Errors
/// A file of the lab cannot be used, or the server does not take it.
pub(crate) async fn test(app: &App, user: &UserName, to: Option<&str>) -> Result<Vec<String>> {
    let lab = app.lab.as_user(user);
    let files = tokio::task::spawn_blocking(move || read(&lab)).await??;
    let Files { config, .. } = files.context("the lab has no email.xml")?;
    let mut settings = mail_settings(&config);
    if let Some(to) = to {
        settings.to = to.to_owned();
    }
    let id = format!("<jackfield-test-{}@{}>", crate::clock::now().0, app.facts.hostname);
    let message = build(&compose_test(&settings)?, id)?;
    let people: Vec<String> = message.envelope().to().iter().map(ToString::to_string).collect();
    match send(app, &config, message, RunId(0), &[]).await? {
        End::Done { told, .. } if told.is_empty() => Ok(people),
        End::Done { told, .. } => bail!(told.join("; ")),
        End::Hopeless(error) | End::NotSaved(error) | End::Rest { error, .. } => Err(error),
        End::Saved => Ok(people),
    }
}

/// The same at each try, and no other run's: a server that took the mail and whose answer was lost can tell.
fn message_id(app: &App, results: &Results) -> String {
    let run = &results.run;
    format!("<jackfield-run-{}.{}@{}>", run.id, run.submitted.0, app.facts.hostname)
}

/// What the lab says of its mail.
struct Files {
    config: EmailConfig,
    template: HtmlTemplate,
    /// Who gets what, where the lab has a file of it.
    rules: Option<MailRules>,
}

/// The lab's `email.xml`, rules and template; none where it has no `email.xml`.
fn read(lab: &jackfield_config::Lab) -> Result<Option<Files>> {
    let Some(read) = lab.email() else { return Ok(None) };
    let config = usable("email.xml", read)?;
    let rules = lab.mail_rules().map(|read| usable("mail.toml", read)).transpose()?;
    let template = match lab.email_template() {
        None => HtmlTemplate::Ours,
        Some(Ok(source)) => HtmlTemplate::Twister(source.text().to_owned()),
        Some(Err(problem)) => return Err(anyhow!("{problem}")),
    };
    Ok(Some(Files { config, template, rules }))
}

pub(super) fn usable<T>(file: &str, read: Read<T>) -> Result<T> {
    let (value, _warnings) = read.usable().map_err(|problems| {
        let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
        anyhow!("{file} cannot be used:\n{}", lines.join("\n"))
    })?;
    Ok(value)
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
    let mut shown = MultiPart::related().singlepart(SinglePart::html(mail.html.clone()));
    for picture in &mail.pictures {
        let png = ContentType::parse("image/png").context("a picture's type")?;
        shown = shown.singlepart(Attachment::new_inline(picture.name.clone()).body(picture.png.clone(), png));
    }
    let plain = SinglePart::plain(mail.text.clone());
    let body = MultiPart::alternative().singlepart(plain).multipart(shown);
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
    let server =
        Server { host: &host, port, login, limit: app.jobs.mail_timeout, believed: &app.jobs.believed };
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
            format!(
                "the mail server refused the mail for {}; correct `To` of email.xml, or mail.toml",
                list(&refused)
            )
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
                "the mail server refused the mail for gone@x.example (550 no such user); correct `To` of email.xml, or mail.toml"
            ]
        );
    }
}
