//! Commands by family, as the semantics of permissions have them: `run`, `ask` or `deny`.
//!
//! A file holds blocks: a title (`==`), mode, rules and files (`+`), then a case a line, the command
//! as a JSON string.

use bowline_core::Verdict;

use super::{Described, Rules, judged, policy};

const FILES: [(&str, &str); 6] = [
    ("compound", include_str!("cases/compound.txt")),
    ("expansion", include_str!("cases/expansion.txt")),
    ("paths", include_str!("cases/paths.txt")),
    ("publish", include_str!("cases/publish.txt")),
    ("rules", include_str!("cases/rules.txt")),
    ("tools", include_str!("cases/tools.txt")),
];

const MODES: [&str; 5] = ["rules-only", "read-only", "workspace-write", "auto", "full"];

/// What the cases of a block share.
#[derive(Debug, Default)]
pub(super) struct Block<'t> {
    title: &'t str,
    modes: Vec<&'t str>,
    allow: Vec<&'t str>,
    ask: Vec<&'t str>,
    deny: Vec<&'t str>,
    fs: Vec<(&'t str, String)>,
    pub(super) cases: Vec<(&'t str, String)>,
}

impl Block<'_> {
    /// Its policies, one a mode.
    pub(super) fn policies(&self) -> impl Iterator<Item = crate::Policy> + '_ {
        self.modes.iter().map(|mode| {
            let rules = Rules {
                allow: &self.allow,
                ask: &self.ask,
                deny: &self.deny,
            };
            policy(mode, rules, "/w/proj", "/home/dev")
        })
    }

    pub(super) fn look(&self) -> Described {
        let fs = self.fs.iter();
        let fs: Vec<(&str, &str)> = fs.map(|(path, what)| (*path, what.as_str())).collect();
        Described::new("/w/proj", &fs)
    }
}

fn text(json: &str) -> String {
    serde_json::from_str(json).unwrap_or_else(|error| panic!("{json}: {error}"))
}

/// The blocks of all files.
pub(super) fn blocks() -> Vec<Block<'static>> {
    let mut all: Vec<Block<'static>> = Vec::new();
    for line in FILES.iter().flat_map(|(_, file)| file.lines()) {
        let (first, rest) = line.split_once(' ').unwrap_or((line, ""));
        let rest = rest.trim_start();
        if first == "==" {
            all.push(Block {
                title: rest,
                ..Block::default()
            });
        }
        let Some(block) = all.last_mut() else {
            continue;
        };
        match first {
            "+mode" if rest == "every" => block.modes = MODES.to_vec(),
            "+mode" => block.modes.push(rest),
            "+allow" => block.allow.push(rest),
            "+ask" => block.ask.push(rest),
            "+deny" => block.deny.push(rest),
            "+fs" => {
                let (path, what) = rest.split_once(" = ").unwrap();
                block.fs.push((path, text(&format!("\"{what}\""))));
            }
            "run" | "ask" | "deny" => block.cases.push((first, text(rest))),
            "" | "#" | "==" => {}
            other => panic!("{other}"),
        }
    }
    all
}

#[test]
fn every_case_comes_out() {
    let (mut all, mut wrong) = (0, Vec::new());
    for block in blocks() {
        let look = block.look();
        for policy in block.policies() {
            for (expected, command) in &block.cases {
                all += 1;
                let judgement = judged(&policy, command, "/w/proj", &look);
                let found = match judgement.verdict {
                    Verdict::Allow => "run",
                    Verdict::Ask => "ask",
                    Verdict::Deny => "deny",
                };
                if found != *expected {
                    wrong.push(format!(
                        "{} ({}): {expected}, found {found}: {command:?}: {}",
                        block.title, policy.mode, judgement.reason
                    ));
                }
            }
        }
    }
    println!("{all} cases");
    assert!(wrong.is_empty(), "{}:\n{}", wrong.len(), wrong.join("\n"));
}
