//! How long a device has been quiet: lines that come unasked are no sign that it is busy. A console on which something is logged several
//! times a second would never be quiet otherwise, and no prompt on it could be proven.

use std::time::Duration;

use tokio::time::Instant;

use crate::{clock::now, profile::Kind};

/// A device that has drawn no prompt for so long behind a line that came unasked draws none there.
const NOT_AGAIN_AFTER: Duration = Duration::from_secs(1);

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Calm(Option<Began>);

#[derive(Debug)]
struct Began {
    /// Bytes that had come, without the unasked lines behind them.
    said: usize,
    at: Instant,
    /// When the first such line was seen.
    logged_at: Option<Instant>,
}

impl Calm {
    /// How long nothing else has come than what stands there now, all since the command was sent.
    pub(super) fn lasted(&mut self, kind: &Kind, bytes: &[u8]) -> Duration {
        let before = kind.before_unasked(bytes);
        let said = before.unwrap_or(bytes).trim_ascii_end().len();
        let logged_at = before.map(|_| now());
        match &mut self.0 {
            Some(began) if began.said == said => {
                began.logged_at = began.logged_at.or(logged_at);
                now().saturating_duration_since(began.at)
            }
            Some(_) | None => {
                self.0 = Some(Began { said, at: now(), logged_at });
                Duration::ZERO
            }
        }
    }

    /// Whether lines have come unasked for long, and no prompt was drawn behind them.
    pub(super) fn has_drawn_none(&self) -> bool {
        let logged_at = self.0.as_ref().and_then(|began| began.logged_at);
        logged_at.is_some_and(|first| now().saturating_duration_since(first) >= NOT_AGAIN_AFTER)
    }

    /// Something was sent, or may have come that was not looked at: it begins anew.
    pub(super) fn broken(&mut self) {
        self.0 = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::Profiles;

    #[tokio::test(start_paused = true)]
    async fn what_was_seen_before_something_else_came_says_nothing_of_the_device() {
        let kind = Kind::new(Profiles::shipped().get("linux").unwrap()).unwrap();
        let logged: &[u8] = b"# \r\n[   12.000013] eth0: link up\r\n";
        let mut calm = Calm::default();
        calm.lasted(&kind, logged);
        tokio::time::advance(NOT_AGAIN_AFTER).await;
        assert!(calm.lasted(&kind, logged) >= NOT_AGAIN_AFTER && calm.has_drawn_none());
        calm.broken();
        assert!(!calm.has_drawn_none() && calm.lasted(&kind, logged).is_zero());
    }
}
