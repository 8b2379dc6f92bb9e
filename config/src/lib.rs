//! Every file a person edits, read with positions, checked, and written back unchanged but for what was edited.
//!
//! - [`source`] turns bytes into text with places, [`problem`] collects what is wrong, [`limits`] says what is too much;
//! - [`project`] is the project file: read, edited, and expanded to the plan of a run;
//! - [`params`] are named values in folders (`globals.xml`), [`test_config`] those with iterators ([`iterator`]);
//! - [`resources`] are the trees of test beds and SUTs; [`outline`] is what files of ours and of other tools say of resources;
//! - [`bindings`], [`db`], [`email`], [`epname`], [`fwmconfig`], [`mod@panic`], [`server_init`] and [`users`] are Twister's other
//!   files, over [`ini`] and [`xml_file`];
//! - [`engine`] and [`ep`] are our own settings; [`mail_rules`] and [`webhooks`] say who hears of which runs ([`run_filter`]);
//! - [`profile`], [`steps`] and [`simulated`] are devices: how one is spoken to, tested and simulated;
//! - [`lab`] says where each file is, and [`load`], which alone touches the disk, reads it.

pub mod limits;
pub mod problem;
pub mod source;

mod toml_table;
mod value;
mod xml;

pub mod iterator;
pub mod outline;
pub mod params;
pub mod project;
pub mod resources;
pub mod test_config;

pub mod bindings;
pub mod db;
pub mod email;
pub mod epname;
pub mod fwmconfig;
pub mod ini;
pub mod mail_rules;
pub mod panic;
pub mod run_filter;
pub mod server_init;
pub mod users;
pub mod webhooks;
pub mod xml_file;

pub mod engine;
pub mod ep;

pub mod profile;
pub mod simulated;
pub mod steps;

pub mod lab;
pub mod load;

pub use engine::EngineSettings;
pub use ep::EpSettings;
pub use load::{
    Below, Checked, Databases, FileError, InRoom, Lab, LabDatabase, LabError, Room, SettingFile,
    check_project, check_project_file, check_project_text,
};
pub use problem::Read;
pub use project::{
    Project,
    expand::{ExpandOptions, Known, Lookup, PlanFiles, SutEps, Unmet, expand, plan_files},
};
pub use source::Source;
