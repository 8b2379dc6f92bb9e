//! Shipped profiles, each driven against a device that speaks as its kind does (a model in `kinds/`): login, levels, pager, configuration
//! that is taken and that is refused, refusals, news in the middle of answers, what `show version` says, logout.

use jackfield_config::simulated::DeviceModel;
use jackfield_device::{
    session::{Session, SessionError},
    simulate::{Listen, Running, serve},
    textfsm::Templates,
};
use serde_json::{Value, json};

use crate::{LONG, open, peers::installed, properties, target};

/// What all models answer to `show pages`, page by page or whole.
const PAGES: &str = "one\ntwo\nthree\nfour\nfive\nsix\nseven";

/// What is particular to a kind.
struct Kind {
    profile: &'static str,
    model: &'static str,
    more: Value,
    /// Its prompt after the login.
    prompt: &'static str,
    /// A command that is refused, and the words.
    refused: (&'static str, &'static str),
    config: Option<Config>,
    /// A command with news in its middle, where the kind has any.
    noise: bool,
    /// What tells of the device, and what is read of it.
    facts: Option<(&'static str, Value)>,
}

/// Configuration that sets the name, and one that is refused behind a line that is taken.
struct Config {
    taken: &'static [&'static str],
    name: &'static str,
    wrong: &'static [&'static str],
    refused: &'static str,
}

macro_rules! kind {
    ($name:ident: $profile:literal, $prompt:literal, $refused:expr, $($field:ident: $value:expr),* $(,)?) => {
        #[tokio::test]
        async fn $name() {
            let plain = Kind {
                profile: $profile, model: include_str!(concat!("kinds/", stringify!($name), ".toml")), more: json!({}),
                prompt: $prompt, refused: $refused, config: None, noise: false, facts: None,
            };
            drive(&Kind { $($field: $value,)* ..plain }).await;
        }
    };
}

async fn device(kind: &Kind) -> Running {
    let model =
        DeviceModel::parse(kind.profile, kind.model).unwrap_or_else(|problems| panic!("{problems:#?}"));
    serve(model, Listen::default()).await.unwrap()
}

async fn enter(kind: &Kind, device: &Running, way: &str, more: Value) -> Session {
    let mut all = json!({"profile": kind.profile, "enable_password": "enable-word"});
    all.as_object_mut().unwrap().extend(kind.more.as_object().unwrap().clone());
    all.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    open(target(properties(device, way), all))
        .await
        .unwrap_or_else(|why| panic!("{} {way}: {why}", kind.profile))
}

fn lines(lines: &[&str]) -> Vec<String> {
    lines.iter().map(|line| (*line).to_owned()).collect()
}

async fn drive(kind: &Kind) {
    for way in ["telnet", "russh"] {
        let device = device(kind).await;
        let mut session = enter(kind, &device, way, json!({})).await;
        assert_eq!(session.prompt(), kind.prompt, "{way}");
        asked(kind, &mut session).await;
        if let Some(config) = &kind.config {
            configured(kind, config, &device, &mut session).await;
        }
        session.close().await;
        // The device hears of it in its own time.
        tokio::time::timeout(LONG, async {
            while device.state()["left"] != "yes" {
                tokio::task::yield_now().await;
            }
        })
        .await
        .unwrap_or_else(|_| panic!("{} {way}: nobody logged out", kind.profile));
        if kind.model.contains("[pager]") {
            let mut session = enter(kind, &device, way, json!({"profile_settings": {"setup": []}})).await;
            assert_eq!(session.command("show pages", LONG).await.unwrap(), PAGES, "{way}, paged");
        }
    }
}

async fn asked(kind: &Kind, session: &mut Session) {
    let mut say = async |command: &str| session.command(command, LONG).await.unwrap();
    for _ in 0..3 {
        if kind.model.contains("show pages") {
            assert_eq!(say("show pages").await, PAGES);
        }
        if kind.noise {
            assert_eq!(say("show noise").await, "first\nsecond");
        }
    }
    let facts = match &kind.facts {
        None => None,
        Some((command, wanted)) => Some((command, say(command).await, wanted)),
    };
    let (wrong, words) = kind.refused;
    let answer = say(wrong).await;
    assert_eq!(session.refusal(&answer).as_deref(), Some(words), "{answer}");
    if let Some((command, text, wanted)) = facts {
        assert_eq!(session.refusal(&text), None, "{text}");
        let template = Templates::default().for_command(session.platform(), command).unwrap();
        let rows = template.run(&text).unwrap().objects();
        assert_eq!(json!(rows), json!([wanted]));
    }
}

