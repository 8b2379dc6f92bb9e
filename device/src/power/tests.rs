use serde_json::json;

use super::*;

#[test]
fn a_property_is_checked_when_it_is_read() {
    for (property, words) in [
        (json!({}), "one of command, http, snmp"),
        (json!({"command": {}, "http": {}}), "only one"),
        (json!({"comand": {}}), "unknown field `comand`"),
        (json!({"snmp": {"host": "pdu", "kind": "apc"}}), "no `outlet`"),
        (json!({"snmp": {"host": "pdu", "kind": "acme", "outlet": 1}}), "apc, raritan, sentry3"),
        (json!({"snmp": {"host": "pdu", "oid": "1.3"}}), "numbers for `on` and `off`"),
        (json!("{\"command\": "), "cannot be read"),
    ] {
        let error = Outlet::from_property(&property).unwrap_err().to_string();
        assert!(error.contains(words), "{property}: {error}");
    }
    assert!("reboot".parse::<Action>().is_err());
}

#[tokio::test]
async fn a_program_switches() {
    let folder = tempfile::tempdir().unwrap();
    let trace = folder.path().join("trace");
    let say =
        |word: &str| vec!["sh".to_owned(), "-c".to_owned(), format!("echo {word} >> {}", trace.display())];
    let last = format!("tail -n 1 {}", trace.display());
    let property = json!({
        "command": {"on": say("on"), "off": say("off"), "status": ["sh", "-c", last]},
        "off_millis": 1
    });
    let outlet = Outlet::from_property(&property).unwrap();
    let limit = Duration::from_secs(10);
    assert_eq!(outlet.act(Action::Off, limit).await.unwrap(), State::Off);
    assert_eq!(outlet.act(Action::Status, limit).await.unwrap(), State::Off);
    assert_eq!(outlet.act(Action::Cycle, limit).await.unwrap(), State::On);
    assert_eq!(outlet.act(Action::Status, limit).await.unwrap(), State::On);
    assert_eq!(std::fs::read_to_string(&trace).unwrap(), "off\noff\non\n");
    let bare =
        Outlet::from_property(&json!({"command": {"on": ["sh", "-c", "echo no relay; exit 3"]}})).unwrap();
    let error = bare.act(Action::On, limit).await.unwrap_err().to_string();
    assert!(error.contains("no relay") && error.contains('3'), "{error}");
    let error = bare.act(Action::Status, limit).await.unwrap_err().to_string();
    assert!(error.contains("`status`"), "{error}");
}

#[tokio::test]
async fn an_outlet_that_does_not_answer_has_a_limit() {
    let outlet = Outlet::from_property(&json!({"command": {"on": ["sleep", "600"]}})).unwrap();
    let error = outlet.act(Action::On, Duration::from_millis(50)).await.unwrap_err().to_string();
    assert!(error.contains("50ms"), "{error}");
}
