use std::time::Duration;

use proptest::prelude::*;

use super::*;

const T0: u64 = 1_700_000_000_000_000;

fn at(seconds: f64) -> Timestamp {
    Timestamp::from_micros(T0 + (seconds * 1e6) as u64)
}

fn rate(amount: u64, seconds: u64) -> Limit {
    Rate::try_new(amount, Duration::from_secs(seconds))
        .unwrap()
        .into()
}

fn quota(amount: u64, period: Period, align: Align) -> Limit {
    Quota::try_new(amount, period, align).unwrap().into()
}

/// Takes it if it fits.
fn admit(level: &mut Level, limit: &Limit, now: Timestamp, amount: u64) -> Result<Taken, Fit> {
    match level.fit(limit, now, amount) {
        Fit::Now => Ok(level.take(limit, now, amount)),
        fit => Err(fit),
    }
}

#[test]
fn a_rate_admits_what_its_bucket_holds_and_then_what_flows_in() {
    let limit = rate(60, 60);
    let mut level = Level::untouched(&limit, at(0.0));
    admit(&mut level, &limit, at(0.0), 60).unwrap();
    let later = admit(&mut level, &limit, at(0.0), 10).unwrap_err();
    assert_eq!(later, Fit::Later(Duration::from_secs(10)));
    assert_eq!(
        admit(&mut level, &limit, at(9.999_999), 10).unwrap_err(),
        Fit::Later(Duration::from_micros(1))
    );
    admit(&mut level, &limit, at(10.0), 10).unwrap();
    assert_eq!(level.left(&limit, at(10.0)).remaining, 0);
    assert_eq!(level.left(&limit, at(10.0)).reset, Duration::from_secs(60));
}

#[test]
fn what_never_fits_is_told_apart_from_what_fits_later() {
    for limit in [
        rate(100, 60),
        quota(100, Period::Day, Align::Utc),
        quota(100, Period::Day, Align::Rolling),
    ] {
        let mut level = Level::untouched(&limit, at(0.0));
        assert_eq!(level.fit(&limit, at(0.0), 120), Fit::Never, "{limit}");
        level.take(&limit, at(0.0), 1);
        assert!(
            matches!(level.fit(&limit, at(0.0), 100), Fit::Later(_)),
            "{limit}"
        );
    }
}

#[test]
fn two_tenfold_overruns_delay_the_third_call_by_the_time_they_take() {
    let limit = rate(100, 60);
    let mut level = Level::untouched(&limit, at(0.0));
    for _ in 0..2 {
        let taken = level.take(&limit, at(0.0), 100);
        level.settle(&limit, at(0.0), taken, 1000);
    }
    // 100 were there; 2000 are used; 100 are asked: 2000 must flow in.
    assert_eq!(
        level.fit(&limit, at(0.0), 100),
        Fit::Later(Duration::from_secs(20 * 60))
    );
}

#[test]
fn a_debt_goes_no_deeper_than_it_may() {
    let rate = Rate::try_new(100, Duration::from_secs(60)).unwrap();
    let limit = rate.with_max_debt(Duration::from_secs(120)).into();
    let mut level = Level::untouched(&limit, at(0.0));
    let taken = level.take(&limit, at(0.0), 100);
    level.settle(&limit, at(0.0), taken, u64::MAX);
    assert_eq!(
        level.fit(&limit, at(0.0), 0),
        Fit::Later(Duration::from_secs(120))
    );
}

#[test]
fn a_refund_after_a_refill_fills_the_bucket_and_no_more() {
    let limit = rate(100, 60);
    let mut level = Level::untouched(&limit, at(0.0));
    let taken = level.take(&limit, at(0.0), 100);
    level.settle(&limit, at(120.0), taken, 0);
    assert_eq!(level.left(&limit, at(120.0)).remaining, 100);
    assert_eq!(level.left(&limit, at(120.0)).reset, Duration::ZERO);
}

