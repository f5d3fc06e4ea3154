//! Paths that lead in circles or grow with every page: relative links of pages that answer under
//! any path.

use crawl_model::FilterReason;

use crate::config::TrapsConfig;

/// Most segments that are looked at.
const MAX_SEGMENTS: usize = 64;

/// The first limit that `path` is beyond.
pub(crate) fn judge(path: &str, limits: &TrapsConfig) -> Option<FilterReason> {
    let is_beyond = |n: usize, limit: u32| limit != 0 && n > limit as usize;
    let n_segments = path.bytes().filter(|&byte| byte == b'/').count();
    if is_beyond(n_segments, limits.max_path_segments)
        || is_beyond(path.len(), limits.max_path_bytes)
    {
        return Some(FilterReason::TrapLongPath);
    }
    let limit = limits.max_segment_repeats as usize;
    (limit != 0 && n_segments > limit && repeats(path, limit)).then_some(FilterReason::TrapRepeats)
}

/// Whether a sequence of segments comes more than `limit` times in a row.
fn repeats(path: &str, limit: usize) -> bool {
    let mut segments = [""; MAX_SEGMENTS];
    let mut n = 0;
    for (place, segment) in segments.iter_mut().zip(path.split('/').skip(1)) {
        *place = segment;
        n += 1;
    }
    let segments = &segments[..n];
    (1..=n / limit.saturating_add(1)).any(|length| {
        let mut n_alike = 0;
        (length..n).any(|i| {
            n_alike = if segments[i] == segments[i - length] { n_alike + 1 } else { 0 };
            n_alike >= length * limit
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(path: &str, expected: Option<FilterReason>) {
        assert_eq!(judge(path, &TrapsConfig::default()), expected, "{path}");
    }

    #[test]
    fn circles_are_told_from_what_comes_twice() {
        check("/a/a/a", None);
        check("/a/b/a/b/a/b/c", None);
        check("/2011/11/11/11", None);
        check("/a/a/a/a", Some(FilterReason::TrapRepeats));
        check("/x/a/b/a/b/a/b/a/b", Some(FilterReason::TrapRepeats));
        check("/a/b/c/a/b/c/a/b/c/a/b/c/", Some(FilterReason::TrapRepeats));
        check("//////", Some(FilterReason::TrapRepeats));
    }

    #[test]
    fn long_paths_are_told_by_segments_and_by_bytes() {
        let many = |n: u32| (0..n).map(|i| format!("/{i}")).collect::<String>();
        check(&many(32), None);
        check(&many(33), Some(FilterReason::TrapLongPath));
        check(&format!("/{}", "a".repeat(1024)), Some(FilterReason::TrapLongPath));
        let limits = TrapsConfig {
            max_segment_repeats: 0,
            max_path_segments: 0,
            max_path_bytes: 0,
            ..TrapsConfig::default()
        };
        assert_eq!(judge(&"/a".repeat(900), &limits), None);
    }
}
