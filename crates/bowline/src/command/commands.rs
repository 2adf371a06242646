//! `bowline commands list|show`: what can be typed, as data.

use crate::args::Commands;
use crate::catalogue;
use crate::failure::Failure;
use crate::print;

/// Runs the command.
pub fn run(args: &Commands) -> Result<u8, Failure> {
    let registry = catalogue::commands();
    match args {
        Commands::List { json: true } => {
            print::line(&serde_json::to_string(registry.list()).unwrap_or_default());
        }
        Commands::List { json: false } => {
            let width = registry
                .list()
                .iter()
                .map(|spec| spec.name.len())
                .max()
                .unwrap_or(0);
            for spec in registry.list() {
                print::line(&format!("{:width$}  {}", spec.name, spec.title));
            }
        }
        Commands::Show { name, json } => {
            let name = name.join(" ");
            let spec = registry.find(&name).ok_or_else(|| {
                Failure::usage(format!(
                    "there is no command `{name}`: `bowline commands list` names them"
                ))
            })?;
            if *json {
                print::line(&serde_json::to_string(spec).unwrap_or_default());
            } else {
                print::line(&catalogue::page(spec));
            }
        }
    }
    Ok(0)
}
