//! Writes requests, byte for byte, and remembers the bytes of the past.
//!
//! Whatever the dialect, a body is a head (everything that stays the same from step to step), the
//! history items in order, and a tail. The encoder keeps head and items as bytes; a step costs the
//! new items and one copy.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use bowline_core::message::HistoryItem;
use bowline_core::plan::{BlockHash, BodyPrefix};
use bowline_core::request::FrozenPrompt;
use bowline_core::{Digest, ModelRef, Request};
use sha2::{Digest as _, Sha256};

use super::json::push_string;
use super::weight::Weight;
use crate::provider::RequestSize;

/// How a dialect writes the parts of a request. What it writes may depend on what it is given and
/// on nothing else: the bytes are kept.
pub(crate) trait Format: Send + fmt::Debug {
    /// Writes everything before the first item.
    fn head(&self, body: &mut Vec<u8>, request: &Request);

    /// Writes one item after those before it.
    fn item(&self, body: &mut Vec<u8>, item: &HistoryItem, around: &Around<'_>) -> Placed;

    /// Rewrites the message that `open` holds and that `close` would close, so that `item` can join
    /// it, and gives what closes it now. Few dialects need it, and none rewrites one with images.
    fn reopen(
        &self,
        _open: &mut Vec<u8>,
        _item: &HistoryItem,
        _close: &'static [u8],
    ) -> Option<&'static [u8]> {
        None
    }

    /// Writes what follows the items, once what the last one left open has been closed.
    fn tail(&self, body: &mut Vec<u8>, request: &Request);

    /// What is put into the head and in at the end of some items, and where. It is no part of the
    /// bytes that are kept, as it moves from request to request.
    fn marks(&self, _request: &Request) -> Marks {
        Marks::default()
    }

    /// Tokens that one image takes of the input at most, whatever its size.
    fn image_tokens(&self, model: &str) -> u64;

    /// Tokens that the API adds to the request for reasons that its bytes do not show.
    fn hidden_tokens(&self, _request: &Request) -> u64 {
        0
    }
}

/// Marks of what the provider may cache.
#[derive(Debug, Default)]
pub(crate) struct Marks {
    /// Each of them.
    pub(crate) mark: &'static [u8],
    /// How many bytes before the end of the head one stands, if one does.
    pub(crate) before_head_end: Option<usize>,
    /// The items, by place in the history, rising, at the end of which one stands.
    pub(crate) places: Vec<usize>,
}

/// What a format may look at beside the item.
pub(crate) struct Around<'a> {
    /// The model asked.
    pub(crate) model: &'a ModelRef,
    /// The bytes of the images there are.
    pub(crate) images: &'a BTreeMap<Digest, Vec<u8>>,
    /// The item before this one.
    pub(crate) before: Option<&'a HistoryItem>,
    /// All items before this one.
    pub(crate) earlier: &'a [Arc<HistoryItem>],
    /// What would close the message that the item before left open; empty if none is.
    pub(crate) close: &'static [u8],
    /// Where in the body the bytes of images were written.
    pub(crate) pictures: &'a RefCell<Vec<Range<usize>>>,
}

/// How an item was written.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Placed {
    /// Whether it went into the message of the item before.
    pub(crate) joined: bool,
    /// What closes the message that it left open, as more may join; empty if it left none.
    pub(crate) close: &'static [u8],
}

/// Encodes the requests of one conversation. Gives the same bytes as a fresh encoder would,
/// whatever it was asked before.
#[derive(Debug)]
pub struct Encoder {
    format: Box<dyn Format>,
    /// What tells the provider which requests have a prefix in common.
    cache_key: Option<String>,
    /// What the head was made from.
    base: Option<(ModelRef, Arc<FrozenPrompt>)>,
    /// The items whose bytes `body` holds. They are kept alive, so that no other item can come to
    /// lie at the address of one.
    items: Vec<Arc<HistoryItem>>,
    /// Where each item stands.
    spans: Vec<Span>,
    /// The request up to the last item; what that one left open is not closed yet.
    body: Vec<u8>,
    /// Where the items begin.
    head_bytes: usize,
    head_weight: Weight,
    hasher: Sha256,
    hashed_bytes: usize,
    /// The beginning that was last given, while the body still has it.
    given: Option<BodyPrefix>,
}

#[derive(Debug)]
struct Span {
    /// Where the message begins that the item went into.
    start: usize,
    end: usize,
    close: &'static [u8],
    /// Which of the item's images were there.
    images: Vec<bool>,
    /// Whether a later item had its message rewritten, so that it does not end here any more.
    rewritten: bool,
    /// What everything up to its end weighs.
    weight: Weight,
}

