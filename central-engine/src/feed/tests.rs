use super::*;

fn run(number: u64, state: &str) -> (Thing, Change) {
    (Thing::Run(RunId(number)), Change { topic: "run", json: state.into(), owner: None })
}

async fn words(watcher: &mut Watcher) -> Vec<String> {
    match watcher.next().await {
        Next::Changes(changes) => changes.iter().map(|(_, change)| change.json.to_string()).collect(),
        Next::Gap(_) => panic!("a gap"),
    }
}

#[tokio::test]
async fn a_watcher_gets_the_newest_of_each_thing_and_nothing_that_was_overtaken() {
    let feed = Feed::new(7);
    let (mut watcher, resumed) = feed.watch(None);
    assert!(!resumed);
    feed.publish([run(1, "1 runs"), run(2, "2 runs")]);
    feed.publish([run(1, "1 ended"), run(3, "3 runs")]);
    assert_eq!(words(&mut watcher).await, ["2 runs", "1 ended", "3 runs"]);
    feed.tree_edited(12);
    assert_eq!(words(&mut watcher).await, ["{\"version\":12}"]);
}

#[tokio::test]
async fn a_deleted_run_takes_the_place_of_what_it_was() {
    let feed = Feed::new(7);
    let (mut watcher, _) = feed.watch(None);
    feed.publish([run(1, "1 ended"), run(2, "2 runs")]);
    feed.run_deleted(RunId(1), "ana".into());
    assert_eq!(words(&mut watcher).await, ["2 runs", "{\"run\":1}"]);
}

#[tokio::test]
async fn who_comes_back_goes_on_where_they_were() {
    let feed = Feed::new(7);
    feed.publish([run(1, "1 runs"), run(2, "2 runs")]);
    let (watcher, _) = feed.watch(None);
    let position = watcher.position();
    assert_eq!(position.to_string(), "7.2");
    drop(watcher);
    feed.publish([run(1, "1 ended")]);
    let (mut back, resumed) = feed.watch(Some(position.to_string().parse().unwrap()));
    assert!(resumed);
    assert_eq!(words(&mut back).await, ["1 ended"]);
}

#[test]
fn another_life_and_a_number_of_the_future_have_to_ask_again() {
    let feed = Feed::new(7);
    feed.publish([run(1, "1 runs")]);
    for position in ["8.1", "7.2"] {
        let (watcher, resumed) = feed.watch(Some(position.parse().unwrap()));
        assert!(!resumed, "{position}");
        assert_eq!(watcher.position().to_string(), "7.1");
    }
    for text in ["", "7", "7.", ".1", "x.1", "7.-1", "7.1.2"] {
        assert!(text.parse::<Position>().is_err(), "{text}");
    }
}

#[tokio::test]
async fn what_is_kept_is_bounded_and_who_is_too_far_behind_is_told() {
    let feed = Feed::new(7);
    let (mut slow, _) = feed.watch(None);
    let most = u64::try_from(limits::FEED_KEPT_MAX).unwrap();
    feed.publish((1..=most + 5).map(|number| run(number, "runs")));
    assert_eq!(feed.state().by_seq.len(), limits::FEED_KEPT_MAX);
    assert_eq!(feed.state().by_thing.len(), limits::FEED_KEPT_MAX);
    let end = Position { life: 7, seq: most + 5 };
    assert_eq!(slow.next().await, Next::Gap(end));
    feed.publish([run(1, "ended")]);
    assert_eq!(words(&mut slow).await, ["ended"], "and it goes on from there");
    assert!(!feed.watch(Some(Position { life: 7, seq: 5 })).1);
    assert!(feed.watch(Some(Position { life: 7, seq: 6 })).1);
}

#[test]
fn what_happens_while_nobody_watches_is_bounded_too() {
    let feed = Feed::new(7);
    let most = u64::try_from(limits::FEED_KEPT_MAX).unwrap();
    let note = |run| RunEvent {
        run: RunId(run),
        seq: 1,
        at: jackfield_protocol::time::Time(0),
        fact: Fact::Note { text: String::new() },
    };
    let position = feed.watch(None).0.position();
    feed.happened(&(0..=most).map(note).collect::<Vec<_>>());
    assert!(feed.state().touched.runs.is_empty());
    assert!(!feed.watch(Some(position)).1, "it cannot be told what it missed");
}
