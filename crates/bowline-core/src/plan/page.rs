//! The plan of one request as a whole.

use serde::{Deserialize, Serialize};

use super::block::{BlockKind, Cached, PlanBlock};
use super::piece::{self, Piece};
use super::sent::{Hashes, Sent, SentHead, common};
use crate::event::PrefixBroken;
use crate::id::{SessionId, StepId};
use crate::request::{Request, RequestSize};
use crate::settings::ModelRef;
use crate::state::{OpenAttempt, State};
use crate::usage::Usage;

/// The version of the form that plans are written in.
pub const PLAN_VERSION: u32 = 1;

/// What a request consists of, block by block. `docs/context.schema.json` says how it is written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContextPlan {
    /// The version of this form.
    pub version: u32,
    /// The session.
    pub session: SessionId,
    /// The step that the request is for.
    pub step: StepId,
    /// Whether the request was made; else it is the one that would be made next.
    pub asked: bool,
    /// The model asked.
    pub model: ModelRef,
    /// The most tokens that the request and its reply may have; `None` where nobody knows.
    pub window_tokens: Option<u64>,
    /// Bytes of the text of all blocks.
    pub bytes: u64,
    /// About how many tokens the request takes.
    pub tokens: u64,
    /// How the tokens are known.
    pub tokens_by: TokensBy,
    /// What the provider reported: for this request if it has answered, else for the one before.
    pub reported: Option<Usage>,
    /// The blocks, in the order in which they are assembled.
    pub blocks: Vec<PlanBlock>,
    /// What each kind of block comes to; kinds without any are left out.
    pub sums: Vec<KindSum>,
    /// The blocks at whose end the provider is told that it may cache up to there, by their places
    /// in `blocks`; empty where it is not told, or caches by itself.
    pub breakpoints: Vec<u32>,
    /// The prefix breaks of the session so far.
    pub breaks: Vec<PlanBreak>,
}

/// How the tokens of a request are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TokensBy {
    /// The provider counted them.
    Reported,
    /// By what the provider counted last, and what was added since at the same rate.
    Rate,
    /// By bytes alone: nothing was counted yet.
    Bytes,
}

impl TokensBy {
    /// What it means, for people.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Reported => "as the provider counted",
            Self::Rate => "at the rate of the provider's last count",
            Self::Bytes => "by bytes: nothing was counted yet",
        }
    }
}

/// What one kind of block comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct KindSum {
    /// Which.
    pub kind: BlockKind,
    /// How many.
    pub blocks: u32,
    /// Bytes of their text.
    pub bytes: u64,
    /// About how many tokens.
    pub tokens: u64,
}

/// A prefix break with the step whose request it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanBreak {
    /// The step.
    pub step: StepId,
    /// What broke, why, and what it cost.
    #[serde(flatten)]
    pub broken: PrefixBroken,
}

impl ContextPlan {
    /// The plan of the request under way, or else of the next one; `None` before the session has
    /// begun. Breakpoints and breaks are for whoever knows the dialect and the journal to fill in.
    #[must_use]
    pub fn of(state: &State) -> Option<Self> {
        let is_step = |open: &&OpenAttempt| open.reserved.purpose().is_step();
        if state.attempt().filter(is_step).is_some() {
            return Self::of_asked(state, None, None);
        }
        let request = state.next_request()?;
        let usage = state.sent().and_then(Sent::usage);
        Self::assembled(state, &request, state.sent(), usage, false)
    }

    /// The plan of the request under way: `before` is what had been sent before it, `reported` what
    /// the provider reported for it, if it has answered by now. `None` if no request is under way.
    #[must_use]
    pub fn of_asked(state: &State, before: Option<&Sent>, reported: Option<Usage>) -> Option<Self> {
        Self::assembled(state, &state.request()?, before, reported, true)
    }

