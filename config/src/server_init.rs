//! `server_init.ini`: what kind of server a Twister engine was.

use std::sync::Arc;

use crate::{
    engine::ServerKind,
    ini,
    problem::{Problems, Read},
    source::Source,
};

/// The file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServerInit {
    /// `ce_server_type`: which groups of a user count.
    pub kind: ServerKind,
    /// `ce_server_location`: free text, for reports.
    pub location: Arc<str>,
}

impl ServerInit {
    /// Reads the file. Its `common_key` and `verbosity` have no use here.
    pub fn read(source: &Arc<Source>) -> Read<Self> {
        let mut problems = Problems::new(source);
        let top = ini::parse(source, &mut problems);
        let known = ["ce_server_type", "ce_server_location", "common_key", "verbosity"];
        top.warn_unknown(&known, &mut problems);
        let kind = top.filled("ce_server_type").and_then(|text| {
            let kind = ServerKind::parse(&text.value);
            if kind.is_none() {
                let message = format!("ce_server_type is `{}`", text.value);
                problems.error(text.span, message, "write no_type, production or development");
            }
            kind
        });
        let location = top.filled("ce_server_location").map(|text| Arc::clone(&text.value));
        let read = Self { kind: kind.unwrap_or_default(), location: location.unwrap_or_default() };
        Read { value: Some(read), problems: problems.finish() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kind_of_server_is_one_of_three() {
        let read = |text: &str| ServerInit::read(&Arc::new(Source::new("server_init.ini", text)));
        let (init, _) =
            read("ce_server_type = \"production\"\nce_server_location = \"Cluj, 2\"\n").usable().unwrap();
        assert_eq!((init.kind, init.location.as_ref()), (ServerKind::Production, "Cluj, 2"));
        let wrong = read("ce_server_type = test\nce_server_locaton = x\n");
        let told: Vec<String> = wrong.problems.iter().map(ToString::to_string).collect();
        assert_eq!(told.len(), 2);
        assert!(told[0].contains("write no_type, production or development"));
        assert!(told[1].contains("did you mean `ce_server_location`?"));
    }
}