async fn configured(kind: &Kind, config: &Config, device: &Running, session: &mut Session) {
    let wrong = session.config(&lines(config.wrong), LONG).await.unwrap_err();
    let last = config.wrong.last().unwrap();
    let is_refusal = |error: &SessionError| {
        matches!(error, SessionError::Refused { line, answer }
            if answer == config.refused && (line == last || line == "commit"))
    };
    assert!(is_refusal(&wrong), "{wrong}");
    assert_eq!(shape(&session.prompt()), shape(kind.prompt), "the mode was left");
    session.config(&lines(config.taken), LONG).await.unwrap();
    assert_eq!(device.state()["name"], config.name);
    for candidate in ["candidate", "edited"] {
        assert!(
            device.state().get(candidate).is_none_or(|value| value == config.name),
            "nothing is left over"
        );
    }
    if kind.model.contains("show pages") {
        assert_eq!(session.command("show pages", LONG).await.unwrap(), PAGES);
    }
}

/// A prompt without what counts commands, and without the mark of what is not saved.
fn shape(prompt: &str) -> String {
    prompt.trim_start_matches("* ").chars().filter(|letter| !letter.is_ascii_digit()).collect()
}

kind!(eos: "eos", "leaf1#", ("shwo", "% Invalid input (at token 1: 'shwo')"),
    more: json!({"level": "privileged"}), noise: true,
    config: Some(Config { taken: &["hostname leaf1-new"], name: "leaf1-new", wrong: &["hostname leaf1", "hostnam x"], refused: "% Invalid input (at token 1: 'hostnam x')" }),
    facts: Some(("show version", json!({"MODEL": "DCS-7050TX-64-R", "VERSION": "4.27.3F", "SERIAL": "JPE14080459", "UPTIME": "3 weeks, 2 days, 4 hours and 5 minutes"}))));

kind!(nxos: "nxos", "n9k#", ("shwo", "% Invalid command at '^' marker."),
    noise: true,
    config: Some(Config { taken: &["hostname n9k-new"], name: "n9k-new", wrong: &["hostnam x"], refused: "% Invalid command at '^' marker." }),
    facts: Some(("show version", json!({"HOSTNAME": "n9k", "MODEL": "Nexus9000 C93180YC-EX", "VERSION": "9.3(8)", "SERIAL": "FDO21120U8N", "UPTIME": "125 day(s), 20 hour(s), 48 minute(s), 6 second(s)"}))));

kind!(iosxr: "iosxr", "RP/0/RP0/CPU0:xr1#", ("shwo", "% Invalid input detected at '^' marker."),
    noise: true,
    config: Some(Config { taken: &["hostname xr1-new"], name: "xr1-new", wrong: &["hostname xr2", "router bgp 0"], refused: "% Failed to commit one or more configuration items during a pseudo-atomic operation. All changes made have been reverted." }),
    facts: Some(("show version", json!({"VERSION": "7.5.2", "UPTIME": "5 weeks 3 days 2 hours 41 minutes"}))));

kind!(asa: "asa", "ciscoasa#", ("shwo", "ERROR: % Invalid input detected at '^' marker."),
    more: json!({"level": "privileged"}), noise: true,
    config: Some(Config { taken: &["hostname ciscoasa-new"], name: "ciscoasa-new", wrong: &["hostnam x"], refused: "ERROR: % Invalid input detected at '^' marker." }),
    facts: Some(("show version", json!({"HOSTNAME": "ciscoasa", "MODEL": "ASA5516", "VERSION": "9.16(3)", "SERIAL": "JAD214807XR", "UPTIME": "52 days 3 hours"}))));

kind!(sros: "sros", "A:pe1#", ("shwo", "Error: Bad command."),
    config: Some(Config { taken: &["system", "name pe2"], name: "pe2", wrong: &["system", "nmae pe3"], refused: "Error: Bad command." }),
    facts: Some(("show system information", json!({"HOSTNAME": "pe1", "MODEL": "7750 SR-12", "VERSION": "C-20.10.R5", "UPTIME": "92 days, 04:13:41.37"}))));

kind!(sros_md: "sros-md", "A:admin@pe1#", ("shwo", "MINOR: MGMT_CORE #2201: Unknown element - 'shwo'"),
        config: Some(Config { taken: &["configure system name pe1-new"], name: "pe1-new", wrong: &["configure system name pe3", "configure sytem"], refused: "MINOR: MGMT_CORE #2201: Unknown element - 'configure sytem'" }),
        facts: Some(("show system information", json!({"HOSTNAME": "pe1", "MODEL": "7750 SR-12", "VERSION": "B-23.10.R1", "UPTIME": "92 days, 04:13:41.37"}))));

