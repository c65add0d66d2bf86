//! Addresses that are nobody's on the internet at large.
//!
//! The tables are the IANA special-purpose address registries, `iana-ipv4-special-registry` and
//! `iana-ipv6-special-registry`, with all entries up to RFC 9780 (2025), each row whether it is reachable or not, with the multicast and
//! reserved blocks of `ipv4-address-space` and `ipv6-address-space` and the blocks that RFCs have deprecated. An IPv6
//! address that carries one of IPv4 (mapped, compatible, NAT64, 6to4, Teredo) is refused whatever it carries: a
//! translator could reach the network that the deployment is in.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// A block of IPv4: its first address and the length of its prefix.
const V4: [(Ipv4Addr, u32); 21] = [
    (Ipv4Addr::new(0, 0, 0, 0), 8),          // "This network", RFC 791
    (Ipv4Addr::new(10, 0, 0, 0), 8),         // private use, RFC 1918
    (Ipv4Addr::new(100, 64, 0, 0), 10),      // shared address space, RFC 6598
    (Ipv4Addr::new(127, 0, 0, 0), 8),        // loopback, RFC 1122
    (Ipv4Addr::new(169, 254, 0, 0), 16),     // link local, RFC 3927
    (Ipv4Addr::new(172, 16, 0, 0), 12),      // private use, RFC 1918
    (Ipv4Addr::new(192, 0, 0, 0), 24),       // IETF protocol assignments, RFC 6890
    (Ipv4Addr::new(192, 0, 2, 0), 24),       // documentation, RFC 5737
    (Ipv4Addr::new(192, 31, 196, 0), 24),    // AS112-v4, RFC 7535
    (Ipv4Addr::new(192, 52, 193, 0), 24),    // AMT, RFC 7450
    (Ipv4Addr::new(192, 88, 99, 0), 24),     // 6to4 relay anycast, deprecated, RFC 7526
    (Ipv4Addr::new(192, 168, 0, 0), 16),     // private use, RFC 1918
    (Ipv4Addr::new(192, 175, 48, 0), 24),    // direct delegation AS112, RFC 7534
    (Ipv4Addr::new(198, 18, 0, 0), 15),      // benchmarking, RFC 2544
    (Ipv4Addr::new(198, 51, 100, 0), 24),    // documentation, RFC 5737
    (Ipv4Addr::new(203, 0, 113, 0), 24),     // documentation, RFC 5737
    (Ipv4Addr::new(224, 0, 0, 0), 4),        // multicast, RFC 5771
    (Ipv4Addr::new(233, 252, 0, 0), 24),     // MCAST-TEST-NET, RFC 6676
    (Ipv4Addr::new(240, 0, 0, 0), 4),        // reserved, RFC 1112
    (Ipv4Addr::new(255, 255, 255, 255), 32), // limited broadcast, RFC 8190
    (Ipv4Addr::new(192, 0, 0, 170), 31),     // NAT64/DNS64 discovery, RFC 8880
];

/// A block of IPv6, within what is given out as global unicast (`2000::/3`). All outside it is refused as a whole.
const V6: [([u16; 4], u32); 6] = [
    ([0x2001, 0, 0, 0], 23),      // IETF protocol assignments, with Teredo, ORCHID and DRIP, RFC 2928
    ([0x2001, 0x0db8, 0, 0], 32), // documentation, RFC 3849
    ([0x2002, 0, 0, 0], 16),      // 6to4, RFC 3056
    ([0x2620, 0x004f, 0x8000, 0], 48), // direct delegation AS112, RFC 7534
    ([0x3ffe, 0, 0, 0], 16),      // 6bone, RFC 3701
    ([0x3fff, 0, 0, 0], 20),      // documentation, RFC 9637
];

/// Whether an address is one of the internet at large: not this machine, not its network, and nobody's in particular.
#[must_use]
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => !V4.iter().any(|(first, length)| is_in_v4(address, *first, *length)),
        IpAddr::V6(address) => {
            let [first, ..] = address.segments();
            (0x2000..=0x3fff).contains(&first) && !V6.iter().any(|(first, length)| is_in_v6(address, *first, *length))
        }
    }
}

fn is_in_v4(address: Ipv4Addr, first: Ipv4Addr, length: u32) -> bool {
    let mask = u32::MAX.checked_shl(32 - length).unwrap_or(0);
    address.to_bits() & mask == first.to_bits() & mask
}

fn is_in_v6(address: Ipv6Addr, [a, b, c, d]: [u16; 4], length: u32) -> bool {
    let mask = u128::MAX.checked_shl(128 - length).unwrap_or(0);
    address.to_bits() & mask == Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).to_bits() & mask
}

#[cfg(test)]
mod tests {
    use super::*;

    fn public(text: &str) -> bool {
        is_public(text.parse().unwrap())
    }

    #[test]
    fn the_ends_of_every_block_are_refused_and_their_neighbours_are_not() {
        for (first, length) in V4 {
            let last = Ipv4Addr::from_bits(first.to_bits() | u32::MAX.checked_shr(length).unwrap_or(0));
            assert!(!is_public(first.into()) && !is_public(last.into()), "{first}/{length}");
        }
        for neighbour in [
            "1.0.0.0",
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
            "191.255.255.255",
            "192.0.1.0",
            "192.0.3.0",
            "192.167.255.255",
            "192.169.0.0",
            "198.17.255.255",
            "198.20.0.0",
            "203.0.112.255",
            "223.255.255.255",
            "93.184.216.34",
            "8.8.8.8",
        ] {
            assert!(public(neighbour), "{neighbour}");
        }
    }

    #[test]
    fn no_address_of_ipv6_carries_one_of_ipv4() {
        for carried in ["127.0.0.1", "10.0.0.1", "169.254.169.254", "93.184.216.34"] {
            let [a, b, c, d] = carried.parse::<Ipv4Addr>().unwrap().octets();
            let (high, low) = (format!("{a:02x}{b:02x}"), format!("{c:02x}{d:02x}"));
            for form in [
                format!("::{carried}"),
                format!("::ffff:{carried}"),
                format!("::ffff:0:{carried}"),
                format!("64:ff9b::{carried}"),
                format!("64:ff9b:1::{carried}"),
                format!("64:ff9b:1:{high}:{low}::"),
                format!("2002:{high}:{low}::1"),
                format!("2001:0:{high}:{low}::1"),
                format!("2001::{high}:{low}"),
            ] {
                assert!(!public(&form), "{form}");
            }
        }
    }

    #[test]
    fn every_special_block_of_ipv6_is_refused() {
        for special in [
            "::",
            "::1",
            "100::1",
            "100:0:0:1::1",
            "2001::1",
            "2001:1::1",
            "2001:1::2",
            "2001:2::1",
            "2001:3::1",
            "2001:4:112::1",
            "2001:10::1",
            "2001:20::1",
            "2001:30::1",
            "2001:db8::1",
            "2620:4f:8000::1",
            "3ffe::1",
            "3fff::1",
            "3fff:fff::1",
            "4000::1",
            "5f00::1",
            "fc00::1",
            "fd00:ec2::254",
            "fe80::1",
            "febf::1",
            "fec0::1",
            "ff02::1",
            "ff0e::1",
        ] {
            assert!(!public(special), "{special}");
        }
        for plain in
            ["2001:200::1", "2003::1", "2606:4700::1111", "2a00:1450:4001:80b::200e", "3fff:1000::1", "2620:4f::1"]
        {
            assert!(public(plain), "{plain}");
        }
    }
}
