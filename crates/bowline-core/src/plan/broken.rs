//! Whether a request begins with what the provider was sent before, and what it costs if not.

use super::piece::{self, Piece};
use super::sent::{Hashes, Sent, SentHead, common};
use crate::event::{BreakCause, PrefixBroken};
use crate::price::Price;
use crate::request::Request;
use crate::state::State;
use crate::usage::Usage;

/// Where a request parts from the one before it.
struct Place {
    block: String,
    field: String,
    /// Among the blocks of the request, from 0.
    at_block: usize,
    /// What explains it, if it has happened.
    explained_by: &'static [BreakCause],
    /// How many bytes of the request stand before it.
    kept_bytes: u64,
}

/// Holds `request`, whose hashes are `now`, against what was sent last: `None` if it goes on from
/// that. `begins_alike` says whether the bytes of its body do, where the provider can tell.
#[must_use]
pub fn broken(
    state: &State,
    request: &Request,
    now: &Hashes,
    begins_alike: Option<bool>,
) -> Option<PrefixBroken> {
    let sent = state.sent()?;
    let place = place(state, sent, request, now, begins_alike)?;
    let recorded = |cause: &&BreakCause| sent.since.contains(*cause);
    let cause = place.explained_by.iter().find(recorded);
    let lost_tokens = lost(sent, &place, state.price().as_ref());
    Some(PrefixBroken {
        block: place.block,
        field: place.field,
        cause: cause.copied().unwrap_or(BreakCause::Unexplained),
        at_block: u32::try_from(place.at_block).unwrap_or(u32::MAX),
        lost_tokens,
        cost_micro_usd: state
            .price()
            .map_or(0, |price| price_of(&price, sent, lost_tokens)),
    })
}

fn place(
    state: &State,
    sent: &Sent,
    request: &Request,
    now: &Hashes,
    begins_alike: Option<bool>,
) -> Option<Place> {
    let whole = |block: &str, field: &str, explained_by| Place {
        block: block.to_owned(),
        field: field.to_owned(),
        at_block: 0,
        explained_by,
        kept_bytes: 0,
    };
    if sent.model != request.model {
        return Some(whole("model", "name", &[BreakCause::Model]));
    }
    let settings = state.settings()?;
    if sent.base_url != settings.base_url {
        return Some(whole("model", "base_url", &[BreakCause::Settings]));
    }
    if let (Some(before), Some(head)) = (sent.head(), now.head())
        && before != head
    {
        return Some(in_head(before, head, request));
    }
    let head_blocks = now.head().map_or(0, SentHead::blocks);
    if sent.reasoning != request.reasoning {
        return Some(Place {
            at_block: head_blocks,
            kept_bytes: request.prompt.weight_bytes(),
            ..whole("settings", "reasoning", &[BreakCause::Settings])
        });
    }
    let kept = common(sent.blocks(), now.blocks());
    if kept < sent.blocks().len() {
        return Some(in_history(kept, head_blocks, request));
    }
    (begins_alike == Some(false)).then(|| whole("body", "bytes", &[]))
}

/// The first block of the head that differs.
fn in_head(before: &SentHead, now: &SentHead, request: &Request) -> Place {
    let place = |block: String, field: &str, at_block: usize| Place {
        block,
        field: field.to_owned(),
        at_block,
        explained_by: &[BreakCause::Pool],
        kept_bytes: weight_before(at_block, request),
    };
    if before.system != now.system {
        return place("system".to_owned(), "text", 0);
    }
    let pairs = before.tools.iter().zip(&now.tools);
    let same = pairs.take_while(|(old, new)| old == new).count();
    let name = |tool: &super::SentTool| format!("tool {}", tool.name);
    match (before.tools.get(same), now.tools.get(same)) {
        (Some(old), Some(new)) if old.name == new.name => {
            let field = match old.description == new.description {
                true => "input_schema",
                false => "description",
            };
            place(name(new), field, 1 + same)
        }
        (Some(old), _) if !now.tools.iter().any(|tool| tool.name == old.name) => {
            place(name(old), "removed", 1 + same)
        }
        (_, Some(new)) if !before.tools.iter().any(|tool| tool.name == new.name) => {
            place(name(new), "added", 1 + same)
        }
        (Some(tool), _) | (None, Some(tool)) => place(name(tool), "order", 1 + same),
        (None, None) => place("system".to_owned(), "text", 0),
    }
}

/// The block of the conversation at a place, as it is in the request now.
fn in_history(at: usize, head_blocks: usize, request: &Request) -> Place {
    let at_block = head_blocks + at;
    let found = piece::of_request(request).nth(at_block);
    let (block, field) = found.map_or_else(
        || ("conversation".to_owned(), "end".to_owned()),
        Piece::named,
    );
    Place {
        block,
        field,
        at_block,
        explained_by: &[BreakCause::Compaction, BreakCause::BlocksDropped],
        kept_bytes: weight_before(at_block, request),
    }
}

/// About how many bytes of a request stand before a block.
fn weight_before(at_block: usize, request: &Request) -> u64 {
    let before = piece::of_request(request).take(at_block);
    before.map(Piece::weight_bytes).sum()
}

/// About how many tokens that the provider had in its cache are of no use for the request.
fn lost(sent: &Sent, place: &Place, price: Option<&Price>) -> u64 {
    let Some(usage) = sent.usage else {
        return 0;
    };
    let kept = u128::from(usage.input_tokens) * u128::from(place.kept_bytes);
    let kept = kept.checked_div(u128::from(sent.weight_bytes)).unwrap_or(0);
    let kept = u64::try_from(kept).unwrap_or(u64::MAX);
    held(&usage, price).saturating_sub(kept)
}

/// How many tokens the provider holds in its cache after a call: what it said that it read from
/// there and put there; all of the input where it says nothing of putting, and is known to have a
/// cache.
pub(super) fn held(usage: &Usage, price: Option<&Price>) -> u64 {
    if usage.cache_write_tokens > 0 {
        return usage
            .cached_input_tokens
            .saturating_add(usage.cache_write_tokens);
    }
    let rates = price.map(|price| price.rates);
    // One that charges for putting says so when it does.
    let charges = rates
        .is_some_and(|rates| rates.cache_write_micro_usd_per_mtok > rates.input_micro_usd_per_mtok);
    let has_cache = rates
        .is_some_and(|rates| rates.cache_read_micro_usd_per_mtok < rates.input_micro_usd_per_mtok);
    match charges {
        true => usage.cached_input_tokens,
        false if has_cache || usage.cached_input_tokens > 0 => usage.input_tokens,
        false => 0,
    }
}

/// What it costs more to read so many tokens anew than from the cache.
fn price_of(price: &Price, sent: &Sent, lost_tokens: u64) -> u64 {
    // Of a request as long as the last one, as long ones may have another price.
    let input_tokens = sent.usage.map_or(0, |usage| usage.input_tokens);
    let of = |cached_input_tokens, cache_write_tokens| {
        price.cost_micro_usd(&Usage {
            input_tokens: input_tokens.max(lost_tokens),
            cached_input_tokens,
            cache_write_tokens,
            ..Usage::default()
        })
    };
    let rates = price.rates;
    let is_put = rates.cache_write_micro_usd_per_mtok > rates.input_micro_usd_per_mtok;
    let anew = of(0, if is_put { lost_tokens } else { 0 });
    anew.saturating_sub(of(lost_tokens, 0))
}
