//! Where each file of a lab is: a lab folder of our own, or a Twister home used in place. Rules only; nothing is read here.

use std::{
    path::{Component, Path, PathBuf},
    sync::Arc,
};

use jackfield_protocol::id::UserName;

use crate::fwmconfig::FwmConfig;

/// The longest name that is made a file's: file systems take 255 bytes, and an ending comes behind it.
const NAME_BYTES_MAX: usize = 200;

/// The places of a lab's files. Of a list, the first place that has the thing counts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Layout {
    /// The lab folder, or Twister's own folder in a home.
    pub root: PathBuf,
    /// What `$HOME` and `~` mean in the lab's files.
    pub home: PathBuf,
    /// Projects.
    pub projects: Vec<PathBuf>,
    /// Predefined suites.
    pub suites: Vec<PathBuf>,
    /// Test files with relative names.
    pub tests: Vec<PathBuf>,
    /// Libraries.
    pub libraries: Vec<PathBuf>,
    /// Test configurations.
    pub configs: Vec<PathBuf>,
    /// SUTs, each with the ending (`user` or `system`) of those that do not say their name themselves.
    pub suts: Vec<(PathBuf, &'static str)>,
    /// `globals.xml`.
    pub globals: Vec<PathBuf>,
    /// `bindings.xml`.
    pub bindings: Vec<PathBuf>,
    /// `db.xml`.
    pub db: Vec<PathBuf>,
    /// `shared_db.xml`.
    pub shared_db: Vec<PathBuf>,
    /// `email.xml`.
    pub email: Vec<PathBuf>,
    /// `webhooks.toml`.
    pub webhooks: Vec<PathBuf>,
    /// `mail.toml`.
    pub mail_rules: Vec<PathBuf>,
    /// `e-mail-tmpl.htm`.
    pub email_template: Vec<PathBuf>,
    /// `resources.json`.
    pub resources: Vec<PathBuf>,
    /// `users_and_groups.ini`.
    pub users: Vec<PathBuf>,
    /// `PanicDetectData.json`.
    pub panic_patterns: Vec<PathBuf>,
    /// `engine.toml`.
    pub engine: Vec<PathBuf>,
    /// Profiles of devices.
    pub profiles: Vec<PathBuf>,
    /// TextFSM templates.
    pub templates: Vec<PathBuf>,
    /// Folders outside of which nothing is read.
    pub roots: Vec<PathBuf>,
}

impl Layout {
    /// A lab folder of our own. What a user has in `users/<name>/` comes before what all share.
    pub fn of_folder(root: &Path, user: Option<&UserName>) -> Self {
        let own = user
            .filter(|user| is_plain_name(user.as_str()))
            .map(|user| root.join("users").join(user.as_str()));
        let bases: Vec<PathBuf> = own.into_iter().chain([root.to_owned()]).collect();
        let each = |name: &str| bases.iter().map(|base| base.join(name)).collect::<Vec<_>>();
        let mut tests = each("tests");
        tests.push(root.to_owned());
        Self {
            root: root.to_owned(),
            home: root.to_owned(),
            projects: each("projects"),
            suites: each("suites"),
            tests,
            libraries: each("libs"),
            configs: each("configs"),
            suts: each("sut").into_iter().map(|folder| (folder, "user")).collect(),
            globals: each("globals.xml"),
            bindings: each("bindings.xml"),
            db: each("db.xml"),
            shared_db: vec![root.join("shared_db.xml")],
            email: each("email.xml"),
            mail_rules: each("mail.toml"),
            webhooks: each("webhooks.toml"),
            email_template: each("e-mail-tmpl.htm"),
            resources: vec![root.join("resources.json")],
            users: vec![root.join("users_and_groups.ini")],
            panic_patterns: vec![root.join("PanicDetectData.json")],
            engine: vec![root.join("engine.toml")],
            profiles: each("profiles"),
            templates: each("templates"),
            roots: vec![root.to_owned()],
        }
    }

    /// A Twister home, by the paths of its `fwmconfig.xml`. `twister` is the folder that holds `config/`.
    pub fn of_twister(twister: &Path, paths: &FwmConfig) -> Self {
        let home = twister.parent().unwrap_or(twister).to_owned();
        let config = twister.join("config");
        let place = |text: &Option<Arc<str>>, default: &str| {
            text.as_ref().map_or_else(|| twister.join(default), |text| in_home(text, &home, twister))
        };
        let folders = |text: &Option<Arc<str>>, default: &str| {
            let default = Arc::from(default);
            let list =
                text.as_ref().unwrap_or(&default).split(';').map(str::trim).filter(|part| !part.is_empty());
            list.map(|part| in_home(part, &home, twister)).collect::<Vec<_>>()
        };
        let tests = place(&paths.tests, "demo");
        let suts =
            [(place(&paths.suts, "config/sut"), "user"), (place(&paths.system_suts, "config/sut"), "system")];
        let mut layout = Self {
            root: twister.to_owned(),
            projects: vec![place(&paths.projects, "config/projects"), config.clone()],
            suites: vec![place(&paths.suites, "config/predefined_suites")],
            tests: vec![tests, home.clone()],
            libraries: folders(&paths.libraries, "~/twister/libs"),
            configs: vec![place(&paths.configs, "config/test_config"), config.join("test_config")],
            suts: suts.to_vec(),
            globals: vec![place(&paths.globals, "config/globals.xml")],
            bindings: vec![config.join("bindings.xml")],
            db: vec![place(&paths.db, "config/db.xml")],
            shared_db: vec![config.join("shared_db.xml")],
            email: vec![place(&paths.email, "config/email.xml")],
            mail_rules: vec![config.join("mail.toml")],
            webhooks: vec![config.join("webhooks.toml")],
            email_template: vec![config.join("e-mail-tmpl.htm")],
            resources: vec![config.join("resources.json")],
            users: vec![config.join("users_and_groups.ini")],
            panic_patterns: vec![config.join("PanicDetectData.json")],
            engine: vec![config.join("engine.toml"), twister.join("engine.toml")],
            profiles: vec![twister.join("profiles")],
            templates: vec![twister.join("templates")],
            roots: vec![home.clone(), twister.to_owned()],
            home,
        };
        let outside = [&layout.projects, &layout.suites, &layout.tests, &layout.libraries, &layout.configs];
        let mut roots: Vec<PathBuf> = outside.into_iter().flatten().cloned().collect();
        roots.extend(layout.suts.iter().map(|(folder, _)| folder.clone()));
        layout.roots.extend(roots);
        layout
    }

