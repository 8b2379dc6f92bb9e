//! Steps beside the dialogue: files and commands over OpenSSH's server, and a serial line.

use std::{collections::BTreeMap, path::PathBuf};

use jackfield_config::steps::StepTest;
use jackfield_device::{
    record::Tap,
    steps::{StepEnvironment, StepReport, run},
};
use jackfield_protocol::{
    secret::Secret,
    verdict::{Cause, Verdict},
};
use serde_json::{Value, json};

use crate::{
    files,
    peers::{installed, ssh_properties},
    scratch, serial, settings,
};

/// One resource, and a folder for the files of the test.
struct Lab {
    properties: Value,
    folder: PathBuf,
    log: Vec<String>,
}

impl StepEnvironment for Lab {
    async fn resource(&mut self, _path: &str) -> Result<BTreeMap<String, Value>, String> {
        Ok(self.properties.as_object().unwrap().clone().into_iter().collect())
    }

    async fn variable(&mut self, name: &str) -> Option<String> {
        (name == "folder").then(|| self.folder.display().to_string())
    }

    fn place(&mut self, name: &str) -> Result<PathBuf, String> {
        Ok(self.folder.join(name))
    }

    fn log(&mut self, line: &str) {
        self.log.push(line.to_owned());
    }

    fn taps(&mut self, _session: &str, _title: &str, _secrets: &[Secret]) -> Vec<Box<dyn Tap>> {
        Vec::new()
    }
}

async fn run_text(lab: &mut Lab, steps: &str) -> StepReport {
    let text = format!("title = 't'\n[sessions.box]\nresource = '/box'\n{steps}");
    let test = StepTest::parse("t.steps.toml", &text).unwrap_or_else(|problems| panic!("{problems:#?}"));
    let (_folder, settings) = settings();
    run(&test, &settings, lab).await
}

const FILES: &str = r#"
[[steps]]
put = "image"
to = "${folder}/there/"
check = { contains = "7 bytes, files: 1, by sftp" }
[[steps]]
get = "${folder}/there/image"
way = "scp"
check = { equals = "version" }
[[steps]]
get = "${folder}/there/image"
to = "back"
[[steps]]
execute = "cat ${folder}/back; exit 3"
allow_error = true
check = [{ equals = "version" }, { value = "${status}", equals = 3 }]
[[steps]]
execute = "echo fine"
check = [{ equals = "fine" }, { value = "${status}", equals = 0 }]
"#;

#[tokio::test]
async fn steps_move_files_and_run_commands_beside_the_session() {
    if !installed("/usr/sbin/sshd", "openssh-server") || !installed("/usr/bin/scp", "openssh-client") {
        return;
    }
    let (folder, _) = settings();
    let server = files::server(&folder, true);
    std::fs::create_dir(scratch(&folder, "there")).unwrap();
    std::fs::write(scratch(&folder, "image"), "version").unwrap();
    let properties = ssh_properties("russh", &server, &folder);
    let mut lab = Lab { properties, folder: folder.path().to_owned(), log: Vec::new() };
    let report = run_text(&mut lab, FILES).await;
    assert_eq!(report.outcome.verdict, Verdict::Pass, "{report:?}\n{}", lab.log.join("\n"));
    assert_eq!(std::fs::read(scratch(&folder, "back")).unwrap(), b"version");

    for (step, cause, told) in [
        ("execute = 'echo why >&2; exit 4'", Cause::Product, "ended with 4: `why`"),
        ("put = 'none'\nto = '/tmp/'", Cause::Test, "none`: No such file or directory"),
        ("get = '/no/such'", Cause::Lab, "there is no such file or folder"),
        ("get = '${folder}'", Cause::Test, "is a folder"),
        ("wait_break = true", Cause::Lab, "only serial, rfc2217 and telnet sessions have"),
    ] {
        let report = run_text(&mut lab, &format!("[[steps]]\n{step}\n")).await;
        failed(step, &report, cause, told);
    }
}

fn failed(step: &str, report: &StepReport, cause: Cause, told: &str) {
    assert_eq!(report.outcome.cause, Some(cause), "{step}: {report:?}");
    assert!(report.outcome.reason.contains(told), "{step}: {}", report.outcome.reason);
}

/// A run on a serial line of its own: one that was left is gone.
async fn on_a_line(steps: &str) -> StepReport {
    let (folder, _) = settings();
    let link = scratch(&folder, "tty");
    let _peer = serial::line_to(&link, &serial::getty(&folder)).await;
    let properties = serial::properties(&link, json!({}));
    run_text(&mut Lab { properties, folder: folder.path().to_owned(), log: Vec::new() }, steps).await
}

const LINE: &str = r#"
[[steps]]
set_line = { speed = "${speed}", framing = "8N1", flow = "none" }
[[steps]]
send_break = "10ms"
[[steps]]
command = "echo still"
check = { equals = "still" }
"#;

#[tokio::test]
async fn steps_set_the_serial_line_and_wait_for_its_breaks() {
    if !installed("/usr/bin/socat", "socat") {
        return;
    }
    let report = on_a_line(&format!("[variables]\nspeed = 38400\n{LINE}")).await;
    assert_eq!(report.outcome.verdict, Verdict::Pass, "{report:?}");
    for (step, cause, told) in [
        ("wait_break = true\ntimeout = '10ms'", Cause::Product, "waiting for a break"),
        ("modem_lines = true", Cause::Lab, "it has no modem lines"),
        ("set_line = { framing = '8M9' }", Cause::Test, "`framing` of `set_line` is `8M9`; write data bits"),
    ] {
        let report = on_a_line(&format!("[[steps]]\n{step}\n")).await;
        failed(step, &report, cause, told);
    }
}
