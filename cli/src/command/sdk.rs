//! `jackfield sdk path`: the SDKs as files, for an editor that completes names, or an interpreter that looks a test over.
//!
//! An EP unpacks its own beside its spool; who writes tests on another machine has none.

use anyhow::{Context as _, Result};
use clap::Subcommand;
use serde_json::json;

use crate::{Context, exit::Exit};

/// The SDKs of this version, as files.
#[derive(Subcommand)]
pub(crate) enum Sdk {
    /// Print the folder of a language's SDK; it is written if it is not there.
    Path {
        /// The language.
        language: Language,
    },
}

/// A language that has an SDK.
#[derive(Clone, Copy, clap::ValueEnum)]
pub(crate) enum Language {
    /// For PYTHONPATH.
    Python,
    /// For PERL5LIB.
    Perl,
    /// For TCLLIBPATH.
    Tcl,
    /// For `.` of a shell: `jackfield.sh` is in it.
    Shell,
    /// For the class path of javac.
    Java,
}

impl Language {
    fn folder(self) -> &'static str {
        match self {
            Self::Python => "python",
            Self::Perl => "perl",
            Self::Tcl => "tcl",
            Self::Shell => "shell",
            Self::Java => "java",
        }
    }
}

impl Sdk {
    pub(crate) fn run(&self, context: &Context) -> Result<Exit> {
        let Self::Path { language } = self;
        let folder = super::ep::data_folder().join("sdk");
        std::fs::create_dir_all(&folder).with_context(|| format!("making {}", folder.display()))?;
        let place = jackfield_execution_process::unpack_sdks(&folder)
            .with_context(|| format!("writing the SDKs below {}", folder.display()))?;
        let path = place.join(language.folder());
        context.output.print(&json!({"path": path}), |_| path.display().to_string())?;
        Ok(Exit::Done)
    }
}
