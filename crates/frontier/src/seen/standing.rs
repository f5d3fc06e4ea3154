//! Where a fingerprint stands, and that as a number: one byte for nearly all.

use crawl_model::FilterReason;

/// Where a known fingerprint stands, as far as new links to it are concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    /// Queued or open: more links to it say nothing new.
    Queued,
    /// Settled: more links to it say nothing new either.
    Ended,
    /// Refused for this reason; if that is its depth, at this least one (else 0).
    Filtered(FilterReason, u32),
}

const ENDED: u32 = 0;
const QUEUED: u32 = 1;
const FILTERED: u32 = 2;
/// Room for reasons: half of what they have of a byte, the depth has the other.
const REASONS: u32 = 62;
/// Too deep, by a least depth of 0; the others follow.
const TOO_DEEP: u32 = FILTERED + REASONS;
/// Greater depths are written as this one.
const MOST_DEPTH: u32 = u32::MAX - TOO_DEEP;

impl Standing {
    /// Its number. They are part of the format of the runs.
    pub(super) fn code(self) -> u32 {
        match self {
            Self::Ended => ENDED,
            Self::Queued => QUEUED,
            Self::Filtered(FilterReason::TooDeep, depth) => TOO_DEEP + depth.min(MOST_DEPTH),
            // Of the others the depth says nothing.
            Self::Filtered(reason, _) => FILTERED + reason as u32,
        }
    }

    /// What has this number; `None` if nothing has.
    pub(super) fn of(code: u32) -> Option<Self> {
        match code {
            ENDED => Some(Self::Ended),
            QUEUED => Some(Self::Queued),
            TOO_DEEP.. => Some(Self::Filtered(FilterReason::TooDeep, code - TOO_DEEP)),
            _ => {
                let reason = u8::try_from(code - FILTERED).ok().and_then(FilterReason::from_index);
                Some(Self::Filtered(reason?, 0))
            }
        }
    }
}

/// What telling the seen set of a durable URL changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Learnt {
    /// Never heard of before.
    New,
    /// Had been filtered for this reason, and is admitted now.
    Readmitted(FilterReason),
    /// Still filtered for its depth, but found on a shorter path.
    Nearer,
    /// Nothing.
    Nothing,
}

impl Learnt {
    /// What changes if a URL that stood like `old` is found to stand like `new`.
    pub(super) fn from(old: Option<Standing>, new: Standing) -> Self {
        use Standing::{Ended, Filtered, Queued};
        match (old, new) {
            (None, _) => Self::New,
            (Some(Filtered(reason, _)), Queued | Ended) => Self::Readmitted(reason),
            (
                Some(Filtered(FilterReason::TooDeep, before)),
                Filtered(FilterReason::TooDeep, now),
            ) if now < before => Self::Nearer,
            (Some(_), _) => Self::Nothing,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_standing_survives_its_number() {
        let mut all = vec![Standing::Queued, Standing::Ended];
        for &reason in FilterReason::ALL {
            all.push(Standing::Filtered(reason, 0));
        }
        let too_deep = |n| Standing::Filtered(FilterReason::TooDeep, n);
        all.extend([1, 14, 15, 70_000, MOST_DEPTH].map(too_deep));
        for standing in all {
            assert_eq!(Standing::of(standing.code()), Some(standing));
        }
        assert!(FilterReason::ALL.len() <= REASONS as usize);
        assert_eq!(Standing::of(FILTERED + REASONS - 1), None, "no such reason");
        let depth = Standing::Filtered(FilterReason::TooDeep, u32::MAX);
        assert!(Standing::of(depth.code()).is_some());
        assert!(Standing::Filtered(FilterReason::TooDeep, 14).code() < 255, "one byte");
    }
}
