//! Acceptance: no change of a command's text that leaves what it does, or wraps it, weakens the
//! decision.
//!
//! `BOWLINE_MUTATIONS=100000` makes so many changes, at least a twentieth with each operator.

use serde_json::Value;

use super::corpus::{DAY, SHELL, described, texts};
use super::mutate::{Draw, OPERATORS, Operator, mutate};
use super::{Described, Rules, judged, policy};
use crate::policy::Policy;

/// Commands with options that can be written in many ways, beside those of the corpora.
const MORE: [&str; 40] = [
    "rm -rf build",
    "rm -r -f build",
    "rm --recursive --force build",
    "ls -la src",
    "ls -l -a",
    "ls --all src",
    "sort -o out in",
    "sort --output=out in",
    "sort -u -r in",
    "sort -k 2 in",
    "sort -T /tmp in",
    "head -n 5 a",
    "head --lines=5 a",
    "tail -n5 a",
    "head -c 10 .env",
    "grep -rn x src",
    "grep -e x a",
    "grep -A 3 x a",
    "grep -f /etc/shadow a",
    "grep -q -i x a",
    "rg -g '*.rs' x",
    "rg -A3 x src",
    "rg -n -i x",
    "cut -d : -f 1 a",
    "wc -l a b",
    "wc -c a",
    "shuf -o out in",
    "make -C /tmp/evil x",
    "sed -i s/a/b/ f",
    "sed -n -e 1p f",
    "base64 -d a",
    "cargo --config x build",
    "cargo build --manifest-path /tmp/x/Cargo.toml",
    "npm --prefix /tmp ci",
    "git log --author x",
    "git log --output=f",
    "curl --output f https://example.com",
    "uniq -c a",
    "cp -r -v a b && rm -f -v a",
    "cat -n a | sort -r -u | head -n 3",
];

/// A command with what it is judged by.
struct Base {
    command: String,
    policy: Policy,
    cwd: String,
    look: Described,
    /// Whether rules that deny or ask name options, which only match as they are written.
    names_options: bool,
}

fn bases() -> Vec<Base> {
    let mut bases = Vec::new();
    for line in SHELL.lines().chain(DAY.lines()) {
        let record: Value = serde_json::from_str(line).unwrap();
        let command = record["command"]
            .as_str()
            .or(record["input"]["command"].as_str());
        let Some(command) = command else { continue };
        let of = |key: &str| texts(&record["policy"][key]);
        let (allow, ask, deny) = (of("allow"), of("ask"), of("deny"));
        let names_options = ask.iter().chain(&deny).any(|rule| rule.contains(" -"));
        let rules = Rules {
            allow: &allow,
            ask: &ask,
            deny: &deny,
        };
        let place = |key: &str| record["cwd_context"][key].as_str().unwrap();
        let mode = record["policy"]["mode"].as_str().unwrap_or("auto");
        bases.push(Base {
            command: command.to_owned(),
            policy: policy(mode, rules, place("workspace"), place("home")),
            cwd: place("cwd").to_owned(),
            look: described(&record),
            names_options,
        });
    }
    for command in MORE {
        for mode in ["read-only", "workspace-write", "auto", "full"] {
            let rules = Rules {
                deny: &["rm *", "git push *"],
                ask: &["cp *"],
                allow: &["sort *", "sed *", "cargo *", "make *"],
            };
            bases.push(Base {
                command: command.to_owned(),
                policy: policy(mode, rules, "/w/proj", "/home/dev"),
                cwd: "/w/proj".to_owned(),
                look: Described::new("/w/proj", &[]),
                names_options: false,
            });
        }
    }
    bases
}

#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "a longer run is asked for by the environment"
)]
fn no_change_of_the_text_weakens_the_decision() {
    let asked = std::env::var("BOWLINE_MUTATIONS").ok();
    let asked = asked.map_or(1200, |text| text.parse::<usize>().unwrap());
    let bases = bases();
    let mut draw = Draw(6);
    let mut weakened = Vec::new();
    let mut counts = Vec::new();
    for operator in OPERATORS {
        let mut made = 0;
        while made < asked.div_ceil(OPERATORS.len()) {
            let base = &bases[draw.below(bases.len())];
            let is_about_options = matches!(operator, Operator::Reordered | Operator::Respelled);
            if base.names_options && is_about_options {
                continue;
            }
            // Some changes before it, so that the same command is met in many forms.
            let mut before = base.command.clone();
            for _ in 0..draw.below(3) {
                let other = OPERATORS[draw.below(3)];
                before = mutate(&before, other, &mut draw).unwrap_or(before);
            }
            let Some(after) = mutate(&before, operator, &mut draw) else {
                continue;
            };
            made += 1;
            let was = judged(&base.policy, &base.command, &base.cwd, &base.look);
            let is = judged(&base.policy, &after, &base.cwd, &base.look);
            if is.verdict < was.verdict {
                weakened.push(format!(
                    "{operator:?}: {:?}: {:?}\n  {after:?}: {:?}\n  was: {}\n  is:  {}",
                    base.command, was.verdict, is.verdict, was.reason, is.reason
                ));
            }
        }
        counts.push(format!("{operator:?} {made}"));
    }
    println!(
        "changes: {}; weakened {}",
        counts.join(", "),
        weakened.len()
    );
    weakened.sort_by_key(String::len);
    for found in weakened.iter().take(20) {
        println!("{found}");
    }
    assert!(weakened.is_empty());
}
