//! Link settings of the binary.
//!
//! A keeper is this same binary and lives for about two milliseconds, of which the dynamic loader
//! spent a third on 29,000 relative relocations. Packed (`DT_RELR`) they cost a seventh of that
//! (`LD_DEBUG=statistics bowline keeper`: 1.23 million cycles before, 0.17 million after). Loaders
//! understand them since glibc 2.36, so an older one gets the ordinary form.

use std::process::Command;

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    let var = |name: &str| std::env::var(name).unwrap_or_default();
    let native = var("HOST") == var("TARGET") && var("CARGO_CFG_TARGET_ENV") == "gnu";
    if native && glibc().is_some_and(|version| version >= (2, 36)) {
        println!("cargo:rustc-link-arg-bins=-Wl,-z,pack-relative-relocs");
    }
}

/// The version of the C library here, as `getconf` says it: `glibc 2.36`.
fn glibc() -> Option<(u32, u32)> {
    let output = Command::new("getconf")
        .arg("GNU_LIBC_VERSION")
        .output()
        .ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let (major, minor) = text.trim().strip_prefix("glibc ")?.split_once('.')?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}
