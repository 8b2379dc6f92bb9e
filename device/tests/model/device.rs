//! The device: what it has decided to be, and how it behaves.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};

use crate::dice::Dice;

/// What one device is.
#[derive(Clone, Debug)]
pub(crate) struct Traits {
    pub(crate) profile: &'static str,
    prompt: String,
    /// What it is given; `N` is a number.
    pub(crate) commands: Vec<String>,
    echoes: bool,
    /// It draws prompt and line anew at each key.
    redraws: bool,
    /// One piece in so many is followed by a pause; none: never.
    pauses: Option<u64>,
    /// It logs unasked, one time in so many.
    logs: Option<u64>,
    /// It draws its prompt again after a line that it logged.
    redraws_after_log: bool,
    /// Lines of a page.
    page: Option<usize>,
    /// One command in so many is answered late.
    late: Option<u64>,
    banner: &'static str,
    crlf: &'static str,
}

const BANNERS: &[&str] = &[
    "",
    "Welcome. Access denied to strangers.\r\n",
    "##############\r\n# Lab only   #\r\n##############\r\n",
    "Login: ask the lab manager\r\nPassword: see the label\r\n",
    "Last login: Monday from 10.0.0.1\r\n100% of use is logged #\r\n",
];

impl Traits {
    pub(crate) fn of(dice: &mut Dice) -> Self {
        let (profile, prompts): (_, &[&str]) = *dice.pick(&[
            ("ios", &["R1#", "sw-core-1>", "edge.lab#"][..]),
            ("frr", &["r1# ", "frr-2> "][..]),
            ("generic", &["# ", "$ ", "box$ ", "[root@box ~]# "][..]),
        ]);
        let prompt = (*dice.pick(prompts)).to_owned();
        let commands = [
            "show clock N",
            "show lines N",
            "show own N",
            "show comments N",
            "show partial N",
            "show empty N",
        ];
        Self {
            profile,
            prompt,
            commands: commands.iter().map(|command| (*command).to_owned()).collect(),
            echoes: !dice.one_in(5),
            redraws: dice.one_in(8),
            pauses: dice.one_in(2).then(|| dice.below(12) + 2),
            logs: (profile != "generic" && dice.one_in(2)).then(|| dice.below(5) + 2),
            redraws_after_log: dice.one_in(2),
            page: dice.one_in(3).then(|| usize::try_from(dice.below(6) + 2).unwrap()),
            late: dice.one_in(3).then(|| dice.below(4) + 2),
            banner: dice.pick::<&'static str>(BANNERS),
            crlf: if dice.one_in(6) { "\n\r" } else { "\r\n" },
        }
    }

    fn log_line(&self) -> &'static str {
        match self.profile {
            "frr" => "2026/11/29 10:00:00.123 BGP: neighbour 10.0.0.2 is up",
            _ => "*Mar  1 00:10:01.123: %LINK-3-UPDOWN: Interface Gi0/1, changed state to up",
        }
    }
}

/// The right answer to a command.
pub(crate) fn answer(traits: &Traits, command: &str) -> String {
    lines(traits, command).join("\n").trim_end().to_owned()
}

fn lines(traits: &Traits, command: &str) -> Vec<String> {
    let mut words = command.split(' ').skip(1);
    let (what, number) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    match what {
        "clock" => vec![format!("12:00:0{number}")],
        "lines" => (0..9).map(|line| format!("line {line} of {number}")).collect(),
        // Its own prompt stands in what it shows, as in a saved session.
        "own" => vec![
            format!("session {number}"),
            format!("{}show version", traits.prompt),
            format!("version {number}"),
            format!("{}exit", traits.prompt),
            "end".to_owned(),
        ],
        "comments" => vec![
            "# first".to_owned(),
            format!("port {number}"),
            "# last one > here".to_owned(),
            "$ x".to_owned(),
        ],
        "partial" => vec![format!("progress {number} ########> 100%")],
        _ => Vec::new(),
    }
}

/// A device at work.
pub(crate) struct Model {
    traits: Traits,
    dice: Dice,
    typed: Vec<String>,
    begun: tokio::time::Instant,
    is_traced: bool,
}

/// The session has hung up.
struct Gone;

impl Model {
    pub(crate) fn new(traits: Traits, dice: Dice) -> Self {
        let is_traced = std::env::var_os("JACKFIELD_MODEL_TRACE").is_some();
        Self { traits, dice, typed: Vec::new(), begun: tokio::time::Instant::now(), is_traced }
    }

    /// Lives until the session hangs up; what was typed at its prompt.
    pub(crate) async fn run(mut self, mut line: DuplexStream) -> Vec<String> {
        let _gone = self.live(&mut line).await;
        self.typed
    }

