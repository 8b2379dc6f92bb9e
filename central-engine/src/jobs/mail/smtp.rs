//! One talk with the lab's mail server, in which each recipient is refused or accepted on their own: a person who left
//! keeps the mail from nobody else.

use std::time::Duration;

use anyhow::{Context as _, Result, anyhow};
use jackfield_protocol::secret::Secret;
use jackfield_tls::Trust;
use lettre::{
    Address,
    transport::smtp::{
        Error,
        authentication::{Credentials, DEFAULT_MECHANISMS},
        client::{AsyncSmtpConnection, Certificate, CertificateStore, TlsParameters},
        commands::{Data, Mail, Rcpt},
        extension::{ClientId, Extension, MailBodyParameter, MailParameter},
    },
};

/// The port where TLS begins before SMTP does.
const SMTPS: u16 = 465;

/// Where mail is handed in.
pub(super) struct Server<'a> {
    pub(super) host: &'a str,
    pub(super) port: u16,
    /// Name and password, where it wants them.
    pub(super) login: Option<(&'a str, &'a Secret)>,
    /// For the whole talk.
    pub(super) limit: Duration,
    /// By whom it is known where it speaks TLS.
    pub(super) believed: &'a Trust,
}

/// What became of each recipient.
#[derive(Debug, Default)]
pub(super) struct Delivery {
    pub(super) accepted: usize,
    /// Refused for good, with the server's words.
    pub(super) refused: Vec<(Address, String)>,
    /// Refused for now, with the server's words.
    pub(super) later: Vec<(Address, String)>,
}

/// Hands in a message.
///
/// # Errors
/// Nobody got it: the server is not there, refuses the whole, or does not end the talk within its limit.
pub(super) async fn deliver(
    server: &Server<'_>,
    from: &Address,
    to: &[Address],
    message: &[u8],
) -> Result<Delivery> {
    let Server { host, port, limit, .. } = server;
    match tokio::time::timeout(*limit, talk(server, from, to, message)).await {
        Ok(done) => done.with_context(|| format!("the mail server {host}:{port} did not take it")),
        Err(_) => Err(anyhow!(
            "the mail server {host}:{port} did not take it within {} s (`mail.timeout` of engine.toml)",
            limit.as_secs_f64()
        )),
    }
}

async fn talk(server: &Server<'_>, from: &Address, to: &[Address], message: &[u8]) -> Result<Delivery> {
    let mut connection = connect(server).await?;
    connection.command(Mail::new(Some(from.clone()), parameters(&connection, message))).await?;
    let mut delivery = Delivery::default();
    for address in to {
        match connection.command(Rcpt::new(address.clone(), Vec::new())).await {
            Ok(_) => delivery.accepted = delivery.accepted.saturating_add(1),
            Err(error) if error.is_permanent() => delivery.refused.push((address.clone(), words(&error))),
            Err(error) if error.is_transient() => delivery.later.push((address.clone(), words(&error))),
            Err(error) => return Err(error.into()),
        }
    }
    if delivery.accepted > 0 {
        connection.command(Data).await?;
        connection.message(message).await?;
    }
    // It is taken; how the talk ends changes nothing.
    drop(connection.quit().await);
    Ok(delivery)
}

async fn connect(server: &Server<'_>) -> Result<AsyncSmtpConnection> {
    let Server { host, port, login, limit, believed } = server;
    let me = ClientId::default();
    let tls = || tls(host, believed).context("TLS for the mail server");
    let first = if *port == SMTPS { Some(tls()?) } else { None };
    let mut connection =
        AsyncSmtpConnection::connect_tokio1((*host, *port), Some(*limit), &me, first, None).await?;
    // A lab's own server on port 25 often speaks no TLS; one that offers it is taken at its word.
    if *port != SMTPS && connection.can_starttls() {
        connection.starttls(tls()?, &me).await?;
    }
    if let Some((user, password)) = login {
        let credentials = Credentials::new((*user).to_owned(), password.expose_for_login().to_owned());
        connection.auth(DEFAULT_MECHANISMS, &credentials).await?;
    }
    Ok(connection)
}

/// A server is known by the authorities that the lab named, or by those that the machine believes.
fn tls(host: &str, believed: &Trust) -> Result<TlsParameters> {
    let authorities = believed.authorities()?;
    let mut parameters = TlsParameters::builder(host.to_owned());
    if !authorities.is_empty() {
        parameters = parameters.certificate_store(CertificateStore::None);
    }
    for authority in authorities {
        parameters = parameters.add_root_certificate(Certificate::from_der(authority.to_vec())?);
    }
    Ok(parameters.build()?)
}

fn parameters(connection: &AsyncSmtpConnection, message: &[u8]) -> Vec<MailParameter> {
    let mut parameters = Vec::new();
    if connection.server_info().supports_feature(Extension::SmtpUtfEight) {
        parameters.push(MailParameter::SmtpUtfEight);
    }
    if !message.is_ascii() {
        parameters.push(MailParameter::Body(MailBodyParameter::EightBitMime));
    }
    parameters
}

/// What the server said, without our words around it.
fn words(error: &Error) -> String {
    let status = error.status().map(|code| format!("{code} ")).unwrap_or_default();
    let said = std::error::Error::source(error).map_or_else(|| error.to_string(), ToString::to_string);
    format!("{status}{said}")
}
