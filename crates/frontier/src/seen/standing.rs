//! Where a fingerprint stands, and that as a number: one byte for nearly all.

use crawl_model::{FilterReason, Verdict};

/// Where a known fingerprint stands, as far as new links to it are concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    /// Queued or open: more links to it say nothing new.
    Queued,
    /// Settled: more links to it say nothing new either, but it may be asked for again.
    Ended(Verdict),
    /// Refused for this reason. The number is the least link distance if that was the reason, else
    /// 0.
    Filtered(FilterReason, u32),
    /// This is the second fingerprint of a URL that stands at its first: see [`twins`](super::twins).
    Second,
}

impl Standing {
    /// Whether a link may be wanted that leads to what stands so. For all others there is nothing
    /// that [`Window`](crate::window::Window) would look at besides.
    pub(super) fn may_return(self) -> bool {
        let Self::Filtered(reason, _) = self else { return false };
        match reason {
            FilterReason::OffDomain
            | FilterReason::NotIncluded
            | FilterReason::TooDeep
            | FilterReason::Extension
            | FilterReason::NoFollow
            | FilterReason::Refused
            | FilterReason::Blocked
            | FilterReason::TrapRepeats
            | FilterReason::TrapLongPath
            | FilterReason::TrapDuplicates
            | FilterReason::TrapNearDuplicates => true,
            FilterReason::Excluded
            | FilterReason::Robots
            | FilterReason::HostBudget
            | FilterReason::DomainBudget
            | FilterReason::PrefixBudget
            | FilterReason::TrapCalendar
            | FilterReason::TrapSessions
            | FilterReason::TrapFacets
            | FilterReason::TrapHosts => false,
        }
    }
}

/// A standing, and whether the queue holds an entry of the URL from before.
///
/// While a replay goes on nothing is taken out of a queue: what has ended there leaves its entry
/// behind, to be left out at its turn. Should such a URL wait again, that entry is the one that
/// counts, or it would be handed out twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) standing: Standing,
    pub(super) has_entry: bool,
}

// The numbers are part of the format of the runs.
const QUEUED: u32 = 0;
const QUEUED_AS_BEFORE: u32 = 1;
const ENDED: u32 = 2;
const SECOND: u32 = ENDED + VERDICTS;
const ENDED_LEFT: u32 = SECOND + 1;
const FILTERED: u32 = ENDED_LEFT + VERDICTS + 1;
const FILTERED_LEFT: u32 = FILTERED + REASONS;
const TOO_DEEP: u32 = FILTERED_LEFT + REASONS;
/// Room for verdicts.
const VERDICTS: u32 = 61;
/// Room for reasons.
const REASONS: u32 = 40;
/// Greater depths are written as this one.
const MOST_DEPTH: u32 = u32::MAX - TOO_DEEP - 1;

impl Place {
    /// Its number.
    pub(super) fn code(self) -> u32 {
        match (self.standing, self.has_entry) {
            (Standing::Queued, false) => QUEUED,
            (Standing::Queued, true) => QUEUED_AS_BEFORE,
            (Standing::Second, _) => SECOND,
            (Standing::Ended(verdict), false) => ENDED + verdict as u32,
            (Standing::Ended(verdict), true) => ENDED_LEFT + verdict as u32,
            (Standing::Filtered(reason, _), true) => FILTERED_LEFT + reason as u32,
            (Standing::Filtered(FilterReason::TooDeep, depth), false) => {
                TOO_DEEP + depth.min(MOST_DEPTH)
            }
            (Standing::Filtered(reason, _), false) => FILTERED + reason as u32,
        }
    }

    /// What has this number; `None` if nothing has.
    pub(super) fn of(code: u32) -> Option<Self> {
        let verdict = |base| {
            let verdict = u8::try_from(code - base).ok().and_then(Verdict::from_index);
            verdict.map(Standing::Ended)
        };
        let reason = |base| {
            let reason = u8::try_from(code - base).ok().and_then(FilterReason::from_index);
            reason.map(|reason| Standing::Filtered(reason, 0))
        };
        let (standing, has_entry) = match code {
            QUEUED => (Standing::Queued, false),
            QUEUED_AS_BEFORE => (Standing::Queued, true),
            ENDED..SECOND => (verdict(ENDED)?, false),
            SECOND => (Standing::Second, false),
            ENDED_LEFT..FILTERED => (verdict(ENDED_LEFT)?, true),
            FILTERED..FILTERED_LEFT => (reason(FILTERED)?, false),
            FILTERED_LEFT..TOO_DEEP => (reason(FILTERED_LEFT)?, true),
            TOO_DEEP.. => (Standing::Filtered(FilterReason::TooDeep, code - TOO_DEEP), false),
        };
        Some(Self { standing, has_entry })
    }
}

/// What telling the seen set of a durable URL changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Learnt {
    /// Never heard of before.
    New,
    /// Had been filtered for this reason, and is admitted now.
    Readmitted(FilterReason),
    /// Had ended so, and is asked for again.
    Renewed(Verdict),
    /// Still filtered for its depth, but found on a shorter path.
    Nearer,
    /// Nothing.
    Nothing,
}

impl Learnt {
    /// What changes if a URL that stood like `old` is found to stand like `new`; `renews`: it is
    /// asked for again if it has ended.
    pub(super) fn from(old: Option<Standing>, new: Standing, renews: bool) -> Self {
        use Standing::{Ended, Filtered, Queued, Second};
        match (old, new) {
            (None, _) => Self::New,
            (Some(Filtered(reason, _)), Queued | Ended(_) | Second) => Self::Readmitted(reason),
            (
                Some(Filtered(FilterReason::TooDeep, before)),
                Filtered(FilterReason::TooDeep, now),
            ) if now < before => Self::Nearer,
            (Some(Ended(verdict)), Queued) if renews => Self::Renewed(verdict),
            (Some(_), _) => Self::Nothing,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_standing_survives_its_number() {
        let mut all = vec![Standing::Queued];
        all.extend(Verdict::ALL.iter().map(|&verdict| Standing::Ended(verdict)));
        all.extend(FilterReason::ALL.iter().map(|&reason| Standing::Filtered(reason, 0)));
        for has_entry in [false, true] {
            for &standing in &all {
                let place = Place { standing, has_entry };
                assert_eq!(Place::of(place.code()), Some(place));
                assert!(place.code() < 255, "one byte");
            }
        }
        let deep = |depth| Place {
            standing: Standing::Filtered(FilterReason::TooDeep, depth),
            has_entry: false,
        };
        for depth in [0, 1, 14, 70_000, MOST_DEPTH] {
            assert_eq!(Place::of(deep(depth).code()), Some(deep(depth)));
        }
        assert!(deep(40).code() < 255, "one byte");
        assert!(Place::of(deep(u32::MAX).code()).is_some());
        assert!(FilterReason::ALL.len() <= REASONS as usize);
        assert!(Verdict::ALL.len() <= VERDICTS as usize);
        assert_eq!(Place::of(FILTERED_LEFT - 1), None, "no such reason");
        assert_eq!(Place::of(SECOND - 1), None, "no such verdict");
        let second = Place { standing: Standing::Second, has_entry: false };
        assert_eq!(Place::of(second.code()), Some(second));
    }
}
