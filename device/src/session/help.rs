//! Help at a key: `show ?` is answered when the key is pressed, and the line stays as it was typed.

use std::sync::Arc;

use jackfield_config::profile::Help;

use super::{Session, SessionError, clean, echo::visible, order::Order, stand::End};
use crate::clock::Deadline;

impl Session {
    /// What the device shows at its help key; none where the command does not end with it.
    pub(super) async fn run_help(
        &mut self,
        order: &Order,
        deadline: Deadline,
    ) -> Result<Option<String>, SessionError> {
        let kind = Arc::clone(&self.kind);
        let Some(help) = kind.profile.help.as_ref().filter(|help| order.line.ends_with(&help.key)) else {
            return Ok(None);
        };
        self.get_in_step(&order.line, deadline).await?;
        let line = self.encoded(&order.line)?;
        self.dialogue.send(&line, deadline).await.map_err(|source| order.failed(source))?;
        let shown = self.await_help(order, help, deadline).await;
        // The line is wiped, and the prompt asked for: what was typed is never entered, whatever was shown.
        let wipe = format!("{}{}", help.wipe, kind.profile.line_ending);
        let wiped = self.dialogue.send(wipe.as_bytes(), deadline).await;
        self.unanswered.owe(&order.line);
        let shown = shown?;
        wiped.map_err(|source| order.failed(source))?;
        self.get_in_step(&order.line, deadline).await?;
        Ok(Some(shown))
    }

    /// Reads until the line stands again behind the prompt, as it was before the key.
    async fn await_help(
        &mut self,
        order: &Order,
        help: &Help,
        deadline: Deadline,
    ) -> Result<String, SessionError> {
        let typed = order.line.strip_suffix(&help.key).unwrap_or(&order.line);
        let again = format!("{}{typed}", self.known.last());
        let pager = self.kind.pager.clone();
        let mut shown = Vec::new();
        loop {
            let encoding = self.kind.profile.encoding;
            let end = End::of(self.dialogue.pending(), encoding);
            // The blank behind the prompt may not have been there when it was learned.
            let stands = visible(&end.line) == visible(&again);
            let pages = pager.as_ref().is_some_and(|pager| end.line_has(pager).is_some());
            let begin = end.begin();
            let quiet =
                if stands || pages { self.dialogue.settle().min(deadline.left()) } else { deadline.left() };
            let read = self.dialogue.read_within(quiet).await.map_err(|source| order.failed(source))?;
            if read && !self.dialogue.has_ended() {
                continue;
            }
            if !stands && !pages {
                return Err(order.failed(self.dialogue.not_seen(format!("the line `{again}`"), deadline)));
            }
            let mut page = self.dialogue.take_pending();
            page.truncate(begin);
            shown.extend_from_slice(clean::without_pager_wipe(&page));
            if stands {
                let text = clean::text(&shown, encoding);
                // The first line is what was typed.
                let text = text.split_once('\n').map_or("", |(_, rest)| rest);
                return Ok(text.trim_matches('\n').trim_end().to_owned());
            }
            let key = self.kind.profile.pager.as_ref().map(|pager| pager.answer.clone()).unwrap_or_default();
            self.dialogue.send(key.as_bytes(), deadline).await.map_err(|source| order.failed(source))?;
        }
    }
}
