//! Ways in that ask for more than user and password: notices to accept, one-time codes, menus, keys to press.

use jackfield_config::simulated::DeviceModel;
use jackfield_device::{
    session::{Session, SessionError},
    simulate::{Listen, Running, serve},
};
use jackfield_protocol::secret::Secret;
use serde_json::{Value, json};

use crate::{LONG, WAYS, open, properties, target};

const SECRET: &str = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";

/// A router that asks this on the way in.
async fn asking(asks: &str) -> Running {
    let text = format!(
        r#"
name = "r1"
start = "exec"
banner = "Lines such as\nPassword: \nYes/no: \nstand in notices.\n\n"
[login]
user = "ana"
password = "right-word"
questions = true
{asks}
[modes.exec]
prompt = "r1# "
[[commands]]
command = "show clock"
output = "12:00"
"#
    );
    let model = DeviceModel::parse("model.toml", &text).unwrap_or_else(|problems| panic!("{problems:#?}"));
    serve(model, Listen::default()).await.unwrap()
}

async fn enter(device: &Running, way: &str, more: Value) -> Result<Session, SessionError> {
    open(target(properties(device, way), more)).await
}

const NOTICE: &str = r#"
[[login.asks]]
text = "Authorised use only.\n"
prompt = "Do you accept and acknowledge the statement above ? (yes/no) : "
answer = "yes"
"#;

#[tokio::test]
async fn a_notice_is_accepted_as_the_profile_says() {
    let device = asking(NOTICE).await;
    let question = json!({"asks": r"\(yes/no\) : ?$", "answer": "yes"});
    let settings = json!({"profile_settings": {"login": {"questions": [question]}}});
    for way in WAYS {
        let mut session =
            enter(&device, way, settings.clone()).await.unwrap_or_else(|why| panic!("{way}: {why}"));
        assert_eq!(session.command("show clock", LONG).await.unwrap(), "12:00", "{way}");
    }
}

with_both_libraries!(an_unknown_question_is_told_as_it_is_asked);

async fn an_unknown_question_is_told_as_it_is_asked(library: &str) {
    let device = asking(NOTICE).await;
    let error = enter(&device, library, json!({})).await.unwrap_err();
    let told = error.to_string();
    let question = "the device asks `ana`: `Authorised use only. Do you accept and acknowledge the statement above ? (yes/no) :`: \
                    add its answer to [[login.questions]] of its profile";
    assert!(error.is_lab() && told.contains(question) && !told.contains("right-word"), "{told}");
}

#[tokio::test]
async fn a_one_time_code_is_made_from_the_secret_of_the_resource() {
    let code = format!(
        "[[login.asks]]\nprompt = \"Verification code: \"\ntotp_secret = \"{SECRET}\"\nhidden = true\nafter_password = true\n"
    );
    let device = asking(&code).await;
    for way in WAYS {
        let more = json!({"totp_secret": SECRET});
        let mut session = enter(&device, way, more).await.unwrap_or_else(|why| panic!("{way}: {why}"));
        assert_eq!(session.command("show clock", LONG).await.unwrap(), "12:00", "{way}");
        let told = enter(&device, way, json!({})).await.unwrap_err().to_string();
        assert!(told.contains("`Verification code:`") && told.contains("add `totp_secret`"), "{way}: {told}");
        let other =
            json!({"totp_secret": format!("otpauth://totp/x?secret={SECRET}&algorithm=SHA512&digits=8")});
        let told = enter(&device, way, other).await.unwrap_err().to_string();
        assert!(!told.contains(SECRET), "{way}: {told}");
    }
}

#[tokio::test]
async fn a_key_is_pressed_before_the_login_and_a_menu_is_left_behind_it() {
    let asks = r#"
[[login.asks]]
text = "HP J9775A 2530-48G Switch\nSoftware revision YA.16.11\n\n"
prompt = "Press any key to continue"
key = true
[[login.asks]]
text = "1. Status and Counters\n5. Command Line (CLI)\n0. Logout\n"
prompt = "Enter selection: "
answer = "5"
after_password = true
"#;
    let device = asking(asks).await;
    let questions = json!([
        {"asks": "Press any key to continue ?$", "answer": " ", "enter": false},
        {"asks": "Enter selection: ?$", "answer": "5"},
    ]);
    let settings = json!({"profile_settings": {"login": {"questions": questions}}});
    for way in WAYS {
        let mut session =
            enter(&device, way, settings.clone()).await.unwrap_or_else(|why| panic!("{way}: {why}"));
        assert_eq!(session.command("show clock", LONG).await.unwrap(), "12:00", "{way}");
    }
}

#[tokio::test]
async fn no_code_and_no_answer_is_readable_in_a_record() {
    let code =
        format!("[[login.asks]]\nprompt = \"OTP: \"\ntotp_secret = \"{SECRET}\"\nafter_password = true\n");
    let device = asking(&code).await;
    let target = target(device.properties("telnet"), json!({"totp_secret": SECRET}));
    assert!(target.secrets().contains(&Secret::new(SECRET)));
    assert!(!format!("{target:?}").contains(SECRET));
    open(target).await.unwrap();
}
