//! Echoes as people have reported them: wrapped, cut off, scrolled, drawn again, echoed by terminal and command line alike; and what shells draw
//! around an answer. The answer is what stands behind them, and nothing of it is lost.

use serde_json::{Value, json};

use crate::reports::{Far, TIMEOUT, log_in, says, told};

/// What a device sends for a command that was entered, up to its answer.
type Echoes = fn(prompt: &str, command: &str) -> String;

struct Reported {
    what: &'static str,
    profile: &'static str,
    prompt: &'static str,
    command: &'static str,
    echo: Echoes,
}

const LONG: &str = "show system | exclude \"Up Time\" | exclude \"CPU\" | exclude \"Memory\" | exclude \"Pkts .x\" | exclude \"Lowest\"";

const REPORTED: [Reported; 10] = [
    Reported {
        what: "a row is begun with its first letter, CR, and that letter again (oxidized's dialogue with AOS-CX)",
        profile: "aoscx",
        prompt: "OX-SW123# ",
        command: LONG,
        echo: |prompt, command| {
            let (row, rest) = command.split_at(80 - prompt.len());
            format!("{row}{}\r{rest}\r\n", rest.get(..1).unwrap())
        },
    },
    Reported {
        what: "only the beginning is shown, and a dollar sign (netmiko #105)",
        profile: "asa",
        prompt: "\rasa# ",
        command: "show run | inc clock|logging|aaa|http|ssh|telnet|ntp",
        echo: |_, command| format!("{}$\r\n", command.get(..44).unwrap()),
    },
    Reported {
        what: "a long line is entered, gone back to and drawn again (netmiko #717)",
        profile: "ios",
        prompt: "SWITCH(dhcp-opt[circuit_id])# ",
        command: "attr 3 type 0 length-hidden 6 value string 24125334",
        echo: |prompt, command| {
            let (begin, last) = command.split_at(command.len() - 1);
            format!("{begin}\r\n\x1b[A{prompt}{begin}\x1b[K{last}\r\n")
        },
    },
    Reported {
        what: "blanks are filled in, and taken back (netmiko #3766)",
        profile: "junos",
        prompt: "lab@mx1> ",
        command: "show route table MY_TABLE 10.0.0.0/8",
        echo: |_, command| format!("{}\r\n", command.replace("TABLE ", "TABLE   \x08\x08\x08 ")),
    },
    Reported {
        what: "prompt and line fill the row, and are drawn again above (pexpect #552)",
        profile: "linux",
        prompt: "[PEXPECT]# ",
        command: "lllllllll",
        echo: |prompt, command| format!("{command} \r\x1b[A{prompt}llllllll\x1b[Kl\r\n"),
    },
    Reported {
        what: "a blank and CR stand where the row ends (pexpect #238)",
        profile: "linux",
        prompt: "tester@vm07:~# ",
        command: "echo \"Testing, testing, one two three four five six seven eight nine ten\"",
        echo: |_, command| {
            let (row, rest) = command.split_at(65);
            format!("{row} \r{rest}\r\n")
        },
    },
    Reported {
        what: "the terminal echoes before the command line reads, which then does it again (netmiko's driver for EOS)",
        profile: "eos",
        prompt: "leaf1>",
        command: "show clock",
        echo: |prompt, command| format!("{command}\r\n{prompt}{command}\r\n"),
    },
    Reported {
        what: "the line is drawn anew behind its end, and a return (netmiko #1956)",
        profile: "routeros",
        prompt: "[admin@hostname] > ",
        command: "ping count=3 10.0.0.1",
        echo: |prompt, command| format!("{command}\r\n\r{prompt}{command}\r\n"),
    },
    Reported {
        what: "the prompt comes late, and stands in the echo (ptyprocess #25)",
        profile: "linux",
        prompt: "(teamcity-pexpect)$ ",
        command: "echo $ENV_KEY; exit 0",
        echo: |prompt, command| {
            let (begin, rest) = command.split_at(8);
            format!("{begin}{prompt}{rest}\r\n")
        },
    },
    Reported {
        what: "prompt and line are drawn anew behind four CR (netmiko #2512)",
        profile: "routeros",
        prompt: "\r\r\r\r[ana@Test Router] > ",
        command: "/system clock print",
        echo: |prompt, command| format!("\r{prompt}{command}\r\n\r\r\r\r"),
    },
];

#[tokio::test(start_paused = true)]
async fn an_answer_begins_behind_every_echo_that_was_reported() {
    for Reported { what, profile, prompt, command, echo } in REPORTED {
        for pause in [0, 250] {
            let (result, _) = told(
                json!({"profile": profile}),
                async |far| {
                    log_in(far).await?;
                    loop {
                        match far.takes(prompt).await?.as_str() {
                            "" => far.says("\r\n").await,
                            line if line == command => {
                                tokio::time::sleep(std::time::Duration::from_millis(pause)).await;
                                far.says(echo(prompt, line) + "an answer\r\n").await;
                            }
                            "exit" | "/quit" => return None,
                            line => far.says(format!("{line}\r\n")).await,
                        }
                    }
                },
                async |session| {
                    for _ in 0..3 {
                        says(session, command, "an answer").await?;
                    }
                    Ok(())
                },
            )
            .await;
            result.unwrap_or_else(|why| panic!("{what}, after {pause} ms: {why}"));
        }
    }
}

