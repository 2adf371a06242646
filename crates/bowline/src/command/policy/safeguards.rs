//! `bowline policy safeguards`: what keeps an unsafe command from running unasked.

use bowline_policy::SAFEGUARDS;
use serde_json::{Value, json};

use crate::print::{self, Colour, Look};

/// Runs the command.
pub fn run(as_json: bool) -> u8 {
    if as_json {
        let all = SAFEGUARDS.iter().map(|one| {
            json!({ "name": one.name, "family": one.family, "what": one.what, "test": one.test })
        });
        print::line(&Value::Array(all.collect()).to_string());
        return 0;
    }
    let look = Look::of_stdout();
    for one in SAFEGUARDS {
        let head = format!("{:<24}  {}", one.name, one.family);
        print::line(&look.paint(Colour::Bold, &look.fit(&head, 0)));
        for line in look.wrap(one.what, 2) {
            print::line(&format!("  {line}"));
        }
        print::line(&look.paint(Colour::Dim, &look.fit(&format!("  test {}", one.test), 0)));
    }
    0
}
