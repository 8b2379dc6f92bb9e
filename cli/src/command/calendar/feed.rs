//! `jackfield calendar feed …`: secret addresses for calendars that read iCalendar.

use anyhow::Result;
use clap::Subcommand;
use jackfield_protocol::{
    api::Page,
    calendar::{CalendarFeedView, FeedKind, FeedOf},
    id::UserName,
};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{Context, output};

#[derive(Subcommand)]
pub(crate) enum Feed {
    /// Your feeds, without their secrets; everybody's for who may change users.
    List,
    /// Make one: of yourself, where nothing else is said. Its address is printed once and kept nowhere.
    Create {
        /// Of this person.
        #[arg(long, value_name = "USER")]
        owner: Option<String>,
        /// Of everybody in this group.
        #[arg(long, value_name = "GROUP", conflicts_with = "owner")]
        group: Option<String>,
        /// Of this resource, with what is in it and around it.
        #[arg(long, value_name = "PATH", conflicts_with_all = ["owner", "group"])]
        resource: Option<String>,
    },
    /// Take one back: its address shows nothing from now on.
    Revoke {
        /// Its number in the list.
        number: u64,
    },
}

impl Feed {
    pub(super) fn run(&self, context: &Context) -> Result<()> {
        let client = &context.client;
        match self {
            Self::List => {
                let page: Page<CalendarFeedView> = client.get("/calendar/feeds")?;
                context.output.list(&page.items, list)
            }
            Self::Create { owner, group, resource } => {
                let (kind, name) = match (owner, group, resource) {
                    (_, Some(group), _) => (FeedKind::Group, group.clone()),
                    (_, _, Some(resource)) => (FeedKind::Resource, resource.clone()),
                    (Some(owner), _, _) => (FeedKind::User, owner.clone()),
                    (None, None, None) => (FeedKind::User, me(context)?.to_string()),
                };
                let of = FeedOf { kind, name };
                let mut made: Value = client.post("/calendar/feeds", &json!({"of": of}))?;
                let link = made.get("link").and_then(Value::as_str).unwrap_or_default();
                let address = format!("{}/api/v1/calendar/feed/{link}.ics", client.engine());
                if let Some(made) = made.as_object_mut() {
                    made.insert("address".to_owned(), address.into());
                }
                output::talk("subscribe to it in your calendar, and keep it secret: it is not shown again");
                context.output.print(&made, |made| {
                    made.get("address").and_then(Value::as_str).unwrap_or_default().to_owned()
                })
            }
            Self::Revoke { number } => {
                client.delete(&format!("/calendar/feeds/{number}"))?;
                context.output.done("revoked", number, &format!("feed {number} shows nothing any more"))
            }
        }
    }
}

fn me(context: &Context) -> Result<UserName> {
    #[derive(Deserialize)]
    struct Me {
        user: UserName,
    }
    let me: Me = context.client.get("/me")?;
    Ok(me.user)
}

fn list(feeds: &[CalendarFeedView]) -> String {
    if feeds.is_empty() {
        return "there are no feeds; `jackfield calendar feed create` makes one".to_owned();
    }
    let mut rows = output::table(&["ID", "OWNER", "OF", "CREATED", "LAST USED"]);
    for feed in feeds {
        let used = feed.last_used.map_or_else(|| "never".to_owned(), |used| used.to_string());
        rows.add_row([
            feed.id.to_string(),
            feed.owner.to_string(),
            feed.of.to_string(),
            feed.created.to_string(),
            used,
        ]);
    }
    rows.to_string()
}
