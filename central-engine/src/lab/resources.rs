//! The resource tree and the SUTs while the engine runs: one task owns them, and answers an edit when it is stored.
//!
//! The task takes all edits that wait, applies them in order, and stores them in one transaction: a busy bench edits
//! in big batches. If the store refuses, every edit of the batch is undone and every asker is told.

mod change;
mod links;
mod load;
mod needs;
mod places;
mod signs;

use std::collections::BTreeMap;

use jackfield_protocol::{
    error::{ErrorCode, Problem},
    id::{SutName, UserName},
    time::Time,
};
use jackfield_resource_allocator::{Act, Answer, NodeRow, Replaced, ResourceError, ResourceId, Suts, Tree};
use serde_json::Value;
use tokio::sync::{mpsc, oneshot, watch};

pub use self::change::{Change, Done};
use self::{
    change::{Applied, Ids, Undo},
    links::{Edited, Linker},
    signs::Lookout,
};
pub(crate) use self::{links::Links, needs::Needs, signs::Signs};
use crate::{
    clock,
    engine::EngineHandle,
    feed::Feed,
    limits,
    store::{self, Store, StoreError, edit::EditRow, sut::SutRow},
};

/// What a lab's files say of its resources, for the first start.
#[derive(Clone, Debug, Default)]
pub struct FirstResources {
    /// `resources.json`.
    pub tree: Option<Value>,
    /// `sut/*.json` by name (`bench.user`).
    pub suts: BTreeMap<SutName, Value>,
}

/// Everything the task owns.
#[derive(Debug, Default)]
pub struct Bench {
    /// The test beds.
    pub tree: Tree,
    /// The SUTs.
    pub suts: Suts,
}

type Look = Box<dyn FnOnce(&Bench) + Send>;

enum Ask {
    Look(Look),
    /// From now on the loop has a word in what becomes of nodes.
    Loop(EngineHandle),
    Edit(Box<Edit>),
}

struct Edit {
    by: UserName,
    /// The version the editor saw (`If-Match`).
    expected: Option<u64>,
    change: Change,
    reply: oneshot::Sender<Result<Done, Problem>>,
}

/// How others reach the task. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Resources {
    asks: mpsc::Sender<Ask>,
    links: watch::Receiver<Links>,
    signs: watch::Receiver<Signs>,
    /// The version of the tree.
    version: watch::Receiver<u64>,
}

fn gone() -> Problem {
    Problem::new(ErrorCode::Unavailable, "the engine is going down; try again in a moment")
}

impl From<Refused> for Problem {
    fn from(Refused(error): Refused) -> Self {
        Self::new(error.code(), error.to_string())
    }
}

/// An error of the tree, on its way to a person.
struct Refused(ResourceError);

impl From<ResourceError> for Refused {
    fn from(error: ResourceError) -> Self {
        Self(error)
    }
}

impl Resources {
    /// Reads the tree from the store, or takes in the lab's files at the first start, and starts the task. It ends when
    /// the last handle is dropped.
    ///
    /// # Errors
    /// The store does not answer, or the rows or files make no tree.
    pub async fn start(store: Store, first: FirstResources, feed: Feed) -> Result<Self, Problem> {
        let bench = load::load(&store, first).await?;
        let (sender, receiver) = mpsc::channel(limits::RESOURCE_EDITS_WAITING_MAX);
        let (linker, links) = Linker::new(&bench);
        let (lookout, signs) = Lookout::new(&bench.tree);
        let (edited, version) = watch::channel(bench.tree.version());
        let task = Owner { store, bench, feed, linker, lookout, edited, engine: None };
        tokio::spawn(task.run(receiver));
        Ok(Self { asks: sender, links, signs, version })
    }

    /// From now on nothing is moved or deleted that somebody has, and the book of leases is told of what is.
    ///
    /// # Errors
    /// The engine is going down.
    pub async fn heed(&self, engine: EngineHandle) -> Result<(), Problem> {
        self.asks.send(Ask::Loop(engine)).await.ok().ok_or_else(gone)
    }

    /// What fits needs that are named to it, now and whenever the tree changes.
    pub(crate) fn needs(&self) -> Needs {
        Needs::start(self.clone())
    }

    /// What SUTs link to, now and whenever that changes.
    pub(crate) fn links(&self) -> watch::Receiver<Links> {
        self.links.clone()
    }

    /// What the tree says of the health of resources, now and whenever that changes.
    pub(crate) fn signs(&self) -> watch::Receiver<Signs> {
        self.signs.clone()
    }

