//! What other programs act on, one row a fact: the path, and who acts on it.

const AGENT: &str = "another agent's settings, hooks or commands";
const TEXT: &str = "instructions for another agent";
const SERVERS: &str = "servers that other agents start";
const EDITOR: &str = "read by an editor, which may run what it names";
const SHELL: &str = "read by a shell or a tool of the terminal that starts here";
const ENV: &str = "variables: no env file is loaded";
const ENV_TOOL: &str = "run by a tool that sets up the environment of a folder";
const BUILD: &str = "commands of a build tool: they run when that tool does";
const PACKAGES: &str = "settings of a package manager: they hold when it runs";
const PYTHON: &str = "run by Python or its tools when they start here";
const HOOKS: &str = "commands that a git hook manager installs";

/// Path and meaning. `NAME/` is a folder with something in it; one `*` in the last name stands for
/// any characters.
pub(super) const ROWS: &[(&str, &str)] = &[
    (
        "AGENTS.md",
        "instructions: given to the model as text, trusted or not",
    ),
    ("CLAUDE.md", TEXT),
    ("GEMINI.md", TEXT),
    (".goosehints", TEXT),
    (".cursorrules", TEXT),
    (".windsurfrules", TEXT),
    (".github/copilot-instructions.md", TEXT),
    (".mcp.json", SERVERS),
    (".claude/settings.json", AGENT),
    (".claude/settings.local.json", AGENT),
    (".claude/commands/", AGENT),
    (".claude/agents/", AGENT),
    (".claude/skills/", AGENT),
    (".claude/hooks/", AGENT),
    (".cursor/", AGENT),
    (".gemini/", AGENT),
    (".codex/", AGENT),
    (".opencode/", AGENT),
    ("opencode.json", AGENT),
    ("opencode.jsonc", AGENT),
    (".aider.conf.yml", AGENT),
    (".continue/", AGENT),
    (".envrc", ENV_TOOL),
    (".tool-versions", ENV_TOOL),
    (".mise.toml", ENV_TOOL),
    ("mise.toml", ENV_TOOL),
    (".env", ENV),
    (".env.*", ENV),
    (".vscode/tasks.json", EDITOR),
    (".vscode/settings.json", EDITOR),
    (".vscode/launch.json", EDITOR),
    (".idea/", EDITOR),
    (".zed/", EDITOR),
    (".devcontainer/", EDITOR),
    (".devcontainer.json", EDITOR),
    (".exrc", EDITOR),
    (".vimrc", EDITOR),
    (".nvim.lua", EDITOR),
    (".dir-locals.el", EDITOR),
    (".bashrc", SHELL),
    (".bash_profile", SHELL),
    (".profile", SHELL),
    (".zshrc", SHELL),
    (".zshenv", SHELL),
    (".inputrc", SHELL),
    (".lessfilter", SHELL),
    (".gdbinit", SHELL),
    (".lldbinit", SHELL),
    (".npmrc", PACKAGES),
    (".yarnrc", PACKAGES),
    (".yarnrc.yml", PACKAGES),
    (".pnpmfile.cjs", PACKAGES),
    (".cargo/config.toml", BUILD),
    (".cargo/config", BUILD),
    ("build.rs", BUILD),
    ("package.json", BUILD),
    ("Makefile", BUILD),
    ("makefile", BUILD),
    ("GNUmakefile", BUILD),
    ("justfile", BUILD),
    ("gradlew", BUILD),
    ("setup.py", PYTHON),
    ("pyproject.toml", PYTHON),
    ("conftest.py", PYTHON),
    ("sitecustomize.py", PYTHON),
    ("usercustomize.py", PYTHON),
    ("*.pth", PYTHON),
    (".pre-commit-config.yaml", HOOKS),
    (".husky/", HOOKS),
    ("lefthook.yml", HOOKS),
];

/// Names of commands that a planted program may bear.
pub(super) const PROGRAMS: &[&str] = &[
    "bash", "bowline", "bwrap", "cargo", "cat", "direnv", "env", "find", "git", "grep", "ls",
    "make", "node", "npm", "python", "python3", "rg", "sed", "sh", "ssh", "sudo",
];
