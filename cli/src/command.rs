//! One file per noun.

pub(crate) mod after;
pub(crate) mod artifacts;
pub(crate) mod audit;
pub(crate) mod completions;
pub(crate) mod console;
pub(crate) mod demo;
pub(crate) mod doctor;
pub(crate) mod engine;
pub(crate) mod ep;
pub(crate) mod eps;
pub(crate) mod follow;
pub(crate) mod group;
pub(crate) mod login;
pub(crate) mod logs;
pub(crate) mod project;
pub(crate) mod question;
pub(crate) mod reports;
pub(crate) mod resource;
pub(crate) mod run;
pub(crate) mod runs;
pub(crate) mod sdk;
pub(crate) mod session;
pub(crate) mod simulate;
pub(crate) mod sut;
pub(crate) mod token;
pub(crate) mod user;
