//! How a host is doing: whether it is asked less often, left to rest, or given up.
//!
//! Two answers to trouble, by what each attempt says of its host ([`Health`]):
//!
//! - *Back-off.* An attempt that was refused for load (429, 503) or could not connect doubles the
//!   host's delay, up to `politeness.back-off-max-delay`; one that went well halves it again,
//!   until it is the configured one. A request that was sent and got no answer doubles it three
//!   times at most, and other errors of the server leave it as it is: they may be about one page,
//!   and the last pages of many a crawl are those that hang.
//! - *Quarantine.* After `politeness.quarantine-after` attempts in a row that found nobody the
//!   host rests for `politeness.quarantine`. Then one attempt goes out, alone, to see how things
//!   stand; if it fails too, the next rest is twice as long, an hour at most. After
//!   `politeness.quarantine-tries` rests in vain the host is dead: nothing is sent to it any more
//!   in this run.
//!
//! With the defaults a host that goes away is left to rest after five minutes and given up after
//! twenty. An attempt that was connected and got no answer counts like one that was not: a server
//! that is too busy to answer is as little help. So it takes ten in a row, more than the tries of
//! the few pages that hang on many a site. A host that never answered at all gets less: three
//! attempts and one rest, for of a million hosts on the web many have been gone for years, and the
//! crawl waits for them.
//!
//! Attempts that were under way together tell of one moment, so together they count once.
//!
//! Pure: instants are arguments.

use std::time::{Duration, Instant};

use crawl_model::Health;

use crate::config::PolitenessConfig;

/// Attempts before the first rest of a host that never answered.
const STRANGER_ATTEMPTS: u32 = 3;
/// Rests of a host that never answered.
const STRANGER_RESTS: u32 = 1;
/// Longest rest, unless the first is configured longer.
const LONGEST_REST: Duration = Duration::from_secs(60 * 60);
/// What is doubled where there is no delay.
const LEAST_DELAY: Duration = Duration::from_millis(100);
/// Doublings by requests that got no answer.
const SILENT_DOUBLINGS: u32 = 3;
/// Doublings that are counted: more come to the longest delay in any case.
const MOST_DOUBLINGS: u32 = 16;

/// What the attempts at one host have told so far. Most hosts are well, so it is small then.
#[derive(Debug, Clone, Default)]
pub(crate) struct Condition {
    /// Whether it ever answered, in this run.
    has_answered: bool,
    /// `None`: all is well.
    trouble: Option<Box<Trouble>>,
}

#[derive(Debug, Clone, Default)]
struct Trouble {
    /// How often the host's delay is doubled.
    doublings: u32,
    /// Attempts in a row that found nobody, those of one moment counted once.
    n_failures: u32,
    /// Rests since it last answered, the running one included.
    n_rests: u32,
    /// When the first failure of the row ended.
    down_since: Option<Instant>,
    rest_until: Option<Instant>,
    /// Attempts that began before this tell nothing new that is bad.
    judged_at: Option<Instant>,
    is_dead: bool,
}

impl Condition {
    /// Of a host that was never asked.
    pub(crate) const NEW: Self = Self { has_answered: false, trouble: None };

    /// Of a host that is well, as far as is known.
    pub(crate) const fn new(has_answered: bool) -> Self {
        Self { has_answered, trouble: None }
    }

    #[cfg(test)]
    pub(crate) fn in_trouble() -> Self {
        Self { has_answered: false, trouble: Some(Box::default()) }
    }

    /// Whether it ever answered, in this run.
    pub(crate) fn has_answered(&self) -> bool {
        self.has_answered
    }

    /// Learns from an attempt that was over at `end`. It was sent at `sent_at`, if it came to
    /// that; its ticket was cut at `cut_at`.
    pub(crate) fn learn(
        &mut self,
        config: &PolitenessConfig,
        health: Health,
        (cut_at, sent_at): (Instant, Option<Instant>),
        end: Instant,
    ) {
        let start = sent_at.unwrap_or(cut_at);
        match health {
            Health::Unknown => {}
            Health::Good | Health::Failing => self.answered(health),
            Health::Overloaded => {
                self.answered(health);
                self.double(start, end, MOST_DOUBLINGS);
            }
            Health::Unreachable => {
                let most = if sent_at.is_some() { SILENT_DOUBLINGS } else { MOST_DOUBLINGS };
                if self.double(start, end, most) {
                    self.found_nobody(config, end);
                }
            }
        }
    }

    fn answered(&mut self, health: Health) {
        self.has_answered = true;
        let Some(trouble) = &mut self.trouble else { return };
        let doublings =
            trouble.doublings - u32::from(health == Health::Good && trouble.doublings > 0);
        let judged_at = trouble.judged_at;
        **trouble = Trouble { doublings, judged_at, ..Trouble::default() };
        if doublings == 0 {
            self.trouble = None;
        }
    }