#[test]
fn what_has_flowed_back_by_itself_is_not_given_back_as_well() {
    let limit = rate(100, 60);
    let mut level = Level::untouched(&limit, at(0.0));
    let taken = level.take(&limit, at(0.0), 50);
    // Full again, and taken from again, before the first call is settled.
    admit(&mut level, &limit, at(60.0), 80).unwrap();
    level.settle(&limit, at(60.0), taken, 10);
    assert_eq!(level.left(&limit, at(60.0)).remaining, 20);
    // What it used beyond what it took is its debt all the same.
    level.settle(&limit, at(60.0), taken, 65);
    assert_eq!(level.left(&limit, at(60.0)).remaining, 5);
}

#[test]
fn a_retry_that_used_less_than_was_taken_leaves_what_it_used() {
    let limit = quota(1000, Period::Day, Align::Utc);
    let mut level = Level::untouched(&limit, at(0.0));
    let taken = level.take(&limit, at(0.0), 100);
    level.settle(&limit, at(1.0), taken, 30);
    assert_eq!(level.left(&limit, at(1.0)).remaining, 970);
}

#[test]
fn a_late_settlement_does_not_touch_the_next_period() {
    // T0 lies at 22:13:20; the hour ends 2800 s later.
    let limit = quota(100, Period::Hour, Align::Utc);
    let mut level = Level::untouched(&limit, at(2799.0));
    let early = level.take(&limit, at(2799.0), 80);
    level.take(&limit, at(2801.0), 10);
    level.settle(&limit, at(2802.0), early, 20);
    assert_eq!(level.left(&limit, at(2802.0)).remaining, 90);
    level.settle(&limit, at(2802.0), early, 500);
    assert_eq!(level.left(&limit, at(2802.0)).remaining, 90);
}

#[test]
fn a_quota_that_is_used_up_admits_again_when_its_period_begins() {
    let limit = quota(100, Period::Hour, Align::Utc);
    let mut level = Level::untouched(&limit, at(0.0));
    admit(&mut level, &limit, at(0.0), 100).unwrap();
    assert_eq!(
        level.fit(&limit, at(0.0), 1),
        Fit::Later(Duration::from_secs(2800))
    );
    admit(&mut level, &limit, at(2800.0), 1).unwrap();
}

#[test]
fn a_clock_that_steps_back_brings_nothing_and_loses_nothing() {
    for limit in [
        rate(100, 60),
        quota(100, Period::Hour, Align::Utc),
        quota(100, Period::Hour, Align::Rolling),
    ] {
        let mut level = Level::untouched(&limit, at(3600.0));
        admit(&mut level, &limit, at(3600.0), 100).unwrap();
        assert_ne!(level.fit(&limit, at(0.0), 1), Fit::Now, "{limit}");
        // The way forth again brings nothing twice.
        assert_ne!(level.fit(&limit, at(3600.0), 1), Fit::Now, "{limit}");
    }
}

#[test]
fn the_longest_and_largest_limits_do_not_overflow() {
    let rate = Rate::try_new(u64::MAX, Rate::LONGEST - Duration::from_micros(1)).unwrap();
    let limit = rate.with_max_debt(Duration::MAX).into();
    let mut level = Level::untouched(&limit, at(0.0));
    for _ in 0..3 {
        let taken = level.take(&limit, at(0.0), u64::MAX);
        level.settle(&limit, at(1.0), taken, u64::MAX);
    }
    assert!(matches!(level.fit(&limit, at(1.0), 0), Fit::Later(_)));
    assert_eq!(
        level
            .left(&limit, Timestamp::from_micros(u64::MAX))
            .remaining,
        u64::MAX
    );
    for bad in [Rate::SHORTEST - Duration::from_nanos(1), Rate::LONGEST * 2] {
        assert!(Rate::try_new(1, bad).is_err(), "{bad:?}");
    }
}

