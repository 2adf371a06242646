//! `bowline demo`: a whole task with an embedded scripted model, real tools and a real journal.

use std::path::{Path, PathBuf};

use bowline_runtime::resolve_folders;

use super::run::{self, Prompt, Start, Task};
use crate::args::{Demo, Force, Output};
use crate::face::Asker;
use crate::failure::Failure;
use crate::places::Places;
use crate::{demo, print, wire};

const TASK: &str = "A test fails. Find the fault, mend it, and show that the tests pass.";

/// Unpacks the sample project, has its fault mended, and says what to look at next.
pub fn run(args: &Demo) -> Result<u8, Failure> {
    let places = Places::find()?;
    let folder = unpack(args.dir.as_deref())?;
    let force = Force {
        model: Some(format!("scripted/{}", demo::MODEL)),
        // The sample is ours and the model is a script, so its shell commands may run unasked.
        mode: Some("full".to_owned()),
        ..Force::default()
    };
    let (cwd, roots) = resolve_folders(&folder, &[])?;
    let config = wire::configure(&places, &cwd, &force)?;
    let settings = wire::scripted_settings(&config, &places)?;
    if args.output == Output::Text {
        print::err_line(&format!(
            "A small project with a failing test is in {}",
            folder.display()
        ));
        print::err_line(&format!("The task: {TASK}\n"));
    }
    let task = Task {
        stay: false,
        supersede: false,
        start: Start::New {
            config: &config,
            settings,
            cwd,
            roots,
        },
        prompt: Some(Prompt::text(TASK.to_owned())),
        output: args.output,
        asker: Asker::Face,
    };
    let code = run::run(&places, task)?;
    if args.output == Output::Text {
        print::err_line(&next_steps(&folder, code == 0));
    }
    Ok(code)
}

/// What to look at next, with the program named as it was started.
fn next_steps(folder: &Path, done: bool) -> String {
    let program = std::env::args()
        .next()
        .unwrap_or_else(|| "bowline".to_owned());
    let folder = folder.display();
    let test = if done {
        "green now"
    } else {
        "the sample's own test"
    };
    let rows = [
        (format!("sh {folder}/test.sh"), test),
        (
            format!("{program} sessions list"),
            "this session and all others",
        ),
        (
            format!("{program} sessions show ID"),
            "what was said and done",
        ),
        (format!("{program} events ID"), "every event and decision"),
        (
            format!("{program} exec --model openai-chat/MODEL --base-url URL \"your task\""),
            "",
        ),
    ];
    let mut text = String::from("\nLook at next:");
    for (command, meaning) in rows {
        text.push_str(&format!("\n  {command:<34}  {meaning}"));
    }
    text
}

fn unpack(dir: Option<&Path>) -> Result<PathBuf, Failure> {
    let folder = match dir {
        Some(dir) => dir.to_owned(),
        None => fresh_folder()?,
    };
    let cannot = |path: &Path, error: &std::io::Error| {
        Failure::usage(format!(
            "cannot unpack to {}: {error}. Give another --dir",
            path.display()
        ))
    };
    if folder.exists() {
        let mut entries = folder.read_dir().map_err(|error| cannot(&folder, &error))?;
        if entries.next().is_some() {
            return Err(Failure::usage(format!(
                "{} is not empty: give an empty or new folder with --dir",
                folder.display()
            )));
        }
    }
    for (name, text) in demo::FILES {
        let path = folder.join(name);
        let parent = path.parent().unwrap_or(&folder);
        std::fs::create_dir_all(parent).map_err(|error| cannot(parent, &error))?;
        std::fs::write(&path, text).map_err(|error| cannot(&path, &error))?;
    }
    Ok(folder)
}

fn fresh_folder() -> Result<PathBuf, Failure> {
    let base = std::env::temp_dir();
    for number in 1..1000 {
        let folder = base.join(format!("bowline-demo-{number}"));
        match std::fs::create_dir(&folder) {
            Ok(()) => return Ok(folder),
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
            Err(error) => {
                return Err(Failure::usage(format!(
                    "cannot make a folder in {}: {error}. Give one with --dir",
                    base.display()
                )));
            }
        }
    }
    Err(Failure::usage(
        "a thousand demo folders exist already: give one with --dir",
    ))
}
