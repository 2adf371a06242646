//! Which acts bring content in from elsewhere, and which could carry data out.
//!
//! Content from elsewhere may speak to the model for somebody else. From then on what could carry
//! data out asks, whatever was answered before that content came.

use bowline_core::Action;
use bowline_core::decision::Judged;

use crate::place::is_within;
use crate::protected::is_open;
use crate::shell::is_loopback;

/// Names of built-in rules about words of commands that could carry data out.
const OUTWARD_RULES: [&str; 3] = ["publish-class", "network", "outside-content"];

/// Where what `action` brings comes from, if that is outside the workspace `roots`: a path, a host,
/// a server. Programs and their data below `/usr` are part of the machine.
#[must_use]
pub fn brings_in(roots: &[String], action: &Action) -> Option<String> {
    match action {
        Action::ReadPath { path } if !is_inside(roots, &path.resolved) => {
            (!is_open(&path.resolved)).then(|| path.resolved.clone())
        }
        Action::Reach { host, .. } if !is_loopback(host) => Some(host.clone()),
        Action::CallMcp { server, .. } => Some(format!("the server {server}")),
        _ => None,
    }
}

/// Whether what was judged could carry data out: to a host, to a server, to the public, to a place
/// outside the workspace `roots`.
#[must_use]
pub fn carries_out(roots: &[String], judged: &Judged) -> bool {
    match &judged.action {
        Action::Reach { host, .. } => !is_loopback(host),
        Action::CallMcp { .. } => true,
        Action::WritePath { path } => !is_inside(roots, &path.resolved),
        Action::Run { .. } | Action::RunWords { .. } => {
            OUTWARD_RULES.contains(&judged.rule.rule.as_str())
        }
        _ => false,
    }
}

fn is_inside(roots: &[String], path: &str) -> bool {
    roots.iter().any(|root| is_within(path, root))
}

#[cfg(test)]
mod tests;
