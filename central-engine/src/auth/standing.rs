//! Whether whoever asked may still be told: what goes on for hours ends with the log-in or token that it was asked with.
//!
//! Who changes what anybody may do says so ([`Rights::changed`]), and all that goes on looks then; what ends by itself, a log-in that was left
//! alone, is looked for from time to time.

use std::{
    collections::BTreeMap,
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll},
    time::Duration,
};

use actix_web::{
    body::{BodySize, BoxBody, MessageBody},
    web::Bytes,
};
use jackfield_protocol::{secret::Secret, time::Time};
use tokio::sync::watch;

use super::{Caller, caller};
use crate::{clock, limits, store::Store};

/// Counts what changes in who may do what, and knows who was recognised since: whoever asks a thousand times a second is looked up in the store
/// once.
#[derive(Clone, Debug, Default)]
pub struct Rights(Arc<Standing>);

#[derive(Debug, Default)]
struct Standing {
    changes: watch::Sender<u64>,
    recognised: Mutex<BTreeMap<Key, Recognised>>,
}

/// What somebody was recognised by, without its secret.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Key {
    /// The hash of a token.
    Token(String),
    /// The hash of the secret of a browser session.
    Session(String),
}

/// Who it was, as long as the store would say the same.
#[derive(Clone, Debug)]
pub(super) struct Recognised {
    pub(super) caller: Caller,
    /// When the token or session ends by itself, or its use is to be written down.
    pub(super) until: Time,
}

impl Rights {
    /// Somebody may do more or less than before, or is not logged in any more; to be said when it is stored.
    pub(crate) fn changed(&self) {
        let mut recognised = self.recognised();
        self.0.changes.send_modify(|count| *count = count.wrapping_add(1));
        recognised.clear();
    }

    /// Who this is: from the store, where nobody was recognised by it a moment ago.
    ///
    /// # Errors
    /// Those of the look at the store.
    pub(super) async fn recognise<E>(
        &self,
        key: Key,
        now: Time,
        look: impl Future<Output = Result<Option<Recognised>, E>>,
    ) -> Result<Option<Caller>, E> {
        let known = self.recognised().get(&key).filter(|known| now < known.until).cloned();
        if let Some(Recognised { caller, .. }) = known {
            return Ok(Some(caller));
        }
        let before = *self.0.changes.borrow();
        let found = look.await?;
        let caller = found.as_ref().map(|found| found.caller.clone());
        let mut recognised = self.recognised();
        // What was looked at before a change says nothing of what is afterwards.
        if let Some(found) = found.filter(|_| *self.0.changes.borrow() == before) {
            if recognised.len() >= limits::CALLERS_KEPT_MAX {
                recognised.clear();
            }
            let look = u64::try_from(limits::LIVE_CALLER_LOOK.as_millis()).unwrap_or(u64::MAX);
            let until = found.until.min(now.plus_millis(look));
            recognised.insert(key, Recognised { until, ..found });
        }
        Ok(caller)
    }

    fn recognised(&self) -> MutexGuard<'_, BTreeMap<Key, Recognised>> {
        self.0.recognised.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a caller proved who they are with.
#[derive(Clone, Debug)]
pub(super) enum Proof {
    /// A token.
    Token(Secret),
    /// The secret of a browser session.
    Session(Secret),
}

/// What something hangs on that goes on: the log-in or token that it was asked with.
#[derive(Clone, Debug)]
pub struct Hold {
    store: Store,
    proof: Proof,
    before: Caller,
    changes: watch::Receiver<u64>,
    /// How often it is looked without a word.
    pause: Duration,
}

/// What ends it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ends {
    /// Any change of what the caller may do: they would be shown something else now.
    Changed,
    /// That they may do less.
    Less,
}

impl Hold {
    /// `changes` must be older than the look at what the caller may do: what is taken away between both would be missed.
    pub(super) fn new(store: Store, proof: Proof, before: Caller, changes: watch::Receiver<u64>) -> Self {
        Self { store, proof, before, changes, pause: limits::LIVE_CALLER_LOOK }
    }

    /// When anybody's rights change from here on.
    pub(super) fn changes(rights: &Rights) -> watch::Receiver<u64> {
        rights.0.changes.subscribe()
    }

    /// Ends when the caller is not who they were any more: logged out, left alone for too long, a token revoked, a role taken away or given.
    pub(super) async fn until_changed(self) {
        self.ends(Ends::Changed).await;
    }

    /// Ends when the caller may do less than before, or nothing.
    pub(crate) async fn until_less(self) {
        self.ends(Ends::Less).await;
    }

    /// Looking is no use of a session, so a page that is only open does not keep its person logged in.
    async fn ends(self, by: Ends) {
        let Self { store, proof, before, mut changes, pause } = self;
        loop {
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                // Where nobody can change any rights any more, the engine goes down.
                Ok(()) = changes.changed() => {}
            }
            let now = clock::now();
            let still = match &proof {
                Proof::Token(token) => caller::of_token(&store, token.expose_for_hash(), now).await,
                Proof::Session(secret) => {
                    caller::of_session_unused(&store, secret.expose_for_hash(), now).await
                }
            };
            match still {
                Ok(Some(still)) if still == before => {}
                Ok(Some(still)) if by == Ends::Less && still.roles.is_superset(&before.roles) => {}
                // A store that does not answer tells nothing of who may do what.
                Err(error) => tracing::debug!("who reads a live page cannot be looked up: {}", error.chain()),
                Ok(_) => return,
            }
        }
    }
}

/// An answer, until something else is over.
pub(super) struct Until<F> {
    body: BoxBody,
    over: Pin<Box<F>>,
}

