//! An engine that keeps state: it acknowledges what it is told, serves files, and can be cut off or fall silent.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use futures_util::{SinkExt, StreamExt};
use jackfield_protocol::{
    error::Problem,
    id::{AttemptId, BlobHash, Epoch},
    link::{Ask, Call, CallResult, Ended, EngineToEp, EpToEngine, Held, Hello, Report, Welcome},
    log::{LogFrame, Stream},
};
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::{mpsc, watch},
};
use tokio_tungstenite::tungstenite::Message;

/// How long a test waits for anything; only a failing test waits that long.
const PATIENCE: Duration = Duration::from_secs(30);

/// What the engine knows.
#[derive(Default)]
pub(crate) struct State {
    pub(crate) hellos: Vec<Hello>,
    /// As they came, repetitions included.
    pub(crate) reports: Vec<(u64, Report)>,
    pub(crate) acked: u64,
    pub(crate) logs: BTreeMap<(AttemptId, Stream), Vec<u8>>,
    pub(crate) log_frames: usize,
    pub(crate) returned: Vec<AttemptId>,
    pub(crate) calls: Vec<(u64, Call)>,
    pub(crate) asks: Vec<(u64, Ask)>,
    pub(crate) goodbyes: usize,
    pub(crate) connected: bool,
    pub(crate) blobs: BTreeMap<BlobHash, Vec<u8>>,
    /// Held attempts it does not want any more.
    pub(crate) unwanted: BTreeSet<AttemptId>,
    /// It hears, but acknowledges no report and no log.
    pub(crate) mute: bool,
    /// It says nothing of its own accord.
    pub(crate) silent: bool,
    /// It takes no connection.
    pub(crate) away: bool,
    /// This start of it; what an EP holds of another one is foreign.
    pub(crate) life: String,
    /// It does not want this EP.
    pub(crate) refusal: Option<Problem>,
    /// Answers to calls, by method.
    pub(crate) answers: BTreeMap<String, CallResult>,
    epoch: u64,
}

#[derive(Debug)]
enum Command {
    Say(Box<EngineToEp>),
    Cut,
}

#[derive(Clone)]
pub(crate) struct Engine {
    pub(crate) url: String,
    pub(crate) window_bytes: u64,
    pub(crate) silence_millis: u64,
    state: Arc<Mutex<State>>,
    changed: Arc<watch::Sender<u64>>,
    commands: Arc<Mutex<Option<mpsc::UnboundedSender<Command>>>>,
}

impl Engine {
    pub(crate) async fn start() -> Self {
        Self::start_with(1 << 20, 10_000).await
    }

