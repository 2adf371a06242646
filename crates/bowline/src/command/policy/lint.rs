//! `bowline policy lint [FILE]`: rules that do nothing, or more than they should.

use std::path::Path;

use bowline_runtime::config::{ProjectTrust, parse_rules};
use bowline_runtime::rules::lint::{LintFinding, Linted, lint};
use serde_json::json;

use super::rules_of;
use crate::args::Force;
use crate::config_file::{self, RULES_BYTES_MAX};
use crate::failure::Failure;
use crate::places::Places;
use crate::print::{self, Colour, Look};
use crate::wire;

/// Runs the command: exit 1 when something is found.
pub fn run(places: &Places, file: Option<&Path>, as_json: bool) -> Result<u8, Failure> {
    let (rules, trust) = match file {
        Some(file) => {
            let rules = rules_of(file)?.1.into_iter();
            (rules.map(Linted::from).collect(), ProjectTrust::Untrusted)
        }
        None => in_this_folder(places)?,
    };
    let specs = bowline_tools::builtin::specs();
    let tools: Vec<&str> = specs.iter().map(|spec| spec.name.as_str()).collect();
    let found = lint(&rules, &tools, trust, crate::command::clock().now_ms());
    if as_json {
        print::line(&json!(found).to_string());
    } else {
        show(&found, rules.len());
    }
    Ok(u8::from(!found.is_empty()))
}

/// The rules of the configuration and of the files of rules, those that do not count too, and whether
/// the project is trusted.
fn in_this_folder(places: &Places) -> Result<(Vec<Linted>, ProjectTrust), Failure> {
    let here = Path::new(".")
        .canonicalize()
        .map_err(|error| Failure::usage(format!("this folder: {error}")))?;
    let config = wire::configure(places, &here, &Force::default())?;
    let files: Vec<String> = places
        .rule_files(&here)
        .map(|(_, path)| path.display().to_string())
        .to_vec();
    let is_listed = |file: &Option<String>| {
        let file = file.as_ref();
        !file.is_some_and(|file| files.contains(file))
    };
    let listed = config.rules().iter();
    let listed = listed.filter(|rule| is_listed(&rule.source.file));
    let mut rules: Vec<Linted> = listed.filter_map(Linted::listed).collect();
    for (layer, path) in places.rule_files(&here) {
        if let Some(text) = config_file::read(layer, &path, RULES_BYTES_MAX)? {
            let read = parse_rules(layer, &path.display().to_string(), &text)?;
            rules.extend(read.into_iter().map(Linted::from));
        }
    }
    Ok((rules, config.project.trust))
}

fn show(found: &[LintFinding], rules: usize) {
    let look = Look::of_stdout();
    for one in found {
        let verdict = one.verdict.name();
        let head = format!("{verdict} {}", one.rule.place());
        print::line(&look.paint(Colour::Yellow, &look.fit(&head, 0)));
        for line in look.wrap(&format!("{}. {}", one.why, one.fix), 2) {
            print::line(&format!("  {line}"));
        }
    }
    let count = match found.len() {
        0 => "nothing to say".to_owned(),
        1 => "1 finding".to_owned(),
        more => format!("{more} findings"),
    };
    let rules = match rules {
        0 => "no rules".to_owned(),
        1 => "1 rule".to_owned(),
        more => format!("{more} rules"),
    };
    print::line(&format!("{rules}, {count}"));
}
