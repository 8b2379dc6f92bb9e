//! Webhooks are told at least once, with one id, signed, and give away no address.

use std::sync::{Arc, Mutex};

use tokio::io::AsyncReadExt as _;

use super::*;

/// What a receiver was told: heads and body of each request.
type Told = Arc<Mutex<Vec<(String, String)>>>;

/// A receiver that answers with these, one after the other, and then takes everything.
async fn receiver(answers: &'static [&'static str]) -> (u16, Told) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let told = Told::default();
    let kept = Arc::clone(&told);
    tokio::spawn(async move {
        let mut answers = answers.iter();
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut text = String::new();
            let (head, body) = loop {
                let mut piece = vec![0; 65_536];
                let count = stream.read(&mut piece).await.unwrap();
                text.push_str(&String::from_utf8_lossy(&piece[..count]));
                let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
                let length = head.to_lowercase().lines().find_map(|line| {
                    line.strip_prefix("content-length: ").map(|length| length.parse::<usize>().unwrap())
                });
                if body.len() >= length.unwrap_or(0) {
                    break (head.to_owned(), body.to_owned());
                }
            };
            kept.lock().unwrap().push((head, body));
            let answer = answers.next().unwrap_or(&"200 OK\r\ncontent-length: 0\r\n\r\n");
            stream.write_all(format!("HTTP/1.1 {answer}").as_bytes()).await.unwrap();
        }
    });
    (port, told)
}

fn header<'h>(head: &'h str, name: &str) -> &'h str {
    let line = head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
    line.unwrap_or_else(|| panic!("no {name} in {head}"))
}

fn file(port: u16) -> String {
    format!(
        "[[webhook]]\nname = \"ci\"\nurl = \"http://127.0.0.1:{port}/services/T0/secret-path\"\nsecret = \"file:hook.key\"\n\
         [[webhook]]\nname = \"quiet\"\nurl = \"http://127.0.0.1:{port}/quiet\"\ncauses = [\"lab\"]\n"
    )
}

async fn one(lab: &Lab, name: &str) -> Result<End> {
    lab.attempt(Work::CallWebhook { run: RUN, webhook: name.to_owned() }).await
}

#[tokio::test]
async fn a_run_is_told_with_one_id_until_it_is_taken() {
    let (port, told) = receiver(&[
        "503 No\r\ncontent-length: 9\r\n\r\nnot today",
        "302 Found\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n",
    ])
    .await;
    let lab =
        lab(Save::NoSave, &[("webhooks.toml", &file(port)), ("hook.key", "whsec_c2VjcmV0c2VjcmV0\n")]).await;
    assert!(next(lab.attempt(Work::FinishRun { run: RUN }).await).contains(&Work::CallWebhooks { run: RUN }));
    let wanted = next(lab.attempt(Work::CallWebhooks { run: RUN }).await);
    assert_eq!(wanted, [Work::CallWebhook { run: RUN, webhook: "ci".to_owned() }], "no lab was to blame");
    let later = format!("{:#}", one(&lab, "ci").await.err().unwrap());
    assert_eq!(later, format!("webhook `ci` at 127.0.0.1:{port} answered 503: not today"));
    let elsewhere = format!("{:#}", one(&lab, "ci").await.err().unwrap());
    assert!(elsewhere.contains("answered 302") && elsewhere.contains("redirection"), "{elsewhere}");
    next(one(&lab, "ci").await);
    let told = told.lock().unwrap().clone();
    let ids: Vec<&str> = told.iter().map(|(head, _)| header(head, "webhook-id")).collect();
    assert!(ids.len() == 3 && ids.iter().all(|id| *id == ids[0] && id.ends_with(".run-1.ci")), "{ids:?}");
    let (head, body) = told.last().unwrap();
    assert!(
        head.starts_with("POST /services/T0/secret-path ")
            && header(head, "user-agent").starts_with("jackfield/")
    );
    let whole: serde_json::Value = serde_json::from_str(body).unwrap();
    assert_eq!((whole["type"].as_str(), whole["id"].as_str()), (Some("run.ended"), Some(ids[0])));
    assert_eq!(whole["not_passed"][0]["name"], "t1.py");
    let signed = format!("{}.{}.{body}", ids[0], header(head, "webhook-timestamp"));
    let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, b"secretsecret");
    use base64::Engine as _;
    let tag = base64::engine::general_purpose::STANDARD
        .decode(header(head, "webhook-signature").strip_prefix("v1,").unwrap())
        .unwrap();
    ring::hmac::verify(&key, signed.as_bytes(), &tag).unwrap();
}

