//! The lab's own time: the zone of the engine's machine, for the local times of reports.

use jackfield_protocol::time::Time;
use jiff::{Timestamp, tz::TimeZone};

use crate::clock;

const MONTH_MILLIS: u64 = 30 * 24 * 60 * 60 * 1_000;

/// The zone's name as people know it, and what its clocks are ahead of UTC at an instant, in seconds.
pub(crate) fn at(time: Time) -> (String, i32) {
    of(&TimeZone::system(), time)
}

/// The zone as MySQL is told of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Here {
    /// Its name, where it has one.
    pub(crate) name: Option<String>,
    /// What its clocks are ahead of UTC now: `+02:00`.
    pub(crate) ahead: String,
    /// Whether they are ahead by something else at another time of the year.
    pub(crate) is_set_twice_a_year: bool,
}

/// See [`Here`].
pub(crate) fn here() -> Here {
    here_of(&TimeZone::system(), clock::wall())
}

fn here_of(zone: &TimeZone, now: Time) -> Here {
    let ahead = of(zone, now).1;
    let (sign, minutes) = (if ahead < 0 { '-' } else { '+' }, ahead.unsigned_abs() / 60);
    let other = (1..12).map(|month| of(zone, now.plus_millis(month * MONTH_MILLIS)).1);
    Here {
        name: zone.iana_name().map(str::to_owned),
        ahead: format!("{sign}{:02}:{:02}", minutes / 60, minutes % 60),
        is_set_twice_a_year: other.into_iter().any(|other| other != ahead),
    }
}

/// The zone itself.
pub(crate) fn lab() -> TimeZone {
    TimeZone::system()
}

/// What others may know the zone by: its name, else what its clocks are ahead now, as POSIX writes it.
pub(crate) fn names() -> Vec<String> {
    names_of(&TimeZone::system(), clock::wall())
}

fn names_of(zone: &TimeZone, now: Time) -> Vec<String> {
    let ahead = of(zone, now).1;
    // What is east of Greenwich has a minus there.
    let (sign, minutes) = (if ahead >= 0 { '-' } else { '+' }, ahead.unsigned_abs() / 60);
    let offset = format!("LAB{sign}{:02}:{:02}", minutes / 60, minutes % 60);
    zone.iana_name().map(str::to_owned).into_iter().chain([offset]).collect()
}

fn of(zone: &TimeZone, time: Time) -> (String, i32) {
    let instant = Timestamp::from_millisecond(time.0).unwrap_or_default();
    let here = zone.to_offset_info(instant);
    let name = zone.iana_name().unwrap_or_else(|| here.abbreviation());
    (name.to_owned(), here.offset().seconds())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_zone_tells_its_summer_from_its_winter() {
        let zone = TimeZone::posix("EET-2EEST,M3.5.0/3,M10.5.0/4").unwrap();
        let (winter, summer) = (Time(1_768_000_000_000), Time(1_783_000_000_000));
        assert_eq!(of(&zone, winter), ("EET".to_owned(), 7_200));
        assert_eq!(of(&zone, summer), ("EEST".to_owned(), 10_800));
    }

    #[test]
    fn mysql_hears_of_a_zone_with_its_clocks_of_today() {
        let here = |zone: &str, millis| {
            let Here { ahead, is_set_twice_a_year, .. } =
                here_of(&TimeZone::posix(zone).unwrap(), Time(millis));
            (ahead, is_set_twice_a_year)
        };
        let (winter, summer) = (1_768_000_000_000, 1_783_000_000_000);
        assert_eq!(here("EET-2EEST,M3.5.0/3,M10.5.0/4", winter), ("+02:00".to_owned(), true));
        assert_eq!(here("EET-2EEST,M3.5.0/3,M10.5.0/4", summer), ("+03:00".to_owned(), true));
        assert_eq!(here("XST3:30", winter), ("-03:30".to_owned(), false));
        assert_eq!(
            here_of(&TimeZone::get("Asia/Kolkata").unwrap(), Time(0)).name.as_deref(),
            Some("Asia/Kolkata")
        );
    }

    #[test]
    fn others_know_a_zone_by_its_name_or_by_its_clocks() {
        let zone = TimeZone::posix("EET-2EEST,M3.5.0/3,M10.5.0/4").unwrap();
        assert_eq!(names_of(&zone, Time(1_783_000_000_000)), ["LAB-03:00"]);
        let west = TimeZone::posix("XST3:30").unwrap();
        assert_eq!(names_of(&west, Time(0)), ["LAB+03:30"]);
        assert_eq!(names_of(&TimeZone::UTC, Time(0)), ["UTC", "LAB-00:00"]);
        // As the machine has it: `TZ` names zones so.
        let named = TimeZone::get("Asia/Kolkata").unwrap();
        assert_eq!(names_of(&named, Time(0)), ["Asia/Kolkata", "LAB-05:30"]);
    }
}
