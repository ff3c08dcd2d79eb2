//! The table of addresses, and the rules on URLs.

use super::*;

const PUBLIC: &[&str] = &[
    "1.1.1.1",
    "9.255.255.255",
    "11.0.0.0",
    "100.63.255.255",
    "100.128.0.0",
    "126.255.255.255",
    "128.0.0.0",
    "169.253.255.255",
    "169.255.0.0",
    "172.15.255.255",
    "172.32.0.0",
    "192.0.1.0",
    "192.0.3.0",
    "192.88.98.255",
    "192.88.100.0",
    "192.167.255.255",
    "192.169.0.0",
    "198.17.255.255",
    "198.20.0.0",
    "198.51.99.255",
    "198.51.101.0",
    "203.0.112.255",
    "203.0.114.0",
    "223.255.255.255",
    "2606:4700::1111",
    "2001:200::1",
    "2001:4860:4860::8888",
    "2a00::1",
    "3ffe::1",
    "::ffff:8.8.8.8",
    "64:ff9b::8.8.8.8",
    "2002:808:808::1",
    "168.63.129.15",
    "168.63.129.17",
    "2606:4700::5efe:808:808",
];

const NOT_PUBLIC: &[&str] = &[
    "0.0.0.0",
    "0.255.255.255",
    "10.0.0.0",
    "10.255.255.255",
    "100.64.0.0",
    "100.127.255.255",
    "127.0.0.1",
    "127.255.255.255",
    "169.254.0.0",
    "169.254.169.254",
    "100.100.100.200",
    "168.63.129.16",
    "172.16.0.0",
    "172.31.255.255",
    "192.0.0.1",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.0.0",
    "192.168.255.255",
    "198.18.0.0",
    "198.19.255.255",
    "198.51.100.7",
    "203.0.113.255",
    "224.0.0.1",
    "239.255.255.255",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::7f00:1",
    "::8.8.8.8",
    "::ffff:127.0.0.1",
    "::ffff:10.1.2.3",
    "::ffff:169.254.169.254",
    "::ffff:0:8.8.8.8",
    "64:ff9b::127.0.0.1",
    "64:ff9b::10.0.0.1",
    "64:ff9b:1::8.8.8.8",
    "100::1",
    "2001::1",
    "2001:2::1",
    "2001:10::1",
    "2001:20::1",
    "2001:1ff::1",
    "2001:db8::1",
    "2002:7f00:1::1",
    "2002:a00:1::1",
    "2002:c0a8:101::1",
    "3fff::1",
    "3fff:fff::1",
    "4000::1",
    "5f00::1",
    "fc00::1",
    "fd12:3456::1",
    "fd00:ec2::254",
    "fd20:ce::254",
    "fdff::1",
    "fe80::1",
    "febf::1",
    "fec0::1",
    "feff::1",
    "ff02::1",
    "ff0e::1",
];

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn allowing(ranges: &[&str]) -> Guard {
    Guard::new(ranges.iter().map(|range| range.parse().unwrap()).collect())
}

fn verdict(guard: &Guard, url: &str) -> Result<Reach, String> {
    let url = Url::parse(url).unwrap();
    let hosts = Hosts::new(authority(&url));
    guard.check(&url, &hosts)
}

#[test]
fn addresses_are_public_or_not() {
    for text in PUBLIC {
        assert!(is_public(ip(text)), "{text} is public");
    }
    for text in NOT_PUBLIC {
        assert!(!is_public(ip(text)), "{text} is not public");
    }
}

#[test]
fn no_embedding_makes_a_private_address_public() {
    for text in NOT_PUBLIC {
        let IpAddr::V4(v4) = ip(text) else { continue };
        let [a, b, c, d] = v4.octets();
        let (high, low) = (u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d]));
        for v6 in [
            v4.to_ipv6_mapped(),
            Ipv6Addr::new(0, 0, 0, 0, 0, 0, high, low),
            Ipv6Addr::new(0, 0, 0, 0, 0xffff, 0, high, low),
            Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, high, low),
            Ipv6Addr::new(0x2002, high, low, 0, 0, 0, 0, 1),
            Ipv6Addr::new(0x2001, 0, 1, 1, 0, 0, !high, !low),
            Ipv6Addr::new(0x2606, 0x4700, 0, 0, 0, 0x5efe, high, low),
            Ipv6Addr::new(0x2606, 0x4700, 0, 0, 0x200, 0x5efe, high, low),
        ] {
            assert!(!is_public(IpAddr::V6(v6)), "{v6} embeds {v4}");
        }
    }
}