    /// The file of the project that this layout's user means by a name, the user's own before that of all; none where the lab has none. It is for
    /// comparing: what is opened comes from [`Lab::project_file`](crate::Lab::project_file).
    pub fn project_file(&self, name: &str) -> Option<PathBuf> {
        let file = format!("{}.xml", name.trim_end_matches(".xml"));
        self.projects.iter().map(|folder| folder.join(&file)).find(|file| file.is_file())
    }

    /// The files that are read as settings, each wherever it may be.
    pub fn settings(&self) -> impl Iterator<Item = &PathBuf> {
        let lists =
            [&self.globals, &self.bindings, &self.db, &self.email, &self.email_template, &self.resources];
        lists
            .into_iter()
            .chain([
                &self.shared_db,
                &self.mail_rules,
                &self.webhooks,
                &self.users,
                &self.panic_patterns,
                &self.engine,
            ])
            .flatten()
    }

    /// The text with `$HOME` and a leading `~` made the lab's home.
    pub fn resolve(&self, text: &str) -> String {
        match home_part(text) {
            Some(_) => in_home(text, &self.home, &self.root).to_string_lossy().into_owned(),
            None => text.to_owned(),
        }
    }
}

/// What stands behind `$HOME` or `~`, where the text begins so.
fn home_part(text: &str) -> Option<&str> {
    let rest = text.strip_prefix("$HOME").or_else(|| text.strip_prefix('~'))?;
    (rest.is_empty() || rest.starts_with('/')).then(|| rest.trim_start_matches('/'))
}

/// A path in a Twister home; `$HOME/twister` is Twister's folder, whatever its name is here.
fn in_home(text: &str, home: &Path, twister: &Path) -> PathBuf {
    let Some(rest) = home_part(text) else { return PathBuf::from(text) };
    match rest.strip_prefix("twister") {
        Some(inner) if home != twister && (inner.is_empty() || inner.starts_with('/')) => {
            twister.join(inner.trim_start_matches('/'))
        }
        _ => home.join(rest),
    }
}

/// Whether the text can be the name of one file or folder, and of nothing else.
pub(crate) fn is_plain_name(name: &str) -> bool {
    if name.len() > NAME_BYTES_MAX || name.chars().any(char::is_control) {
        return false;
    }
    let mut parts = Path::new(name).components();
    matches!((parts.next(), parts.next()), (Some(Component::Normal(_)), None)) && !name.contains('/')
}

/// Whether a name stays below the folder it is joined to.
pub(crate) fn stays_inside(name: &str) -> bool {
    !name.is_empty()
        && Path::new(name).components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn home_is_resolved_only_where_it_begins_the_text() {
        let lab = Layout::of_folder(Path::new("/lab"), None);
        let twister = Layout::of_twister(Path::new("/home/ana/tw"), &FwmConfig::default());
        for (text, ours, theirs) in [
            ("$HOME/t/a.py", "/lab/t/a.py", "/home/ana/t/a.py"),
            ("~/twister/demo/a.py", "/lab/twister/demo/a.py", "/home/ana/tw/demo/a.py"),
            ("~/twisters/a.py", "/lab/twisters/a.py", "/home/ana/twisters/a.py"),
            ("~ana/a.py", "~ana/a.py", "~ana/a.py"),
            ("$HOMES/a.py", "$HOMES/a.py", "$HOMES/a.py"),
            ("a/$HOME/b", "a/$HOME/b", "a/$HOME/b"),
            ("~", "/lab/", "/home/ana/"),
        ] {
            assert_eq!(lab.resolve(text), ours, "{text}");
            assert_eq!(twister.resolve(text), theirs, "{text}");
        }
    }

    #[test]
    fn names_that_climb_are_known() {
        assert!(
            stays_inside("a/b.py")
                && !stays_inside("../a")
                && !stays_inside("/a")
                && !stays_inside("a/../../b")
        );
        assert!(is_plain_name("a.b") && !is_plain_name("..") && !is_plain_name("a/b") && !is_plain_name(""));
        assert!(!is_plain_name("a\0b") && !is_plain_name("a\nb") && !is_plain_name(&"a".repeat(201)));
    }

    #[test]
    fn what_a_user_has_comes_first() {
        let lab = Layout::of_folder(Path::new("/lab"), Some(&"ana".into()));
        assert_eq!(lab.globals, [Path::new("/lab/users/ana/globals.xml"), Path::new("/lab/globals.xml")]);
        let climber = Layout::of_folder(Path::new("/lab"), Some(&"../x".into()));
        assert_eq!(climber.globals, [Path::new("/lab/globals.xml")]);
    }
}
