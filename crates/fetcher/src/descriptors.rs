//! How many connections the process may have open at once.
//!
//! Each is a file descriptor, of which systems grant few at first (1,024 is common) and many if
//! asked. A crawl that finds out in the middle can neither connect nor write its store, so the
//! sum is done before it begins.

use crate::FetchConfigError;

/// Descriptors for all that is no connection of a fetch: the store, archives, exports, name
/// lookups, further addresses tried at the same time.
const RESERVED: u64 = 256;

/// The most connections, in use and idle together, for `connections` in use. Raises the soft
/// limit of the process as far as is needed and allowed.
pub(crate) fn room_for(connections: u32) -> Result<usize, FetchConfigError> {
    let wanted = 2 * u64::from(connections);
    let granted = granted(wanted + RESERVED);
    share(u64::from(connections), granted).ok_or(FetchConfigError::Connections {
        connections,
        granted,
        most: granted.saturating_sub(reserved(granted)),
    })
}

/// As many idle ones again as in use if they fit; `None` if not even those in use do.
fn share(connections: u64, granted: u64) -> Option<usize> {
    let room = granted.saturating_sub(reserved(granted));
    let most = usize::try_from(room.min(2 * connections)).unwrap_or(usize::MAX);
    (connections <= room).then_some(most)
}

/// A limit too small to reserve much of is shared by halves.
fn reserved(granted: u64) -> u64 {
    RESERVED.min(granted / 2)
}

/// The descriptors that the process may have, after asking for `wanted`.
#[cfg(unix)]
fn granted(wanted: u64) -> u64 {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    // `None`: no limit.
    let Some(current) = limit.current else { return u64::MAX };
    let raised = wanted.min(limit.maximum.unwrap_or(u64::MAX));
    if current >= raised {
        return current;
    }
    let raise = Rlimit { current: Some(raised), ..limit };
    if setrlimit(Resource::Nofile, raise).is_ok() { raised } else { current }
}

#[cfg(not(unix))]
fn granted(_wanted: u64) -> u64 {
    u64::MAX
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn idle_connections_get_what_those_in_use_leave() {
        for (connections, granted, expected) in [
            (128, u64::MAX, Some(256)),
            (128, 1024, Some(256)),
            (500, 1024, Some(768)),
            (768, 1024, Some(768)),
            (769, 1024, None),
            (30, 64, Some(32)),
            (33, 64, None),
            (1, 0, None),
        ] {
            assert_eq!(share(connections, granted), expected, "{connections} of {granted}");
        }
    }

    #[test]
    fn more_than_any_system_grants_is_refused_by_key_and_number() {
        let Err(error) = room_for(u32::MAX) else { return };
        let error = error.to_string();
        assert!(error.contains("`fetch.connections` is 4294967295"), "{error}");
        assert!(error.contains("ulimit -n"), "{error}");
    }
}
