//! `--image FILE`: reads images that go with a prompt, without the words that travel in them.

mod bare;

use std::io::Read as _;
use std::path::{Path, PathBuf};

use bowline_runtime::Image;

use crate::failure::Failure;

/// Images of one prompt, at most.
const IMAGES_MAX: usize = 20;

/// The largest image, in bytes: what every provider takes.
const IMAGE_BYTES_MAX: usize = 5 << 20;

/// Reads the images in the order given. Nothing is stored yet.
pub fn read(paths: &[PathBuf]) -> Result<Vec<Image>, Failure> {
    if paths.len() > IMAGES_MAX {
        return Err(Failure::usage(format!(
            "{} images are too many for one prompt: give at most {IMAGES_MAX}",
            paths.len()
        )));
    }
    paths.iter().map(|path| one(path)).collect()
}

fn one(path: &Path) -> Result<Image, Failure> {
    let cannot = |why: String| Failure::usage(format!("image {}: {why}", path.display()));
    let meta = std::fs::metadata(path).map_err(|error| cannot(error.to_string()))?;
    if !meta.is_file() {
        return Err(cannot("it is not a regular file".to_owned()));
    }
    let file = std::fs::File::open(path).map_err(|error| cannot(error.to_string()))?;
    let mut bytes = Vec::new();
    file.take(IMAGE_BYTES_MAX as u64 + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| cannot(error.to_string()))?;
    if bytes.len() > IMAGE_BYTES_MAX {
        return Err(cannot(
            "it is over 5 MiB, which no provider takes: make it smaller".to_owned(),
        ));
    }
    let media_type = media_type(&bytes).ok_or_else(|| {
        cannot("it is no PNG, JPEG, GIF or WebP (judged by its first bytes)".to_owned())
    })?;
    // What is in such words nobody sees who looks at the picture.
    let bytes = bare::bare(&bytes, media_type).ok_or_else(|| {
        cannot(format!(
            "it begins as {media_type} and is not built as one: save it anew"
        ))
    })?;
    Ok(Image {
        bytes,
        media_type: media_type.to_owned(),
    })
}

/// What an image is by its first bytes; names lie.
fn media_type(bytes: &[u8]) -> Option<&'static str> {
    match bytes {
        [0x89, b'P', b'N', b'G', 0x0d, 0x0a, 0x1a, 0x0a, ..] => Some("image/png"),
        [0xff, 0xd8, 0xff, ..] => Some("image/jpeg"),
        [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => Some("image/gif"),
        [
            b'R',
            b'I',
            b'F',
            b'F',
            _,
            _,
            _,
            _,
            b'W',
            b'E',
            b'B',
            b'P',
            ..,
        ] => Some("image/webp"),
        _ => None,
    }
}
