//! The words that cross a boundary: between engine and EP, engine and browser, engine and store.
//!
//! Nothing here decides anything or touches the world. Each module is one idea:
//!
//! - [`id`] names things, [`time`] dates them, [`secret`] hides what nobody may read by accident;
//! - [`verdict`] says how an attempt ended, and who is to blame;
//! - [`plan`] is a run before it starts: everything expanded, nothing left to look up;
//! - [`guard`] is the rule that lets an EP decide the next test without asking, [`script`] the one for scripts around a run;
//! - [`link`] is the conversation of engine and EP, [`call`] what tests ask over it, [`log`] its binary side;
//! - [`console`] is a person's terminal on a device, through the engine;
//! - [`event`] is what people and files see of a run;
//! - [`resource`] is a node of the test-bed tree as it travels;
//! - [`lease`] is who holds what of the lab, [`calendar`] who has booked it for later, [`health`] what of it is not fit to be given, [`retention`] which old runs go;
//! - [`mailbox`] is a mail address that can stand in a header;
//! - [`api`] holds the bodies of the HTTP interface, [`error`] its failures.

pub mod id;
pub mod secret;
pub mod time;

pub mod verdict;

pub mod attempt;
pub mod guard;
pub mod plan;
pub mod script;

pub mod call;
pub mod console;
pub mod link;
pub mod log;
pub mod power;

pub mod event;

pub mod calendar;
pub mod health;
pub mod lease;
pub mod mailbox;
pub mod resource;
pub mod retention;

pub mod api;
pub mod error;
