//! The registry says what the parser takes.

use clap::CommandFactory as _;

use super::commands;

fn parser_names(command: &clap::Command, prefix: &str, names: &mut Vec<String>) {
    for sub in command.get_subcommands().filter(|sub| !sub.is_hide_set()) {
        let name = format!("{prefix}{}", sub.get_name());
        parser_names(sub, &format!("{name} "), names);
        // Some are commands by themselves and have others below them.
        if !sub.has_subcommands() || !sub.is_subcommand_required_set() {
            names.push(name);
        }
    }
}

#[test]
fn every_command_of_the_parser_is_in_the_registry_and_the_other_way_round() {
    let mut parsed = Vec::new();
    parser_names(&crate::args::Args::command(), "", &mut parsed);
    let mut listed: Vec<String> = commands()
        .list()
        .iter()
        .map(|spec| spec.name.clone())
        .collect();
    parsed.sort();
    listed.sort();
    assert_eq!(parsed, listed);
}
