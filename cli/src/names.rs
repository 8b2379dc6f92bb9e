//! The lab's own names, by what a command line calls them: offered behind Tab, and told to who has mistyped one.

use std::time::Duration;

use jackfield_config::problem::nearest;
use jackfield_protocol::error::{ErrorCode, Problem};
use serde_json::Value;

use crate::{client::Client, complete::Offer};

/// The longest that a person waits for Tab.
const LIMIT: Duration = Duration::from_millis(700);
/// The most names that are offered.
const NAMES_MAX: usize = 200;

/// The most names that an error lists.
const TOLD_MAX: usize = 10;

/// What is asked of the engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Names {
    Runs,
    /// Of the run that stands before the dot; before it runs.
    Tests,
    Eps,
    Projects,
    Resources,
    Suts,
    Users,
    Groups,
    Tokens,
    Shares,
    Leases,
}

impl Names {
    /// What an argument of a command is the name of.
    pub(crate) fn of(path: &[&str], argument: &str) -> Option<Self> {
        let names = match (path, argument) {
            (["user", "set" | "password" | "delete"], "name") | (["login"], "user") | (_, "owner") => {
                Self::Users
            }
            (["group", _], "name") | (_, "groups") => Self::Groups,
            (["project", "export"], "name") | (_, "project") => Self::Projects,
            (["token", _], "id") => Self::Tokens,
            (["share", _], "id") => Self::Shares,
            (["resource", "set"], "path") | (_, "query" | "resource") => Self::Resources,
            (_, "run") => Self::Runs,
            (_, "test") => Self::Tests,
            (_, "lease" | "booking") => Self::Leases,
            (_, "ep") => Self::Eps,
            (_, "sut" | "component") => Self::Suts,
            _ => return None,
        };
        Some(names)
    }

    /// Asks for those that fit what is typed; none where there is no answer at once.
    pub(crate) fn ask(self, client: &Client, typed: &str) -> Vec<Offer> {
        let client = client.hasty(LIMIT);
        let get = |path: &str| client.get::<Value>(path).unwrap_or_default();
        let list = |path: &str, name: &str, beside: &str| named(&get(path), name, beside);
        let mut names = match self {
            Self::Runs => list("/runs?limit=50", "id", "project"),
            Self::Tests => match typed.split_once('.').and_then(|(run, _)| run.parse::<u64>().ok()) {
                Some(run) => {
                    let tests = list(&format!("/runs/{run}/tests?limit=1000"), "test", "name");
                    tests.into_iter().map(|(test, name)| (format!("{run}.{test}"), name)).collect()
                }
                None => list("/runs?limit=50", "id", "project"),
            },
            Self::Eps => list("/eps", "name", "state"),
            Self::Projects => list("/projects", "name", ""),
            Self::Resources => {
                let mut paths = Vec::new();
                walk(&get("/resources/tree?query=/"), "", &mut paths);
                paths
            }
            Self::Suts => list("/suts", "name", ""),
            Self::Users => list("/users", "name", ""),
            Self::Groups => {
                let groups = get("/groups");
                groups
                    .as_object()
                    .into_iter()
                    .flatten()
                    .map(|(name, _)| (name.clone(), String::new()))
                    .collect()
            }
            Self::Tokens => list("/tokens", "id", "name"),
            Self::Shares => list("/shares", "id", "report"),
            Self::Leases => list("/leases", "id", "name"),
        };
        names.retain(|(name, _)| name.starts_with(typed));
        names.truncate(NAMES_MAX);
        names
    }

    /// What the engine says, and where there is no such thing, what was meant, or those that there are.
    pub(crate) fn or_known<T>(
        self,
        answer: anyhow::Result<T>,
        client: &Client,
        name: &str,
    ) -> anyhow::Result<T> {
        answer.map_err(|error| match error.downcast::<Problem>() {
            Ok(mut problem) => {
                if problem.code == ErrorCode::NotFound {
                    let known: Vec<String> = self.ask(client, "").into_iter().map(|(name, _)| name).collect();
                    problem.title.push_str(&meant(name, &known));
                }
                problem.into()
            }
            Err(error) => error,
        })
    }
}

fn meant(name: &str, known: &[String]) -> String {
    match nearest(name, known.iter().map(String::as_str)) {
        Some(near) => format!("; did you mean `{near}`?"),
        None if known.is_empty() || known.len() > TOLD_MAX => String::new(),
        None => format!("; there are: {}", known.join(", ")),
    }
}

/// The names of a list; an item that is a text is its own.
fn named(page: &Value, name: &str, beside: &str) -> Vec<Offer> {
    let items = page.get("items").and_then(Value::as_array).into_iter().flatten();
    let offer = |item: &Value| match item.as_str() {
        Some(text) => Some((text.to_owned(), String::new())),
        None => Some((word(item.get(name)?), item.get(beside).map(word).unwrap_or_default())),
    };
    items.filter_map(offer).collect()
}

fn word(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// Paths of all below a node; children are a list or an object by their names.
fn walk(node: &Value, path: &str, paths: &mut Vec<Offer>) {
    let children = node.get("children");
    let by_name = children.and_then(Value::as_object).into_iter().flatten();
    let listed = children.and_then(Value::as_array).into_iter().flatten();
    let listed = listed.filter_map(|child| Some((word(child.get("name")?), child)));
    for (name, child) in by_name.map(|(name, child)| (name.clone(), child)).chain(listed) {
        let path = format!("{path}/{name}");
        walk(child, &path, paths);
        paths.push((path, String::new()));
    }
    paths.sort();
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn names_are_found_in_the_shapes_that_lists_have() {
        let page = json!({"items": ["first", {"name": "EP-1", "state": "idle"}, {"other": 1}]});
        let names = named(&page, "name", "state");
        let texts: Vec<_> = names.iter().map(|(name, beside)| (name.as_str(), beside.as_str())).collect();
        assert_eq!(texts, [("first", ""), ("EP-1", "idle")]);
    }

    #[test]
    fn a_slip_is_told_with_what_was_meant() {
        let known = ["first", "nightly"].map(str::to_owned);
        assert_eq!(meant("frist", &known), "; did you mean `first`?");
        assert_eq!(meant("x", &known), "; there are: first, nightly");
        assert_eq!(meant("x", &[]), "");
    }

    #[test]
    fn a_tree_is_offered_by_paths() {
        let mut paths = Vec::new();
        walk(&json!({"children": [{"name": "lab", "children": {"r1": {}}}]}), "", &mut paths);
        let paths: Vec<_> = paths.iter().map(|(path, _)| path.as_str()).collect();
        assert_eq!(paths, ["/lab", "/lab/r1"]);
    }
}
