//! The environment of shell commands: this process's own, without credentials.

use bowline_secrets::mask;

use super::KEY_VARIABLES;
use crate::search_path::absolute_only;

#[cfg(test)]
mod tests;

/// Last words of names whose values are credentials, or lead to them.
const CREDENTIALS: [&str; 17] = [
    "TOKEN",
    "TOKENS",
    "SECRET",
    "SECRETS",
    "PASSWORD",
    "PASSWD",
    "PASSPHRASE",
    "PASS",
    "CREDENTIAL",
    "CREDENTIALS",
    "KEY",
    "KEYS",
    "APIKEY",
    "PAT",
    "AUTH",
    "COOKIE",
    "AUTHORIZATION",
];

/// Names of credentials that end in another word.
const NAMED: [&str; 3] = ["AWS_ACCESS_KEY_ID", "PGPASSFILE", "KUBECONFIG"];

/// Variables set for every command: nothing opens a pager or asks at a terminal that is not there.
const SET: [(&str, &str); 4] = [
    ("PAGER", "cat"),
    ("GIT_PAGER", "cat"),
    ("GIT_TERMINAL_PROMPT", "0"),
    // A command that only reads writes no index, which would start a hook.
    ("GIT_OPTIONAL_LOCKS", "0"),
];

/// Keys of git that name programs of a repository, set to what starts none. They hold for all of git,
/// so only what nobody misses is here; for the rest such commands ask.
const GIT_SET: [(&str, &str); 2] = [("core.fsmonitor", "false"), ("core.pager", "cat")];

/// The variables that set [`GIT_SET`], after those keys that are set so already.
fn git_settings(env: &mut Vec<(String, String)>) {
    const COUNT: &str = "GIT_CONFIG_COUNT";
    let known = env.iter().find(|(name, _)| name == COUNT);
    let first: usize = known.and_then(|(_, count)| count.parse().ok()).unwrap_or(0);
    env.retain(|(name, _)| name != COUNT);
    for (number, (key, value)) in (first..).zip(GIT_SET) {
        env.push((format!("GIT_CONFIG_KEY_{number}"), key.to_owned()));
        env.push((format!("GIT_CONFIG_VALUE_{number}"), value.to_owned()));
    }
    env.push((COUNT.to_owned(), (first + GIT_SET.len()).to_string()));
}

/// What a shell command started by this process gets, credentials only if they are `passed` by name.
/// A variable that is no UTF-8 is left out.
pub(super) fn of_this_process(passed: &[String]) -> Vec<(String, String)> {
    let all = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    clean(all, passed)
}

/// Leaves out credentials, Bowline's own variables and relative entries of the search path, and sets
/// what every command gets.
fn clean(all: impl Iterator<Item = (String, String)>, passed: &[String]) -> Vec<(String, String)> {
    let is_set = |name: &str| SET.iter().any(|(set, _)| *set == name);
    let kept = all.filter(|(name, value)| {
        let is_passed = passed.contains(name) && !KEY_VARIABLES.contains(&name.as_str());
        let is_own = name.starts_with("BOWLINE_") || is_set(name);
        !is_own && (is_passed || !is_credential(name, value))
    });
    let kept = kept.map(|(name, value)| match name.as_str() {
        "PATH" => (name, absolute_only(&value)),
        _ => (name, value),
    });
    let set = SET.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let mut env: Vec<(String, String)> = kept.chain(set).collect();
    git_settings(&mut env);
    env
}

/// Whether a variable is a credential, by its name or because its value reads like one (a token of
/// a known form, an address with a password).
pub(super) fn is_credential(name: &str, value: &str) -> bool {
    let capital = name.to_ascii_uppercase();
    let last = capital.rsplit(['_', '-', '.']).next().unwrap_or_default();
    let by_name = CREDENTIALS.contains(&last)
        || NAMED.contains(&capital.as_str())
        || KEY_VARIABLES.contains(&name);
    by_name || !mask(&format!("{name}={value}")).findings.is_empty()
}
