//! Large bodies of a session, found by the handle the model was given.

use std::path::PathBuf;

use bowline_core::call::BlobRef;
use bowline_journal::ReadOnly;
use bowline_tools::tool::Blobs;

/// Reads bodies of one session.
pub struct BlobFolder(ReadOnly);

impl BlobFolder {
    /// The bodies of the session that `reader` reads.
    pub const fn new(reader: ReadOnly) -> Self {
        Self(reader)
    }
}

impl Blobs for BlobFolder {
    fn find(&self, handle: &str) -> Result<(PathBuf, BlobRef), String> {
        let prefix = handle.strip_prefix("blob:").unwrap_or(handle);
        match self.0.find_blob(prefix) {
            Ok(Some(found)) => Ok(found),
            Ok(None) => Err(format!(
                "there is no stored output {handle} in this session"
            )),
            Err(error) => Err(error.to_string()),
        }
    }
}
