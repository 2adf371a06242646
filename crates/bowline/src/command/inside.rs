//! `bowline inside DOOR PROGRAM ARGUMENTS..`: the first program in a sandbox with named hosts.

use std::ffi::OsString;
use std::process::ExitCode;

use bowline_tools::confine::inside::inside_main;

use crate::print;

/// Makes the way out to the proxy and becomes the command.
pub fn run(arguments: impl Iterator<Item = OsString>) -> ExitCode {
    let (code, why) = inside_main(arguments);
    print::err_line(&why);
    ExitCode::from(u8::try_from(code).unwrap_or(1))
}
