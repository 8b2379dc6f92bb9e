//! Messages for chats: what happened, what changed, and the first tests that did not pass.

use serde_json::{Value, json};

use super::{Named, test_text};
use crate::{
    changes::Changes,
    results::Results,
    summary::{Summary, headline, name_not_passed},
    text::{grouped, one_line, shortened},
};

/// Tests that are named; the others are counted.
const NAMED_MAX: usize = 8;
/// Most characters of a project's name, of a test's, of a reason.
const TITLE_CHARACTERS_MAX: usize = 100;
const NAME_CHARACTERS_MAX: usize = 120;
const REASON_CHARACTERS_MAX: usize = 160;

/// What every chat is told, as plain text.
struct Story {
    title: String,
    headline: String,
    changed: Option<String>,
    link: Option<String>,
    named: Vec<Named>,
    more: u64,
    is_good: bool,
}

impl Story {
    fn of(results: &Results, changes: Option<&Changes>) -> Self {
        let summary = Summary::of(results);
        let (mut named, mut count) = (Vec::new(), 0_u64);
        let more = name_not_passed(results, |row| {
            count = count.saturating_add(1);
            if named.len() < NAMED_MAX {
                let named_one = Named::of(results, row);
                named.push(Named {
                    name: shortened(
                        &one_line(&format!("{}/{}", named_one.suite, named_one.name)),
                        NAME_CHARACTERS_MAX,
                    ),
                    reason: shortened(&named_one.reason, REASON_CHARACTERS_MAX),
                    ..named_one
                });
            }
        });
        let known = u64::try_from(named.len()).unwrap_or(u64::MAX);
        let changed = changes.map(|changes| match &*changes.sentence() {
            "" => format!("Nothing changed since run {}.", changes.against),
            sentence => format!("Since run {}: {sentence}.", changes.against),
        });
        let project = shortened(&one_line(&results.run.project), TITLE_CHARACTERS_MAX);
        Self {
            title: format!("{project}: run {}", results.run.id),
            headline: shortened(&one_line(&headline(results, &summary)), 2 * NAME_CHARACTERS_MAX),
            changed,
            link: results.link(),
            is_good: count == 0 && results.stopped.is_none(),
            more: more.saturating_add(count.saturating_sub(known)),
            named,
        }
    }

    fn more_text(&self) -> Option<String> {
        (self.more > 0).then(|| format!("… and {} more that did not pass", grouped(self.more)))
    }

    fn colour(&self) -> &'static str {
        if self.is_good { "#1a7f37" } else { "#c4232b" }
    }
}

/// A message of blocks for an incoming webhook of Slack.
pub fn slack(results: &Results, changes: Option<&Changes>) -> String {
    let story = Story::of(results, changes);
    let mut first = vec![slack_text(&story.headline)];
    first.extend(story.changed.as_deref().map(slack_text));
    first.extend(story.link.as_ref().map(|link| format!("<{link}|Show the run>")));
    // A heading knows no escapes: what could be a mention there is another sign.
    let title = story.title.replace('<', "‹").replace('>', "›");
    let mut blocks = vec![
        json!({"type": "header", "text": {"type": "plain_text", "text": title, "emoji": false}}),
        section(&first.join("\n")),
    ];
    // A block for each, since each has a limit of its own.
    blocks.extend(story.named.iter().map(|test| {
        let name = slack_text(&test.name);
        let name = test.link.as_ref().map_or_else(|| name.clone(), |link| format!("<{link}|{name}>"));
        section(&format!("*{}* {name}{}", test.verdict, reason(&slack_text(&test.reason))))
    }));
    blocks.extend(story.more_text().map(|text| section(&text)));
    json!({"text": slack_text(&format!("{}: {}", story.title, story.headline)), "blocks": blocks}).to_string()
}

/// A message that says that it arrives.
pub fn slack_test(lab: &str) -> String {
    json!({"text": slack_text(&test_text(lab))}).to_string()
}

fn section(text: &str) -> Value {
    json!({"type": "section", "text": {"type": "mrkdwn", "text": text, "verbatim": true}})
}

fn reason(text: &str) -> String {
    if text.is_empty() { String::new() } else { format!("\n{text}") }
}

