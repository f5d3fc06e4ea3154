//! Names of hosts by number, and numbers by name.
//!
//! A broad crawl knows millions, so a name costs its bytes, four for where it ends, and five to ten
//! in the table by which it is found: no allocation of its own, and no copy as a key.

use std::fmt;

use crate::backend::HostKey;
use crate::key_table::KeyTable;

/// Names that share one text.
const SHELF: usize = 1024;

/// All hosts' names.
#[derive(Default)]
pub(crate) struct Names {
    shelves: Vec<Shelf>,
    by_name: KeyTable,
}

/// Names, one behind the other, and where each ends.
#[derive(Default)]
struct Shelf {
    text: String,
    ends: Vec<u32>,
}

impl Names {
    pub(crate) fn len(&self) -> usize {
        let full = self.shelves.len().saturating_sub(1) * SHELF;
        full + self.shelves.last().map_or(0, |shelf| shelf.ends.len())
    }

    /// The name of a host; empty if there is no such host.
    pub(crate) fn get(&self, host: HostKey) -> &str {
        get(&self.shelves, host)
    }

    /// The host of this name.
    pub(crate) fn find(&self, name: &str) -> Option<HostKey> {
        self.by_name.find(name, |host| self.get(host))
    }

    /// Gives a name that is new the next number.
    pub(crate) fn add(&mut self, name: &str) -> HostKey {
        let host = HostKey(u32::try_from(self.len()).expect("fewer hosts than u32 counts"));
        if self.shelves.last().is_none_or(|shelf| shelf.ends.len() == SHELF) {
            self.shelves.push(Shelf::default());
        }
        if let Some(shelf) = self.shelves.last_mut() {
            shelf.push(name);
        }
        let shelves = &self.shelves;
        self.by_name.insert(host, name, |host| get(shelves, host));
        host
    }

    /// All names, in the order of their numbers.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (HostKey, &str)> {
        self.keys().map(|host| (host, self.get(host)))
    }

    /// All numbers.
    pub(crate) fn keys(&self) -> impl Iterator<Item = HostKey> + use<> {
        (0..).map(HostKey).take(self.len())
    }
}

fn get(shelves: &[Shelf], host: HostKey) -> &str {
    let nth = host.0 as usize;
    shelves.get(nth / SHELF).and_then(|shelf| shelf.get(nth % SHELF)).unwrap_or_default()
}

impl Shelf {
    fn get(&self, nth: usize) -> Option<&str> {
        let start = nth.checked_sub(1).map_or(0, |before| self.ends[before]);
        self.text.get(start as usize..*self.ends.get(nth)? as usize)
    }

    fn push(&mut self, name: &str) {
        self.text.push_str(name);
        // A URL is far shorter than four million bytes, so a thousand names are within 4 GiB.
        self.ends.push(u32::try_from(self.text.len()).expect("names of hosts are short"));
        if self.ends.len() == SHELF {
            self.text.shrink_to_fit();
        }
    }
}

impl fmt::Debug for Names {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter().map(|(_, name)| name)).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_name_has_its_number_and_each_number_its_name() {
        let mut names = Names::default();
        let name =
            |n: usize| if n == 7 { String::new() } else { "x".repeat(n % 50) + &n.to_string() };
        for n in 0..5000 {
            assert_eq!((names.find(&name(n)), names.len()), (None, n));
            assert_eq!(names.add(&name(n)).0 as usize, n);
        }
        for (n, (host, text)) in names.iter().enumerate() {
            assert_eq!((host.0 as usize, text), (n, name(n).as_str()));
            assert_eq!(names.find(text), Some(host));
        }
        assert_eq!(names.keys().count(), 5000);
        assert_eq!(names.get(HostKey(5000)), "");
    }
}