kind!(srlinux: "srlinux", "A:srl1#", ("shwo", "Parsing error: Unknown token 'shwo'. Options are ['!', '/', 'acl', 'bash']"),
    config: Some(Config { taken: &["set / system name host-name srl1-new"], name: "srl1-new", wrong: &["set / system name host-name srl2", "set / sytem"], refused: "Parsing error: Unknown token 'set / sytem'. Options are ['!', '/', 'acl', 'bash']" }),
    facts: Some(("show version", json!({"HOSTNAME": "srl1", "MODEL": "7220 IXR-D2L", "VERSION": "v23.10.1", "SERIAL": "SRL23X0042", "BOOTED": "2026-01-05T07:36:11.000Z"}))));

kind!(routeros: "routeros", "[lab@MikroTik] >", ("/sytem", "bad command name /sytem (line 1 column 1)"),
    config: Some(Config { taken: &["/system identity set name=gate"], name: "gate", wrong: &["/sytem identity"], refused: "bad command name /sytem identity (line 1 column 1)" }),
    facts: Some(("/system resource print", json!({"MODEL": "RB5009UG+S+", "VERSION": "7.10 (stable)", "UPTIME": "3w4d5h6m7s"}))));

kind!(procurve: "procurve", "HP-2530-48G#", ("shwo", "Invalid input: shwo"),
    more: json!({"level": "manager"}),
    config: Some(Config { taken: &["hostname HP-2530-48P"], name: "HP-2530-48P", wrong: &["hostnam x"], refused: "Invalid input: hostnam x" }),
    facts: Some(("show system", json!({"HOSTNAME": "HP-2530-48G", "VERSION": "YA.16.11.0002", "SERIAL": "CN52FP62HM", "UPTIME": "49 days"}))));

kind!(fortios: "fortios", "FGT1 #", ("shwo", "Unknown action 0"),
    config: Some(Config { taken: &["config system global", "set hostname FGT1-new", "end"], name: "FGT1-new", wrong: &["config system global", "set hostname FGT2", "set hostnam FGT3"], refused: "command parse error before 'hostnam'" }),
    facts: Some(("get system status", json!({"HOSTNAME": "FGT1", "MODEL": "FortiGate-60F", "VERSION": "7.2.4", "SERIAL": "FGT60FTK20001234"}))));

kind!(panos: "panos", "lab@PA-VM(active)>", ("shwo", "Invalid syntax."),
    config: Some(Config { taken: &["set deviceconfig system hostname PA-VM-new"], name: "PA-VM-new", wrong: &["set deviceconfig system hostname PA-2", "set decive"], refused: "Invalid syntax." }),
    facts: Some(("show system info", json!({"HOSTNAME": "PA-VM", "MODEL": "PA-VM", "VERSION": "10.2.3", "SERIAL": "007051000012345", "UPTIME": "5 days, 2:03:04"}))));

kind!(aoscx: "aoscx", "cx1#", ("shwo", "Invalid input: shwo"),
    config: Some(Config { taken: &["hostname cx1-new"], name: "cx1-new", wrong: &["hostnam x"], refused: "Invalid input: hostnam x" }),
    facts: Some(("show system", json!({"HOSTNAME": "cx1", "MODEL": "JL668A 6300F 24G 4SFP56 Swch", "VERSION": "FL.10.09.1020", "SERIAL": "SG03KMY0WR", "UPTIME": "2 weeks, 1 day, 16 hours, 28 minutes"}))));

kind!(os10: "os10", "OS10#", ("shwo", "% Error: Unrecognized command."),
    config: Some(Config { taken: &["hostname OS10-new"], name: "OS10-new", wrong: &["hostnam x"], refused: "% Error: Unrecognized command." }),
    facts: Some(("show version", json!({"MODEL": "S4148F-ON", "VERSION": "10.5.3.4", "UPTIME": "3 days 02:50:18"}))));

kind!(zte: "zte", "ZXR10#", ("shwo", "%Error 20200: Invalid input detected at '^' marker."),
    more: json!({"level": "privileged"}),
    config: Some(Config { taken: &["hostname ZXR11"], name: "ZXR11", wrong: &["hostnam x"], refused: "%Error 20200: Invalid input detected at '^' marker." }),
    facts: Some(("show version", json!({"MODEL": "5960-52TM-H", "VERSION": "V2.09.37", "UPTIME": "12 day(s), 3 hour(s), 22 minute(s)"}))));

kind!(exos: "exos", "X440G2.2 #", ("shwo", "%% Invalid input detected at '^' marker."),
    config: Some(Config { taken: &["configure snmp sysName X440G2-new"], name: "X440G2-new", wrong: &["configur snmp"], refused: "%% Invalid input detected at '^' marker." }),
    facts: Some(("show version", json!({"SERIAL": "1503N-40632", "VERSION": "30.7.1.1"}))));

