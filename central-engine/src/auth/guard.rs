//! Permission as an argument: a handler that takes `Guard<MayRun>` is only called for someone who may run tests.

use std::{
    future::{Ready, ready},
    marker::PhantomData,
    pin::Pin,
};

use actix_web::{
    Error, FromRequest, HttpMessage as _, HttpRequest,
    body::{BodySize, BoxBody, MessageBody},
    dev::{Payload, ServiceRequest, ServiceResponse},
    http::{Method, StatusCode, header},
    middleware::Next,
    web,
};
use jackfield_protocol::{
    error::{ErrorCode, Problem},
    id::RunId,
};

use super::{
    Caller, Credential, Role, Scope, caller,
    secret::token_hash,
    standing::{Hold, Key, Proof, Until},
};
use crate::{app::App, clock, failure::Failure, store};

/// What is below it is the interface.
const API: &str = "/api/v1";
/// The addresses of what decides who may do what.
const ABOUT_RIGHTS: [&str; 6] = ["/users", "/groups", "/tokens", "/sessions", "/logout", "/me/"];
/// The name of the session cookie.
pub const COOKIE: &str = "jackfield";

/// What a handler needs its caller to be allowed.
pub trait Permission: 'static {
    /// The role; none means that any account will do.
    const ROLE: Option<Role>;
    /// Other roles that will do as well.
    const ALSO: &'static [Role] = &[];
    /// Whether an EP's token will do as well.
    const EP: bool = false;
    /// Tokens that will do, where they lend the role.
    const SCOPES: &'static [Scope] = &Scope::ALL;
}

