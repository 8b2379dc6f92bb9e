//! A Twister lab brings its users along.

use jackfield_tests::Bench;
use serde_json::{Value, json};

const FILE: &str = "[users]\n[[ana]]\ngroups = night\n[groups]\n[[night]]\nroles = RUN_TESTS, VIEW_REPORTS\n";

#[test]
fn accounts_of_the_file_wait_for_a_password_and_edits_are_told() {
    let mut bench = Bench::start_in("", |bench| {
        bench.write("users_and_groups.ini", FILE)?;
        Ok(None)
    })
    .unwrap();
    let said = bench.engine_log();
    assert!(said.contains("made accounts for ana") && said.contains("jackfield user password"), "{said}");
    let login = json!({"user": "ana", "password": "", "token": "t"});
    assert_eq!(bench.api.request("POST", "/login", Some(&login)).unwrap().0, 401);
    let listed = || {
        let output = bench.jackfield(&["user", "list"]).unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        text.lines().find(|line| line.contains("ana")).unwrap().to_owned()
    };
    assert!(listed().contains("night") && listed().contains("no password"), "{}", listed());
    bench.api.put::<Value>("/users/ana/password", &json!({"password": "correct horse"})).unwrap();
    assert!(!listed().contains("no password"), "{}", listed());
    let login = json!({"user": "ana", "password": "correct horse", "token": "t"});
    let ana: Value = bench.api.post("/login", &login).unwrap();
    assert_eq!(ana["roles"], json!(["RUN_TESTS", "VIEW_REPORTS"]));

    bench.write("users_and_groups.ini", &format!("{FILE}, EDIT_TC\n").replace("\n, ", ", ")).unwrap();
    // Who may do something about it hears of it at the next log-in.
    let chief = json!({"name": "chief", "password": "chief likes switches", "roles": ["CHANGE_USERS"]});
    bench.api.post::<Value>("/users", &chief).unwrap();
    let log_in = json!({"user": "chief", "password": "chief likes switches", "token": "t"});
    let told: Value = bench.api.post("/login", &log_in).unwrap();
    assert!(told["notices"][0].as_str().unwrap().contains("group night is another"), "{told}");
    let again: Value = bench.api.post("/login", &login).unwrap();
    assert_eq!(again.get("notices"), None, "ana can do nothing about it");
    bench.kill_engine();
    bench.start_engine().unwrap();
    let said = bench.engine_log();
    assert!(said.contains("was edited") && said.contains("group night is another"), "{said}");
    let again: Value = bench.api.post("/login", &login).unwrap();
    assert_eq!(again["roles"], ana["roles"], "a restart changes no account");
}