/// zsh marks a line that was not ended, and blanks carry its cursor over the edge of any terminal.
#[tokio::test(start_paused = true)]
async fn a_line_that_was_not_ended_is_kept_where_a_shell_marks_it() {
    let blanks = " ".repeat(79);
    let prompt = format!(
        "\x1b[1m\x1b[7m%\x1b[27m\x1b[1m\x1b[0m{blanks}\r \r\r\x1b[0m\x1b[27m\x1b[24m\x1b[Jhost% \x1b[K\x1b[?2004h"
    );
    let (result, _) = told(
        json!({"profile": "generic"}),
        async |far| {
            log_in(far).await?;
            far.shell(&prompt, &[("printf a", "a"), ("printf '50%%'", "50%"), ("date", "12:00\r\n")]).await
        },
        async |session| {
            says(session, "printf a", "a").await?;
            says(session, "printf '50%%'", "50%").await?;
            says(session, "date", "12:00").await
        },
    )
    .await;
    result.unwrap();
}

/// oxidized #3330: readline 8.1, which shows no line end where nothing is echoed, and draws the next prompt over the last; titles and colours.
#[tokio::test(start_paused = true)]
async fn a_line_editor_that_shows_no_line_end_is_driven() {
    let prompt = "\x1b[?2004h\x1b]0;lab@spine1: ~\x07\x1b[01;32mlab@spine1\x1b[00m:\x1b[01;34m~\x1b[00m$ ";
    let (result, _) = told(
        json!({"profile": "linux"}),
        async |far: &mut Far| {
            log_in(far).await?;
            let mut echoes = true;
            loop {
                far.says(prompt).await;
                let line = far.typed(echoes).await?;
                far.says(if echoes { "\r\n\x1b[?2004l\r" } else { "\x1b[?2004l\r" }).await;
                echoes &= !line.contains("-echo");
                far.says(match line.as_str() {
                    "cat notes" => "one\r\ntwo\r\n",
                    "printf 50%" => "50%",
                    "uname" => "Linux\r\n",
                    _ => "",
                })
                .await;
            }
        },
        async |session| {
            for _ in 0..2 {
                says(session, "cat notes", "one\ntwo").await?;
                says(session, "true", "").await?;
                says(session, "printf 50%", "50%").await?;
                says(session, "uname", "Linux").await?;
            }
            Ok(())
        },
    )
    .await;
    result.unwrap();
}

/// netmiko #2162, #3631: a key that is waited for below the line that names it.
#[tokio::test(start_paused = true)]
async fn a_key_is_pressed_where_the_line_that_wants_it_was_ended() {
    let settings: Value = json!({"login": {"questions": [{"asks": "Enter Ctrl-Y to begin", "answer": "\u{19}", "enter": false}]}});
    let (result, typed) = told(
        json!({"profile": "ios", "profile_settings": settings}),
        async |far: &mut Far| {
            far.says("*** Ethernet Routing Switch ***\r\nEnter Ctrl-Y to begin.\r\n").await;
            assert_eq!(far.key().await?, 0x19);
            log_in(far).await?;
            far.shell("ERS>", &[("show clock", "12:00\r\n")]).await
        },
        async |session| {
            assert_eq!(session.command("show clock", TIMEOUT).await?, "12:00");
            Ok(())
        },
    )
    .await;
    result.unwrap_or_else(|why| panic!("{why}; typed {typed:?}"));
}

/// Real shells: colours in the prompt, lines that were not ended before it, and texts that look like prompts and pause.
#[tokio::test]
async fn shells_with_odd_prompts_are_driven() {
    let coloured = r"env PS1='\[\e[1;32m\]box\[\e[0m\]$ ' TERM=xterm bash --norc --noprofile -i";
    for shell in [coloured, "env PS1='# ' dash -i"] {
        let connect = json!({"protocol": "process", "command": shell, "profile": "linux"});
        let mut session = crate::open(crate::target([], connect)).await.unwrap();
        for (command, wanted) in [
            ("printf 'no end'", "no end"),
            ("printf '100%%\\n50%%'", "100%\n50%"),
            ("printf 'one\\n# '; sleep 1.2; printf '\\n> '; sleep 0.4; echo y", "one\n# \n> y"),
            ("printf '# one\\n#\\n# two\\n'", "# one\n#\n# two"),
            ("echo three", "three"),
        ] {
            assert_eq!(session.command(command, crate::LONG).await.unwrap(), wanted, "{shell}: {command}");
        }
    }
}
