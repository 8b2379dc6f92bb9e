//! OpenSSH's file of known host keys: names, wildcards, hashed names, revoked keys.

use std::{
    fs::{File, OpenOptions},
    io::{self, Read, Write},
    path::Path,
};

use ring::hmac;
use russh::keys::{
    PublicKey,
    ssh_key::known_hosts::{Entry, HostPatterns, Marker},
};

use crate::target::Address;

const PORT: u16 = 22;

/// A key that the file has for a host.
#[derive(Clone, Debug)]
pub(super) struct Known {
    /// The line it stands in, from 1.
    pub(super) line: usize,
    pub(super) key: PublicKey,
    pub(super) revoked: bool,
}

/// What the file says of a host; a file that is not there says nothing. Lines that nobody can read are passed over, as OpenSSH does.
pub(super) fn of_host(file: &Path, address: &Address) -> io::Result<Vec<Known>> {
    let text = match std::fs::read(file) {
        Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let name = name(address);
    let known = text.lines().enumerate().filter_map(|(index, line)| {
        // Fields may be parted by tabs and by several spaces.
        let line = line.split_whitespace().collect::<Vec<_>>().join(" ");
        let entry = (!line.is_empty() && !line.starts_with('#')).then(|| line.parse::<Entry>().ok())??;
        let revoked = match entry.marker() {
            // Authorities sign certificates; they are no host's own key.
            Some(Marker::CertAuthority) => return None,
            Some(Marker::Revoked) => true,
            None => false,
        };
        let key = entry.public_key().clone();
        means(entry.host_patterns(), &name).then_some(Known { line: index.saturating_add(1), key, revoked })
    });
    Ok(known.collect())
}

/// Writes down a key.
pub(super) fn learn(file: &Path, address: &Address, key: &PublicKey) -> io::Result<()> {
    if let Some(folder) = file.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let key = PublicKey::from(key.key_data().clone()).to_openssh().map_err(io::Error::other)?;
    let mut line = format!("{} {key}\n", name(address));
    if !ends_with_line_end(file)? {
        line.insert(0, '\n');
    }
    // One write at the end of the file: sessions that open at the same time do not mix their lines.
    OpenOptions::new().append(true).create(true).open(file)?.write_all(line.as_bytes())
}

fn ends_with_line_end(file: &Path) -> io::Result<bool> {
    let mut bytes = Vec::new();
    match File::open(file) {
        Ok(mut open) => open.read_to_end(&mut bytes)?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(true),
        Err(error) => return Err(error),
    };
    Ok(bytes.last().is_none_or(|byte| *byte == b'\n'))
}

/// What the file calls a host.
pub(super) fn name(address: &Address) -> String {
    let host = address.host.to_lowercase();
    if address.port == PORT { host } else { format!("[{host}]:{}", address.port) }
}

fn means(patterns: &HostPatterns, name: &str) -> bool {
    match patterns {
        HostPatterns::HashedName { salt, hash } => {
            let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, salt);
            hmac::verify(&key, name.as_bytes(), hash).is_ok()
        }
        HostPatterns::Patterns(patterns) => {
            let mut found = false;
            for pattern in patterns {
                match pattern.strip_prefix('!') {
                    Some(pattern) if is_like(pattern.as_bytes(), name.as_bytes()) => return false,
                    Some(_) => {}
                    None => found |= is_like(pattern.to_lowercase().as_bytes(), name.as_bytes()),
                }
            }
            found
        }
    }
}

/// `*` is any text, `?` any character.
fn is_like(pattern: &[u8], text: &[u8]) -> bool {
    let (mut pattern_left, mut text_left) = (pattern, text);
    // Where the last star stood, and the text it began with.
    let mut star: Option<(&[u8], &[u8])> = None;
    loop {
        match (pattern_left.split_first(), text_left.split_first()) {
            (Some((b'*', rest)), _) => {
                star = Some((rest, text_left));
                pattern_left = rest;
            }
            (Some((wanted, rest)), Some((is, text_rest))) if wanted == is || *wanted == b'?' => {
                (pattern_left, text_left) = (rest, text_rest);
            }
            (None, None) => return true,
            _ => {
                let Some((after, from)) = star else { return false };
                let Some((_, from)) = from.split_first() else { return false };
                star = Some((after, from));
                (pattern_left, text_left) = (after, from);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJdD7y3aLq454yWBdwLWbieU1ebz9/cu7/QEXn9OIeZJ";

    fn address(host: &str, port: u16) -> Address {
        Address { host: host.to_owned(), port }
    }

    #[test]
    fn hosts_are_found_as_openssh_finds_them() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("known_hosts");
        // The hashed name is `example.com`, as ssh-keygen -H wrote it in RFC 4253's words: salt and HMAC-SHA1.
        let text = format!(
            "# first\n\nplain,10.0.0.?\t{KEY} comment\n[router]:2022  {KEY}\n*.lab,!bad.lab {KEY}\n@revoked old {KEY}\nnonsense\n|1|O33ESRMWPVkMYIwJ1Uw+n877jTo=|nuuC5vEqXlEZ/8BXQR7m619W6Ak= {KEY}\n"
        );
        std::fs::write(&file, text).unwrap();
        let lines = |host: &str, port| -> Vec<(usize, bool)> {
            let known = of_host(&file, &address(host, port)).unwrap();
            known.into_iter().map(|known| (known.line, known.revoked)).collect()
        };
        assert_eq!(lines("PLAIN", 22), [(3, false)]);
        assert_eq!(lines("10.0.0.7", 22), [(3, false)]);
        assert_eq!(lines("plain", 23), []);
        assert_eq!(lines("router", 2022), [(4, false)]);
        assert_eq!(lines("a.lab", 22), [(5, false)]);
        assert_eq!(lines("bad.lab", 22), []);
        assert_eq!(lines("old", 22), [(6, true)]);
        assert_eq!(lines("example.com", 22), [(8, false)]);
        assert!(of_host(&folder.path().join("none"), &address("a", 22)).unwrap().is_empty());
    }

    #[test]
    fn a_key_is_written_on_a_line_of_its_own() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("new/known_hosts");
        let key: PublicKey = KEY.parse().unwrap();
        learn(&file, &address("fe80::1", 22), &key).unwrap();
        let begun = std::fs::read_to_string(&file).unwrap();
        assert_eq!(begun, format!("fe80::1 {KEY}\n"));
        std::fs::write(&file, begun.trim_end()).unwrap();
        learn(&file, &address("h", 2022), &key).unwrap();
        assert_eq!(std::fs::read_to_string(&file).unwrap(), format!("fe80::1 {KEY}\n[h]:2022 {KEY}\n"));
        assert_eq!(of_host(&file, &address("h", 2022)).unwrap()[0].line, 2);
    }

    #[test]
    fn stars_match_as_little_as_they_must() {
        for (pattern, text, is) in [
            ("*", "", true),
            ("a*c", "abcbc", true),
            ("a*c", "abcb", false),
            ("*.*.lab", "a.b.lab", true),
            ("?", "", false),
            ("a**b", "ab", true),
        ] {
            assert_eq!(is_like(pattern.as_bytes(), text.as_bytes()), is, "{pattern} {text}");
        }
    }
}
