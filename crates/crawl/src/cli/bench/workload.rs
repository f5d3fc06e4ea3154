//! The sites of the benchmark: how many hosts and pages, of which shape, how far away.

use std::net::Ipv4Addr;
use std::time::Duration;

use clap::ValueEnum;
use crawl_testsite::{Market, Shape};

use crate::cli::failure::{Exit, Failure};

/// Connections to one host at a time, where hosts are few.
const FEW_HOSTS_EACH: u32 = 16;

/// A site of known size.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Workload {
    /// 1 host, 5,000 pages of 24 KB with 81 links and 15 products.
    W1,
    /// 100 hosts with 100 such pages each.
    W2,
    /// 100 hosts with 200 such pages each, 50 ms away.
    W3,
    /// 1 host, 20,000 pages of 2 KB with 8 links.
    W4,
    /// 1 host, 1,000 pages of 200 KB with 500 links.
    W5,
}

impl Workload {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::W1 => "W1",
            Self::W2 => "W2",
            Self::W3 => "W3",
            Self::W4 => "W4",
            Self::W5 => "W5",
        }
    }

    pub(crate) fn hosts(self) -> u32 {
        match self {
            Self::W2 | Self::W3 => 100,
            Self::W1 | Self::W4 | Self::W5 => 1,
        }
    }

    /// One host's shop; `pages` instead of the usual number, if given.
    pub(crate) fn market(self, pages: Option<u32>) -> Market {
        let (usual, shape) = match self {
            Self::W1 => (5_000, Shape::LIST),
            Self::W2 => (100, Shape::LIST),
            Self::W3 => (200, Shape::LIST),
            Self::W4 => (20_000, Shape::SMALL),
            Self::W5 => (1_000, Shape::LARGE),
        };
        Market { pages: pages.unwrap_or(usual), shape }
    }

    /// Time from a request to its answer.
    pub(crate) fn latency(self) -> Duration {
        match self {
            Self::W3 => Duration::from_millis(50),
            _ => Duration::ZERO,
        }
    }

    /// Connections in all, for whoever crawls it.
    pub(crate) fn connections(self) -> u32 {
        match self {
            Self::W3 => 128,
            _ => FEW_HOSTS_EACH,
        }
    }

    /// Refuses a crawl that had more connections open at a time than are allowed. Elsewhere than far
    /// away nothing is gained by many, so there they are only told.
    pub(crate) fn check_connections(self, most: u64) -> Result<(), Failure> {
        // Those in use, and as many at rest (`fetch.connections`).
        let allowed = 2 * u64::from(self.connections());
        if self != Self::W3 || most <= allowed {
            return Ok(());
        }
        let what = format!(
            "the crawl of {} had {most} connections open at a time; {allowed} are allowed",
            self.name()
        );
        let hint = "`fetch.connections` allows so many in use, and as many at rest";
        Err(Failure::new(Exit::Broken, what).hint(hint))
    }

    /// Connections to one host.
    pub(crate) fn per_host(self) -> u32 {
        match self.hosts() {
            1 => FEW_HOSTS_EACH,
            _ => 2,
        }
    }

    /// Addresses of its hosts: 127.0.0.1 and on, so that no name has to be looked up.
    pub(crate) fn addresses(self) -> impl Iterator<Item = Ipv4Addr> {
        (1..=self.hosts()).map(|n| Ipv4Addr::from(u32::from(Ipv4Addr::new(127, 0, 0, 0)) + n))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_are_bounded_far_away() {
        assert!(Workload::W3.check_connections(256).is_ok());
        let refused = Workload::W3.check_connections(257).unwrap_err();
        assert!(refused.message().contains("257 connections"), "{}", refused.message());
        assert!(Workload::W2.check_connections(4_000).is_ok());
    }
}
