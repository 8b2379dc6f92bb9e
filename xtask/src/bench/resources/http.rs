//! One connection that asks and is answered, and does little else: what is measured is the engine, and the machine is shared with it.

use std::{
    io::{ErrorKind, Read as _, Write as _},
    net::TcpStream,
    time::Duration,
};

use anyhow::{Context as _, Result, bail};
use serde_json::{Value, json};

use crate::bench::lab::Lab;

/// How long an answer may take before the measure is given up.
const LIMIT: Duration = Duration::from_secs(120);

/// Where an engine is, and who asks.
#[derive(Clone, Debug)]
pub(super) struct Asker {
    address: String,
    token: String,
}

impl Asker {
    /// The administrator.
    pub(super) fn admin(lab: &Lab) -> Result<Self> {
        Ok(Self { address: address(lab)?, token: lab.token().to_owned() })
    }

    /// The same person after the engine was started anew.
    pub(super) fn again(&self, lab: &Lab) -> Result<Self> {
        Ok(Self { address: address(lab)?, token: self.token.clone() })
    }

    /// People who may take leases, each with a token.
    pub(super) fn people(lab: &Lab, count: usize) -> Result<Vec<Self>> {
        let mut admin = Self::admin(lab)?.connect()?;
        let mut nobody = Self { address: address(lab)?, token: String::new() }.connect()?;
        let mut people = Vec::new();
        for number in 0..count {
            let (name, password) = (format!("person{number}"), format!("person{number} likes switches"));
            let roles = ["RUN_TESTS", "VIEW_REPORTS", "LOCK_TESTBED", "LOCK_SUT"];
            admin.done("POST", "/users", &json!({"name": name, "password": password, "roles": roles}))?;
            let made = nobody.done(
                "POST",
                "/login",
                &json!({"user": name, "password": password, "token": "bench"}),
            )?;
            let token = made.get("token").and_then(Value::as_str).context("no token")?.to_owned();
            people.push(Self { address: address(lab)?, token });
        }
        Ok(people)
    }

    /// A connection of theirs.
    pub(super) fn connect(&self) -> Result<Connection> {
        let stream = TcpStream::connect(&self.address).context("connecting")?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(LIMIT))?;
        Ok(Connection { stream, asker: self.clone(), buffer: Vec::new() })
    }
}

fn address(lab: &Lab) -> Result<String> {
    Ok(lab.url().strip_prefix("http://").context("the engine does not speak plain HTTP")?.to_owned())
}

/// An open connection.
pub(super) struct Connection {
    stream: TcpStream,
    asker: Asker,
    buffer: Vec<u8>,
}

impl Connection {
    /// Status and body of an answer below `/api/v1`.
    pub(super) fn ask(&mut self, method: &str, path: &str, body: &str) -> Result<(u16, &[u8])> {
        self.ask_at(method, &format!("/api/v1{path}"), body)
    }

    /// The same of any address.
    pub(super) fn ask_at(&mut self, method: &str, path: &str, body: &str) -> Result<(u16, &[u8])> {
        let Asker { address, token } = &self.asker;
        let who = if token.is_empty() { String::new() } else { format!("Authorization: Bearer {token}\r\n") };
        let kind = if body.is_empty() { "" } else { "Content-Type: application/json\r\n" };
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: {address}\r\n{who}{kind}Content-Length: {}\r\n\r\n{body}",
            body.len()
        );
        self.stream.write_all(request.as_bytes())?;
        self.read()
    }

    fn read(&mut self) -> Result<(u16, &[u8])> {
        self.buffer.clear();
        let head = loop {
            if let Some(head) = self.buffer.windows(4).position(|bytes| bytes == b"\r\n\r\n") {
                break head;
            }
            self.more()?;
        };
        let text = std::str::from_utf8(self.buffer.get(..head).unwrap_or_default())?;
        let status = text.split(' ').nth(1).context("no status")?.parse()?;
        let length = text.lines().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>())
        });
        let length = length.with_context(|| format!("an answer without length: {text}"))??;
        let end = head + 4 + length;
        while self.buffer.len() < end {
            self.more()?;
        }
        Ok((status, self.buffer.get(head + 4..end).unwrap_or_default()))
    }

    fn more(&mut self) -> Result<()> {
        let mut bytes = [0; 16 * 1024];
        loop {
            match self.stream.read(&mut bytes) {
                Ok(0) => bail!("the engine closed the connection"),
                Ok(count) => {
                    self.buffer.extend_from_slice(bytes.get(..count).unwrap_or_default());
                    return Ok(());
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// What is answered with success, as JSON.
    pub(super) fn done(&mut self, method: &str, path: &str, body: &Value) -> Result<Value> {
        let text = if body.is_null() { String::new() } else { body.to_string() };
        let (status, said) = self.ask(method, path, &text)?;
        if !(200..300).contains(&status) {
            bail!("{method} {path} was answered {status}: {}", String::from_utf8_lossy(said));
        }
        Ok(if said.is_empty() { Value::Null } else { serde_json::from_slice(said)? })
    }

    /// Takes a lease of this resource; the answer is its number.
    pub(super) fn take(&mut self, resource: &str, more: &Value) -> Result<u64> {
        let mut wish = json!({"resources": [resource], "for_millis": 3_600_000});
        if let (Some(wish), Some(more)) = (wish.as_object_mut(), more.as_object()) {
            wish.extend(more.clone());
        }
        number(&self.done("POST", "/leases", &wish)?)
    }

    /// Gives it back.
    pub(super) fn release(&mut self, lease: u64) -> Result<()> {
        self.done("POST", &format!("/leases/{lease}/release"), &json!({})).map(drop)
    }
}

/// The number of a lease.
pub(super) fn number(lease: &Value) -> Result<u64> {
    lease.get("id").and_then(Value::as_u64).with_context(|| format!("no number in {lease}"))
}
