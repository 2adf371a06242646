//! The fuzz targets: everything Bowline reads that a stranger may have written.
//!
//! One program holds all of them, as linking is what costs; `BOWLINE_FUZZ_TARGET` names the one to
//! run. `cargo xtask fuzz` builds it with the instrumentation of libFuzzer and runs it; a target is
//! a function of bytes that panics when something is not as it must be.
#![forbid(unsafe_code)]

mod pages;
mod recaps;
mod replies;
mod secrets;
mod shell;
mod stored;
mod streams;
mod tables;
mod tools;

use std::sync::OnceLock;

/// Every target by name.
const TARGETS: [(&str, fn(&[u8])); 18] = [
    ("sse", streams::sse),
    ("chat", replies::chat),
    ("responses", replies::responses),
    ("anthropic", replies::anthropic),
    ("journal", stored::journal),
    ("proofs", stored::proofs),
    ("config", stored::config),
    ("rules", stored::rules),
    ("settings", stored::settings),
    ("keeper", stored::keeper),
    ("tools", tools::inputs),
    ("prices", tables::prices),
    ("usage", tables::usage),
    ("shell_parse", shell::parsed),
    ("policy", shell::judged),
    ("page", pages::read),
    ("secrets", secrets::masked),
    ("recap", recaps::read),
];

/// The target that was asked for.
///
/// # Panics
/// When `BOWLINE_FUZZ_TARGET` names none.
pub fn target() -> fn(&[u8]) {
    static TARGET: OnceLock<fn(&[u8])> = OnceLock::new();
    *TARGET.get_or_init(|| {
        let name = std::env::var("BOWLINE_FUZZ_TARGET").unwrap_or_default();
        let found = TARGETS.iter().find(|(known, _)| *known == name);
        found.expect("BOWLINE_FUZZ_TARGET names a target").1
    })
}

/// Splits bytes into pieces of 1 to 64, the same for the same seed.
fn pieces(mut rest: &[u8], seed: u8) -> Vec<&[u8]> {
    let mut state = u64::from(seed);
    let mut pieces = Vec::new();
    while !rest.is_empty() {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let length = usize::try_from(state >> 33).unwrap_or(0) % 64 + 1;
        let (piece, after) = rest.split_at(length.min(rest.len()));
        pieces.push(piece);
        rest = after;
    }
    pieces
}
