//! Model calls become rows: what was set aside, what was used, what is charged.

use bowline_core::amounts::Amounts;
use bowline_core::event::{AttemptFailed, AttemptReserved, ModelReplied};
use bowline_core::request::RequestSize;
use bowline_core::state::REQUEST_OVERHEAD_TOKENS;
use bowline_core::{CallId, Fact, OutcomeStatus, ProviderFailure, Receipt, Usage};
use rusqlite::{OptionalExtension as _, Row, params};

use super::Rows;
use crate::index::usage::clamped;

/// An attempt without an outcome: where its row is, and its worst case.
#[derive(Clone, Copy)]
pub(super) struct OpenRow {
    seq: u64,
    at_ms: u64,
    worst: Amounts,
}

/// How an attempt came out.
struct Outcome<'a> {
    name: &'static str,
    usage: Option<Usage>,
    charged: Amounts,
    request_id: Option<&'a str>,
    /// How many calls the reply asked for.
    asked: usize,
}

impl Rows<'_> {
    pub(super) fn add_attempt(
        &mut self,
        receipt: &Receipt,
        at_ms: u64,
        reserved: &AttemptReserved,
    ) -> rusqlite::Result<()> {
        let worst = reserved.worst();
        let size = reserved.size();
        let evidence = self.evidence(size, worst.input_tokens)?;
        let mut insert = self.db.prepare_cached(
            "insert into attempts (session, seq, attempt, step, try_number, at_ms, model, \
             project, priced, evidence, reserved_tokens, reserved_input_tokens, \
             reserved_micro_usd, request_bytes, request_bound, turn, outcome) \
             values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, 'open')",
        )?;
        insert.execute(params![
            self.session,
            receipt.seq.0,
            reserved.attempt().to_string(),
            reserved.step().0,
            reserved.try_number(),
            at_ms,
            self.model,
            self.project,
            self.is_priced,
            evidence,
            clamped(reserved.reserved_tokens()),
            clamped(worst.input_tokens),
            clamped(worst.cost_micro_usd),
            size.map(|size| clamped(size.bytes)),
            size.map(|size| clamped(size.tokens_bound)),
            self.turn,
        ])?;
        let seq = receipt.seq.0;
        let open = OpenRow { seq, at_ms, worst };
        self.open.insert(reserved.attempt().to_string(), open);
        Ok(())
    }

    /// What the bound on an input rests on, as far as it can be told from what was recorded.
    fn evidence(&self, size: Option<RequestSize>, bound: u64) -> rusqlite::Result<&'static str> {
        let Some(size) = size else {
            return Ok("weight");
        };
        let sql = "select model, request_bound, input_tokens from attempts where session = ?1 \
                   and outcome = 'replied' and reported = 1 order by seq desc limit 1";
        let read = |row: &Row<'_>| {
            let base: (String, Option<u64>, u64) = (row.get(0)?, row.get(1)?, row.get(2)?);
            Ok(base)
        };
        let mut select = self.db.prepare_cached(sql)?;
        let base = select.query_row([&self.session], read).optional()?;
        let base = base.filter(|(model, ..)| *model == self.model);
        let added = base.and_then(|(_, base_bound, input_tokens)| {
            let added = size.tokens_bound.checked_sub(base_bound?)?;
            Some(input_tokens.saturating_add(added))
        });
        let (name, least) = match added {
            Some(least) => ("prefix", least),
            None => ("whole", size.tokens_bound + REQUEST_OVERHEAD_TOKENS),
        };
        Ok(if bound < least { "counted" } else { name })
    }

    pub(super) fn fail_attempt(&mut self, failed: &AttemptFailed) -> rusqlite::Result<()> {
        let attempt = failed.attempt.to_string();
        let Some(open) = self.open_row(&attempt)? else {
            return Ok(());
        };
        let failure = &failed.failure;
        let charged = failed.charged;
        let outcome = Outcome {
            name: "failed",
            usage: failure.usage,
            charged: charged.unwrap_or_else(|| charged_once(&open.worst, failure)),
            request_id: None,
            asked: 0,
        };
        self.settle(&open, &outcome)
    }

    pub(super) fn add_reply(&mut self, replied: &ModelReplied) -> rusqlite::Result<()> {
        let attempt = replied.attempt.to_string();
        let open = self.open_row(&attempt)?;
        let at_ms = open.map_or(0, |open| open.at_ms);
        for (place, call) in replied.message.calls().enumerate() {
            self.tools.insert(call.id, call.name.clone());
            let mut insert = self.db.prepare_cached(
                "insert or ignore into calls (session, call, attempt, at_ms, place, tool) \
                 values (?1, ?2, ?3, ?4, ?5, ?6)",
            )?;
            let id = call.id.to_string();
            insert.execute(params![self.session, id, attempt, at_ms, place, call.name])?;
        }
        let Some(open) = open else {
            return Ok(());
        };
        let usage = replied.usage;
        let charged = replied.charged.unwrap_or_else(|| {
            usage
                .as_ref()
                .map_or(without_money(&open.worst), Amounts::tokens)
        });
        let outcome = Outcome {
            name: "replied",
            usage,
            charged,
            request_id: replied.request_id.as_deref(),
            asked: replied.message.calls().count(),
        };
        self.settle(&open, &outcome)
    }

    /// An attempt without an outcome, of these events or of earlier ones.
    fn open_row(&mut self, attempt: &str) -> rusqlite::Result<Option<OpenRow>> {
        if let Some(open) = self.open.remove(attempt) {
            return Ok(Some(open));
        }
        let sql = "select seq, at_ms, reserved_tokens, reserved_input_tokens, reserved_micro_usd \
                   from attempts where session = ?1 and attempt = ?2 and outcome = 'open'";
        let read = |row: &Row<'_>| {
            let (tokens, input_tokens): (u64, u64) = (row.get(2)?, row.get(3)?);
            Ok(OpenRow {
                seq: row.get(0)?,
                at_ms: row.get(1)?,
                worst: Amounts {
                    input_tokens,
                    output_tokens: tokens.saturating_sub(input_tokens),
                    cost_micro_usd: row.get(4)?,
                    ..Amounts::ZERO
                },
            })
        };
        let mut select = self.db.prepare_cached(sql)?;
        select
            .query_row(params![self.session, attempt], read)
            .optional()
    }

    fn settle(&self, open: &OpenRow, outcome: &Outcome<'_>) -> rusqlite::Result<()> {
        let mut update = self.db.prepare_cached(
            "update attempts set outcome = ?3, reported = ?4, input_tokens = ?5, \
             cached_input_tokens = ?6, output_tokens = ?7, reasoning_tokens = ?8, \
             cache_write_tokens = ?9, charged_input_tokens = ?10, charged_output_tokens = ?11, \
             charged_micro_usd = ?12, request_id = ?13, asked = ?14 where session = ?1 and seq = ?2",
        )?;
        let usage = outcome.usage.unwrap_or_default();
        update.execute(params![
            self.session,
            open.seq,
            outcome.name,
            outcome.usage.is_some(),
            clamped(usage.input_tokens),
            clamped(usage.cached_input_tokens),
            clamped(usage.output_tokens),
            clamped(usage.reasoning_tokens),
            clamped(usage.cache_write_tokens),
            clamped(outcome.charged.input_tokens),
            clamped(outcome.charged.output_tokens),
            clamped(outcome.charged.cost_micro_usd),
            outcome.request_id,
            outcome.asked,
        ])?;
        Ok(())
    }

    /// Counts the text that the result of a call brought into the conversation.
    pub(super) fn add_result(&self, fact: &Fact) -> rusqlite::Result<()> {
        let Some((call, text_bytes)) = result_of(fact) else {
            return Ok(());
        };
        let mut update = self.db.prepare_cached(
            "update calls set result_bytes = result_bytes + ?3, failed = ?4 \
             where session = ?1 and call = ?2",
        )?;
        let bytes = clamped(u64::try_from(text_bytes).unwrap_or(u64::MAX));
        let failed = has_failed(fact);
        update.execute(params![self.session, call.to_string(), bytes, failed])?;
        Ok(())
    }
}

