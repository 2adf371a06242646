//! Runs the keeper as the real process it is: this test binary is its own `bowline keeper`.
//!
//! Called by cargo it runs the cases whose names contain the given filter. Other modes:
//! `keeper DIR` is a keeper, `launcher DIR COMMAND` is a harness to be killed, `keeper-cost [N]`
//! measures N launches.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "it is a test"
)]

mod claims;
mod confined;
mod cost;
mod ending;
mod errors;
mod held;
mod outcomes;
mod output;
mod probes;
mod proxied;
mod reattach;
mod skew;
mod support;
#[path = "../../../bowline-core/tests/it/variants.rs"]
mod variants;
mod works;

use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use bowline_tools::confine::inside::inside_main;
use bowline_tools::keeper::{Plain, Scrub, run_resolving};
use support::Case;

/// Cases that run at once; most wait for processes rather than compute.
const WORKERS: usize = 4;

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let words: Vec<&str> = arguments.iter().skip(1).map(String::as_str).collect();
    let code = match words[..] {
        ["keeper", dir] if dir.starts_with('/') => {
            let scrub: Box<dyn Scrub> = if dir.ends_with(output::HELD_BACK) {
                Box::new(output::HoldBack::default())
            } else {
                Box::new(Plain)
            };
            run_resolving(Path::new(dir), scrub, proxied::resolver())
        }
        ["inside", ..] => inside_main(std::env::args_os().skip(2)).0,
        ["launcher", dir, command] => support::launch_and_wait(dir, command),
        ["probes", base, program] => i32::from(!probes::run(base.as_ref(), program.as_ref())),
        ["keeper-cost"] => cost::measure(200),
        ["keeper-cost", count] => cost::measure(count.parse().unwrap()),
        _ => run_cases(words.iter().find(|word| !word.starts_with('-')).copied()),
    };
    std::process::exit(code);
}

fn run_cases(filter: Option<&str>) -> i32 {
    let is_meant = |name: &&str| filter.is_none_or(|filter| name.contains(filter));
    let mut cases: Vec<Case> = Vec::new();
    for group in [
        outcomes::CASES,
        ending::CASES,
        claims::CASES,
        output::CASES,
        works::CASES,
        confined::CASES,
        held::CASES,
        proxied::CASES,
        reattach::CASES,
        skew::CASES,
        errors::CASES,
        probes::CASES,
    ] {
        cases.extend(group.iter().filter(|(name, _)| is_meant(name)));
    }
    let alone = held::ALONE.iter().filter(|(name, _)| is_meant(name));
    let alone: Vec<Case> = alone.copied().collect();
    let next = AtomicUsize::new(0);
    let failed = Mutex::new(0);
    let run = |(name, case): Case| {
        let passed = std::panic::catch_unwind(case).is_ok();
        println!("test {name} ... {}", if passed { "ok" } else { "FAILED" });
        *failed.lock().unwrap() += usize::from(!passed);
    };
    std::thread::scope(|scope| {
        for _ in 0..WORKERS {
            scope.spawn(|| {
                while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
                    run(*case);
                }
            });
        }
    });
    alone.iter().copied().for_each(run);
    let failed = failed.into_inner().unwrap();
    println!(
        "{} passed, {failed} failed",
        cases.len() + alone.len() - failed
    );
    i32::from(failed > 0)
}
