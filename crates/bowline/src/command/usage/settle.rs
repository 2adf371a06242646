//! `bowline usage settle ID`: a person's word on what a model call used whose process is gone.

use bowline_core::amounts::{Amounts, dollars, grouped};
use bowline_core::usage::Usage;
use bowline_journal::{ClaimKey, Store};
use bowline_runtime::Clock;

use super::open::{self, Open};
use crate::args::SettleUsage;
use crate::command::answer::refuse_under_a_keeper;
use crate::command::find::fits;
use crate::failure::{Failure, named};
use crate::print;

pub fn run(store: &Store, args: &SettleUsage) -> Result<u8, Failure> {
    refuse_under_a_keeper()?;
    let (open, key) = find(store, &args.attempt)?;
    if let Some(held) = store.owner(open.session)? {
        let who = held.owner.as_ref();
        let who = who.map_or_else(|| "another process".to_owned(), named);
        return Err(Failure::usage(format!(
            "session {} is owned by {who}, which settles it itself",
            open.session.short()
        )));
    }
    let took = took(store, &open, args)?;
    let ledger = store.ledger();
    if !ledger.settle(key, took, Clock::system().now_ms())? {
        return Err(Failure::usage(format!(
            "{} was settled meanwhile",
            open.short()
        )));
    }
    print::line(&format!(
        "settled: {} {} took {} tokens in, {} out, {}; set aside were {}, {}, {}",
        open.kind,
        open.short(),
        grouped(took.input_tokens),
        grouped(took.output_tokens),
        dollars(took.cost_micro_usd),
        grouped(open.amounts.input_tokens),
        grouped(open.amounts.output_tokens),
        dollars(open.amounts.cost_micro_usd),
    ));
    Ok(0)
}

/// What is set aside in the ledger whose id begins or ends with `text`.
fn find(store: &Store, text: &str) -> Result<(Open, ClaimKey), Failure> {
    let (all, _) = open::gather(store, &[])?;
    let known = all.into_iter().filter_map(|open| {
        let key = open.claim?;
        fits(text, &open.id).then_some((open, key))
    });
    let mut found: Vec<(Open, ClaimKey)> = known.collect();
    match found.len() {
        0 => Err(Failure::usage(format!(
            "nothing is set aside under `{text}`: `bowline usage --open` lists what is"
        ))),
        1 => Ok(found.remove(0)),
        _ => Err(Failure::usage(format!(
            "`{text}` fits several: give more digits"
        ))),
    }
}

/// What it took, in a person's words. Money that is not told is what the tokens cost at the price
/// of the session; where that is not known, all that was set aside.
fn took(store: &Store, open: &Open, args: &SettleUsage) -> Result<Amounts, Failure> {
    let (Some(input_tokens), Some(output_tokens)) = (args.tokens_in, args.tokens_out) else {
        return Ok(Amounts::ZERO);
    };
    let usage = Usage {
        input_tokens,
        output_tokens,
        ..Usage::default()
    };
    let cost_micro_usd = match &args.usd {
        Some(text) => micro_usd(text)?,
        None => {
            let state = store
                .read_only(open.session)
                .and_then(|it| it.read_intact());
            let state = state.ok().map(|intact| intact.state());
            let price = state.and_then(|state| state.settings()?.price());
            price.map_or(open.amounts.cost_micro_usd, |price| {
                price.cost_micro_usd(&usage)
            })
        }
    };
    Ok(Amounts {
        cost_micro_usd,
        steps: open.amounts.steps,
        tool_calls: open.amounts.tool_calls,
        ..Amounts::tokens(&usage)
    })
}

fn micro_usd(text: &str) -> Result<u64, Failure> {
    let amount = bowline_runtime::usage::export::scaled(text, 6);
    amount.ok_or_else(|| Failure::usage(format!("--usd: `{text}` is no amount")))
}
