//! `bowline memory list|show|add|edit`: the instruction files that the model is given, and a change
//! to one of them.

mod edit;

use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};

use bowline_core::context::caps;
use bowline_runtime::instructions::{self, Instruction, Instructions, NAMES};
use serde_json::{Value, json};

use super::answer::refuse_under_a_keeper;
use crate::args::{Memory, MemoryAdd, MemoryPlace};
use crate::config_folder;
use crate::failure::Failure;
use crate::places::Places;
use crate::print::{self, Look};

/// Most bytes of what is added at once: a line, not a document.
const ADDED_BYTES_MAX: usize = 4 << 10;

/// Runs the command.
pub fn run(args: &Memory) -> Result<u8, Failure> {
    let places = Places::find()?;
    match args {
        Memory::List { cd, json } => list(&found(&places, cd.as_deref())?, *json),
        Memory::Show { cd } => Ok(show(&found(&places, cd.as_deref())?)),
        Memory::Add(add) => self::add(&places, add),
        Memory::Edit(edit) => self::edit::edit(&places, edit),
    }
}

fn folder(cd: Option<&Path>) -> Result<PathBuf, Failure> {
    let cd = cd.unwrap_or(Path::new("."));
    cd.canonicalize()
        .map_err(|error| Failure::usage(format!("{}: {error}", cd.display())))
}

fn found(places: &Places, cd: Option<&Path>) -> Result<Instructions, Failure> {
    Ok(instructions::gather(Some(&places.config), &folder(cd)?))
}

/// About how many tokens a model counts, at four bytes each.
const fn tokens(bytes: u64) -> u64 {
    bytes.div_ceil(4)
}

fn as_json(file: &Instruction) -> Value {
    json!({
        "name": file.name,
        "path": file.path.display().to_string(),
        "whose": file.whose.name(),
        "imported_by": file.imported_by,
        "bytes": file.bytes,
        "tokens_about": tokens(file.bytes),
        "cap_bytes": caps::INSTRUCTIONS_BYTES,
        "cut": file.is_cut(),
    })
}

fn list(found: &Instructions, as_array: bool) -> Result<u8, Failure> {
    if as_array {
        let files = found.files.iter().map(as_json);
        let left_out = found
            .left_out
            .iter()
            .map(|one| json!({ "name": one.name, "left_out": one.why }));
        let rows: Vec<Value> = files.chain(left_out).collect();
        print::line(&Value::Array(rows).to_string());
        return Ok(0);
    }
    let look = Look::of_stdout();
    if found.files.is_empty() {
        print::line("no instruction files here; `bowline memory add` begins one");
    }
    for file in &found.files {
        let from = file
            .imported_by
            .as_ref()
            .map_or_else(String::new, |by| format!(", imported by {by}"));
        let cut = if file.is_cut() {
            format!(
                ", cut to {} bytes",
                print::grouped(caps::INSTRUCTIONS_BYTES as u64)
            )
        } else {
            String::new()
        };
        let line = format!(
            "{:<7} {}  {} bytes, about {} tokens{cut}{from}",
            file.whose.name(),
            file.name,
            print::grouped(file.bytes),
            print::grouped(tokens(file.bytes)),
        );
        print::line(&look.fit(&print::clean(&line), 0));
    }
    for one in &found.left_out {
        let line = format!("left out {}: {}", one.name, one.why);
        print::line(&look.fit(&print::clean(&line), 0));
    }
    Ok(0)
}

fn show(found: &Instructions) -> u8 {
    for (at, file) in found.files.iter().enumerate() {
        if at > 0 {
            print::line("");
        }
        print::line(&print::clean(&format!(
            "# {} ({})",
            file.name,
            file.whose.name()
        )));
        let told = file.admit(file.text.clone());
        print::text(&print::clean(told.text()));
        if !told.text().ends_with('\n') {
            print::line("");
        }
    }
    0
}

/// The file that is meant; there may be none yet.
fn target(places: &Places, place: &MemoryPlace) -> Result<PathBuf, Failure> {
    let here = match &place.local {
        Some(local) => folder(Some(local))?,
        None if place.user => places.config.clone(),
        None => instructions::project_root(&folder(None)?).to_owned(),
    };
    let there = NAMES.map(|name| here.join(name));
    let is_there = |path: &&PathBuf| path.symlink_metadata().is_ok();
    Ok(there.iter().find(is_there).unwrap_or(&there[0]).clone())
}

fn add(places: &Places, add: &MemoryAdd) -> Result<u8, Failure> {
    refuse_under_a_keeper()?;
    let text = add.text.trim();
    if text.is_empty() || text.len() > ADDED_BYTES_MAX {
        return Err(Failure::usage(format!(
            "give some words, at most {ADDED_BYTES_MAX} bytes of them"
        )));
    }
    let path = target(places, &add.place)?;
    let cannot = |why: String| Failure::usage(format!("{}: {why}", path.display()));
    let held = path
        .parent()
        .map(config_folder::hold)
        .transpose()
        .map_err(|error| cannot(error.to_string()))?;
    let before = content(&path).map_err(cannot)?;
    let added = with_line(&before, text);
    show_difference(&path, &before, &added);
    if !add.yes && !confirmed()? {
        print::err_line("nothing was changed");
        return Ok(1);
    }
    config_folder::replace(&path, &format!("{before}{added}"))
        .map_err(|error| cannot(format!("it cannot be written: {error}")))?;
    drop(held);
    written(&path);
    Ok(0)
}

/// What a file holds; nothing if there is none.
fn content(path: &Path) -> Result<String, String> {
    match path.symlink_metadata() {
        Ok(meta) if !meta.is_file() => Err("it is no regular file".to_owned()),
        Ok(_) => std::fs::read_to_string(path).map_err(|error| error.to_string()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(String::new()),
        Err(error) => Err(error.to_string()),
    }
}

fn written(path: &Path) {
    print::err_line(&print::clean(&format!(
        "written to {}; sessions that begin from now on are told",
        path.display()
    )));
}

/// What comes at the end of `before`: an item of a list, on a line of its own.
fn with_line(before: &str, text: &str) -> String {
    let newline = if before.is_empty() || before.ends_with('\n') {
        ""
    } else {
        "\n"
    };
    let text = text.lines().collect::<Vec<_>>().join("\n  ");
    format!("{newline}- {text}\n")
}

fn show_difference(path: &Path, before: &str, added: &str) {
    let first = before.lines().count() + 1;
    print::line(&print::clean(&format!(
        "{} (from line {first})",
        path.display()
    )));
    if let Some(last) = before.lines().last() {
        print::line(&print::clean(&format!("  {last}")));
    }
    for line in added.trim_start_matches('\n').lines() {
        print::line(&print::clean(&format!("+ {line}")));
    }
}

fn confirmed() -> Result<bool, Failure> {
    if !std::io::stdin().is_terminal() {
        return Err(Failure::usage(
            "nothing was changed: nobody is at the terminal to say yes, so give --yes",
        ));
    }
    print::err_line("Write it? Type yes:");
    let mut answer = String::new();
    std::io::stdin()
        .read_line(&mut answer)
        .map_err(|error| Failure::usage(format!("no answer could be read: {error}")))?;
    Ok(answer.trim() == "yes")
}
