//! What running tests ask of the engine: resources, SUTs and global parameters. Questions to people go another way.

use std::collections::BTreeMap;

use actix_web::web;
use jackfield_config::problem;
use jackfield_protocol::{
    error::{ErrorCode, Problem},
    id::{AttemptId, RunId, UserName},
    link::{ANSWER_BYTES_MAX, Call, CallResult},
};
use serde_json::{Value, json};

use crate::{
    app::App,
    auth::{self, Role},
    console::standing::Standing,
    lab::held,
};

/// What a call changes, its user must be allowed to change by hand as well. What it reads, a test needs for its work.
fn needs(call: &Call) -> Option<Role> {
    match call {
        Call::SetResource { .. } | Call::RenameResource { .. } | Call::DeleteResource { .. } => {
            Some(Role::ChangeTestbed)
        }
        Call::SetGlobal { .. } => Some(Role::ChangeGlobals),
        Call::GetResource { .. } | Call::GetSut { .. } | Call::GetBinding { .. } | Call::GetGlobal { .. } => {
            None
        }
    }
}

/// Answers the calls of one connection.
pub(crate) struct Calls {
    app: web::Data<App>,
    /// Whose runs the EP works for, so that each is looked up once.
    users: BTreeMap<RunId, UserName>,
}

impl Calls {
    pub(crate) fn new(app: web::Data<App>) -> Self {
        Self { app, users: BTreeMap::new() }
    }

    /// Does what a test asks, in the name of the user who runs it.
    pub(crate) async fn answer(&mut self, attempt: AttemptId, call: Call) -> CallResult {
        let done = match self.user(attempt.run).await {
            Ok(user) => self.act(&user, call).await,
            Err(problem) => Err(problem),
        };
        let done = done.and_then(|value| {
            let bytes = value.to_string().len();
            if bytes > ANSWER_BYTES_MAX {
                let most = ANSWER_BYTES_MAX >> 20;
                let title =
                    format!("the answer has {bytes} bytes, and {most} MB are the most; ask for a part of it");
                return Err(Problem::new(ErrorCode::TooLarge, title));
            }
            Ok(value)
        });
        match done {
            Ok(value) => CallResult::Ok(value),
            Err(problem) => {
                if let Some(cause) = &problem.cause {
                    tracing::error!(attempt.id = %attempt, "what a test asks could not be answered: {cause}");
                }
                CallResult::Error(problem)
            }
        }
    }

    async fn user(&mut self, run: RunId) -> Result<UserName, Problem> {
        if let Some(user) = self.users.get(&run) {
            return Ok(user.clone());
        }
        let view = self.app.engine.ask(move |scheduler| scheduler.run_view(run)).await?.ok_or_else(|| {
            Problem::new(
                ErrorCode::WrongState,
                format!("run {run} has ended; its tests can ask nothing more"),
            )
        })?;
        self.users.insert(run, view.user.clone());
        Ok(view.user)
    }

    async fn act(&self, user: &UserName, call: Call) -> Result<Value, Problem> {
        if let Some(role) = needs(&call) {
            auth::check_user(&self.app.store, user, role).await?;
        }
        let App { resources, globals, .. } = &**self.app;
        match call {
            Call::GetResource { query, open } => self.resource(user, query, open).await,
            Call::SetResource { name, parent, properties } => {
                resources.set(user, parent, name, properties).await
            }
            Call::RenameResource { query, name } => resources.rename(user, query, name).await,
            Call::DeleteResource { query } => {
                held::refuse(&self.app, user, &query).await?;
                resources.delete(user, query).await
            }
            Call::GetSut { query, follow_links } => resources.get_sut(user, query, follow_links).await,
            Call::GetBinding { config, component } => self.binding(user, &config, &component).await,
            Call::GetGlobal { path } => globals.get(user, &path).await,
            Call::SetGlobal { path, value } => globals.set(user, &path, value).await,
        }
    }

    /// A node or a property; refused where a test is about to connect to what a person has.
    async fn resource(&self, user: &UserName, query: String, open: bool) -> Result<Value, Problem> {
        let node = self.app.resources.get(query).await?;
        if open && let Some(id) = node.get("id").and_then(Value::as_str) {
            let standing = Standing::on(&self.app, id.to_owned()).await?;
            if let Some(told) = standing.keeps_out(user) {
                return Err(Problem::new(
                    ErrorCode::Held,
                    format!("{told}; the test waited for them in vain"),
                ));
            }
        }
        Ok(node)
    }

    /// The SUT component that a component of a test configuration is bound to, as `{"id": …, "path": …}`, or null.
    async fn binding(&self, user: &UserName, config: &str, component: &str) -> Result<Value, Problem> {
        let Some(read) = self.app.lab.as_user(user).bindings() else { return Ok(Value::Null) };
        if problem::has_errors(&read.problems) {
            let mut bad = Problem::new(ErrorCode::BadFile, "bindings.xml has errors");
            bad.problems = read.problems;
            return Err(bad);
        }
        let bound = read.value.and_then(|bindings| bindings.get(config, component).map(ToString::to_string));
        let Some(sut) = bound else { return Ok(Value::Null) };
        let node = self.app.resources.get_sut(user, sut, false).await?;
        Ok(json!({"id": node.get("id"), "path": node.get("path")}))
    }
}
