//! What fits the needs that somebody waits for, for the book of leases: looked at when there are new ones, and when the
//! tree has changed.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use jackfield_resource_allocator::{book::Choice, needs};
use tokio::sync::watch;

use super::Resources;

/// Between two looks at a tree that is edited all the time.
const REST: Duration = Duration::from_millis(100);

/// What fits needs, by their text.
pub(crate) type Choices = BTreeMap<Arc<str>, Arc<Choice>>;

/// One who follows what fits. Dropped, nobody looks any more.
#[derive(Debug)]
pub(crate) struct Needs {
    wanted: watch::Sender<BTreeSet<Arc<str>>>,
    choices: watch::Receiver<Choices>,
}

impl Needs {
    /// Where there is no tree.
    pub(crate) fn nowhere() -> Self {
        Self { wanted: watch::channel(BTreeSet::new()).0, choices: watch::channel(Choices::new()).1 }
    }

    pub(super) fn start(resources: Resources) -> Self {
        let (wanted, named) = watch::channel(BTreeSet::new());
        let (found, choices) = watch::channel(Choices::new());
        tokio::spawn(look_again(resources, named, found));
        Self { wanted, choices }
    }

    /// From now on these are followed.
    pub(crate) fn follow(&self, needs: BTreeSet<Arc<str>>) {
        self.wanted.send_if_modified(|wanted| {
            let is_new = *wanted != needs;
            *wanted = needs;
            is_new
        });
    }

    /// Ends when something else fits; never, where nobody says so any more.
    pub(crate) async fn changed(&mut self) {
        if self.choices.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
    }

    /// What fits now.
    pub(crate) fn take(&mut self) -> Choices {
        self.choices.borrow_and_update().clone()
    }
}

/// Looks whenever the needs or the tree change, until nobody follows or the engine goes down.
async fn look_again(
    resources: Resources,
    mut named: watch::Receiver<BTreeSet<Arc<str>>>,
    found: watch::Sender<Choices>,
) {
    let mut version = resources.version.clone();
    loop {
        version.mark_unchanged();
        let texts = named.borrow_and_update().clone();
        if !texts.is_empty() || !found.borrow().is_empty() {
            let look = resources.look(move |bench| {
                let fit = |text: Arc<str>| Some((Arc::clone(&text), Arc::new(fit(&text, &bench.tree)?)));
                texts.into_iter().filter_map(fit).collect::<Choices>()
            });
            let Ok(choices) = look.await else { return };
            found.send_if_modified(|known| {
                let is_new = *known != choices;
                *known = choices;
                is_new
            });
        }
        tokio::select! {
            changed = named.changed() => if changed.is_err() { return },
            changed = version.changed() => {
                if changed.is_err() {
                    return;
                }
                // An edit seldom comes alone; new needs are looked at without delay.
                tokio::select! {
                    () = tokio::time::sleep(REST) => {}
                    changed = named.changed() => if changed.is_err() { return },
                }
            }
        }
    }
}

/// What fits; none of a text that cannot be read, or where too much fits by now, which both were refused when it was asked.
fn fit(text: &str, tree: &jackfield_resource_allocator::Tree) -> Option<Choice> {
    let needs = needs::Needs::parse(text).ok()?;
    let choice = needs.fit(tree).ok()?;
    Some(Choice { text: text.into(), ..choice })
}