macro_rules! permissions {
    ($($(#[$doc:meta])* $name:ident: $role:expr, ep $ep:literal;)*) => {
        $(
            $(#[$doc])*
            #[derive(Clone, Copy, Debug)]
            pub struct $name;

            impl Permission for $name {
                const ROLE: Option<Role> = $role;
                const EP: bool = $ep;
            }
        )*
    };
}

permissions! {
    /// Has an account.
    Anyone: None, ep false;
    /// May see runs, logs, EPs, resources.
    MayRead: Some(Role::ViewReports), ep false;
    /// May start runs and control their own.
    MayRun: Some(Role::RunTests), ep false;
    /// May edit the resource tree.
    MayEditBench: Some(Role::ChangeTestbed), ep false;
    /// May change projects of the lab folder.
    MayChangeProjects: Some(Role::ChangeProject), ep false;
    /// May edit the lab's test files.
    MayEditTests: Some(Role::EditTc), ep false;
    /// May delete projects of the lab folder.
    MayDeleteProjects: Some(Role::DeleteProject), ep false;
    /// May edit the global parameters of the lab's files, and forget what tests have set.
    MayChangeGlobals: Some(Role::ChangeGlobals), ep false;
    /// May edit SUTs.
    MayEditSut: Some(Role::ChangeSut), ep false;
    /// May drain EPs and read the audit log.
    MayOperate: Some(Role::ChangeServices), ep false;
    /// May edit accounts.
    MayChangeUsers: Some(Role::ChangeUsers), ep false;
    /// May store files by their hash.
    MayStoreFiles: Some(Role::RunTests), ep true;
}

/// May use the devices of the lab: who may start a test on one may as well switch it.
#[derive(Clone, Copy, Debug)]
pub struct MayUseDevices;

impl Permission for MayUseDevices {
    const ROLE: Option<Role> = Some(Role::RunTests);
    const ALSO: &'static [Role] = &[Role::ChangeTestbed];
}

/// May edit files of the lab's settings: each of these roles opens some of them.
#[derive(Clone, Copy, Debug)]
pub struct MayEditSettings;

impl Permission for MayEditSettings {
    const ROLE: Option<Role> = Some(Role::ChangeFwmCfg);
    const ALSO: &'static [Role] = &[Role::ChangeDbCfg, Role::ChangeEmlCfg];
}

/// May see which files of settings there are, and what is wrong with them.
#[derive(Clone, Copy, Debug)]
pub struct MaySeeSettings;

impl Permission for MaySeeSettings {
    const ROLE: Option<Role> = Some(Role::ChangeServices);
    const ALSO: &'static [Role] = &[Role::ChangeFwmCfg, Role::ChangeDbCfg, Role::ChangeEmlCfg];
}

/// May keep views of reports: who reads them, but by no token that is for reading alone.
#[derive(Clone, Copy, Debug)]
pub struct MayKeepViews;

impl Permission for MayKeepViews {
    const ROLE: Option<Role> = Some(Role::ViewReports);
    const SCOPES: &'static [Scope] = &[Scope::Run, Scope::Admin];
}

/// May give away links to reports, which outlive what one came with.
#[derive(Clone, Copy, Debug)]
pub struct MayShare;

impl Permission for MayShare {
    const ROLE: Option<Role> = Some(Role::ViewReports);
    const SCOPES: &'static [Scope] = &[Scope::Admin];
}

/// May give away addresses of calendars, which outlive what one came with: who may look at leases.
#[derive(Clone, Copy, Debug)]
pub struct MayShareCalendar;

impl Permission for MayShareCalendar {
    const ROLE: Option<Role> = MayReadLeases::ROLE;
    const ALSO: &'static [Role] = MayReadLeases::ALSO;
    const SCOPES: &'static [Scope] = &[Scope::Admin];
}

/// May take leases: of resources with the one role, of SUTs with the other. With the third, may do with those of others as with their own.
#[derive(Clone, Copy, Debug)]
pub struct MayLock;

impl Permission for MayLock {
    const ROLE: Option<Role> = Some(Role::LockTestbed);
    const ALSO: &'static [Role] = &[Role::LockSut, Role::ChangeTestbed];
}

/// May fetch files by their hash: who may start tests has the hashes of their own runs, and nobody can guess one.
#[derive(Clone, Copy, Debug)]
pub struct MayFetchFiles;

impl Permission for MayFetchFiles {
    const ROLE: Option<Role> = Some(Role::ViewReports);
    const ALSO: &'static [Role] = &[Role::RunTests];
    const EP: bool = true;
}

/// May look at leases: who takes or edits what is leased must see whose it is.
#[derive(Clone, Copy, Debug)]
pub struct MayReadLeases;

impl Permission for MayReadLeases {
    const ROLE: Option<Role> = Some(Role::ViewReports);
    const ALSO: &'static [Role] = &[Role::LockTestbed, Role::LockSut, Role::ChangeTestbed];
}

/// May see runs: everybody's with the one role, their own with the other.
#[derive(Clone, Copy, Debug)]
pub struct MayWatch;

impl Permission for MayWatch {
    const ROLE: Option<Role> = Some(Role::ViewReports);
    const ALSO: &'static [Role] = &[Role::RunTests];
}

/// May look at the resources of the lab: who edits them, or SUTs that are made of them, must see what is there.
#[derive(Clone, Copy, Debug)]
pub struct MayReadBench;

impl Permission for MayReadBench {
    const ROLE: Option<Role> = Some(Role::ViewReports);
    const ALSO: &'static [Role] = &[Role::ChangeTestbed, Role::ChangeSut];
}

/// May look at SUTs: who edits them must see what is there.
#[derive(Clone, Copy, Debug)]
pub struct MayReadSuts;

impl Permission for MayReadSuts {
    const ROLE: Option<Role> = Some(Role::ViewReports);
    const ALSO: &'static [Role] = &[Role::ChangeSut];
}

/// May put projects into the lab folder: new ones with either role, over one that is there with the first.
#[derive(Clone, Copy, Debug)]
pub struct MayPutProjects;

impl Permission for MayPutProjects {
    const ROLE: Option<Role> = Some(Role::ChangeProject);
    const ALSO: &'static [Role] = &[Role::CreateProject];
}

/// May look at global parameters: who edits them, and whose tests read them.
#[derive(Clone, Copy, Debug)]
pub struct MayReadGlobals;

impl Permission for MayReadGlobals {
    const ROLE: Option<Role> = Some(Role::ChangeGlobals);
    const ALSO: &'static [Role] = &[Role::RunTests];
}

/// May look at projects and check them: who starts or changes them must know what is wrong with them.
#[derive(Clone, Copy, Debug)]
pub struct MayReadProjects;

impl Permission for MayReadProjects {
    const ROLE: Option<Role> = Some(Role::ViewReports);
    const ALSO: &'static [Role] =
        &[Role::RunTests, Role::ChangeProject, Role::CreateProject, Role::DeleteProject, Role::EditTc];
}

/// Proof that the caller may see the run that the address names: who may start tests sees what came of theirs.
#[derive(Clone, Copy, Debug)]
pub struct SeesRun(());

impl FromRequest for SeesRun {
    type Error = Failure;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Failure>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let guard = Guard::<MayWatch>::from_request(request, payload);
        let app = request.app_data::<web::Data<App>>().cloned();
        let named = request.match_info();
        let named = named.get("run").or_else(|| named.get("attempt")?.split('.').next());
        let run = named.and_then(|run| run.parse().ok()).map(RunId);
        Box::pin(async move {
            let caller = guard.await?.caller;
            if caller.may(Role::ViewReports) {
                return Ok(Self(()));
            }
            let (Some(app), Some(run)) = (app, run) else {
                return Err(Failure::new(ErrorCode::NotFound, "this address names no run"));
            };
            Self::of(&app, &caller, run).await
        })
    }
}

impl SeesRun {
    /// Whether this caller may see this run.
    ///
    /// # Errors
    /// They may not, or the store does not answer.
    pub(crate) async fn of(app: &App, caller: &Caller, run: RunId) -> Result<Self, Failure> {
        check::<MayWatch>(caller)?;
        if caller.may(Role::ViewReports) {
            return Ok(Self(()));
        }
        let summary = store::run::summary(&mut app.store.read().await?, run).await?;
        match summary {
            Some(summary) if summary.user == caller.user => Ok(Self(())),
            // What one may not see is not there.
            Some(_) | None => {
                Err(Failure::not_found(format!("run {run} of yours; others' need the role VIEW_REPORTS")))
            }
        }
    }
}

/// Proof that the caller may do what `P` says.
#[derive(Debug)]
pub struct Guard<P> {
    /// Who.
    pub caller: Caller,
    permission: PhantomData<P>,
}

impl<P: Permission> FromRequest for Guard<P> {
    type Error = Failure;
    type Future = Ready<Result<Self, Failure>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let known = request.extensions().get::<Known>().map(|Known(known)| known.clone());
        let known = known.unwrap_or_else(|| {
            Err(Problem::new(ErrorCode::Internal, "this address does not ask who is there"))
        });
        ready(
            known
                .and_then(|caller| {
                    check::<P>(&caller)?;
                    Ok(Self { caller, permission: PhantomData })
                })
                .map_err(Failure::from),
        )
    }
}

impl FromRequest for Hold {
    type Error = Failure;
    type Future = Ready<Result<Self, Failure>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let hold = request.extensions().get::<Self>().cloned();
        ready(hold.ok_or_else(|| Failure::new(ErrorCode::Unauthenticated, "log in, or send a valid token")))
    }
}