#[test]
fn a_million_a_second_is_a_limit() {
    let limit = rate(1_000_000, 1);
    let mut level = Level::untouched(&limit, at(0.0));
    admit(&mut level, &limit, at(0.0), 1_000_000).unwrap();
    assert_eq!(
        level.fit(&limit, at(0.0), 1),
        Fit::Later(Duration::from_micros(1))
    );
    assert_eq!(
        level.fit(&limit, at(0.5), 500_001),
        Fit::Later(Duration::from_micros(1))
    );
}

#[test]
fn nothing_passes_unless_there_is_a_debt() {
    let limit = rate(1, 86_400);
    let mut level = Level::untouched(&limit, at(0.0));
    level.take(&limit, at(0.0), 1);
    assert_eq!(level.fit(&limit, at(0.0), 0), Fit::Now);
    level.take(&limit, at(0.0), 1);
    assert_eq!(
        level.fit(&limit, at(0.0), 0),
        Fit::Later(Duration::from_secs(86_400))
    );
}

#[test]
fn a_changed_limit_keeps_what_was_used() {
    let (narrow, wide) = (rate(60, 60), rate(1200, 60));
    let mut level = Level::untouched(&narrow, at(0.0));
    level.take(&narrow, at(0.0), 60);
    level.change(&narrow, &wide, at(0.0));
    assert_eq!(level.left(&wide, at(0.0)).remaining, 0);
    assert_eq!(level.left(&wide, at(30.0)).remaining, 600);
    // And back: no more than the narrow one holds.
    level.change(&wide, &narrow, at(30.0));
    assert_eq!(level.left(&narrow, at(30.0)).remaining, 60);
}

#[test]
fn what_is_settled_behind_a_change_of_the_period_is_settled_in_the_new_one() {
    for align in [Align::Utc, Align::Rolling] {
        let day = quota(100, Period::Day, align);
        for other in [Period::Hour, Period::Month] {
            let other = quota(150, other, align);
            let mut level = Level::untouched(&day, at(0.0));
            let taken = level.take(&day, at(0.0), 60);
            level.change(&day, &other, at(1.0));
            assert_eq!(level.left(&other, at(1.0)).remaining, 90, "{other}");
            level.settle(&other, at(2.0), taken, 10);
            assert_eq!(level.left(&other, at(2.0)).remaining, 140, "{other}");
        }
    }
}

#[test]
fn a_limit_of_another_kind_begins_anew_and_is_not_settled_with_what_was_before() {
    let limits = [
        rate(100, 60),
        quota(100, Period::Day, Align::Utc),
        quota(100, Period::Day, Align::Rolling),
    ];
    for before in &limits {
        for after in limits.iter().filter(|after| *after != before) {
            let mut level = Level::untouched(before, at(0.0));
            let taken = level.take(before, at(0.0), 60);
            level.change(before, after, at(0.0));
            level.take(after, at(0.0), 100);
            level.settle(after, at(0.0), taken, 0);
            assert_eq!(level.left(after, at(0.0)).remaining, 0, "{before}, {after}");
        }
    }
}

#[test]
fn a_change_between_limits_that_share_no_part_does_not_overflow() {
    let per = |days: u64| Duration::from_secs(days * 86_400);
    let rates =
        [366, 365].map(|days| Limit::from(Rate::try_new(500_000_000_023, per(days)).unwrap()));
    let [before, after] = rates;
    let mut level = Level::untouched(&before, at(0.0));
    level.take(&before, at(0.0), 500_000_000_000);
    level.change(&before, &after, at(0.0));
    assert_eq!(level.left(&after, at(0.0)).remaining, 23);
}

#[test]
fn what_runs_on_is_a_debt_only_as_far_as_it_is_used() {
    let rate = Rate::try_new(60, Duration::from_secs(60)).unwrap();
    let limit = Limit::from(rate.with_max_debt(Duration::from_secs(60)));
    let mut level = Level::untouched(&limit, at(0.0));
    let mut taken = level.take(&limit, at(0.0), 60);
    level.extend(&limit, at(0.0), &mut taken, 10_000);
    level.settle(&limit, at(0.0), taken, 110);
    assert_eq!(
        level.fit(&limit, at(0.0), 0),
        Fit::Later(Duration::from_secs(50))
    );
}

