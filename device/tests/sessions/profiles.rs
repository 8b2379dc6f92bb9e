//! The shipped profiles, each against a device that speaks as its kind does.

use jackfield_config::simulated::DeviceModel;
use jackfield_device::{
    session::{Session, SessionError},
    simulate::{Listen, Running, serve},
};
use serde_json::{Value, json};

use crate::{LONG, open, target};

async fn simulated(model: &str) -> Running {
    let model = DeviceModel::parse("model.toml", model).unwrap_or_else(|problems| panic!("{problems:#?}"));
    serve(model, Listen::default()).await.unwrap()
}

async fn session(device: &Running, more: Value) -> Session {
    open(target(device.properties("telnet"), more)).await.unwrap()
}

async fn say(session: &mut Session, command: &str) -> String {
    session.command(command, LONG).await.unwrap()
}

const JUNOS: &str = r#"
name = "junos"
start = "shell"
unknown = "\n                 ^\nunknown command."
[login]
user = "lab"
password = "secret-word"
user_prompt = "mx1 (ttyp0)\n\nlogin: "
password_prompt = "Password:"
[modes.shell]
prompt = "root@mx1% "
[modes.operational]
prompt = "root@mx1> "
[modes.edit]
prompt = "[edit]\nroot@mx1# "
[state]
name = "mx1"
candidate = "mx1"
[[commands]]
command = "cli"
go = "operational"
[[commands]]
command = "set cli {rest...}"
output = "Set"
[[commands]]
command = "show host"
output = "{{name}}"
[[commands]]
command = "configure"
output = "Entering configuration mode"
go = "edit"
[[commands]]
command = "set system host-name {new}"
set = { candidate = "{{new}}" }
[[commands]]
command = "set broken"
output = "error: invalid value"
[[commands]]
command = "rollback 0"
set = { candidate = "{{name}}" }
output = "load complete"
[[commands]]
command = "commit"
set = { name = "{{candidate}}" }
output = "commit complete"
[[commands]]
command = "exit configuration-mode"
output = "Exiting configuration mode"
go = "back"
"#;

#[tokio::test]
async fn junos_commits_what_was_taken_and_rolls_back_what_was_not() {
    let device = simulated(JUNOS).await;
    let mut session = session(&device, json!({"profile": "junos", "level": "operational"})).await;
    assert_eq!(session.prompt(), "root@mx1>");
    session.config(&["set system host-name mx2".to_owned()], LONG).await.unwrap();
    assert_eq!(say(&mut session, "show host").await, "mx2");
    let lines = ["set system host-name mx3".to_owned(), "set broken".to_owned()];
    let refused = session.config(&lines, LONG).await.unwrap_err();
    assert_eq!(refused.to_string(), "the device refused `set broken`: error: invalid value");
    assert_eq!(
        (device.state()["name"].clone(), device.state()["candidate"].clone()),
        (json!("mx2"), json!("mx2"))
    );
    assert_eq!(session.prompt(), "root@mx1>");
}

const VRP: &str = r#"
name = "vrp"
start = "user"
unknown = "                ^\nError: Unrecognized command found at '^' position."
[login]
user = "lab"
password = "secret-word"
user_prompt = "Username:"
password_prompt = "Password:"
[modes.user]
prompt = "<ne1>"
[modes.system]
prompt = "[ne1]"
[modes.port]
prompt = "[ne1-GigabitEthernet0/0/1]"
[state]
name = "ne1"
[[commands]]
command = "screen-length 0 temporary"
output = "Info: The configuration takes effect on the current user terminal interface only."
[[commands]]
command = "system-view"
output = "Enter system view, return user view with Ctrl+Z."
go = "system"
[[commands]]
command = "interface {name}"
modes = ["system"]
go = "port"
[[commands]]
command = "description {text...}"
modes = ["port"]
set = { description = "{{text}}" }
[[commands]]
command = "return"
go = "user"
[[commands]]
command = "display noise"
output = "first\nJan  5 2026 10:00:01+00:00 ne1 %%01IFNET/4/IF_STATE(l)[1]:Interface has turned into UP state.\nsecond"
"#;

#[tokio::test]
async fn vrp_moves_between_views_and_keeps_its_log_lines_out_of_answers() {
    let device = simulated(VRP).await;
    let mut session = session(&device, json!({"profile": "vrp"})).await;
    assert_eq!(say(&mut session, "display noise").await, "first\nsecond");
    let lines = ["interface GigabitEthernet0/0/1".to_owned(), "description to the lab".to_owned()];
    session.config(&lines, LONG).await.unwrap();
    assert_eq!(device.state()["description"], "to the lab");
    assert_eq!(session.prompt(), "<ne1>");
    let refused = session.config(&["descripton x".to_owned()], LONG).await.unwrap_err();
    assert!(matches!(&refused, SessionError::Refused { line, .. } if line == "descripton x"), "{refused}");
    session.level("system", LONG).await.unwrap();
    assert_eq!(session.prompt(), "[ne1]");
    session.level("user", LONG).await.unwrap();
}

