//! What of an EP's possessions is this engine's: what it gave out itself, in this life or an earlier one that its store
//! remembers. Numbers of runs repeat in every lab, and in a store that is back from a backup, so they alone say nothing.

use jackfield_protocol::{
    id::RunId,
    link::{Held, HeldScript, Hello},
};

use crate::store::life::Lives;

/// What an EP holds, as far as this engine gave it out.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Possession {
    pub(super) held: Vec<Held>,
    pub(super) runs: Vec<RunId>,
    pub(super) scripts: Vec<HeldScript>,
    /// None of it was.
    pub(super) foreign: bool,
}

/// Looks at the life that a Hello names. An EP of an older build names none and is believed.
pub(super) fn ours(lives: &Lives, hello: &Hello) -> Possession {
    let Hello { life, held, runs, scripts, .. } = hello;
    let newest = match lives.get(life) {
        Some(newest) => *newest,
        None if life.is_empty() => None,
        None => return Possession { foreign: true, ..Possession::default() },
    };
    let known = |run: RunId| newest.is_none_or(|newest| run <= newest);
    Possession {
        held: held.iter().filter(|held| known(held.attempt.run)).copied().collect(),
        runs: runs.iter().filter(|run| known(**run)).copied().collect(),
        scripts: scripts.iter().filter(|script| known(script.run)).copied().collect(),
        foreign: false,
    }
}

#[cfg(test)]
mod tests {
    use jackfield_protocol::{
        id::{AttemptId, TestIndex},
        link::{HeldState, Host},
    };

    use super::*;

    fn hello(life: &str) -> Hello {
        let held = |run| {
            let attempt = AttemptId { run: RunId(run), test: TestIndex(0), attempt: 1 };
            Held { attempt, state: HeldState::Running }
        };
        Hello {
            version_min: 1,
            version_max: 1,
            ep: "EP-1".into(),
            instance: "i".to_owned(),
            life: life.to_owned(),
            token: "".into(),
            software: String::new(),
            host: Host::default(),
            labels: [].into(),
            capabilities: Vec::new(),
            lanes: 1,
            pool: None,
            held: vec![held(4), held(5)],
            runs: vec![RunId(4), RunId(5)],
            scripts: Vec::new(),
            notices: Vec::new(),
            records_lost: false,
        }
    }

    #[test]
    fn what_another_engine_gave_out_is_not_ours() {
        let lives = Lives::from([("old".to_owned(), Some(RunId(4))), ("new".to_owned(), None)]);
        let of = |life: &str| ours(&lives, &hello(life));
        assert_eq!(of("new").runs, [RunId(4), RunId(5)]);
        assert_eq!(of("").runs, [RunId(4), RunId(5)], "an EP of an older build");
        // Run 5 was given out after the backup that this store is from: ours of that number is another one.
        let old = of("old");
        assert_eq!((old.runs, old.held.len(), old.foreign), (vec![RunId(4)], 1, false));
        assert_eq!(of("elsewhere"), Possession { foreign: true, ..Possession::default() });
    }
}