impl<F: Future<Output = ()>> Until<F> {
    pub(super) fn new(body: BoxBody, over: F) -> Self {
        Self { body, over: Box::pin(over) }
    }
}

impl<F: Future<Output = ()> + 'static> MessageBody for Until<F> {
    type Error = Box<dyn std::error::Error>;

    fn size(&self) -> BodySize {
        self.body.size()
    }

    fn poll_next(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Self::Error>>> {
        if self.over.as_mut().poll(context).is_ready() {
            return Poll::Ready(None);
        }
        Pin::new(&mut self.body).poll_next(context)
    }
}

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};

    use super::*;
    use crate::{
        auth::{Credential, Role, Roles, secret::token_hash},
        store::{self, account::Account},
    };

    #[tokio::test]
    async fn an_answer_ends_with_what_it_hangs_on() {
        let body = || BoxBody::new("a word");
        let next = async |mut until: Pin<Box<dyn MessageBody<Error = Box<dyn std::error::Error>>>>| {
            std::future::poll_fn(|context| until.as_mut().poll_next(context))
                .await
                .map(|piece| piece.unwrap())
        };
        assert_eq!(next(Box::pin(Until::new(body(), pending()))).await.unwrap(), "a word");
        assert_eq!(next(Box::pin(Until::new(body(), ready(())))).await, None);
    }

    #[tokio::test]
    async fn who_was_recognised_is_not_looked_up_again_until_rights_change() {
        let rights = Rights::default();
        let looks = std::cell::Cell::new(0);
        let ask = async |kind: fn(String) -> Key, now, until| {
            let caller =
                Caller { user: "ana".into(), roles: Roles::default(), credential: Credential::Session };
            let look = async {
                looks.set(looks.get() + 1);
                Ok::<_, ()>(Some(Recognised { caller, until: Time(until) }))
            };
            rights.recognise(kind("hash".to_owned()), Time(now), look).await.unwrap().unwrap();
            looks.get()
        };
        assert_eq!(ask(Key::Token, 0, 1_000).await, 1);
        assert_eq!(ask(Key::Token, 999, 0).await, 1, "a moment ago");
        assert_eq!(ask(Key::Session, 999, 1_000).await, 2, "a token opens no session");
        assert_eq!(ask(Key::Token, 1_000, i64::MAX).await, 3, "its time was over");
        rights.changed();
        assert_eq!(ask(Key::Token, 1_001, i64::MAX).await, 4, "rights have changed");
        let look = i64::try_from(limits::LIVE_CALLER_LOOK.as_millis()).unwrap();
        assert_eq!(ask(Key::Token, 1_001 + look, 0).await, 5, "looked for from time to time");
        let told = rights.recognise(Key::Token("other".to_owned()), Time(0), async {
            rights.changed();
            let caller =
                Caller { user: "ana".into(), roles: Roles::default(), credential: Credential::Session };
            Ok::<_, ()>(Some(Recognised { caller, until: Time(1_000) }))
        });
        assert!(told.await.unwrap().is_some());
        assert!(rights.recognised().is_empty(), "what was looked at before a change is not kept");
    }

    #[tokio::test]
    async fn a_log_in_that_is_left_alone_or_ended_or_lost_a_role_is_over() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("store").display().to_string(), Time(0)).await.unwrap();
        let roles = |words: &[Role]| words.iter().copied().collect::<Roles>();
        let caller = |roles: &Roles| Caller {
            user: "ana".into(),
            roles: roles.clone(),
            credential: Credential::Session,
        };
        let open = async |idle_millis: Option<u64>, words: &[Role]| {
            let mut conn = store.write().await.unwrap();
            let now = clock::now();
            let account = Account {
                name: "ana".into(),
                password: String::new(),
                groups: Default::default(),
                roles: words.iter().map(|role| role.as_str().to_owned()).collect(),
                disabled: false,
                idle_millis,
                created: now,
            };
            store::account::put(&mut conn, &account).await.unwrap();
            store::session::open(
                &mut conn,
                &token_hash("word"),
                &"ana".into(),
                now,
                now.plus_millis(1_000_000),
            )
            .await
            .unwrap();
            conn.commit().await.unwrap();
        };
        let may = roles(&[Role::ViewReports]);
        let rights = Rights::default();
        let hold = |before: Caller| {
            let changes = Hold::changes(&rights);
            let proof = Proof::Session("word".into());
            Hold { pause: Duration::ZERO, ..Hold::new(store.clone(), proof, before, changes) }
        };
        let over = |before: Caller| hold(before).until_changed();
        open(None, &[Role::ViewReports]).await;
        let soon = Duration::from_millis(50);
        assert!(tokio::time::timeout(soon, over(caller(&may))).await.is_err(), "it is as it was");
        let more = roles(&[Role::ViewReports, Role::RunTests]);
        over(caller(&more)).await;
        hold(caller(&more)).until_less().await;
        let given = hold(caller(&roles(&[]))).until_less();
        assert!(tokio::time::timeout(soon, given).await.is_err(), "more is not less");
        // Who says that it changed is heard at once, also where that was before anybody waits.
        let patient = Hold { pause: Duration::from_secs(3_600), ..hold(caller(&more)) };
        rights.changed();
        patient.until_less().await;
        let mut conn = store.write().await.unwrap();
        store::session::close(&mut conn, &token_hash("word")).await.unwrap();
        conn.commit().await.unwrap();
        over(caller(&may)).await;
        open(Some(0), &[Role::ViewReports]).await;
        over(caller(&may)).await;
    }
}
