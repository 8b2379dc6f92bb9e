//! The engine's HTTP interface, as the commands use it. Every wait for it has a limit.

use std::{
    io::{BufReader, Read},
    time::Duration,
};

use anyhow::{Context as _, Result, bail};
use jackfield_protocol::{
    error::{ErrorCode, Problem},
    secret::Secret,
};
use jackfield_tls::Fingerprint;
use serde::{Serialize, de::DeserializeOwned};
use ureq::{Agent, Body, Timeout, http::Response};

use self::way::Way;
use crate::visible::{visible, visible_value};

mod way;

pub(crate) use self::way::{Known, Stranger};

/// Where an engine is looked for when nobody says where it is.
pub(crate) const DEFAULT_ENGINE: &str = "http://127.0.0.1:8000";

/// Until a connection stands.
const CONNECT_LIMIT: Duration = Duration::from_secs(10);
/// Until an engine begins to answer, and between two pieces of an answer: twice what a stream of events is silent.
const ANSWER_LIMIT: Duration = Duration::from_secs(30);
/// Until an engine answers that is only asked whether it is there.
const LOOK_LIMIT: Duration = Duration::from_secs(5);

/// The engine did not answer at all.
#[derive(Debug, thiserror::Error)]
#[error(
    "cannot reach the engine at {engine}: {why}; is it running? start one with `jackfield engine`, or name another with --engine or JACKFIELD_ENGINE"
)]
pub(crate) struct Unreachable {
    engine: String,
    why: String,
}

/// Where a token comes from: what is wrong with it is mended there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Token {
    /// There is none.
    Missing,
    /// `--token` or the environment.
    Given(Secret),
    /// An earlier `jackfield login` kept it.
    Kept(Secret),
}

/// Where the engine is, and as whom we speak.
#[derive(Clone, Debug)]
pub(crate) struct Client {
    agent: Agent,
    engine: String,
    way: Way,
    token: Token,
    /// What comes is for a program, not for a terminal.
    verbatim: bool,
}

impl Client {
    /// A client for the engine at this address (`http://host:8000`), with a token where there is one.
    ///
    /// # Errors
    /// The authorities of this machine cannot be read.
    pub(crate) fn new(engine: &str, token: Token, pin: Option<Fingerprint>) -> Result<Self> {
        let engine = engine.trim_end_matches('/').to_owned();
        let way = Way::to(&engine, pin)?;
        Ok(Self { agent: agent(ANSWER_LIMIT, &way), engine, way, token, verbatim: false })
    }

    /// The same, for an engine that shows this.
    ///
    /// # Errors
    /// The authorities of this machine cannot be read.
    pub(crate) fn pinned(&self, pin: Fingerprint) -> Result<Self> {
        let way = Way::to(&self.engine, Some(pin))?;
        Ok(Self { agent: agent(ANSWER_LIMIT, &way), way, ..self.clone() })
    }

    /// How the engine is reached.
    pub(crate) fn way(&self) -> &Way {
        &self.way
    }

    /// The same for a program, which gets texts as they are; people get their control characters as signs.
    #[must_use]
    pub(crate) fn verbatim(self, verbatim: bool) -> Self {
        Self { verbatim, ..self }
    }

    /// The same, for a question whose answer takes so long by itself.
    pub(crate) fn patient(&self, takes: Duration) -> Self {
        self.hasty(ANSWER_LIMIT.saturating_add(takes))
    }

    /// The same, for who would rather have no answer than wait.
    pub(crate) fn hasty(&self, limit: Duration) -> Self {
        Self { agent: agent(limit, &self.way), ..self.clone() }
    }

    /// The engine's address.
    pub(crate) fn engine(&self) -> &str {
        &self.engine
    }

    /// The token, where there is one.
    pub(crate) fn token(&self) -> Option<&Secret> {
        match &self.token {
            Token::Missing => None,
            Token::Given(token) | Token::Kept(token) => Some(token),
        }
    }

    /// The error of a connection that cannot be made, or broke.
    pub(crate) fn lost(&self, why: impl std::fmt::Display) -> anyhow::Error {
        Unreachable { engine: self.engine.clone(), why: why.to_string() }.into()
    }

    /// Whether the engine answers at all.
    pub(crate) fn answers(&self) -> bool {
        let asked = self.hasty(LOOK_LIMIT).get::<serde_json::Value>("/login");
        asked.err().is_none_or(|error| !error.is::<Unreachable>())
    }

    /// `GET`, answered with JSON.
    pub(crate) fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T> {
        self.read(self.response(path)?)
    }

    /// `GET`, answered with anything.
    pub(crate) fn bytes(&self, path: &str) -> Result<impl Read + use<>> {
        Ok(self.response(path)?.into_body().into_reader())
    }

    /// `GET`, answered with text.
    pub(crate) fn text(&self, path: &str) -> Result<String> {
        self.text_of(self.response(path)?)
    }

