//! Who is asking, and what they may do.
//!
//! People log in and get a browser session (a cookie); scripts and EPs carry a token. Both are random, kept only as
//! hashes, and end. What a caller may do is a set of [`Role`]s: those of the groups of the account, narrowed by the
//! token's scope. A handler says what it needs in its signature, with a [`Guard`].

mod caller;
mod first;
mod guard;
mod password;
mod proxies;
mod recover;
mod role;
mod secret;
mod standing;
mod throttle;
mod users_file;

pub use self::{
    caller::{Caller, Credential, Pass, check_ep, join, of_session, of_token},
    first::{first_start, make_token},
    guard::{
        Anyone, COOKIE, Guard, MayChangeGlobals, MayChangeProjects, MayChangeUsers, MayDeleteProjects,
        MayEditBench, MayEditSettings, MayEditSut, MayEditTests, MayFetchFiles, MayKeepViews, MayLock,
        MayOperate, MayPutProjects, MayRead, MayReadBench, MayReadGlobals, MayReadLeases, MayReadProjects,
        MayReadSuts, MayRun, MaySeeSettings, MayShare, MayShareCalendar, MayStoreFiles, MayUseDevices,
        MayWatch, Permission, SeesRun,
    },
    password::{PasswordError, check_new, hash, matches},
    recover::recover,
    role::{Role, Roles, Scope},
    secret::{random_token, token_hash},
    standing::{Hold, Rights},
    throttle::Throttle,
};
pub(crate) use self::{
    caller::{check_user, somebody_administers},
    guard::{allows, identify},
    proxies::Proxies,
    users_file::{edits as users_file_edits, take_over as take_users_file},
};
