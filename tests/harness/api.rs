//! The engine's HTTP interface, as a script would use it.

use std::{process::Command, time::Duration};

use anyhow::{Context, Result, bail};
use jackfield_protocol::{
    api::{Page, RunSummary, SubmitRun, Submitted, TestRow},
    event::RunEvent,
    id::{AttemptId, RunId},
    verdict::{TestState, Verdict},
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};
use ureq::Agent;

use crate::wait;

/// An engine and a token.
#[derive(Clone, Debug)]
pub struct Api {
    agent: Agent,
    /// `http://127.0.0.1:port`.
    pub url: String,
    /// A token of an administrator; empty before log-in.
    pub token: String,
}

impl Api {
    /// The interface at this address, before log-in.
    pub fn new(url: &str) -> Self {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(Duration::from_secs(60)))
            .build();
        Self { agent: config.into(), url: url.to_owned(), token: String::new() }
    }

    /// Status and body of a request, whatever they are.
    ///
    /// # Errors
    /// No answer came.
    pub fn request(&self, method: &str, path: &str, body: Option<&Value>) -> Result<(u16, String)> {
        let (status, bytes) = self.request_bytes(method, path, body)?;
        Ok((status, String::from_utf8_lossy(&bytes).into_owned()))
    }

    /// How a command line of this caller's ended, and all that it said.
    ///
    /// # Errors
    /// It could not be started, or was killed.
    pub fn typed(&self, command: &mut Command) -> Result<(i32, String)> {
        let command = command.env("JACKFIELD_ENGINE", &self.url).env("JACKFIELD_API_TOKEN", &self.token);
        let output = command.output()?;
        let code = output.status.code().context("it was killed")?;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Ok((code, text(&output.stdout) + &text(&output.stderr)))
    }

    /// A file by the hash of its content.
    ///
    /// # Errors
    /// There is none.
    pub fn blob(&self, hash: &str) -> Result<Vec<u8>> {
        let (status, bytes) = self.request_bytes("GET", &format!("/blobs/{hash}"), None)?;
        if status == 200 { Ok(bytes) } else { bail!("blob {hash} was answered {status}") }
    }

    fn request_bytes(&self, method: &str, path: &str, body: Option<&Value>) -> Result<(u16, Vec<u8>)> {
        let url = format!("{}/api/v1{path}", self.url);
        let builder = ureq::http::Request::builder()
            .method(method)
            .uri(&url)
            .header("Authorization", format!("Bearer {}", self.token));
        let mut response = match body {
            None => self.agent.run(builder.body(())?),
            Some(body) => {
                let builder = builder.header("Content-Type", "application/json");
                self.agent.run(builder.body(serde_json::to_vec(body)?)?)
            }
        }
        .with_context(|| format!("{method} {url}"))?;
        let bytes = response.body_mut().with_config().limit(u64::MAX).read_to_vec()?;
        Ok((response.status().as_u16(), bytes))
    }

    fn expect<T: DeserializeOwned>(&self, method: &str, path: &str, body: Option<&Value>) -> Result<T> {
        let (status, text) = self.request(method, path, body)?;
        if !(200..300).contains(&status) {
            bail!("{method} {path} was answered {status}: {text}");
        }
        let text = if text.is_empty() { "null" } else { &text };
        serde_json::from_str(text).with_context(|| format!("{method} {path} was answered: {text}"))
    }

    /// `GET`.
    ///
    /// # Errors
    /// It was not answered with success.
    pub fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T> {
        self.expect("GET", path, None)
    }

    /// `POST`.
    ///
    /// # Errors
    /// It was not answered with success.
    pub fn post<T: DeserializeOwned>(&self, path: &str, body: &impl Serialize) -> Result<T> {
        self.expect("POST", path, Some(&serde_json::to_value(body)?))
    }

    /// `PUT`.
    ///
    /// # Errors
    /// It was not answered with success.
    pub fn put<T: DeserializeOwned>(&self, path: &str, body: &impl Serialize) -> Result<T> {
        self.expect("PUT", path, Some(&serde_json::to_value(body)?))
    }

    /// Starts a project given as text.
    ///
    /// # Errors
    /// It was refused.
    pub fn submit(&self, name: &str, xml: &str) -> Result<RunId> {
        let request =
            SubmitRun { project: Some(name.to_owned()), xml: Some(xml.to_owned()), ..SubmitRun::default() };
        Ok(self.post::<Submitted>("/runs", &request)?.run)
    }

    /// A run as it stands.
    ///
    /// # Errors
    /// There is none.
    pub fn run(&self, run: RunId) -> Result<RunSummary> {
        self.get(&format!("/runs/{run}"))
    }

    /// Waits for the end of a run.
    ///
    /// # Errors
    /// It does not end in time.
    pub fn wait(&self, run: RunId, limit: Duration) -> Result<RunSummary> {
        wait::until(limit, &format!("run {run} to end"), || {
            // An engine that restarts does not answer for a moment.
            Ok(self.run(run).ok().filter(|summary| summary.state.is_final()))
        })
        .with_context(|| format!("{:?}\n{:?}", self.run(run), self.get::<Value>(&format!("/runs/{run}/why"))))
    }

    /// Every test of a run.
    ///
    /// # Errors
    /// There is no such run.
    pub fn tests(&self, run: RunId) -> Result<Vec<TestRow>> {
        let page: Page<TestRow> = self.get(&format!("/runs/{run}/tests?limit=1000"))?;
        Ok(page.items)
    }

    /// Sets a node of the resource tree.
    ///
    /// # Errors
    /// It was refused.
    pub fn set_resource(&self, parent: &str, name: &str, properties: &Value) -> Result<()> {
        let body = json!({"parent": parent, "name": name, "properties": properties});
        self.put::<Value>("/resources", &body).map(drop)
    }

    /// Makes a SUT whose one component is linked to this resource.
    ///
    /// # Errors
    /// There is no such resource, or it was refused.
    pub fn set_sut(&self, name: &str, component: &str, resource: &str) -> Result<()> {
        let node: Value = self.get(&format!("/resources?query={resource}"))?;
        let link = json!({"path": [name, component], "meta": {"_id": node.get("id")}, "id": "0000000a02", "children": {}});
        let sut = json!({"path": [name], "meta": {}, "id": "0000000a01", "children": {component: link}});
        self.put::<Value>(&format!("/suts/{name}"), &sut).map(drop)
    }

    /// Runs these test files of the lab in one suite, one after the other, to their end.
    ///
    /// # Errors
    /// They were refused, or do not end in time.
    pub fn run_files(&self, files: &[&str], limit: Duration) -> Result<Vec<TestRow>> {
        let cases: String =
            files.iter().map(|file| format!("<TestCase><tcName>{file}</tcName></TestCase>")).collect();
        let xml = format!("<Root><TestSuite><tsName>story</tsName>{cases}</TestSuite></Root>");
        let run = self.submit("story", &xml)?;
        self.wait(run, limit)?;
        self.tests(run)
    }

    /// The same, where every one of them shall pass.
    ///
    /// # Errors
    /// One did not; with what it said.
    pub fn pass_files(&self, files: &[&str], limit: Duration) -> Result<Vec<TestRow>> {
        let rows = self.run_files(files, limit)?;
        for row in &rows {
            if row.state != TestState::Ended(Verdict::Pass) {
                let log = row.attempt.map(|attempt| self.log(attempt, "cli").unwrap_or_default());
                bail!("{} ended {:?}: {}\n{}", row.name, row.state, row.reason, log.unwrap_or_default());
            }
        }
        Ok(rows)
    }

    /// Every event of a run so far.
    ///
    /// # Errors
    /// There is no such run.
    pub fn events(&self, run: RunId) -> Result<Vec<RunEvent>> {
        let mut events: Vec<RunEvent> = Vec::new();
        loop {
            let after = events.last().map_or(0, |event| event.seq);
            let page: Page<RunEvent> = self.get(&format!("/runs/{run}/events?after={after}&limit=1000"))?;
            if page.items.is_empty() {
                return Ok(events);
            }
            events.extend(page.items);
        }
    }

    /// A log of an attempt.
    ///
    /// # Errors
    /// There is none.
    pub fn log(&self, attempt: AttemptId, stream: &str) -> Result<String> {
        let (status, text) = self.request("GET", &format!("/attempts/{attempt}/logs/{stream}"), None)?;
        if status == 200 {
            Ok(text)
        } else {
            bail!("log {stream} of {attempt} was answered {status}: {text}")
        }
    }
}
