//! What a step does, and how its output is judged.

use std::sync::Arc;

use jackfield_config::steps::{Action, Awaited, Check, Command, Pick, Relation, Step, TableBy};

use super::{Failure, StepEnvironment, check, pick, run::Runner};
use crate::{
    clock::Deadline,
    expect::Patterns,
    profile::search,
    screen::view::Sought,
    session::SessionError,
    textfsm::{Table, Template, Templates},
};

impl<E: StepEnvironment> Runner<'_, E> {
    pub(super) async fn act(&mut self, step: &Step, clock: Deadline) -> Result<(), Failure> {
        match &step.action {
            Action::Send { text, enter, secret } => self.send(step, text, (*enter, *secret), clock).await?,
            Action::Expect { patterns } => self.expect(step, patterns, clock).await?,
            Action::Command(command) => self.command(step, command, clock).await?,
            Action::Unasked => {
                let came = self.session(step).await?.unasked().map_err(blame)?;
                self.show("unasked", came);
            }
            Action::Press { keys } => {
                let session = self.session(step).await?;
                session.press(keys).await.map_err(blame)?;
            }
            Action::Screen { patterns, gone } => self.screen(step, patterns, *gone, clock).await?,
            Action::Config { lines } => self.config(step, lines, clock).await?,
            Action::Level { level } => {
                let level = self.fill(level).await?;
                let session = self.session(step).await?;
                session.level(&level, clock.span()).await.map_err(blame)?;
            }
            Action::Reboot => {
                let session = self.session(step).await?;
                session.reboot(step.timeout).await.map_err(blame)?;
            }
            Action::Power { action } => self.power(step, *action, clock).await?,
            Action::WaitUntil { command, every } => {
                return self.wait_until(step, command, *every, clock).await;
            }
            Action::Beside(beside) => self.act_beside(step, beside, clock).await?,
            Action::Pause { span } => tokio::time::sleep(*span).await,
            Action::Set { values } => {
                for (name, value) in values {
                    let value = self.fill(value).await?;
                    self.set(name, value);
                }
            }
            // A repeat is taken apart before it comes here; a look has no action.
            Action::Look | Action::Repeat { .. } => {}
        }
        self.judge(step).await
    }

    async fn send(
        &mut self,
        step: &Step,
        text: &str,
        (enter, secret): (bool, bool),
        clock: Deadline,
    ) -> Result<(), Failure> {
        let text = self.fill(text).await?;
        let is_secret = secret || self.is_asked_for_secret(step);
        let session = self.session(step).await?;
        let sent = match is_secret {
            true => session.send_secret(&text, enter, clock.span()).await,
            false => session.send(&text, enter, clock.span()).await,
        };
        sent.map_err(blame)
    }

    /// Captures and checks of a step, on the output there is.
    pub(super) async fn judge(&mut self, step: &Step) -> Result<(), Failure> {
        self.checks.clear();
        if let Some(by) = &step.table {
            self.table = self.make_table(step, by).await?;
            self.log(&format!("{} rows of {}", self.table.rows.len(), self.table.header.join(", ")));
        }
        for pattern in &step.captures {
            let pattern = self.fill_pattern(pattern).await?;
            self.capture(&pattern)?;
        }
        for check in &step.checks {
            self.check(check).await?;
        }
        Ok(())
    }

    async fn make_table(&mut self, step: &Step, by: &TableBy) -> Result<Table, Failure> {
        let wrong = |error: &dyn std::fmt::Display| Failure::test(error.to_string());
        let template = match by {
            // A template has `${…}` of its own: no variables are filled in.
            TableBy::Text(text) => Arc::new(Template::parse(text).map_err(|error| wrong(&error))?),
            TableBy::Named(name) => {
                let name = self.fill(name).await?;
                self.lab_templates().await?.named(&name).map_err(|error| wrong(&error))?
            }
            TableBy::Command => {
                let (Action::Command(Command { line: command, .. }) | Action::WaitUntil { command, .. }) =
                    &step.action
                else {
                    return Err(Failure::test("`template = true` needs a step with a command"));
                };
                let command = self.fill(command).await?;
                let platform = self.session(step).await?.platform().to_owned();
                let templates = self.lab_templates().await?;
                templates.for_command(&platform, &command).map_err(|error| wrong(&error))?
            }
        };
        template.run(&self.output).map_err(|error| Failure::product(error.to_string()))
    }

    async fn lab_templates(&mut self) -> Result<Arc<Templates>, Failure> {
        self.environment.templates().await.map_err(Failure::lab)
    }

    fn capture(&mut self, pattern: &str) -> Result<(), Failure> {
        let regex = search(pattern).map_err(|error| Failure::test(error.to_string()))?;
        let mut captures = regex.create_captures();
        regex.captures(self.output.as_bytes(), &mut captures);
        if !captures.is_match() {
            let shown = check::excerpt(&self.output);
            return Err(Failure::product(format!("`{pattern}` is not in the output; it is: {shown}")));
        }
        let names = regex.group_info().pattern_names(regex_automata::PatternID::ZERO);
        for (span, name) in captures.iter().zip(names) {
            if let (Some(span), Some(name)) = (span, name) {
                let value = self.output.as_bytes().get(span.range()).unwrap_or_default();
                let value = String::from_utf8_lossy(value).into_owned();
                self.log(&format!("{name} = {value}"));
                self.set(name, value);
            }
        }
        Ok(())
    }

    async fn check(&mut self, check: &Check) -> Result<(), Failure> {
        let limit = match check.relation {
            Relation::Matches | Relation::NotMatches => self.fill_pattern(&check.limit).await?,
            Relation::Contains
            | Relation::NotContains
            | Relation::Equals
            | Relation::NotEquals
            | Relation::Above
            | Relation::Below
            | Relation::AtLeast
            | Relation::AtMost => self.fill(&check.limit).await?,
        };
        let (value, shown) = match &check.value {
            Some(shown) => (self.fill(shown).await?, format!("`{shown}`")),
            None => (self.output.clone(), "the output".to_owned()),
        };
        let Some(pick) = &check.pick else {
            return self.hold(check.relation, (&shown, &value), &limit);
        };
        let pick = self.fill_pick(pick).await?;
        let picked = pick::values(&pick, &value, &self.table)?;
        picked.iter().try_for_each(|(what, value)| self.hold(check.relation, (what, value), &limit))
    }

    /// Holds one check against one value, and keeps both with the step.
    fn hold(&mut self, relation: Relation, (shown, value): (&str, &str), limit: &str) -> Result<(), Failure> {
        let result = check::hold(relation, value, limit, Some(shown));
        // `${delay}` is the variable's value, and is called as the variable is.
        let name = shown.strip_prefix("`${").and_then(|name| name.strip_suffix("}`")).unwrap_or(shown);
        check::keep(&mut self.checks, (name, value), (relation, limit), &result);
        result
    }

    /// A pick with its variables filled in.
    async fn fill_pick(&mut self, pick: &Pick) -> Result<Pick, Failure> {
        let (Pick::Cell { rows, .. } | Pick::Count { rows }) = pick else { return Ok(pick.clone()) };
        let mut filled = std::collections::BTreeMap::new();
        for (column, value) in rows {
            filled.insert(column.clone(), self.fill(value).await?);
        }
        Ok(match pick {
            Pick::Cell { column, .. } => Pick::Cell { rows: filled, column: column.clone() },
            Pick::Count { .. } | Pick::Json { .. } => Pick::Count { rows: filled },
        })
    }

    async fn expect(&mut self, step: &Step, awaited: &[Awaited], clock: Deadline) -> Result<(), Failure> {
        let filled = self.fill_awaited(awaited).await?;
        let patterns = Patterns::new(&filled).map_err(|error| Failure::test(error.to_string()))?;
        let session = self.session(step).await?;
        let seen = session.expect(&patterns, clock.span()).await.map_err(blame)?;
        let mut output = seen.before;
        output.extend_from_slice(&seen.text);
        self.output = lines(output);
        for (name, value) in seen.named {
            self.set(&name, String::from_utf8_lossy(&value).into_owned());
        }
        Ok(())
    }

    async fn fill_awaited(&mut self, awaited: &[Awaited]) -> Result<Vec<Awaited>, Failure> {
        let mut filled = Vec::new();
        for one in awaited {
            filled.push(match one {
                Awaited::Pattern(text) => Awaited::Pattern(self.fill_pattern(text).await?),
                Awaited::Exact(text) => Awaited::Exact(self.fill(text).await?),
                Awaited::End => Awaited::End,
                Awaited::Timeout => Awaited::Timeout,
            });
        }
        Ok(filled)
    }

    /// The output is the screen itself.
    async fn screen(
        &mut self,
        step: &Step,
        awaited: &[Awaited],
        gone: bool,
        clock: Deadline,
    ) -> Result<(), Failure> {
        let filled = self.fill_awaited(awaited).await?;
        let session = self.session(step).await?;
        let (view, named) = if filled.is_empty() {
            (session.screen(None).await.map_err(blame)?, Vec::new())
        } else {
            let sought = Sought::new(&filled).map_err(|error| Failure::test(error.to_string()))?;
            if gone {
                (session.wait_screen_without(&sought, clock.span()).await.map_err(blame)?, Vec::new())
            } else {
                let sight = session.wait_screen(&sought, clock.span()).await.map_err(blame)?;
                (sight.view, sight.named)
            }
        };
        for (name, value) in named {
            self.set(&name, value);
        }
        self.show("screen", view.text());
        Ok(())
    }

    async fn config(&mut self, step: &Step, lines: &[String], clock: Deadline) -> Result<(), Failure> {
        let mut filled = Vec::new();
        for line in lines {
            filled.push(self.fill(line).await?);
        }
        let session = self.session(step).await?;
        let output = session.config(&filled, clock.span()).await.map_err(blame)?;
        self.show(&filled.join("\n"), output);
        Ok(())
    }

    pub(super) fn show(&mut self, command: &str, output: String) {
        self.log(&format!("> {command}\n{output}"));
        self.output = output;
    }
}

/// Bytes as text, with lines ended by LF.
fn lines(mut bytes: Vec<u8>) -> String {
    let mut from = 0;
    let mut text = Vec::with_capacity(bytes.len());
    for end in memchr::memmem::find_iter(&bytes, b"\r\n") {
        text.extend_from_slice(bytes.get(from..end).unwrap_or_default());
        from = end.saturating_add(1);
    }
    if from > 0 {
        text.extend_from_slice(bytes.get(from..).unwrap_or_default());
        bytes = text;
    }
    String::from_utf8(bytes).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}

/// Who is to blame for what a session did not do.
pub(super) fn blame(error: SessionError) -> Failure {
    let reason = error.to_string();
    if error.is_lab() {
        Failure::lab(reason)
    } else if error.is_test() {
        Failure::test(reason)
    } else {
        Failure::product(reason)
    }
}
