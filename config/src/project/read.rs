//! From text to [`Project`]: every value checked on its own; what values mean together is for `expand`.

use std::{collections::BTreeMap, sync::Arc};

use jackfield_protocol::{
    id::EpName,
    plan::{LibraryLayout, OnEpLost, Save},
};

use super::{
    ConfigUse, DependsOn, Head, Item, Project, Script, Suite, dependency, edit::ProjectFile, needs, test,
};
use crate::{
    limits::CONFIGS_MAX,
    problem::{Read, suggest},
    source::{At, Source, Span},
    value,
    xml::{self, Element, Fields, Tree, Walk},
};

impl Project {
    /// Reads a project file, whatever form it has.
    pub fn read(name: &str, source: &Arc<Source>) -> Read<Self> {
        match xml::parse(source) {
            Ok(tree) => read_tree(name, &tree),
            Err(problems) => Read { value: None, problems },
        }
    }

    /// Understands a file that was read for editing, as it is now.
    pub fn of(name: &str, file: &ProjectFile) -> Read<Self> {
        read_tree(name, file.tree())
    }
}

fn read_tree(name: &str, tree: &Tree) -> Read<Project> {
    let walk = Walk::new(tree);
    let root = tree.root();
    if !root.name().eq_ignore_ascii_case("Root") {
        let message = format!("a project begins with <Root>, not <{}>", root.name());
        walk.error(root.name_span(), message, "is this another kind of file?");
        return Read { value: None, problems: walk.finish() };
    }
    let fields = walk.fields(root);
    let head = read_head(&fields);
    let suites: Vec<Suite> = fields.each("TestSuite").map(|suite| read_suite(&walk, suite)).collect();
    for test in fields.each("TestCase") {
        walk.error(test.name_span(), "<TestCase> outside of a suite", "put it into a <TestSuite>");
    }
    fields.finish();
    if suites.is_empty() {
        walk.warn(root.name_span(), "the project has no suite", "add a <TestSuite> with a <TestCase>");
    }
    let project = Project { name: name.into(), source: Arc::clone(tree.source()), head, suites };
    Read { value: Some(project), problems: walk.finish() }
}

fn read_head(fields: &Fields<'_, '_>) -> Head {
    let walk = fields.walk();
    if let Some(view) = fields.text("ClearCaseView") {
        walk.warn(view.span, "ClearCase views are not used", "make the files part of the lab folder");
    }
    fields.ignore(&["ID", "tsName"]);
    Head {
        stop_on_fail: fields.truth("stoponfail"),
        pre_post_mandatory: fields.truth("PrePostMandatory"),
        library_layout: choice(
            fields,
            "DownloadLibraries",
            &[("flat", LibraryLayout::Flat), ("deep", LibraryLayout::Deep)],
        ),
        script_pre: read_script(fields, "ScriptPre"),
        script_post: read_script(fields, "ScriptPost"),
        libraries: fields.list("libraries", ';'),
        save: choice(
            fields,
            "dbautosave",
            &[
                ("save", Save::Save),
                ("nosave", Save::NoSave),
                ("ask", Save::Ask),
                ("true", Save::Save),
                ("false", Save::NoSave),
            ],
        ),
        delay_millis: fields.parsed("tcdelay", value::span_millis).map_or(0, |delay| delay.value),
        timeout_millis: read_timeout(fields),
        on_ep_lost: choice(
            fields,
            "OnEpLost",
            &[
                ("wait_then_abort", OnEpLost::WaitThenAbort),
                ("wait", OnEpLost::Wait),
                ("reassign", OnEpLost::Reassign),
                ("abort", OnEpLost::Abort),
            ],
        ),
        needs: needs::read(fields),
        user_defined: read_pairs(fields, "UserDefined"),
    }
}