    /// Looks at tree and SUTs between two edits.
    ///
    /// # Errors
    /// The engine is going down.
    pub async fn look<T: Send + 'static>(
        &self,
        look: impl FnOnce(&Bench) -> T + Send + 'static,
    ) -> Result<T, Problem> {
        let (reply, answer) = oneshot::channel();
        let look: Look = Box::new(move |bench| drop(reply.send(look(bench))));
        self.asks.send(Ask::Look(look)).await.ok().ok_or_else(gone)?;
        answer.await.ok().ok_or_else(gone)
    }

    /// Makes a change; answers when it is stored.
    ///
    /// # Errors
    /// The change cannot be made, the version is not the expected one, or the store refused.
    pub async fn edit(&self, by: &UserName, expected: Option<u64>, change: Change) -> Result<Done, Problem> {
        let (reply, answer) = oneshot::channel();
        let edit = Edit { by: by.clone(), expected, change, reply };
        self.asks.send(Ask::Edit(Box::new(edit))).await.ok().ok_or_else(gone)?;
        answer.await.ok().ok_or_else(gone)?
    }

    /// A node or a property, by id or path.
    ///
    /// # Errors
    /// There is none.
    pub async fn get(&self, query: String) -> Result<Value, Problem> {
        let found = self.look(move |bench| bench.tree.get(&query).map(Answer::into_value)).await?;
        Ok(found.map_err(Refused)?)
    }

    /// Creates a node or merges properties into one; answers `{id, created}`.
    ///
    /// # Errors
    /// See [`Self::edit`].
    pub async fn set(
        &self,
        by: &UserName,
        parent: String,
        name: String,
        properties: BTreeMap<String, Value>,
    ) -> Result<Value, Problem> {
        let done = self.edit(by, None, Change::Act(Act::Set { parent, name, properties })).await?;
        Ok(serde_json::json!({"id": done.id, "created": done.created}))
    }

    /// Renames a node or a property.
    ///
    /// # Errors
    /// See [`Self::edit`].
    pub async fn rename(&self, by: &UserName, query: String, name: String) -> Result<Value, Problem> {
        self.edit(by, None, Change::Act(Act::Rename { query, name })).await.map(|_| Value::Null)
    }

    /// Deletes a node or a property.
    ///
    /// # Errors
    /// See [`Self::edit`].
    pub async fn delete(&self, by: &UserName, query: String) -> Result<Value, Problem> {
        self.edit(by, None, Change::Act(Act::Delete { query })).await.map(|_| Value::Null)
    }

    /// A SUT or a component of it. A name without `.user` or `.system` is the user's own SUT, else the shared one.
    ///
    /// # Errors
    /// There is none.
    pub async fn get_sut(
        &self,
        user: &UserName,
        query: String,
        follow_links: bool,
    ) -> Result<Value, Problem> {
        let user = user.clone();
        let found = self.look(move |bench| {
            let Bench { tree, suts } = bench;
            let get = |query: &str| suts.get(query, follow_links, tree).map(Answer::into_value);
            get(&query).or_else(|error| {
                let own = with_owner(&query, user.as_str()).map(|query| get(&query));
                let shared = with_owner(&query, "system").map(|query| get(&query));
                own.and_then(Result::ok).or_else(|| shared.and_then(Result::ok)).ok_or(error)
            })
        });
        Ok(found.await?.map_err(Refused)?)
    }
}

/// `/bench/router` as `/bench.ana/router`; none where an owner is named already.
fn with_owner(query: &str, owner: &str) -> Option<String> {
    let path = query.trim_start_matches('/');
    let end = path.find(['/', ':']).unwrap_or(path.len());
    let (name, rest) = path.split_at_checked(end)?;
    (!name.contains('.')).then(|| format!("/{name}.{owner}{rest}"))
}

/// A change in memory, whose editor waits to hear that it is stored.
type Pending = (UserName, Applied, oneshot::Sender<Result<Done, Problem>>);

/// The task.
struct Owner {
    store: Store,
    bench: Bench,
    feed: Feed,
    linker: Linker,
    lookout: Lookout,
    edited: watch::Sender<u64>,
    engine: Option<EngineHandle>,
}

impl Owner {
    async fn run(mut self, mut asks: mpsc::Receiver<Ask>) {
        let mut waiting = Vec::new();
        while asks.recv_many(&mut waiting, limits::RESOURCE_EDITS_WAITING_MAX).await > 0 {
            let mut looks = Vec::new();
            let mut edits = Vec::new();
            for ask in waiting.drain(..) {
                match ask {
                    Ask::Look(look) => looks.push(look),
                    Ask::Loop(engine) => self.engine = Some(engine),
                    Ask::Edit(edit) => edits.push(*edit),
                }
            }
            if !edits.is_empty() {
                self.edit(edits).await;
            }
            // After the edits: nobody sees what is not stored.
            looks.into_iter().for_each(|look| look(&self.bench));
        }
    }

