//! What is said of a conversation that is made shorter.

use bowline_core::Fact;
use bowline_core::amounts::grouped;

use crate::print;

/// A line for people, if this is about it.
pub fn line(fact: &Fact) -> Option<String> {
    Some(match fact {
        Fact::CompactionBegun(begun) => format!(
            "making the conversation shorter: the next request has about {} tokens",
            grouped(begun.next_tokens)
        ),
        Fact::HistoryCompacted(compacted) => {
            let how = compacted.strategies.iter().map(|one| one.name());
            format!(
                "the conversation is shorter: about {} tokens instead of {} ({})",
                grouped(compacted.after_tokens),
                grouped(compacted.before_tokens),
                how.collect::<Vec<_>>().join(", ")
            )
        }
        Fact::CompactionFailed(failed) => format!(
            "{} did not do: {}",
            failed.strategy.name(),
            print::clean(&failed.why)
        ),
        Fact::CompactionAbandoned(abandoned) => format!(
            "the conversation stays as it is: {}",
            print::clean(&abandoned.why)
        ),
        _ => return None,
    })
}
