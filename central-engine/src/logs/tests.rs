use jackfield_protocol::id::TestIndex;

use super::*;

mod look;

fn key(test: u32, stream: Stream) -> LogKey {
    LogKey { attempt: AttemptId { run: RunId(41), test: TestIndex(test), attempt: 1 }, stream }
}

async fn write(logs: &Logs, key: LogKey, offset: u64, bytes: &'static [u8]) -> u64 {
    logs.write(key.attempt, key.stream, offset, bytes).await.unwrap()
}

async fn all(logs: &Logs, key: LogKey) -> Vec<u8> {
    logs.read(key, 0, u64::MAX).await.unwrap().bytes
}

#[tokio::test]
async fn repeated_bytes_change_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let logs = Logs::open(folder.path(), u64::MAX).unwrap();
    let cli = key(17, Stream::Cli);
    assert_eq!(write(&logs, cli, 0, b"no route ").await, 9);
    assert_eq!(write(&logs, cli, 9, b"to host\xff\n").await, 18);
    assert_eq!(write(&logs, cli, 0, b"no route ").await, 18, "sent again after a reconnect");
    assert_eq!(all(&logs, cli).await, b"no route to host\xff\n");
    assert_eq!(logs.read(cli, 3, 5).await.unwrap(), LogSlice { from: 3, bytes: b"route".to_vec(), size: 18 });
    assert_eq!(logs.read(cli, 99, 5).await.unwrap(), LogSlice { from: 99, bytes: vec![], size: 18 });
    assert_eq!(logs.tail(cli, 6).await.unwrap().bytes, b"host\xff\n");
    logs.sync(vec![cli]).await.unwrap();
    assert_eq!(logs.list(cli.attempt).await.unwrap(), BTreeMap::from([(Stream::Cli, 18)]));
    assert_eq!(logs.size(key(18, Stream::Cli)).await.unwrap(), 0);
}

#[tokio::test]
async fn a_gap_says_that_it_is_one() {
    let folder = tempfile::tempdir().unwrap();
    let logs = Logs::open(folder.path(), u64::MAX).unwrap();
    let cli = key(1, Stream::Cli);
    write(&logs, cli, 100, b"after").await;
    let bytes = all(&logs, cli).await;
    assert_eq!(bytes.len(), 105);
    assert!(bytes.starts_with(b"\n[100 bytes of this log are lost]\n"));
    assert!(bytes.ends_with(b"after"));
}

#[tokio::test]
async fn a_device_that_babbles_fills_no_disk() {
    let folder = tempfile::tempdir().unwrap();
    let logs = Logs::open(folder.path(), 10).unwrap();
    let cli = key(1, Stream::Cli);
    write(&logs, cli, 0, b"12345678").await;
    write(&logs, cli, 8, b"90too much").await;
    let cut = b"1234567890\n[this log is cut here: the engine keeps 10 bytes of a log]\n";
    assert_eq!(all(&logs, cli).await, cut);
    write(&logs, cli, 18, b"and more").await;
    write(&logs, cli, 8, b"90too much").await;
    assert_eq!(all(&logs, cli).await, cut);
}

