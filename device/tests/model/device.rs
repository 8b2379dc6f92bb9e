//! A device at work.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use crate::{
    book::{self, HELP, Question, SECRET, Takes},
    traits::{Echo, Logs, Traits, Way},
    wire::{Gone, Wire},
};

/// What happened at a device that its session may not know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    /// A line was typed at its prompt.
    Typed(String),
    /// One was typed where it asked for the user.
    User(String),
    /// A question of a command was answered.
    Answered { command: String, text: String },
    /// A line was logged unasked, with its number.
    Logged(u32),
}

/// What happened, in order.
pub(crate) type Events = Arc<Mutex<Vec<Event>>>;

/// A device.
pub(crate) struct Model {
    traits: Traits,
    wire: Wire,
    events: Events,
    logged: u32,
    is_logged_in: bool,
    echo: Echo,
    is_in_config: bool,
}

/// Time after which a question is given up by the device.
const QUESTION_LIMIT: Duration = Duration::from_secs(45);

impl Model {
    pub(crate) fn new(traits: Traits, wire: Wire, events: Events) -> Self {
        let (echo, is_in_config) = (traits.echo, traits.is_in_config);
        // A console on which somebody has worked is logged in.
        let is_logged_in = is_in_config;
        Self { traits, wire, events, logged: 0, is_logged_in, echo, is_in_config }
    }

    /// Lives until nobody will come any more.
    pub(crate) async fn run(mut self) {
        while self.wire.next().await {
            while self.live().await.is_ok() {}
            self.is_logged_in = false;
            self.wire.drop_line();
        }
    }

    fn tell(&self, event: Event) {
        self.events.lock().unwrap().push(event);
    }

    fn now_and_then(&mut self, many: Option<u64>) -> bool {
        many.is_some_and(|many| self.wire.dice.one_in(many))
    }

    /// One login, and what follows; ended where it is started anew, or the other side is gone.
    async fn live(&mut self) -> Result<(), Gone> {
        if !self.is_logged_in {
            self.log_in().await?;
        }
        loop {
            self.prompt().await?;
            if self.now_and_then(self.traits.crashes) {
                return self.start_anew().await;
            }
            if self.now_and_then(self.traits.deaf) {
                self.be_late().await;
            }
            if self.now_and_then(self.traits.loses) {
                // What is typed now is lost on its way.
                while !matches!(self.wire.key().await?, b'\r' | b'\n') {}
            }
            let Some(command) = self.take().await? else { continue };
            self.tell(Event::Typed(command.clone()));
            if command.contains("stty -echo") {
                self.echo = Echo::No;
            }
            match command.as_str() {
                "exit" | "logout" | "EXIT;" => {
                    self.is_logged_in = false;
                    return if self.traits.way == Way::Console { Ok(()) } else { Err(Gone) };
                }
                "end" if self.is_in_config => self.is_in_config = false,
                _ => self.answer(&command).await?,
            }
        }
    }

    async fn log_in(&mut self) -> Result<(), Gone> {
        self.echo = self.traits.echo;
        self.wire.say(self.traits.banner).await?;
        if self.traits.way != Way::Ssh {
            self.wire.say("\r\nUsername: ").await?;
            // Who has typed before it asked could not know.
            self.wire.hear().await;
            loop {
                let is_blind = self.wire.was_typed_ahead();
                let user = self.line(true).await?;
                if !is_blind {
                    self.tell(Event::User(user.clone()));
                }
                if !user.is_empty() {
                    break;
                }
                self.wire.say("Username: ").await?;
            }
            self.wire.say("Password: ").await?;
            self.line(false).await?;
            self.wire.say("\r\n").await?;
        }
        if self.wire.dice.one_in(2) {
            self.wire.say(self.traits.banner).await?;
        }
        self.is_logged_in = true;
        Ok(())
    }

    /// It goes down, and comes again.
    async fn start_anew(&mut self) -> Result<(), Gone> {
        self.is_logged_in = false;
        self.is_in_config = false;
        if self.traits.way != Way::Console {
            return Err(Gone);
        }
        self.wire.say("\r\n%SYS-5-RELOAD: Reload requested\r\nSystem Bootstrap, Version 12.4\r\n").await?;
        self.wire.say("Loading image ######## [OK]\r\nLogin: local users only\r\n").await
    }

    async fn be_late(&mut self) {
        let late = Duration::from_millis(self.wire.dice.below(3_000));
        tokio::time::sleep(late).await;
    }

