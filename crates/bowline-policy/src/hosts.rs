//! What rules say of hosts that nobody asked for by name: those that a redirect or a look-up led to,
//! and those that a confined command may reach whatever its text says.

use bowline_core::{Host, HostPattern, Verdict};

use crate::judge::names_one;
use crate::policy::Policy;
use crate::rule::Pattern;

/// What rules say of a host at a port.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct HostStanding {
    /// An allow rule that may loosen something spells it out, without a `*`.
    pub allows_exactly: bool,
    /// A rule denies it.
    pub denies: bool,
    /// A rule wants a person's answer for it.
    pub asks: bool,
}

/// Holds a host against the rules about hosts, whatever the mode. A port that a deny or ask rule
/// does not give is any.
#[must_use]
pub fn host_standing(policy: &Policy, host: &Host, port: u16) -> HostStanding {
    let mut standing = HostStanding::default();
    for rule in &policy.rules {
        let Pattern::Host(pattern) = &rule.pattern else {
            continue;
        };
        let is_named = pattern.names(host) && fits(pattern, port);
        match rule.verdict {
            Verdict::Allow => {
                standing.allows_exactly |= rule.may_loosen(&policy.trust)
                    && pattern.names_exactly(host)
                    && pattern.means_port(port);
            }
            Verdict::Ask => standing.asks |= is_named,
            Verdict::Deny => standing.denies |= is_named,
        }
    }
    standing
}

/// The hosts that confined commands may reach by the rules, as [`HostAccess`] reads them: what allow
/// rules open, then what the others close; none if nothing is opened. `is_marked`: content from
/// outside is in the session, so that only rules count which name one host or those below one.
///
/// A rule that goes out of force some day opens nothing here: what a command was started with lasts.
///
/// [`HostAccess`]: bowline_core::HostAccess
#[must_use]
pub fn open_hosts(policy: &Policy, is_marked: bool) -> Vec<String> {
    let hosts = |verdicts: &'static [Verdict]| {
        let rules = policy.rules.iter();
        rules.filter_map(move |rule| match &rule.pattern {
            Pattern::Host(pattern) if verdicts.contains(&rule.verdict) => Some((rule, pattern)),
            _ => None,
        })
    };
    let opens = hosts(&[Verdict::Allow]).filter(|(rule, pattern)| {
        let is_lasting = rule.expires_at_ms.is_none() && rule.may_loosen(&policy.trust);
        is_lasting && (!is_marked || names_one(pattern.as_str()))
    });
    let mut opens: Vec<String> = opens.map(|(_, pattern)| pattern.to_string()).collect();
    if opens.is_empty() {
        return opens;
    }
    let closes = hosts(&[Verdict::Ask, Verdict::Deny]);
    let mut closes: Vec<String> = closes.map(|(_, pattern)| format!("!{pattern}")).collect();
    for list in [&mut opens, &mut closes] {
        list.sort();
        list.dedup();
    }
    opens.extend(closes);
    opens
}

fn fits(pattern: &HostPattern, port: u16) -> bool {
    pattern.port().is_none() || pattern.means_port(port)
}

#[cfg(test)]
mod tests;