const ROUTER: &str = r#"
name = "router"
start = "enable"
[modes.enable]
prompt = "r1#"
[state]
saved = "yes"
[[commands]]
command = "terminal {rest...}"
[[commands]]
command = "show saved"
output = "{{saved}}"
[[commands]]
command = "change"
set = { saved = "no" }
[[commands]]
command = "show notes"
output = "one\n*Mar  1 00:00:09.123: %SYS-5-CONFIG_I: Configured from console\ntwo three"
[[commands]]
command = "reload"
ask = { prompt = "Proceed with reload? [confirm]", answer = "", wrong = "no" }
fault = "reboot"
down = "300ms"
"#;

#[tokio::test]
async fn a_router_is_started_anew_and_waited_for() {
    let device = simulated(ROUTER).await;
    let more = json!({"profile": "ios", "profile_settings": {"reboot": {"pause": "10ms"}}});
    let mut session = session(&device, more).await;
    assert_eq!(say(&mut session, "show notes").await, "one\ntwo three");
    say(&mut session, "change").await;
    assert_eq!(say(&mut session, "show saved").await, "no");
    session.reboot(Some(LONG)).await.unwrap();
    assert_eq!(say(&mut session, "show saved").await, "yes");
}

const UBOOT: &str = r#"
name = "uboot"
start = "boot"
unknown = "Unknown command '{{line}}' - try 'help'"
banner = "\nU-Boot 2023.01 (Jan 01 2026)\n\nHit any key to stop autoboot:  3 "
[modes.boot]
prompt = "=> "
[[commands]]
command = "printenv {name}"
output = "{{name}}=3"
"#;

#[tokio::test]
async fn uboot_is_interrupted_and_asked() {
    let device = simulated(UBOOT).await;
    let mut session = session(&device, json!({"profile": "uboot", "protocol": "tcp"})).await;
    assert_eq!(say(&mut session, "printenv bootdelay").await, "bootdelay=3");
    let refused = say(&mut session, "bot").await;
    assert_eq!(session.refusal(&refused).as_deref(), Some("Unknown command 'bot' - try 'help'"));
}

const ASTERISK: &str = r#"
name = "asterisk"
start = "cli"
redraws = true
unknown = "No such command '{{line}}' (type 'core show help {{line}}' for other possible commands)"
welcome = "Connected to Asterisk 22.10.1 currently running on pbx1 (pid = 7)\n"
[modes.cli]
prompt = "pbx1*CLI> "
[[commands]]
command = "core set {rest...}"
output = "Console verbose is now 0."
[[commands]]
command = "module reload"
delay = "300ms"
output = "Module reloaded."
[[commands]]
command = "core show channels"
output = "Channel              Location             State   Application(Data)\n    -- Called PJSIP/101\n[Nov 21 03:00:00] WARNING[12]: chan_pjsip.c:1 something: odd\n0 active channels"
"#;

#[tokio::test]
async fn asterisk_tells_its_news_elsewhere() {
    let device = simulated(ASTERISK).await;
    let mut session = session(&device, json!({"profile": "asterisk"})).await;
    let shown = say(&mut session, "core show channels").await;
    assert_eq!(
        shown,
        "Channel              Location             State   Application(Data)\n0 active channels"
    );
    // Slower than any settle time, and not judged over when the prompt was drawn.
    assert_eq!(say(&mut session, "module reload").await, "Module reloaded.");
    // One that is too slow for its test is not the answer to the next.
    session.command("module reload", std::time::Duration::from_millis(150)).await.unwrap_err();
    assert_eq!(say(&mut session, "core show channels").await, shown);
    let refused = say(&mut session, "core shwo").await;
    assert!(session.refusal(&refused).is_some(), "{refused}");
}

/// What a real one said, byte for byte, while it was held up: two pieces of an answer, the second after the end of the answer was asked for.
const HELD_UP: &str = r#"stty -onlcr; printf 'pbx1*CLI> '; while read -r line; do case "$line" in
  end-of-answer) printf 'pbx1*CLI> \r\033[0K0 active calls\r\n0 calls processed\r\n\r\r\npbx1*CLI> \r\033[0K'
    printf "No such command 'end-of-answer' (type 'core show help end-of-answer' for other possible commands)\r\n\r\r\npbx1*CLI> ";;
  *) printf 'pbx1*CLI> \r\033[0K0 active channels\r\n\r\r\npbx1*CLI> ';; esac; done"#;

#[tokio::test]
async fn pieces_of_an_answer_between_prompts_are_one_answer() {
    let connect = json!({"protocol": "process", "command": ["sh", "-c", HELD_UP], "profile": "asterisk"});
    let mut session = open(target(std::collections::BTreeMap::new(), connect)).await.unwrap();
    for _ in 0..20 {
        let shown = say(&mut session, "core show channels count").await;
        assert_eq!(shown, "0 active channels\n0 active calls\n0 calls processed");
    }
}

#[tokio::test]
async fn what_a_resource_writes_anew_of_its_profile_must_fit() {
    let device = simulated(ROUTER).await;
    let more = json!({"profile": "ios", "profile_settings": {"promt": "x"}});
    let error = open(target(device.properties("telnet"), more)).await.unwrap_err();
    assert!(error.is_lab() && error.to_string().contains("did you mean `prompt`"), "{error}");
}
