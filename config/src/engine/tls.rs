//! `[tls]` of `engine.toml`: how links are encrypted.

use std::{net::IpAddr, path::PathBuf};

use super::{filled, set};
use crate::toml_table::Table;

/// How links are encrypted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TlsSettings {
    /// A certificate of the lab's own, and its key; none: the engine makes one.
    pub own: Option<OwnCertificate>,
    /// Further names and addresses of the certificate that the engine makes.
    pub names: Vec<String>,
    /// Whether plain HTTP is answered to others, too.
    pub plain: bool,
}

/// Files of a certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnCertificate {
    /// The certificate, and those between it and its authority, as PEM.
    pub certificate: PathBuf,
    /// Its key, as PEM.
    pub key: PathBuf,
}

impl TlsSettings {
    pub(super) fn read(&mut self, tls: &Table<'_>) {
        let [certificate, key] = ["certificate", "key"].map(|name| filled(tls.text(name)).map(PathBuf::from));
        match (certificate, key) {
            (Some(certificate), Some(key)) => self.own = Some(OwnCertificate { certificate, key }),
            (None, None) => {}
            (Some(_), None) => {
                let message = "`tls.certificate` is set, and `tls.key` is not";
                tls.error_at("certificate", message, "name the file of its key, too");
            }
            (None, Some(_)) => {
                let message = "`tls.key` is set, and `tls.certificate` is not";
                tls.error_at("key", message, "name the file of the certificate, too");
            }
        }
        for name in tls.list("names") {
            match host_name(&name) {
                Some(name) => self.names.push(name),
                None => {
                    let message = format!("`{name}` in `tls.names` is neither a name nor an address");
                    let remedy =
                        "write hosts alone, without scheme and port: [\"bench.example\", \"192.0.2.7\"]";
                    tls.error_at("names", message, remedy);
                }
            }
        }
        if self.own.is_some() && !self.names.is_empty() {
            let message = "`tls.names` is set beside `tls.certificate`, which has names of its own";
            tls.error_at("names", message, "remove it, or have a certificate made for these names");
        }
        set(&mut self.plain, tls.flag("plain"));
    }
}

/// A name or address as a certificate has it, without a trailing point; none where it is neither.
fn host_name(text: &str) -> Option<String> {
    let text = text.trim().trim_start_matches('[').trim_end_matches(']');
    if let Ok(address) = text.parse::<IpAddr>() {
        return Some(address.to_string());
    }
    let name = text.strip_suffix('.').unwrap_or(text).to_ascii_lowercase();
    let good = |part: &str| {
        (1..=63).contains(&part.len())
            && part.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
            && !part.starts_with('-')
            && !part.ends_with('-')
    };
    let parts = name.strip_prefix("*.").unwrap_or(&name);
    (name.len() <= 253 && parts.split('.').all(good)).then_some(name)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::{engine::EngineSettings, problem::Read, source::Source};

    fn read(text: &str) -> Read<EngineSettings> {
        EngineSettings::read(&Arc::new(Source::new("engine.toml", text)))
    }

    #[test]
    fn a_certificate_has_a_key_and_a_name_is_a_host() {
        let own = "[tls]\ncertificate = \"c.pem\"\nkey = \"/k.pem\"\nplain = true\n";
        let (settings, _) = read(own).usable().unwrap();
        let own = OwnCertificate { certificate: "c.pem".into(), key: "/k.pem".into() };
        assert_eq!(settings.tls, TlsSettings { own: Some(own), names: Vec::new(), plain: true });
        let named =
            "[tls]\nnames = [\"Bench.Example.\", \"192.0.2.7\", \"[2001:DB8::1]\", \"lab_2\", \"*.lab\"]\n";
        let (settings, _) = read(named).usable().unwrap();
        assert_eq!(settings.tls.names, ["bench.example", "192.0.2.7", "2001:db8::1", "lab_2", "*.lab"]);
        let wrong = [
            "[tls]\ncertificate = \"c.pem\"\n",
            "[tls]\nkey = \"k.pem\"\n",
            "[tls]\nnames = [\"https://bench:8000\", \"bench:8000\", \"\", \"a..b\", \"-a\", \"b\\u00e4nk\"]\n",
            "[tls]\ncertificate = \"c.pem\"\nkey = \"k.pem\"\nnames = [\"bench\"]\n",
            "[tls]\noff = true\n",
        ];
        let told = wrong.iter().flat_map(|text| read(text).problems);
        let told: Vec<_> = told.map(|problem| problem.to_string()).collect();
        insta::assert_snapshot!(told.join("\n"));
    }
}
