//! Shells as people set them up: prompts of several lines that no profile describes, consoles to which the kernel writes all the time, signs
//! that are a prompt and a frame. Each answer is right and comes soon, or the error says what is to be done.

use std::time::Duration;

use jackfield_device::session::SessionError;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep, timeout};

use crate::reports::{Far, TIMEOUT, says, told};

const KERNEL: &str = "[   12.345678] eth0: link becomes ready\r\n";

/// A shell with a prompt of its own, which echoes until it is told not to.
struct Shell {
    /// What it shows for each line: the prompt, or another one each time.
    prompts: &'static [&'static str],
    echoes: bool,
    /// The kernel writes so often while it waits.
    logs: Option<Duration>,
}

const COMMANDS: [(&str, &str); 4] =
    [("uname", "Linux\r\n"), ("seq 3", "1\r\n2\r\n3\r\n"), ("true", ""), ("printf 100", "100")];

impl Shell {
    async fn serve(mut self, far: &mut Far) -> Option<()> {
        for prompt in self.prompts.iter().cycle() {
            far.says(prompt).await;
            let line = self.line(far).await?;
            if line.contains("stty -echo") {
                self.echoes = false;
            }
            let answer = COMMANDS.iter().find(|(command, _)| *command == line);
            far.says(answer.map_or("", |(_, text)| text)).await;
        }
        None
    }

    async fn line(&self, far: &mut Far) -> Option<String> {
        let mut line = String::new();
        loop {
            let key = match self.logs {
                None => far.key().await?,
                Some(every) => match timeout(every, far.key()).await {
                    Ok(key) => key?,
                    Err(_) => {
                        far.says(KERNEL).await;
                        continue;
                    }
                },
            };
            let is_end = matches!(key, b'\r' | b'\n');
            if self.echoes {
                let shown = if is_end { b"\r\n".to_vec() } else { vec![key] };
                far.says(shown).await;
            }
            if is_end {
                return Some(line);
            }
            line.push(char::from(key));
        }
    }
}

async fn all_answers(session: &mut jackfield_device::session::Session) -> Result<(), SessionError> {
    for _ in 0..3 {
        says(session, "uname", "Linux").await?;
        says(session, "seq 3", "1\n2\n3").await?;
        says(session, "true", "").await?;
    }
    Ok(())
}

fn profile(name: &str, more: Value) -> Value {
    let mut all = json!({"profile": name});
    all.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    all
}

/// oh-my-zsh, Kali and others show a line above the one at which they wait: none of it is left in an answer.
#[tokio::test(start_paused = true)]
async fn a_prompt_of_two_lines_that_no_profile_describes_is_learned() {
    for prompts in [
        &["┌──(lab㉿kali)-[~]\r\n└─$ "][..],
        &["\r\n[12:00:01] lab@box ~\r\n$ ", "\r\n[12:00:02] lab@box ~\r\n$ "],
        &["lab@box ~/work (main)\r\n> "],
        &["one\r\ntwo\r\nbox$ "],
    ] {
        for (name, echoes) in [("linux", true), ("linux", false), ("generic", true), ("generic", false)] {
            for login in [json!({}), json!({"profile_settings": {"setup": []}})] {
                let (result, _) = told(
                    profile(name, login),
                    async |far| {
                        far.asks("box login: ", true).await?;
                        far.asks("Password: ", false).await?;
                        far.says("\r\nWelcome\r\n").await;
                        Shell { prompts, echoes, logs: None }.serve(far).await
                    },
                    async |session| all_answers(session).await,
                )
                .await;
                result.unwrap_or_else(|why| panic!("{prompts:?}, {name}, echoes: {echoes}: {why}"));
            }
        }
    }
}

/// Where nobody has logged in, nothing is asked before the first command: the lines are learned with it.
#[tokio::test(start_paused = true)]
async fn a_prompt_of_two_lines_is_learned_without_a_login() {
    for name in ["linux", "generic"] {
        let (result, _) = told(
            profile(name, json!({"user": null, "password": null})),
            async |far| Shell { prompts: &["lab@box ~\r\n$ "], echoes: true, logs: None }.serve(far).await,
            async |session| all_answers(session).await,
        )
        .await;
        result.unwrap_or_else(|why| panic!("{name}: {why}"));
    }
}

