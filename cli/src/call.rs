//! `jackfield call` and `jackfield bridge`: the local API for tests whose language has no Unix sockets.

use std::{
    io::{BufRead, BufReader, Write},
    os::unix::net::UnixStream,
};

use anyhow::{Context as _, Result, bail};
use serde_json::{Value, json};

use crate::{exit::Exit, output};

/// One request to the local API.
#[derive(clap::Args)]
pub(crate) struct Call {
    /// The method, such as `get_resource`.
    method: String,
    /// Its parameters, as a JSON object.
    #[arg(default_value = "{}")]
    params: String,
    /// Print a text result without quotes.
    #[arg(long)]
    raw: bool,
}

impl Call {
    pub(crate) fn run(&self) -> Result<Exit> {
        let params: Value = serde_json::from_str(&self.params)
            .with_context(|| format!("the parameters `{}` are not JSON", self.params))?;
        let mut api = LocalApi::connect()?;
        match api.call(&self.method, &params)? {
            Ok(Value::String(text)) if self.raw => output::say(&text)?,
            Ok(Value::Null) if self.raw => {}
            Ok(value) => output::say(&value.to_string())?,
            Err(message) => {
                output::talk(&message);
                return Ok(Exit::NotPassed);
            }
        }
        Ok(Exit::Done)
    }
}

/// Joins standard input and output to the socket, after saying hello.
pub(crate) fn bridge() -> Result<Exit> {
    let LocalApi { mut socket, mut answers, .. } = LocalApi::connect()?;
    let reader = std::thread::spawn(move || {
        let mut out = std::io::stdout().lock();
        let mut line = Vec::new();
        while answers.read_until(b'\n', &mut line).is_ok_and(|bytes| bytes > 0) {
            if out.write_all(&line).and_then(|()| out.flush()).is_err() {
                break;
            }
            line.clear();
        }
    });
    for line in std::io::stdin().lock().lines() {
        writeln!(socket, "{}", line?)?;
    }
    socket.shutdown(std::net::Shutdown::Write)?;
    // The EP closes its side once it has answered everything.
    if reader.join().is_err() {
        bail!("the bridge's reader died");
    }
    Ok(Exit::Done)
}

/// A connection to the EP of this test.
struct LocalApi {
    socket: UnixStream,
    answers: BufReader<UnixStream>,
    next: u64,
}

impl LocalApi {
    /// Connects, and says hello.
    #[expect(clippy::disallowed_methods, reason = "the local API is named by the environment of the test")]
    fn connect() -> Result<Self> {
        let outside = "this is for tests that an EP runs";
        let path =
            std::env::var("JACKFIELD_SOCKET").context(format!("JACKFIELD_SOCKET is not set: {outside}"))?;
        let token =
            std::env::var("JACKFIELD_TOKEN").context(format!("JACKFIELD_TOKEN is not set: {outside}"))?;
        let socket = UnixStream::connect(&path)
            .with_context(|| format!("the EP does not answer at {path}; is it still running?"))?;
        let answers = BufReader::new(socket.try_clone()?);
        let mut api = Self { socket, answers, next: 0 };
        match api.call("hello", &json!({"token": token}))? {
            Ok(_) => Ok(api),
            Err(message) => bail!(message),
        }
    }

    /// One request; the inner error is what the EP says of it.
    fn call(&mut self, method: &str, params: &Value) -> Result<Result<Value, String>> {
        self.next = self.next.saturating_add(1);
        let request = json!({"jsonrpc": "2.0", "id": self.next, "method": method, "params": params});
        writeln!(self.socket, "{request}").context("asking the EP")?;
        let mut line = String::new();
        if self.answers.read_line(&mut line).context("reading the EP's answer")? == 0 {
            bail!("the EP closed the connection without an answer");
        }
        let mut answer: Value = serde_json::from_str(&line).context("the EP's answer is not JSON")?;
        if let Some(error) = answer.get("error") {
            let message = error.get("message").and_then(Value::as_str).unwrap_or("the EP gave no reason");
            return Ok(Err(message.to_owned()));
        }
        Ok(Ok(answer.get_mut("result").map(Value::take).unwrap_or_default()))
    }
}
