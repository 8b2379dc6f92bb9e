//! The engine's HTTP interface, as the commands use it.

use std::{io::BufReader, time::Duration};

use anyhow::{Context, Result};
use jackfield_protocol::error::{ErrorCode, Problem};
use serde::{Serialize, de::DeserializeOwned};
use ureq::{Agent, Body, http::Response};

/// The engine did not answer at all.
#[derive(Debug, thiserror::Error)]
#[error(
    "cannot reach the engine at {engine}: {why}; is it running? start one with `jackfield engine`, or name another with --engine or JACKFIELD_ENGINE"
)]
pub(crate) struct Unreachable {
    engine: String,
    why: String,
}

/// Where the engine is, and as whom we speak.
#[derive(Clone, Debug)]
pub(crate) struct Client {
    agent: Agent,
    engine: String,
    token: Option<String>,
}

impl Client {
    /// A client for the engine at this address (`http://host:8000`), with a token where there is one.
    pub(crate) fn new(engine: &str, token: Option<String>) -> Self {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .timeout_connect(Some(Duration::from_secs(10)))
            .build();
        Self { agent: config.into(), engine: engine.trim_end_matches('/').to_owned(), token }
    }

    /// The engine's address.
    pub(crate) fn engine(&self) -> &str {
        &self.engine
    }

    /// The token, where there is one.
    pub(crate) fn token(&self) -> Option<&str> {
        self.token.as_deref()
    }

    /// The error of a connection that cannot be made, or broke.
    pub(crate) fn lost(&self, why: impl std::fmt::Display) -> anyhow::Error {
        Unreachable { engine: self.engine.clone(), why: why.to_string() }.into()
    }

    /// Whether the engine answers at all.
    pub(crate) fn answers(&self) -> bool {
        self.get::<serde_json::Value>("/login").err().is_none_or(|error| !error.is::<Unreachable>())
    }

    /// `GET`, answered with JSON.
    pub(crate) fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T> {
        read(self.get_response(path)?)
    }

    /// `GET`, answered with anything.
    pub(crate) fn get_response(&self, path: &str) -> Result<Response<Body>> {
        let mut request = self.agent.get(self.url(path));
        if let Some(token) = &self.token {
            request = request.header("Authorization", format!("Bearer {token}"));
        }
        checked(request.call().map_err(|error| self.unreachable(&error))?)
    }

    /// `GET` of a stream that may last for days.
    pub(crate) fn stream(&self, path: &str) -> Result<BufReader<impl std::io::Read + use<>>> {
        Ok(BufReader::new(self.get_response(path)?.into_body().into_reader()))
    }

    /// `POST` of JSON, answered with JSON.
    pub(crate) fn post<T: DeserializeOwned>(&self, path: &str, body: &impl Serialize) -> Result<T> {
        self.send("POST", path, body)
    }

    /// `PUT` of JSON, answered with JSON.
    pub(crate) fn put<T: DeserializeOwned>(&self, path: &str, body: &impl Serialize) -> Result<T> {
        self.send("PUT", path, body)
    }

    fn send<T: DeserializeOwned>(&self, method: &str, path: &str, body: &impl Serialize) -> Result<T> {
        let mut request = match method {
            "PUT" => self.agent.put(self.url(path)),
            _ => self.agent.post(self.url(path)),
        };
        if let Some(token) = &self.token {
            request = request.header("Authorization", format!("Bearer {token}"));
        }
        read(checked(request.send_json(body).map_err(|error| self.unreachable(&error))?)?)
    }

    /// `DELETE`, answered with nothing of interest.
    pub(crate) fn delete(&self, path: &str) -> Result<()> {
        let mut request = self.agent.delete(self.url(path));
        if let Some(token) = &self.token {
            request = request.header("Authorization", format!("Bearer {token}"));
        }
        checked(request.call().map_err(|error| self.unreachable(&error))?).map(drop)
    }

    fn url(&self, path: &str) -> String {
        format!("{}/api/v1{path}", self.engine)
    }

    fn unreachable(&self, error: &ureq::Error) -> anyhow::Error {
        Unreachable { engine: self.engine.clone(), why: error.to_string() }.into()
    }
}

/// Turns a problem document into an error; anything else that is no success, too.
fn checked(mut response: Response<Body>) -> Result<Response<Body>> {
    let status = response.status();
    if status.is_success() {
        return Ok(response);
    }
    let text = response.body_mut().read_to_string().unwrap_or_default();
    let problem = serde_json::from_str(&text).unwrap_or_else(|_not_ours| {
        Problem::new(ErrorCode::Internal, format!("the engine answered {status}: {}", text.trim()))
    });
    Err(problem.into())
}

fn read<T: DeserializeOwned>(mut response: Response<Body>) -> Result<T> {
    let text =
        response.body_mut().with_config().limit(u64::MAX).read_to_string().context("reading the answer")?;
    let text = if text.is_empty() { "null" } else { &text };
    serde_json::from_str(text)
        .with_context(|| format!("the engine's answer is not what this version expects: {text}"))
}

/// A value inside a path or query.
pub(crate) fn encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                encoded.push(char::from(byte))
            }
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}
