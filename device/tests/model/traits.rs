//! What a device is: its kind, its manners, and what else happens to it.

use std::time::Duration;

use jackfield_tests::dice::Dice;
use serde_json::{Value, json};

use crate::book::FLOOD;

/// What leads to a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// A line that stays as it was left: whoever comes next finds the device where the last one left it.
    Console,
    /// A connection that begins with a login.
    Service,
    /// SSH: the login is over when the device begins to talk.
    Ssh,
}

/// How a device shows what is typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Echo {
    Plain,
    /// Prompt and line are drawn anew at each key.
    Redrawn,
    No,
}

/// How a line comes that is logged at the prompt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Logs {
    /// On a line of its own.
    Line,
    /// The same, in colours.
    Coloured,
    /// Where the cursor stands, behind what was typed, and its line ends as the node's lines do.
    Behind,
    /// Over the prompt, which is wiped for it and drawn again, as vtysh does.
    Over,
}

/// What one device is. A number of type `Option<u64>` is one time in so many; none: never.
#[derive(Clone, Debug)]
pub(crate) struct Traits {
    pub(crate) profile: &'static str,
    /// What its resource says otherwise of the profile.
    pub(crate) settings: Value,
    pub(crate) way: Way,
    pub(crate) prompt: String,
    pub(crate) banner: &'static str,
    pub(crate) crlf: &'static str,
    /// What it is given; `N` is a number.
    pub(crate) commands: Vec<&'static str>,
    pub(crate) echo: Echo,
    /// A piece of what it says is followed by a pause.
    pub(crate) pauses: Option<u64>,
    /// It logs while it waits at its prompt, between two lines of an answer, and within an echo.
    pub(crate) logs: Option<u64>,
    pub(crate) logs_in_answers: Option<u64>,
    pub(crate) logs_in_echoes: Option<u64>,
    pub(crate) log_style: Logs,
    /// It draws its prompt again, and what was typed, after a line that it logged.
    pub(crate) redraws_after_log: bool,
    /// Lines of a page, and whether its pager waits behind the last one too.
    pub(crate) page: Option<usize>,
    pub(crate) pages_at_the_end: bool,
    /// A command is answered late; it is not even read before; it is lost.
    pub(crate) late: Option<u64>,
    pub(crate) deaf: Option<u64>,
    pub(crate) loses: Option<u64>,
    /// It hangs up in the middle of an answer, or is started anew while it waits.
    pub(crate) hangs_up: Option<u64>,
    pub(crate) crashes: Option<u64>,
    /// Somebody has left its console in configuration.
    pub(crate) is_in_config: bool,
    /// It pauses where it hurts: behind signs that end prompts and questions.
    pub(crate) pauses_behind_signs: bool,
    /// What its pager showed stays, and the next page begins on a line of its own.
    pub(crate) pager_stays: bool,
    /// It logs while its pager waits.
    pub(crate) logs_at_pager: Option<u64>,
    /// It logs on and on while it waits at its prompt.
    pub(crate) logs_every: Option<Duration>,
    /// Lines above its prompt.
    pub(crate) above: &'static str,
    /// Where it echoes nothing, it does not show the end of a line either, as a terminal does not.
    pub(crate) ends_unseen: bool,
}

const BANNERS: &[&str] = &[
    "",
    "Welcome. Access denied to strangers.\r\n",
    "##############\r\n# Lab only   #\r\n##############\r\n",
    "Login: ask the lab manager\r\nPassword: see the label\r\n",
    "Last login: Monday from 10.0.0.1\r\n100% of use is logged #\r\n",
];

/// Profiles, and prompts of devices of their kind.
const KINDS: &[(&str, &[&str])] = &[
    ("ios", &["R1#", "sw-core-1>", "edge.lab#"]),
    ("ios", &["R1#"]),
    ("asa", &["ciscoasa# ", "ciscoasa/act> "]),
    ("frr", &["r1# ", "frr-2> "]),
    ("osmocom", &["OsmoHLR# ", "OsmoMSC> "]),
    ("generic", &["# ", "$ ", "box$ ", "[root@box ~]# "]),
    ("linux", &["# ", "root@box:~# ", "lab@box:~$ "]),
    ("mml", &["\x03<"]),
];

