//! A mail server that hangs, refuses for now, and refuses some for good; and counts what it took.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

use jackfield_tests::dice::Dice;
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader},
    net::{TcpListener, TcpStream},
};

use crate::store::faults::{Busy, Faults};

/// How often each recipient got each mail, by its Message-ID.
pub(super) type Taken = Arc<Mutex<BTreeMap<(String, String), u32>>>;

/// Serves until the runtime ends, and well as soon as it is calm; the answer is the port.
pub(super) async fn serve(seed: u64, taken: Taken, calm: Arc<AtomicBool>, faults: Faults) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        let mut dice = Dice::new(seed ^ 0xa11);
        while let Ok((stream, _)) = listener.accept().await {
            let calm = calm.load(Ordering::Relaxed);
            let hangs = dice.percent(25) && !calm;
            let later = dice.percent(25) && !calm;
            let taken = Arc::clone(&taken);
            // A talk takes no time, unless the server hangs.
            let busy = faults.busy();
            tokio::spawn(async move { drop(talk(stream, hangs, later, taken, busy).await) });
        }
    });
    port
}

async fn talk(stream: TcpStream, hangs: bool, later: bool, taken: Taken, busy: Busy) -> std::io::Result<()> {
    let (read, mut write) = stream.into_split();
    let mut lines = BufReader::new(read).lines();
    let (mut to, mut id, mut in_data) = (Vec::new(), String::new(), false);
    write.write_all(b"220 here\r\n").await?;
    while let Some(line) = lines.next_line().await? {
        if in_data {
            if let Some(word) = line.strip_prefix("Message-ID: ") {
                id = word.to_owned();
            }
            if line == "." {
                in_data = false;
                let mut taken = taken.lock().unwrap();
                for to in std::mem::take(&mut to) {
                    *taken.entry((id.clone(), to)).or_default() += 1;
                }
            } else {
                continue;
            }
        }
        let answer = if line.starts_with("MAIL") && hangs {
            drop(busy);
            return std::future::pending().await;
        } else if line.contains("RCPT TO:<gone@") {
            "550 no such user"
        } else if line.contains("RCPT TO:<slow@") && later {
            "451 later"
        } else if line == "DATA" {
            in_data = true;
            "354 go on"
        } else {
            to.extend(line.strip_prefix("RCPT TO:").map(str::to_owned));
            "250 ok"
        };
        write.write_all(format!("{answer}\r\n").as_bytes()).await?;
    }
    Ok(())
}
