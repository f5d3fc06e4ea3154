//! Hosts and ports: domains, IPv4 in all its spellings, IPv6 (URL Standard, section 3.5).

use super::{check, refuse};

#[test]
fn hosts_are_domains_in_lower_case_ascii() {
    check(&[
        ("http://EXAMPLE.Test/", "", "http://example.test/"),
        ("http://a_b-c.d--e.f/", "", "http://a_b-c.d--e.f/"),
        ("http://-a-.test", "", "http://-a-.test/"),
        ("http://h./", "", "http://h./"),
        ("http://a..b/", "", "http://a..b/"),
        ("http://./", "", "http://./"),
        ("http://!$&'()*+,;=`{}~\"/", "", "http://!$&'()*+,;=`{}~\"/"),
        ("http://%65x%41mple/", "", "http://example/"),
        ("http://b%C3%BCcher.test/", "", "http://xn--bcher-kva.test/"),
        ("http://Bücher.TEST/", "", "http://xn--bcher-kva.test/"),
        ("http://xn--bcher-kva.test/", "", "http://xn--bcher-kva.test/"),
        ("http://XN--BCHER-KVA.test/", "", "http://xn--bcher-kva.test/"),
        ("http://faß.test/", "", "http://xn--fa-hia.test/"),
        ("http://日本。test/", "", "http://xn--wgv71a.test/"),
        ("http://a\u{ad}b.test/", "", "http://ab.test/"),
        ("http://ｅｘ．test/", "", "http://ex.test/"),
        ("http://☃/", "", "http://xn--n3h/"),
        ("http://1a.test/", "", "http://1a.test/"),
        ("http://r3---sn-x.test/", "", "http://r3---sn-x.test/"),
    ]);
    refuse(
        "international domain name",
        &[
            ("http://a b/", ""),
            ("http://a%20b/", ""),
            ("http://a<b/", ""),
            ("http://a>b/", ""),
            ("http://a^b/", ""),
            ("http://a|b/", ""),
            ("http://a]b/", ""),
            ("http://a%b/", ""),
            ("http://a%00b/", ""),
            ("http://a%2fb/", ""),
            ("http://a%3ab/", ""),
            ("http://a%7fb/", ""),
            ("http://a\u{7f}b/", ""),
            ("http://%ff/", ""),
            ("http://a℀b/", ""),
            ("http://xn--/", ""),
            ("http://xn--a/", ""),
            ("http://xn--abc-/", ""),
            ("http://a\u{200d}b/", ""),
            ("http://\u{fdd0}/", ""),
        ],
    );
    refuse("empty host", &[("http://\u{ad}/", ""), ("http://%C2%AD/", "")]);
}

#[test]
fn hosts_that_end_in_a_number_are_ipv4_addresses() {
    check(&[
        ("http://127.0.0.1/", "", "http://127.0.0.1/"),
        ("http://127.1", "", "http://127.0.0.1/"),
        ("http://2130706433", "", "http://127.0.0.1/"),
        ("http://0x7f.1/", "", "http://127.0.0.1/"),
        ("http://0X7F000001/", "", "http://127.0.0.1/"),
        ("http://0177.0.0.01/", "", "http://127.0.0.1/"),
        ("http://1.2.3/", "", "http://1.2.0.3/"),
        ("http://1.2.3.4./", "", "http://1.2.3.4/"),
        ("http://0/", "", "http://0.0.0.0/"),
        ("http://0x/", "", "http://0.0.0.0/"),
        ("http://0x.0x.0/", "", "http://0.0.0.0/"),
        ("http://4294967295/", "", "http://255.255.255.255/"),
        ("http://1.65535.65535.test/", "", "http://1.65535.65535.test/"),
        ("http://1.2.3.4.a/", "", "http://1.2.3.4.a/"),
        ("http://1e2/", "", "http://1e2/"),
        ("http://0xg/", "", "http://0xg/"),
        ("http://1..a/", "", "http://1..a/"),
        ("http://１２７．１/", "", "http://127.0.0.1/"),
        ("http://%30x7f.1/", "", "http://127.0.0.1/"),
    ]);
    refuse(
        "IPv4",
        &[
            ("http://256.1.1.1/", ""),
            ("http://1.1.1.256/", ""),
            ("http://1.65536.1/", ""),
            ("http://4294967296/", ""),
            ("http://0x100000000/", ""),
            ("http://1.2.3.4.5/", ""),
            ("http://08/", ""),
            ("http://1.2.3.09/", ""),
            ("http://a.1/", ""),
            ("http://a.0x1/", ""),
            ("http://1..2/", ""),
            ("http://.1/", ""),
            ("http://a.999./", ""),
        ],
    );
}