impl Traits {
    /// The device of a seed. What was added to the model later falls by dice of its own: most seeds play the device that they always did, so
    /// that those stay true which are known to see a fault.
    pub(crate) fn of_seed(seed: u64, dice: &mut Dice) -> Self {
        let mut traits = Self::of(dice);
        traits.add_more(&mut Dice::new(!seed));
        traits
    }

    fn of(dice: &mut Dice) -> Self {
        let (profile, prompts) = dice.pick(KINDS).copied().unwrap();
        let way = dice.pick(&[Way::Console, Way::Service, Way::Ssh]).copied().unwrap();
        let echo = match dice.below(8) {
            0 => Echo::No,
            1 if profile != "linux" => Echo::Redrawn,
            _ => Echo::Plain,
        };
        let logs = !matches!(profile, "generic" | "mml");
        let mut now_and_then = |in_so_many: u64, many: u64| {
            let happens = dice.one_in(in_so_many);
            let many = dice.below(many) + 2;
            happens.then_some(many)
        };
        let mut traits = Self {
            profile,
            settings: json!({}),
            way,
            prompt: String::new(),
            banner: "",
            crlf: "\r\n",
            commands: Vec::new(),
            echo,
            pauses: now_and_then(2, 12),
            logs: now_and_then(2, 5).filter(|_| logs),
            logs_in_answers: now_and_then(3, 9).filter(|_| logs),
            logs_in_echoes: now_and_then(4, 30).filter(|_| logs),
            log_style: Logs::Line,
            redraws_after_log: false,
            page: now_and_then(3, 6).and_then(|lines| usize::try_from(lines).ok()),
            pages_at_the_end: false,
            late: now_and_then(3, 4),
            deaf: now_and_then(5, 4),
            loses: now_and_then(12, 4),
            hangs_up: now_and_then(12, 10),
            crashes: now_and_then(12, 10),
            is_in_config: false,
            pauses_behind_signs: false,
            pager_stays: false,
            logs_at_pager: None,
            logs_every: None,
            above: "",
            ends_unseen: false,
        };
        traits.prompt = (*dice.pick(prompts).unwrap()).to_owned();
        traits.banner = dice.pick(BANNERS).copied().unwrap();
        traits.crlf = if dice.one_in(6) { "\n\r" } else { "\r\n" };
        traits.redraws_after_log = dice.one_in(2);
        traits.pages_at_the_end = dice.one_in(2);
        traits.is_in_config = traits.prompt == "R1#" && way == Way::Console && dice.one_in(2);
        if profile == "generic" && dice.one_in(3) {
            traits.settings = json!({"redrawn": ["<<redraw>>"]});
        }
        if matches!(profile, "linux" | "mml") {
            traits.page = None;
        }
        // A shell does not know that the kernel has written over its prompt.
        traits.redraws_after_log &= profile != "linux";
        traits.log_style = match (profile, dice.below(3)) {
            ("ios" | "asa" | "frr", 1) => Logs::Coloured,
            ("frr", 2) => Logs::Over,
            ("linux" | "osmocom", 1) => Logs::Behind,
            _ => Logs::Line,
        };
        traits.redraws_after_log |= traits.log_style == Logs::Over;
        traits.redraws_after_log &= traits.log_style != Logs::Behind;
        if profile == "mml" {
            // A terminal for orders is simple, and there is nothing that its prompt could be asked with.
            traits = Self { echo: Echo::Plain, late: None, deaf: None, loses: None, crashes: None, ..traits };
        }
        traits.commands = commands(&traits);
        traits
    }