    fn shown_prompt(&self) -> String {
        let prompt = &self.traits.prompt;
        let (name, end) = prompt.split_at(prompt.trim_end().len().saturating_sub(1));
        if self.is_in_config { format!("{name}(config){end}") } else { prompt.clone() }
    }

    fn prompt_with_lines(&self) -> String {
        format!("{}{}", self.traits.above, self.shown_prompt())
    }

    async fn prompt(&mut self) -> Result<(), Gone> {
        let prompt = self.prompt_with_lines();
        self.wire.say(&prompt).await?;
        // While it waits it may log.
        if self.now_and_then(self.traits.logs) {
            let until = Duration::from_millis(self.wire.dice.below(1_500));
            tokio::time::sleep(until).await;
            self.log("").await?;
        }
        Ok(())
    }

    /// Logs at its prompt, where something was typed already.
    async fn log(&mut self, typed: &str) -> Result<(), Gone> {
        let (line, crlf) = (self.log_line(), self.traits.crlf);
        let mut text = match self.traits.log_style {
            Logs::Line => format!("\r\n{line}{crlf}"),
            Logs::Coloured => format!("\r\n{}{crlf}", coloured(&line)),
            Logs::Behind => format!("{line}{crlf}"),
            Logs::Over => {
                let wiped = " ".repeat(self.shown_prompt().len() + typed.len());
                format!("\r{wiped}\r{}\x1b[K\r\n", coloured(&line))
            }
        };
        if self.traits.redraws_after_log {
            text.push_str(&self.prompt_with_lines());
            text.push_str(typed);
        }
        self.wire.send(text.as_bytes()).await
    }

    fn log_line(&mut self) -> String {
        self.logged += 1;
        self.tell(Event::Logged(self.logged));
        self.traits.log_line(self.logged)
    }

    async fn answer(&mut self, command: &str) -> Result<(), Gone> {
        if self.now_and_then(self.traits.late) {
            self.be_late().await;
        }
        if self.is_in_config && command.starts_with("show") {
            return self.wire.say("% Invalid input detected at '^' marker.\r\n").await;
        }
        if let Some(question) = book::question(command)
            && !self.ask(command, &question).await?
        {
            return Ok(());
        }
        let lines = book::lines(&self.traits, command);
        let mut left = self.traits.page;
        for (number, line) in lines.iter().enumerate() {
            if self.now_and_then(self.traits.hangs_up) {
                self.wire.drop_line();
                if self.traits.way != Way::Console {
                    return Err(Gone);
                }
            }
            // What is asked for is logged by nobody else meanwhile: nothing could tell one from the other.
            let is_log = command.contains("logging") || command.contains("dmesg");
            if left == Some(0) {
                left = self.turn_page(!is_log).await?;
            }
            if !is_log && number > 0 && self.now_and_then(self.traits.logs_in_answers) {
                let line = format!("{}\r\n", self.log_line());
                self.wire.say(&line).await?;
            }
            self.wire.say(&line.sent).await?;
            // The last line may have no end, and the prompt stands behind it.
            if !command.starts_with("show partial") {
                self.wire.send(self.traits.crlf.as_bytes()).await?;
            }
            // The result of an order comes behind a prompt.
            if line.sent == "ORDERED" {
                self.wire.say("\x03<").await?;
                let late = Duration::from_millis(self.wire.dice.below(5_000));
                tokio::time::sleep(late).await;
                self.wire.send(b"\r\n").await?;
            }
            left = left.map(|left| left - 1);
        }
        if left == Some(0) && self.traits.pages_at_the_end {
            self.turn_page(false).await?;
        }
        Ok(())
    }

    /// Shows its pager until a key is pressed, and may log meanwhile; how many lines come then.
    async fn turn_page(&mut self, may_log: bool) -> Result<Option<usize>, Gone> {
        let pager = self.traits.pager();
        self.wire.say(pager).await?;
        let key = self.wire.key().await?;
        let wide = pager.len();
        let wipe = match self.wire.dice.below(4) {
            _ if self.traits.pager_stays => "\r\n".to_owned(),
            0 => format!("\r{}\r", " ".repeat(wide)),
            1 => "\x08".repeat(wide) + &" ".repeat(wide) + &"\x08".repeat(wide),
            2 => format!("\0{}{}{}", "\x08".repeat(wide), " ".repeat(wide), "\x08".repeat(wide)),
            _ => "\r\x1b[K".to_owned(),
        };
        self.wire.send(wipe.as_bytes()).await?;
        if self.now_and_then(self.traits.logs_at_pager.filter(|_| may_log)) {
            let line = format!("{}\r\n", self.log_line());
            self.wire.send(line.as_bytes()).await?;
        }
        Ok(if matches!(key, b'\r' | b'\n') { Some(1) } else { self.traits.page })
    }

