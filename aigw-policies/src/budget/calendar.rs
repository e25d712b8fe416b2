//! The periods of the UTC calendar: pure arithmetic on days since 1970, without leap seconds, which
//! wall time does not know.

use super::{Period, Timestamp};

const MICROS_PER_HOUR: u64 = 3_600_000_000;
const MICROS_PER_DAY: u64 = 24 * MICROS_PER_HOUR;

/// The first microsecond of the period that `now` lies in, and of the next one.
pub(super) fn bounds(period: Period, now: Timestamp) -> (Timestamp, Timestamp) {
    let micros = now.as_micros();
    let (day, hour) = (micros / MICROS_PER_DAY, micros / MICROS_PER_HOUR);
    let (first, next, unit) = match period {
        Period::Hour => (hour, hour + 1, MICROS_PER_HOUR),
        Period::Day => (day, day + 1, MICROS_PER_DAY),
        Period::Week => {
            // 1970-01-01 was a Thursday, three days behind a Monday, with which weeks begin (ISO
            // 8601). The first four days of 1970 belong to a week that began before there was time.
            let monday = (day + 3) / 7 * 7;
            (monday.saturating_sub(3), monday + 4, MICROS_PER_DAY)
        }
        Period::Month => {
            let (year, month) = year_and_month(day);
            let next = match month {
                12 => (year + 1, 1),
                _ => (year, month + 1),
            };
            (
                first_day(year, month),
                first_day(next.0, next.1),
                MICROS_PER_DAY,
            )
        }
        Period::Year => {
            let (year, _) = year_and_month(day);
            (first_day(year, 1), first_day(year + 1, 1), MICROS_PER_DAY)
        }
    };
    let at = |count: u64| Timestamp::from_micros(count.saturating_mul(unit));
    (at(first), at(next))
}

// Years are counted from a first of March, so that the leap day stands at their end, and from the
// year 0, so that four centuries, which all have as many days, divide them (proleptic Gregorian).

/// Days from the first of March of the year 0 to 1970.
const DAYS_TO_1970: u64 = 719_468;
const DAYS_PER_ERA: u64 = 146_097;

/// The days since 1970 on which a month begins.
fn first_day(year: u64, month: u64) -> u64 {
    let (year, month) = if month > 2 {
        (year, month - 3)
    } else {
        (year - 1, month + 9)
    };
    let days = year * 365 + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5;
    days - DAYS_TO_1970
}

fn year_and_month(day: u64) -> (u64, u64) {
    let days = day + DAYS_TO_1970;
    let (era, of_era) = (days / DAYS_PER_ERA, days % DAYS_PER_ERA);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * of_year + 2) / 153;
    let year = era * 400 + year_of_era;
    if month < 10 {
        (year, month + 3)
    } else {
        (year + 1, month - 9)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What `date -u -d TEXT +%s` prints.
    const fn seconds(seconds: u64) -> Timestamp {
        Timestamp::from_micros(seconds * 1_000_000)
    }

    #[test]
    fn periods_begin_and_end_with_the_calendar() {
        // 2024-02-29T13:45:10Z, a Thursday.
        let now = seconds(1_709_214_310);
        for (period, first, next) in [
            (Period::Hour, 1_709_211_600, 1_709_215_200),
            (Period::Day, 1_709_164_800, 1_709_251_200),
            (Period::Week, 1_708_905_600, 1_709_510_400),
            (Period::Month, 1_706_745_600, 1_709_251_200),
            (Period::Year, 1_704_067_200, 1_735_689_600),
        ] {
            assert_eq!(
                bounds(period, now),
                (seconds(first), seconds(next)),
                "{period:?}"
            );
        }
    }

    #[test]
    fn a_period_follows_on_the_last_without_a_gap() {
        for &period in Period::ALL {
            let mut now = seconds(0);
            // Hours of some days, and years of two eras.
            for _ in 0..800 {
                let (first, next) = bounds(period, now);
                assert_eq!(first, now, "{period:?}");
                assert!(next > now);
                let last = Timestamp::from_micros(next.as_micros() - 1);
                assert_eq!(bounds(period, last), (first, next), "{period:?}");
                now = next;
            }
        }
    }

    #[test]
    fn centuries_are_leap_years_every_fourth_time() {
        // 2100-02-28 and 2400-02-28, at noon.
        let end_of_month = |now| bounds(Period::Month, seconds(now)).1;
        assert_eq!(end_of_month(4_107_499_200), seconds(4_107_542_400));
        assert_eq!(end_of_month(13_574_520_000), seconds(13_574_649_600));
    }
}