impl Marks {
    fn count(&self) -> usize {
        self.places.len() + usize::from(self.before_head_end.is_some())
    }

    fn bytes(&self) -> usize {
        self.count() * self.mark.len()
    }
}

impl Encoder {
    /// Makes an encoder that has seen nothing.
    pub(crate) fn new(format: Box<dyn Format>) -> Self {
        Self {
            format,
            cache_key: None,
            base: None,
            items: Vec::new(),
            spans: Vec::new(),
            body: Vec::new(),
            head_bytes: 0,
            head_weight: Weight::default(),
            hasher: Sha256::new(),
            hashed_bytes: 0,
            given: None,
        }
    }

    /// The same, which adds this `prompt_cache_key` to every request: at most 64 characters.
    pub(crate) fn with_cache_key(mut self, key: String) -> Self {
        self.cache_key = Some(key);
        self
    }

    /// Gives the body of `request`. Items that are the same `Arc`s as last time, from the first
    /// one on, are not encoded again.
    pub fn encode(&mut self, request: &Request) -> Vec<u8> {
        self.take_in(request);
        let marks = self.format.marks(request);
        let mut body = Vec::with_capacity(self.body.len() + marks.bytes() + 128);
        let mut copied = 0;
        let in_head = marks.before_head_end.map(|before| self.head_bytes - before);
        let ends = marks.places.iter().map(|place| self.spans[*place].end);
        for end in in_head.into_iter().chain(ends) {
            body.extend_from_slice(&self.body[copied..end]);
            body.extend_from_slice(marks.mark);
            copied = end;
        }
        body.extend_from_slice(&self.body[copied..]);
        self.finish(&mut body, request);
        body
    }

    /// How large the body of `request` is, and how many tokens it takes at most. Nothing is copied;
    /// of what was there last time, nothing is looked at again.
    pub fn size(&mut self, request: &Request) -> RequestSize {
        self.take_in(request);
        let marks = self.format.marks(request);
        let mut end = Vec::with_capacity(256);
        self.finish(&mut end, request);
        let kept = self
            .spans
            .last()
            .map_or(self.head_weight, |span| span.weight);
        let of_marks = Weight::of(marks.mark).times(marks.count() as u64);
        let weight = kept.plus(of_marks).plus(Weight::of(&end));
        let image_tokens = self.format.image_tokens(request.model.model());
        RequestSize {
            bytes: (self.body.len() + marks.bytes() + end.len()) as u64,
            tokens_bound: weight
                .tokens(image_tokens)
                .saturating_add(self.format.hidden_tokens(request)),
        }
    }

    /// Where the server is told that it may cache.
    pub(crate) fn marks(&self, request: &Request) -> Marks {
        self.format.marks(request)
    }

    /// Writes what follows the last item.
    fn finish(&self, body: &mut Vec<u8>, request: &Request) {
        body.extend_from_slice(self.spans.last().map_or(b"", |span| span.close));
        self.format.tail(body, request);
        if let Some(key) = &self.cache_key
            && body.pop() == Some(b'}')
        {
            body.extend_from_slice(b",\"prompt_cache_key\":");
            push_string(body, key);
            body.push(b'}');
        }
    }

    /// Makes `body` hold the head and the items of `request`, and nothing else.
    fn take_in(&mut self, request: &Request) {
        self.rebase(request);
        let known = self.items.iter().zip(&self.spans).zip(&request.history);
        let known = known.take_while(|((old, span), new)| {
            Arc::ptr_eq(old, new) && span.images == images_there(new, request)
        });
        let mut known = known.count();
        if known < self.items.len() {
            let rewritten = self.spans[..known].iter().rev();
            known -= rewritten.take_while(|span| span.rewritten).count();
        }
        self.truncate(known);
        for item in &request.history[known..] {
            self.push(item, request);
        }
    }

    /// SHA-256 over the last encoded body up to its last message (the last exchange, or the user
    /// message it ends in), and how many bytes that is; marks that move are left out. The next
    /// request of an unchanged conversation begins with the very same bytes: a provider's cache
    /// can hold them.
    pub fn prefix_hash(&mut self) -> (Digest, usize) {
        let prefix_bytes = self.spans.last().map_or(self.head_bytes, |span| span.start);
        if self.hashed_bytes > prefix_bytes {
            self.hasher = Sha256::new();
            self.hashed_bytes = 0;
        }
        self.hasher
            .update(&self.body[self.hashed_bytes..prefix_bytes]);
        self.hashed_bytes = prefix_bytes;
        (
            Digest::from_bytes(self.hasher.clone().finalize().into()),
            prefix_bytes,
        )
    }

