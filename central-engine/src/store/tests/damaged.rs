//! A store whose file was damaged is told to be, whoever reads it.

use std::{os::unix::fs::FileExt as _, path::Path};

use jackfield_protocol::time::Time;

use crate::store::{self, Store, StoreError};

const PAGE: u64 = 4096;

/// Puts nonsense over the second half of a file.
fn damage(file: &Path) {
    let length = std::fs::metadata(file).unwrap().len();
    let writer = std::fs::OpenOptions::new().write(true).open(file).unwrap();
    let mut at = length / 2 / PAGE * PAGE;
    while at < length {
        writer.write_all_at(&[0x5a; 4096], at).unwrap();
        at += PAGE;
    }
}

#[tokio::test]
async fn damage_that_a_page_meets_is_known_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("store.sqlite");
    let url = file.display().to_string();
    let first = Store::open(&url, Time(1)).await.unwrap();
    let mut conn = first.write().await.unwrap();
    for _ in 0..2000 {
        store::audit::add(&mut conn, Time(1), "ana", ("deed", "target"), &"x".repeat(500)).await.unwrap();
    }
    conn.commit().await.unwrap();
    first.close().await;
    let second = Store::open(&url, Time(2)).await.unwrap();
    let told = second.damaged();
    tokio::pin!(told);
    assert!(futures_util::future::FutureExt::now_or_never(told.as_mut()).is_none(), "nothing is wrong yet");
    damage(&file);
    let mut conn = second.read().await.unwrap();
    let read = store::audit::list(&mut conn, &store::audit::Filter::default(), None, 10_000).await;
    assert!(matches!(read, Err(StoreError::Damaged(_))), "{read:?}");
    let told = told.await;
    assert!(told.contains("the file of the store is damaged; stop the engine"), "{told}");
    assert_eq!(second.damaged().await, told, "whoever asks later hears the same");
}
