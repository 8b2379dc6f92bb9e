//! What results cost: inserts into the lab's databases, reports of large tables, documents of large runs. Each beside what the database itself,
//! its own client or a bare loop of the same statements takes in the same rounds.

mod documents;
mod inserts;
mod servers;
mod tables;

use anyhow::Result;

use self::servers::{Kind, Server};
use super::{Measure, lab::Lab};

pub(crate) fn measure(rounds: usize) -> Result<Vec<Measure>> {
    let bare = inserts::build_bare()?;
    let mut lab = Lab::start("results")?;
    lab.write("tests/t.sh", b"#!/bin/sh\nexit 0\n")?;
    let mut measures = Vec::new();
    for kind in Kind::ALL {
        let server = Server::start(kind, lab.folder())?;
        measures.extend(inserts::measure(&lab, &server, &bare, rounds)?);
        measures.extend(tables::measure(&lab, &server, rounds)?);
    }
    measures.extend(documents::measure(&lab, rounds)?);
    measures.extend(inserts::after_a_run(&mut lab)?);
    Ok(measures)
}
