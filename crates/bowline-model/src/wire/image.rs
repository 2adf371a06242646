//! Images beside words: their bytes as text, or a word in their place.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bowline_core::message::ImageRef;

use super::Around;

/// What there is to send of an image.
pub(crate) enum Image {
    /// Its media type, and its bytes in base64.
    There(String, String),
    /// Words for the model: it cannot be shown.
    Missing(String),
}

/// Media types that every API takes.
const MEDIA_TYPES: [&str; 4] = ["image/png", "image/jpeg", "image/gif", "image/webp"];

/// Tokens that an image takes at most with OpenAI. By the published rules the models that divide
/// an image into tiles take 85 and 170 for each of at most 8, the one below a multiple of that;
/// those that divide it into patches take up to 1,536 or 2,500 patches times at most 2.46, and
/// 10,000 times 1.2 only at a detail that is not asked for here: that is the bound for all.
pub(crate) fn openai_tokens(model: &str) -> u64 {
    /// 2,833 and 5,667 for each of 8 tiles.
    const MINI: u64 = 48_169;
    const OTHERS: u64 = 12_000;
    if model.contains("gpt-4o-mini") {
        MINI
    } else {
        OTHERS
    }
}

/// Tokens that an image takes at most with a compatible server: what the largest of the open
/// models allow by default, for OpenAI's own names what those take.
pub(crate) fn compatible_tokens(model: &str) -> u64 {
    const OPEN_MODELS: u64 = 16_384;
    openai_tokens(model).max(OPEN_MODELS)
}

/// Looks an image up.
pub(crate) fn image(image: &ImageRef, around: &Around<'_>) -> Image {
    let media_type = image.media_type.as_str();
    let there = around.images.get(&image.blob.digest);
    match there.filter(|bytes| !bytes.is_empty()) {
        Some(bytes) if MEDIA_TYPES.contains(&media_type) => {
            Image::There(media_type.to_owned(), STANDARD.encode(bytes))
        }
        Some(_) => Image::Missing("(an image of an unknown kind is left out)".to_owned()),
        None => Image::Missing(format!(
            "(an image is missing here: {} could not be read)",
            image.blob.handle()
        )),
    }
}

/// Writes the bytes of an image, and notes where they stand: they are no text.
pub(crate) fn push_base64(body: &mut Vec<u8>, base64: &str, around: &Around<'_>) {
    let start = body.len();
    body.extend_from_slice(base64.as_bytes());
    around.pictures.borrow_mut().push(start..body.len());
}