/// A line above the prompt that is another one each time cannot be told from an answer, and is not given as a part of one.
#[tokio::test(start_paused = true)]
async fn a_line_above_that_changes_is_uncertain_and_says_what_to_do() {
    let prompts = &["took no time\r\nbox$ ", "took a while\r\nbox$ ", "took long\r\nbox$ "][..];
    let (result, _) = told(
        profile("generic", json!({})),
        async |far| {
            far.asks("box login: ", true).await?;
            far.asks("Password: ", false).await?;
            Shell { prompts, echoes: true, logs: None }.serve(far).await
        },
        async |session| says(session, "uname", "Linux").await,
    )
    .await;
    let error = result.unwrap_err();
    let remedy = "waiting for its prompt to come again";
    assert!(error.contains(remedy) && error.contains("profile_settings"), "{error}");
}

/// A kernel that writes five times a second to a console without an echo: what an empty line may still owe is no reason to wait.
#[tokio::test(start_paused = true)]
async fn a_console_to_which_the_kernel_writes_answers_soon() {
    for prompt in ["~ # ", "# ", "root@box:~# "] {
        for every in [200, 90, 450] {
            let prompts: &'static [&'static str] = Box::leak(Box::new([prompt]));
            let (result, _) = told(
                profile("linux", json!({})),
                async |far| {
                    far.asks("box login: ", true).await?;
                    far.asks("Password: ", false).await?;
                    let logs = Some(Duration::from_millis(every));
                    Shell { prompts, echoes: true, logs }.serve(far).await
                },
                async |session| {
                    // What it does is learned once.
                    all_answers(session).await?;
                    for _ in 0..10 {
                        sleep(Duration::from_millis(130)).await;
                        let begun = Instant::now();
                        all_answers(session).await?;
                        let took = begun.elapsed();
                        assert!(took < Duration::from_secs(9), "{prompt:?}, {every} ms: nine took {took:?}");
                    }
                    Ok(())
                },
            )
            .await;
            result.unwrap_or_else(|why| panic!("{prompt:?}, {every} ms: {why}"));
        }
    }
}

/// A frame in a message of the day that comes in pieces is no row of prompts, whatever prompt follows.
#[tokio::test(start_paused = true)]
async fn a_frame_that_pauses_is_no_row_of_prompts() {
    let frame = "#".repeat(30);
    for (name, prompt) in [("generic", "#"), ("generic", "# "), ("linux", "# "), ("ios", "R1#")] {
        for cuts in [&[1, 5][..], &[1, 2], &[2, 4, 5], &[1, 2, 3], &[5], &[1, 29]] {
            let (result, _) = told(
                profile(name, json!({"protocol": "ssh"})),
                async |far| {
                    let mut from = 0;
                    for cut in cuts {
                        far.says(frame.get(from..*cut).unwrap()).await;
                        from = *cut;
                        sleep(Duration::from_millis(700)).await;
                    }
                    far.says(frame.get(from..).unwrap()).await;
                    far.says("\r\n# Lab only #\r\n").await;
                    loop {
                        match far.takes(prompt).await?.as_str() {
                            "show clock" => far.says("show clock\r\n12:00\r\n").await,
                            "show more" => far.says("show more\r\nmore\r\n").await,
                            line => far.says(format!("{line}\r\n")).await,
                        }
                    }
                },
                async |session| {
                    for _ in 0..3 {
                        says(session, "show clock", "12:00").await?;
                        says(session, "show more", "more").await?;
                    }
                    Ok(())
                },
            )
            .await;
            result.unwrap_or_else(|why| panic!("{name}, {prompt:?}, {cuts:?}: {why}"));
        }
    }
}

/// A command of which nothing arrives but its line end, where the echo was left on: the error says so.
#[tokio::test(start_paused = true)]
async fn a_lost_command_is_told_where_the_echo_stays_on() {
    let (result, _) = told(
        profile("linux", json!({"profile_settings": {"setup": []}})),
        async |far| {
            far.asks("box login: ", true).await?;
            far.asks("Password: ", false).await?;
            loop {
                let line = far.takes("box$ ").await?;
                let is_lost = line == "ip link set eth0 up";
                far.says(if is_lost { String::new() } else { line }).await;
                far.says("\r\n").await;
            }
        },
        async |session| {
            says(session, "true", "").await?;
            let error = session.command("ip link set eth0 up", TIMEOUT).await.unwrap_err().to_string();
            assert!(error.contains("not the echo of the command"), "{error}");
            Ok(())
        },
    )
    .await;
    result.unwrap();
}