    /// Doubles the delay up to `most` times in all. An attempt that began before that was done
    /// last is no news, and changes nothing; whether it was.
    fn double(&mut self, start: Instant, end: Instant, most: u32) -> bool {
        let trouble = self.trouble.get_or_insert_default();
        let is_news = trouble.judged_at.is_none_or(|judged| start >= judged);
        if is_news {
            trouble.doublings = trouble.doublings.max((trouble.doublings + 1).min(most));
            trouble.judged_at = Some(end);
        }
        is_news
    }

    fn found_nobody(&mut self, config: &PolitenessConfig, end: Instant) {
        let (mut attempts, mut rests) = (config.quarantine_after, config.quarantine_tries);
        let trouble = self.trouble.get_or_insert_default();
        trouble.n_failures = trouble.n_failures.saturating_add(1);
        trouble.down_since.get_or_insert(end);
        if attempts == 0 {
            return;
        }
        if !self.has_answered {
            (attempts, rests) = (attempts.min(STRANGER_ATTEMPTS), rests.min(STRANGER_RESTS));
        }
        if trouble.n_failures < attempts {
            return;
        }
        if trouble.n_rests >= rests {
            trouble.is_dead = true;
            return;
        }
        let longest = LONGEST_REST.max(config.quarantine);
        let rest = config.quarantine.saturating_mul(1 << trouble.n_rests.min(31)).min(longest);
        trouble.n_rests += 1;
        trouble.rest_until = Some(end + rest);
    }

    /// The delay to keep where `delay` is the usual one.
    pub(crate) fn delay(&self, config: &PolitenessConfig, delay: Duration) -> Duration {
        let Some(trouble) = &self.trouble else { return delay };
        let longest = config.back_off_max_delay.max(delay);
        delay.max(LEAST_DELAY).saturating_mul(1 << trouble.doublings).min(longest)
    }

    /// Whether its delay is longer than usual.
    pub(crate) fn is_backing_off(&self) -> bool {
        self.trouble.is_some()
    }

    /// Until when it is in quarantine, or was at last.
    pub(crate) fn rest_until(&self) -> Option<Instant> {
        self.trouble.as_ref()?.rest_until
    }

    /// Whether the next attempt is to see if anybody is there, so that no other may go with it.
    pub(crate) fn is_on_probation(&self) -> bool {
        self.trouble.as_ref().is_some_and(|trouble| trouble.n_rests > 0)
    }

    /// Whether nothing is sent to it any more.
    pub(crate) fn is_dead(&self) -> bool {
        self.trouble.as_ref().is_some_and(|trouble| trouble.is_dead)
    }

