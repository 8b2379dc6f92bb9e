//! What a project and its suites need, held against what the lab has.

use std::collections::{BTreeMap, BTreeSet};

use jackfield_protocol::{
    id::EpName,
    plan::{RunPlan, need_variable},
};
use jackfield_resource_allocator::needs::Needs;

use super::Lookup;
use crate::{
    problem::Problems,
    project::{Item, Project, Suite},
    source::At,
};

/// Tells of needs that stand where they mean nothing, and of names that mean two things.
pub(super) fn check(project: &Project, problems: &mut Problems) {
    let whole = project.head.needs.as_ref();
    project.suites.iter().for_each(|suite| refuse_inner(suite, problems));
    let names = whole.into_iter().flat_map(|needs| needs.value.names());
    let taken: BTreeMap<String, &str> = names.map(|name| (need_variable(name), name)).collect();
    for needs in project.suites.iter().filter_map(|suite| suite.needs.as_ref()) {
        let twice = |name: &str| Some((name.to_owned(), *taken.get(&need_variable(name))?));
        if let Some((name, other)) = needs.value.names().find_map(twice) {
            let message = if name == other {
                format!("the project and this suite both need something named `{name}`")
            } else {
                let variable = need_variable(&name);
                format!(
                    "`{other}` of the project and `{name}` of this suite are both told to tests as {variable}"
                )
            };
            problems.error(needs.span, message, "give one of them another name: `other: kind=router`");
        }
    }
}

/// Tells of needs that can never be met together by what the lab has: those of the whole run with those of each suite, and of
/// all suites that are bound to one EP, which keeps what they need until the last of them has ended.
pub(super) fn look_up(project: &Project, plan: &RunPlan, lab: &dyn Lookup, problems: &mut Problems) {
    let written =
        project.head.needs.iter().chain(project.suites.iter().filter_map(|suite| suite.needs.as_ref()));
    let written: BTreeMap<String, &At<Needs>> =
        written.map(|needs| (needs.value.to_string(), needs)).collect();
    let mut groups: BTreeSet<Vec<&str>> = BTreeSet::new();
    let mut of_eps: BTreeMap<&EpName, BTreeSet<&str>> = BTreeMap::new();
    for suite in plan.suites.iter().filter(|suite| suite.parent.is_none()) {
        match (&suite.place.needs, &suite.place.ep) {
            (Some(needs), Some(ep)) => drop(of_eps.entry(ep).or_default().insert(needs)),
            (Some(needs), None) => drop(groups.insert(vec![needs])),
            (None, _) => {}
        }
    }
    groups.extend(of_eps.into_values().map(|texts| texts.into_iter().collect()));
    if groups.is_empty() && plan.options.needs.is_some() {
        groups.insert(Vec::new());
    }
    let whole = plan.options.needs.as_deref();
    let of_group = |group: &Vec<&str>| -> Vec<&At<Needs>> {
        whole.iter().chain(group).filter_map(|text| written.get(*text).copied()).collect()
    };
    let groups: Vec<Vec<&At<Needs>>> =
        groups.iter().map(of_group).filter(|group| !group.is_empty()).collect();
    let asked: Vec<Vec<&Needs>> =
        groups.iter().map(|group| group.iter().map(|at| &at.value).collect()).collect();
    if asked.is_empty() {
        return;
    }
    for (group, unmet) in groups.iter().zip(lab.unmet(&asked)) {
        let span = group.last().map(|at| at.span).unwrap_or_default();
        match unmet {
            Some(unmet) if unmet.certain => {
                let help =
                    "change what is needed, or the resources: `jackfield resource find` shows what fits";
                problems.error(span, unmet.reason, help);
            }
            Some(unmet) => {
                let help =
                    "that is what resources.json says; once the engine has taken it in, its own tree counts";
                problems.warn(span, unmet.reason, help);
            }
            None => {}
        }
    }
}

fn refuse_inner(suite: &Suite, problems: &mut Problems) {
    for item in &suite.items {
        let Item::Suite(inner) = item else { continue };
        if let Some(needs) = &inner.needs {
            problems.error(
                needs.span,
                "<Needs> of an inner suite",
                "give them to the top suite, or to the project",
            );
        }
        refuse_inner(inner, problems);
    }
}
