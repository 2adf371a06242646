//! Work on a large journal on several processors at once.

use std::num::NonZero;
use std::thread;

/// More threads than this gain nothing: memory is the limit then.
const MOST_PARTS: usize = 8;

/// How many parts are worth making here.
pub(crate) fn parts() -> usize {
    thread::available_parallelism()
        .map_or(1, NonZero::get)
        .min(MOST_PARTS)
}

/// Works on every part at once, each on a thread of its own, and gives the results in order.
pub(crate) fn at_once<P: Send, R: Send>(parts: Vec<P>, work: impl Fn(P) -> R + Sync) -> Vec<R> {
    let work = &work;
    thread::scope(|scope| {
        let threads: Vec<_> = parts
            .into_iter()
            .map(|part| scope.spawn(move || work(part)))
            .collect();
        let results = threads.into_iter().map(|thread| match thread.join() {
            Ok(result) => result,
            Err(panic) => std::panic::resume_unwind(panic),
        });
        results.collect()
    })
}