    pub(crate) async fn start_with(window_bytes: u64, silence_millis: u64) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let engine = Self {
            url: format!("http://{}", listener.local_addr().unwrap()),
            window_bytes,
            silence_millis,
            state: Arc::default(),
            changed: Arc::new(watch::channel(0).0),
            commands: Arc::default(),
        };
        let accepting = engine.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let engine = accepting.clone();
                tokio::spawn(async move { engine.serve(stream).await });
            }
        });
        engine
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.state());
        self.changed.send_modify(|count| *count += 1);
    }

    /// Waits until something is so.
    pub(crate) async fn wait<T>(&self, what: &str, is: impl Fn(&State) -> Option<T>) -> T {
        let mut changes = self.changed.subscribe();
        let look = async {
            loop {
                if let Some(found) = is(&self.state()) {
                    return found;
                }
                changes.changed().await.unwrap();
            }
        };
        let found = tokio::time::timeout(PATIENCE, look).await;
        found.unwrap_or_else(|_| panic!("waited in vain: {what}; reports: {:#?}", self.state().reports))
    }

    pub(crate) async fn connected(&self) {
        self.wait("a connection", |state| state.connected.then_some(())).await;
    }

    pub(crate) async fn started(&self, attempt: AttemptId) {
        let is = |report: &Report| matches!(report, Report::Started { attempt: of, .. } if *of == attempt);
        self.wait("a start", |state| state.reports.iter().any(|(_, report)| is(report)).then_some(())).await;
    }

    pub(crate) async fn ended(&self, attempt: AttemptId) -> Ended {
        self.wait(&format!("the end of {attempt}"), |state| state.ended(attempt)).await
    }

    /// A log, once all of it is there.
    pub(crate) async fn log(&self, attempt: AttemptId, stream: Stream) -> Vec<u8> {
        let bytes = self.ended(attempt).await.end.log_bytes.get(&stream).copied().unwrap_or(0);
        self.wait("a log", |state| {
            let length = state.logs.get(&(attempt, stream)).map_or(0, Vec::len);
            let log = || state.logs.get(&(attempt, stream)).cloned().unwrap_or_default();
            (u64::try_from(length).unwrap() >= bytes).then(log)
        })
        .await
    }

    pub(crate) fn blob(&self, bytes: &[u8]) -> BlobHash {
        let hash = BlobHash(*blake3::hash(bytes).as_bytes());
        self.change(|state| {
            state.blobs.insert(hash, bytes.to_vec());
        });
        hash
    }

    pub(crate) fn say(&self, message: EngineToEp) {
        self.command(Command::Say(Box::new(message)));
    }

    /// Breaks the connection.
    pub(crate) async fn cut(&self) {
        self.command(Command::Cut);
        self.wait("the cut", |state| (!state.connected).then_some(())).await;
    }

    fn command(&self, command: Command) {
        let commands = self.commands.lock().unwrap();
        commands.as_ref().expect("no EP is connected").send(command).unwrap();
    }

    pub(crate) fn set(&self, change: impl FnOnce(&mut State)) {
        self.change(change);
    }

    async fn serve(&self, mut stream: TcpStream) {
        let mut head = [0; 16];
        let Ok(count) = stream.peek(&mut head).await else { return };
        if self.state().away {
            return;
        }
        if head[..count].starts_with(b"GET /link") {
            self.talk(stream).await;
            self.change(|state| state.connected = false);
        } else {
            self.serve_files(&mut stream).await;
        }
    }

    /// Just enough HTTP for files: GET and PUT with a length or in chunks.
    async fn serve_files(&self, stream: &mut TcpStream) {
        let mut unread = Vec::new();
        while let Some((head, body)) = read_request(stream, &mut unread).await {
            let (method, path) = head.split_once(' ').unwrap();
            let path = path.split(' ').next().unwrap();
            assert!(head.to_lowercase().contains("authorization: bearer secret"), "no token: {head}");
            let hash: BlobHash = path.strip_prefix("/api/v1/blobs/").unwrap().parse().unwrap();
            let (status, answer) = match method {
                "GET" => match self.state().blobs.get(&hash) {
                    Some(bytes) => ("200 OK", bytes.clone()),
                    None => ("404 Not Found", Vec::new()),
                },
                _ => {
                    assert_eq!(BlobHash(*blake3::hash(&body).as_bytes()), hash, "a file came damaged");
                    self.change(|state| {
                        state.blobs.insert(hash, body);
                    });
                    ("201 Created", Vec::new())
                }
            };
            let head = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n\r\n", answer.len());
            if stream.write_all(head.as_bytes()).await.is_err() || stream.write_all(&answer).await.is_err() {
                return;
            }
        }
    }

    async fn talk(&self, stream: TcpStream) {
        let Ok(mut socket) = tokio_tungstenite::accept_hdr_async(stream, subprotocol).await else { return };
        let Some(Ok(Message::Text(text))) = socket.next().await else { return };
        let Ok(EpToEngine::Hello(hello)) = serde_json::from_str(&text) else { panic!("no hello: {text}") };
        let refusal = self.state().refusal.clone();
        let refused = refusal.is_some();
        let answer = refusal.map_or_else(|| EngineToEp::Welcome(self.welcome(&hello)), EngineToEp::Refused);
        self.change(|state| state.hellos.push(*hello));
        socket.send(Message::text(serde_json::to_string(&answer).unwrap())).await.unwrap();
        if refused {
            return;
        }
        let (commands, mut inbox) = mpsc::unbounded_channel();
        *self.commands.lock().unwrap() = Some(commands);
        self.change(|state| state.connected = true);
        loop {
            let answers = tokio::select! {
                command = inbox.recv() => match command {
                    Some(Command::Say(message)) => vec![*message],
                    Some(Command::Cut) | None => return,
                },
                message = socket.next() => match message {
                    Some(Ok(Message::Text(text))) => self.hear(serde_json::from_str(&text).unwrap()),
                    Some(Ok(Message::Binary(bytes))) => self.take_log(&LogFrame::decode(&bytes).unwrap()),
                    Some(Ok(_)) => Vec::new(),
                    Some(Err(_)) | None => return,
                },
            };
            for answer in answers {
                if socket.send(Message::text(serde_json::to_string(&answer).unwrap())).await.is_err() {
                    return;
                }
            }
        }
    }

    fn welcome(&self, hello: &Hello) -> Welcome {
        let mut state = self.state();
        state.epoch += 1;
        let wanted = |held: &&Held| !state.unwanted.contains(&held.attempt);
        Welcome {
            version: hello.version_max,
            epoch: Epoch(state.epoch),
            engine: "fake".to_owned(),
            heartbeat_millis: 200,
            silence_millis: self.silence_millis,
            log_window_bytes: self.window_bytes,
            acked_seq: state.acked,
            keep: hello.held.iter().filter(wanted).map(|held| held.attempt).collect(),
            foreign: !hello.life.is_empty() && hello.life != state.life,
            life: state.life.clone(),
            can: Vec::new(),
        }
    }

    fn hear(&self, message: EpToEngine) -> Vec<EngineToEp> {
        let mut answers = if self.state().silent { Vec::new() } else { vec![EngineToEp::Heartbeat] };
        self.change(|state| match message {
            EpToEngine::Report { seq, report } => {
                state.reports.push((seq, report));
                if !state.mute {
                    state.acked = state.acked.max(seq);
                    answers.push(EngineToEp::Ack { seq });
                }
            }
            EpToEngine::Returned { attempts } => state.returned.extend(attempts),
            EpToEngine::Call { id, call, .. } => {
                let method = serde_json::to_value(&call).unwrap()["method"].as_str().unwrap().to_owned();
                let result = state.answers.get(&method).cloned();
                state.calls.push((id, call));
                answers.extend(result.map(|result| EngineToEp::Answer { id, result }));
            }
            EpToEngine::Ask { id, ask, .. } => state.asks.push((id, ask)),
            EpToEngine::Goodbye { .. } => state.goodbyes += 1,
            EpToEngine::Notices { .. }
            | EpToEngine::Sessions { .. }
            | EpToEngine::Modules { .. }
            | EpToEngine::PowerDone { .. }
            | EpToEngine::Heartbeat
            | EpToEngine::Hello(_) => {}
        });
        answers
    }

    fn take_log(&self, frame: &LogFrame<'_>) -> Vec<EngineToEp> {
        let mut answers = Vec::new();
        self.change(|state| {
            let log = state.logs.entry((frame.attempt, frame.stream)).or_default();
            let offset = usize::try_from(frame.offset).unwrap();
            assert!(
                offset <= log.len(),
                "a gap in {} {:?} at {offset}, have {}",
                frame.attempt,
                frame.stream,
                log.len()
            );
            log.truncate(offset.max(log.len()));
            let known = log.len() - offset;
            log.extend_from_slice(frame.bytes.get(known..).unwrap_or_default());
            let bytes = u64::try_from(log.len()).unwrap();
            state.log_frames += 1;
            if !state.mute {
                answers.push(EngineToEp::LogStored { attempt: frame.attempt, stream: frame.stream, bytes });
            }
        });
        answers
    }
}

