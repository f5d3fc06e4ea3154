//! Names of query parameters, to be found fast in every query of every link.

use super::config::NoParameter;

/// A set of names and beginnings of names, in which case does not count.
#[derive(Debug, Clone, Default)]
pub(super) struct Names {
    whole: Vec<Box<str>>,
    /// The ASCII bytes with which those begin, in either case.
    first: u128,
    /// Their lengths, as bits.
    lengths: u128,
    beginnings: Vec<Box<str>>,
    /// As `first`.
    first_of_beginnings: u128,
}

impl Names {
    /// Reads `name` and `name*`.
    pub(super) fn new(list: &[String]) -> Result<Self, NoParameter> {
        let mut names = Self::default();
        for entry in list {
            let (name, is_beginning) =
                entry.strip_suffix('*').map_or((&**entry, false), |name| (name, true));
            let is_plain = |b: u8| b.is_ascii_graphic() && !b"*=&#?%".contains(&b);
            let Some(&first) = name.as_bytes().first().filter(|_| name.bytes().all(is_plain))
            else {
                return Err(NoParameter(entry.clone()));
            };
            let first = bit(first.to_ascii_lowercase()) | bit(first.to_ascii_uppercase());
            if is_beginning {
                names.first_of_beginnings |= first;
                names.beginnings.push(name.into());
            } else {
                names.first |= first;
                names.lengths |= length(name);
                names.whole.push(name.into());
            }
        }
        Ok(names)
    }

    pub(super) fn contains(&self, name: &str) -> bool {
        // Most names are ruled out by their first byte or their length.
        let first = name.as_bytes().first().map_or(0, |&first| bit(first));
        let may_be_whole = self.first & first != 0 && self.lengths & length(name) != 0;
        let may_begin = self.first_of_beginnings & first != 0;
        (may_be_whole && self.whole.iter().any(|whole| whole.eq_ignore_ascii_case(name)))
            || (may_begin && self.beginnings.iter().any(|beginning| begins(name, beginning)))
    }
}

/// Whether `name` begins with `beginning`, whatever the case.
fn begins(name: &str, beginning: &str) -> bool {
    name.get(..beginning.len()).is_some_and(|start| start.eq_ignore_ascii_case(beginning))
}

/// The bit of a name's length; all that are too long share one.
fn length(name: &str) -> u128 {
    1 << name.len().min(127)
}

/// The bit of an ASCII byte; none for others, which no name has.
fn bit(byte: u8) -> u128 {
    1u128.checked_shl(u32::from(byte)).unwrap_or(0)
}
