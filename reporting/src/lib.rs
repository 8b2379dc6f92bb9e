//! Results in, documents out. Nothing here reads a disk, a clock or a database: the shell gathers [`results::Results`],
//! and each module turns them into one kind of document.
//!
//! - [`results`] is what all documents are made from; [`excerpt`] is how much of a log they show;
//! - [`summary`] counts, and writes the tables of terminal, mail and CI pages;
//! - [`junit`] is the report for machines, [`html`] the one for people, [`listing`] all tests as CSV, JSON and TAP;
//! - [`variables`] is the lab's own vocabulary, `$twister_tc_status` and its like, for SQL and mail;
//! - [`insert`] turns the statements of `db.xml` into SQL with placeholders, and values into what is bound to them;
//! - [`table`] is what a report of `db.xml` gives, as CSV and JSON; [`chart`] draws it;
//! - [`changes`] is what is different from the last run of the project;
//! - [`icalendar`] is leases as calendars read them;
//! - [`mail`] composes the message that is sent when a run has ended, [`webhook`] what programs and chats are told of it.

pub mod excerpt;
pub mod results;

pub mod summary;

pub mod html;
pub mod junit;
pub mod listing;

pub mod variables;

pub mod changes;
pub mod icalendar;
pub mod insert;
pub mod mail;
pub mod webhook;

pub mod chart;
pub mod table;

mod nearest;
mod text;

#[cfg(test)]
mod fixture;