impl State {
    pub(crate) fn ended(&self, attempt: AttemptId) -> Option<Ended> {
        self.all_ended().find(|ended| ended.attempt == attempt).cloned()
    }

    pub(crate) fn all_ended(&self) -> impl Iterator<Item = &Ended> {
        self.reports.iter().filter_map(|(_, report)| match report {
            Report::Ended(ended) => Some(ended.as_ref()),
            Report::Started { .. } | Report::ScriptEnded(_) => None,
        })
    }

    pub(crate) fn answer(&mut self, method: &str, value: Value) {
        self.answers.insert(method.to_owned(), CallResult::Ok(value));
    }
}

#[expect(clippy::result_large_err, reason = "the shape of the callback is the library's")]
fn subprotocol(
    request: &tokio_tungstenite::tungstenite::handshake::server::Request,
    mut response: tokio_tungstenite::tungstenite::handshake::server::Response,
) -> Result<
    tokio_tungstenite::tungstenite::handshake::server::Response,
    tokio_tungstenite::tungstenite::handshake::server::ErrorResponse,
> {
    let name = "Sec-WebSocket-Protocol";
    if let Some(wanted) = request.headers().get(name) {
        response.headers_mut().insert(name, wanted.clone());
    }
    Ok(response)
}

async fn read_request(stream: &mut TcpStream, unread: &mut Vec<u8>) -> Option<(String, Vec<u8>)> {
    let end = loop {
        if let Some(at) = unread.windows(4).position(|four| four == b"\r\n\r\n") {
            break at;
        }
        if stream.read_buf(unread).await.ok()? == 0 {
            return None;
        }
    };
    let head = String::from_utf8(unread[..end].to_vec()).unwrap();
    unread.drain(..end + 4);
    let field = |name: &str| {
        let lower = head.to_lowercase();
        lower.lines().find_map(|line| Some(line.strip_prefix(name)?.trim().to_owned()))
    };
    let length: usize = field("content-length:").map_or(0, |text| text.parse().unwrap());
    while unread.len() < length {
        if stream.read_buf(unread).await.ok()? == 0 {
            return None;
        }
    }
    assert_eq!(field("transfer-encoding:"), None, "files are sent with their length");
    Some((head, unread.drain(..length).collect()))
}