#[test]
fn allowed_ranges_open_what_is_not_public() {
    let guard = allowing(&["127.0.0.0/8", "fd00::/8"]);
    for text in ["127.0.0.1", "::ffff:127.0.0.1", "fd00::5"] {
        assert!(guard.permits(ip(text), Reach::AllowedRanges), "{text}");
        assert!(guard.permits(ip(text), Reach::Everywhere), "{text}");
    }
    for text in ["10.0.0.1", "::1", "64:ff9b::127.0.0.1"] {
        assert!(!guard.permits(ip(text), Reach::Everywhere), "{text}");
    }
    assert!(guard.permits(ip("1.1.1.1"), Reach::Everywhere));
    assert!(
        !guard.permits(ip("1.1.1.1"), Reach::AllowedRanges),
        "plain http does not go to public addresses"
    );
}

#[test]
fn literals_are_judged_in_every_spelling() {
    let guard = allowing(&[]);
    for url in [
        "https://127.0.0.1/",
        "https://2130706433/",
        "https://0x7f.1/",
        "https://0177.0.0.1/",
        "https://127.1/",
        "https://017700000001/",
        "https://0x7f000001/",
        "https://127.0.0.1./",
        "https://127%2E0%2E0%2E1/",
        "https://１２７.0.0.1/",
        "https://127。0。0。1/",
        "https://0/",
        "https://[0:0:0:0:0:0:0:1]/",
        "https://[::ffff:127.0.0.1]/",
        "https://[2002:7f00:1::]/",
        "https://[fd00:ec2::254]/",
        "https://169.254.169.254/latest/meta-data/",
        "https://2852039166/",
        "https://[::1]/",
        "https://[::ffff:7f00:1]/",
        "https://[64:ff9b::a00:1]/",
        "http://1.1.1.1/",
        "http://api.example.com/",
        "ftp://api.example.com/",
        "https://user:pw@api.example.com/",
        "https://user@api.example.com/",
    ] {
        assert!(verdict(&guard, url).is_err(), "{url}");
    }
    assert_eq!(verdict(&guard, "https://1.1.1.1/"), Ok(Reach::Everywhere));
    assert_eq!(verdict(&guard, "https://api.example.com/"), Ok(Reach::Everywhere));
    assert_eq!(verdict(&allowing(&["127.0.0.0/8"]), "http://127.0.0.1:8080/"), Ok(Reach::AllowedRanges));
}

#[test]
fn hosts_match_whole_and_with_their_port() {
    let hosts = Hosts::new(["API.example.com", "local.test:8443", "[::1]:80"]);
    let allows = |url: &str| hosts.allows(&Url::parse(url).unwrap());
    assert!(allows("https://api.example.com/x") && allows("https://API.EXAMPLE.COM:443/x"));
    assert!(allows("https://local.test:8443/") && allows("https://[::1]:80/"));
    for url in [
        "https://api.example.com:8443/",
        "https://local.test/",
        "https://example.com/",
        "https://x.api.example.com/",
        "https://api.example.com.evil.test/",
        "https://api.example.com./",
        "https://evil.test/?api.example.com",
        "mailto:api.example.com",
    ] {
        assert!(!allows(url), "{url}");
    }
}

#[test]
fn refusals_name_the_host_only() {
    let guard = allowing(&[]);
    let url = Url::parse("https://127.0.0.1/path?api_key=hunter2").unwrap();
    for hosts in [Hosts::new(["127.0.0.1"]), Hosts::default()] {
        let text = guard.check(&url, &hosts).unwrap_err();
        assert!(text.contains("127.0.0.1") && !text.contains("hunter2") && !text.contains("path"), "{text}");
    }
}