    fn add_more(&mut self, dice: &mut Dice) {
        let mut one_in = |many: u64, applies: bool| dice.one_in(many) && applies;
        let (logs, pages) = (!matches!(self.profile, "generic" | "mml"), self.page.is_some());
        if one_in(6, self.profile != "mml") {
            (self.pauses_behind_signs, self.pauses) = (true, Some(3));
        }
        // Where the pager cannot be turned off, an empty line at a text that pauses turns a page: see `docs/roadmap.md`.
        self.pager_stays = one_in(5, pages && self.profile != "generic");
        if one_in(5, pages && logs) {
            self.logs_at_pager = Some(2);
        }
        // A name of one letter is none that could be told from any other line.
        if one_in(8, matches!(self.prompt.as_str(), "R1#" | "r1# " | "ciscoasa# ")) {
            let name = self.prompt.find(|letter: char| !letter.is_ascii_alphanumeric()).unwrap_or_default();
            self.prompt.replace_range(1..name, "");
        }
        if one_in(10, self.profile == "linux") {
            self.logs_every = Some(Duration::from_millis(200));
        }
        // Lines above that are drawn again behind a log line, or stand behind a line that was not ended, are open: see `docs/roadmap.md`.
        let is_told = self.profile != "mml" && !logs_at_all(self);
        if one_in(10, is_told) {
            self.commands.retain(|command| !command.starts_with("show partial"));
            self.above = "(lab) [~]\r\n";
        }
        let is_calm = !logs_at_all(self);
        self.ends_unseen = one_in(3, is_calm && (self.echo == Echo::No || self.profile == "linux"));
        // A test that reads the log again and again, while more is logged.
        let reads = "show logging N";
        if one_in(6, self.commands.contains(&reads)) {
            self.commands.retain(|command| matches!(*command, "show clock N") || *command == reads);
        }
    }

    /// Whether a command may go without an answer, or the session may, for what happens to the device.
    pub(crate) fn is_nasty(&self) -> bool {
        self.loses.is_some() || self.hangs_up.is_some() || self.crashes.is_some()
    }

    /// A line that it logs.
    pub(crate) fn log_line(&self, number: u32) -> String {
        match self.profile {
            "frr" => format!("2026/11/29 10:00:00.123 BGP: neighbour 10.0.0.2 is up ({number})"),
            "asa" => {
                format!("Nov 29 2026 10:00:00: %ASA-6-302013: Built outbound TCP connection ({number})")
            }
            "osmocom" => format!("<0013> lu.c:12 a subscriber came ({number})"),
            "linux" => format!("[   12.345678][    T1] usb 1-1: new high-speed device ({number})"),
            _ => {
                format!(
                    "*Mar  1 00:10:01.123: %LINK-3-UPDOWN: Interface Gi0/1, changed state to up ({number})"
                )
            }
        }
    }

    /// What its pager shows.
    pub(crate) fn pager(&self) -> &'static str {
        match self.profile {
            "asa" => "<--- More --->",
            "frr" | "osmocom" => "--More--",
            _ => " --More-- ",
        }
    }
}

fn logs_at_all(traits: &Traits) -> bool {
    traits.logs.or(traits.logs_in_answers).or(traits.logs_in_echoes).or(traits.logs_at_pager).is_some()
        || traits.logs_every.is_some()
}

fn commands(traits: &Traits) -> Vec<&'static str> {
    if traits.profile == "mml" {
        return vec!["CACLP:N;", "STRSP:R=N;", "STRSP:R=N;"];
    }
    let mut commands = vec![
        "show clock N",
        "show lines N",
        "show own N",
        "show own",
        "show config N",
        "show comments N",
        "show asked N",
        "show partial N",
        "show empty N",
        "show codes N",
        "clear N",
        "delete N",
        "copy N",
        "unlock N",
    ];
    let is_logged = traits.logs.or(traits.logs_in_answers).or(traits.logs_in_echoes).is_some();
    // What is logged unasked just before a log that is asked for can be told from it by what is drawn between them alone.
    let is_told = traits.echo == Echo::Plain
        && traits.log_style != Logs::Over
        && (traits.logs_in_echoes.is_none() || traits.redraws_after_log);
    if traits.profile == "linux" && !is_logged {
        commands.push("dmesg N");
    } else if !matches!(traits.profile, "linux" | "generic") && (!is_logged || is_told) {
        commands.push("show logging N");
    }
    if matches!(traits.profile, "ios" | "asa" | "frr") && traits.echo == Echo::Plain && !is_logged {
        commands.push("show ?");
    }
    if is_logged && traits.log_style == Logs::Over {
        // It thinks that its prompt is all of its line, and wipes what stands before it.
        commands.retain(|command| !command.starts_with("show partial"));
    }
    let is_calm = !traits.is_nasty() && traits.pauses.is_none() && traits.page.is_none();
    if is_calm && traits.profile == "ios" && traits.logs.is_none() && traits.echo == Echo::Plain {
        commands.push(FLOOD);
    }
    if traits.settings.get("redrawn").is_some() {
        commands.push("show drawn N");
    }
    commands
}
