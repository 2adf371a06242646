//! What rules say of a host that nobody asked for by name: one that a redirect or a look-up led to.

use bowline_core::{Host, HostPattern, Verdict};

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

fn fits(pattern: &HostPattern, port: u16) -> bool {
    pattern.port().is_none() || pattern.means_port(port)
}

#[cfg(test)]
mod tests;
