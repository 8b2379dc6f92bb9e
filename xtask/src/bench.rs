//! Measures, each against a floor or a peer in the same run: medians of interleaved rounds, as a table or as JSON lines.
//!
//! They go through the release binary's public face: an engine and EPs as processes of their own, `jackfield run`.

mod device;
mod dispatch;
mod eps;
mod gui;
mod lab;
mod logs;
mod peers;
mod pin;
mod resources;
mod results;
mod start;

use std::borrow::Cow;

use anyhow::{Result, ensure};
use serde::Serialize;

use crate::{dist, pages};

/// Measure against a floor or a peer in the same run.
#[derive(clap::Args)]
pub(crate) struct Bench {
    /// What to measure; all without it.
    #[arg(value_enum)]
    what: Vec<What>,
    /// One JSON object a line instead of a table.
    #[arg(long)]
    json: bool,
    /// Take the release binary that is there instead of building it.
    #[arg(long)]
    built: bool,
    /// Rounds of each measure.
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// End with exit code 1 when a goal is missed.
    #[arg(long)]
    check: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum What {
    /// Everything.
    All,
    /// Time per test, against xargs.
    Dispatch,
    /// Time per test, against other runners.
    Peers,
    /// The life of a run of 100,000 tests: accepted, stopped, reported, looked at.
    Start,
    /// One test that prints a gigabyte.
    Logs,
    /// A thousand EPs on one engine.
    Eps,
    /// The pages, in Chromium: a log of a gigabyte, a chart, a tree.
    Gui,
    /// Dialogues with a device, against bare loops and other clients.
    Device,
    /// A lab that is shared: tree, leases, queues and restarts, against labgrid.
    Resources,
    /// Inserts, reports and documents, against bare loops and the databases' own clients.
    Results,
}

/// One figure.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Measure {
    /// What was measured.
    pub(crate) name: Cow<'static, str>,
    /// How much.
    pub(crate) value: f64,
    /// Of what.
    pub(crate) unit: Cow<'static, str>,
    /// What else was measured in the same rounds: a peer, or the floor that the work costs without us.
    pub(crate) against: Option<&'static str>,
    /// Its figure, in the same unit.
    pub(crate) floor: Option<f64>,
    /// Ours divided by that.
    pub(crate) ratio: Option<f64>,
    /// What we want, in words.
    pub(crate) goal: Cow<'static, str>,
    /// Whether we have it; none where the figure is for the reader.
    pub(crate) holds: Option<bool>,
}

impl Measure {
    /// A figure that stands alone.
    pub(crate) fn own(
        name: impl Into<Cow<'static, str>>,
        value: f64,
        unit: impl Into<Cow<'static, str>>,
        goal: impl Into<Cow<'static, str>>,
    ) -> Self {
        let (name, unit, goal) = (name.into(), unit.into(), goal.into());
        Self { name, value, unit, against: None, floor: None, ratio: None, goal, holds: None }
    }

    /// The same with the answer whether it is good enough.
    pub(crate) fn holds(self, holds: bool) -> Self {
        Self { holds: Some(holds), ..self }
    }

    /// The same beside what else was measured.
    pub(crate) fn against(self, against: &'static str, floor: f64) -> Self {
        Self { against: Some(against), floor: Some(floor), ratio: Some(self.value / floor), ..self }
    }
}

impl Bench {
    pub(crate) fn run(&self) -> Result<()> {
        if !self.built {
            pages::build()?;
            dist::binary()?;
        }
        let all = [
            What::Dispatch,
            What::Peers,
            What::Start,
            What::Logs,
            What::Eps,
            What::Gui,
            What::Device,
            What::Resources,
            What::Results,
        ];
        let everything = self.what.is_empty() || self.what.contains(&What::All);
        let wanted = if everything { &all[..] } else { &self.what[..] };
        let mut missed = 0;
        for what in wanted {
            let measures = match what {
                What::All => Vec::new(),
                What::Dispatch => dispatch::measure(self.rounds)?,
                What::Peers => peers::measure(self.rounds)?,
                What::Start => start::measure(self.rounds)?,
                What::Logs => logs::measure(self.rounds)?,
                What::Eps => eps::measure(self.rounds)?,
                What::Gui => gui::measure()?,
                What::Device => device::measure(self.rounds)?,
                What::Resources => resources::measure(self.rounds)?,
                What::Results => results::measure(self.rounds)?,
            };
            missed += measures.iter().filter(|measure| measure.holds == Some(false)).count();
            self.print(&measures)?;
        }
        if missed > 0 {
            let text = format!("{missed} goals are missed");
            ensure!(!self.check, text);
            eprintln!("{text}");
        }
        Ok(())
    }

    #[expect(clippy::print_stdout, reason = "figures are what the command is for")]
    fn print(&self, measures: &[Measure]) -> Result<()> {
        for measure in measures {
            if self.json {
                println!("{}", serde_json::to_string(measure)?);
                continue;
            }
            let Measure { name, value, unit, against, floor, ratio, goal, holds } = measure;
            let against = against.unwrap_or("");
            let number = |value: Option<f64>| value.map_or(String::from("-"), |value| format!("{value:.3}"));
            let holds = holds.map_or("", |holds| if holds { "holds" } else { "MISSED" });
            println!(
                "{name:44} {value:>10.3} {unit:6} {against:>22} {:>9}  ratio {:>7}  {goal:28} {holds}",
                number(*floor),
                number(*ratio)
            );
        }
        Ok(())
    }
}

/// The middle one.
pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
