//! A lab in a box: a real engine and real EPs as processes of their own, in a temporary lab folder, and real devices.
//!
//! Everything goes through the public face: the binary, its files, and its HTTP interface.

pub mod api;
pub mod asterisk;
pub mod bench;
pub mod cgroup;
pub mod days;
pub mod dice;
pub mod frr;
pub mod full_disk;
pub mod guest;
pub mod machine;
pub mod mariadb;
pub mod node;
pub mod osmo;
pub mod ovs;
pub mod present;
pub mod process;
pub mod proxy;
pub mod shell;
pub mod users;
pub mod wait;

pub use bench::Bench;
