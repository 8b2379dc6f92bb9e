//! Pauses and losses that look like something else: a banner that stops behind a word of a question, a command that never arrived at a device
//! which echoes nothing.

use std::time::Duration;

use serde_json::json;
use tokio::time::{sleep, timeout};

use crate::reports::{Far, TIMEOUT, log_in, says, told};

const LOG: &str = "\r\n*Mar  1 00:10:01.123: %LINK-3-UPDOWN: Interface Gi0/1, changed state to up\r\n";

/// A banner whose lines begin as the questions of a login do, and pause there.
async fn paused_banner(far: &mut Far, pause: Duration) {
    for piece in ["Login:", " ask the lab manager\r\nPassword:", " see the label\r\n\r\n"] {
        far.says(piece).await;
        sleep(pause).await;
    }
}

/// What was typed at a text is no answer: the device may read it when it asks, or throw it away before. Neither time is the password typed at
/// a command line, and user and password are right.
#[tokio::test(start_paused = true)]
async fn a_banner_that_pauses_behind_its_words_is_no_login() {
    for (throws_away, pause) in [(false, 700), (true, 700), (false, 1_500), (true, 1_500), (true, 4_000)] {
        let (result, typed) = told(
            json!({"profile": "ios"}),
            async |far| {
                paused_banner(far, Duration::from_millis(pause)).await;
                while throws_away && timeout(Duration::ZERO, far.key()).await.is_ok() {}
                log_in(far).await?;
                far.shell("R1#", &[("show clock", "12:00\r\n")]).await
            },
            async |session| says(session, "show clock", "12:00").await,
        )
        .await;
        result.unwrap_or_else(|why| panic!("{pause} ms, {throws_away}: {why}"));
        assert_eq!(typed.get(..2).unwrap(), ["lab", "lab-secret-99"], "{pause} ms, {throws_away}");
        assert_eq!(typed.iter().filter(|line| line.contains("secret")).count(), 1, "{typed:?}");
    }
}

/// A refusal that stands on the line of the question is one, and the password is given once.
#[tokio::test(start_paused = true)]
async fn a_refusal_behind_the_question_is_no_banner() {
    for refusal in ["Login incorrect\r\n", "\r\nLogin incorrect\r\n", "****\r\n"] {
        let (result, typed) = told(
            json!({"profile": "linux"}),
            async |far| {
                loop {
                    far.asks("box login: ", true).await?;
                    far.says("Password: ").await;
                    far.typed(false).await?;
                    far.says(refusal).await;
                }
            },
            async |_| Ok(()),
        )
        .await;
        assert!(result.unwrap_err().contains("user or password is wrong"), "{refusal:?}");
        assert_eq!(typed, ["lab", "lab-secret-99"], "{refusal:?}");
    }
}

/// A device that echoes nothing, and draws its prompt again behind a log line; what is lost of the command that it is given.
async fn mute(far: &mut Far, is_lost: bool) -> Option<()> {
    log_in(far).await?;
    loop {
        let command = far.takes("R1#").await?;
        let is_it = command == "clear counters";
        if is_it && is_lost {
            sleep(Duration::from_millis(200)).await;
            far.says(LOG).await;
            continue;
        }
        far.says(if command == "show clock" { "\r\n12:00\r\n" } else { "\r\n" }).await;
        if is_it {
            far.says("R1#").await;
            far.says(LOG).await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_prompt_that_was_drawn_again_is_no_answer_by_nothing() {
    let (result, typed) = told(
        json!({"profile": "ios"}),
        async |far| mute(far, true).await,
        async |session| {
            let error = session.command("clear counters", TIMEOUT).await.unwrap_err().to_string();
            assert!(error.contains("this device echoes nothing"), "{error}");
            says(session, "show clock", "12:00").await
        },
    )
    .await;
    result.unwrap();
    assert!(typed.contains(&"clear counters".to_owned()), "{typed:?}");
}

#[tokio::test(start_paused = true)]
async fn an_answer_by_nothing_beside_a_log_line_is_one() {
    let (result, _) = told(
        json!({"profile": "ios"}),
        async |far| mute(far, false).await,
        async |session| {
            says(session, "clear counters", "").await?;
            says(session, "show clock", "12:00").await
        },
    )
    .await;
    result.unwrap();
}

/// The prompt stands behind a line that was not ended, and a log line behind it: nothing tells it from a text then.
#[tokio::test(start_paused = true)]
async fn a_log_line_behind_an_open_line_leaves_its_end_uncertain() {
    let (result, _) = told(
        json!({"profile": "ios"}),
        async |far| {
            log_in(far).await?;
            loop {
                match far.asks("R1#", true).await?.as_str() {
                    "show progress" => {
                        far.says("50%R1#").await;
                        far.says(LOG).await;
                    }
                    "show clock" => far.says("12:00\r\n").await,
                    _ => {}
                }
            }
        },
        async |session| {
            let error = session.command("show progress", TIMEOUT).await.unwrap_err().to_string();
            assert!(error.contains("logged behind what may be the prompt"), "{error}");
            says(session, "show clock", "12:00").await
        },
    )
    .await;
    result.unwrap();
}

/// BusyBox asks its terminal where the cursor is, behind its prompt; what was sent meanwhile is echoed behind that. Its kernel's first line came
/// before anybody was there.
#[tokio::test(start_paused = true)]
async fn a_code_that_comes_late_behind_the_prompt_makes_no_command_wait() {
    for late in [0, 1, 5, 19, 21, 40, 60, 90, 110, 200, 400] {
        let began = tokio::time::Instant::now();
        let (result, typed) = told(
            json!({"profile": "linux"}),
            async |far| {
                far.says("[    2.514968] clocksource: Switched to clocksource tsc\r\n").await;
                while far.asks("\r\ndut login: ", true).await?.is_empty() {}
                far.asks("Password: ", false).await?;
                far.says("\r\n\r\nBusyBox v1.35.0 built-in shell (ash)\r\n\r\n").await;
                let mut echoes = true;
                loop {
                    for piece in ["~", " #", " "] {
                        far.says(piece).await;
                        tokio::time::sleep(Duration::from_millis(1)).await;
                    }
                    if echoes {
                        tokio::time::sleep(Duration::from_millis(late)).await;
                        far.says("\x1b[6n").await;
                    }
                    let line = far.typed(echoes).await?;
                    if echoes {
                        far.says("\r\n").await;
                    }
                    echoes &= !line.contains("stty -echo");
                    if line == "uname" {
                        far.says("Linux\r\n").await;
                    }
                }
            },
            async |session| {
                for _ in 0..10 {
                    says(session, "uname", "Linux").await?;
                }
                Ok(())
            },
        )
        .await;
        result.unwrap();
        let took = began.elapsed();
        assert!(took < Duration::from_secs(2), "{late} ms: {took:?}, {typed:?}");
    }
}
