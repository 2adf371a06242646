//! Addresses and names that are no part of the public network.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Why a host is no host of the public network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Private {
    /// This machine.
    Loopback,
    /// No address at all; machines take it for themselves.
    Unspecified,
    /// A network of an organisation or a home.
    Local,
    /// Shared by the customers of a provider.
    Shared,
    /// The nearest network only.
    LinkLocal,
    /// Where machines in a data centre ask for their own keys.
    Metadata,
    /// Many machines at once.
    Multicast,
    /// For documents, measurements, later use, or nothing.
    Reserved,
    /// An IPv6 address that a gateway turns into an IPv4 address that is private.
    Embedded,
    /// A name that only the nearest network knows.
    LocalName,
}

/// Names whose subdomains only the nearest network knows.
const LOCAL_ZONES: [&str; 9] = [
    "local",
    "localdomain",
    "internal",
    "intranet",
    "private",
    "corp",
    "home",
    "lan",
    "home.arpa",
];

/// Where data centres answer for their machines' keys, beside the ranges that hold others.
const METADATA_V4: [Ipv4Addr; 4] = [
    Ipv4Addr::new(169, 254, 169, 254),
    Ipv4Addr::new(168, 63, 129, 16),
    Ipv4Addr::new(100, 100, 100, 200),
    Ipv4Addr::new(192, 0, 0, 192),
];

/// The same for IPv6.
const METADATA_V6: [Ipv6Addr; 2] = [
    Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254),
    Ipv6Addr::new(0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254),
];

impl Private {
    /// Why `address` is not public, if it is not.
    #[must_use]
    pub fn of(address: IpAddr) -> Option<Self> {
        match address.to_canonical() {
            IpAddr::V4(address) => of_v4(address),
            IpAddr::V6(address) => of_v6(address),
        }
    }

    /// Why a name in its one spelling is not public, if that can be told from it.
    pub(super) fn of_name(name: &str) -> Option<Self> {
        let is_in = |zone: &str| {
            let rest = name.strip_suffix(zone);
            rest.is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
        };
        if is_in("localhost") {
            Some(Self::Loopback)
        } else if name == "metadata.google.internal" {
            Some(Self::Metadata)
        } else {
            let is_local = !name.contains('.') || LOCAL_ZONES.into_iter().any(is_in);
            is_local.then_some(Self::LocalName)
        }
    }

    /// What it is, to follow "it is".
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Loopback => "this machine",
            Self::Unspecified => "an unspecified address, which is this machine",
            Self::Local => "an address of a private network",
            Self::Shared => "an address within a provider's network",
            Self::LinkLocal => "an address of the nearest network",
            Self::Metadata => "an address where machines get their keys",
            Self::Multicast => "an address of many machines at once",
            Self::Reserved => "a reserved address",
            Self::Embedded => "a private address in another form",
            Self::LocalName => "a name of the nearest network",
        }
    }
}

fn of_v4(address: Ipv4Addr) -> Option<Private> {
    if METADATA_V4.contains(&address) {
        return Some(Private::Metadata);
    }
    match address.octets() {
        [0, ..] => Some(Private::Unspecified),
        [127, ..] => Some(Private::Loopback),
        [10, ..] | [192, 168, ..] | [172, 16..=31, ..] => Some(Private::Local),
        [100, 64..=127, ..] => Some(Private::Shared),
        [169, 254, ..] => Some(Private::LinkLocal),
        [224..=239, ..] => Some(Private::Multicast),
        // Protocol assignments, documentation, relays, measurements, later use and broadcast.
        [192, 0, 0 | 2, _]
        | [198, 51, 100, _]
        | [203, 0, 113, _]
        | [192, 88, 99, _]
        | [198, 18 | 19, ..]
        | [240..=255, ..] => Some(Private::Reserved),
        _ => None,
    }
}

fn of_v6(address: Ipv6Addr) -> Option<Private> {
    if METADATA_V6.contains(&address) {
        return Some(Private::Metadata);
    }
    let embedded = |address: Ipv4Addr| of_v4(address).map(|_| Private::Embedded);
    let v4 = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        Ipv4Addr::new(a, b, c, d)
    };
    match address.segments() {
        [0, 0, 0, 0, 0, 0, 0, 0] => Some(Private::Unspecified),
        [0, 0, 0, 0, 0, 0, 0, 1] => Some(Private::Loopback),
        // Through a gateway that the whole network shares.
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => embedded(v4(high, low)),
        [0xfc00..=0xfdff, ..] => Some(Private::Local),
        [0xfe80..=0xfebf, ..] => Some(Private::LinkLocal),
        // Site-local, of old.
        [0xfec0..=0xfeff, ..] => Some(Private::Local),
        [0xff00..=0xffff, ..] => Some(Private::Multicast),
        // Assignments to protocols, one of which carries IPv4 addresses; documentation.
        [0x2001, 0..=0x1ff, ..] | [0x2001, 0xdb8, ..] | [0x3fff, 0..=0xfff, ..] => {
            Some(Private::Reserved)
        }
        [0x2002, high, low, ..] => embedded(v4(high, low)),
        // An interface that carries an IPv4 address within a site.
        [0x2000..=0x3fff, _, _, _, 0 | 0x200, 0x5efe, high, low] => embedded(v4(high, low)),
        [0x2000..=0x3fff, ..] => None,
        _ => Some(Private::Reserved),
    }
}
