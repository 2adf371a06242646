//! The filter between a command's output and everything that stores or shows it.

/// Rewrites output on its way into the spool, for example to mask secrets.
///
/// Chunks arrive cut at arbitrary bytes and need not be UTF-8. An implementation may hold bytes
/// back while they could be the start of something to mask; it appends what is ready to `out`.
pub trait Scrub {
    /// Tells it, before any output, what the harness has for it.
    fn told(&mut self, _words: &str) {}

    /// Takes the next `bytes` of output.
    fn push(&mut self, bytes: &[u8], out: &mut Vec<u8>);

    /// Tells that no output came for a moment (100 ms), so that a held-back prompt may be shown.
    fn idle(&mut self, out: &mut Vec<u8>);

    /// Tells that the output is over: everything held back must be appended now.
    fn finish(&mut self, out: &mut Vec<u8>);
}

/// Passes every byte unchanged.
#[derive(Debug, Clone, Copy, Default)]
pub struct Plain;

impl Scrub for Plain {
    fn push(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        out.extend_from_slice(bytes);
    }

    fn idle(&mut self, _out: &mut Vec<u8>) {}

    fn finish(&mut self, _out: &mut Vec<u8>) {}
}
