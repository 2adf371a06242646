//! Link settings of the binary.
//!
//! A keeper is this same binary and lives for about two milliseconds under every shell command. As
//! a position-independent executable it spent 1.23 million cycles of that in the dynamic loader on
//! 29,000 relative relocations (`LD_DEBUG=statistics bowline keeper`); linked at a fixed address it
//! has none. `docs/decisions/0004-fixed-address.md` weighs that against what it gives up.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    let var = |name: &str| std::env::var(name).unwrap_or_default();
    if var("CARGO_CFG_TARGET_OS") == "linux" && var("CARGO_CFG_TARGET_ENV") == "gnu" {
        println!("cargo:rustc-link-arg-bins=-no-pie");
    }
}