    /// `GET` of a stream of events that may last for days. The engine says something on it every 15 seconds: one that
    /// says nothing for longer than any answer may take is lost.
    pub(crate) fn stream(&self, path: &str) -> Result<BufReader<impl Read + use<>>> {
        let request = self.signed(self.agent.get(self.url(path)))?;
        let answer = self.checked(request.call().map_err(|error| self.unreachable(&error))?)?;
        Ok(BufReader::new(answer.into_body().into_reader()))
    }

    /// `POST` of JSON, answered with JSON.
    pub(crate) fn post<T: DeserializeOwned>(&self, path: &str, body: &impl Serialize) -> Result<T> {
        self.send(self.agent.post(self.url(path)), body)
    }

    /// The same, to be done only while the thing is of the version that was read.
    pub(crate) fn post_at<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &impl Serialize,
        version: Option<u64>,
    ) -> Result<T> {
        let request = self.agent.post(self.url(path));
        let request = match version {
            Some(version) => request.header("If-Match", format!("\"{version}\"")),
            None => request,
        };
        self.send(request, body)
    }

    /// `PUT` of JSON, answered with JSON.
    pub(crate) fn put<T: DeserializeOwned>(&self, path: &str, body: &impl Serialize) -> Result<T> {
        self.send(self.agent.put(self.url(path)), body)
    }

    fn send<T: DeserializeOwned>(
        &self,
        request: ureq::RequestBuilder<ureq::typestate::WithBody>,
        body: &impl Serialize,
    ) -> Result<T> {
        let answer = self.signed(request)?.send_json(body).map_err(|error| self.unreachable(&error))?;
        self.read(self.checked(answer)?)
    }

    /// `DELETE`, answered with nothing of interest.
    pub(crate) fn delete(&self, path: &str) -> Result<()> {
        let request = self.signed(self.agent.delete(self.url(path)))?;
        let answer = self.checked(request.call().map_err(|error| self.unreachable(&error))?)?;
        // Nothing, or JSON: a page of whoever else listens there is no word that it is done.
        self.read::<serde_json::Value>(answer).map(drop)
    }

    fn response(&self, path: &str) -> Result<Response<Body>> {
        let request = self.signed(self.agent.get(self.url(path)))?;
        self.checked(request.call().map_err(|error| self.unreachable(&error))?)
    }

    /// Asks the engine nothing, and tells it nothing: whether it is there, and is the one that we know.
    ///
    /// # Errors
    /// It does not answer, or is another one.
    pub(crate) fn greet(&self) -> Result<()> {
        self.check_way()?;
        let request = self.agent.get(format!("{}/healthz", self.engine));
        request.call().map_err(|error| self.unreachable(&error)).map(drop)
    }

    fn signed<B>(&self, request: ureq::RequestBuilder<B>) -> Result<ureq::RequestBuilder<B>> {
        self.check_way()?;
        Ok(match self.token() {
            Some(token) => request.header("Authorization", format!("Bearer {}", token.expose_for_login())),
            None => request,
        })
    }

    /// Whether anything may be sent this way; an engine that does not answer is one that cannot be reached.
    fn check_way(&self) -> Result<()> {
        self.way.check().map_err(|error| match error.downcast::<ureq::Error>() {
            Ok(error) => self.unreachable(&error),
            Err(error) => error,
        })
    }

    fn url(&self, path: &str) -> String {
        format!("{}/api/v1{path}", self.engine)
    }

    fn unreachable(&self, error: &ureq::Error) -> anyhow::Error {
        if let Some(stranger) = Stranger::of(error) {
            return stranger.into();
        }
        let silent =
            "it took the connection, and gave no answer in time: it hangs, or has more to do than it can";
        let is_silence = matches!(error, ureq::Error::Timeout(_));
        let connects = matches!(error, ureq::Error::Timeout(Timeout::Connect | Timeout::Resolve));
        if is_silence && !connects { self.lost(silent) } else { self.lost(error) }
    }

    fn text_of(&self, response: Response<Body>) -> Result<String> {
        let mut body = response.into_body();
        let text = body.with_config().limit(u64::MAX).read_to_string();
        text.map_err(|error| self.unreachable(&error))
    }

    /// Turns a problem document into an error; anything else that is no success, too.
    fn checked(&self, response: Response<Body>) -> Result<Response<Body>> {
        let status = response.status();
        if status.is_success() {
            return Ok(response);
        }
        // What cannot be read of an error is an error without words.
        let text = self.text_of(response).unwrap_or_default();
        let mut problem: Problem = self.parsed(&text).unwrap_or_else(|_not_ours| {
            let said = visible(text.trim());
            if status.is_redirection() {
                let why = "which no engine does, and is not followed; name the address that it leads to";
                return Problem::new(
                    ErrorCode::Unavailable,
                    format!("{} redirects ({status}), {why}", self.engine),
                );
            }
            Problem::new(ErrorCode::Internal, format!("the engine answered {status}: {said}"))
        });
        if problem.code == ErrorCode::Unauthenticated && problem.title.starts_with("log in") {
            problem.title = self.no_token();
        }
        Err(problem.into())
    }

    /// What to do about a token that the engine does not take.
    fn no_token(&self) -> String {
        let engine = &self.engine;
        match &self.token {
            Token::Missing => format!(
                "you are not logged in to {engine}: run `jackfield login USER`, or set JACKFIELD_API_TOKEN (or --token) to what `jackfield token create NAME …` printed"
            ),
            Token::Given(_) => format!(
                "{engine} does not take the token of --token or JACKFIELD_API_TOKEN: it is wrong, expired or revoked; make another with `jackfield token create NAME …`"
            ),
            Token::Kept(_) => format!(
                "{engine} does not take the token of your last login any more: it is expired or revoked; run `jackfield login USER`"
            ),
        }
    }

    fn read<T: DeserializeOwned>(&self, response: Response<Body>) -> Result<T> {
        let text = self.text_of(response)?;
        let text = if text.is_empty() { "null" } else { &text };
        self.parsed(text).with_context(|| {
            format!("the engine's answer is not what this version expects: {}", visible(text))
        })
    }

    fn parsed<T: DeserializeOwned>(&self, text: &str) -> serde_json::Result<T> {
        if self.verbatim {
            return serde_json::from_str(text);
        }
        let mut value = serde_json::from_str(text)?;
        visible_value(&mut value);
        serde_json::from_value(value)
    }
}

