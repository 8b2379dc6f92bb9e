//! `jackfield resource health …`: what is not fit to be given, since when and why; and what a person says of it.

use anyhow::{Result, bail};
use jackfield_protocol::{
    api::Page,
    health::{HealthState, JudgeResource, ResourceHealth},
};

use crate::{Context, output::table};

/// What is not fit to be given, or what a person says of resources.
#[derive(clap::Args)]
pub(crate) struct HealthOf {
    /// Ids or paths; without any, everything that is not fit or was spoiled by the lab.
    resource: Vec<String>,
    /// They work: they are given again, whatever was known of them.
    #[arg(long, group = "word")]
    fit: bool,
    /// They are to be checked before somebody has them; why.
    #[arg(long, value_name = "WHY", group = "word")]
    dirty: Option<String>,
    /// They do not work, and are not given; why.
    #[arg(long, value_name = "WHY", group = "word")]
    out: Option<String>,
}

impl HealthOf {
    pub(super) fn run(&self, context: &Context) -> Result<()> {
        let word = match (&self.dirty, &self.out) {
            (Some(why), _) => Some((HealthState::Dirty, why.clone())),
            (None, Some(why)) => Some((HealthState::OutOfService, why.clone())),
            (None, None) => self.fit.then(|| (HealthState::Fit, String::new())),
        };
        let Some((health, reason)) = word else { return self.show(context) };
        if self.resource.is_empty() {
            bail!("say of which resources: `jackfield resource health /tb1/router1 --fit`");
        }
        let mut judged: Vec<ResourceHealth> = Vec::new();
        for resource in &self.resource {
            let (resource, reason) = (resource.clone(), reason.clone());
            judged
                .push(context.client.put("/resources/health", &JudgeResource { resource, health, reason })?);
        }
        context.output.list(&judged, |judged| judged.iter().map(line).collect::<Vec<_>>().join("\n"))
    }

    fn show(&self, context: &Context) -> Result<()> {
        let page: Page<ResourceHealth> = context.client.get("/resources/health")?;
        let named = |health: &ResourceHealth| {
            let is_named = |name: &String| {
                *name == health.id || name.trim_end_matches('/') == health.resource.trim_end_matches('/')
            };
            self.resource.is_empty() || self.resource.iter().any(is_named)
        };
        let shown: Vec<ResourceHealth> = page.items.into_iter().filter(named).collect();
        context.output.list(&shown, |shown| list(shown, &self.resource))
    }
}

/// One resource as a sentence.
fn line(of: &ResourceHealth) -> String {
    let why = if of.reason.is_empty() { String::new() } else { format!(" ({})", of.reason) };
    let next = match (of.health, &of.check) {
        (HealthState::Dirty, Some(check)) => format!("; {check} checks it as soon as nobody has it"),
        (HealthState::Dirty, None) => {
            format!(
                "; no project checks it: `jackfield resource health {} --fit` when it is clean",
                of.resource
            )
        }
        (HealthState::Fit | HealthState::UnderCheck | HealthState::OutOfService, _) => String::new(),
    };
    format!("{} is {}{why}{next}", of.resource, of.health)
}

fn list(shown: &[ResourceHealth], named: &[String]) -> String {
    if shown.is_empty() {
        let what =
            if named.is_empty() { "everything is".to_owned() } else { format!("{}:", named.join(", ")) };
        return format!("{what} fit");
    }
    let mut rows = table(&["RESOURCE", "HEALTH", "SINCE", "SPOILED", "WHY"]);
    for of in shown {
        let by = of.by.as_ref().map(|by| format!("{by}: ")).unwrap_or_default();
        let run = of.run.map(|run| format!("run {run}; ")).unwrap_or_default();
        let trouble = of.trouble.as_ref().map(|trouble| format!("; its check cannot be started: {trouble}"));
        let since = match of.since {
            Some(since) => since.to_string(),
            None => "by a property".to_owned(),
        };
        rows.add_row([
            of.resource.clone(),
            of.health.to_string(),
            since,
            of.spoiled.to_string(),
            format!("{by}{run}{}{}", of.reason, trouble.unwrap_or_default()),
        ]);
    }
    rows.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(health: HealthState, check: Option<&str>) -> ResourceHealth {
        ResourceHealth {
            id: "0c651e3670".to_owned(),
            resource: "/tb1/r1".to_owned(),
            health,
            since: Some(jackfield_protocol::time::Time(0)),
            reason: "no answer".to_owned(),
            by: Some("ana".into()),
            run: None,
            check: check.map(str::to_owned),
            trouble: None,
            spoiled: 2,
        }
    }

    #[test]
    fn what_becomes_of_it_is_said() {
        let told = [
            line(&of(HealthState::Dirty, Some("health.xml"))),
            line(&of(HealthState::Dirty, None)),
            line(&ResourceHealth { reason: String::new(), ..of(HealthState::Fit, None) }),
            list(&[of(HealthState::OutOfService, None)], &[]),
            list(&[], &[]),
            list(&[], &["/tb1/r1".to_owned()]),
        ];
        insta::assert_snapshot!(told.join("\n"));
    }
}
