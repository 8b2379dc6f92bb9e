//! The frame of JSON-RPC 2.0.

use jackfield_protocol::error::{ErrorCode, Problem};
use serde::Deserialize;
use serde_json::{Value, json};

/// A request that could be read.
#[derive(Debug)]
pub(super) struct Request {
    /// Null where none was given: such a request gets no answer.
    pub(super) id: Option<Value>,
    pub(super) method: String,
    pub(super) params: Value,
}

#[derive(Deserialize)]
struct Raw {
    #[serde(default)]
    id: Option<Value>,
    method: String,
    #[serde(default)]
    params: Value,
}

/// Why a request was not served.
#[derive(Debug)]
pub(super) enum Failure {
    /// The line is no JSON.
    Unreadable(Problem),
    /// It is JSON, but no request.
    NoRequest(Problem),
    /// There is no such method.
    NoMethod(Problem),
    /// Its parameters are wrong.
    Params(Problem),
    /// It could not be done.
    Failed(Problem),
}

impl From<Problem> for Failure {
    fn from(problem: Problem) -> Self {
        Self::Failed(problem)
    }
}

impl Failure {
    fn parts(&self) -> (i32, &Problem) {
        match self {
            Self::Unreadable(problem) => (-32700, problem),
            Self::NoRequest(problem) => (-32600, problem),
            Self::NoMethod(problem) => (-32601, problem),
            Self::Params(problem) => (-32602, problem),
            Self::Failed(problem) => (-32000, problem),
        }
    }
}

/// Reads a request from a line.
pub(super) fn read(line: &[u8]) -> Result<Request, Failure> {
    let value: Value = serde_json::from_slice(line).map_err(|error| {
        Failure::Unreadable(Problem::new(ErrorCode::BadRequest, format!("a line that is no JSON: {error}")))
    })?;
    let raw: Raw = serde_json::from_value(value).map_err(|error| {
        Failure::NoRequest(Problem::new(ErrorCode::BadRequest, format!("no JSON-RPC request: {error}")))
    })?;
    Ok(Request { id: raw.id, method: raw.method, params: raw.params })
}

/// Reads the parameters of a method.
pub(super) fn params<'de, P: Deserialize<'de>>(value: Value) -> Result<P, Failure> {
    let value = if value.is_null() { json!({}) } else { value };
    P::deserialize(value).map_err(|error| {
        let title = format!("wrong parameters: {}", plain(&error.to_string()));
        Failure::Params(Problem::new(ErrorCode::BadRequest, title))
    })
}

/// What is wrong with parameters, for people who do not know in what language they are read.
fn plain(error: &str) -> String {
    if let Some((word, known)) =
        error.strip_prefix("unknown variant ").and_then(|rest| rest.split_once(", expected "))
    {
        let known = known.trim_start_matches("one of ");
        return format!("{word} is none of {known}");
    }
    match error.strip_prefix("missing field ") {
        Some(name) => format!("{name} is missing"),
        None => error.to_owned(),
    }
}

/// The answer as a line; none where the request wants none.
pub(super) fn answer(id: Option<Value>, result: Result<Value, Failure>) -> Option<Vec<u8>> {
    let body = match result {
        Ok(value) => json!({"jsonrpc": "2.0", "id": id?, "result": value}),
        Err(failure) => {
            let (code, problem) = failure.parts();
            let error = json!({"code": code, "message": problem.title, "data": problem});
            json!({"jsonrpc": "2.0", "id": id.unwrap_or(Value::Null), "error": error})
        }
    };
    let mut line = body.to_string().into_bytes();
    line.push(b'\n');
    Some(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wrong_parameters_are_told_in_plain_words() {
        for (error, expect) in [
            (
                "unknown variant `guess`, expected one of `message`, `input`",
                "`guess` is none of `message`, `input`",
            ),
            ("missing field `session`", "`session` is missing"),
            ("invalid type: string \"x\", expected u64", "invalid type: string \"x\", expected u64"),
        ] {
            assert_eq!(plain(error), expect);
        }
    }
}
