//! The web pages, embedded: plain HTML, one style sheet, one script, nothing from elsewhere.
//!
//! Pages are static. They ask `/api/v1` for what they show and follow runs by server-sent events.

/// A file to serve.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Page {
    /// Its content type.
    pub kind: &'static str,
    /// Its text.
    pub content: &'static str,
}

const HTML: &str = "text/html; charset=utf-8";

/// The file for a path; none where there is no such page. `/runs/41` is the same page for every run.
pub fn page(path: &str) -> Option<Page> {
    let page = |kind, content| Some(Page { kind, content });
    match path {
        "/" | "/runs" => page(HTML, include_str!("pages/runs.html")),
        "/login" => page(HTML, include_str!("pages/login.html")),
        "/eps" => page(HTML, include_str!("pages/eps.html")),
        "/style.css" => page("text/css; charset=utf-8", include_str!("pages/style.css")),
        "/favicon.svg" => page("image/svg+xml", include_str!("pages/favicon.svg")),
        "/common.js" => page("text/javascript; charset=utf-8", include_str!("pages/common.js")),
        "/login.js" => page("text/javascript; charset=utf-8", include_str!("pages/login.js")),
        "/runs.js" => page("text/javascript; charset=utf-8", include_str!("pages/runs.js")),
        "/run.js" => page("text/javascript; charset=utf-8", include_str!("pages/run.js")),
        "/eps.js" => page("text/javascript; charset=utf-8", include_str!("pages/eps.js")),
        _ => {
            let run = path.strip_prefix("/runs/")?;
            let is_number = !run.is_empty() && run.bytes().all(|byte| byte.is_ascii_digit());
            is_number.then_some(Page { kind: HTML, content: include_str!("pages/run.html") })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::page;

    #[test]
    fn paths_lead_to_pages() {
        for path in ["/", "/runs", "/runs/41", "/login", "/eps", "/style.css", "/common.js", "/run.js"] {
            assert!(page(path).is_some(), "{path}");
        }
        for path in ["/runs/", "/runs/x", "/runs/41/..", "/nothing", "/lib.rs"] {
            assert!(page(path).is_none(), "{path}");
        }
    }

    #[test]
    fn pages_load_nothing_from_elsewhere() {
        for path in [
            "/",
            "/login",
            "/eps",
            "/runs/1",
            "/style.css",
            "/common.js",
            "/login.js",
            "/runs.js",
            "/run.js",
            "/eps.js",
        ] {
            let content = page(path).unwrap().content;
            assert!(!content.contains("://"), "{path} names another site");
            // The content policy forbids scripts inside of pages: they would not run.
            assert!(!content.contains("onclick=") && !content.contains("<script>"), "{path}");
        }
    }
}