#[tokio::test]
async fn packed_logs_read_the_same_and_can_grow_again() {
    let folder = tempfile::tempdir().unwrap();
    let logs = Logs::open(folder.path(), u64::MAX).unwrap();
    let (long, short) = (key(1_234, Stream::Cli), key(1_234, Stream::Running));
    // Neither a multiple of the frame nor of the line, so that ranges cross frames.
    let line = b"GigabitEthernet0/1 is up, line protocol is up\n";
    let text: Vec<u8> = line.iter().copied().cycle().take(limits::LOG_FRAME_BYTES * 2 + 12_345).collect();
    for (index, chunk) in text.chunks(60_000).enumerate() {
        let offset = u64::try_from(index * 60_000).unwrap();
        logs.write(long.attempt, long.stream, offset, chunk.to_vec()).await.unwrap();
    }
    write(&logs, short, 0, b"short").await;
    logs.pack(RunId(41)).await.unwrap();
    let packed = file::packed_path(&logs.path(long));
    assert!(std::fs::metadata(&packed).unwrap().len() < 20_000);
    assert!(std::fs::metadata(logs.path(long)).is_err());
    assert_eq!(std::fs::read(logs.path(short)).unwrap(), b"short", "not worth packing");
    assert!(all(&logs, long).await == text);
    for (from, limit) in [(0, 10), (1_048_570, 20), (2_097_000, 100_000), (1, 2_000_000)] {
        let slice = logs.read(long, from, limit).await.unwrap();
        let from = usize::try_from(from).unwrap();
        let end = text.len().min(from + usize::try_from(limit).unwrap());
        assert!(slice.bytes == text[from..end], "{from} {limit}");
        assert_eq!(slice.size, u64::try_from(text.len()).unwrap());
    }
    // Any zstd reads it.
    assert!(zstd::decode_all(std::fs::File::open(&packed).unwrap()).unwrap() == text);
    // Packing again changes nothing; a late byte unpacks it.
    logs.pack(RunId(41)).await.unwrap();
    write(&logs, long, u64::try_from(text.len()).unwrap(), b"late").await;
    assert!(all(&logs, long).await.ends_with(b"late"));
    assert_eq!(logs.size(long).await.unwrap(), u64::try_from(text.len() + 4).unwrap());
}

#[tokio::test]
async fn a_damaged_packed_log_is_an_error_not_an_empty_log() {
    let folder = tempfile::tempdir().unwrap();
    let logs = Logs::open(folder.path(), u64::MAX).unwrap();
    let cli = key(1, Stream::Cli);
    logs.write(cli.attempt, cli.stream, 0, vec![b'x'; 100_000]).await.unwrap();
    logs.pack(RunId(41)).await.unwrap();
    let packed = file::packed_path(&logs.path(cli));
    let whole = std::fs::read(&packed).unwrap();
    for cut in [0, 5, whole.len() - 1] {
        std::fs::write(&packed, &whole[..cut]).unwrap();
        assert!(logs.read(cli, 0, 10).await.is_err(), "{cut}");
    }
}

#[tokio::test]
async fn more_logs_than_open_files() {
    let folder = tempfile::tempdir().unwrap();
    let logs = Logs::open(folder.path(), u64::MAX).unwrap();
    let count = u32::try_from(limits::LOG_FILES_OPEN_MAX + 20).unwrap();
    for round in 0..2 {
        for test in 0..count {
            write(&logs, key(test, Stream::Cli), round, b"x").await;
        }
    }
    assert_eq!(logs.files().files.len(), limits::LOG_FILES_OPEN_MAX);
    for test in 0..count {
        assert_eq!(all(&logs, key(test, Stream::Cli)).await, b"xx");
        logs.sync(vec![key(test, Stream::Cli)]).await.unwrap();
    }
}

#[tokio::test]
async fn followers_hear_of_growth() {
    let folder = tempfile::tempdir().unwrap();
    let logs = Logs::open(folder.path(), u64::MAX).unwrap();
    let cli = key(1, Stream::Cli);
    let mut follower = logs.follow(cli);
    write(&logs, cli, 0, b"line\n").await;
    follower.changed().await.unwrap();
    assert_eq!(*follower.borrow(), 5);
}

#[tokio::test]
async fn a_full_disk_is_an_error_that_says_so() {
    // Writing to this device always answers "no space left".
    let error = std::fs::write("/dev/full", b"x").unwrap_err();
    let problem = Problem::from(LogError::new(Path::new("/var/lab/logs/41"), error));
    assert_eq!(problem.code, ErrorCode::Storage);
    assert_eq!(problem.title, "the disk of the engine's logs is full; free some space in /var/lab/logs/41");
}

/// Writes a line a test, each at its time; the answer is when each line came.
async fn times(logs: &Logs, key: LogKey, at: &[i64]) -> Vec<Option<i64>> {
    for (line, at) in at.iter().enumerate() {
        logs.write_now(key, u64::try_from(line * 5).unwrap(), b"line\n", Time(*at)).unwrap();
    }
    told(logs, key, at.len()).await
}

