//! Global parameters as tests see them: what `globals.xml` says, and over it what earlier tests of the user have set.

use std::sync::Arc;

use jackfield_protocol::{
    error::{ErrorCode, Problem},
    id::UserName,
};
use serde_json::{Map, Value};

use crate::store::{self, Store};

/// What a user's `globals.xml` says now, as folders of folders and values.
pub type FromFile = Arc<dyn Fn(&UserName) -> Result<Value, Problem> + Send + Sync>;

/// The global parameters of every user. Cheap to clone.
#[derive(Clone)]
pub struct Globals {
    store: Store,
    from_file: FromFile,
}

impl Globals {
    /// Parameters over those of files.
    pub fn new(store: Store, from_file: FromFile) -> Self {
        Self { store, from_file }
    }

    /// A parameter (`Level_A/global1`), or a folder of them as an object; null where there is none.
    ///
    /// # Errors
    /// `globals.xml` has problems, or the store does not answer.
    pub async fn get(&self, user: &UserName, path: &str) -> Result<Value, Problem> {
        let mut tree = (self.from_file)(user)?;
        for (path, value) in store::global::list(&mut self.store.read().await?, user).await? {
            put(&mut tree, &names(&path), value);
        }
        let found = names(path).into_iter().try_fold(&tree, |at, name| at.get(name));
        Ok(found.cloned().unwrap_or(Value::Null))
    }

    /// Sets a parameter for the user's tests, now and later; the file stays as it is.
    ///
    /// # Errors
    /// The path names nothing, or the store does not answer.
    pub async fn set(&self, user: &UserName, path: &str, value: Value) -> Result<Value, Problem> {
        let names = names(path);
        if names.is_empty() {
            let title = format!("`{path}` names no global parameter; write it as Folder/name");
            return Err(Problem::new(ErrorCode::BadRequest, title).field("path"));
        }
        let mut conn = self.store.write().await?;
        store::global::put(&mut conn, user, &names.join("/"), &value).await?;
        conn.commit().await?;
        Ok(Value::Null)
    }
}

fn names(path: &str) -> Vec<&str> {
    path.split('/').filter(|name| !name.is_empty()).collect()
}

/// Puts a value at a path, making folders on the way; a value in the way gives place to a folder.
fn put(tree: &mut Value, path: &[&str], value: Value) {
    let Some((name, rest)) = path.split_first() else {
        *tree = value;
        return;
    };
    if !tree.is_object() {
        *tree = Value::Object(Map::new());
    }
    if let Some(folder) = tree.as_object_mut() {
        put(folder.entry((*name).to_owned()).or_insert(Value::Null), rest, value);
    }
}

#[cfg(test)]
mod tests {
    use jackfield_protocol::time::Time;
    use serde_json::json;

    use super::*;

    #[tokio::test]
    async fn what_tests_set_lies_over_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path().join("db").to_str().unwrap(), Time(0)).await.unwrap();
        let file = |_: &UserName| Ok(json!({"Level_A": {"one": "1", "two": "2"}}));
        let globals = Globals::new(store, Arc::new(file));
        let (ana, bob) = (UserName::from("ana"), UserName::from("bob"));
        assert_eq!(globals.get(&ana, "/Level_A/one").await.unwrap(), json!("1"));
        globals.set(&ana, "Level_A/one", json!([1])).await.unwrap();
        globals.set(&ana, "New/deep/x", json!(true)).await.unwrap();
        assert_eq!(globals.get(&ana, "Level_A").await.unwrap(), json!({"one": [1], "two": "2"}));
        assert_eq!(globals.get(&ana, "New").await.unwrap(), json!({"deep": {"x": true}}));
        assert_eq!(globals.get(&bob, "Level_A/one").await.unwrap(), json!("1"), "each user has their own");
        assert_eq!(globals.get(&ana, "Level_A/nine").await.unwrap(), Value::Null);
        assert!(globals.set(&ana, "/", json!(1)).await.is_err());
    }
}
