//! What files say of the resources of a lab: Twister's own, those of other tools, and tables from spreadsheets, all read to one
//! [`Outline`], which the tree is compared with.
//!
//! ```text
//! resources.json  hwconfig.xml  table.csv ─┐
//! pyATS testbed   labgrid environment      ├─▶ Outline ─▶ plan ─▶ tree ─▶ resources.json, hwconfig.xml, table.csv
//! Ansible inventory   NetBox devices ──────┘
//! ```
//!
//! What a file says that a resource cannot carry is told as a warning with its place: nothing is dropped in silence.

mod ansible;
mod ansible_ini;
mod csv;
mod draft;
mod hwconfig;
mod labgrid;
mod netbox;
mod pyats;
#[cfg(test)]
mod tests;
mod yaml;

use std::sync::Arc;

use jackfield_protocol::error::FileProblem;
use jackfield_resource_allocator::{Tree, plan::Outline};
use serde::{Deserialize, Serialize};

use self::draft::Draft;
use crate::{problem::Read, source::Source};

/// Nodes that one file may have.
const NODES_MAX: usize = jackfield_resource_allocator::EDIT_NODES_MAX;
/// Bytes of what one file says of all its nodes, each counted for itself.
const TEXT_BYTES_MAX: usize = 256 * 1024 * 1024;

/// What kind of file it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Format {
    /// Twister's `resources.json`, as we write it too.
    Resources,
    /// Twister's older `hwconfig.xml`.
    Hwconfig,
    /// A table with a line for each resource.
    Csv,
    /// A testbed of pyATS (YAML).
    Pyats,
    /// An environment or an exporter of labgrid (YAML).
    Labgrid,
    /// An inventory of Ansible (INI or YAML).
    Ansible,
    /// Devices as NetBox exports them (JSON).
    Netbox,
}

impl Format {
    /// All of them.
    pub const ALL: [Self; 7] =
        [Self::Resources, Self::Hwconfig, Self::Csv, Self::Pyats, Self::Labgrid, Self::Ansible, Self::Netbox];

    /// Its name, for people and scripts.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Resources => "resources",
            Self::Hwconfig => "hwconfig",
            Self::Csv => "csv",
            Self::Pyats => "pyats",
            Self::Labgrid => "labgrid",
            Self::Ansible => "ansible",
            Self::Netbox => "netbox",
        }
    }

    /// The format with this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.as_str() == name)
    }

    /// What a file most likely is, by its name and its text; none where it could be anything.
    pub fn guess(source: &Arc<Source>) -> Option<Self> {
        let text = source.text().trim_start_matches('\u{feff}').trim_start();
        let end = source.name().rsplit_once('.').map(|(_, end)| end.to_ascii_lowercase());
        match (end.as_deref(), text.chars().next()) {
            (Some("csv" | "tsv"), _) => Some(Self::Csv),
            (Some("xml"), _) | (_, Some('<')) => Some(Self::Hwconfig),
            (Some("json"), _) | (_, Some('{')) => {
                Some(if netbox::is_one(text) { Self::Netbox } else { Self::Resources })
            }
            (_, Some('[')) if netbox::is_one(text) => Some(Self::Netbox),
            (Some("yaml" | "yml"), _) => yaml::guess(source),
            (Some("ini") | None, _) => Some(Self::Ansible),
            (Some(_), _) => None,
        }
    }

    /// What the file says, with what it says in vain.
    pub fn read(self, source: &Arc<Source>) -> Read<Outline> {
        match self {
            Self::Resources => draft::read_tree(source),
            Self::Hwconfig => hwconfig::read(source),
            Self::Csv => csv::read(source),
            Self::Pyats => yaml::read(source, pyats::read),
            Self::Labgrid => yaml::read(source, labgrid::read),
            Self::Ansible if ansible_ini::is_one(source.text()) => ansible_ini::read(source),
            Self::Ansible => yaml::read(source, ansible::read),
            Self::Netbox => netbox::read(source),
        }
    }

    /// A tree as such a file, and what of it the file cannot say; none where we write no such files.
    pub fn write(self, tree: &Tree) -> Option<(String, Vec<FileProblem>)> {
        match self {
            Self::Resources => {
                let text = serde_json::to_string_pretty(&tree.to_json()).unwrap_or_default();
                Some((text + "\n", Vec::new()))
            }
            Self::Hwconfig => Some(hwconfig::write(tree)),
            Self::Csv => Some((csv::write(tree), Vec::new())),
            Self::Pyats | Self::Labgrid | Self::Ansible | Self::Netbox => None,
        }
    }
}