/// One of a few words, whatever the case; the default where nothing is said.
pub(super) fn choice<T: Copy + Default>(
    fields: &Fields<'_, '_>,
    name: &'static str,
    words: &[(&'static str, T)],
) -> T {
    let Some(text) = fields.text(name) else { return T::default() };
    let lower = text.value.to_lowercase();
    let found = words.iter().find(|(word, _)| *word == lower);
    if found.is_none() {
        let help = suggest(&lower, words.iter().map(|(word, _)| *word));
        fields.walk().error(text.span, format!("<{name}> is `{}`", text.value), help);
    }
    found.map(|(_, value)| *value).unwrap_or_default()
}

/// `Timeout`; a limit of nothing at all would end every test.
pub(super) fn read_timeout(fields: &Fields<'_, '_>) -> Option<u64> {
    let timeout = fields.parsed("Timeout", value::span_millis)?;
    if timeout.value == 0 {
        fields.walk().error(timeout.span, "<Timeout> is 0", "leave it out for the default limit");
    }
    Some(timeout.value)
}

fn read_script(fields: &Fields<'_, '_>, name: &'static str) -> Option<Script> {
    let path = fields.text(name)?;
    let ep = fields.one(name).and_then(|element| element.attribute("ep"));
    let ep = ep.map(|(ep, _)| ep.trim().to_owned()).filter(|ep| !ep.is_empty()).map(EpName::from);
    Some(Script { path, ep })
}

fn read_suite(walk: &Walk, element: Element<'_>) -> Suite {
    let fields = walk.fields(element);
    let name = fields.text("tsName").map(|name| name.value);
    if name.is_none() {
        walk.error(element.name_span(), "a suite without <tsName>", "give it a name");
    }
    let items = element.children().filter_map(|child| match child.name() {
        "TestSuite" => Some(Item::Suite(read_suite(walk, child))),
        "TestCase" => Some(Item::Test(test::read(walk, child))),
        _ => None,
    });
    let items: Vec<Item> = items.collect();
    fields.ignore(&["TestSuite", "TestCase"]);
    let suite = Suite {
        span: element.name_span(),
        name: name.unwrap_or_default(),
        id: fields.text("ID"),
        repeat: read_repeat(&fields),
        panic_detect: fields.truth("PanicDetect"),
        depends: read_depends(&fields),
        configs: read_configs(&fields),
        suts: read_suts(&fields),
        eps: fields.list("EpId", ';'),
        labels: fields.parsed("Labels", value::labels).map(|labels| labels.value).unwrap_or_default(),
        needs: needs::read(&fields),
        libraries: fields.list("libraries", ';'),
        user_defined: read_pairs(&fields, "UserDefined"),
        timeout_millis: read_timeout(&fields),
        items,
    };
    fields.finish();
    suite
}

/// `Repeat`; once where nothing is said.
pub(super) fn read_repeat(fields: &Fields<'_, '_>) -> At<u32> {
    let place = fields.element().name_span();
    fields.parsed("Repeat", value::count).unwrap_or_else(|| At::new(1, place))
}

/// `Dependency`, in either spelling.
pub(super) fn read_depends(fields: &Fields<'_, '_>) -> Vec<DependsOn> {
    let texts = [fields.text("Dependency"), fields.text("Dependancy")];
    texts.iter().flatten().flat_map(|text| dependency::read(fields.walk(), text)).collect()
}

/// SUTs: `name(user)` and `name(system)` become `name.user` and `name.system`.
fn read_suts(fields: &Fields<'_, '_>) -> Vec<At<Arc<str>>> {
    let walk = fields.walk();
    let mut suts = fields.list("SutName", ';');
    suts.extend(fields.list("TbName", ';'));
    for sut in &mut suts {
        let name = sut.value.trim_start_matches('/');
        let dotted = name.strip_suffix(')').and_then(|open| open.split_once('(')).map(|(name, owner)| {
            let (name, owner) = (name.trim(), owner.trim());
            (name, owner, format!("{name}.{owner}"))
        });
        match dotted {
            Some((name, "user" | "system", dotted)) if !name.is_empty() => sut.value = walk.word(&dotted),
            None if !name.is_empty() && !name.contains(['(', ')']) => sut.value = walk.word(name),
            Some(_) | None => {
                let message = format!("`{}` is not a SUT", sut.value);
                walk.error(sut.span, message, "write name(user) or name(system)");
            }
        }
    }
    suts
}

/// `ConfigFiles` with its `Config` elements.
pub(super) fn read_configs(fields: &Fields<'_, '_>) -> Vec<ConfigUse> {
    let Some(element) = fields.one("ConfigFiles") else { return Vec::new() };
    let walk = fields.walk();
    let inner = walk.fields(element);
    let configs: Vec<ConfigUse> =
        inner.each("Config").filter_map(|config| read_config(walk, config)).collect();
    if configs.len() > CONFIGS_MAX {
        let message = format!("more than {CONFIGS_MAX} test configurations");
        walk.error(element.name_span(), message, "name fewer");
        return Vec::new();
    }
    let text = element.text();
    if configs.is_empty() && !text.trim().is_empty() {
        let message = format!("<ConfigFiles> holds the text `{}`", text.trim());
        walk.error(element.text_span(), message, "write <Config name=\"…\" enabled=\"true\"/>");
    }
    inner.finish();
    configs
}

fn read_config(walk: &Walk, element: Element<'_>) -> Option<ConfigUse> {
    const KNOWN: [&str; 5] = ["name", "enabled", "from_suite", "iterator_default", "iterator_sof"];
    let mut name = None;
    let mut flags = [false; KNOWN.len()];
    let mut enabled = true;
    for (key, text, span) in element.attributes() {
        let Some(at) = KNOWN.iter().position(|known| *known == key) else {
            walk.warn(span, format!("unknown attribute `{key}` of <Config>"), suggest(key, KNOWN));
            continue;
        };
        let text = text.trim();
        if at == 0 {
            name = Some(At::new(walk.word(text), span));
            continue;
        }
        let truth = value::truth(text).unwrap_or_else(|expected| {
            walk.error(span, format!("`{key}` is `{text}`"), format!("write {expected}"));
            false
        });
        if at == 1 {
            enabled = truth;
        }
        flags.get_mut(at).map(|flag| *flag = truth).unwrap_or_default();
    }
    let [_, _, _, default_only, stop_on_fail] = flags;
    let name = name.filter(|name| !name.value.is_empty());
    if name.is_none() {
        walk.error(element.name_span(), "<Config> without a name", "name the test configuration");
    }
    Some(ConfigUse { name: name?, enabled, default_only, stop_on_fail })
}

/// Repeated elements with `propName` and `propValue`.
fn read_pairs(fields: &Fields<'_, '_>, name: &'static str) -> BTreeMap<Arc<str>, Arc<str>> {
    let mut pairs = BTreeMap::new();
    each_pair(fields, name, |walk, key, value| {
        if pairs.insert(Arc::clone(&key.value), value.value).is_some() {
            walk.error(key.span, format!("`{}` is given twice", key.value), "remove one of them");
        }
    });
    pairs
}

/// Calls `take` with name and value of each element that has both.
pub(super) fn each_pair(
    fields: &Fields<'_, '_>,
    name: &'static str,
    mut take: impl FnMut(&Walk, At<Arc<str>>, At<Arc<str>>),
) {
    let walk = fields.walk();
    for element in fields.each(name) {
        let pair = walk.fields(element);
        let key = pair.text("propName");
        let empty = || At::new(walk.word(""), Span::default());
        let value = pair.one("propValue").map_or_else(empty, |value| walk.text_of(value));
        pair.finish();
        match key {
            Some(key) => take(walk, key, value),
            None => walk.error(element.name_span(), format!("<{name}> without <propName>"), "name it"),
        }
    }
}
