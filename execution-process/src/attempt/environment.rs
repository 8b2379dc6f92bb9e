//! What a test finds in its environment (`docs/local-api.md`), and Twister's names.

use std::{
    collections::BTreeMap,
    ffi::{OsStr, OsString},
    os::unix::ffi::OsStringExt,
    path::{Path, PathBuf},
};

use jackfield_protocol::plan::need_variable;
use serde_json::{Value, json};

use super::Attempt;
use crate::{library::Shelf, process::prepend_path};

impl Attempt {
    /// The whole environment of the test's processes.
    pub(super) fn environment(&self, work: &Path, shelf: &Shelf) -> BTreeMap<OsString, OsString> {
        let mut all = self.station.environment.clone();
        let test = &self.order.test;
        let texts = [
            ("JACKFIELD_TOKEN", self.token.expose_for_owner().to_owned()),
            ("JACKFIELD_RUN", self.order.attempt.run.to_string()),
            ("JACKFIELD_ATTEMPT", self.order.attempt.to_string()),
            ("JACKFIELD_USER", self.context.user.to_string()),
            ("JACKFIELD_PROJECT", self.context.project.to_string()),
            ("JACKFIELD_SUITE_ID", test.suite_id.to_string()),
            ("JACKFIELD_SUITE_NAME", test.suite_name.to_string()),
            ("JACKFIELD_TEST_ID", test.id.to_string()),
            ("JACKFIELD_TEST_NAME", test.name.to_string()),
            ("JACKFIELD_TEST_FILE", test.file.to_string()),
            ("JACKFIELD_SUT", test.sut.as_ref().map(ToString::to_string).unwrap_or_default()),
            ("JACKFIELD_NEEDS", json!(test.needs).to_string()),
            ("JACKFIELD_PROPERTIES", json!(test.properties).to_string()),
            ("JACKFIELD_CONFIG", self.config_names().join(";")),
            ("JACKFIELD_ITERATION", self.iteration_text().to_owned()),
        ];
        // The system refuses a variable with a zero byte, which no lab means anyway.
        all.extend(texts.into_iter().map(|(name, text)| (name.into(), text.replace('\0', "").into())));
        for (name, paths) in &test.needs {
            all.insert(need_variable(name).into(), paths.join("\n").replace('\0', "").into());
        }
        all.insert("JACKFIELD_WORK_DIR".into(), work.into());
        self.add_paths(&mut all, shelf);
        all
    }

    fn add_paths(&self, all: &mut BTreeMap<OsString, OsString>, shelf: &Shelf) {
        let sdk = &self.station.sdk;
        all.insert("JACKFIELD_LIB_DIR".into(), shelf.folder.clone().into());
        let mut set = |name: &str, folders: Vec<OsString>, separator: &str| {
            let old = all.get(OsString::from(name).as_os_str()).map(AsRef::as_ref);
            let value = prepend_path(old, &folders, separator);
            all.insert(name.into(), value);
        };
        let with_libraries = |own: Vec<PathBuf>| {
            let folders = std::iter::once(shelf.folder.clone()).chain(own);
            folders.map(PathBuf::into_os_string).collect::<Vec<OsString>>()
        };
        let python = [sdk.join("python"), sdk.join("python/libs")];
        set("PYTHONPATH", with_libraries(shelf.archives.iter().cloned().chain(python).collect()), ":");
        let tcl = with_libraries(vec![sdk.join("tcl")]);
        set("TCLLIBPATH", tcl.iter().map(|folder| tcl_element(folder)).collect(), " ");
        set("PERL5LIB", with_libraries(vec![sdk.join("perl")]), ":");
        set("PATH", with_libraries(vec![sdk.join("shell")]), ":");
    }

    /// Twister's names, for scripts that find them as globals.
    pub(super) fn injected(&self) -> Value {
        let test = &self.order.test;
        let first = test.iteration.as_ref().and_then(|iteration| iteration.values.first());
        json!({
            "USER": self.context.user,
            "EP": self.station.settings.name,
            "SUT": test.sut.as_ref().map(ToString::to_string).unwrap_or_default(),
            "SUITE_ID": test.suite_id,
            "SUITE_NAME": test.suite_name,
            "FILE_ID": test.id,
            "FILE_NAME": test.name,
            "PROPERTIES": test.properties,
            "CONFIG": self.config_names(),
            "ITERATION": self.iteration_text(),
            "FIRST_ITERATOR_VAL": first.map(|value| value.value.as_ref()).unwrap_or_default(),
            "FIRST_ITERATOR_NAME": first.map(|value| value.name.as_ref()).unwrap_or_default(),
            "FIRST_ITERATOR_COMP": first.map(|value| value.component.as_ref()).unwrap_or_default(),
        })
    }

    fn config_names(&self) -> Vec<&str> {
        self.order.test.configs.iter().map(|(name, _)| name.as_ref()).collect()
    }

    fn iteration_text(&self) -> &str {
        self.order.test.iteration.as_ref().map(|iteration| iteration.text.as_ref()).unwrap_or_default()
    }
}

/// A folder as an element of a Tcl list, which is what `TCLLIBPATH` is.
fn tcl_element(folder: &OsStr) -> OsString {
    let mut quoted = Vec::new();
    for byte in folder.as_encoded_bytes() {
        if b" \t\"\\{}[]$;#".contains(byte) {
            quoted.push(b'\\');
        }
        quoted.push(*byte);
    }
    OsString::from_vec(quoted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_one_element_of_a_list_whatever_its_name() {
        for (folder, element) in
            [("/a/b", "/a/b"), ("/lab one/e{p}", "/lab\\ one/e\\{p\\}"), ("/$x", "/\\$x")]
        {
            assert_eq!(tcl_element(OsStr::new(folder)), OsString::from(element));
        }
    }
}
