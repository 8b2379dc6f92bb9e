//! Templates that come with the binary: what a device says of itself (version, serial number, time since its start), for kinds of devices that
//! have a profile. One of the lab goes before them.

/// Makes the list of a folder's files: name and text.
macro_rules! files {
    ($($file:literal),+ $(,)?) => {
        [$(($file, include_str!(concat!("../../templates/", $file)))),+]
    };
}

/// Name and text of each.
const SHIPPED: [(&str, &str); 17] = files![
    "alcatel_aos_show_system.textfsm",
    "alcatel_sros_show_system_information.textfsm",
    "arista_eos_show_version.textfsm",
    "aruba_aoscx_show_system.textfsm",
    "cisco_asa_show_version.textfsm",
    "cisco_nxos_show_version.textfsm",
    "cisco_xr_show_version.textfsm",
    "dell_os10_show_version.textfsm",
    "extreme_exos_show_version.textfsm",
    "fortinet_get_system_status.textfsm",
    "hp_procurve_show_system.textfsm",
    "mikrotik_routeros_system_resource_print.textfsm",
    "nokia_srl_show_version.textfsm",
    "nokia_sros_show_system_information.textfsm",
    "paloalto_panos_show_system_info.textfsm",
    "vyatta_vyos_show_version.textfsm",
    "zte_zxros_show_version.textfsm",
];

/// The file of a name, which may lack its ending, with its text.
pub(super) fn named(name: &str) -> Option<(&'static str, &'static str)> {
    SHIPPED.into_iter().find(|(file, _)| *file == name || file.strip_suffix(".textfsm") == Some(name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::textfsm::Template;

    #[test]
    fn each_file_is_in_the_list_and_can_be_read() {
        let folder = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/templates")).unwrap();
        let mut files: Vec<String> =
            folder.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        files.sort();
        assert_eq!(files, SHIPPED.map(|(file, _)| file));
        for (file, text) in SHIPPED {
            Template::parse(text).unwrap_or_else(|error| panic!("{file}: {error}"));
        }
    }
}
