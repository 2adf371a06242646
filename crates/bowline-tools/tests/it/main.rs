//! Runs the built-in tools as a session would: planned, allowed, recorded in a journal, called
//! with the permit that comes of it, on real files and processes.
//!
//! Called by cargo it runs the cases whose names contain the given filter. Called as `keeper DIR`
//! it is the keeper that the shell tool starts.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "it is a test"
)]

mod background;
mod bench;
mod edit;
mod fetch;
mod notes;
mod paths;
mod read;
mod search;
mod shell;
mod write;

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use bowline_tools::keeper::{Plain, keeper_main};

/// A name and what it runs; a panic is a failure.
type Case = (&'static str, fn());

/// Cases that run at once.
const WORKERS: usize = 4;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let code = match words[..] {
        ["keeper", dir] => keeper_main([dir.into()], Box::new(Plain)),
        _ => run_cases(words.iter().find(|word| !word.starts_with('-')).copied()),
    };
    std::process::exit(code);
}

fn run_cases(filter: Option<&str>) -> i32 {
    let groups: [&[Case]; 10] = [
        read::CASES,
        write::CASES,
        edit::CASES,
        search::CASES,
        notes::CASES,
        paths::CASES,
        shell::CASES,
        background::CASES,
        fetch::CASES,
        fetch::inside::CASES,
    ];
    let all = groups.iter().flat_map(|group| group.iter());
    let cases: Vec<&Case> = all
        .filter(|(name, _)| filter.is_none_or(|filter| name.contains(filter)))
        .collect();
    let next = AtomicUsize::new(0);
    let failed = Mutex::new(0);
    std::thread::scope(|scope| {
        for _ in 0..WORKERS {
            scope.spawn(|| {
                while let Some((name, case)) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let passed = std::panic::catch_unwind(case).is_ok();
                    println!("test {name} ... {}", if passed { "ok" } else { "FAILED" });
                    *failed.lock().unwrap() += usize::from(!passed);
                }
            });
        }
    });
    let failed = failed.into_inner().unwrap();
    println!("{} passed, {failed} failed", cases.len() - failed);
    i32::from(failed > 0)
}

/// Lists cases by the names of their functions.
#[macro_export]
macro_rules! cases {
    ($($name:ident),* $(,)?) => {
        /// The cases of this group.
        pub(crate) const CASES: &[$crate::Case] =
            &[$((concat!(module_path!(), "::", stringify!($name)), $name as fn())),*];
    };
}
