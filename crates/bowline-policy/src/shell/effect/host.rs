//! Hosts as arguments name them.

use std::net::Ipv6Addr;

/// The host of an address: `https://user@host:8080/path`, `user@host:path`, `host:port`, `host`.
///
/// An address that programs read differently is its own text, which is nobody's name.
pub(super) fn host_of(text: &str) -> String {
    let is_odd = text.contains('\\') || (text.contains('@') && text.contains(['?', '#']));
    if is_odd || text.contains(['{', ',']) || text.contains('[') && !has_address(text) {
        return text.to_owned();
    }
    let rest = text.split_once("://").map_or(text, |(_, rest)| rest);
    let rest = rest.split(['/', '?', '#']).next().unwrap_or(rest);
    let rest = rest.rsplit_once('@').map_or(rest, |(_, host)| host);
    let host = match rest.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or(rest),
        None if rest.matches(':').count() > 1 => rest,
        None => rest.split(':').next().unwrap_or(rest),
    };
    host.trim_end_matches('.').to_ascii_lowercase()
}

/// Whether what stands in brackets is an address rather than a list of names.
fn has_address(text: &str) -> bool {
    let inside = text
        .split_once('[')
        .and_then(|(_, rest)| rest.split_once(']'));
    inside.is_some_and(|(inside, rest)| inside.parse::<Ipv6Addr>().is_ok() && !rest.contains('['))
}

/// Whether a host is this machine, so that reaching it is no network.
#[must_use]
pub fn is_this_machine(host: &str) -> bool {
    let is_number = |part: &str| part.parse::<u8>().is_ok();
    let is_local = host
        .strip_prefix("127.")
        .is_some_and(|rest| rest.split('.').count() == 3 && rest.split('.').all(is_number));
    is_local || ["localhost", "::1", "0.0.0.0"].contains(&host) || host.ends_with(".localhost")
}
