//! The way into the session for everything a tool gives back: masked once, capped once.

use std::borrow::Cow;
use std::io::Read as _;
use std::path::Path;

use bowline_core::call::{BlobRef, Outcome};
use bowline_core::context::caps;
use bowline_core::{ContextText, Origin};
use bowline_secrets::Masker;
use bowline_tools::Finish;

use crate::Error;
use crate::session::Session;

/// The most of a full output that is kept as a blob, in bytes (the keeper's spool is bounded at
/// about this size, too).
const BLOB_BYTES_MAX: u64 = 16 << 20;

/// Makes the recorded outcome of a call: masks its texts, stores what is over the cap, cuts what
/// the model reads.
pub(crate) async fn outcome(
    session: &mut Session,
    masker: &Masker,
    origin: Origin,
    finish: Finish,
    duration_ms: u64,
) -> Result<Outcome, Error> {
    let blob = match &finish.full_output {
        Some(path) => whole_output(session, masker, path).await?,
        None => None,
    };
    let text = match finish.is_masked {
        true => Cow::Borrowed(finish.text.as_str()),
        false => masker.mask(&finish.text).text,
    };
    let (content, blob) = admit_masked(session, origin, text.into_owned(), blob).await?;
    let mut effect = finish.effect;
    for change in &mut effect.files {
        change.diff = masker.mask(&change.diff).text.into_owned();
    }
    Ok(Outcome {
        status: finish.status,
        content,
        summary: masker.mask(&finish.summary).text.into_owned(),
        blob,
        effect,
        exit_code: finish.exit_code,
        sandbox_denied: finish.sandbox_denied,
        denied: finish.denied,
        duration_ms,
    })
}

/// Masks a text and cuts it to the cap for tool results; what is over the cap is stored first.
pub(crate) async fn admit(
    session: &mut Session,
    masker: &Masker,
    origin: Origin,
    text: &str,
    blob: Option<BlobRef>,
) -> Result<(ContextText, Option<BlobRef>), Error> {
    let text = masker.mask(text).text.into_owned();
    admit_masked(session, origin, text, blob).await
}

/// As [`admit`], for a text that is masked already.
async fn admit_masked(
    session: &mut Session,
    origin: Origin,
    text: String,
    blob: Option<BlobRef>,
) -> Result<(ContextText, Option<BlobRef>), Error> {
    let over = text.len() > caps::TOOL_RESULT_BYTES;
    let blob = match blob {
        None if over => Some(
            session
                .journal_mut()
                .put_blob(text.clone().into_bytes())
                .await?,
        ),
        other => other,
    };
    let handle = blob.map(|blob| blob.handle());
    let text = match (&handle, over) {
        (Some(handle), false) => {
            format!("{text}\n[the whole output is at {handle}, which `read` pages]")
        }
        _ => text,
    };
    Ok((
        ContextText::admit(origin, text, caps::TOOL_RESULT_BYTES, handle.as_deref()),
        blob,
    ))
}

async fn whole_output(
    session: &mut Session,
    masker: &Masker,
    path: &Path,
) -> Result<Option<BlobRef>, Error> {
    let mut bytes = Vec::new();
    let read = std::fs::File::open(path)
        .and_then(|file| file.take(BLOB_BYTES_MAX).read_to_end(&mut bytes));
    if read.is_err() || bytes.is_empty() {
        // The model still has head and tail; a missing spool is not worth failing the call for.
        return Ok(None);
    }
    let text = String::from_utf8_lossy(&bytes);
    let masked = masker.mask(&text).text.into_owned().into_bytes();
    Ok(Some(session.journal_mut().put_blob(masked).await?))
}
