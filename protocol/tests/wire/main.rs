//! What crosses a wire or lands in a row, held to golden files: `protocol/tests/golden/v1`.
//!
//! Every message is written with everything set (`name.json`) and, where it has optional fields, with none
//! (`name.bare.json`). Engine and EP are upgraded apart, so both directions of old and new are tried: fields of later
//! versions are ignored, fields that earlier versions did not write are not asked for, and a word of a later version is
//! refused by name.
//!
//! `JACKFIELD_GOLDEN=write cargo test -p jackfield-protocol --test wire` writes the files; a look at the diff is the test
//! then. A change of a file that a released version wrote is a break of the protocol.

#[cfg(test)]
mod api;
#[cfg(test)]
mod calendar;
#[cfg(test)]
mod console;
#[cfg(test)]
mod decided;
#[cfg(test)]
mod event;
#[cfg(test)]
mod golden;
#[cfg(test)]
mod link;
#[cfg(test)]
mod log_frame;
#[cfg(test)]
mod plan;
#[cfg(test)]
mod power;
#[cfg(test)]
mod property;
#[cfg(test)]
mod sample;
#[cfg(test)]
mod types;
#[cfg(test)]
mod value;
#[cfg(test)]
mod versions;
#[cfg(test)]
mod word;
