//! What expansion asks of the lab, answered from its files.

use std::{collections::BTreeMap, fs, path::PathBuf};

use jackfield_protocol::{error::FileProblem, id::UserName};
use jackfield_resource_allocator::{Tree, needs::Needs};

use super::{Kind, Lab, Room, text::read_as};
use crate::{
    limits::FILE_BYTES_MAX,
    panic::PanicPatterns,
    problem::Read,
    project::expand::{Known, Lookup, SutEps, Unmet},
    resources::Node,
    test_config::TestConfig,
};

impl Lab {
    /// Reads all SUTs, by their names `name.user` and `name.system`; where two have one name, the user's own counts.
    pub fn suts(&self) -> BTreeMap<String, Read<Node>> {
        let mut suts = BTreeMap::new();
        for (file, ending) in self.sut_files() {
            let read = read_as(&file, FILE_BYTES_MAX, Node::read);
            let stem = file.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
            let named = read.value.as_ref().and_then(Node::sut_name).map(str::to_owned);
            suts.entry(named.unwrap_or_else(|| with_ending(&stem, ending))).or_insert(read);
        }
        suts
    }

    /// Reads one SUT, by its name with or without `.user` or `.system`.
    pub fn sut(&self, name: &str) -> Option<(String, Read<Node>)> {
        let name = name.trim_start_matches('/');
        let mut suts = self.suts();
        let known = [name.to_owned(), format!("{name}.user"), format!("{name}.system")];
        let name = known.into_iter().find(|name| suts.contains_key(name))?;
        suts.remove(&name).map(|read| (name, read))
    }

    fn sut_files(&self) -> Vec<(PathBuf, &'static str)> {
        let mut files = Vec::new();
        for (folder, ending) in &self.layout.suts {
            let mut found: Vec<PathBuf> =
                fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
            found.retain(|file| {
                file.extension().is_some_and(|found| found == "json") && self.is_in(Room::Suts, file)
            });
            found.sort();
            files.extend(found.into_iter().map(|file| (file, *ending)));
        }
        files
    }
}

fn with_ending(stem: &str, ending: &str) -> String {
    if stem.ends_with(".user") || stem.ends_with(".system") {
        stem.to_owned()
    } else {
        format!("{stem}.{ending}")
    }
}

impl Lookup for Lab {
    fn sut_eps(&self, sut: &str, user: &UserName) -> Known<SutEps> {
        if matches!(self.kind, Kind::Nowhere) {
            return Known::Unchecked;
        }
        match self.sut(sut) {
            None => Known::No("is not in the lab".to_owned()),
            Some((name, read)) => match read.value {
                Some(node) => Known::Yes(SutEps { name, eps: node.eps_of(user.as_str()) }),
                None => {
                    let problem = read.problems.first().map(ToString::to_string).unwrap_or_default();
                    Known::No(format!("cannot be read: {problem}"))
                }
            },
        }
    }

    fn sut_names(&self) -> Vec<String> {
        self.suts().into_keys().collect()
    }

    fn test_config(&self, name: &str) -> Known<Read<TestConfig>> {
        if matches!(self.kind, Kind::Nowhere) {
            return Known::Unchecked;
        }
        Self::test_config(self, name).map_or_else(|error| Known::No(error.to_string()), Known::Yes)
    }

    fn test_config_names(&self) -> Vec<String> {
        self.names_in(&self.layout.configs, None)
    }

    fn resolve(&self, path: &str) -> String {
        if matches!(self.kind, Kind::Nowhere) { path.to_owned() } else { self.layout.resolve(path) }
    }

    fn test_file(&self, file: &str) -> Known<()> {
        if matches!(self.kind, Kind::Nowhere) {
            return Known::Unchecked;
        }
        Self::test_file(self, file).map_or_else(|error| Known::No(error.to_string()), |_| Known::Yes(()))
    }

    fn unmet(&self, groups: &[Vec<&Needs>]) -> Vec<Option<Unmet>> {
        // A lab without the file has its tree in the engine alone, and one that cannot be read is told elsewhere.
        let tree = self.resources().and_then(|read| serde_json::to_value(read.value?).ok());
        let Some(tree) = tree.and_then(|tree| Tree::from_json(tree).ok()) else {
            return vec![None; groups.len()];
        };
        let unmet = |group: &Vec<&Needs>| {
            let error = Needs::fit_together(&tree, group).err()?;
            Some(Unmet { reason: error.to_string(), certain: false })
        };
        groups.iter().map(unmet).collect()
    }

    fn library_names(&self) -> Vec<String> {
        Self::library_names(self)
    }

    fn panic_patterns(&self, user: Option<&UserName>) -> Option<Read<PanicPatterns>> {
        Self::panic_patterns(self, user)
    }

    fn profiles(&self) -> BTreeMap<String, Result<String, Box<FileProblem>>> {
        Self::profiles(self)
    }

    fn library(&self, name: &str) -> Known<()> {
        if matches!(self.kind, Kind::Nowhere) {
            return Known::Unchecked;
        }
        Self::library(self, name).map_or_else(|error| Known::No(error.to_string()), |_| Known::Yes(()))
    }
}
