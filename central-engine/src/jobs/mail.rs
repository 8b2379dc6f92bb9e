//! The summary mail of a run: sent by SMTP, or written into the outbox where `email.xml` is not enabled.

use std::{sync::Arc, time::Duration};

use anyhow::{Context as _, Result, anyhow};
use jackfield_config::{EngineSettings, email::EmailConfig};
use jackfield_protocol::id::RunId;
use jackfield_reporting::mail::{Address, HtmlTemplate, Mail, Settings, compose};
use lettre::{
    AsyncSmtpTransport, AsyncTransport as _, Message, Tokio1Executor,
    message::{Mailbox, MultiPart},
    transport::smtp::{
        authentication::Credentials,
        client::{Tls, TlsParameters},
    },
};

use super::{
    End,
    finish::{file_of, write_whole},
    results_of,
};
use crate::{app::App, run::results::LogsOfEngine};

/// The port where TLS begins before SMTP does.
const SMTPS: u16 = 465;

pub(super) async fn run(app: &App, settings: &EngineSettings, run: RunId) -> Result<End> {
    let results = Arc::new(results_of(app, settings, run).await?);
    let lab = app.lab.as_user(&results.run.user);
    let (config, template) = match tokio::task::spawn_blocking(move || read(&lab)).await? {
        Ok(Some(files)) => files,
        // A lab without email.xml wants no mail.
        Ok(None) => return Ok(End::Done(Vec::new())),
        Err(error) => return Ok(End::Hopeless(error)),
    };
    let (shared, logs, wanted) =
        (Arc::clone(&results), LogsOfEngine(app.logs.clone()), mail_settings(&config));
    let composed = tokio::task::spawn_blocking(move || compose(&shared, &logs, &wanted, &template)).await?;
    let message = match composed.map_err(anyhow::Error::from).and_then(|mail| build(&mail)) {
        Ok(message) => message,
        Err(error) => return Ok(End::Hopeless(error)),
    };
    if config.enabled {
        send(&config, settings, message).await?;
    } else {
        let file = file_of(&results, &settings.outbox, "eml");
        let text = message.formatted();
        let outbox = settings.outbox.clone();
        tokio::task::spawn_blocking(move || {
            std::fs::create_dir_all(&outbox)
                .with_context(|| format!("making the outbox {}", outbox.display()))?;
            write_whole(&file, |out| out.write_all(&text))
        })
        .await??;
    }
    Ok(End::Done(Vec::new()))
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
    Settings {
        from: config.from.as_ref().map(|from| from.value.to_string()).unwrap_or_default(),
        to: to.join(", "),
        subject: config.subject.to_string(),
        message: config.message.to_string(),
    }
}

fn mailbox(address: &Address) -> Result<Mailbox> {
    let text = address.to_string();
    text.parse().with_context(|| format!("`{text}` cannot stand in a mail"))
}

fn build(mail: &Mail) -> Result<Message> {
    let mut message =
        Message::builder().from(mailbox(&mail.from)?).to(mailbox(&mail.to)?).subject(&mail.subject);
    for copy in &mail.cc {
        message = message.cc(mailbox(copy)?);
    }
    let body = MultiPart::alternative_plain_html(mail.text.clone(), mail.html.clone());
    message.multipart(body).context("the mail cannot be put together")
}

async fn send(config: &EmailConfig, settings: &EngineSettings, message: Message) -> Result<()> {
    let (host, port) =
        config.server.clone().context("email.xml is enabled but has no SMTPPath; write host:port")?;
    let tls = TlsParameters::new(host.to_string()).context("TLS for the mail server")?;
    // A lab's own server on port 25 often speaks no TLS; one that offers it is taken at its word.
    let tls = if port == SMTPS { Tls::Wrapper(tls) } else { Tls::Opportunistic(tls) };
    let mut transport = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&*host)
        .port(port)
        .tls(tls)
        .timeout(Some(Duration::from_millis(settings.mail_timeout_millis)));
    if let (Some(user), Some(password)) = (&config.user, &config.password)
        && !user.is_empty()
    {
        transport = transport.credentials(Credentials::new(user.to_string(), password.to_string()));
    }
    transport
        .build()
        .send(message)
        .await
        .with_context(|| format!("the mail server {host}:{port} did not take it"))?;
    Ok(())
}