    fn assembled(
        state: &State,
        request: &Request,
        before: Option<&Sent>,
        reported: Option<Usage>,
        asked: bool,
    ) -> Option<Self> {
        let pieces: Vec<Piece<'_>> = piece::of_request(request).collect();
        let weight: u64 = pieces.iter().map(|piece| piece.weight_bytes()).sum();
        let (tokens, tokens_by) = match reported.filter(|_| asked) {
            Some(usage) => (usage.input_tokens, TokensBy::Reported),
            None => estimate(state, before, weight),
        };
        let kept = kept(before, request);
        let read_tokens = reported.map_or(0, |usage| usage.cached_input_tokens);
        let mut blocks = Vec::with_capacity(pieces.len());
        let (mut weighed, mut counted) = (0, 0);
        for (place, piece) in pieces.into_iter().enumerate() {
            weighed += piece.weight_bytes();
            // Up to its end, so that all parts come to the whole.
            let up_to = part(tokens, weighed, weight);
            let cached = match place < kept {
                true if up_to <= read_tokens => Cached::Read,
                true => Cached::Sent,
                false => Cached::New,
            };
            blocks.push(PlanBlock {
                tokens: up_to - counted,
                cached,
                ..PlanBlock::of(piece)
            });
            counted = up_to;
        }
        Some(Self {
            version: PLAN_VERSION,
            session: state.session()?,
            step: match asked {
                true => state.attempt()?.reserved.step(),
                false => StepId(state.steps()).next(),
            },
            asked,
            model: request.model.clone(),
            window_tokens: window(state),
            bytes: blocks.iter().map(|block| block.bytes).sum(),
            tokens,
            tokens_by,
            reported,
            sums: sums(&blocks),
            blocks,
            breakpoints: Vec::new(),
            breaks: Vec::new(),
        })
    }
}

/// The window in force: what a person says, else what is known of the model.
fn window(state: &State) -> Option<u64> {
    let settings = state.settings()?;
    let of_model = settings.model_facts.as_ref();
    let of_model = of_model.and_then(|facts| facts.context_tokens);
    settings.context.window_tokens.or(of_model)
}

/// About how many tokens a request of that weight takes.
fn estimate(state: &State, before: Option<&Sent>, weight: u64) -> (u64, TokensBy) {
    match before.and_then(|sent| sent.tokens_of(weight)) {
        Some(tokens) => (tokens, TokensBy::Rate),
        None => {
            let size = RequestSize::of_bytes(weight);
            (state.next_tokens(size), TokensBy::Bytes)
        }
    }
}

/// How many blocks of a request were sent in the same place before.
fn kept(before: Option<&Sent>, request: &Request) -> usize {
    let Some(before) = before else {
        return 0;
    };
    let mut now = Hashes::default();
    now.take_in(request);
    if before.head() != now.head() {
        return 0;
    }
    let head = now.head().map_or(0, SentHead::blocks);
    head + common(before.blocks(), now.blocks())
}

/// The part of `tokens` that so much of the whole weight comes to.
fn part(tokens: u64, weighed: u64, whole: u64) -> u64 {
    let part = u128::from(tokens) * u128::from(weighed);
    let part = part.checked_div(u128::from(whole)).unwrap_or_default();
    u64::try_from(part).unwrap_or(u64::MAX)
}

fn sums(blocks: &[PlanBlock]) -> Vec<KindSum> {
    let of = |kind: BlockKind| {
        let blocks = blocks.iter().filter(|block| block.kind == kind);
        blocks.fold(None, |sum: Option<KindSum>, block| {
            let sum = sum.unwrap_or(KindSum {
                kind,
                blocks: 0,
                bytes: 0,
                tokens: 0,
            });
            Some(KindSum {
                blocks: sum.blocks + 1,
                bytes: sum.bytes + block.bytes,
                tokens: sum.tokens + block.tokens,
                ..sum
            })
        })
    };
    BlockKind::ALL.into_iter().filter_map(of).collect()
}
