//! The interface as a client sees it: the real routes over a real store and loop, without a socket.

mod access;
mod calendar;
mod data;
mod feed;
mod files;
mod follow;
mod lab;
mod leases;
mod logs;
mod people;
mod permissions;
mod private;
mod projects;
mod runs;
mod shares;
mod values;
