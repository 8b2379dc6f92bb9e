//! The lab's own time: the zone of the engine's machine, for the local times of reports.

use jackfield_protocol::time::Time;
use jiff::{Timestamp, tz::TimeZone};

/// The zone's name as people know it, and what its clocks are ahead of UTC at an instant, in seconds.
pub(crate) fn at(time: Time) -> (String, i32) {
    of(&TimeZone::system(), time)
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
}
