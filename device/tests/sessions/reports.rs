//! What people have reported of tools that drive devices, one test a kind, where no peer of ours shows the same: each device is the smallest one that
//! does it, and speaks the bytes that were reported.

use std::time::Duration;

use jackfield_device::{
    channel::Raw,
    session::{Session, SessionError},
};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};

use crate::{settings, target};

pub(crate) const TIMEOUT: Duration = Duration::from_secs(40);
const PASSWORD: &str = "lab-secret-99";

/// The device's end of a console.
pub(crate) struct Far {
    line: DuplexStream,
    typed: Vec<String>,
}

impl Far {
    pub(crate) async fn says(&mut self, bytes: impl AsRef<[u8]>) {
        // Who has hung up hears no more.
        drop(self.line.write_all(bytes.as_ref()).await);
    }

    async fn slowly(&mut self, text: &str) {
        for byte in text.as_bytes() {
            self.says([*byte]).await;
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    /// The next key, unechoed.
    pub(crate) async fn key(&mut self) -> Option<u8> {
        self.line.read_u8().await.ok()
    }

    /// A line, echoed or not; none when nobody is there.
    async fn line(&mut self, echoes: bool) -> Option<String> {
        let line = self.typed(echoes).await?;
        self.says("\r\n").await;
        Some(line)
    }

    /// The same where nothing is said of its end.
    pub(crate) async fn typed(&mut self, echoes: bool) -> Option<String> {
        let mut taken = Vec::new();
        loop {
            let key = self.line.read_u8().await.ok()?;
            if matches!(key, b'\r' | b'\n') {
                let line = String::from_utf8_lossy(&taken).into_owned();
                self.typed.push(line.clone());
                return Some(line);
            }
            taken.push(key);
            if echoes {
                self.says([key]).await;
            }
        }
    }

    /// A line that was typed at a prompt, of which nothing is shown yet.
    pub(crate) async fn takes(&mut self, prompt: &str) -> Option<String> {
        self.says(prompt).await;
        self.typed(false).await
    }

    pub(crate) async fn asks(&mut self, question: &str, echoes: bool) -> Option<String> {
        self.says(question).await;
        self.line(echoes).await
    }

    /// Answers commands at its prompt until somebody says `exit`.
    pub(crate) async fn shell(&mut self, prompt: &str, answers: &[(&str, &str)]) -> Option<()> {
        loop {
            let command = self.asks(prompt, true).await?;
            if command == "exit" {
                return None;
            }
            let answer = answers.iter().find(|(known, _)| *known == command);
            self.says(answer.map_or("", |(_, text)| text)).await;
        }
    }
}

/// What a session makes of a device: its answers, or the first error; and what the device was told.
pub(crate) async fn told(
    more: Value,
    device: impl AsyncFnOnce(&mut Far) -> Option<()>,
    test: impl AsyncFnOnce(&mut Session) -> Result<(), SessionError>,
) -> (Result<(), String>, Vec<String>) {
    let (near, line) = tokio::io::duplex(64 * 1024);
    let mut far = Far { line, typed: Vec::new() };
    let (_folder, mut settings) = settings();
    settings.settle = None;
    let mut all =
        json!({"protocol": "tcp", "host": "console", "port": 1, "user": "lab", "password": PASSWORD});
    all.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let driven = async {
        let session =
            Session::over(Box::new(Raw::new(near)), target([], all), &settings, TIMEOUT, Vec::new()).await;
        let mut session = session.map_err(|why| why.to_string())?;
        test(&mut session).await.map_err(|why| why.to_string())
    };
    let does = async {
        let _gone = device(&mut far).await;
        // A console stays when nobody talks.
        std::future::pending::<()>().await;
    };
    let result = tokio::select! {
        result = driven => result,
        () = does => unreachable!("it is pending"),
    };
    (result, far.typed)
}

pub(crate) async fn says(session: &mut Session, command: &str, wanted: &str) -> Result<(), SessionError> {
    assert_eq!(session.command(command, TIMEOUT).await?, wanted, "{command}");
    Ok(())
}

pub(crate) async fn log_in(far: &mut Far) -> Option<()> {
    far.asks("\r\nUser Access Verification\r\n\r\nUsername: ", true).await?;
    far.asks("Password: ", false).await?;
    far.says("\r\n").await;
    Some(())
}

/// netmiko PR 315, #1062, #2107: a console that waits for RETURN, and one that says nothing before it.
#[tokio::test(start_paused = true)]
async fn a_console_waits_for_return() {
    for (profile, hint, prompt) in [
        (
            "ios",
            "\r\n\r\nR1 con0 is now available\r\n\r\n\r\n\r\nPress RETURN to get started.\r\n\r\n",
            "R1>",
        ),
        ("ios", "", "R1>"),
        ("junos", "\r\nPress Enter to continue\r\n", "lab@mx1> "),
        ("vrp", "\r\nPlease Press ENTER.\r\n", "<ne1>"),
        ("frr", "\r\nPress any key to continue...", "r1> "),
        ("ios", "Press RETURN to get started!\r\n", "R1>"),
    ] {
        let (result, _) = told(
            json!({"profile": profile}),
            async |far| {
                far.says(hint).await;
                far.line(false).await?;
                far.shell(prompt, &[("show clock", "12:00\r\n"), ("display clock", "12:00\r\n")]).await
            },
            async |session| says(session, "show clock", "12:00").await,
        )
        .await;
        result.unwrap_or_else(|why| panic!("{profile}, {hint:?}: {why}"));
    }
}

/// netmiko #807: a password that has expired is told as such, and changed only where the lab wants it.
#[tokio::test(start_paused = true)]
async fn an_expired_password_is_told_or_changed() {
    let device = async |far: &mut Far| -> Option<()> {
        log_in(far).await?;
        far.says(
            "WARNING: Your password has expired.\r\nYou must change your password now and login again!\r\n",
        )
        .await;
        if far.asks("Current password: ", false).await? != PASSWORD {
            return None;
        }
        if far.asks("New password: ", false).await? != "another-word-1" {
            return None;
        }
        far.asks("Retype new password: ", false).await?;
        far.says("passwd: password updated successfully\r\n").await;
        far.shell("box$ ", &[("echo", "fine\r\n")]).await
    };
    let (result, typed) = told(json!({"profile": "generic"}), device, async |_| Ok(())).await;
    let why = result.unwrap_err();
    assert!(why.contains("expired") && why.contains("`new_password`"), "{why}");
    assert_eq!(typed, ["lab", PASSWORD], "nothing was changed");
    let changed = json!({"profile": "generic", "new_password": "another-word-1"});
    let (result, _) = told(changed, device, async |session| says(session, "echo", "fine").await).await;
    result.unwrap();
}

/// netmiko PR 628 and #187: `enable` is refused in the device's own words, or asks for user and password.
#[tokio::test(start_paused = true)]
async fn enable_asks_and_refuses_as_it_likes() {
    for (words, wanted) in [
        ("% No password set\r\n", "% No password set"),
        ("Password: \r\n% Bad secrets\r\n", "% Bad secrets"),
        ("% Error in authentication.\r\n", "% Error in authentication."),
    ] {
        let (result, _) = told(
            json!({"profile": "ios", "level": "privileged", "enable_password": "enable-word"}),
            async |far| {
                log_in(far).await?;
                far.shell("R1>", &[("enable", words)]).await
            },
            async |_| Ok(()),
        )
        .await;
        let why = result.unwrap_err();
        assert!(why.contains(wanted), "{words:?}: {why}");
        assert!(!why.contains("enable-word"), "{why}");
    }
    let (result, typed) = told(
        json!({"profile": "ios", "level": "privileged", "enable_password": "enable-word"}),
        async |far| {
            log_in(far).await?;
            while far.asks("R1>", true).await? != "enable" {}
            far.asks("Username: ", true).await?;
            far.asks("Password: ", false).await?;
            far.shell("R1#", &[("show clock", "12:00\r\n")]).await
        },
        async |session| says(session, "show clock", "12:00").await,
    )
    .await;
    result.unwrap();
    let at = typed.iter().position(|line| line == "enable").unwrap();
    assert_eq!(typed.get(at + 1..at + 3).unwrap(), ["lab", "enable-word"]);
}

/// netmiko #3692: a commit that is refused behind an empty line is told with the words of the refusal.
#[tokio::test(start_paused = true)]
async fn a_refusal_behind_an_empty_line_is_told() {
    let (result, typed) = told(
        json!({"profile": "junos"}),
        async |far| {
            log_in(far).await?;
            let mut prompt = "lab@mx1> ";
            loop {
                let line = far.asks(prompt, true).await?;
                match line.split(' ').next()? {
                    "configure" => prompt = "lab@mx1# ",
                    "commit" => {
                        far.says("\r\nerror: missing mandatory statement: 'area'\r\nerror: commit failed: (statements constraint check failed)\r\n").await;
                    }
                    "rollback" => far.says("load complete\r\n").await,
                    "exit" | "quit" if prompt.ends_with("# ") => prompt = "lab@mx1> ",
                    _ => {}
                }
            }
        },
        async |session| session.config(&["set protocols ospf".to_owned()], TIMEOUT).await.map(drop),
    )
    .await;
    let why = result.unwrap_err();
    assert!(why.contains("error: missing mandatory statement: 'area'"), "{why}");
    assert!(typed.iter().any(|line| line.starts_with("rollback")), "{typed:?}");
}

/// ansible #22216: a banner of several lines, and one whose end never comes: nothing is typed into it.
#[tokio::test(start_paused = true)]
async fn a_banner_is_configured_whole_or_not_begun() {
    let device = async |far: &mut Far| -> Option<()> {
        log_in(far).await?;
        let mut prompt = "R1#";
        loop {
            let line = far.asks(prompt, true).await?;
            match line.as_str() {
                "configure terminal" => prompt = "R1(config)#",
                "end" => prompt = "R1#",
                "banner motd ^" => {
                    far.says("Enter TEXT message.  End with the character '^'.\r\n").await;
                    while far.line(true).await? != "^" {}
                }
                _ => {}
            }
        }
    };
    let lines = |lines: &[&str]| lines.iter().map(|line| (*line).to_owned()).collect::<Vec<_>>();
    let (result, typed) = told(json!({"profile": "ios"}), device, async |session| {
        session
            .config(
                &lines(&["hostname R1", "banner motd ^", "no strangers", "end # here", "^", "line 1"]),
                TIMEOUT,
            )
            .await?;
        assert_eq!(session.prompt(), "R1#");
        Ok(())
    })
    .await;
    result.unwrap();
    let typed: Vec<String> = typed.into_iter().filter(|line| !line.is_empty()).collect();
    let at = typed.iter().position(|line| line == "banner motd ^").unwrap();
    assert_eq!(typed.get(at + 1..at + 5).unwrap(), ["no strangers", "end # here", "^", "line 1"]);
    let (result, typed) = told(json!({"profile": "ios"}), device, async |session| {
        session.config(&lines(&["banner motd ^", "no end"]), TIMEOUT).await.map(drop)
    })
    .await;
    let why = result.unwrap_err();
    assert!(why.contains("has no line with its end mark `^`"), "{why}");
    assert!(!typed.iter().any(|line| line.contains("banner")), "{typed:?}");
}

/// A device with a name in letters of its own.
async fn named(far: &mut Far, name: &[u8]) -> Option<()> {
    log_in(far).await?;
    loop {
        let command = far.asks("sw# ", true).await?;
        if command == "show name" {
            far.says(name).await;
        }
    }
}

/// configsnap PR 130: letters of devices that do not speak UTF-8, both ways; and of one that says it does, and does not.
#[tokio::test(start_paused = true)]
async fn letters_are_those_of_the_device() {
    let (result, _) = told(
        json!({"profile": "generic", "profile_settings": {"encoding": "latin1"}}),
        async |far| named(far, b"Stra\xdfe 7, M\xfcnchen\r\n").await,
        async |session| says(session, "show name", "Straße 7, München").await,
    )
    .await;
    result.unwrap();
    let (result, _) = told(
        json!({"profile": "generic", "profile_settings": {"encoding": "gbk"}}),
        async |far| named(far, b"\xb9\xe3\xd6\xdd\r\n").await,
        async |session| {
            says(session, "show name", "广州").await?;
            // What it has not is refused before anything is typed.
            let error = session.command("show 🙂", TIMEOUT).await.unwrap_err().to_string();
            assert!(error.contains("GBK has not all of its letters"), "{error}");
            Ok(())
        },
    )
    .await;
    result.unwrap();
}

/// The bytes of netmiko #1086: a switch that names row and column for all it says, and draws its prompt three times.
#[tokio::test(start_paused = true)]
async fn a_switch_that_names_places_on_its_screen_is_read() {
    let go = |column: usize| format!("\x1b[24;{column}H");
    let (result, _) = told(
        json!({"profile": "procurve"}),
        async |far| {
            let first = go(1);
            far.says(format!("\x1b[2J{first}Username: \x1b[?25h{first}\x1b[?25h{}", go(11))).await;
            far.line(true).await?;
            far.asks(&format!("{first}Password: \x1b[?25h{}", go(11)), false).await?;
            far.says(format!("{first}\x1b[2K{first}\x1b[?25h{first}")).await;
            loop {
                let mut column = "sw-lab-1# ".len() + 1;
                far.says(format!(
                    "\x1b[1;24r{first}{first}\x1b[2K{first}\x1b[?25h{first}{first}sw-lab-1# {first}{0}{first}\x1b[?25h{0}",
                    go(column)
                ))
                .await;
                let mut typed = String::new();
                loop {
                    let key = char::from(far.line.read_u8().await.ok()?);
                    if key == '\r' {
                        break;
                    }
                    typed.push(key);
                    let next = go(column + 1);
                    far.says(format!("{key}{}\x1b[?25h{next}{next}", go(column))).await;
                    column += 1;
                }
                far.says(format!(
                    "\x1b[1;0H\x1b[1M{first}\x1b[1L{}{first}\x1b[2K{first}\x1b[?25h{first}\x1b[1;24r{first}",
                    go(column)
                ))
                .await;
                match typed.as_str() {
                    "show time" => far.says("Thu Jan 31 13:14:55 2019\r\n\r").await,
                    "show two" => far.says("one\r\n\r  two\r\n\r").await,
                    _ => {}
                }
            }
        },
        async |session| {
            for _ in 0..2 {
                says(session, "show time", "Thu Jan 31 13:14:55 2019").await?;
                says(session, "show two", "one\n  two").await?;
            }
            Ok(())
        },
    )
    .await;
    result.unwrap();
}

/// netmiko PR 526: a framed message of the day on a line of 9,600 baud, whose frame looks like prompts of root shells.
#[tokio::test(start_paused = true)]
async fn a_frame_on_a_slow_line_is_no_prompt() {
    let frame = "################################\r\n#                              #\r\n#  Authorised use only >       #\r\n#                              #\r\n################################\r\n";
    for profile in ["generic", "linux", "ios"] {
        let (result, typed) = told(
            json!({"profile": profile}),
            async |far| {
                far.slowly(frame).await;
                far.slowly("\r\nUsername: ").await;
                far.line(true).await?;
                far.asks("Password: ", false).await?;
                far.slowly(frame).await;
                tokio::time::sleep(Duration::from_millis(700)).await;
                far.shell("box# ", &[("show clock", "12:00\r\n")]).await
            },
            async |session| says(session, "show clock", "12:00").await,
        )
        .await;
        result.unwrap_or_else(|why| panic!("{profile}: {why}"));
        assert_eq!(typed.get(..2).unwrap(), ["lab", PASSWORD], "{profile}");
    }
}

/// netmiko #3424, oxidized #1649: words of questions and refusals in what is said before and behind a login.
#[tokio::test(start_paused = true)]
async fn words_in_a_banner_are_no_question_and_no_refusal() {
    let banner = "Access denied to strangers.\r\nLogin: ask the lab manager\r\nPassword: see the label\r\nEnter your username: never\r\nLogin incorrect is what you read when you are wrong.\r\n";
    for pause in [0, 300, 700] {
        let (result, typed) = told(
            json!({"profile": "ios"}),
            async |far| {
                for line in banner.split_inclusive(": ") {
                    far.says(line).await;
                    tokio::time::sleep(Duration::from_millis(if line.ends_with(": ") { 0 } else { pause }))
                        .await;
                }
                log_in(far).await?;
                far.says(banner).await;
                far.shell("R1#", &[("show clock", "12:00\r\n")]).await
            },
            async |session| says(session, "show clock", "12:00").await,
        )
        .await;
        result.unwrap_or_else(|why| panic!("{pause} ms: {why}"));
        assert_eq!(typed.iter().filter(|line| *line == PASSWORD).count(), 1, "{typed:?}");
    }
}
