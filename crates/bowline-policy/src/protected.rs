//! Paths that ask even where reading or writing is ordinary, because much hangs on them.

pub(crate) mod fold;

use self::fold::folded;
use crate::place::{below, is_within, segments};

/// Folders below home whose content is secret.
const SECRET_HOME_FOLDERS: [&str; 7] = [
    ".ssh",
    ".aws",
    ".gnupg",
    ".kube",
    ".config/gcloud",
    ".config/gh",
    ".docker",
];

/// Files below home that hold secrets.
const SECRET_HOME_FILES: [&str; 4] = [".netrc", ".npmrc", ".pypirc", ".git-credentials"];

/// What shells and other prompts remember of what was typed, below home.
const HISTORIES: [&str; 8] = [
    ".bash_history",
    ".zsh_history",
    ".sh_history",
    ".python_history",
    ".node_repl_history",
    ".psql_history",
    ".mysql_history",
    ".local/share/fish/fish_history",
];

/// Names in a workspace that stay as they are while a command runs in a sandbox: what they hold
/// can start programs outside of it.
const PROTECTED_NAMES: [&str; 10] = [
    ".git/hooks",
    ".git/config",
    ".git/config.worktree",
    ".git/commondir",
    ".git/info/attributes",
    ".vscode",
    ".bowline",
    ".github/workflows",
    ".envrc",
    ".mcp.json",
];

/// Settings of other tools that start programs as soon as a folder is opened. Writing them is judged
/// like any other writing; a command in a sandbox, whose writing nobody judges, does not.
const SETTINGS: [&str; 8] = [
    ".claude",
    ".codex",
    ".cursor",
    ".devcontainer",
    ".gemini",
    ".opencode",
    ".windsurf",
    ".zed",
];

/// `.env` files that hold examples and no secrets.
const ENV_EXAMPLES: [&str; 3] = [".env.example", ".env.sample", ".env.template"];

/// Absolute places outside any home that hold secrets.
const SECRET_PLACES: [&str; 5] = [
    "/etc/shadow",
    "/etc/shadow-",
    "/etc/gshadow",
    "/var/run/secrets",
    "/run/secrets",
];

/// Absolute places outside the workspace that anybody may read.
const OPEN_PLACES: [&str; 5] = [
    "/usr",
    "/etc/os-release",
    "/proc/cpuinfo",
    "/proc/meminfo",
    "/proc/version",
];

/// Files that a shell runs when it starts or ends.
const SHELL_START_FILES: [&str; 19] = [
    ".bashrc",
    ".bash_profile",
    ".bash_login",
    ".bash_logout",
    ".bash_aliases",
    ".profile",
    ".zshrc",
    ".zshenv",
    ".zprofile",
    ".zlogin",
    ".zlogout",
    ".kshrc",
    ".mkshrc",
    ".cshrc",
    ".tcshrc",
    ".login",
    ".logout",
    ".inputrc",
    "config.fish",
];

/// The fixed places that hold secrets, absolute: what a sandbox hides. Patterns such as `*.pem` are
/// not among them.
#[must_use]
pub fn secret_places(home: Option<&str>) -> Vec<String> {
    let at_home = SECRET_HOME_FOLDERS
        .iter()
        .chain(&SECRET_HOME_FILES)
        .chain(&HISTORIES)
        .chain(&[".cargo/credentials", ".cargo/credentials.toml"]);
    let home = home.map(|home| home.trim_end_matches('/'));
    let mut places: Vec<String> = home
        .into_iter()
        .flat_map(|home| at_home.clone().map(move |name| format!("{home}/{name}")))
        .collect();
    places.extend(SECRET_PLACES.map(str::to_owned));
    places
}

/// The names, relative to a workspace folder, that a sandbox keeps as they are.
#[must_use]
pub fn protected_names() -> Vec<String> {
    let names = PROTECTED_NAMES.iter().chain(&SHELL_START_FILES);
    names.map(|name| (*name).to_owned()).collect()
}

/// Names that a sandbox keeps as well, although writing them is judged like any other writing.
#[must_use]
pub fn settings_names() -> Vec<String> {
    SETTINGS.map(str::to_owned).to_vec()
}

/// The name of the built-in rule that makes reading `path` ask, if there is one. A name that would
/// be protected on another file system, or looks so, is protected.
pub(crate) fn protects_read(path: &str, home: Option<&str>) -> Option<&'static str> {
    let written = segments(path).next_back()?;
    let home = home.map(folded);
    let path = &*folded(path);
    let name = segments(path).next_back()?;
    if (name == ".env" || name.starts_with(".env.")) && !ENV_EXAMPLES.contains(&written) {
        return Some(".env*");
    }
    if name.ends_with(".pem") || name.ends_with(".key") {
        return Some("*.pem, *.key");
    }
    if name == ".npmrc" {
        return Some(".npmrc");
    }
    if is_shell_history(name) {
        return Some("shell history");
    }
    if SECRET_PLACES.iter().any(|place| is_within(path, place)) {
        return Some("system secrets");
    }
    if below(path, "/proc").is_some() && (name == "environ" || name == "mem") {
        return Some("/proc/*/environ, /proc/*/mem");
    }
    homes(path, home.as_deref()).find_map(secret_at_home)
}

/// The name of the built-in rule that makes writing `path` ask, if there is one. A name that would
/// be protected on another file system, or looks so, is protected.
pub(crate) fn protects_write(path: &str) -> Option<&'static str> {
    let path = &*folded(path);
    let mut earlier = "";
    for segment in segments(path) {
        match segment {
            ".git" => return Some(".git/**"),
            ".vscode" => return Some(".vscode/**"),
            ".bowline" => return Some(".bowline/**"),
            "workflows" if earlier == ".github" => return Some(".github/workflows/**"),
            _ => earlier = segment,
        }
    }
    match earlier {
        ".envrc" => Some(".envrc"),
        ".mcp.json" => Some(".mcp.json"),
        // Workflows come and go with the folder that holds them.
        ".github" => Some(".github"),
        name if SHELL_START_FILES.contains(&name) => Some("shell start-up files"),
        _ => None,
    }
}

/// Whether anybody may read `path` although it lies outside the workspace.
pub(crate) fn is_open(path: &str) -> bool {
    OPEN_PLACES.iter().any(|place| is_within(path, place))
}

fn is_shell_history(name: &str) -> bool {
    name == ".history"
        || name == "fish_history"
        || (name.starts_with('.') && name.ends_with("_history"))
}

/// What of `path` lies below a home: the given one, `/root`, or any below `/home`.
fn homes<'p>(path: &'p str, home: Option<&str>) -> impl Iterator<Item = &'p str> {
    let given = home.and_then(|home| below(path, home));
    let root = below(path, "/root");
    let other = below(path, "/home")
        .and_then(|rest| rest.split_once('/'))
        .map(|(_, rest)| rest);
    [given, root, other].into_iter().flatten()
}

fn secret_at_home(rest: &str) -> Option<&'static str> {
    if let Some(folder) = SECRET_HOME_FOLDERS
        .iter()
        .find(|folder| is_within(rest, folder))
    {
        return Some(folder);
    }
    if rest.starts_with(".cargo/credentials") {
        return Some(".cargo/credentials*");
    }
    SECRET_HOME_FILES
        .iter()
        .find(|file| rest == **file)
        .copied()
}

#[cfg(test)]
mod tests;
