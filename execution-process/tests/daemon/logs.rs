//! What tests write arrives byte for byte.

use jackfield_protocol::{link::EngineToEp, log::Stream};

use crate::{
    engine::Engine,
    fixture::{Ep, assign, id, order, shell},
};

#[tokio::test(flavor = "multi_thread")]
async fn binary_output_of_both_streams_arrives_in_order_and_whole() {
    let engine = Engine::start().await;
    let ep = Ep::start(&engine).await;
    let script = "printf 'a\\000\\377\\n'; printf 'err\\r' >&2; printf 'no newline at the end'; i=0; while [ $i -lt 300 ]; do printf \"out$i \"; printf \"err$i \" >&2; i=$((i+1)); done";
    shell(&engine, 1, script);
    let mut expect = b"a\0\xff\nerr\rno newline at the end".to_vec();
    (0..300).for_each(|i| expect.extend_from_slice(format!("out{i} err{i} ").as_bytes()));
    assert_eq!(engine.log(id(1), Stream::Cli).await, expect);
    ep.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_log_goes_through_a_small_window_and_a_broken_connection() {
    let engine = Engine::start_with(128 * 1024, 10_000).await;
    let ep = Ep::start(&engine).await;
    // 8 MB in which each line says where it is.
    shell(&engine, 1, "seq -f '%015.0f' 1 500000");
    engine.wait("some of the log", |state| (state.log_frames > 10).then_some(())).await;
    engine.cut().await;
    engine.connected().await;
    engine.say(EngineToEp::OpenRun(Box::new(crate::fixture::context())));
    let log = engine.log(id(1), Stream::Cli).await;
    assert_eq!(log.len(), 500_000 * 16);
    for (line, number) in log.split(|byte| *byte == b'\n').zip(1..) {
        if !line.is_empty() {
            assert_eq!(line, format!("{number:015}").as_bytes());
        }
    }
    ep.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_babbling_test_delays_no_verdict_of_another() {
    let engine = Engine::start_with(64 * 1024, 10_000).await;
    let ep = Ep::start_with(&engine, |settings| {
        settings.lanes = 2;
        settings.limits.log_spool_bytes = 4 << 20;
    })
    .await;
    // Nothing is stored, so the babbler soon has to wait; the other lane does not.
    engine.set(|state| state.mute = true);
    let mut babbler = order(&engine, 1, "babbler", "#!/bin/sh\nexec cat /dev/zero\n");
    babbler.timeout_millis = 3_000;
    assign(&engine, babbler);
    engine.wait("the babbler", |state| (state.log_frames > 0).then_some(())).await;
    let mut quiet = order(&engine, 2, "quiet", "#!/bin/sh\nexit 0\n");
    quiet.lane = 1;
    assign(&engine, quiet);
    engine.ended(id(2)).await;
    assert!(engine.state().ended(id(1)).is_none(), "the quiet test had to wait for the babbler");
    engine.set(|state| state.mute = false);
    engine.cut().await;
    let ended = engine.ended(id(1)).await;
    assert_eq!(ended.end.outcome.verdict, jackfield_protocol::verdict::Verdict::Timeout);
    assert_eq!(
        u64::try_from(engine.log(id(1), Stream::Cli).await.len()).unwrap(),
        ended.end.log_bytes[&Stream::Cli]
    );
    ep.stop().await.unwrap();
}