/// Who sent a request, or why that is not known.
struct Known(Result<Caller, Problem>);

/// Finds out who is asking, before anything of the request's body is read: a stranger's upload costs nothing.
///
/// # Errors
/// Those of the handler; who may not call it is refused by its [`Guard`].
pub(crate) async fn identify(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let app = request.app_data::<web::Data<App>>().cloned();
    let changes = app.as_ref().map(|app| Hold::changes(&app.rights));
    let known = authenticate(request.request()).await;
    let who = known.clone().ok().zip(proof(request.request()));
    request.extensions_mut().insert(Known(known));
    let hold = app
        .as_ref()
        .zip(changes)
        .zip(who)
        .map(|((app, changes), (caller, proof))| Hold::new(app.store.clone(), proof, caller, changes));
    if let Some(hold) = hold.clone() {
        request.extensions_mut().insert(hold);
    }
    let may_change_rights = changes_rights(request.request());
    let response = next.call(request).await;
    // One that failed may have failed behind what it stored.
    if let Some(app) = app.filter(|_| may_change_rights) {
        app.rights.changed();
    }
    let response = response?.map_into_boxed_body();
    // Whatever is made while it is sent may take hours; a WebSocket has its own end.
    let goes_on = response.response().body().size() == BodySize::Stream
        && response.status() != StatusCode::SWITCHING_PROTOCOLS;
    let Some(hold) = hold.filter(|_| goes_on) else { return Ok(response) };
    Ok(response.map_body(|_, body| BoxBody::new(Until::new(body, hold.until_changed()))))
}

