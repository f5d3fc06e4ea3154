//! `[fetch.resolve]`: host names that are connected to elsewhere, as curl's `--resolve`.
//!
//! A mapped host is exempt from nothing: its address must be public like any other.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};

use crawl_model::HostTable;

use crate::FetchConfigError;

/// Host names and where to connect in their stead.
#[derive(Debug, Default)]
pub(crate) struct HostMap(HostTable<Target>);

#[derive(Debug, Clone, Copy)]
struct Target {
    ip: IpAddr,
    /// `None`: the URL's.
    port: Option<u16>,
}

impl HostMap {
    /// Reads the table.
    pub(crate) fn new(table: &BTreeMap<String, String>) -> Result<Self, FetchConfigError> {
        let mut map = HostTable::default();
        for (host, to) in table {
            let bad = |why| FetchConfigError::Resolve { host: host.clone(), to: to.clone(), why };
            let target = Target::parse(to).ok_or_else(|| {
                bad("the right side is no address like 127.0.0.1 or 127.0.0.1:80")
            })?;
            let pattern = host
                .parse()
                .map_err(|_| bad("the left side is no host name like shop.test or *.test"))?;
            map.insert([pattern], target).map_err(|_| bad("this host stands there twice"))?;
        }
        Ok(Self(map))
    }

    /// Where to connect for `host`, as it stands in a URL; `None` if it is not mapped.
    pub(crate) fn get(&self, host: &str, port: u16) -> Option<SocketAddr> {
        let target = self.0.get(host)?;
        Some(SocketAddr::new(target.ip, target.port.unwrap_or(port)))
    }
}

impl Target {
    fn parse(text: &str) -> Option<Self> {
        if let Some(ip) = address(text) {
            return Some(Self { ip, port: None });
        }
        let both: SocketAddr = text.parse().ok()?;
        Some(Self { ip: both.ip(), port: Some(both.port()) })
    }
}

/// Reads an address with or without a port.
pub(crate) fn socket_address(text: &str, default_port: u16) -> Option<SocketAddr> {
    let with_default = |ip| SocketAddr::new(ip, default_port);
    address(text).map(with_default).or_else(|| text.parse().ok())
}

/// Reads an address; IPv6 with or without brackets.
pub(crate) fn address(text: &str) -> Option<IpAddr> {
    let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    bare.unwrap_or(text).parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_specific_name_says_where_to_connect() {
        let table = [
            ("a.b.test", "127.0.0.1:81"),
            ("*.test", "127.0.0.2"),
            ("*.B.test", "[::1]:83"),
            ("plain", "::1"),
        ];
        let table = table.map(|(host, to)| (host.to_owned(), to.to_owned())).into();
        let map = HostMap::new(&table).unwrap();
        let get = |host| map.get(host, 80).map(|address| address.to_string());
        assert_eq!(get("a.b.test").as_deref(), Some("127.0.0.1:81"));
        assert_eq!(get("x.b.test").as_deref(), Some("[::1]:83"));
        assert_eq!(get("x.y.test").as_deref(), Some("127.0.0.2:80"));
        assert_eq!(get("test").as_deref(), Some("127.0.0.2:80"));
        assert_eq!(get("plain").as_deref(), Some("[::1]:80"));
        assert_eq!(get("xtest"), None);
    }

    #[test]
    fn a_host_in_two_spellings_is_refused() {
        let table = ["a.test", "A.test"].map(|host| (host.to_owned(), "::1".to_owned())).into();
        let error = HostMap::new(&table).unwrap_err().to_string();
        assert!(error.contains("twice"), "{error}");
    }
}