    async fn edit(&mut self, edits: Vec<Edit>) {
        let mut batch: Vec<Pending> = Vec::new();
        let mut replaced = Vec::new();
        for Edit { by, expected, change, reply } in edits {
            match self.apply(&by, expected, change).await {
                Ok((applied, places)) => {
                    replaced.push((by.clone(), places));
                    batch.push((by, applied, reply));
                }
                // Whoever asked may have stopped waiting.
                Err(problem) => drop(reply.send(Err(problem))),
            }
        }
        let stored = self.store_all(&batch).await.map_err(|error| {
            // Here and not where it is answered: one refusal of the store answers all edits of the batch.
            tracing::error!("edits of resources are not stored, and undone: {}", error.chain());
            Problem { cause: None, ..Problem::from(error) }
        });
        if stored.is_ok() {
            self.tell(&batch);
        }
        let mut undo = Vec::new();
        for (_, applied, reply) in batch {
            undo.push(applied.undo);
            drop(reply.send(stored.clone().map(|()| applied.done)));
        }
        if stored.is_err() {
            undo.into_iter().rev().for_each(|undo: Undo| change::undo(&mut self.bench, undo));
            for (by, places) in replaced.into_iter().rev() {
                self.tell_loop(places::back(places), &by).await.unwrap_or_else(|problem| {
                    tracing::error!(
                        "the loop was not told that nodes are where they were: {}",
                        problem.title
                    );
                });
            }
        }
    }

    /// Makes an edit in memory. Where nodes go or get another place, whoever has them is heard before.
    async fn apply(
        &mut self,
        by: &UserName,
        expected: Option<u64>,
        change: Change,
    ) -> Result<(Applied, Replaced), Problem> {
        let seed = getrandom::u64().map_err(|error| {
            Problem::new(ErrorCode::Internal, format!("no random number for an id: {error}"))
        })?;
        let applied = change::apply(&mut self.bench, expected, change, &mut Ids::from_seed(seed))?;
        let places = places::replaced(&mut self.bench.tree, &applied);
        if let Err(problem) = self.tell_loop(places.clone(), by).await {
            change::undo(&mut self.bench, applied.undo);
            return Err(problem);
        }
        Ok((applied, places))
    }

    async fn tell_loop(&self, places: Replaced, by: &UserName) -> Result<(), Problem> {
        match &self.engine {
            Some(engine) if !places.is_nothing() => places::tell(places, engine, by).await,
            Some(_) | None => Ok(()),
        }
    }

    /// Tells those who watch the lab that what they see is not what is.
    fn tell(&mut self, batch: &[Pending]) {
        let mut edited = Edited::default();
        for (_, applied, _) in batch {
            edited.nodes.extend(applied.nodes.iter().cloned());
            edited.suts.extend(applied.sut.clone());
            edited.renamed |= !applied.moved.is_empty();
        }
        self.linker.edited(&self.bench, &edited);
        self.lookout.edited(&self.bench.tree, &edited);
        if batch.iter().any(|(_, applied, _)| !applied.nodes.is_empty()) {
            self.feed.tree_edited(self.bench.tree.version());
            self.edited.send_replace(self.bench.tree.version());
        }
        if batch.iter().any(|(_, applied, _)| applied.sut.is_some()) {
            self.feed.suts_edited();
        }
    }

    async fn store_all(&self, batch: &[Pending]) -> Result<(), StoreError> {
        if batch.is_empty() {
            return Ok(());
        }
        let now = clock::now();
        let mut conn = self.store.write().await?;
        // A node that several edits touched is written once, as it is now; one that is gone by now is deleted.
        let mut nodes: BTreeMap<ResourceId, Option<NodeRow>> = BTreeMap::new();
        let mut suts = BTreeMap::new();
        let lines: Vec<_> = batch
            .iter()
            .filter(|(_, applied, _)| !matches!(applied.undo, Undo::Nothing))
            .map(|(by, applied, _)| {
                (by.as_str(), applied.action, applied.target.as_str(), applied.detail.as_str())
            })
            .collect();
        store::audit::add_all(&mut conn, now, &lines).await?;
        let edits = batch.iter().filter_map(|(by, applied, _)| edit_row(now, by, applied));
        store::edit::add(&mut conn, &edits.collect::<Vec<_>>()).await?;
        for (_, applied, _) in batch {
            if let Some(version) = applied.undid {
                store::edit::undone(&mut conn, version, applied.done.version).await?;
            }
        }
        for (_, applied, _) in batch {
            for id in &applied.nodes {
                nodes.insert(id.clone(), self.bench.tree.row(id).cloned());
            }
            suts.extend(applied.sut.clone().map(|name| (name.clone(), self.bench.suts.sut(&name))));
        }
        if !nodes.is_empty() {
            let gone: Vec<String> =
                nodes.iter().filter(|(_, row)| row.is_none()).map(|(id, _)| id.to_string()).collect();
            let put: Vec<NodeRow> = nodes.into_values().flatten().collect();
            store::resource::edit(&mut conn, self.bench.tree.version(), &put, &gone).await?;
        }
        for (name, sut) in suts {
            match sut {
                Some(sut) => {
                    let row = SutRow { name, version: sut.version(), body: sut.to_json() };
                    store::sut::put(&mut conn, &row).await?;
                }
                None => drop(store::sut::delete(&mut conn, &name).await?),
            }
        }
        conn.commit().await
    }
}

/// What the history of the tree says of an edit.
fn edit_row(now: Time, by: &UserName, applied: &Applied) -> Option<EditRow> {
    Some(EditRow {
        version: applied.done.version,
        at: now,
        who: by.to_string(),
        action: applied.action.to_owned(),
        undone: None,
        edit: applied.kept.clone()?,
    })
}

#[cfg(test)]
mod tests;
