//! `bowline policy suggest`: the fewest rules that would have saved the most prompts.

use bowline_core::Verdict;
use bowline_runtime::config::{NewRule, rules_text};
use bowline_runtime::rules::suggest::{Suggested, suggest};
use serde_json::json;

use super::recorded;
use crate::failure::Failure;
use crate::places::Places;
use crate::print::{self, Colour, Look};

/// Runs the command.
pub fn run(places: &Places, since: Option<&str>, as_json: bool) -> Result<u8, Failure> {
    let calls = recorded(places, since)?;
    let found = suggest(&calls).map_err(|error| {
        Failure::stopped(format!(
            "a recorded rule is not read by this version: {error}"
        ))
    })?;
    if as_json {
        print::line(&json!(found).to_string());
    } else {
        show(&found);
    }
    Ok(0)
}

fn show(found: &Suggested) {
    let look = Look::of_stdout();
    print::line(&format!(
        "{} prompts that a person allowed; {} rules would have saved {} of them",
        found.prompts,
        found.rules.len(),
        found.saved
    ));
    if found.rules.is_empty() {
        return;
    }
    for one in &found.rules {
        let head = format!("allow {}", one.rule);
        print::line(&look.paint(Colour::Bold, &look.fit(&head, 0)));
        print::line(&format!("  saves {} prompts, such as", one.saves));
        for essence in &one.examples {
            print::line(&look.fit(&format!("    {essence}"), 0));
        }
        if !one.also.is_empty() {
            print::line(&look.paint(
                Colour::Yellow,
                &format!(
                    "  would also have allowed, though nobody answered, {}",
                    one.also.len()
                ),
            ));
            for essence in &one.also {
                print::line(&look.fit(&format!("    {essence}"), 0));
            }
        }
    }
    print::line("\nAs a file, to be put in force with `bowline policy adopt FILE --add`:\n");
    let rules: Vec<NewRule> = found
        .rules
        .iter()
        .map(|one| NewRule {
            verdict: Verdict::Allow,
            rule: one.rule.clone(),
            reason: Some(format!("allowed by hand {} times", one.saves)),
            allows: Vec::new(),
        })
        .collect();
    print::text(&print::clean(&rules_text(&rules)));
}