/// Text for Slack: three signs are its own, and those of emphasis are kept from meaning any by a space of no width.
fn slack_text(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for letter in one_line(text).chars() {
        match letter {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '*' | '_' | '~' | '`' => safe.extend(['\u{200b}', letter]),
            other => safe.push(other),
        }
    }
    safe
}

/// A message with an attachment for an incoming webhook of Mattermost.
pub fn mattermost(results: &Results, changes: Option<&Changes>) -> String {
    let story = Story::of(results, changes);
    let mut lines = vec![markdown(&story.headline)];
    lines.extend(story.changed.as_deref().map(markdown));
    lines.extend(story.named.iter().map(|test| {
        let name = markdown(&test.name);
        let name = test.link.as_ref().map_or_else(|| name.clone(), |link| format!("[{name}]({link})"));
        let reason = markdown(&test.reason);
        let reason = if reason.is_empty() { String::new() } else { format!(": {reason}") };
        format!("- **{}** {name}{reason}", test.verdict)
    }));
    lines.extend(story.more_text());
    let attachment = json!({
        "fallback": markdown(&format!("{}: {}", story.title, story.headline)),
        "color": story.colour(),
        "title": markdown(&story.title),
        "title_link": story.link,
        "text": lines.join("\n"),
    });
    json!({"attachments": [attachment]}).to_string()
}

/// A message that says that it arrives.
pub fn mattermost_test(lab: &str) -> String {
    json!({"text": markdown(&test_text(lab))}).to_string()
}

/// Text for Markdown: its signs are taken as they are, and nobody is mentioned.
fn markdown(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for letter in one_line(text).chars() {
        match letter {
            '\\' | '`' | '*' | '_' | '{' | '}' | '[' | ']' | '(' | ')' | '#' | '+' | '!' | '|' | '>'
            | '<' | '~' => {
                safe.extend(['\\', letter]);
            }
            // A mention begins with the sign alone.
            '@' => safe.extend(['@', '\u{200b}']),
            ':' => safe.extend([':', '\u{200b}']),
            '.' if safe.to_ascii_lowercase().ends_with("www") => safe.extend(['\u{200b}', '.']),
            other => safe.push(other),
        }
    }
    safe
}

/// A card for a workflow of Teams that waits for a webhook. What tests wrote stands in runs of text, in which no sign means anything.
pub fn teams(results: &Results, changes: Option<&Changes>) -> String {
    let story = Story::of(results, changes);
    let mut body = vec![
        rich(vec![json!({"type": "TextRun", "text": story.title, "size": "Large", "weight": "Bolder"})]),
        rich(vec![json!({
            "type": "TextRun", "text": story.headline, "color": if story.is_good { "Good" } else { "Attention" },
        })]),
    ];
    body.extend(story.changed.iter().map(|text| rich(vec![json!({"type": "TextRun", "text": text})])));
    body.extend(story.named.iter().map(|test| {
        let text = format!(" {}", test.name);
        let name = match &test.link {
            Some(link) => json!({
                "type": "TextRun", "text": text, "selectAction": {"type": "Action.OpenUrl", "url": link},
            }),
            None => json!({"type": "TextRun", "text": text}),
        };
        let mut inlines = vec![json!({"type": "TextRun", "text": test.verdict, "weight": "Bolder"}), name];
        if !test.reason.is_empty() {
            inlines.push(json!({"type": "TextRun", "text": format!(": {}", test.reason), "isSubtle": true}));
        }
        rich(inlines)
    }));
    body.extend(story.more_text().map(|text| rich(vec![json!({"type": "TextRun", "text": text})])));
    let actions =
        story.link.map(|link| json!({"type": "Action.OpenUrl", "title": "Show the run", "url": link}));
    card(body, actions.into_iter().collect())
}

/// A card that says that it arrives.
pub fn teams_test(lab: &str) -> String {
    card(vec![rich(vec![json!({"type": "TextRun", "text": test_text(lab)})])], Vec::new())
}

fn rich(inlines: Vec<Value>) -> Value {
    json!({"type": "RichTextBlock", "inlines": inlines})
}

fn card(body: Vec<Value>, actions: Vec<Value>) -> String {
    let content = json!({
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "body": body,
        "actions": actions,
        "msteams": {"width": "Full"},
    });
    let attachment = json!({
        "contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": null, "content": content,
    });
    json!({"type": "message", "attachments": [attachment]}).to_string()
}
