use std::collections::BTreeSet;

use jackfield_protocol::calendar::{ClockTime, Repeat};
use jiff::civil;
use proptest::prelude::*;

use super::*;

/// Clocks are set forward at three in the morning of the last Sunday of March, and back at four of that of October.
fn bucharest() -> TimeZone {
    TimeZone::posix("EET-2EEST,M3.5.0/3,M10.5.0/4").unwrap()
}

fn rule(from: &str, at: &str, repeat: &str) -> Recurrence {
    let repeat: Repeat = serde_json::from_str(repeat).unwrap();
    Recurrence { from: from.parse().unwrap(), at: at.parse().unwrap(), zone: "lab".to_owned(), repeat }
}

fn told(rule: &Recurrence, now: &str) -> Vec<String> {
    let found = beginnings(rule, &bucharest(), now.parse().unwrap()).unwrap();
    found.iter().map(|begin| begin.to_string().replace(":00.000Z", "Z")).collect()
}

const NOW: &str = "2026-01-01T00:00:00Z";

#[test]
fn six_is_six_in_summer_and_in_winter() {
    let spring = rule("2026-03-27", "06:00", r#"{"every":"day","times":4}"#);
    let wanted = ["2026-03-27T04:00Z", "2026-03-28T04:00Z", "2026-03-29T03:00Z", "2026-03-30T03:00Z"];
    assert_eq!(told(&spring, NOW), wanted);
    let autumn = rule("2026-10-19", "06:00", r#"{"every":"week","times":2}"#);
    assert_eq!(told(&autumn, NOW), ["2026-10-19T03:00Z", "2026-10-26T04:00Z"]);
}

#[test]
fn what_the_clocks_leave_out_is_later_and_of_what_they_show_twice_the_first_is_meant() {
    let gap = rule("2026-03-28", "03:30", r#"{"every":"day","times":3}"#);
    // 03:30 is 04:30 on that one day, and 03:30 again on the next: it does not stay away.
    assert_eq!(told(&gap, NOW), ["2026-03-28T01:30Z", "2026-03-29T01:30Z", "2026-03-30T00:30Z"]);
    let twice = rule("2026-10-24", "03:30", r#"{"every":"day","times":3}"#);
    assert_eq!(told(&twice, NOW), ["2026-10-24T00:30Z", "2026-10-25T00:30Z", "2026-10-26T01:30Z"]);
}

#[test]
fn weeks_begin_on_monday_and_every_second_one_is_that_of_the_first() {
    let days =
        rule("2026-01-07", "10:00", r#"{"every":"week","interval":2,"days":["mon","wed","sun"],"times":5}"#);
    // From Wednesday on; Monday of that week was before it.
    let wanted = [
        "2026-01-07T08:00Z",
        "2026-01-11T08:00Z",
        "2026-01-19T08:00Z",
        "2026-01-21T08:00Z",
        "2026-01-25T08:00Z",
    ];
    assert_eq!(told(&days, NOW), wanted);
}

#[test]
fn a_leap_day_is_a_day_like_another() {
    let over = rule("2028-02-28", "12:00", r#"{"every":"day","times":3}"#);
    assert_eq!(told(&over, NOW), ["2028-02-28T10:00Z", "2028-02-29T10:00Z", "2028-03-01T10:00Z"]);
    let until = rule("2028-02-27", "12:00", r#"{"every":"day","until":"2028-02-29"}"#);
    assert_eq!(told(&until, NOW).len(), 3, "the last date counts");
}

#[test]
fn what_is_over_is_left_out_and_does_not_count() {
    let daily = rule("2026-01-01", "06:00", r#"{"every":"day","times":2}"#);
    assert_eq!(told(&daily, "2026-01-05T04:00:00Z"), ["2026-01-06T04:00Z", "2026-01-07T04:00Z"]);
    let year = rule("2026-01-01", "06:00", r#"{"every":"week"}"#);
    let all = told(&year, "2026-06-01T00:00:00Z");
    assert_eq!(
        (all.len(), all[0].as_str(), all[52].as_str()),
        (53, "2026-06-04T03:00Z", "2027-06-03T03:00Z")
    );
}

#[test]
fn what_makes_no_sense_is_refused_with_what_to_write() {
    let refused = |repeat: &str| {
        let now = NOW.parse().unwrap();
        beginnings(&rule("2026-02-01", "06:00", repeat), &bucharest(), now).unwrap_err().to_string()
    };
    assert!(refused(r#"{"every":"day","interval":0}"#).contains("cannot be 0"));
    assert!(refused(r#"{"every":"day","times":0}"#).contains("`times`"));
    assert!(refused(r#"{"every":"day","times":1,"until":"2026-03-01"}"#).contains("not both"));
    assert!(refused(r#"{"every":"day","days":["mon"]}"#).contains("mon, tue, wed, thu, fri"));
    assert!(refused(r#"{"every":"day","times":401}"#).contains("at most 400"));
    let early = refused(r#"{"every":"week","until":"2026-01-31"}"#);
    assert_eq!(early, "there is no such time from 2026-02-01 on that is still to come until 2026-01-31");
}

proptest! {
    /// Each beginning shows the time of the rule on the clocks of the lab, but for those that the clocks leave out; they go on
    /// in order, on the right days, each once.
    #[test]
    fn every_beginning_is_where_the_rule_says(
        day in 0_i32..1_500, hour in 0_i8..24, minute in 0_i8..60, interval in 1_u16..9,
        weekly in any::<bool>(), days in proptest::collection::btree_set(0_usize..7, 0..4), times in 1_u32..60,
    ) {
        let from = civil::date(2026, 1, 1).checked_add(day.days()).unwrap();
        let days: BTreeSet<_> =
            days.into_iter().filter(|_| weekly).map(|day| Weekday::ALL[day]).collect();
        let every = if weekly { Every::Week } else { Every::Day };
        let repeat = Repeat { every, interval, days: days.clone(), until: None, times: Some(times) };
        let at = civil::Time::new(hour, minute, 0, 0).unwrap();
        let from = jackfield_protocol::calendar::Date(from);
        let rule = Recurrence { from, at: ClockTime(at), zone: "lab".to_owned(), repeat };
        let zone = bucharest();
        let found = beginnings(&rule, &zone, NOW.parse().unwrap()).unwrap();
        let is_far = found.last().is_some_and(|last| last.0 > NOW.parse::<Time>().unwrap().0 + 94_867_200_000);
        prop_assert!(is_far || found.len() == usize::try_from(times).unwrap());
        prop_assert!(found.is_sorted_by(|one, next| one < next));
        for begin in found {
            let here = zone.to_datetime(jiff::Timestamp::from_millisecond(begin.0).unwrap());
            let spring = here.month() == 3 && here.day() >= 25 && here.hour() == 4 && hour == 3;
            prop_assert!(here.time() == at || (spring && here.minute() == minute), "{}", here);
            let weekday = Weekday::of(jackfield_protocol::calendar::Date(here.date()));
            prop_assert!(days.is_empty() || days.contains(&weekday));
            prop_assert!(here.date() >= from.0);
        }
    }
}
