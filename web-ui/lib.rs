//! The web pages, embedded: one application, built from `src/` by `cargo xtask pages`, and nothing from elsewhere.
//!
//! The pages hold no data of the lab: they ask `/api/v1` for what they show, like everyone else, and follow it by
//! server-sent events. Every address that names no file is the application's own, so that a link into it works
//! wherever it is opened.

/// A file to serve.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Page {
    /// Its content type.
    pub kind: &'static str,
    /// Its bytes.
    pub content: &'static [u8],
    /// The same, packed by gzip, where that is worth it.
    pub packed: Option<&'static [u8]>,
    /// Whether its name changes with its content, so that a browser need never ask again.
    pub lasting: bool,
}

/// A file of `dist/`, as the build script found it.
struct Built {
    address: &'static str,
    plain: &'static [u8],
    packed: Option<&'static [u8]>,
}

const BUILT: &[Built] = include!(concat!(env!("OUT_DIR"), "/built.rs"));

const HTML: &str = "text/html; charset=utf-8";

/// Files whose names hold the hash of their content.
const LASTING: &str = "/assets/";

/// What runs in the browser is an address of the application unless it is one of these folders.
const FOLDERS: [&str; 2] = [LASTING, "/api/"];

/// The file for an address; none where there is no such file.
pub fn page(path: &str) -> Option<Page> {
    page_of(BUILT, path)
}

/// Whether the application was built into this binary.
pub fn is_built() -> bool {
    BUILT.iter().any(|file| file.address == "/index.html")
}

fn page_of(built: &[Built], path: &str) -> Option<Page> {
    let find = |path: &str| built.iter().find(|file| file.address == path);
    if let Some(Built { address, plain, packed }) = find(path) {
        return Some(Page {
            kind: kind(address),
            content: plain,
            packed: *packed,
            lasting: path.starts_with(LASTING),
        });
    }
    if FOLDERS.iter().any(|folder| path.starts_with(folder)) {
        return None;
    }
    let (content, packed) = match find("/index.html") {
        Some(index) => (index.plain, index.packed),
        None => (&include_bytes!("unbuilt.html")[..], None),
    };
    Some(Page { kind: HTML, content, packed, lasting: false })
}

/// The content type by the name's ending.
fn kind(address: &str) -> &'static str {
    match address.rsplit('.').next().unwrap_or_default() {
        "html" => HTML,
        "css" => "text/css; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "svg" => "image/svg+xml",
        "json" | "webmanifest" => "application/json",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::{BUILT, Built, HTML, is_built, page, page_of};

    const SOME: &[Built] = &[
        Built { address: "/index.html", plain: b"<html>", packed: Some(b"packed") },
        Built { address: "/assets/main-1a2b.js", plain: b"run()", packed: None },
        Built { address: "/favicon.svg", plain: b"<svg/>", packed: None },
    ];

    #[test]
    fn every_address_of_the_application_is_its_page() {
        for path in ["/", "/runs", "/runs/41", "/runs/41/tests/3", "/lab/tb1/router.1", "/nothing/../x"] {
            let page = page_of(SOME, path).unwrap();
            assert_eq!((page.content, page.kind, page.lasting), (&b"<html>"[..], HTML, false), "{path}");
        }
    }

    #[test]
    fn files_are_themselves_and_missing_ones_are_not_the_application() {
        let script = page_of(SOME, "/assets/main-1a2b.js").unwrap();
        assert_eq!((script.content, script.lasting), (&b"run()"[..], true));
        assert_eq!(script.kind, "text/javascript; charset=utf-8");
        assert!(!page_of(SOME, "/favicon.svg").unwrap().lasting);
        // A browser that asks for a script of an older build must not take a page for it.
        for path in ["/assets/main-0000.js", "/api/v2/runs", "/api/"] {
            assert!(page_of(SOME, path).is_none(), "{path}");
        }
    }

    #[test]
    fn without_built_pages_one_says_how_to_build_them() {
        let page = page_of(&[], "/runs/41").unwrap();
        assert!(std::str::from_utf8(page.content).unwrap().contains("cargo xtask pages"));
        assert!(page_of(&[], "/assets/main.js").is_none());
    }

    #[test]
    fn what_is_built_in_is_whole_and_loads_nothing_from_elsewhere() {
        if !is_built() {
            eprintln!("the pages are not built; `cargo xtask test` builds them first");
            return;
        }
        let index = std::str::from_utf8(page("/").unwrap().content).unwrap();
        // The content policy forbids scripts and styles inside of pages: they would not run.
        for forbidden in ["<script>", "onclick=", "style=", "<style", "://"] {
            assert!(!index.contains(forbidden), "{forbidden}");
        }
        for name in index.split('"').filter(|part| part.starts_with("/assets/")) {
            assert!(page(name).is_some_and(|page| page.lasting), "{name}");
        }
        assert!(BUILT.iter().filter(|file| file.address.starts_with("/assets/")).count() > 5);
    }
}
