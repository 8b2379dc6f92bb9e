//! A page of Markdown, taken apart as far as the checks need it.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

/// A piece of text with the line it begins on.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Piece {
    pub line: usize,
    pub text: String,
}

/// A fenced block.
#[derive(Debug, PartialEq)]
pub(crate) struct Block {
    /// The line of its first fence.
    pub line: usize,
    /// The word after the fence: `toml`.
    pub language: String,
    /// What is inside.
    pub text: String,
    /// All prose before it, from the heading above it on.
    pub before: String,
}

/// A page.
#[derive(Debug, Default)]
pub(crate) struct Page {
    /// Its path below the root of the repository.
    pub name: String,
    /// Names that `#` can lead to.
    pub anchors: Vec<String>,
    /// Targets of its links.
    pub links: Vec<Piece>,
    /// Inline code.
    pub code: Vec<Piece>,
    /// Rows of its tables, as they stand.
    pub rows: Vec<Piece>,
    /// Fenced blocks.
    pub blocks: Vec<Block>,
}

/// Pages that stand beside the book.
const BESIDE: [&str; 6] =
    ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md", "examples/README.md"];

/// The root of the repository.
pub(crate) fn root() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

/// Every page of the book, with those that stand beside it.
pub(crate) fn all() -> Vec<Page> {
    let mut names = book();
    names.extend(BESIDE.map(str::to_owned));
    names.into_iter().map(Page::open).collect()
}

/// Names of the pages below `docs/`, sorted.
pub(crate) fn book() -> Vec<String> {
    let mut names = Vec::new();
    let mut folders = vec![root().join("docs")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|end| end == "md") {
                names.push(path.strip_prefix(root()).unwrap().to_str().unwrap().to_owned());
            }
        }
    }
    names.sort();
    names
}

impl Page {
    pub(crate) fn open(name: impl Into<String>) -> Self {
        let name = name.into();
        let text = fs::read_to_string(root().join(&name)).unwrap_or_else(|e| panic!("{name}: {e}"));
        Self::read(name, &text)
    }

    /// Its folder below the root.
    pub(crate) fn folder(&self) -> &Path {
        Path::new(&self.name).parent().unwrap()
    }

    /// `docs/cli.md:12`
    pub(crate) fn at(&self, line: usize) -> String {
        format!("{}:{line}", self.name)
    }

    fn read(name: String, text: &str) -> Self {
        let mut page = Self { name, ..Self::default() };
        let mut prose = String::new();
        let mut taken: BTreeMap<String, usize> = BTreeMap::new();
        let mut lines = (1..).zip(text.lines());
        while let Some((line, text)) = lines.next() {
            if let Some(language) = text.trim_start().strip_prefix("```") {
                let inside: Vec<&str> =
                    lines.by_ref().map(|(_, text)| text).take_while(|text| text.trim() != "```").collect();
                let (language, before) = (language.trim().to_owned(), prose.clone());
                page.blocks.push(Block { line, language, text: inside.join("\n") + "\n", before });
                continue;
            }
            if text.starts_with('#') {
                prose.clear();
                page.anchors.push(anchor(text, &mut taken));
            }
            if text.starts_with('|') {
                page.rows.push(Piece { line, text: text.to_owned() });
            }
            prose.push_str(text);
            prose.push('\n');
            let (plain, code) = split_code(text);
            page.code.extend(code.into_iter().map(|text| Piece { line, text }));
            page.links.extend(targets(&plain).into_iter().map(|text| Piece { line, text }));
        }
        page
    }
}

/// The name of a heading, as mdBook and GitHub make it; a second one of the same text gets a number.
fn anchor(heading: &str, taken: &mut BTreeMap<String, usize>) -> String {
    let text = heading.trim_start_matches('#').trim().to_lowercase();
    let is_kept = |c: &char| c.is_alphanumeric() || matches!(c, '-' | '_' | ' ');
    let name: String = text.chars().filter(is_kept).map(|c| if c == ' ' { '-' } else { c }).collect();
    let count = taken.entry(name.clone()).or_default();
    *count += 1;
    if *count == 1 { name } else { format!("{name}-{}", *count - 1) }
}

/// A line without its inline code, and the code.
pub(crate) fn split_code(line: &str) -> (String, Vec<String>) {
    let (mut plain, mut code) = (String::new(), Vec::new());
    let mut rest = line;
    while let Some(start) = rest.find('`') {
        let (before, from) = rest.split_at(start);
        let ticks = from.len() - from.trim_start_matches('`').len();
        let (fence, inside) = from.split_at(ticks);
        plain.push_str(before);
        let Some((text, after)) = inside.split_once(fence) else {
            rest = inside;
            continue;
        };
        code.push(text.trim().to_owned());
        // A link's text may be code alone: something stands for it.
        plain.push('~');
        rest = after;
    }
    plain.push_str(rest);
    (plain, code)
}

/// Where the links of a line lead.
fn targets(plain: &str) -> Vec<String> {
    let ends = plain.split("](").skip(1);
    ends.filter_map(|rest| rest.split_once(')')).map(|(target, _)| target.to_owned()).collect()
}

#[test]
fn a_page_is_taken_apart() {
    let text = "# A `b.toml` & c\n\nSee [x](y.md#z), `code` and [`w`](../w).\n\n```toml\na = 1\n```\n\n| `k` | v |\n# A b.toml c\n";
    let page = Page::read("docs/a.md".to_owned(), text);
    assert_eq!(page.anchors, ["a-btoml--c", "a-btoml-c"]);
    let texts = |pieces: &[Piece]| pieces.iter().map(|piece| piece.text.clone()).collect::<Vec<_>>();
    assert_eq!(texts(&page.links), ["y.md#z", "../w"]);
    assert_eq!(texts(&page.code), ["b.toml", "code", "w", "k",]);
    assert_eq!(page.blocks.len(), 1);
    assert_eq!((page.blocks[0].line, page.blocks[0].text.as_str()), (5, "a = 1\n"));
    assert!(page.blocks[0].before.starts_with("# A `b.toml`"));
    assert_eq!(texts(&page.rows), ["| `k` | v |"]);
    assert_eq!(split_code("``a `b` c`` d").1, ["a `b` c"]);
}
