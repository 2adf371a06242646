//! What crash-test builds do differently: `BOWLINE_REPRODUCIBLE` seeds ids and salts, so that two
//! runs make the same system calls on the same names; `BOWLINE_BOOT` says which start of the machine
//! this is taken for. In builds without the feature `crash-points`
//! none of this exists.

use bowline_core::Digest;
use bowline_journal::Salts;
use bowline_runtime::Clock;

/// The seed that the environment names.
fn seed() -> Option<String> {
    std::env::var("BOWLINE_REPRODUCIBLE").ok()
}

/// The clock of this build.
pub fn clock() -> Clock {
    let clock = seed().map_or_else(Clock::system, |seed| Clock::seeded(&seed));
    match std::env::var("BOWLINE_BOOT") {
        Ok(boot) => clock.with_boot(&boot),
        Err(_) => clock,
    }
}

/// The salts of this build.
pub fn salts() -> Salts {
    let Some(seed) = seed() else {
        return Salts::Kernel;
    };
    let mut number = [0; 8];
    number.copy_from_slice(&Digest::of(seed.as_bytes()).as_bytes()[..8]);
    Salts::Derived(u64::from_be_bytes(number))
}
