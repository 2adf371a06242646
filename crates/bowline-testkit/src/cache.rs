//! What the prompt cache of a provider would do with each request.
//!
//! Messages, by the provider's page on prompt caching as of 2026-11: a request may mark up to 4
//! blocks; what is written ends at a marked block; for each mark, the block itself and the 19 before
//! it are looked at for something that was written; what is shorter than [`LEAST_TOKENS`] is passed
//! over in silence; an entry lives for 5 minutes, or for an hour if its mark says so, from its last
//! use on; tools come before the system text and that before the messages, whatever the order in the
//! body; other thinking parameters leave what is written of tools and system text, and nothing of the
//! messages. The minimum differs by model, from 512 to 4,096 tokens; most have 1,024.
//!
//! The two OpenAI dialects, by the provider's guide as of 2026-11: nothing is marked; the longest
//! prefix that was there within the last minutes is read, from 1,024 tokens on in steps of 128;
//! writing costs nothing. How long is "typically 5 to 10 minutes"; here it is 5.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use serde_json::Value;

use crate::billing::{AROUND_TOKENS, REQUEST_TOKENS, of_content, tool_tokens};

/// Shorter prefixes are not kept.
pub const LEAST_TOKENS: u64 = 1_024;
/// Blocks that are looked at for each mark, the marked one included.
pub const LOOK_BACK: usize = 20;
/// How long an entry lives after its last use, unless its mark says an hour.
pub const LIFE_MS: u64 = 5 * 60_000;
/// How long one lives whose mark says so.
pub const HOUR_MS: u64 = 60 * 60_000;
/// Automatic caches count in steps of so many tokens.
const STEP_TOKENS: u64 = 128;

/// What a request came to.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct CacheUse {
    /// All tokens of the request.
    pub input_tokens: u64,
    /// Of those, tokens read from the cache.
    pub read_tokens: u64,
    /// Of those, tokens written for 5 minutes.
    pub written_tokens: u64,
    /// Of those, tokens written for an hour.
    pub written_hour_tokens: u64,
}

/// How a provider decides what it keeps.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Keeping {
    /// What the request marks: Messages.
    Marked,
    /// Everything: the two OpenAI dialects.
    All,
}

/// The cache of one provider.
#[derive(Debug, Default)]
pub struct PromptCache {
    entries: HashMap<u64, Entry>,
    /// The tokens of texts that were counted before, by their hash.
    counted: HashMap<u64, u64>,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    expires_ms: u64,
    life_ms: u64,
}

/// A part of a request that may be marked.
struct Block {
    /// Of everything up to its end.
    prefix: u64,
    /// Tokens of everything up to its end.
    end_tokens: u64,
    /// How long what ends here is to be kept, if it is marked.
    mark: Option<u64>,
}

impl PromptCache {
    /// Takes in a request that arrives at `now_ms`.
    pub fn ask(&mut self, keeping: Keeping, body: &Value, now_ms: u64) -> CacheUse {
        let blocks = self.blocks(body);
        let input_tokens = blocks.last().map_or(REQUEST_TOKENS, |last| last.end_tokens);
        let used = match keeping {
            Keeping::Marked => self.marked(&blocks, now_ms),
            Keeping::All => self.automatic(&blocks, now_ms),
        };
        CacheUse {
            input_tokens,
            ..used
        }
    }

    fn is_alive(&self, block: &Block, now_ms: u64) -> bool {
        let entry = self.entries.get(&block.prefix);
        entry.is_some_and(|entry| entry.expires_ms >= now_ms)
    }

    fn marked(&mut self, blocks: &[Block], now_ms: u64) -> CacheUse {
        let marks: Vec<usize> = (0..blocks.len())
            .filter(|at| blocks[*at].mark.is_some() && blocks[*at].end_tokens >= LEAST_TOKENS)
            .collect();
        let mut read = None;
        for &mark in &marks {
            let from = (mark + 1).saturating_sub(LOOK_BACK);
            let hit = (from..=mark)
                .rev()
                .find(|at| self.is_alive(&blocks[*at], now_ms));
            if let Some(at) = hit {
                if let Some(entry) = self.entries.get_mut(&blocks[at].prefix) {
                    entry.expires_ms = now_ms + entry.life_ms;
                }
                read = read.max(Some(at));
            }
        }
        let read_tokens = read.map_or(0, |at| blocks[at].end_tokens);
        let (mut hour_end, mut end) = (read_tokens, read_tokens);
        for &mark in marks.iter().filter(|mark| Some(**mark) > read) {
            let block = &blocks[mark];
            let life_ms = block.mark.unwrap_or(LIFE_MS);
            self.entries.insert(
                block.prefix,
                Entry {
                    expires_ms: now_ms + life_ms,
                    life_ms,
                },
            );
            end = block.end_tokens;
            if life_ms == HOUR_MS {
                hour_end = end;
            }
        }
        CacheUse {
            input_tokens: 0,
            read_tokens,
            written_tokens: end - hour_end,
            written_hour_tokens: hour_end - read_tokens,
        }
    }

