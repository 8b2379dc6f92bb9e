//! Many EPs that do nothing but be there: `many_eps http://engine:8000 TOKEN COUNT`. For measuring an engine.
//!
//! Prints `connected` once all have their Welcome, then heartbeats until it is killed or a connection breaks.

use std::{collections::BTreeMap, time::Duration};

use anyhow::{Context, Result, bail};
use futures_util::{SinkExt, StreamExt};
use jackfield_protocol::link::{EngineToEp, EpToEngine, Hello, Host, LINK_PATH, SUBPROTOCOL, VERSION};
use tokio::task::JoinSet;
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream,
    tungstenite::{Message, client::IntoClientRequest, http::HeaderValue},
};

type Socket = WebSocketStream<MaybeTlsStream<tokio::net::TcpStream>>;

/// Connections that are being made at once.
const CONNECTING_MAX: usize = 50;

#[tokio::main(flavor = "current_thread")]
#[expect(clippy::print_stdout, reason = "whoever started it waits for the word")]
async fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let usage = "usage: many_eps URL TOKEN COUNT";
    let url = arguments.next().context(usage)?.replacen("http", "ws", 1) + LINK_PATH;
    let token = arguments.next().context(usage)?;
    let count: usize = arguments.next().context(usage)?.parse().context(usage)?;
    let mut connected = Vec::with_capacity(count);
    let mut connecting = JoinSet::new();
    for number in 0..count {
        while connecting.len() >= CONNECTING_MAX {
            connected.push(connecting.join_next().await.context("a connection")???);
        }
        connecting.spawn(connect(url.clone(), token.clone(), number));
    }
    while let Some(done) = connecting.join_next().await {
        connected.push(done??);
    }
    println!("connected");
    let mut alive = JoinSet::new();
    for (socket, millis) in connected {
        alive.spawn(heartbeat(socket, millis));
    }
    while let Some(ended) = alive.join_next().await {
        ended??;
    }
    Ok(())
}

/// Connects and says hello; the answer is the connection and how often it must be heard.
async fn connect(url: String, token: String, number: usize) -> Result<(Socket, u64)> {
    let mut request = url.into_client_request()?;
    request.headers_mut().insert("Sec-WebSocket-Protocol", HeaderValue::from_static(SUBPROTOCOL));
    let (mut socket, _) = tokio_tungstenite::connect_async(request).await?;
    let hello = EpToEngine::Hello(Box::new(Hello {
        version_min: VERSION,
        version_max: VERSION,
        ep: format!("many-{number:05}").into(),
        instance: String::new(),
        life: String::new(),
        token: token.as_str().into(),
        software: "many_eps".to_owned(),
        host: Host { name: "here".to_owned(), ..Host::default() },
        labels: BTreeMap::new(),
        capabilities: vec!["shell".into()],
        lanes: 1,
        pool: None,
        held: Vec::new(),
        runs: Vec::new(),
        scripts: Vec::new(),
        notices: Vec::new(),
        records_lost: false,
    }));
    socket.send(Message::text(serde_json::to_string(&hello)?)).await?;
    loop {
        let message = socket.next().await.context("closed before Welcome")??;
        let message: EngineToEp = serde_json::from_str(message.to_text()?)?;
        if let EngineToEp::Welcome(welcome) = message {
            return Ok((socket, welcome.heartbeat_millis));
        }
        if let EngineToEp::Refused(problem) = message {
            bail!("refused: {problem}");
        }
    }
}

async fn heartbeat(mut socket: Socket, millis: u64) -> Result<()> {
    let mut beat = tokio::time::interval(Duration::from_millis(millis));
    let text = serde_json::to_string(&EpToEngine::Heartbeat)?;
    loop {
        tokio::select! {
            _ = beat.tick() => socket.send(Message::text(text.clone())).await?,
            message = socket.next() => drop(message.context("the engine closed a connection")??),
        }
    }
}
