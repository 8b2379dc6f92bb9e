//! Dialogues with devices.
//!
//! - [`target`] says where a device is and as whom, [`profile`] how its kind is talked to;
//! - a [`channel`] carries bytes: [`telnet`], [`ssh`] and what it carries [`beside`] the dialogue, a serial [`line`], a local [`process`];
//! - [`expect`] finds what is awaited in bytes as they arrive, [`record`] writes a dialogue down;
//! - [`screen`] is what a full-screen program shows;
//! - [`transfer`] moves files;
//! - a [`session`] puts them together: open, command, config, close;
//! - [`power`] switches their mains;
//! - [`textfsm`] makes tables of what a command said;
//! - [`steps`] runs a test that is written as data;
//! - [`simulate`] is the other side: devices that are not there;
//! - [`invariants`] is what holds whatever a peer sends.

mod clock;
pub mod limits;

pub mod profile;
pub mod target;

mod totp;

pub mod beside;
pub mod channel;
mod connect;
pub mod line;
pub mod local;
pub mod process;
pub mod serial;
pub mod ssh;
pub mod telnet;

pub mod transfer;

pub mod power;

pub mod expect;
pub mod record;

pub mod screen;

pub mod session;

pub mod textfsm;

pub mod steps;

pub mod simulate;

pub mod invariants;

pub use clock::Deadline;
