//! A device's end of what leads to it: a console stays when nobody is there, and what it says then is said to nobody.

use std::{collections::VecDeque, time::Duration};

use jackfield_tests::dice::Dice;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, DuplexStream},
    sync::mpsc,
    time::Instant,
};

use crate::traits::{Traits, Way};

/// What ends prompts and questions.
const SIGNS: &[u8] = b":#>$%?]-";

/// Whether every byte is shown.
pub(crate) fn is_traced() -> bool {
    std::env::var_os("JACKFIELD_MODEL_TRACE").is_some()
}

/// Whoever was there has hung up, and the device has seen it.
pub(crate) struct Gone;

/// The device's end.
pub(crate) struct Wire {
    way: Way,
    line: Option<DuplexStream>,
    coming: mpsc::UnboundedReceiver<DuplexStream>,
    pub(crate) dice: Dice,
    pauses: Option<u64>,
    pauses_behind_signs: bool,
    begun: Instant,
    is_traced: bool,
    /// Keys that were read and not taken.
    ahead: VecDeque<u8>,
    /// How many have come so far.
    pub(crate) callers: u32,
}

impl Wire {
    pub(crate) fn new(traits: &Traits, coming: mpsc::UnboundedReceiver<DuplexStream>, dice: Dice) -> Self {
        let is_traced = is_traced();
        Self {
            way: traits.way,
            line: None,
            coming,
            dice,
            pauses: traits.pauses,
            pauses_behind_signs: traits.pauses_behind_signs,
            begun: Instant::now(),
            is_traced,
            ahead: VecDeque::new(),
            callers: 0,
        }
    }

    /// Waits for the next who comes; false when nobody ever will.
    pub(crate) async fn next(&mut self) -> bool {
        self.ahead.clear();
        self.line = self.coming.recv().await;
        self.callers += 1;
        self.line.is_some()
    }

    /// Hangs up.
    pub(crate) fn drop_line(&mut self) {
        self.line = None;
    }

    /// Says a text in pieces, with pauses between them.
    pub(crate) async fn say(&mut self, text: &str) -> Result<(), Gone> {
        let mut rest = text.as_bytes();
        while !rest.is_empty() {
            let (now, later) = rest.split_at(self.piece(rest));
            self.send(now).await?;
            rest = later;
            self.pause().await;
        }
        Ok(())
    }

    /// How much of a text comes at once.
    fn piece(&mut self, rest: &[u8]) -> usize {
        let signs = rest.iter().enumerate().filter(|(_, byte)| SIGNS.contains(byte));
        // The blank behind one comes with it.
        let blank = |at: usize| usize::from(rest.get(at) == Some(&b' '));
        let behind: Vec<usize> = signs.map(|(at, _)| at + 1 + blank(at + 1)).collect();
        if self.pauses_behind_signs
            && self.dice.one_in(2)
            && let Some(end) = self.dice.pick(&behind)
        {
            return *end;
        }
        let most = u64::try_from(rest.len()).unwrap();
        let piece = if self.dice.one_in(2) { most } else { self.dice.below(most) + 1 };
        usize::try_from(piece).unwrap()
    }

    /// A pause, at times.
    pub(crate) async fn pause(&mut self) {
        if self.pauses.is_some_and(|many| self.dice.one_in(many)) {
            let pause = self.dice.pick(&[1, 5, 20, 60, 150, 300, 600]).copied().unwrap();
            tokio::time::sleep(Duration::from_millis(pause)).await;
        }
    }

    /// Says it in one piece.
    pub(crate) async fn send(&mut self, bytes: &[u8]) -> Result<(), Gone> {
        if self.is_traced {
            eprintln!("{:>6} ms ◀ {}", self.begun.elapsed().as_millis(), bytes.escape_ascii());
        }
        let sent = match &mut self.line {
            Some(line) => line.write_all(bytes).await.is_ok(),
            None => false,
        };
        if sent || self.way == Way::Console { Ok(()) } else { Err(Gone) }
    }

    /// Takes in what was typed so far.
    pub(crate) async fn hear(&mut self) {
        let Some(line) = &mut self.line else { return };
        while let Ok(Ok(key)) = tokio::time::timeout(Duration::ZERO, line.read_u8()).await {
            self.ahead.push_back(key);
        }
    }

    /// Whether the next key was typed before it was last taken in.
    pub(crate) fn was_typed_ahead(&self) -> bool {
        !self.ahead.is_empty()
    }

    /// The next key, whoever presses it.
    pub(crate) async fn key(&mut self) -> Result<u8, Gone> {
        if let Some(key) = self.ahead.pop_front() {
            return Ok(key);
        }
        loop {
            if let Some(line) = &mut self.line
                && let Ok(key) = line.read_u8().await
            {
                if self.is_traced {
                    eprintln!("{:>6} ms ▶ {}", self.begun.elapsed().as_millis(), key.escape_ascii());
                }
                return Ok(key);
            }
            if self.way != Way::Console || !self.next().await {
                return Err(Gone);
            }
        }
    }
}