    async fn live(&mut self, line: &mut DuplexStream) -> Result<(), Gone> {
        self.say(line, self.traits.banner).await?;
        self.say(line, "\r\nUsername: ").await?;
        self.take(line, true).await?;
        self.say(line, "Password: ").await?;
        self.take(line, false).await?;
        self.say(line, "\r\n").await?;
        if self.dice.one_in(2) {
            self.say(line, self.traits.banner).await?;
        }
        loop {
            self.prompt(line).await?;
            let command = self.take(line, self.traits.echoes).await?;
            self.typed.push(command.clone());
            if matches!(command.as_str(), "exit" | "logout") {
                return Ok(());
            }
            self.answer(line, &command).await?;
        }
    }

    async fn prompt(&mut self, line: &mut DuplexStream) -> Result<(), Gone> {
        let prompt = self.traits.prompt.clone();
        self.say(line, &prompt).await?;
        // While it waits it may log.
        if self.traits.logs.is_some_and(|many| self.dice.one_in(many)) {
            let until = Duration::from_millis(self.dice.below(1_500));
            tokio::time::sleep(until).await;
            let mut log = format!("\r\n{}\r\n", self.traits.log_line());
            if self.traits.redraws_after_log {
                log.push_str(&prompt);
            }
            self.send(line, log.as_bytes()).await?;
        }
        Ok(())
    }

    async fn answer(&mut self, line: &mut DuplexStream, command: &str) -> Result<(), Gone> {
        if self.traits.late.is_some_and(|many| self.dice.one_in(many)) {
            let late = Duration::from_millis(self.dice.below(3_000));
            tokio::time::sleep(late).await;
        }
        let lines = lines(&self.traits, command);
        for (number, text) in lines.iter().enumerate() {
            if self.traits.page.is_some_and(|page| number > 0 && number % page == 0)
                && self.traits.profile != "linux"
            {
                self.say(line, " --More-- ").await?;
                self.key(line).await?;
                let wipe = if self.dice.one_in(2) {
                    "\r           \r".to_owned()
                } else {
                    "\x08".repeat(10) + &" ".repeat(10) + &"\x08".repeat(10)
                };
                self.send(line, wipe.as_bytes()).await?;
            }
            self.say(line, text).await?;
            // The last line may have no end, and the prompt stands behind it.
            if !command.starts_with("show partial") {
                let end = self.traits.crlf;
                self.send(line, end.as_bytes()).await?;
            }
        }
        Ok(())
    }

    /// Says a text in pieces, with pauses between them.
    async fn say(&mut self, line: &mut DuplexStream, text: &str) -> Result<(), Gone> {
        let mut rest = text.as_bytes();
        while !rest.is_empty() {
            let most = u64::try_from(rest.len()).unwrap();
            let piece = if self.dice.one_in(2) { most } else { self.dice.below(most) + 1 };
            let (now, later) = rest.split_at(usize::try_from(piece).unwrap());
            self.send(line, now).await?;
            rest = later;
            if self.traits.pauses.is_some_and(|many| self.dice.one_in(many)) {
                let pause = *self.dice.pick(&[1, 5, 20, 60, 150, 300, 600]);
                tokio::time::sleep(Duration::from_millis(pause)).await;
            }
        }
        Ok(())
    }

    async fn send(&mut self, line: &mut DuplexStream, bytes: &[u8]) -> Result<(), Gone> {
        if self.is_traced {
            eprintln!("{:>6} ms ◀ {}", self.begun.elapsed().as_millis(), bytes.escape_ascii());
        }
        line.write_all(bytes).await.map_err(|_gone| Gone)
    }

    async fn key(&mut self, line: &mut DuplexStream) -> Result<u8, Gone> {
        let key = line.read_u8().await.map_err(|_gone| Gone)?;
        if self.is_traced {
            eprintln!("{:>6} ms ▶ {}", self.begun.elapsed().as_millis(), key.escape_ascii());
        }
        Ok(key)
    }

    /// Takes a line as its editor does.
    async fn take(&mut self, line: &mut DuplexStream, echoes: bool) -> Result<String, Gone> {
        let mut typed = String::new();
        loop {
            let key = self.key(line).await?;
            if matches!(key, b'\r' | b'\n') {
                self.send(line, b"\r\n").await?;
                return Ok(typed);
            }
            typed.push(char::from(key));
            if !echoes {
                continue;
            }
            if self.traits.redraws {
                let drawn = format!("\r{}{typed}", self.traits.prompt);
                self.send(line, drawn.as_bytes()).await?;
            } else {
                self.send(line, &[key]).await?;
            }
        }
    }
}