#[test]
fn hosts_in_brackets_are_ipv6_addresses() {
    check(&[
        ("http://[::1]/", "", "http://[::1]/"),
        ("http://[::]:80/", "", "http://[::]/"),
        ("http://[0:0:0:0:0:0:0:1]", "", "http://[::1]/"),
        ("http://[2001:DB8:0:0:1:0:0:0]/", "", "http://[2001:db8:0:0:1::]/"),
        ("http://[1:0:2:0:3:0:4:0]/", "", "http://[1:0:2:0:3:0:4:0]/"),
        ("http://[1:2:3:4:5:6:7::]/", "", "http://[1:2:3:4:5:6:7:0]/"),
        ("http://[::ffff:1.2.3.4]/", "", "http://[::ffff:102:304]/"),
        ("http://[64:ff9b::10.0.0.1]/", "", "http://[64:ff9b::a00:1]/"),
        ("http://[0001::000f]:8080/x", "", "http://[1::f]:8080/x"),
        ("http://joe@[::1]/", "", "http://joe@[::1]/"),
    ]);
    refuse(
        "IPv6",
        &[
            ("http://[]/", ""),
            ("http://[::1/", ""),
            ("http://[::1]x/", ""),
            ("http://[:1]/", ""),
            ("http://[1:]/", ""),
            ("http://[1::2::3]/", ""),
            ("http://[1:2:3:4:5:6:7]/", ""),
            ("http://[1:2:3:4:5:6:7:8:9]/", ""),
            ("http://[12345::]/", ""),
            ("http://[::g]/", ""),
            ("http://[::1%eth0]/", ""),
            ("http://[::1%25eth0]/", ""),
            ("http://[::1.2.3]/", ""),
            ("http://[::1.2.3.256]/", ""),
            ("http://[::01.2.3.4]/", ""),
            ("http://[h.test]/", ""),
        ],
    );
}

#[test]
fn ports_are_numbers_and_default_ones_are_left_out() {
    check(&[
        ("http://h:80/", "", "http://h/"),
        ("https://h:443/", "", "https://h/"),
        ("http://h:443/", "", "http://h:443/"),
        ("https://h:80/", "", "https://h:80/"),
        ("http://h:/x", "", "http://h/x"),
        ("http://h:?x", "", "http://h/?x"),
        ("http://h:0/", "", "http://h:0/"),
        ("http://h:000/", "", "http://h:0/"),
        ("http://h:00000000000000000080/", "", "http://h/"),
        ("http://h:0008080\\x", "", "http://h:8080/x"),
        ("http://h:65535", "", "http://h:65535/"),
    ]);
    refuse(
        "port",
        &[
            ("http://h:65536/", ""),
            ("http://h:4294967376/", ""),
            ("http://h:8a/", ""),
            ("http://h:-1/", ""),
            ("http://h:+1/", ""),
            ("http://h: 1/", ""),
            ("http://h:8%30/", ""),
            ("http://h:１/", ""),
            ("http://h:80:80/", ""),
            ("http://a:b:c/", ""),
        ],
    );
    refuse("empty host", &[("http://:80/", ""), ("http://:/", "")]);
}