/// Whether a request is about who may do what. Of all of them, so that none is forgotten.
fn changes_rights(request: &HttpRequest) -> bool {
    let path = request.path();
    let path = path.strip_prefix(API).unwrap_or(path);
    !request.method().is_safe() && ABOUT_RIGHTS.iter().any(|about| path.starts_with(about))
}

/// What a request proves who sends it with.
fn proof(request: &HttpRequest) -> Option<Proof> {
    let token = bearer(request).map(|token| Proof::Token(token.into()));
    token.or_else(|| Some(Proof::Session(request.cookie(COOKIE)?.value().into())))
}

/// Whether somebody may do what a permission is for.
pub(crate) fn allows<P: Permission>(caller: &Caller) -> bool {
    check::<P>(caller).is_ok()
}

fn check<P: Permission>(caller: &Caller) -> Result<(), Problem> {
    let allowed = match P::ROLE {
        _ if caller.is_ep() => P::EP,
        None => true,
        Some(role) => caller.may(role) || P::ALSO.iter().any(|also| caller.may(*also)),
    };
    if allowed {
        return check_scope::<P>(caller);
    }
    let needs: Vec<&str> = P::ROLE.iter().chain(P::ALSO).map(|role| role.as_str()).collect();
    let needs = if needs.is_empty() { "a log-in".to_owned() } else { needs.join(" or ") };
    let title = match caller.credential {
        Credential::Token(Scope::Ep) => {
            "the token of an EP is for connecting it and exchanging files, and for nothing else".to_owned()
        }
        Credential::Token(scope) if P::ROLE.is_some_and(|role| !scope.lends(role)) => {
            format!(
                "a `{}` token is not enough for this; it needs the role {needs}, which a token with a wider scope \
                 lends: `jackfield token create NAME --scope …`",
                scope.as_str()
            )
        }
        Credential::Session | Credential::Token(_) => {
            format!("{} may not do this; it needs the role {needs}", caller.user)
        }
    };
    Err(Problem::new(ErrorCode::Forbidden, title))
}

fn check_scope<P: Permission>(caller: &Caller) -> Result<(), Problem> {
    match caller.credential {
        Credential::Token(scope) if !caller.is_ep() && !P::SCOPES.contains(&scope) => {
            let enough: Vec<String> = P::SCOPES.iter().map(|scope| format!("`{}`", scope.as_str())).collect();
            let title = format!(
                "a `{}` token is not enough for this; log in, or take a token of the scope {}",
                scope.as_str(),
                enough.join(" or ")
            );
            Err(Problem::new(ErrorCode::Forbidden, title))
        }
        Credential::Session | Credential::Token(_) => Ok(()),
    }
}