kind!(omniswitch: "omniswitch", "->", ("shwo", "ERROR: Invalid entry: \"shwo\""),
    config: Some(Config { taken: &["system name OS6860-new"], name: "OS6860-new", wrong: &["sytem name x"], refused: "ERROR: Invalid entry: \"sytem name x\"" }),
    facts: Some(("show system", json!({"HOSTNAME": "OS6860", "MODEL": "OS6860E-24", "VERSION": "8.7.98.R03", "UPTIME": "9 days 4 hours 12 minutes and 33 seconds"}))));

kind!(vyos: "vyos", "lab@vyos:~$", ("shwo", "Invalid command: [shwo]"),
    config: Some(Config { taken: &["set system host-name vyos-new"], name: "vyos-new", wrong: &["set system host-name vyos2", "set sytem"], refused: "Configuration path: [sytem] is not valid" }),
    facts: Some(("show version", json!({"VERSION": "1.3.2", "SERIAL": "VY0042"}))));

kind!(junos_re: "junos", "lab@mx1>", ("shwo", "unknown command."),
    config: Some(Config { taken: &["set system host-name mx1-new"], name: "mx1-new", wrong: &["set system host-name mx2", "set sytem"], refused: "unknown command." }));

kind!(vrp8: "vrp8", "<ne8>", ("dispaly", "Error: Unrecognized command found at '^' position."),
    config: Some(Config { taken: &["sysname ne8-new"], name: "ne8-new", wrong: &["sysname ne9", "sysnam x"], refused: "Error: Unrecognized command found at '^' position." }));

kind!(mml: "mml", "\u{3}<", ("XXXXX;", "NOT ACCEPTED"),
    config: Some(Config { taken: &["EXNAC:NAME=AXE2;"], name: "AXE2", wrong: &["EXNAC:NAM=AXE3;"], refused: "NOT ACCEPTED" }));

#[tokio::test]
async fn the_result_of_an_order_is_its_answer_however_late() {
    let plain = Kind {
        profile: "mml",
        model: include_str!("kinds/mml.toml"),
        more: json!({}),
        prompt: "<",
        refused: ("", ""),
        config: None,
        noise: false,
        facts: None,
    };
    let device = device(&plain).await;
    for way in ["telnet", "russh"] {
        let mut session = enter(&plain, &device, way, json!({})).await;
        for _ in 0..2 {
            let result = session.command("STRSP:R=ALL;", LONG).await.unwrap();
            assert!(result.contains("DEVICE STATE SURVEY\nTRK1      30    12\nEND"), "{result}");
            assert_eq!(session.command("CACLP;", LONG).await.unwrap(), "DATE    TIME\n240102  101010\nEND");
        }
    }
}

#[tokio::test]
async fn vrp_does_not_change_a_password_that_it_asks_to_be_changed() {
    let model = r#"
name = "vrp"
start = "user"
[login]
user = "lab"
password = "secret-word"
[[login.asks]]
text = "Info: The password is going to expire in 3 days.\n"
prompt = "The password needs to be changed. Change now? [Y/N]:"
answer = "n"
after_password = true
[modes.user]
prompt = "<ne1>"
[[commands]]
command = "display clock"
output = "2026-01-05 10:00:01"
"#;
    let model = DeviceModel::parse("vrp", model).unwrap_or_else(|problems| panic!("{problems:#?}"));
    let device = serve(model, Listen::default()).await.unwrap();
    for way in ["telnet", "russh"] {
        let mut session = open(target(properties(&device, way), json!({"profile": "vrp"}))).await.unwrap();
        assert_eq!(session.command("display clock", LONG).await.unwrap(), "2026-01-05 10:00:01", "{way}");
    }
}

/// Shells without a line editor, and with one; their prompt is as bare as a comment.
#[tokio::test]
async fn root_shells_of_dash_and_ash_are_driven() {
    for (program, shell) in [("dash", "PS1='# ' dash -i"), ("busybox", "PS1='# ' busybox ash -i")] {
        if !installed(&format!("/usr/bin/{program}"), program) {
            continue;
        }
        let connect = json!({"protocol": "process", "command": shell, "profile": "linux"});
        let mut session = open(target([], connect)).await.unwrap_or_else(|why| panic!("{shell}: {why}"));
        for round in 0..3 {
            let text = session.command("printf '# one\\n# two\\n'; printf '# three'", LONG).await.unwrap();
            assert_eq!(text, "# one\n# two\n# three", "{shell}");
            assert_eq!(
                session.command(&format!("echo {round}"), LONG).await.unwrap(),
                round.to_string(),
                "{shell}"
            );
        }
        let missing = session.command("no-such-command", LONG).await.unwrap();
        assert!(session.refusal(&missing).is_some(), "{shell}: {missing}");
    }
}