    fn automatic(&mut self, blocks: &[Block], now_ms: u64) -> CacheUse {
        let alive = blocks.iter().rev();
        let mut alive = alive.filter(|block| self.is_alive(block, now_ms));
        let held = alive.next().map_or(0, |block| block.end_tokens);
        let read_tokens = if held < LEAST_TOKENS {
            0
        } else {
            held - (held - LEAST_TOKENS) % STEP_TOKENS
        };
        for block in blocks {
            self.entries.insert(
                block.prefix,
                Entry {
                    expires_ms: now_ms + LIFE_MS,
                    life_ms: LIFE_MS,
                },
            );
        }
        CacheUse {
            read_tokens,
            ..CacheUse::default()
        }
    }

    /// Cuts a request into its parts, in the order in which the API looks at them.
    fn blocks(&mut self, body: &Value) -> Vec<Block> {
        let mut cut = Cut {
            cache: self,
            prefix: DefaultHasher::new(),
            tokens: REQUEST_TOKENS,
            blocks: Vec::new(),
        };
        body["model"].as_str().hash(&mut cut.prefix);
        for tool in body["tools"].as_array().into_iter().flatten() {
            cut.push("tool", tool, 0, tool_tokens);
        }
        for name in ["system", "instructions"] {
            match &body[name] {
                Value::Array(parts) => {
                    for part in parts {
                        cut.push(name, part, 0, of_content);
                    }
                }
                Value::Null => {}
                whole => cut.push(name, whole, 0, of_content),
            }
        }
        for name in ["thinking", "output_config", "tool_choice"] {
            body[name].to_string().hash(&mut cut.prefix);
        }
        for item in body["input"].as_array().into_iter().flatten() {
            cut.push("input", item, AROUND_TOKENS, of_content);
        }
        for message in body["messages"].as_array().into_iter().flatten() {
            cut.push_message(message);
        }
        if let (Some(life), Some(last)) = (mark_of(body), cut.blocks.last_mut()) {
            last.mark = Some(life);
        }
        cut.blocks
    }
}

struct Cut<'a> {
    cache: &'a mut PromptCache,
    prefix: DefaultHasher,
    tokens: u64,
    blocks: Vec<Block>,
}

impl Cut<'_> {
    /// A message of Messages is cut into its blocks, one of Chat Completions stays whole.
    fn push_message(&mut self, message: &Value) {
        let role = message["role"].as_str().unwrap_or_default().to_owned();
        let is_whole = message.get("tool_calls").is_some() || role == "tool" || role == "system";
        match &message["content"] {
            Value::Array(parts) if !is_whole => {
                for (at, part) in parts.iter().enumerate() {
                    let around = AROUND_TOKENS + of_content(&message["role"]);
                    let around = if at == 0 { around } else { 0 };
                    self.push(&role, part, around, of_content);
                }
            }
            _ => self.push("message", message, AROUND_TOKENS, of_content),
        }
    }

    fn push(&mut self, place: &str, part: &Value, around: u64, count: fn(&Value) -> u64) {
        let mark = mark_of(part);
        let mut plain = part.clone();
        if let Some(fields) = plain.as_object_mut() {
            fields.remove("cache_control");
        }
        let text = plain.to_string();
        (place, around, &text).hash(&mut self.prefix);
        let mut own = DefaultHasher::new();
        (place, &text).hash(&mut own);
        let counted = self.cache.counted.entry(own.finish());
        self.tokens += around + *counted.or_insert_with(|| count(&plain));
        self.blocks.push(Block {
            prefix: self.prefix.finish(),
            end_tokens: self.tokens,
            mark,
        });
    }
}

/// How long what ends in a part is to be kept, if the part is marked.
fn mark_of(part: &Value) -> Option<u64> {
    let mark = part.get("cache_control").filter(|mark| mark.is_object())?;
    Some(if mark["ttl"] == "1h" {
        HOUR_MS
    } else {
        LIFE_MS
    })
}

#[cfg(test)]
mod tests;