async fn authenticate(request: &HttpRequest) -> Result<Caller, Problem> {
    let app = request.app_data::<web::Data<App>>();
    let app = app.ok_or_else(|| Problem::new(ErrorCode::Internal, "the engine's state is not attached"))?;
    let now = clock::now();
    let caller = if let Some(token) = bearer(request) {
        let key = Key::Token(caller::hash_of_token(token));
        app.rights.recognise(key, now, caller::recognise_token(&app.store, token, now)).await?
    } else if let Some(cookie) = request.cookie(COOKIE) {
        same_origin(request)?;
        let key = Key::Session(token_hash(cookie.value()));
        app.rights.recognise(key, now, caller::recognise_session(&app.store, cookie.value(), now)).await?
    } else {
        None
    };
    caller.ok_or_else(|| {
        let title = "log in, or send a valid token as `Authorization: Bearer …`";
        Problem::new(ErrorCode::Unauthenticated, title)
    })
}

fn bearer(request: &HttpRequest) -> Option<&str> {
    let value = request.headers().get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// A browser sends our cookie whatever page asks it to: a change must come from a page of ours.
///
/// `SameSite=Lax` keeps most others out; this keeps out the rest: other ports of this host, and forms, which cannot send
/// JSON.
fn same_origin(request: &HttpRequest) -> Result<(), Problem> {
    // A WebSocket begins as GET, and changes things; no browser keeps other sites from opening one.
    let upgrade = request.headers().contains_key(header::UPGRADE);
    if matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS) && !upgrade {
        return Ok(());
    }
    let text = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok());
    let refuse = |why: &str| Err(Problem::new(ErrorCode::Forbidden, format!("refused: {why}")));
    if text("sec-fetch-site").is_some_and(|site| !matches!(site, "same-origin" | "none")) {
        return refuse("the request comes from a page of another site");
    }
    if let Some(origin) = text("origin") {
        let host = origin.split_once("://").map(|(_, host)| host);
        if host.is_none() || host != text("host") {
            return refuse("the request comes from a page of another address");
        }
    }
    let json = text("content-type").is_some_and(|kind| kind.starts_with("application/json"));
    if *request.method() == Method::POST && !json {
        return refuse("with a browser session, POST needs `Content-Type: application/json`");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;
    use crate::auth::{Roles, Scope};

    #[test]
    fn other_sites_cannot_use_our_cookie() {
        let check = |headers: &[(&'static str, &'static str)]| {
            let request =
                headers.iter().fold(TestRequest::post(), |request, header| request.insert_header(*header));
            same_origin(&request.to_http_request()).is_ok()
        };
        let (json, host) = (("content-type", "application/json"), ("host", "lab:8000"));
        assert!(check(&[json, host]));
        assert!(check(&[json, host, ("origin", "http://lab:8000"), ("sec-fetch-site", "same-origin")]));
        assert!(!check(&[json, host, ("origin", "http://lab:9000")]), "another port");
        assert!(!check(&[json, host, ("origin", "null")]));
        assert!(!check(&[json, host, ("sec-fetch-site", "same-site")]));
        let socket = |origin: &'static str| {
            let headers = [host, ("upgrade", "websocket"), ("origin", origin)];
            let get = headers.iter().fold(TestRequest::get(), |get, header| get.insert_header(*header));
            same_origin(&get.to_http_request()).is_ok()
        };
        assert!(socket("http://lab:8000"));
        assert!(!socket("http://evil.example"), "a page of another site opens a console");
        assert!(!check(&[("content-type", "text/plain"), host]), "what a form can send");
        assert!(!check(&[host]));
    }

    #[test]
    fn an_ep_gets_files_and_nothing_else() {
        let caller = |credential, roles| Caller { user: "ana".into(), roles, credential };
        let ep = caller(Credential::Token(Scope::Ep), Roles::new());
        assert!(check::<MayFetchFiles>(&ep).is_ok());
        assert!(check::<MayStoreFiles>(&ep).is_ok());
        assert!(check::<MayRead>(&ep).is_err());
        assert!(check::<Anyone>(&ep).is_err());
        let viewer = caller(Credential::Session, [Role::ViewReports].into());
        assert!(check::<MayFetchFiles>(&viewer).is_ok());
        assert!(check::<Anyone>(&viewer).is_ok());
        let refused = check::<MayRun>(&viewer).unwrap_err();
        assert_eq!(refused.title, "ana may not do this; it needs the role RUN_TESTS");
    }
}
