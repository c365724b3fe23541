//! Calendar facts of an instant, as far as prices depend on them.

const NANOS_PER_SECOND: i64 = 1_000_000_000;
const SECONDS_PER_DAY: i64 = 86_400;

/// Days since 1970-01-01, UTC.
pub(crate) const fn utc_day(at_ns: i64) -> i64 {
    at_ns.div_euclid(NANOS_PER_SECOND).div_euclid(SECONDS_PER_DAY)
}

/// Minutes since midnight, UTC.
pub(crate) const fn utc_minute(at_ns: i64) -> u16 {
    (at_ns.div_euclid(NANOS_PER_SECOND).rem_euclid(SECONDS_PER_DAY) / 60) as u16
}

/// ISO weekday, Monday 1 to Sunday 7, where the clock is `offset_minutes` ahead of UTC.
pub(crate) const fn weekday(at_ns: i64, offset_minutes: i16) -> u8 {
    let seconds = at_ns.div_euclid(NANOS_PER_SECOND) + offset_minutes as i64 * 60;
    // 1970-01-01 was a Thursday.
    ((seconds.div_euclid(SECONDS_PER_DAY) + 3).rem_euclid(7) + 1) as u8
}

/// Days since 1970-01-01 of a proleptic Gregorian date `YYYY-MM-DD`.
pub(crate) fn day_of(date: &str) -> Option<i64> {
    let mut parts = date.splitn(3, '-');
    let year: i64 = parts.next().filter(|text| text.len() == 4)?.parse().ok()?;
    let month: i64 = parts.next()?.parse().ok().filter(|month| (1..=12).contains(month))?;
    let day: i64 = parts.next()?.parse().ok().filter(|day| (1..=31).contains(day))?;
    // Years that begin in March put the leap day last (H. Hinnant, "chrono-compatible low-level date algorithms").
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    Some(era * 146_097 + day_of_era - 719_468)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_dates() {
        assert_eq!(day_of("1970-01-01"), Some(0));
        assert_eq!(day_of("2000-02-29"), Some(11_016));
        assert_eq!(day_of("2026-11-20"), Some(20_777));
        assert_eq!(day_of("2026-13-01"), None);
        let friday = 20_777 * SECONDS_PER_DAY * NANOS_PER_SECOND;
        assert_eq!(weekday(friday, 0), 5);
        assert_eq!(weekday(friday - 1, 0), 4);
        assert_eq!(weekday(friday - 1, 480), 5);
        assert_eq!(utc_minute(friday - 1), 1439);
        assert_eq!(utc_day(-1), -1);
    }
}