    /// Why the host was given up, for people.
    pub(crate) fn epitaph(&self, host: &str, now: Instant) -> String {
        let Some(trouble) = &self.trouble else { return format!("{host} is well") };
        let Trouble { n_failures, n_rests, down_since, .. } = **trouble;
        let seconds = down_since.map_or(0, |since| now.saturating_duration_since(since).as_secs());
        let rests = if n_rests == 1 { "one rest".to_owned() } else { format!("{n_rests} rests") };
        format!(
            "{host} was given up: {n_failures} attempts in a row found nobody, over {seconds} s \
             with {rests} (politeness.quarantine-after, politeness.quarantine-tries)"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    struct Case {
        condition: Condition,
        config: PolitenessConfig,
        now: Instant,
    }

    impl Case {
        fn new(change: impl FnOnce(&mut PolitenessConfig)) -> Self {
            let mut config = PolitenessConfig::default();
            change(&mut config);
            Self { condition: Condition::default(), config, now: Instant::now() }
        }

        /// An attempt that takes a second, after any rest.
        fn attempt(&mut self, health: Health) {
            let start = self.now.max(self.condition.rest_until().unwrap_or(self.now));
            self.now = start + SECOND;
            self.condition.learn(&self.config, health, (start, None), self.now);
        }

        /// A request that gets no answer.
        fn silence(&mut self) {
            let start = self.now;
            self.now += SECOND;
            let times = (start, Some(start));
            self.condition.learn(&self.config, Health::Unreachable, times, self.now);
        }

        fn delay(&self) -> u64 {
            self.condition.delay(&self.config, self.config.delay).as_secs()
        }

        fn rest(&self) -> u64 {
            let until = self.condition.rest_until();
            until.map_or(0, |until| until.saturating_duration_since(self.now).as_secs())
        }
    }

    #[test]
    fn trouble_doubles_the_delay_and_good_answers_halve_it() {
        for trouble in [Health::Overloaded, Health::Unreachable] {
            let mut case = Case::new(|c| c.quarantine_after = 0);
            let mut delays = Vec::new();
            for health in [trouble; 8].into_iter().chain([Health::Good; 9]) {
                case.attempt(health);
                delays.push(case.delay());
            }
            let expected = [2, 4, 8, 16, 32, 60, 60, 60, 60, 60, 32, 16, 8, 4, 2, 1, 1];
            assert_eq!(delays, expected, "{trouble:?}");
        }
    }

    #[test]
    fn requests_without_an_answer_double_the_delay_three_times_and_count_for_the_quarantine() {
        let mut case = Case::new(|_| ());
        case.attempt(Health::Good);
        let mut delays = Vec::new();
        for _ in 0..10 {
            case.silence();
            delays.push(case.delay());
        }
        assert_eq!(delays, [2, 4, 8, 8, 8, 8, 8, 8, 8, 8]);
        assert!(case.condition.is_on_probation());
        // What was doubled more often for another reason stays.
        let mut case = Case::new(|_| ());
        (0..5).for_each(|_| case.attempt(Health::Overloaded));
        case.silence();
        assert_eq!(case.delay(), 32);
    }

    #[test]
    fn other_errors_leave_the_delay_as_it_is() {
        let mut case = Case::new(|_| ());
        case.attempt(Health::Overloaded);
        for health in [Health::Failing, Health::Unknown, Health::Failing] {
            case.attempt(health);
            assert_eq!(case.delay(), 2);
        }
    }

    #[test]
    fn without_a_delay_there_is_something_to_double_and_a_cap_of_zero_doubles_nothing() {
        let mut case = Case::new(|c| c.delay = Duration::ZERO);
        case.attempt(Health::Overloaded);
        assert_eq!(case.condition.delay(&case.config, Duration::ZERO), LEAST_DELAY * 2);
        case.config.back_off_max_delay = Duration::ZERO;
        assert_eq!(case.condition.delay(&case.config, Duration::ZERO), Duration::ZERO);
        assert_eq!(case.condition.delay(&case.config, SECOND), SECOND);
    }

    #[test]
    fn a_host_that_answered_once_rests_four_times_before_it_is_dead() {
        let mut case = Case::new(|c| c.quarantine_after = 5);
        case.attempt(Health::Good);
        let mut rests = Vec::new();
        while !case.condition.is_dead() {
            case.attempt(Health::Unreachable);
            rests.push(case.rest());
        }
        assert_eq!(rests[..8], [0, 0, 0, 0, 60, 120, 240, 480]);
        assert_eq!(rests.len(), 9);
        let epitaph = case.condition.epitaph("h", case.now);
        assert!(epitaph.starts_with("h was given up: 9 attempts in a row"), "{epitaph}");
        assert!(epitaph.contains("over 908 s with 4 rests"), "{epitaph}");
    }

    #[test]
    fn a_host_that_never_answered_gets_three_attempts_and_one_rest() {
        let mut case = Case::new(|_| ());
        for expected in [0, 0, 60] {
            case.attempt(Health::Unreachable);
            assert_eq!(case.rest(), expected);
        }
        case.attempt(Health::Unreachable);
        assert!(case.condition.is_dead());
    }

    #[test]
    fn one_answer_of_any_kind_ends_the_quarantine() {
        for answer in [Health::Good, Health::Overloaded, Health::Failing] {
            let mut case = Case::new(|c| c.quarantine_after = 5);
            case.attempt(Health::Good);
            (0..6).for_each(|_| case.attempt(Health::Unreachable));
            assert!(case.condition.is_on_probation());
            case.attempt(answer);
            assert!(!case.condition.is_on_probation() && case.condition.rest_until().is_none());
            (0..4).for_each(|_| case.attempt(Health::Unreachable));
            assert!(!case.condition.is_on_probation(), "the row begins anew");
        }
    }

    #[test]
    fn attempts_of_one_moment_count_once() {
        let mut case = Case::new(|_| ());
        let start = case.now;
        for _ in 0..100 {
            case.now += SECOND;
            case.condition.learn(&case.config, Health::Unreachable, (start, None), case.now);
        }
        assert_eq!((case.delay(), case.rest()), (2, 0));
    }

    #[test]
    fn rests_grow_to_an_hour_and_not_beyond() {
        let mut case = Case::new(|c| c.quarantine_tries = 100);
        case.attempt(Health::Good);
        (0..60).for_each(|_| case.attempt(Health::Unreachable));
        assert_eq!(case.rest(), 3600);
        case.config.quarantine = Duration::from_secs(7200);
        case.attempt(Health::Unreachable);
        assert_eq!(case.rest(), 7200);
    }

    #[test]
    fn quarantine_can_be_switched_off_or_have_no_rests() {
        let mut case = Case::new(|c| c.quarantine_after = 0);
        (0..1000).for_each(|_| case.attempt(Health::Unreachable));
        assert!(!case.condition.is_dead() && !case.condition.is_on_probation());
        let mut case = Case::new(|c| c.quarantine_tries = 0);
        (0..3).for_each(|_| case.attempt(Health::Unreachable));
        assert!(case.condition.is_dead());
    }
}
