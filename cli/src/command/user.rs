//! `jackfield user …`: accounts.

use std::io::{IsTerminal, Read};

use anyhow::{Context as _, Result, bail};
use clap::Subcommand;
use jackfield_protocol::secret::Secret;
use serde_json::{Value, json};

use crate::{
    Context,
    client::encoded,
    exit::Exit,
    names::Names,
    output::{self, table},
};

/// Accounts.
#[derive(Subcommand)]
pub(crate) enum User {
    /// Every account.
    List,
    /// Make an account; the password is read from standard input.
    Create {
        /// The name.
        name: String,
        /// What the user may do, such as `RUN_TESTS`; `*` for everything. May be given several times.
        #[arg(long = "role", value_name = "ROLE")]
        roles: Vec<String>,
        /// A group the user is in, such as `tester`; see `jackfield group list`. May be given several times.
        #[arg(long = "group", value_name = "GROUP")]
        groups: Vec<String>,
    },
    /// Change what an account may do; what is not named stays as it is.
    Set {
        /// The name.
        name: String,
        /// A role of its own, instead of all it has; may be given several times. `--role none` takes all.
        #[arg(long = "role", value_name = "ROLE")]
        roles: Vec<String>,
        /// A group, instead of all it is in; may be given several times. `--group none` takes it out of all.
        #[arg(long = "group", value_name = "GROUP")]
        groups: Vec<String>,
        /// After how many minutes without a request a browser of it is logged out; 0 for never.
        #[arg(long, value_name = "MINUTES")]
        idle: Option<u32>,
        /// It may not log in any more; its sessions end, and EPs with its tokens are let go.
        #[arg(long, conflicts_with = "open")]
        close: bool,
        /// It may log in again.
        #[arg(long)]
        open: bool,
    },
    /// Set a new password, read from standard input; every session of the user ends.
    Password {
        /// The name.
        name: String,
    },
    /// Delete an account; what it did stays recorded.
    Delete {
        /// The name.
        name: String,
    },
}

impl User {
    pub(crate) fn run(&self, context: &Context) -> Result<Exit> {
        let client = &context.client;
        match self {
            Self::List => {
                let users: Value = client.get("/users")?;
                context.output.page(&users, list)?;
            }
            Self::Create { name, roles, groups } => {
                let body = json!({"name": name, "password": read_password()?.expose_for_login(), "roles": roles, "groups": groups});
                let _user: Value = client.post("/users", &body)?;
                context.output.done("created", name, &format!("{name} may log in"))?;
            }
            Self::Set { name, roles, groups, idle, close, open } => {
                let disabled = (*close || *open).then_some(*close);
                let body = json!({
                    "roles": chosen(roles),
                    "groups": chosen(groups),
                    "disabled": disabled,
                    "idle_minutes": idle,
                });
                let user = client.put(&format!("/users/{}", encoded(name)), &body);
                let user: Value = Names::Users.or_known(user, client, name)?;
                context.output.print(&user, |user| list(&json!({"items": [user]})))?;
            }
            Self::Password { name } => {
                let path = format!("/users/{}/password", encoded(name));
                let done =
                    client.put::<Value>(&path, &json!({"password": read_password()?.expose_for_login()}));
                Names::Users.or_known(done, client, name)?;
                context.output.done("password", name, &format!("{name} has a new password"))?;
            }
            Self::Delete { name } => {
                Names::Users.or_known(client.delete(&format!("/users/{}", encoded(name))), client, name)?;
                context.output.done("deleted", name, &format!("{name} is deleted"))?;
            }
        }
        Ok(Exit::Done)
    }
}

/// What is set instead of what there is; `none` sets nothing at all, and nothing named changes nothing.
pub(crate) fn chosen(words: &[String]) -> Option<Vec<&String>> {
    (!words.is_empty()).then(|| words.iter().filter(|word| *word != "none").collect())
}

fn list(users: &Value) -> String {
    let mut rows = table(&["USER", "GROUPS", "ROLES", "STATE"]);
    for user in users.get("items").and_then(Value::as_array).into_iter().flatten() {
        let words = |key: &str| {
            let words = user.get(key).and_then(Value::as_array).into_iter().flatten();
            words.filter_map(Value::as_str).collect::<Vec<_>>().join(" ")
        };
        let is = |key: &str| user.get(key).and_then(Value::as_bool);
        let state = match (is("disabled"), is("has_password")) {
            (Some(true), _) => "closed",
            (_, Some(false)) => "no password: set one with `jackfield user password`",
            _ => "",
        };
        let name = user.get("name").and_then(Value::as_str).unwrap_or_default();
        rows.add_row(vec![name.to_owned(), words("groups"), words("roles"), state.to_owned()]);
    }
    rows.trim_fmt()
}

/// One line of standard input, without its end. A terminal does not show it.
pub(crate) fn read_password() -> Result<Secret> {
    let stdin = std::io::stdin();
    let mut password = String::new();
    if stdin.is_terminal() {
        let shown = rustix::termios::tcgetattr(&stdin).context("reading the terminal's modes")?;
        let mut hidden = shown.clone();
        hidden.local_modes.remove(rustix::termios::LocalModes::ECHO);
        // Hidden before it is asked for, and nothing thrown away: a script may answer at once.
        rustix::termios::tcsetattr(&stdin, rustix::termios::OptionalActions::Now, &hidden)?;
        output::talk("password (not shown):");
        let read = stdin.read_line(&mut password);
        rustix::termios::tcsetattr(&stdin, rustix::termios::OptionalActions::Now, &shown)?;
        read?;
    } else {
        stdin.lock().take(4096).read_to_string(&mut password)?;
    }
    let password = Secret::new(password.trim_end_matches(['\r', '\n']));
    if password.is_empty() {
        bail!("no password came on standard input");
    }
    Ok(password)
}