/// The call that a fact gives a result, and the bytes of its text.
fn result_of(fact: &Fact) -> Option<(CallId, usize)> {
    match fact {
        Fact::CallFinished(it) => Some((it.call, it.outcome.content.text().len())),
        Fact::CallFailed(it) => Some((it.call, it.error.text().len())),
        Fact::CallRejected(it) => Some((it.call, it.error.text().len())),
        Fact::CallInDoubt(it) => Some((it.call, it.told.text().len())),
        Fact::WaitEnded(it) => Some((it.call, it.told.text().len())),
        _ => None,
    }
}

/// Whether a result says that the call failed, or ended with an error.
fn has_failed(fact: &Fact) -> bool {
    match fact {
        Fact::CallFinished(it) => it.outcome.status == OutcomeStatus::Error,
        Fact::CallFailed(_) | Fact::CallRejected(_) => true,
        _ => false,
    }
}

/// What older records, which do not say it and know no prices, charge for a failed try.
fn charged_once(worst: &Amounts, failure: &ProviderFailure) -> Amounts {
    let worst = without_money(worst);
    let used = failure.usage.as_ref().map(Amounts::tokens);
    match used {
        Some(used) if failure.kind.came_to_an_end() => used,
        Some(used) if failure.kind.may_have_cost() => worst.at_least(&used),
        Some(used) => used,
        None if failure.kind.may_have_cost() => worst,
        None => Amounts::ZERO,
    }
}

fn without_money(amounts: &Amounts) -> Amounts {
    Amounts {
        cost_micro_usd: 0,
        ..*amounts
    }
}
