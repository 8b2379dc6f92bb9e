//! Waiting for something outside to become true, with a limit and a sentence.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};

/// Asks until there is an answer; the pause between two asks grows to 50 ms.
///
/// # Errors
/// There is none in time, or asking failed.
#[expect(clippy::disallowed_methods, reason = "real processes are waited for in real time")]
pub fn until<T>(limit: Duration, what: &str, mut ask: impl FnMut() -> Result<Option<T>>) -> Result<T> {
    let end = Instant::now() + limit;
    let mut pause = Duration::from_millis(1);
    loop {
        if let Some(answer) = ask()? {
            return Ok(answer);
        }
        if Instant::now() > end {
            bail!("waited {} s for {what}", limit.as_secs());
        }
        std::thread::sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(50));
    }
}
