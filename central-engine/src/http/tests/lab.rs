//! An engine in a temporary folder, and a client of it.

use std::net::SocketAddr;

use actix_web::{
    App as ActixApp,
    http::{Method, StatusCode},
    test, web,
};
use jackfield_protocol::error::{ErrorCode, Problem};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::{
    app::App,
    auth::{self, Scope},
    clock, http,
    store::{self, account::Account},
};

/// A running engine without a socket.
pub(super) struct Lab {
    pub(super) app: web::Data<App>,
    pub(super) password: String,
    pub(super) folder: tempfile::TempDir,
}

/// An answer.
#[derive(Debug)]
pub(super) struct Got {
    pub(super) status: StatusCode,
    pub(super) headers: actix_web::http::header::HeaderMap,
    pub(super) body: Vec<u8>,
}

impl Lab {
    pub(super) async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (lab, settings) = crate::open_lab(folder.path(), None).unwrap();
        std::fs::create_dir_all(&settings.data.folder).unwrap();
        let address = SocketAddr::from(([127, 0, 0, 1], 8000));
        let (app, commands) = crate::assemble(lab, settings, address).await.unwrap();
        let password = auth::first_start(&app.store, clock::now()).await.unwrap().unwrap();
        let (failure, _) = tokio::sync::mpsc::channel(1);
        tokio::spawn(crate::keep_running(app.clone(), Default::default(), commands, failure));
        tokio::spawn(crate::feed::keep_looking(app.clone()));
        Self { app, password: password.expose_for_owner().to_owned(), folder }
    }

    /// A token of the administrator.
    pub(super) async fn token(&self, scope: Scope) -> String {
        let made =
            auth::make_token(&self.app.store, &"admin".into(), "test", scope, clock::now()).await.unwrap();
        made.expose_for_owner().to_owned()
    }

    /// A person with roles, and a token of theirs.
    pub(super) async fn person(&self, name: &str, roles: &[&str]) -> String {
        let account = Account {
            name: name.into(),
            password: String::new(),
            groups: Default::default(),
            roles: roles.iter().map(|role| (*role).to_owned()).collect(),
            disabled: false,
            idle_millis: None,
            created: clock::now(),
        };
        let mut conn = self.app.store.write().await.unwrap();
        store::account::put(&mut conn, &account).await.unwrap();
        conn.commit().await.unwrap();
        let made = auth::make_token(&self.app.store, &account.name, "t", Scope::Admin, clock::now()).await;
        made.unwrap().expose_for_owner().to_owned()
    }

    /// Sends a request.
    pub(super) async fn send(&self, request: test::TestRequest) -> Got {
        let service =
            test::init_service(ActixApp::new().app_data(self.app.clone()).configure(http::configure)).await;
        let response = test::call_service(&service, request.to_request()).await;
        let (status, headers) = (response.status(), response.headers().clone());
        let body = test::read_body(response).await.to_vec();
        Got { status, headers, body }
    }

    /// Sends a request and looks at the status alone: some answers never end.
    pub(super) async fn status(&self, request: test::TestRequest) -> u16 {
        let service =
            test::init_service(ActixApp::new().app_data(self.app.clone()).configure(http::configure)).await;
        test::call_service(&service, request.to_request()).await.status().as_u16()
    }

    /// Sends a request with a token, and a body where there is one.
    pub(super) async fn with(&self, token: &str, method: Method, path: &str, body: Option<Value>) -> Got {
        let path = if path.starts_with("/api") { path.to_owned() } else { format!("/api/v1{path}") };
        let request = test::TestRequest::with_uri(&path)
            .method(method)
            .insert_header(("Authorization", format!("Bearer {token}")));
        self.send(match body {
            Some(body) => request.set_json(body),
            None => request,
        })
        .await
    }

    pub(super) async fn get(&self, token: &str, path: &str) -> Got {
        self.with(token, Method::GET, path, None).await
    }

    pub(super) async fn post(&self, token: &str, path: &str, body: Value) -> Got {
        self.with(token, Method::POST, path, Some(body)).await
    }
}

impl Got {
    pub(super) fn json<T: DeserializeOwned>(&self) -> T {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error}: {} {}", self.status, self.text()))
    }

    pub(super) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The code of a problem document, whose status must be that of the answer.
    pub(super) fn problem(&self) -> ErrorCode {
        assert_eq!(self.header("content-type"), "application/problem+json", "{}", self.text());
        let problem: Problem = self.json();
        assert_eq!(problem.status, self.status.as_u16());
        problem.code
    }

    pub(super) fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// Itself, if it has this status.
    #[track_caller]
    pub(super) fn expect(self, status: u16) -> Self {
        assert_eq!(self.status.as_u16(), status, "{}", self.text());
        self
    }
}
