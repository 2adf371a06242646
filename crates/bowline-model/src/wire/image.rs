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
