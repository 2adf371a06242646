//! How a call is confined, derived from what it does and what was allowed.
//!
//! | mode | a command that | runs within |
//! |---|---|---|
//! | `read-only`, `ask`, `edit`, `auto` | only reads | the read-only profile |
//! | `edit` | also writes the workspace by its text | the workspace's, no network |
//! | `auto` | does anything else | the workspace's, and what was allowed of it beyond |
//! | `ask`, `edit` | does anything else | nothing: a person or a rule allowed it as it is |
//! | `full` | does anything | nothing |
//!
//! Where this machine has no sandbox, the first two run as they are, as they did before.

use std::path::Path;

use bowline_core::{Action, Backend, Confinement, Mode, Network, Profile, Sandbox, State};
use bowline_policy::{Extent, Policy, Surroundings, Widening, extent, open_hosts, widening};
use bowline_tools::Plan;
use bowline_tools::confine::Confiner;

use crate::keep;
use crate::look::Disk;

/// How a planned call is confined in `mode`, if it is.
pub(crate) fn confinement(
    confiner: &Confiner,
    policy: &Policy,
    (state, mode): (&State, Mode),
    (plan, is_local): (&Plan, bool),
) -> Option<Confinement> {
    let command = plan.actions.iter().find_map(|action| match action {
        Action::Run { command, .. } => Some(command),
        _ => None,
    })?;
    if mode == Mode::Full {
        return None;
    }
    let cx = Surroundings {
        outside: state.outside(),
        ..Surroundings::new(state.cwd(), &Disk)
    };
    // What asks for more than its text says is more than its text.
    let extent = if plan.actions.len() > 1 {
        Extent::Unknown
    } else {
        extent(policy, command, &cx)
    };
    let hide = |profile: &mut Profile, reaches: bool| {
        let mut hidden = keep::hidden(policy, is_local, reaches);
        hidden.retain(|place| !profile.hidden.contains(place));
        profile.hidden.extend(hidden);
    };
    let found = match (extent, mode) {
        (Extent::Reads, _) => confiner.confinement_with(|profile| {
            reading(profile);
            hide(profile, false);
        }),
        (Extent::Writes, Mode::Edit) => confiner.confinement_with(|profile| {
            alone(profile);
            hide(profile, false);
        }),
        (_, Mode::Auto) => {
            // What a session holds for local models only leaves by no rule.
            let usual = match keep::held(policy, state) {
                Some(_) => Vec::new(),
                None => open_hosts(policy, state.outside().is_some()),
            };
            let wide = widening(policy, &plan.actions, &cx);
            return widened(confiner, usual, &wide, hide).map(|one| as_it_can(confiner, one));
        }
        _ => return None,
    };
    found.ok().map(|one| as_it_can(confiner, one))
}

/// What a command is held by that began in a sandbox, when it is told something: mode `auto` rests
/// on it, the others do not.
pub(crate) fn begun(confiner: &Confiner, mode: Mode, plan: &Plan) -> Option<Confinement> {
    let mut actions = plan.actions.iter();
    let runs = actions.any(|action| matches!(action, Action::Run { .. }));
    (runs && mode == Mode::Auto)
        .then(|| confiner.confinement().ok())
        .flatten()
}

/// The workspace is shown, nothing is written, nobody reached.
fn reading(profile: &mut Profile) {
    profile.readable.append(&mut profile.writable);
    profile.protected.clear();
    profile.caches.clear();
    alone(profile);
}

fn alone(profile: &mut Profile) {
    profile.network = Network::None;
}

/// Landlock cannot hide what lies in a folder that may be written. What rules keep there is left out,
/// so that the judgement does not rest on it; what is always hidden stays, and refuses the command.
fn as_it_can(confiner: &Confiner, mut confinement: Confinement) -> Confinement {
    let Profile {
        writable,
        granted,
        hidden,
        ..
    } = &mut confinement.profile;
    if confinement.backend == Backend::Landlock {
        let usual = confiner.confinement().map(|usual| usual.profile.hidden);
        let usual = usual.unwrap_or_default();
        let lies_in = |place: &String, folder: &String| Path::new(place).starts_with(folder);
        hidden.retain(|place| {
            let mut open = writable.iter().chain(&*granted);
            usual.contains(place) || !open.any(|folder| lies_in(place, folder))
        });
    }
    confinement
}

/// The usual profile with the hosts that rules open, and what this call was allowed beyond it.
fn widened(
    confiner: &Confiner,
    usual: Vec<String>,
    wide: &Widening,
    hide: impl FnOnce(&mut Profile, bool),
) -> Option<Confinement> {
    let widen = |profile: &mut Profile| {
        profile.granted.extend(wide.writes.iter().cloned());
        profile.network = network(&profile.network, usual, wide);
        hide(profile, profile.network != Network::None);
    };
    let mut confinement = confiner.confinement_with(widen).ok()?;
    if confinement.backend == Backend::Landlock && !confinement.profile.network.hosts().is_empty() {
        // It cannot hold a command to hosts: one that was allowed some reaches all, and rules for
        // the session open nothing.
        let is_allowed = !wide.hosts.is_empty();
        confinement.profile.network = if is_allowed {
            Network::Open
        } else {
            Network::None
        };
    }
    Some(confinement)
}

fn network(configured: &Network, usual: Vec<String>, wide: &Widening) -> Network {
    if wide.network || *configured == Network::Open {
        return Network::Open;
    }
    // In this order: what was allowed for this call counts over what rules close.
    let hosts = [configured.hosts().to_vec(), usual, wide.hosts.clone()].concat();
    if hosts.is_empty() {
        Network::None
    } else {
        Network::Hosts(hosts)
    }
}

/// What a run is told before its first shell command in `mode`, if commands are held less there
/// than they should be: the backend, and a few sentences.
pub(crate) fn weaker(confiner: &Confiner, mode: Mode) -> Option<(Option<Backend>, String)> {
    if mode == Mode::Full || !confiner.is_meant_to() {
        return None;
    }
    let found = confiner.confinement_with(reading);
    let backend = found.as_ref().ok().map(|confinement| confinement.backend);
    let why = match found {
        Ok(confinement) => Confiner::lacking(confinement.backend),
        Err(why) => why,
    };
    let means = match (backend, mode) {
        (Some(Backend::Namespaces), _) => return None,
        // What only reads is held wholly by Landlock, too.
        (Some(Backend::Landlock), Mode::ReadOnly | Mode::Ask) => return None,
        (Some(Backend::Landlock), Mode::Auto) => {
            "Shell commands that do more than read ask, and run in a weaker sandbox (Landlock)"
        }
        (Some(Backend::Landlock), _) => {
            "Commands that write the workspace run in a weaker sandbox (Landlock), which does not \
             hold protected names"
        }
        (None, Mode::Auto) => {
            "There is no sandbox here, so shell commands that do more than read ask"
        }
        (None, _) => "There is no sandbox here, so commands that only read run without one",
    };
    Some((backend, format!("{means}: {why}.")))
}

/// What a shell command would run within on this machine, as far as the policy rests on it.
#[must_use]
pub fn sandbox(confiner: &Confiner) -> Sandbox {
    let why = match confiner.confinement() {
        Ok(confinement) if confinement.backend == Backend::Namespaces => {
            return Sandbox::Namespaces;
        }
        Ok(confinement) => Confiner::lacking(confinement.backend),
        Err(why) => why,
    };
    Sandbox::Lacking { why }
}
