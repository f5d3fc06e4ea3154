//! Which addresses are public.
//!
//! A page may link to anything, and a name may resolve to anything: without this check a site
//! could make the crawler fetch the router's pages or a cloud's metadata service and publish
//! them. Asked for the very address that is connected to, so a name that changes its answer
//! between two lookups gains nothing.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Says why `ip` is not public; `None` if it is.
///
/// By the IANA special-purpose registries (RFC 6890 and its updates). Addresses of IPv6 that
/// carry one of IPv4 (mapped, compatible, translated, NAT64, 6to4) are judged by what they carry.
pub(crate) fn not_public(ip: IpAddr) -> Option<&'static str> {
    match ip {
        IpAddr::V4(ip) => not_public_v4(ip),
        IpAddr::V6(ip) => match carried(ip) {
            Some(inner) if !ip.is_loopback() && !ip.is_unspecified() => not_public_v4(inner),
            _ => not_public_v6(ip),
        },
    }
}

fn not_public_v4(ip: Ipv4Addr) -> Option<&'static str> {
    Some(match ip.octets() {
        [0, ..] => "this network, RFC 1122",
        [10, ..] | [192, 168, ..] | [172, 16..=31, ..] => "private, RFC 1918",
        [100, 64..=127, ..] => "shared address space, RFC 6598",
        [127, ..] => "loopback",
        [169, 254, ..] => "link-local, RFC 3927",
        [192, 0, 0, _] => "protocol assignments, RFC 6890",
        [192, 0, 2, _] | [198, 51, 100, _] | [203, 0, 113, _] => "documentation, RFC 5737",
        [198, 18..=19, ..] => "benchmarking, RFC 2544",
        [224..=239, ..] => "multicast",
        [255, 255, 255, 255] => "broadcast",
        [240..=255, ..] => "reserved, RFC 1112",
        _ => return None,
    })
}

fn not_public_v6(ip: Ipv6Addr) -> Option<&'static str> {
    Some(match ip.segments() {
        [0, 0, 0, 0, 0, 0, 0, 0] => "unspecified",
        [0, 0, 0, 0, 0, 0, 0, 1] => "loopback",
        [0x64, 0xff9b, 1, ..] => "local NAT64, RFC 8215",
        [0x100, 0, 0, ..] => "discard-only, RFC 6666",
        [0x2001, 0..=0x1ff, ..] => "protocol assignments, RFC 2928",
        [0x2001, 0xdb8, ..] | [0x3fff, 0..=0xfff, ..] => "documentation, RFC 3849",
        [0x5f00, ..] => "segment routing, RFC 9602",
        [0xfc00..=0xfdff, ..] => "unique local, RFC 4193",
        [0xfe80..=0xfebf, ..] => "link-local, RFC 4291",
        [0xfec0..=0xfeff, ..] => "site-local, RFC 3879",
        [0xff00..=0xffff, ..] => "multicast",
        _ => return None,
    })
}

/// The IPv4 address inside an IPv6 one.
fn carried(ip: Ipv6Addr) -> Option<Ipv4Addr> {
    let v4 = |high: u16, low: u16| Ipv4Addr::from(u32::from(high) << 16 | u32::from(low));
    match ip.segments() {
        // RFC 4291, sections 2.5.5.1 and 2.5.5.2; RFC 2765, section 2.1.
        [0, 0, 0, 0, 0, 0 | 0xffff, high, low] | [0, 0, 0, 0, 0xffff, 0, high, low] => {
            Some(v4(high, low))
        }
        // RFC 6052, section 2.1.
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => Some(v4(high, low)),
        // RFC 3056, section 2.
        [0x2002, high, low, ..] => Some(v4(high, low)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_a_private_address_is_told() {
        let v4 = [
            "0.0.0.0",
            "0.1.2.3",
            "10.0.0.1",
            "10.255.255.255",
            "100.64.0.1",
            "100.127.255.255",
            "127.0.0.1",
            "127.255.255.254",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.8",
            "192.0.2.1",
            "192.168.0.1",
            "198.18.0.1",
            "198.19.255.255",
            "198.51.100.7",
            "203.0.113.9",
            "224.0.0.1",
            "239.255.255.255",
            "240.0.0.1",
            "255.255.255.255",
        ];
        for text in v4 {
            let ip: Ipv4Addr = text.parse().unwrap();
            assert!(not_public(ip.into()).is_some(), "{text}");
            let [a, b, c, d] = ip.octets();
            let (high, low) = (u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d]));
            for v6 in [
                ip.to_ipv6_mapped(),
                Ipv6Addr::new(0, 0, 0, 0, 0, 0, high, low),
                Ipv6Addr::new(0, 0, 0, 0, 0xffff, 0, high, low),
                Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, high, low),
                Ipv6Addr::new(0x2002, high, low, 0, 0, 0, 0, 1),
            ] {
                assert!(not_public(v6.into()).is_some(), "{text} as {v6}");
            }
        }
        for text in [
            "::",
            "::1",
            "64:ff9b:1::1",
            "100::1",
            "2001::1",
            "2001:2::1",
            "2001:10::1",
            "2001:db8::1",
            "3fff::1",
            "5f00::1",
            "fc00::1",
            "fdff::1",
            "fe80::1",
            "febf::1",
            "fec0::1",
            "ff02::1",
        ] {
            assert!(not_public(text.parse().unwrap()).is_some(), "{text}");
        }
    }

    #[test]
    fn public_addresses_pass() {
        for text in [
            "1.1.1.1",
            "9.255.255.255",
            "11.0.0.0",
            "100.63.255.255",
            "100.128.0.0",
            "126.255.255.255",
            "128.0.0.0",
            "169.253.255.255",
            "172.15.255.255",
            "172.32.0.0",
            "192.0.1.0",
            "192.167.255.255",
            "192.169.0.0",
            "198.17.255.255",
            "198.20.0.0",
            "223.255.255.255",
            "2606:4700::1111",
            "2a00:1450:4001::1",
            "2001:4860:4860::8888",
            "::ffff:1.1.1.1",
            "64:ff9b::1.1.1.1",
            "2002:101:101::1",
        ] {
            assert_eq!(not_public(text.parse().unwrap()), None, "{text}");
        }
    }
}
