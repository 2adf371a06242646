//! Names that mean a command on most machines: a function must not take their place unseen.

/// Builtins and common commands that no table may hold.
const COMMON: [&str; 40] = [
    "alias", "bg", "bind", "break", "builtin", "caller", "cd", "command", "continue", "declare",
    "dirs", "disown", "enable", "eval", "exec", "exit", "export", "fc", "fg", "getopts", "hash",
    "help", "jobs", "kill", "let", "local", "logout", "mapfile", "popd", "pushd", "readonly",
    "return", "set", "shift", "shopt", "source", "trap", "ulimit", "umask", "unset",
];

/// Programs of a developer's day.
const PROGRAMS: [&str; 40] = [
    "bash", "sh", "zsh", "cp", "mv", "rm", "mkdir", "rmdir", "touch", "ln", "chmod", "chown",
    "tee", "make", "cmake", "ninja", "gcc", "cc", "clang", "cargo", "rustc", "go", "python",
    "python3", "pip", "node", "npm", "npx", "pnpm", "yarn", "git", "docker", "curl", "wget", "ssh",
    "scp", "tar", "unzip", "vim", "man",
];

/// Whether a name is one of these.
pub(super) fn is_common(name: &str) -> bool {
    COMMON.contains(&name) || PROGRAMS.contains(&name)
}
