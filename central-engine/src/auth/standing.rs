//! Whether whoever asked may still be told: an answer that goes on for hours ends with the log-in or token that it was asked with.

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use actix_web::{
    body::{BodySize, BoxBody, MessageBody},
    http::header::{self, HeaderMap},
    web::Bytes,
};
use jackfield_protocol::secret::Secret;

use super::{Caller, caller};
use crate::{clock, store::Store};

/// What a caller proved who they are with.
#[derive(Clone, Debug)]
pub(super) enum Proof {
    /// A token.
    Token(Secret),
    /// The secret of a browser session.
    Session(Secret),
}

/// Whether an answer goes on until one of both sides ends it.
pub(super) fn goes_on(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    kind.is_some_and(|kind| kind.starts_with("text/event-stream"))
}

/// Ends when the caller is not who they were any more: logged out, left alone for too long, a token revoked, a role taken away. Looking is no
/// use of a session, so a page that is only open does not keep its person logged in.
pub(super) async fn is_over(store: Store, proof: Proof, before: Caller, pause: Duration) {
    loop {
        tokio::time::sleep(pause).await;
        let now = clock::now();
        let still = match &proof {
            Proof::Token(token) => caller::of_token(&store, token.expose_for_hash(), now).await,
            Proof::Session(secret) => caller::of_session_unused(&store, secret.expose_for_hash(), now).await,
        };
        match still {
            Ok(Some(still)) if still == before => {}
            // A store that does not answer tells nothing of who may do what.
            Err(error) => tracing::debug!("who reads a live page cannot be looked up: {}", error.chain()),
            Ok(_) => return,
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

    use jackfield_protocol::time::Time;

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
        let over =
            |before: Caller| is_over(store.clone(), Proof::Session("word".into()), before, Duration::ZERO);
        open(None, &[Role::ViewReports]).await;
        let soon = Duration::from_millis(50);
        assert!(tokio::time::timeout(soon, over(caller(&may))).await.is_err(), "it is as it was");
        over(caller(&roles(&[Role::ViewReports, Role::RunTests]))).await;
        let mut conn = store.write().await.unwrap();
        store::session::close(&mut conn, &token_hash("word")).await.unwrap();
        conn.commit().await.unwrap();
        over(caller(&may)).await;
        open(Some(0), &[Role::ViewReports]).await;
        over(caller(&may)).await;
    }
}