    /// The beginning of the body of `request` that the next request of an unchanged conversation
    /// shares, as it is recorded.
    pub fn body_prefix(&mut self, request: &Request) -> BodyPrefix {
        self.take_in(request);
        let (digest, bytes) = self.prefix_hash();
        let prefix = BodyPrefix {
            bytes: bytes as u64,
            hash: digest.into(),
        };
        self.given = Some(prefix);
        prefix
    }

    /// Whether the body of `request` begins with what an earlier one did. Looked at only where what
    /// was kept since then has changed, or the earlier one is of another process.
    pub fn begins_with(&mut self, request: &Request, prefix: BodyPrefix) -> bool {
        self.take_in(request);
        if self.given == Some(prefix) {
            return true;
        }
        let bytes = usize::try_from(prefix.bytes).ok();
        let start = bytes.and_then(|bytes| self.body.get(..bytes));
        start.is_some_and(|start| BlockHash::of(start) == prefix.hash)
    }

    /// Writes the head anew if it is not what it was.
    fn rebase(&mut self, request: &Request) {
        let same = self.base.as_ref().is_some_and(|(model, prompt)| {
            *model == request.model && Arc::ptr_eq(prompt, &request.prompt)
        });
        if same {
            return;
        }
        self.items.clear();
        self.spans.clear();
        self.body.clear();
        self.hasher = Sha256::new();
        self.hashed_bytes = 0;
        self.given = None;
        self.format.head(&mut self.body, request);
        self.head_bytes = self.body.len();
        self.head_weight = Weight::of(&self.body);
        self.base = Some((request.model.clone(), Arc::clone(&request.prompt)));
    }

    /// Forgets all items but the first `known`.
    fn truncate(&mut self, known: usize) {
        self.items.truncate(known);
        self.spans.truncate(known);
        self.body
            .truncate(self.spans.last().map_or(self.head_bytes, |span| span.end));
        if self.hashed_bytes > self.body.len() {
            self.hasher = Sha256::new();
            self.hashed_bytes = 0;
        }
        let length = self.body.len() as u64;
        self.given.take_if(|given| given.bytes > length);
    }

    fn push(&mut self, item: &Arc<HistoryItem>, request: &Request) {
        self.reopen(item);
        let pictures = RefCell::default();
        let written = self.body.len();
        let last = self.spans.last();
        let around = Around {
            model: &request.model,
            images: &request.images,
            before: self.items.last().map(Arc::as_ref),
            earlier: &self.items,
            close: last.map_or(b"", |span| span.close),
            pictures: &pictures,
        };
        // What closes the message before belongs to that message.
        let next_start = self.body.len() + around.close.len();
        let placed = self.format.item(&mut self.body, item, &around);
        let start = match last {
            Some(open) if placed.joined => open.start,
            _ => next_start,
        };
        let before = last.map_or(self.head_weight, |span| span.weight);
        let added = Weight::with_pictures(&self.body, written, &pictures.take());
        self.items.push(Arc::clone(item));
        self.spans.push(Span {
            start,
            end: self.body.len(),
            close: placed.close,
            images: images_there(item, request),
            rewritten: false,
            weight: before.plus(added),
        });
    }

    /// Lets the format rewrite the message that the last item left open.
    fn reopen(&mut self, item: &HistoryItem) {
        let Some(&Span { start, close, .. }) =
            self.spans.last().filter(|last| !last.close.is_empty())
        else {
            return;
        };
        let mut open = self.body.split_off(start);
        let closes = self.format.reopen(&mut open, item, close);
        self.body.append(&mut open);
        if let Some(close) = closes {
            let earlier = self.spans.iter().rev().find(|span| span.start != start);
            let before = earlier.map_or(self.head_weight, |span| span.weight);
            let weight = before.plus(Weight::of(&self.body[start..]));
            let spans = self.spans.iter_mut().rev();
            for span in spans.take_while(|span| span.start == start) {
                span.close = close;
                span.rewritten = true;
                span.weight = weight;
            }
        }
    }
}

/// Which of the images of `item` the request holds; empty, which costs nothing, for most items.
fn images_there(item: &HistoryItem, request: &Request) -> Vec<bool> {
    match item {
        HistoryItem::Input(input) => {
            let images = input.images.iter();
            images
                .map(|image| request.images.contains_key(&image.blob.digest))
                .collect()
        }
        HistoryItem::Exchange(_) => Vec::new(),
    }
}
