//! The profiles that come with the binary, each a file of `config/profiles/`.

use std::collections::BTreeMap;

/// Makes the list of a folder's files: name and text.
macro_rules! files {
    ($($file:literal),+ $(,)?) => {
        [$(($file, include_str!(concat!("../../profiles/", $file)))),+]
    };
}

/// File name and text of each.
pub const SHIPPED: [(&str, &str); 29] = files![
    "aoscx.toml",
    "asa.toml",
    "asterisk.toml",
    "eos.toml",
    "exos.toml",
    "fortios.toml",
    "frr.toml",
    "generic.toml",
    "ios.toml",
    "iosxr.toml",
    "junos.toml",
    "linux.toml",
    "mml.toml",
    "nxos.toml",
    "omniswitch.toml",
    "os10.toml",
    "osmocom.toml",
    "ovs.toml",
    "panos.toml",
    "procurve.toml",
    "routeros.toml",
    "srlinux.toml",
    "sros-md.toml",
    "sros.toml",
    "uboot.toml",
    "vrp.toml",
    "vrp8.toml",
    "vyos.toml",
    "zte.toml",
];

/// The text of each by the name that it has, which is that of its file.
pub fn texts() -> BTreeMap<String, String> {
    let named = SHIPPED.iter().filter_map(|(file, text)| Some((file.strip_suffix(".toml")?, *text)));
    named.map(|(name, text)| (name.to_owned(), text.to_owned())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::Profile;

    #[test]
    fn each_file_is_in_the_list_and_has_the_name_of_its_profile() {
        let folder = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/profiles")).unwrap();
        let mut files: Vec<String> =
            folder.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        files.sort();
        assert_eq!(files, SHIPPED.map(|(file, _)| file));
        for (file, text) in SHIPPED {
            let profile = Profile::parse(file, text).unwrap_or_else(|problems| panic!("{problems:#?}"));
            assert_eq!(format!("{}.toml", profile.name), file);
            assert!(text.starts_with("# From: "), "{file} does not say where its facts come from");
            assert!(!text.contains("based_on"), "{file}: one that is itself based on another can be no base");
        }
    }
}