    /// Asks, until it is answered or gives up; whether it goes on.
    async fn ask(&mut self, command: &str, question: &Question) -> Result<bool, Gone> {
        let callers = self.wire.callers;
        for _ in 0..3 {
            self.wire.say(&question.asks).await?;
            let Ok(text) = tokio::time::timeout(QUESTION_LIMIT, self.reply(question.takes)).await else {
                self.wire.say("\r\n% Timed out, nothing was done\r\n").await?;
                return Ok(false);
            };
            let text = text?;
            // Who comes to a console that says nothing cannot know that it waits for an answer.
            if callers == self.wire.callers {
                self.tell(Event::Answered { command: command.to_owned(), text: text.clone() });
            }
            let is_taken = match question.takes {
                Takes::Key => text.is_empty() || text == "y",
                Takes::YesOrNo => text == "y",
                Takes::Line => true,
                Takes::Secret => text == SECRET,
            };
            if is_taken {
                return Ok(true);
            }
            if question.takes == Takes::Key || text == "n" {
                break;
            }
            self.wire.say("That is no answer.\r\n").await?;
        }
        Ok(false)
    }

    async fn reply(&mut self, takes: Takes) -> Result<String, Gone> {
        if takes != Takes::Key {
            let echoes = takes != Takes::Secret && self.echo != Echo::No;
            return self.line(echoes).await;
        }
        let key = self.wire.key().await?;
        self.wire.send(b"\r\n").await?;
        Ok(if matches!(key, b'\r' | b'\n') { String::new() } else { char::from(key).to_string() })
    }

    /// A line where there is no editor.
    async fn line(&mut self, echoes: bool) -> Result<String, Gone> {
        let mut typed = String::new();
        loop {
            let key = self.wire.key().await?;
            if matches!(key, b'\r' | b'\n') {
                self.wire.send(b"\r\n").await?;
                return Ok(typed);
            }
            typed.push(char::from(key));
            if echoes && self.echo != Echo::No {
                self.wire.send(&[key]).await?;
            }
        }
    }

    /// The next key at the prompt, where it may log on and on.
    async fn key_at_prompt(&mut self, typed: &str) -> Result<u8, Gone> {
        let Some(every) = self.traits.logs_every else { return self.wire.key().await };
        loop {
            match tokio::time::timeout(every, self.wire.key()).await {
                Ok(key) => return key,
                Err(_) => self.log(typed).await?,
            }
        }
    }

    /// A line at the prompt, as its editor takes it; none where it was wiped.
    async fn take(&mut self) -> Result<Option<String>, Gone> {
        let mut typed = String::new();
        loop {
            let key = self.key_at_prompt(&typed).await?;
            match key {
                b'\r' | b'\n' => {
                    if self.echo != Echo::No || !self.traits.ends_unseen {
                        self.wire.send(b"\r\n").await?;
                    }
                    return Ok(Some(typed));
                }
                0x15 => {
                    let wiped = "\x08 \x08".repeat(typed.len());
                    typed.clear();
                    self.wire.send(wiped.as_bytes()).await?;
                    continue;
                }
                b'?' if !self.traits.commands.contains(&"show drawn N") && self.traits.profile != "linux" => {
                    let shown = HELP.join("\r\n");
                    let again = format!("?\r\n{shown}\r\n\r\n{}{typed}", self.shown_prompt());
                    self.wire.say(&again).await?;
                    continue;
                }
                key => typed.push(char::from(key)),
            }
            match self.echo {
                Echo::No => {}
                Echo::Plain => self.wire.send(&[key]).await?,
                Echo::Redrawn => {
                    let drawn = format!("\r{}{typed}", self.shown_prompt());
                    self.wire.send(drawn.as_bytes()).await?;
                }
            }
            if self.echo == Echo::Plain && self.now_and_then(self.traits.logs_in_echoes) {
                self.log(&typed).await?;
            }
            if self.wire.dice.one_in(8) {
                self.wire.pause().await;
            }
        }
    }
}

/// A line in colours that change within it.
fn coloured(line: &str) -> String {
    let (begin, rest) = line.split_at(line.len() / 3);
    format!("\x1b[48;5;58m\x1b[38;5;247m{begin}\x1b[1;33m{rest}\x1b[m")
}
