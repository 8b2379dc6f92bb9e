use jackfield_protocol::time::Time;
use serde_json::json;

use super::*;

async fn store(folder: &tempfile::TempDir) -> Store {
    Store::open(folder.path().join("db").to_str().unwrap(), Time(0)).await.unwrap()
}

fn lab() -> FirstResources {
    let tree = json!({"name": "/", "version": 3, "children": {
        "tb1": {"id": "0000000001", "meta": {"site": "lab2"}, "children": {
            "router": {"id": "0000000002", "meta": {"ip": "10.0.0.1"}, "children": {}}
        }}
    }});
    let sut = json!({"version": 2, "id": "0000000009", "meta": {}, "children": {
        "gateway": {"id": "000000000a", "meta": {"_id": "0000000002"}, "children": {}}
    }, "path": ["bench.system"]});
    FirstResources { tree: Some(tree), suts: BTreeMap::from([("bench.system".into(), sut)]) }
}

#[tokio::test]
async fn edits_outlive_the_engine_and_files_are_taken_in_once() {
    let folder = tempfile::tempdir().unwrap();
    let ana = UserName::from("ana");
    let resources = Resources::start(store(&folder).await, lab(), Feed::default()).await.unwrap();
    assert_eq!(resources.get("/tb1/router:ip".to_owned()).await.unwrap(), json!("10.0.0.1"));
    let new = BTreeMap::from([("port".to_owned(), json!(2))]);
    let made = resources.set(&ana, "/tb1".to_owned(), "switch".to_owned(), new).await.unwrap();
    assert_eq!(made["created"], json!(true));
    resources.rename(&ana, "/tb1/router".to_owned(), "core".to_owned()).await.unwrap();
    resources.delete(&ana, "/tb1:site".to_owned()).await.unwrap();
    drop(resources);
    let again = Resources::start(store(&folder).await, lab(), Feed::default()).await.unwrap();
    assert_eq!(again.get("/tb1/switch:port".to_owned()).await.unwrap(), json!(2));
    assert_eq!(again.get("/tb1/core:ip".to_owned()).await.unwrap(), json!("10.0.0.1"));
    let missing = again.get("/tb1/router".to_owned()).await.unwrap_err();
    assert_eq!(missing.code, ErrorCode::NotFound, "the file is not taken in again");
    let audit = store::audit::list(
        &mut store(&folder).await.read().await.unwrap(),
        &store::audit::Filter::default(),
        None,
        10,
    )
    .await
    .unwrap();
    let lines: Vec<_> =
        audit.iter().map(|line| format!("{} {} {}", line.who, line.action, line.target)).collect();
    assert_eq!(
        lines,
        ["ana resource.delete /tb1:site", "ana resource.rename /tb1/core", "ana resource.set /tb1/switch"]
    );
}

#[tokio::test]
async fn an_edit_of_an_old_version_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let ana = UserName::from("ana");
    let resources = Resources::start(store(&folder).await, lab(), Feed::default()).await.unwrap();
    let change = || Change::Act(Act::Delete { query: "/tb1/router".to_owned() });
    let refused = resources.edit(&ana, Some(2), change()).await.unwrap_err();
    assert_eq!(refused.code, ErrorCode::Changed);
    let done = resources.edit(&ana, Some(3), change()).await.unwrap();
    assert_eq!(done.version, 4);
    let stale = Resources::start(store(&folder).await, lab(), Feed::default()).await.unwrap();
    assert_eq!(stale.look(|bench| bench.tree.version()).await.unwrap(), 4);
}

#[tokio::test]
async fn suts_are_found_under_their_short_name() {
    let folder = tempfile::tempdir().unwrap();
    let ana = UserName::from("ana");
    let resources = Resources::start(store(&folder).await, lab(), Feed::default()).await.unwrap();
    let get = async |query: &str, follow| resources.get_sut(&ana, query.to_owned(), follow).await;
    assert_eq!(get("/bench.system/gateway:_id", false).await.unwrap(), json!("0000000002"));
    assert_eq!(get("bench/gateway:_id", false).await.unwrap(), json!("0000000002"));
    assert_eq!(get("/bench/gateway:ip", true).await.unwrap(), json!("10.0.0.1"));
    let body = json!({"id": "00000000b0", "meta": {"mine": 1}, "children": {}});
    let put = Change::PutSut { name: "bench.ana".into(), body };
    assert_eq!(resources.edit(&ana, Some(0), put).await.unwrap().version, 1);
    assert_eq!(get("/bench:mine", false).await.unwrap(), json!(1), "one's own comes first");
    let delete = Change::DeleteSut { name: "bench.ana".into() };
    resources.edit(&ana, Some(1), delete.clone()).await.unwrap();
    assert_eq!(resources.edit(&ana, None, delete).await.unwrap_err().code, ErrorCode::NotFound);
    assert!(get("/bench:mine", false).await.is_err());
    let again = Resources::start(store(&folder).await, lab(), Feed::default()).await.unwrap();
    let version =
        again.look(|bench| bench.suts.sut(&"bench.system".into()).map(Tree::version)).await.unwrap();
    assert_eq!(version, Some(2), "versions outlive the engine");
}

#[tokio::test]
async fn what_cannot_be_stored_is_undone() {
    let folder = tempfile::tempdir().unwrap();
    let ana = UserName::from("ana");
    let store = store(&folder).await;
    let resources = Resources::start(store.clone(), lab(), Feed::default()).await.unwrap();
    store.close().await;
    let refused = resources.delete(&ana, "/tb1".to_owned()).await.unwrap_err();
    assert_eq!(refused.code, ErrorCode::Storage);
    assert_eq!(resources.get("/tb1/router:ip".to_owned()).await.unwrap(), json!("10.0.0.1"));
}

#[tokio::test]
async fn many_edits_at_once_are_all_stored() {
    let folder = tempfile::tempdir().unwrap();
    let resources = Resources::start(store(&folder).await, lab(), Feed::default()).await.unwrap();
    let edits = (0..500).map(|number| {
        let resources = resources.clone();
        async move {
            resources
                .set(&"ana".into(), "/".to_owned(), format!("tb-{number}"), BTreeMap::new())
                .await
                .unwrap();
        }
    });
    futures_util::future::join_all(edits).await;
    let again =
        Resources::start(store(&folder).await, FirstResources::default(), Feed::default()).await.unwrap();
    // The file's two nodes, and the new ones.
    assert_eq!(again.look(|bench| bench.tree.len()).await.unwrap(), 502);
}
