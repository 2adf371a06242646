//! Turns a batch of events into the bytes of its records; pure but for the salts.

use bowline_core::{Epoch, Event, Fact, Receipt};

use crate::edge::Salts;
use crate::record::Chain;

/// A batch as it will be written.
pub(crate) struct Staged {
    /// Where the chain stands after it.
    pub(crate) chain: Chain,
    /// Where each event will lie.
    pub(crate) receipts: Vec<Receipt>,
    /// The lines.
    pub(crate) bytes: Vec<u8>,
}

/// Stages `batch` after `chain`. The sentence of an error says why it cannot be written.
///
/// The epoch in force after the batch must be `epoch`: a writer that was overtaken, or that forgot
/// to record its take-over, is stopped here.
pub(crate) fn stage(
    mut chain: Chain,
    epoch: Epoch,
    batch: &[Event],
    salts: Salts,
) -> Result<Staged, String> {
    let salts = salts
        .take(chain.seq.0 + 1, batch.len())
        .map_err(|error| format!("the system gave no random bytes: {error}"))?;
    let mut bytes = Vec::new();
    let mut receipts = Vec::with_capacity(batch.len());
    for (event, salt) in batch.iter().zip(salts) {
        if let Fact::OwnerChanged(owner) = &event.fact
            && owner.epoch <= chain.epoch
        {
            let (next, now) = (owner.epoch, chain.epoch);
            return Err(format!(
                "epoch {next} cannot begin: epoch {now} is in force"
            ));
        }
        let receipt = chain
            .extend(event, salt, &mut bytes)
            .map_err(|error| format!("{} cannot be written: {error}", event.fact.kind()))?;
        receipts.push(receipt);
    }
    if chain.epoch != epoch {
        let now = chain.epoch;
        return Err(format!(
            "a batch came under epoch {epoch}, but epoch {now} is in force"
        ));
    }
    Ok(Staged {
        chain,
        receipts,
        bytes,
    })
}
