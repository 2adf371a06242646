//! What shells and tools of the terminal honour.

use std::path::Path;

use super::{By, Ground, program, write};

/// Names of commands that programs in the folder bear.
const PROGRAMS: [&str; 5] = ["git", "rg", "bash", "bwrap", "ls"];

pub(super) fn plant(ground: &Ground, folder: &Path) {
    let line = |name: &str| format!("{}\n", ground.fire(name));
    write(folder, ".bashrc", &line("bashrc"));
    write(folder, ".bash_profile", &line("bash_profile"));
    write(folder, ".profile", &line("profile"));
    write(folder, ".envrc", &line("envrc"));
    write(
        folder,
        ".env",
        &format!("TOKEN=\"$({})\"\n", ground.fire("env")),
    );
    write(folder, ".inputrc", "\"e\": \"exit\\n\"\n");
    let fire = ground.fire("lessfilter");
    program(&folder.join(".lessfilter"), &format!("#!/bin/sh\n{fire}\n"));
    write(
        folder,
        ".vimrc",
        &format!("silent !{}\n", ground.fire("vimrc")),
    );
    write(
        folder,
        ".exrc",
        &format!("silent !{}\n", ground.fire("exrc")),
    );
    write(
        folder,
        ".gdbinit",
        &format!("shell {}\n", ground.fire("gdbinit")),
    );
    for name in PROGRAMS {
        let fire = ground.fire(&format!("path-{name}"));
        for place in [folder.to_owned(), folder.join("bin")] {
            program(&place.join(name), &format!("#!/bin/sh\n{fire}\n"));
        }
    }
    write(folder, "\u{1b}[31mred\u{1b}]0;title\u{7}.txt", "x");
}

pub(super) fn controls(ground: &Ground, folder: &Path) -> Vec<(&'static str, By)> {
    let home = format!("HOME={}", folder.display());
    for line in [
        format!("{home} /bin/bash -ic true"),
        format!("{home} /bin/bash -lc true"),
        // dash and others read this one.
        format!("{home} sh -lc true; rm .bash_profile; {home} /bin/bash -lc true"),
        "PATH=.:$PATH; git; rg; ls; bash; bwrap".to_owned(),
        "vim -es -u .vimrc -c q".to_owned(),
        "vim -es -u .exrc -c q".to_owned(),
        "gdb -batch -iex 'set auto-load safe-path /' -ex quit".to_owned(),
        // What the tool documents that is not at hand everywhere.
        "[ -e .envrc ] && /bin/bash -c '. ./.envrc'".to_owned(),
        "set -a; . ./.env".to_owned(),
        "./.lessfilter AGENTS.md".to_owned(),
    ] {
        ground.sh(folder, &line);
    }
    vec![
        ("bashrc", By::Tool),
        ("bash_profile", By::Tool),
        ("profile", By::Tool),
        ("path-git", By::Tool),
        ("path-rg", By::Tool),
        ("path-bash", By::Tool),
        ("path-bwrap", By::Tool),
        ("path-ls", By::Tool),
        ("vimrc", By::Tool),
        ("exrc", By::Tool),
        ("gdbinit", By::Tool),
        ("envrc", By::Reader),
        ("env", By::Reader),
        ("lessfilter", By::Reader),
    ]
}
