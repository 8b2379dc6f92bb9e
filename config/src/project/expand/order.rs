//! Circles: tests that would wait for each other for ever, by dependencies alone or together with the order of one EP.
//!
//! A test waits for those it depends on, the first test of a suite also for those its suite depends on, and each test for
//! the one before it on the same EP. A search in depth, with a stack of its own, finds the ways that lead back.

use std::collections::{BTreeMap, BTreeSet};

use jackfield_protocol::{id::TestIndex, plan::RunPlan};

use crate::{problem::Problems, source::Span};

/// Where the dependencies of the plan's tests and suites are written.
#[derive(Debug, Default)]
pub(super) struct Joined {
    pub(super) tests: BTreeMap<usize, Vec<Span>>,
    pub(super) suites: BTreeMap<usize, Vec<Span>>,
}

/// Reports each way that leads back to its start.
pub(super) fn refuse_circles(plan: &RunPlan, joined: &Joined, problems: &mut Problems) {
    let graph = Graph::new(plan, joined);
    let mut state = vec![State::New; plan.tests.len()];
    let mut told: BTreeSet<Span> = BTreeSet::new();
    for start in 0..plan.tests.len() {
        let mut stack: Vec<(usize, Vec<Edge>)> = Vec::new();
        enter(start, &graph, &mut state, &mut stack);
        while let Some((at, edges)) = stack.last_mut() {
            let at = *at;
            match edges.pop() {
                None => {
                    set(&mut state, at, State::Done);
                    stack.pop();
                }
                Some(edge) => match state.get(edge.to) {
                    Some(State::New) => {
                        let to = edge.to;
                        edges.push(Edge { taken: true, ..edge });
                        enter(to, &graph, &mut state, &mut stack);
                    }
                    // The edge that was taken comes off the stack again when its end is done.
                    Some(State::Open) if !edge.taken => tell(plan, &stack, &edge, &mut told, problems),
                    Some(State::Open | State::Done) | None => {}
                },
            }
        }
    }
}

#[derive(Clone, Copy, PartialEq)]
enum State {
    New,
    Open,
    Done,
}

/// One test waits for another: because of a dependency, or because of the order (no place in the file).
#[derive(Clone, Copy)]
struct Edge {
    to: usize,
    span: Option<Span>,
    taken: bool,
}

fn set(state: &mut [State], at: usize, new: State) {
    state.get_mut(at).map(|state| *state = new).unwrap_or_default();
}

fn enter(at: usize, graph: &Graph<'_>, state: &mut [State], stack: &mut Vec<(usize, Vec<Edge>)>) {
    if state.get(at) == Some(&State::New) {
        set(state, at, State::Open);
        stack.push((at, graph.edges(at)));
    }
}

struct Graph<'g> {
    plan: &'g RunPlan,
    joined: &'g Joined,
    /// The test before each on its EP.
    before: Vec<Option<usize>>,
    /// Suites with dependencies, by their first test.
    first: BTreeMap<usize, Vec<usize>>,
}

impl<'g> Graph<'g> {
    fn new(plan: &'g RunPlan, joined: &'g Joined) -> Self {
        let mut before: Vec<Option<usize>> = vec![None; plan.tests.len()];
        let mut last_of_ep: BTreeMap<&str, usize> = BTreeMap::new();
        for suite in plan.suites.iter().filter(|suite| suite.parent.is_none()) {
            let ep = suite.place.ep.as_ref().map(|ep| ep.as_str());
            let mut last = ep.and_then(|ep| last_of_ep.get(ep).copied());
            for at in suite.tests.clone().filter_map(|at| usize::try_from(at).ok()) {
                before.get_mut(at).map(|before| *before = last).unwrap_or_default();
                last = Some(at);
            }
            if let (Some(ep), Some(last)) = (ep, last) {
                last_of_ep.insert(ep, last);
            }
        }
        let mut first: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for at in joined.suites.keys() {
            let start = plan.suites.get(*at).and_then(|suite| usize::try_from(suite.tests.start).ok());
            first.entry(start.unwrap_or(usize::MAX)).or_default().push(*at);
        }
        Self { plan, joined, before, first }
    }

    fn edges(&self, at: usize) -> Vec<Edge> {
        let mut edges = Vec::new();
        let mut add = |spans: Option<&Vec<Span>>, depends: &[jackfield_protocol::plan::Dependency]| {
            for (depends, span) in depends.iter().zip(spans.into_iter().flatten()) {
                let to = depends.tests.iter().filter_map(|test: &TestIndex| usize::try_from(test.0).ok());
                edges.extend(to.map(|to| Edge { to, span: Some(*span), taken: false }));
            }
        };
        if let Some(test) = self.plan.tests.get(at) {
            add(self.joined.tests.get(&at), &test.depends);
        }
        for suite in self.first.get(&at).into_iter().flatten() {
            if let Some(planned) = self.plan.suites.get(*suite) {
                add(self.joined.suites.get(suite), &planned.depends);
            }
        }
        let before = self.before.get(at).copied().flatten();
        edges.extend(before.map(|to| Edge { to, span: None, taken: false }));
        edges
    }
}

/// More steps of a circle than a person wants to read.
const STEPS_TOLD_MAX: usize = 8;

/// The stack, from where the edge leads back to, is a circle.
fn tell(
    plan: &RunPlan,
    stack: &[(usize, Vec<Edge>)],
    back: &Edge,
    told: &mut BTreeSet<Span>,
    problems: &mut Problems,
) {
    let start = stack.iter().position(|(at, _)| *at == back.to).unwrap_or(0);
    let circle = stack.get(start..).unwrap_or_default();
    let taken = |edges: &[Edge]| edges.iter().rev().find(|edge| edge.taken).copied();
    let steps: Vec<(usize, Edge)> =
        circle.iter().map(|(at, edges)| (*at, taken(edges).unwrap_or(*back))).collect();
    let steps: Vec<(usize, Edge)> = match steps.split_last() {
        Some(((last, _), rest)) => rest.iter().copied().chain([(*last, *back)]).collect(),
        None => return,
    };
    let Some(span) = steps.iter().filter_map(|(_, edge)| edge.span).min() else { return };
    if !told.insert(span) {
        return;
    }
    let name = |at: usize| plan.tests.get(at).map(|test| test.name.as_ref()).unwrap_or_default();
    // Steps of order are many and say little: only where they lead from and to is told.
    let mut text: Vec<String> = Vec::new();
    let mut from: Option<usize> = None;
    for (at, edge) in &steps {
        match (edge.span, from) {
            (None, _) => from = from.or(Some(*at)),
            (Some(_), Some(after)) => {
                text.push(format!("`{}` comes after `{}`", name(after), name(*at)));
                text.push(format!("`{}` waits for `{}`", name(*at), name(edge.to)));
                from = None;
            }
            (Some(_), None) => text.push(format!("`{}` waits for `{}`", name(*at), name(edge.to))),
        }
    }
    if let Some(after) = from {
        text.push(format!("`{}` comes after `{}`", name(after), name(back.to)));
    }
    if text.len() > STEPS_TOLD_MAX {
        text.truncate(STEPS_TOLD_MAX);
        text.push("and so on".to_owned());
    }
    let help = "take one of these dependencies away, or change the order";
    problems.error(span, format!("tests wait for each other for ever: {}", text.join(", ")), help);
}
