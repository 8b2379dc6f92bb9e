//! Requests made from the engine's OpenAPI document: right, nearly right and wrong ones.

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
};

use jackfield_tests::{Bench, dice::Dice};
use serde_json::{Map, Value, json};

use super::{ANSWER, Campaign, any, bent, check_whole, text, weigh};

/// One thing that can be asked for.
struct Operation {
    method: String,
    path: String,
    query: Vec<String>,
    body: Option<Value>,
}

fn operations(document: &Value) -> Vec<Operation> {
    let mut all = Vec::new();
    for (path, methods) in document.get("paths").and_then(Value::as_object).unwrap() {
        for (method, about) in methods.as_object().unwrap() {
            let parameters = about.get("parameters").and_then(Value::as_array).cloned().unwrap_or_default();
            let query = parameters.iter().filter(|one| one.get("in") == Some(&json!("query")));
            let query = query.filter_map(|one| one.get("name")?.as_str().map(str::to_owned)).collect();
            let body = about.pointer("/requestBody/content/application~1json/schema").cloned();
            all.push(Operation { method: method.to_uppercase(), path: path.clone(), query, body });
        }
    }
    all
}

/// A value that the schema allows, more or less.
fn made(dice: &mut Dice, document: &Value, schema: &Value, depth: u32) -> Value {
    if depth == 0 {
        return any(dice, 1);
    }
    if let Some(name) = schema.get("$ref").and_then(Value::as_str) {
        let found = document.pointer(name.trim_start_matches('#'));
        return match found {
            Some(found) => made(dice, document, found, depth - 1),
            None => any(dice, 1),
        };
    }
    for several in ["oneOf", "anyOf", "allOf"] {
        if let Some(each) = schema.get(several).and_then(Value::as_array) {
            let one = dice.pick(each).cloned().unwrap_or_default();
            return made(dice, document, &one, depth - 1);
        }
    }
    if let Some(words) = schema.get("enum").and_then(Value::as_array) {
        return dice.pick(words).cloned().unwrap_or_default();
    }
    let kind = match schema.get("type") {
        Some(Value::Array(kinds)) => kinds.first().and_then(Value::as_str).unwrap_or_default().to_owned(),
        Some(Value::String(kind)) => kind.clone(),
        _ => String::new(),
    };
    match kind.as_str() {
        "object" => {
            let fields = schema.get("properties").and_then(Value::as_object).cloned().unwrap_or_default();
            let each =
                fields.iter().filter(|_| dice.percent(80)).map(|(name, _)| name.clone()).collect::<Vec<_>>();
            let made = each.into_iter().map(|name| {
                let value = made(dice, document, fields.get(&name).unwrap(), depth - 1);
                (name, value)
            });
            Value::Object(made.collect::<Map<_, _>>())
        }
        "array" => {
            let of = schema.get("items").cloned().unwrap_or_default();
            (0..dice.below(3)).map(|_| made(dice, document, &of, depth - 1)).collect()
        }
        "string" => text(dice).into(),
        "integer" => dice.below(3).into(),
        "boolean" => dice.percent(50).into(),
        _ => any(dice, 2),
    }
}

fn encoded(text: &str) -> String {
    text.bytes()
        .map(
            |byte| {
                if byte.is_ascii_alphanumeric() {
                    char::from(byte).to_string()
                } else {
                    format!("%{byte:02X}")
                }
            },
        )
        .collect()
}

/// A part of a path: something that is there, or anything.
fn part(dice: &mut Dice, name: &str) -> String {
    let there = match name {
        "run" | "test" | "question" => "1",
        // Not the one that all of this is asked with.
        "token" => "999",
        "attempt" => "1.0.1",
        "stream" => "cli",
        "sut" => "x.system",
        "ep" => "EP-1",
        "project" => "p",
        "user" | "group" => "somebody",
        _ => "abababababababababababababababababababababababababababababababab",
    };
    if dice.percent(50) || name == "token" { there.to_owned() } else { encoded(&text(dice)) }
}