/// Any limit from one a day to a billion a second.
fn any_rate() -> impl Strategy<Value = Rate> {
    let per = prop_oneof![
        Just(Duration::from_secs(1)),
        Just(Duration::from_secs(60)),
        Just(Duration::from_secs(86_400)),
        (1_000_000_u64..=100_000_000_000).prop_map(Duration::from_micros),
    ];
    let amount = prop_oneof![1..=20_u64, 1..=1_000_000_000_u64];
    (amount, per).prop_map(|(amount, per)| Rate::try_new(amount, per).unwrap())
}

#[derive(Clone, Debug)]
enum Step {
    /// Asks for this share of the limit, and settles with this share of what was taken.
    Ask { share: f64, used: f64 },
    /// Settles the oldest that is open.
    Settle,
    /// Time passes, in shares of the limit's own time; it may step back.
    Pass(f64),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        3 => (0.0..1.2_f64, 0.0..3.0_f64).prop_map(|(share, used)| Step::Ask { share, used }),
        2 => Just(Step::Settle),
        2 => (-0.1..0.6_f64).prop_map(Step::Pass),
    ];
    prop::collection::vec(step, 1..60)
}

/// The naive way: the level in fractions of which each microsecond brings `amount` and a unit has
/// `per`, never shortened, replayed from the first event for each question.
struct Oracle {
    rate: Rate,
    events: Vec<Event>,
}

#[derive(Clone, Copy)]
struct Event {
    at: u64,
    change: i128,
    /// When that was taken which this corrects.
    of: u64,
}

impl Oracle {
    fn per(&self) -> i128 {
        self.rate.per().as_micros() as i128
    }

    /// The level at a time, which is seen, too.
    fn level(&mut self, now: u64) -> i128 {
        self.see(now, 0, now);
        let capacity = i128::from(self.rate.amount()) * self.per();
        // Forgiven is what would take longer, in whole units.
        let inflow = i128::from(self.rate.amount());
        let debt = self.rate.max_debt().as_micros() as i128 * inflow / self.per() * self.per();
        let (mut level, mut last, mut full) = (capacity, 0, 0);
        for event in &self.events {
            if last > 0 {
                level += i128::from(event.at.saturating_sub(last)) * inflow;
            }
            last = last.max(event.at);
            if level >= capacity {
                (level, full) = (capacity, last);
            }
            let has_flowed_back = event.change > 0 && event.of < full;
            let change = if has_flowed_back { 0 } else { event.change };
            level = (level + change).clamp((-debt).min(level), capacity);
        }
        level
    }

    fn see(&mut self, at: u64, change: i128, of: u64) {
        self.events.push(Event { at, change, of });
    }

    /// The latest time that was seen.
    fn latest(&self) -> u64 {
        self.events
            .iter()
            .map(|event| event.at)
            .max()
            .unwrap_or_default()
    }
}

