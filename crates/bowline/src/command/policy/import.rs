//! `bowline policy import FILE`: permission rules of a `.claude/settings.json`, as far as they can be
//! carried over.

use std::path::{Path, PathBuf};

use bowline_core::Verdict;
use bowline_core::decision::Layer;
use bowline_runtime::config::{NewRule, rules_text};
use bowline_runtime::rules::import::{Imported, ImportedRule, import};
use serde_json::json;

use super::add_rules;
use crate::command::answer::refuse_under_a_keeper;
use crate::config_file::{self, CONFIG_BYTES_MAX};
use crate::failure::Failure;
use crate::places::{Places, project_rules};
use crate::print::{self, Colour, Look};

/// Runs the command.
pub fn run(places: &Places, file: &Path, write: bool, as_json: bool) -> Result<u8, Failure> {
    if write {
        refuse_under_a_keeper()?;
    }
    let name = file.display();
    let text = config_file::read(Layer::User, file, CONFIG_BYTES_MAX)?
        .ok_or_else(|| Failure::usage(format!("{name}: there is no such file")))?;
    let folder = project_of(places, file)?;
    let shown = folder.as_ref().map(|folder| folder.display().to_string());
    let imported =
        import(&text, shown.as_deref()).map_err(|why| Failure::usage(format!("{name}: {why}")))?;
    let target = match &folder {
        Some(folder) => project_rules(folder),
        None => places.user_rules(),
    };
    if as_json {
        print::line(&json!(imported).to_string());
    } else {
        show(&imported, file, folder.is_some());
    }
    let rules: Vec<NewRule> = imported
        .rules
        .iter()
        .map(|rule| new_rule(rule, file))
        .collect();
    if !write {
        if !as_json && !rules.is_empty() {
            print::line(&print::clean(&format!(
                "\nnothing is written; --write adds to {}:\n",
                target.display()
            )));
            print::text(&print::clean(&rules_text(&rules)));
        }
        return Ok(0);
    }
    let with = add_rules(&target, &rules)?;
    let word = if with.text.is_some() {
        "written to"
    } else {
        "all there already:"
    };
    print::err_line(&print::clean(&format!("{word} {}", target.display())));
    Ok(0)
}

/// The project that a settings file is of; `None` for a person's own.
fn project_of(places: &Places, file: &Path) -> Result<Option<PathBuf>, Failure> {
    let real = file
        .canonicalize()
        .map_err(|error| Failure::usage(format!("{}: {error}", file.display())))?;
    let folder = real.parent().filter(|folder| folder.ends_with(".claude"));
    let Some(project) = folder.and_then(Path::parent) else {
        return Err(Failure::usage(format!(
            "{}: it lies in no folder .claude, so it cannot be told which project it is of",
            file.display()
        )));
    };
    let home = places
        .home
        .as_ref()
        .and_then(|home| home.canonicalize().ok());
    Ok((home.as_deref() != Some(project)).then(|| project.to_owned()))
}

fn new_rule(rule: &ImportedRule, file: &Path) -> NewRule {
    NewRule {
        verdict: rule.verdict,
        rule: rule.rule.clone(),
        reason: Some(format!("imported from {}: {}", file.display(), rule.entry)),
        allows: Vec::new(),
    }
}

fn show(imported: &Imported, file: &Path, is_project: bool) {
    let look = Look::of_stdout();
    print::line(&look.fit(
        &format!(
            "{}: {} rules carried over, {} entries not",
            file.display(),
            imported.rules.len(),
            imported.left_out.len()
        ),
        0,
    ));
    for rule in &imported.rules {
        let word = rule.verdict.name();
        print::line(&look.fit(
            &format!("  {word:<5} {}   from {}", rule.rule, rule.entry),
            0,
        ));
        if let Some(note) = &rule.note {
            print::line(&look.paint(Colour::Dim, &look.fit(&format!("        {note}"), 0)));
        }
    }
    if !imported.left_out.is_empty() {
        print::line(&look.paint(Colour::Yellow, "not carried over"));
    }
    for one in &imported.left_out {
        print::line(&look.fit(&format!("  {:<5} {}", one.list, one.entry), 0));
        for line in look.wrap(&one.why, 8) {
            print::line(&format!("        {line}"));
        }
    }
    if is_project
        && imported
            .rules
            .iter()
            .any(|rule| rule.verdict == Verdict::Allow)
    {
        for line in look.wrap(
            "What a project's rules allow counts only where a person trusts the project.",
            0,
        ) {
            print::line(&line);
        }
    }
}