async fn told(logs: &Logs, key: LogKey, lines: usize) -> Vec<Option<i64>> {
    let arrivals = logs.arrivals(key).await.unwrap();
    (0..lines).map(|line| arrivals.at(u64::try_from(line * 5).unwrap()).map(|time| time.0)).collect()
}

#[tokio::test]
async fn the_times_of_lines_are_kept_to_a_tenth_of_a_second() {
    let folder = tempfile::tempdir().unwrap();
    let logs = Logs::open(folder.path(), u64::MAX).unwrap();
    let cli = key(1, Stream::Cli);
    let seen = times(&logs, cli, &[1_000, 1_050, 1_120, 5_000, 5_099, 9_000]).await;
    assert_eq!(seen, [1_000, 1_000, 1_120, 5_000, 5_000, 9_000].map(Some));
    // Sent again after a reconnect: what is there came when it came.
    logs.write_now(cli, 0, b"line\n", Time(20_000)).unwrap();
    assert_eq!(told(&logs, cli, 6).await, seen);
    assert_eq!(logs.arrivals(key(2, Stream::Cli)).await.unwrap().at(0), None, "there is no such log");
}

#[tokio::test]
async fn quick_logs_have_one_time_and_no_file_for_it() {
    let folder = tempfile::tempdir().unwrap();
    let logs = Logs::open(folder.path(), u64::MAX).unwrap();
    let cli = key(1, Stream::Cli);
    let seen = times(&logs, cli, &[1_000, 1_500, 1_999]).await;
    let changed = std::fs::metadata(logs.path(cli)).unwrap().modified().unwrap();
    let changed = changed.duration_since(std::time::UNIX_EPOCH).unwrap().as_millis();
    assert_eq!(seen, [Some(i64::try_from(changed).unwrap()); 3]);
    let names = std::fs::read_dir(logs.path(cli).parent().unwrap()).unwrap().count();
    assert_eq!(names, 1);
}

#[tokio::test]
async fn times_outlive_packing_a_late_byte_and_a_crash() {
    let folder = tempfile::tempdir().unwrap();
    let logs = Logs::open(folder.path(), u64::MAX).unwrap();
    let cli = key(1, Stream::Cli);
    // A log and times that are long enough to be packed.
    let at: Vec<i64> = (0..10_000).map(|line| line * 1_000).collect();
    let seen = times(&logs, cli, &at).await;
    assert_eq!(seen, at.iter().map(|at| Some(*at)).collect::<Vec<_>>());
    logs.pack(RunId(41)).await.unwrap();
    assert!(std::fs::metadata(logs.path(cli)).is_err(), "it is packed");
    assert_eq!(told(&logs, cli, at.len()).await, seen);
    logs.write_now(cli, 50_000, b"late\n", Time(99_000_000)).unwrap();
    assert_eq!(told(&logs, cli, at.len()).await, seen);
    assert_eq!(logs.arrivals(cli).await.unwrap().at(50_001), Some(Time(99_000_000)));
    // The newest bytes did not reach the disk, and others come in their place.
    drop(logs);
    let logs = Logs::open(folder.path(), u64::MAX).unwrap();
    let file = std::fs::File::options().write(true).open(logs.path(cli)).unwrap();
    file.set_len(25_000).unwrap();
    logs.write_now(cli, 25_000, b"anew\n", Time(99_500_000)).unwrap();
    let seen = told(&logs, cli, 5_001).await;
    assert_eq!(seen[4_999..], [Some(4_999_000), Some(99_500_000)]);
}

#[tokio::test]
async fn a_log_that_never_rests_gets_a_time_a_second_in_the_end() {
    let folder = tempfile::tempdir().unwrap();
    let logs = Logs::open(folder.path(), u64::MAX).unwrap();
    let cli = key(1, Stream::Cli);
    let lines = i64::try_from(limits::LOG_TIMES_FINE_MAX).unwrap() + 40;
    let at: Vec<i64> = (0..lines).map(|line| line * 100).collect();
    let seen = times(&logs, cli, &at).await;
    let kinds: std::collections::BTreeSet<_> = seen.iter().collect();
    assert_eq!(kinds.len(), limits::LOG_TIMES_FINE_MAX + 4);
}