#[tokio::test]
async fn what_goes_wrong_is_told_without_the_address() {
    let (port, _) = receiver(&["410 Gone\r\ncontent-length: 0\r\n\r\n"]).await;
    let lab = lab(Save::NoSave, &[("webhooks.toml", &file(port)), ("hook.key", "k")]).await;
    assert!(hopeless(one(&lab, "ci").await).contains("answered 410"), "what is gone is not called again");
    let End::Done { told, .. } = one(&lab, "other").await.unwrap() else { panic!("nobody to call") };
    assert_eq!(told, ["webhook `other` was not called: webhooks.toml has it no more"]);
    let write = |text: &str| std::fs::write(lab.folder.path().join("webhooks.toml"), text).unwrap();
    // Nobody listens there.
    let free = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
    write(&file(free));
    let away = format!("{:#}", one(&lab, "ci").await.err().unwrap());
    assert!(away.contains("was not reached") && !away.contains("secret-path"), "{away}");
    write("[[webhook]]\nname = \"ci\"\nurl = \"file:nowhere\"\n");
    let placeless = format!("{:#}", one(&lab, "ci").await.err().unwrap());
    assert!(
        placeless.starts_with("the address of webhook `ci`: /") && placeless.contains("nowhere"),
        "{placeless}"
    );
    write(&format!(
        "[[webhook]]\nname = \"ci\"\nurl = \"http://127.0.0.1:{free}?key=secret-path\"\nsecret = \"file:no.key\"\n"
    ));
    let unsigned = format!("{:#}", one(&lab, "ci").await.err().unwrap());
    assert!(
        unsigned.starts_with("the secret of webhook `ci`: /") && unsigned.contains("no.key"),
        "{unsigned}"
    );
    write(&format!("[[webhook]]\nname = \"ci\"\nurl = \"http://127.0.0.1:{free}?key=secret-path\"\n"));
    let away = format!("{:#}", one(&lab, "ci").await.err().unwrap());
    assert!(away.contains("was not reached") && !away.contains("secret-path"), "{away}");
    let (port, _) =
        receiver(&["404 No\r\ncontent-length: 46\r\n\r\nRoute POST:/services/T0/secret-path not found."])
            .await;
    write(&file(port));
    let repeated = format!("{:#}", one(&lab, "ci").await.err().unwrap());
    assert!(repeated.contains("answered 404") && !repeated.contains("secret-path"), "{repeated}");
    write("[[webhook]]\nname = \"ci\"\nurl = \"ftp://x/secret-path\"\n");
    let wrong = hopeless(lab.attempt(Work::CallWebhooks { run: RUN }).await);
    assert!(
        wrong.contains("webhooks.toml") && wrong.contains("https://") && !wrong.contains("secret-path"),
        "{wrong}"
    );
}

#[tokio::test]
async fn a_webhook_that_hangs_is_given_up_in_time() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let settings = "[mail]\ntimeout = \"100ms\"\n";
    let lab =
        lab(Save::NoSave, &[("webhooks.toml", &file(port)), ("hook.key", "k"), ("engine.toml", settings)])
            .await;
    let late = format!("{:#}", one(&lab, "ci").await.err().unwrap());
    assert!(late.contains("was not reached") && late.contains("timeout"), "{late}");
}

#[tokio::test]
async fn chats_are_told_in_their_own_shape_and_tested() {
    let (port, told) = receiver(&[]).await;
    let formats = ["slack", "teams", "mattermost", "json"];
    let text: String = formats
        .iter()
        .map(|format| format!("[[webhook]]\nname = \"{format}\"\nformat = \"{format}\"\nurl = \"http://127.0.0.1:{port}/{format}\"\n"))
        .collect();
    let lab = lab(Save::NoSave, &[("webhooks.toml", &text)]).await;
    for format in formats {
        let shown = webhook::preview(&lab.app, RUN, format).await.unwrap();
        next(one(&lab, format).await);
        assert_eq!(told.lock().unwrap().last().unwrap().1, shown, "the preview is what is sent");
        webhook::test(&lab.app, &"ana".into(), format).await.unwrap();
        let test = told.lock().unwrap().last().unwrap().1.clone();
        assert!(test.contains("this webhook works"), "{test}");
    }
    let unknown = format!("{:#}", webhook::test(&lab.app, &"ana".into(), "slak").await.unwrap_err());
    assert_eq!(unknown, "webhooks.toml has no webhook `slak`; it has slack, teams, mattermost, json");
}
