//! `bowline keeper DIR`: the small process under which one shell command runs.

use std::ffi::OsString;
use std::process::ExitCode;

use bowline_secrets::{Masker, StreamMasker};
use bowline_tools::keeper::{Scrub, keeper_main};

/// Masks a command's output before it reaches the spool.
struct Masking(StreamMasker);

impl Scrub for Masking {
    fn told(&mut self, words: &str) {
        if let Some(masker) = Masker::taken_over(words) {
            self.0 = StreamMasker::new(masker);
        }
    }

    fn push(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        self.0.push(bytes, out);
    }

    fn idle(&mut self, out: &mut Vec<u8>) {
        self.0.idle(out);
    }

    fn finish(&mut self, out: &mut Vec<u8>) {
        self.0.finish(out);
    }
}

/// Runs the whole life of a keeper.
pub fn run(folder: Option<OsString>) -> ExitCode {
    let scrub = Masking(StreamMasker::new(Masker::default()));
    let code = keeper_main(folder, Box::new(scrub));
    ExitCode::from(u8::try_from(code).unwrap_or(1))
}