fn agent(answer: Duration, way: &Way) -> Agent {
    let config = Agent::config_builder()
        .http_status_as_error(false)
        // Whoever answers in the place of the engine could send what is said to it anywhere.
        .max_redirects(0)
        .max_redirects_will_error(false)
        .timeout_connect(Some(CONNECT_LIMIT.min(answer)))
        .timeout_per_write(Some(answer))
        .timeout_per_read(Some(answer))
        .build();
    way.agent(config)
}

/// The address of an engine as a person gave it: an empty one, as pipelines set what they do not use, is none.
pub(crate) fn engine_address(given: &str) -> Result<String> {
    let address = given.trim();
    if address.is_empty() {
        return Ok(DEFAULT_ENGINE.to_owned());
    }
    match address.split_once("://") {
        Some(("http" | "https", host)) if !host.trim_matches('/').is_empty() => Ok(address.to_owned()),
        Some(_) => bail!("`{address}` is no address of an engine; write http://HOST:8000"),
        None => bail!("`{address}` is no address of an engine; write http://{address}"),
    }
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

#[cfg(test)]
mod tests {
    use std::{
        io::{BufRead, Write},
        net::TcpListener,
    };

    use super::*;

    #[test]
    fn an_address_is_read_as_people_write_it() {
        for (given, address) in [("", DEFAULT_ENGINE), (" ", DEFAULT_ENGINE), ("https://lab", "https://lab")]
        {
            assert_eq!(engine_address(given).unwrap(), address);
        }
        for (wrong, remedy) in
            [("lab:8000", "write http://lab:8000"), ("ftp://lab", "http://HOST:8000"), ("http://", "HOST")]
        {
            assert!(engine_address(wrong).unwrap_err().to_string().contains(remedy), "{wrong}");
        }
    }

    /// A server that takes a connection, says this, and then nothing.
    fn silent(says: &'static str) -> (Client, std::thread::JoinHandle<()>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let client =
            Client::new(&format!("http://{}", listener.local_addr().unwrap()), Token::Missing, None).unwrap();
        let server = std::thread::spawn(move || {
            let (mut socket, _) = listener.accept().unwrap();
            socket.write_all(says.as_bytes()).unwrap();
            // Until the other side has given up.
            let _ = socket.read_to_end(&mut Vec::new());
        });
        (client.hasty(Duration::from_millis(100)), server)
    }

    #[test]
    fn a_server_that_says_nothing_is_given_up_wherever_it_falls_silent() {
        let head = "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n";
        for says in ["", "HTTP/1.1 200", head, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"half\":"] {
            let (client, server) = silent(says);
            let error = client.get::<serde_json::Value>("/runs").unwrap_err();
            assert!(error.is::<Unreachable>(), "{says}: {error:#}");
            drop(client);
            server.join().unwrap();
        }
        let (client, server) = silent(head);
        let mut stream = client.stream("/live").unwrap();
        assert!(stream.read_line(&mut String::new()).is_err());
        drop((client, stream));
        server.join().unwrap();
    }

    #[test]
    fn nothing_that_is_said_to_an_engine_is_said_elsewhere() {
        let head = "HTTP/1.1 307 Temporary Redirect\r\nLocation: http://127.0.0.1:9/login\r\nContent-Length: 0\r\n\r\n";
        let (client, server) = silent(head);
        let body = serde_json::json!({"password": "swordfish"});
        let error = client.post::<serde_json::Value>("/login", &body).unwrap_err().to_string();
        assert!(error.contains("redirects (307 Temporary Redirect), which no engine does"), "{error}");
        drop(client);
        server.join().unwrap();
    }

    #[test]
    fn a_token_that_is_not_taken_is_told_with_where_it_came_from() {
        let told = |token| Client::new("http://lab", token, None).unwrap().no_token();
        assert!(told(Token::Missing).contains("jackfield login USER"));
        assert!(told(Token::Given(Secret::new("x"))).contains("JACKFIELD_API_TOKEN"));
        assert!(told(Token::Kept(Secret::new("x"))).contains("any more"));
    }
}
