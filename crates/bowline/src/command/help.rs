//! `bowline completions` and `bowline man`: help for shells and for `man`.

use std::path::Path;

use clap::CommandFactory as _;

use crate::args::{Args, Completions, Man};
use crate::failure::Failure;
use crate::print;

/// Prints the completions of a shell.
pub fn completions(args: &Completions) -> Result<u8, Failure> {
    let mut bytes = Vec::new();
    clap_complete::generate(args.shell, &mut Args::command(), "bowline", &mut bytes);
    print::text(&String::from_utf8_lossy(&bytes));
    Ok(0)
}

/// Prints one manual page, or writes all of them.
pub fn man(args: &Man) -> Result<u8, Failure> {
    let mut root = Args::command();
    root.build();
    if let Some(folder) = &args.out {
        std::fs::create_dir_all(folder).map_err(|error| cannot(folder, &error))?;
        return write_all(&root, "bowline", folder).map(|()| 0);
    }
    let mut found = &root;
    let mut name = "bowline".to_owned();
    for word in &args.command {
        found = found
            .get_subcommands()
            .find(|sub| sub.get_name() == word && !sub.is_hide_set())
            .ok_or_else(|| {
                Failure::usage(format!(
                    "there is no command `{}`: `bowline commands list` names them",
                    args.command.join(" ")
                ))
            })?;
        name = format!("{name}-{word}");
    }
    let page = page(found, &name).map_err(|error| Failure::stopped(error.to_string()))?;
    print::text(&String::from_utf8_lossy(&page));
    Ok(0)
}

fn page(command: &clap::Command, name: &str) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    clap_mangen::Man::new(command.clone())
        .title(name)
        .render(&mut bytes)?;
    Ok(bytes)
}

fn write_all(command: &clap::Command, name: &str, folder: &Path) -> Result<(), Failure> {
    let path = folder.join(format!("{name}.1"));
    let bytes = page(command, name).map_err(|error| cannot(&path, &error))?;
    std::fs::write(&path, bytes).map_err(|error| cannot(&path, &error))?;
    for sub in command.get_subcommands().filter(|sub| !sub.is_hide_set()) {
        write_all(sub, &format!("{name}-{}", sub.get_name()), folder)?;
    }
    Ok(())
}

fn cannot(path: &Path, error: &std::io::Error) -> Failure {
    Failure::stopped(format!("cannot write {}: {error}", path.display()))
}
