//! One request to a webhook. Its address lets anybody in who knows it, so no error and no log has more of it than its host.

use std::{
    io::Read as _,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context as _, Result, anyhow, bail};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use jackfield_config::webhooks::is_address;
use jackfield_protocol::{secret::Secret, time::Time};
use jackfield_tls::Trust;
use ring::hmac;
use ureq::Agent;

use crate::secret_place;

/// What of an answer is read, to tell why it was no.
const ANSWER_BYTES_MAX: u64 = 200;
/// How secrets of that standard begin; what follows is base64.
const SECRET_PREFIX: &str = "whsec_";
/// It says that it will never take anything again.
const GONE: u16 = 410;

/// A request.
pub(super) struct Call {
    pub(super) name: String,
    pub(super) url: Secret,
    pub(super) secret: Option<Secret>,
    /// The same each time.
    pub(super) id: String,
    pub(super) body: String,
    /// Where files lie that hold an address or a secret.
    pub(super) root: PathBuf,
    pub(super) believed: Trust,
    /// For all of it.
    pub(super) limit: Duration,
    pub(super) now: Time,
}

/// How it was answered; an error is tried again.
pub(super) enum Answered {
    Taken,
    /// It wants nothing more.
    Gone(anyhow::Error),
}

impl Call {
    pub(super) fn make(&self) -> Result<Answered> {
        let name = &self.name;
        let url = place(&self.url, &self.root).with_context(|| format!("the address of webhook `{name}`"))?;
        let url = url.expose_for_login().trim();
        is_address(url).map_err(|why| anyhow!("the address of webhook `{name}`: {why}"))?;
        if url.starts_with("env:") || url.starts_with("file:") {
            bail!("the address of webhook `{name}` stands at a place that names another place");
        }
        let host = url.split(['/', '?', '#']).nth(2).unwrap_or_default();
        let seconds = self.now.0.div_euclid(1000);
        let signature = self.signature(seconds).with_context(|| format!("the secret of webhook `{name}`"))?;
        let answer = self.send(url, seconds, signature).map_err(|error| {
            // Some of its errors hold the whole address.
            let said = format!("{error:#}").replace(url, host);
            anyhow!("webhook `{name}` at {host} was not reached: {said}")
        })?;
        let status = answer.status();
        if status.is_success() {
            return Ok(Answered::Taken);
        }
        let said = first_line(answer);
        // Some repeat the path, which is what lets in.
        let repeats =
            url.split(['/', '?', '#', '&', '=']).skip(3).any(|part| part.len() > 3 && said.contains(part));
        let said = if repeats { String::new() } else { said };
        let why = if status.is_redirection() {
            " (nothing follows a redirection; name the address it leads to)"
        } else {
            ""
        };
        let refused = anyhow!("webhook `{name}` at {host} answered {}{why}{said}", status.as_u16());
        if status.as_u16() == GONE { Ok(Answered::Gone(refused)) } else { Err(refused) }
    }

    /// None where nothing is to be signed.
    fn signature(&self, seconds: i64) -> Result<Option<String>> {
        let Some(secret) = &self.secret else { return Ok(None) };
        signature(&place(secret, &self.root)?, &self.id, seconds, &self.body).map(Some)
    }

    fn send(
        &self,
        url: &str,
        seconds: i64,
        signature: Option<String>,
    ) -> Result<ureq::http::Response<ureq::Body>> {
        let config = Agent::config_builder()
            .timeout_global(Some(self.limit))
            .max_redirects(0)
            .max_redirects_will_error(false)
            .http_status_as_error(false)
            .user_agent(concat!("jackfield/", env!("CARGO_PKG_VERSION")))
            .build();
        let agent = jackfield_tls::agent(config, self.believed.client()?);
        let mut request = agent
            .post(url)
            .header("content-type", "application/json")
            .header("webhook-id", &self.id)
            .header("webhook-timestamp", seconds.to_string());
        if let Some(signature) = signature {
            request = request.header("webhook-signature", signature);
        }
        Ok(request.send(self.body.as_bytes())?)
    }
}

fn place(written: &Secret, root: &Path) -> Result<Secret> {
    secret_place::read(written, root).map_err(|error| anyhow!(error))
}

/// `v1,` and the HMAC-SHA256 of id, time and body.
fn signature(secret: &Secret, id: &str, seconds: i64, body: &str) -> Result<String> {
    let text = secret.expose_for_login().trim();
    let key = match text.strip_prefix(SECRET_PREFIX) {
        Some(coded) => STANDARD.decode(coded).ok().context("what follows `whsec_` is no base64")?,
        None => text.as_bytes().to_vec(),
    };
    if key.is_empty() {
        bail!("it is empty, so anybody could sign as we do");
    }
    let key = hmac::Key::new(hmac::HMAC_SHA256, &key);
    let tag = hmac::sign(&key, format!("{id}.{seconds}.{body}").as_bytes());
    Ok(format!("v1,{}", STANDARD.encode(tag.as_ref())))
}

/// What it says of its refusal, as far as that is one line.
fn first_line(answer: ureq::http::Response<ureq::Body>) -> String {
    let mut bytes = Vec::new();
    // What cannot be read says nothing.
    drop(answer.into_body().into_reader().take(ANSWER_BYTES_MAX).read_to_end(&mut bytes));
    let text = String::from_utf8_lossy(&bytes);
    let line = text.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
    let plain: String = line.chars().filter(|letter| !letter.is_control()).collect();
    if plain.is_empty() || plain.starts_with('<') { String::new() } else { format!(": {plain}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the standard's own libraries.
    #[test]
    fn signatures_are_those_of_the_standard() {
        let secret = Secret::new("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
        let made =
            signature(&secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, "{\"test\": 2432232314}");
        assert_eq!(made.unwrap(), "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
        for wrong in ["whsec_!", "whsec_", " "] {
            assert!(signature(&Secret::new(wrong), "x", 0, "").is_err(), "{wrong:?}");
        }
    }
}
