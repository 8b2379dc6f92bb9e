//! Consoles of machines that start: slow lines, boot loaders that any key stops, shells that live on for a moment after `reboot`. Time stands still
//! but for what the machine takes.

use std::time::Duration;

use jackfield_device::{
    channel::Raw,
    session::{Session, SessionError},
};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, DuplexStream},
    time::{sleep, timeout},
};

use crate::{LONG, settings, target};

/// A machine behind its console.
struct Machine {
    line: DuplexStream,
    /// How often it was started.
    starts: u32,
    /// Its shell has been killed, or was never there.
    is_down: bool,
}

impl Machine {
    async fn says(&mut self, text: &str) {
        // Who hung up hears no more.
        drop(self.line.write_all(text.as_bytes()).await);
    }

    /// The next line that somebody types; none when they hang up.
    async fn line(&mut self) -> Option<String> {
        let mut line = Vec::new();
        loop {
            match self.line.read_u8().await {
                Ok(b'\n' | b'\r') => return Some(String::from_utf8(line).unwrap()),
                Ok(byte) => line.push(byte),
                Err(_) => return None,
            }
        }
    }

    /// Counts down; true where somebody pressed a key.
    async fn counts_down(&mut self) -> bool {
        self.starts += 1;
        self.says("U-Boot 2023.01 (Jan 01 2026)\r\n\r\nHit any key to stop autoboot:  5 ").await;
        for left in (0..5).rev() {
            if timeout(Duration::from_secs(1), self.line.read_u8()).await.is_ok() {
                self.says("\r\n=> ").await;
                return true;
            }
            self.says(&format!("\x08\x08\x08 {left} ")).await;
        }
        false
    }

    /// A kernel that talks, and a login that it writes over.
    async fn boots(&mut self) {
        for number in 0..10 {
            self.says(&format!("[    {number}.000000] part {number} is there\r\n")).await;
            sleep(Duration::from_secs(1)).await;
        }
        self.says("\r\nbox login: [   10.500000] clocksource: Switched to clocksource tsc\r\n").await;
        let user = self.line().await.unwrap();
        self.says(&format!("{user}\r\nPassword: ")).await;
        assert_eq!(self.line().await.unwrap(), "secret");
        self.says("\r\nHello\r\n").await;
        self.is_down = false;
    }

    /// A prompt whose bytes are far apart, with the question where the cursor is behind it.
    async fn prompts(&mut self) {
        for piece in ["~", " #", " ", "\x1b", "[6n"] {
            self.says(piece).await;
            sleep(Duration::from_millis(2)).await;
        }
    }

    /// A shell without an echo, up to its end.
    async fn shell(&mut self) {
        loop {
            self.prompts().await;
            let Some(line) = self.line().await else { return };
            match line.as_str() {
                "reboot" => return self.goes_down().await,
                "indented" => self.says("  two\r\n").await,
                line if line.starts_with("cat /proc/sys/kernel/random/boot_id") => {
                    let id = format!("id-{}\r\n", self.starts);
                    self.says(&id).await;
                }
                _ => {}
            }
        }
    }

    /// The shell shows its prompt once more, answers, and is killed.
    async fn goes_down(&mut self) {
        self.is_down = true;
        self.says("\r\nThe system is going down NOW!\r\n").await;
        let until = tokio::time::Instant::now() + Duration::from_secs(2);
        while let Ok(Some(line)) = tokio::time::timeout_at(until, async {
            self.prompts().await;
            self.line().await
        })
        .await
        {
            if line.starts_with("cat ") {
                let id = format!("id-{}\r\n", self.starts);
                self.says(&id).await;
            }
        }
        self.says("\r\nSent SIGKILL to all processes\r\n").await;
        sleep(Duration::from_secs(1)).await;
    }

    /// Starts, and starts again, as long as somebody is there.
    async fn runs(mut self) -> u32 {
        loop {
            if self.counts_down().await {
                while let Some(line) = self.line().await {
                    self.says(&format!("{line}\r\nUnknown command '{line}' - try 'help'\r\n=> ")).await;
                }
                return self.starts;
            }
            self.boots().await;
            self.shell().await;
            if !self.is_down {
                return self.starts;
            }
        }
    }
}

/// A session at the console of a machine that was just switched on.
async fn session(more: Value) -> (Result<Session, SessionError>, tokio::task::JoinHandle<u32>) {
    let (near, far) = tokio::io::duplex(4096);
    let machine = tokio::spawn(Machine { line: far, starts: 0, is_down: true }.runs());
    let mut way = json!({"protocol": "tcp", "host": "box", "port": 1, "user": "ana", "password": "secret"});
    way.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let (_folder, settings) = settings();
    let channel = Box::new(Raw::new(near));
    let patience = Duration::from_secs(120);
    let session = Session::over(channel, target([], way), &settings, patience, Vec::new()).await;
    (session, machine)
}

#[tokio::test(start_paused = true)]
async fn a_machine_that_starts_is_left_alone_until_it_asks() {
    let (session, machine) = session(json!({"profile": "linux"})).await;
    let mut session = session.unwrap();
    assert_eq!(session.prompt(), "~ #");
    // The end of its prompt, which came when it was known already, is no part of an answer; what a command indents is.
    for _ in 0..3 {
        let said = session.command("cat /proc/sys/kernel/random/boot_id", LONG).await.unwrap();
        assert_eq!(said, "id-1");
        assert_eq!(session.command("indented", LONG).await.unwrap(), "  two");
        assert_eq!(session.command("nothing", LONG).await.unwrap(), "");
    }
    session.close().await;
    drop(session);
    assert_eq!(machine.await.unwrap(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_machine_is_back_when_it_has_been_down() {
    let (session, machine) = session(json!({"profile": "linux"})).await;
    let mut session = session.unwrap();
    session.reboot(None).await.unwrap();
    let said = session.command("cat /proc/sys/kernel/random/boot_id", LONG).await.unwrap();
    assert_eq!(said, "id-2");
    session.close().await;
    drop(session);
    assert_eq!(machine.await.unwrap(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_machine_that_never_goes_is_told() {
    let settings = json!({"reboot": {"command": "rebot", "going": "[#] $"}});
    let (session, machine) = session(json!({"profile": "linux", "profile_settings": settings})).await;
    let mut session = session.unwrap();
    let error = session.reboot(Some(Duration::from_secs(60))).await.unwrap_err().to_string();
    assert_eq!(error, "login to tcp box:1 failed: it was told to start anew, and has not been down yet");
    drop(session);
    assert_eq!(machine.await.unwrap(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_boot_loader_is_caught_in_its_countdown() {
    let (session, machine) = session(json!({"profile": "uboot"})).await;
    let mut session = session.unwrap();
    assert_eq!(session.prompt(), "=>");
    let said = session.command("hello", LONG).await.unwrap();
    assert_eq!(session.refusal(&said).unwrap(), "Unknown command 'hello' - try 'help'");
    drop(session);
    assert_eq!(machine.await.unwrap(), 1);
}