proptest! {
    #[test]
    fn a_bucket_agrees_with_a_list_of_events(rate in any_rate(), steps in steps()) {
        let limit = Limit::from(rate);
        let mut level = Level::untouched(&limit, Timestamp::from_micros(T0));
        let mut oracle = Oracle { rate, events: Vec::new() };
        oracle.see(T0, 0, T0);
        let mut open = std::collections::VecDeque::new();
        let mut now = T0;
        let (per, amount) = (rate.per().as_micros() as f64, rate.amount() as f64);
        for step in steps {
            let time = Timestamp::from_micros(now);
            match step {
                Step::Pass(share) => now = now.saturating_add_signed((share * per) as i64),
                Step::Settle => if let Some((taken, used)) = open.pop_front() {
                    let (taken, of): (Taken, u64) = taken;
                    level.settle(&limit, time, taken, used);
                    let change = i128::from(taken.amount) - i128::from(used);
                    oracle.see(now, change * oracle.per(), of);
                },
                Step::Ask { share, used } => {
                    let asked = (share * amount) as u64;
                    let lacking = i128::from(asked) * oracle.per() - oracle.level(now);
                    let expected = if asked > rate.amount() {
                        Fit::Never
                    } else if lacking <= 0 {
                        Fit::Now
                    } else {
                        let wait = lacking.unsigned_abs().div_ceil(rate.amount().into());
                        let back = oracle.latest() - now;
                        Fit::Later(Duration::from_micros(back + wait as u64))
                    };
                    prop_assert_eq!(level.fit(&limit, time, asked), expected);
                    if expected == Fit::Now {
                        let taken = level.take(&limit, time, asked);
                        oracle.see(now, -i128::from(asked) * oracle.per(), now);
                        open.push_back(((taken, oracle.latest()), (used * asked as f64) as u64));
                    }
                }
            }
            let left = oracle.level(now).max(0) / oracle.per();
            let left_now = level.left(&limit, Timestamp::from_micros(now)).remaining;
            prop_assert_eq!(i128::from(left_now), left);
        }
    }

    /// Whatever is asked: in any span no more is admitted than a bucket and what flows in.
    #[test]
    fn no_span_admits_more_than_a_bucket_and_its_inflow(
        rate in any_rate(),
        asks in prop::collection::vec((0.0..0.4_f64, 0.0..1.0_f64), 1..80),
    ) {
        let limit = Limit::from(rate);
        let (mut now, mut admitted) = (T0, Vec::new());
        let mut level = Level::untouched(&limit, Timestamp::from_micros(now));
        for (pause, share) in asks {
            now += (pause * rate.per().as_micros() as f64) as u64;
            let asked = (share * rate.amount() as f64) as u64;
            if admit(&mut level, &limit, Timestamp::from_micros(now), asked).is_ok() {
                admitted.push((now, asked));
            }
        }
        for (index, (begin, _)) in admitted.iter().enumerate() {
            let mut sum = 0_u128;
            for (at, asked) in &admitted[index..] {
                sum += u128::from(*asked);
                let inflow = u128::from(at - begin) * u128::from(rate.amount());
                let most = u128::from(rate.amount()) + inflow / rate.per().as_micros();
                prop_assert!(sum <= most, "{sum} of {most}");
            }
        }
    }

    /// A quota holds for its period, whether that follows the calendar or ends now.
    #[test]
    fn no_period_sees_more_than_its_quota(
        amount in 1..1_000_000_u64,
        period in prop::sample::select(Period::ALL),
        align in prop::sample::select(&[Align::Utc, Align::Rolling][..]),
        asks in prop::collection::vec((0.0..0.3_f64, 0.0..1.1_f64), 1..80),
    ) {
        let limit = quota(amount, period, align);
        let length = period.length().as_micros() as f64;
        let mut now = Timestamp::from_micros(T0);
        let mut level = Level::untouched(&limit, now);
        let mut admitted: Vec<(Timestamp, u64)> = Vec::new();
        for (pause, share) in asks {
            now = now.after(Duration::from_micros((pause * length) as u64));
            let asked = (share * amount as f64) as u64;
            match level.fit(&limit, now, asked) {
                Fit::Now => {
                    level.take(&limit, now, asked);
                    admitted.push((now, asked));
                    let begin = match align {
                        Align::Utc => calendar::bounds(period, now).0.as_micros(),
                        Align::Rolling => now.as_micros() - period.length().as_micros() as u64 + 1,
                    };
                    let within = admitted.iter().filter(|(at, _)| at.as_micros() >= begin);
                    prop_assert!(within.map(|(_, asked)| asked).sum::<u64>() <= amount);
                }
                Fit::Never => prop_assert!(asked > amount),
                Fit::Later(wait) => {
                    let mut waited = level.clone();
                    prop_assert_eq!(waited.fit(&limit, now.after(wait), asked), Fit::Now);
                    let short = wait - Duration::from_micros(1);
                    prop_assert_ne!(level.clone().fit(&limit, now.after(short), asked), Fit::Now);
                }
            }
        }
    }
}