fn request(dice: &mut Dice, document: &Value, operation: &Operation, token: &str) -> Vec<u8> {
    let mut path = String::new();
    for piece in operation.path.split('/').skip(1) {
        let name = piece.strip_prefix('{').and_then(|rest| rest.strip_suffix('}'));
        path.push('/');
        path.push_str(&name.map_or_else(|| piece.to_owned(), |name| part(dice, name)));
    }
    let query: Vec<String> = operation.query.iter().filter(|_| dice.percent(50)).cloned().collect();
    for (number, name) in query.into_iter().enumerate() {
        path.push_str(&format!("{}{name}={}", if number == 0 { "?" } else { "&" }, encoded(&text(dice))));
    }
    let method = if dice.one_in(40) { "PATCH" } else { &operation.method };
    let schema = operation.body.as_ref().filter(|_| dice.percent(95));
    let mut body = schema.map(|schema| made(dice, document, schema, 8));
    if let Some(body) = body.as_mut().filter(|_| dice.percent(40)) {
        bent(dice, body);
    }
    let mut body = body.map(|body| body.to_string().into_bytes()).unwrap_or_default();
    match dice.below(40) {
        0 => body = (0..dice.below(2_000)).map(|_| u8::try_from(dice.below(256)).unwrap()).collect(),
        1 => body = [vec![b'['; 20_000], vec![b']'; 20_000]].concat(),
        2 => body.truncate(usize::try_from(dice.below(20)).unwrap()),
        _ => {}
    }
    let mut head = format!("{method} {path} HTTP/1.1\r\nHost: lab\r\nConnection: close\r\n");
    if dice.percent(95) {
        head.push_str(&format!("Authorization: Bearer {token}\r\n"));
    }
    let kind = if dice.percent(95) { "application/json" } else { "text/plain" };
    head.push_str(&format!("Content-Type: {kind}\r\n"));
    if dice.one_in(20) {
        head.push_str(&format!(
            "If-Match: {}\r\nLast-Event-ID: {}\r\nRange: bytes=9-1\r\n",
            encoded(&text(dice)),
            encoded(&text(dice))
        ));
    }
    head.push_str(&format!("Content-Length: {}\r\n\r\n", body.len()));
    [head.into_bytes(), body].concat()
}

/// The beginning of an answer.
fn answer(host: &str, request: &[u8]) -> String {
    let mut stream = TcpStream::connect(host).unwrap();
    stream.set_read_timeout(Some(ANSWER)).unwrap();
    // The engine may have refused before it read all of it.
    drop(stream.write_all(request));
    let mut piece = [0; 4_096];
    match stream.read(&mut piece) {
        Ok(count) => String::from_utf8_lossy(piece.get(..count).unwrap()).into_owned(),
        Err(error) => format!("({error})"),
    }
}

#[test]
fn every_route_answers_whatever_it_is_sent() {
    let mut bench = Bench::start("[limits]\nlogin_attempts = 1000000\n").unwrap();
    bench.write("projects/p.xml", "<Root><TestSuite><tsName>a</tsName></TestSuite></Root>").unwrap();
    let document: Value = {
        let text = answer_whole(&bench, "/api/openapi.json");
        serde_json::from_str(text.get(text.find('{').unwrap()..).unwrap()).unwrap()
    };
    let (operations, host) =
        (operations(&document), bench.api.url.strip_prefix("http://").unwrap().to_owned());
    let before = weigh(&mut bench);
    let mut campaign = Campaign::begin();
    let seed = campaign.seed;
    let mut asked: Vec<u32> = operations.iter().map(|_| 0).collect();
    while campaign.goes_on() || asked.contains(&0) {
        let number =
            usize::try_from(campaign.dice().below(u64::try_from(operations.len()).unwrap())).unwrap();
        let operation = operations.get(number).unwrap();
        let request = request(campaign.dice(), &document, operation, &bench.api.token);
        let said = answer(&host, &request);
        let shown = String::from_utf8_lossy(request.get(..request.len().min(600)).unwrap()).into_owned();
        let status: u16 = said.get(9..12).and_then(|status| status.parse().ok()).unwrap_or_default();
        assert!((101..600).contains(&status), "seed {seed}: no answer to {shown}: {said:?}");
        assert!(status != 500 && status != 502, "seed {seed}: {said}\nto {shown}");
        *asked.get_mut(number).unwrap() += 1;
    }
    check_whole(&mut bench, before);
    let me: Value = bench.api.get("/me").unwrap();
    assert_eq!(me.get("user"), Some(&json!("admin")), "it answers properly afterwards");
}

fn answer_whole(bench: &Bench, path: &str) -> String {
    let host = bench.api.url.strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(host).unwrap();
    let token = &bench.api.token;
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nHost: lab\r\nAuthorization: Bearer {token}\r\nConnection: close\r\n\r\n"
    )
    .unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    text
}
