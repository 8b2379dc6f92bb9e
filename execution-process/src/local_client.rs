//! The other end of the local API, for `jackfield call` and `jackfield bridge`: what languages without Unix sockets use.

use std::{
    io::{self, BufRead, BufReader, Read, Write},
    os::unix::net::UnixStream,
    path::Path,
};

use jackfield_protocol::error::{ErrorCode, Problem};
use serde_json::{Value, json};

/// Why the EP could not be asked.
#[derive(Debug, thiserror::Error)]
pub enum LocalError {
    /// Its socket does not answer.
    #[error("the execution process does not answer on `{socket}`; is this run by a test?")]
    Unreachable {
        /// The socket.
        socket: String,
        /// Why.
        source: io::Error,
    },
    /// It went away in the middle.
    #[error("the connection to the execution process broke")]
    Broken(#[from] io::Error),
    /// It said something that is no answer.
    #[error("the execution process gave an answer that cannot be read")]
    Unreadable(#[from] serde_json::Error),
    /// It said no.
    #[error(transparent)]
    Refused(#[from] Problem),
}

/// A connection that has said hello.
#[derive(Debug)]
pub struct LocalClient {
    stream: BufReader<UnixStream>,
    next_id: u64,
    /// What the EP said about the test.
    pub about: Value,
}

impl LocalClient {
    /// Connects and says hello with the test's secret.
    ///
    /// # Errors
    /// No EP listens there, or it does not know the secret.
    pub fn connect(socket: &Path, token: &str) -> Result<Self, LocalError> {
        let stream = UnixStream::connect(socket)
            .map_err(|source| LocalError::Unreachable { socket: socket.display().to_string(), source })?;
        let mut client = Self { stream: BufReader::new(stream), next_id: 0, about: Value::Null };
        client.about = client.call("hello", json!({ "token": token }))?;
        Ok(client)
    }

    /// One request and its answer.
    ///
    /// # Errors
    /// The EP refuses it, or is gone.
    pub fn call(&mut self, method: &str, params: Value) -> Result<Value, LocalError> {
        self.next_id = self.next_id.saturating_add(1);
        let request = json!({"jsonrpc": "2.0", "id": self.next_id, "method": method, "params": params});
        let mut line = request.to_string();
        line.push('\n');
        self.stream.get_mut().write_all(line.as_bytes())?;
        let mut answer = String::new();
        if self.stream.read_line(&mut answer)? == 0 {
            return Err(LocalError::Broken(io::ErrorKind::UnexpectedEof.into()));
        }
        let mut answer: Value = serde_json::from_str(&answer)?;
        match answer.get_mut("error").map(Value::take) {
            None => Ok(answer.get_mut("result").map(Value::take).unwrap_or_default()),
            Some(error) => Err(refusal(&error).into()),
        }
    }

    /// Joins a pair of streams to the connection, line for line, until the input ends or the EP goes.
    ///
    /// # Errors
    /// One of the three cannot be read or written.
    pub fn bridge(self, input: impl Read, mut output: impl Write + Send) -> io::Result<()> {
        let mut upstream = self.stream.get_ref().try_clone()?;
        let mut answers = self.stream;
        std::thread::scope(|scope| {
            let down = scope.spawn(move || {
                let mut line = Vec::new();
                while answers.read_until(b'\n', &mut line)? > 0 {
                    output.write_all(&line)?;
                    output.flush()?;
                    line.clear();
                }
                Ok(())
            });
            let up = copy_lines(input, &mut upstream);
            // The EP answers what it was asked, and then sees the end too.
            let closed = upstream.shutdown(std::net::Shutdown::Write);
            let down = down.join().unwrap_or_else(|_| Err(io::Error::other("a thread died")));
            up.and(closed).and(down)
        })
    }
}

fn copy_lines(input: impl Read, upstream: &mut UnixStream) -> io::Result<()> {
    let mut input = BufReader::new(input);
    let mut line = Vec::new();
    while input.read_until(b'\n', &mut line)? > 0 {
        upstream.write_all(&line)?;
        line.clear();
    }
    Ok(())
}

fn refusal(error: &Value) -> Problem {
    let data = error.get("data").cloned().unwrap_or_default();
    serde_json::from_value(data).unwrap_or_else(|_| {
        let message = error.get("message").and_then(Value::as_str).unwrap_or("refused without a word");
        Problem::new(ErrorCode::Internal, message)
    })
}
