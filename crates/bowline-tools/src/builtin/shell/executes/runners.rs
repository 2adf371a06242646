//! Names of what runs other files.

/// Programs that run the file they are given, without their version.
const INTERPRETERS: &[&str] = &[
    ".",
    "ansible-playbook",
    "ash",
    "bash",
    "bun",
    "bunx",
    "csh",
    "dash",
    "deno",
    "dotnet",
    "elixir",
    "expect",
    "fish",
    "go",
    "groovy",
    "java",
    "julia",
    "ksh",
    "lua",
    "luajit",
    "make",
    "nix-shell",
    "node",
    "nodejs",
    "npx",
    "octave",
    "osascript",
    "perl",
    "php",
    "pwsh",
    "pypy",
    "pytest",
    "python",
    "rscript",
    "ruby",
    "runghc",
    "sh",
    "source",
    "tclsh",
    "tcsh",
    "ts-node",
    "tsx",
    "uv",
    "zsh",
];

/// Files that a program reads by itself and runs what stands in them.
const PROJECTS: &[(&[&str], &[&str])] = &[
    (
        &["make", "gmake", "remake"],
        &["GNUmakefile", "makefile", "Makefile"],
    ),
    (
        &["npm", "npx", "pnpm", "yarn", "bun", "bunx", "node"],
        &["package.json", ".npmrc", ".yarnrc.yml"],
    ),
    (&["just"], &["justfile", "Justfile", ".justfile"]),
    (
        &["cargo"],
        &["build.rs", ".cargo/config.toml", ".cargo/config"],
    ),
    (
        &["gradle", "gradlew"],
        &[
            "build.gradle",
            "build.gradle.kts",
            "settings.gradle",
            "settings.gradle.kts",
            "gradle/wrapper/gradle-wrapper.properties",
            "gradle/wrapper/gradle-wrapper.jar",
        ],
    ),
    (
        &["mvn", "mvnw"],
        &["pom.xml", ".mvn/wrapper/maven-wrapper.properties"],
    ),
    (&["ant"], &["build.xml"]),
    (&["cmake", "ctest"], &["CMakeLists.txt"]),
    (&["ninja", "samu"], &["build.ninja"]),
    (&["meson"], &["meson.build"]),
    (
        &["bazel"],
        &["BUILD", "BUILD.bazel", "MODULE.bazel", ".bazelrc"],
    ),
    (&["rake"], &["Rakefile", "rakefile"]),
    (&["bundle", "bundler"], &["Gemfile"]),
    (
        &["pytest", "py.test"],
        &["conftest.py", "pytest.ini", "pyproject.toml"],
    ),
    (&["tox"], &["tox.ini"]),
    (&["nox"], &["noxfile.py"]),
    (
        &["pip", "uv", "poetry", "hatch"],
        &["setup.py", "pyproject.toml"],
    ),
    (&["task", "go-task"], &["Taskfile.yml", "Taskfile.yaml"]),
    (&["deno"], &["deno.json", "deno.jsonc"]),
    (&["gulp"], &["gulpfile.js", "gulpfile.mjs"]),
    (&["grunt"], &["Gruntfile.js"]),
    (&["composer"], &["composer.json"]),
    (&["mix"], &["mix.exs"]),
    (&["stack", "cabal"], &["Setup.hs"]),
    (
        &["docker", "podman", "buildah", "docker-compose"],
        &[
            "Dockerfile",
            "Containerfile",
            "compose.yaml",
            "compose.yml",
            "docker-compose.yml",
        ],
    ),
    (&["vagrant"], &["Vagrantfile"]),
    (&["pre-commit"], &[".pre-commit-config.yaml"]),
    (
        &["git"],
        &[
            ".git/hooks/applypatch-msg",
            ".git/hooks/commit-msg",
            ".git/hooks/post-checkout",
            ".git/hooks/post-commit",
            ".git/hooks/post-merge",
            ".git/hooks/post-rewrite",
            ".git/hooks/pre-commit",
            ".git/hooks/pre-merge-commit",
            ".git/hooks/pre-push",
            ".git/hooks/pre-rebase",
            ".git/hooks/prepare-commit-msg",
        ],
    ),
];

/// Words before a command that are not its program.
const KEYWORDS: &[&str] = &[
    "!", "[[", "{", "}", "case", "coproc", "do", "done", "elif", "else", "esac", "fi", "for",
    "function", "if", "in", "select", "then", "time", "until", "while",
];

/// Programs that run the rest of their words.
const WRAPPERS: &[&str] = &[
    "builtin", "chroot", "command", "doas", "env", "exec", "flock", "ionice", "nice", "nohup",
    "parallel", "setsid", "stdbuf", "strace", "sudo", "time", "timeout", "unshare", "watch",
    "xargs",
];

/// Commands that the shell is itself.
const BUILTINS: &[&str] = &[
    ".", ":", "[", "alias", "bg", "break", "cd", "continue", "declare", "dirs", "echo", "eval",
    "exit", "export", "false", "fg", "getopts", "hash", "jobs", "kill", "let", "local", "popd",
    "printf", "pushd", "pwd", "read", "readonly", "return", "set", "shift", "shopt", "source",
    "test", "trap", "true", "type", "typeset", "ulimit", "umask", "unalias", "unset", "wait",
];

/// Whether the program `name`, with or without a version, runs the file it is given.
pub(super) fn is_interpreter(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let bare = name.trim_end_matches(|letter: char| letter.is_ascii_digit() || letter == '.');
    INTERPRETERS.contains(&name.as_str()) || INTERPRETERS.contains(&bare)
}

/// What the program `name` reads by itself in the folder it runs in.
pub(super) fn project_files(name: &str) -> impl Iterator<Item = &'static str> {
    let all = PROJECTS
        .iter()
        .filter(move |(names, _)| names.contains(&name));
    all.flat_map(|(_, files)| files.iter().copied())
}

/// Whether the program `name` runs what stands in the file after `-f`, and only that.
pub(super) fn is_filter(name: &str) -> bool {
    matches!(
        name,
        "awk" | "gawk" | "mawk" | "nawk" | "sed" | "gsed" | "jq"
    )
}

pub(super) fn is_keyword(word: &str) -> bool {
    KEYWORDS.contains(&word)
}

pub(super) fn is_wrapper(word: &str) -> bool {
    WRAPPERS.contains(&word)
}

pub(super) fn is_builtin(word: &str) -> bool {
    BUILTINS.contains(&word)
}

/// Whether the word after `word` names a folder to work in.
pub(super) fn names_a_folder(word: &str) -> bool {
    matches!(
        word,
        "cd" | "pushd" | "-C" | "--prefix" | "--directory" | "--cwd" | "--chdir"
    )
}
