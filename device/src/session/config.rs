//! Configuration: lines that are applied in the mode for it, which is left whatever happens, as long as the device stands at its prompt.

use std::sync::Arc;

use jackfield_config::profile::ConfigMode;

use super::{Session, SessionError, order::Order};
use crate::{clock::Deadline, profile::Kind};

impl Session {
    pub(super) async fn run_config(
        &mut self,
        lines: &[String],
        deadline: Deadline,
    ) -> Result<String, SessionError> {
        let kind = Arc::clone(&self.kind);
        let items = items(&kind, lines)?;
        let mut said = Vec::new();
        let Some(mode) = &kind.profile.config else {
            self.apply(&items, &mut said, deadline).await?;
            return Ok(said.join("\n"));
        };
        if let Some(level) = &mode.level {
            self.go_to_level(level, deadline).await?;
        }
        let applied = self.apply_in(mode, &items, &mut said, deadline).await;
        if self.dialogue.has_ended() {
            applied?;
            return Ok(said.join("\n"));
        }
        // What leaves the mode is no answer to a question, and no line of a text: it is given at the prompt, or not at all.
        if let (Err(error), false) = (&applied, self.unanswered.is_empty())
            && let Err(lost) = self.get_in_step(&mode.leave, Deadline::after(deadline.left() / 2)).await
        {
            let why = format!("{error}; the device was left in its configuration: {lost}");
            return Err(SessionError::Uncertain { doing: "configure".to_owned(), why });
        }
        if let (Err(SessionError::Refused { .. }), Some(abort)) = (&applied, &mode.abort) {
            self.run_command(abort, deadline).await?;
        }
        let left = self.leave_config(mode, deadline).await;
        applied.and(left)?;
        Ok(said.join("\n"))
    }

    /// Leaves the mode, and looks that it was left.
    async fn leave_config(&mut self, mode: &ConfigMode, deadline: Deadline) -> Result<(), SessionError> {
        if mode.enter.is_none() && !self.kind.is_in_config(self.known.last()) {
            // The lines have led out themselves.
            return Ok(());
        }
        self.apply(std::slice::from_ref(&mode.leave), &mut Vec::new(), deadline).await
    }

    async fn apply_in(
        &mut self,
        mode: &ConfigMode,
        items: &[String],
        said: &mut Vec<String>,
        deadline: Deadline,
    ) -> Result<(), SessionError> {
        if let Some(enter) = &mode.enter {
            self.apply(std::slice::from_ref(enter), &mut Vec::new(), deadline).await?;
        }
        self.apply(items, said, deadline).await?;
        match &mode.commit {
            Some(commit) => self.apply(std::slice::from_ref(commit), said, deadline).await,
            None => Ok(()),
        }
    }

    /// Gives items one by one and stops at the first that is refused.
    async fn apply(
        &mut self,
        items: &[String],
        said: &mut Vec<String>,
        deadline: Deadline,
    ) -> Result<(), SessionError> {
        for item in items {
            let order = Order { is_item: true, ..Order::new(item.as_str()).that_says_nothing() };
            let answer = self.run_order(&order, deadline).await?;
            if let Some(refusal) = self.kind.refusal(&answer) {
                return Err(SessionError::Refused { line: item.clone(), answer: refusal });
            }
            if !answer.is_empty() {
                said.push(answer);
            }
        }
        Ok(())
    }

    /// Brings a device back that somebody has left in its configuration, such as on a console.
    ///
    /// # Errors
    /// It stays there; the error names the prompt.
    pub(super) async fn come_out_of_config(&mut self, deadline: Deadline) -> Result<(), SessionError> {
        let kind = Arc::clone(&self.kind);
        let Some(mode) = &kind.profile.config else { return Ok(()) };
        for _ in 0..LEAVES_MAX {
            if !kind.is_in_config(self.known.last()) {
                return Ok(());
            }
            let found = self.prompt();
            tracing::info!(target = %self.target.connect, prompt = %found, "the device stood in its configuration");
            self.dialogue.mark(&format!("the device stood at `{found}`: `{}` brings it out", mode.leave));
            self.run_command(&mode.leave, deadline).await?;
        }
        let why = format!(
            "it stands in its configuration, at `{}`, and `{}` does not lead out",
            self.prompt(),
            mode.leave
        );
        Err(SessionError::Login { target: self.target.connect.to_string(), why })
    }
}

/// Tries to leave configuration that somebody else began.
const LEAVES_MAX: u32 = 3;

/// Lines as items: a text of several lines, such as a banner, is one, up to the line with the mark that ends it.
fn items(kind: &Kind, lines: &[String]) -> Result<Vec<String>, SessionError> {
    let mut items = Vec::new();
    let mut lines = lines.iter();
    while let Some(line) = lines.next() {
        let mut item = line.trim_end_matches(['\r', '\n']).to_owned();
        let Some(mark) = kind.text_mark(&item) else {
            items.push(item);
            continue;
        };
        let begin = item.clone();
        while !ends_text(&item, &begin, &mark) {
            let Some(next) = lines.next() else {
                let why =
                    format!("the text that begins with `{begin}` has no line with its end mark `{mark}`");
                return Err(SessionError::Item(why));
            };
            item.push('\n');
            item.push_str(next.trim_end_matches(['\r', '\n']));
        }
        items.push(item);
    }
    Ok(items)
}

/// Whether the mark that begins a text stands again behind it.
fn ends_text(item: &str, begin: &str, mark: &str) -> bool {
    let first = begin.lines().next().unwrap_or_default();
    let from =
        first.find(&format!(" {mark}")).map_or(0, |at| at.saturating_add(mark.len()).saturating_add(1));
    item.get(from..).is_some_and(|rest| rest.contains(mark))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::Profiles;

    fn items_of(lines: &[&str]) -> Result<Vec<String>, String> {
        let kind = Kind::new(Profiles::shipped().get("ios").unwrap()).unwrap();
        let lines: Vec<String> = lines.iter().map(|line| (*line).to_owned()).collect();
        items(&kind, &lines).map_err(|error| error.to_string())
    }

    #[test]
    fn a_banner_is_one_item() {
        assert_eq!(
            items_of(&["banner motd ^", "no", "strangers", "^", "end"]).unwrap(),
            ["banner motd ^\nno\nstrangers\n^", "end"]
        );
        assert_eq!(items_of(&["banner login #one line#", "x"]).unwrap(), ["banner login #one line#", "x"]);
        assert_eq!(items_of(&["banner motd ^\nin one piece\n^", "x"]).unwrap().len(), 2);
        assert!(items_of(&["banner motd ^", "no end"]).unwrap_err().contains("end mark `^`"));
    }
}
