//! A door for fuzzing: reads a reply as a provider would, without a server, and checks what must
//! hold of any.

use std::str::FromStr as _;
use std::sync::Arc;

use bowline_core::{ModelRef, ProviderFailure};
use uuid::Uuid;

use crate::http::Scrub;
use crate::wire::{BodyReader, Voice};
use crate::{Dialect, Reply};

/// Reads the body of a reply from these pieces; `whole` says whether it ended as it should.
///
/// # Errors
/// As the provider's `ask` does.
pub fn read<'a>(
    dialect: Dialect,
    model: ModelRef,
    pieces: impl IntoIterator<Item = &'a [u8]>,
    whole: bool,
) -> Result<Reply, ProviderFailure> {
    let voice = Voice {
        model,
        deltas: Arc::new(|_| {}),
        new_id: Arc::new(|| Uuid::from_u128(1)),
    };
    let scrub = Scrub::new(vec!["sk-secret".to_owned()]);
    let mut reader = BodyReader::new(dialect.parser(voice), "http://host/v1", scrub);
    for piece in pieces {
        reader.push(piece)?;
        if reader.is_done() {
            return reader.finish();
        }
    }
    if whole {
        reader.finish()
    } else {
        let kind = bowline_core::FailureKind::Cut;
        reader.broken(ProviderFailure::new(kind, "the connection ended"))
    }
}

/// Reads a body whole, in these pieces, and broken off, and compares.
///
/// # Panics
/// When splitting changes what is read, or when a failure's message is not fit to be shown.
#[expect(clippy::panic, reason = "a finding of a fuzz run is a panic")]
pub fn check(dialect: Dialect, body: &[u8], pieces: &[&[u8]]) {
    let Ok(model) = ModelRef::from_str(&format!("{}/m-1", dialect.name())) else {
        panic!("the name of a dialect is no name of a provider");
    };
    let whole = read(dialect, model.clone(), [body], true);
    let split = read(dialect, model.clone(), pieces.iter().copied(), true);
    match (&whole, &split) {
        (Ok(one), Ok(other)) => assert_eq!(one, other, "splitting changes the reply"),
        (Err(one), Err(other)) => assert_eq!(one.kind, other.kind, "{one:?} {other:?}"),
        _ => panic!("whole: {whole:?}\nsplit: {split:?}"),
    }
    if let Err(failure) = &whole {
        let message = &failure.message;
        let fit = !message.is_empty()
            && !message.contains(char::is_control)
            && message.chars().count() < 1000;
        assert!(fit, "{message:?}");
    }
    // Broken off, the last event is not looked at: another outcome may be right, a panic is not.
    let _outcome = read(dialect, model, [body], false);
}

#[cfg(test)]
mod tests;
