//! Replies of each dialect: split anywhere they are the same; a failure is fit to be shown.

use bowline_model::{Dialect, fuzzing};

pub(crate) fn chat(data: &[u8]) {
    reply("openai-chat", data);
}

pub(crate) fn responses(data: &[u8]) {
    reply("openai", data);
}

pub(crate) fn anthropic(data: &[u8]) {
    reply("anthropic", data);
}

/// Last byte: how to split. What is before it: the body.
fn reply(name: &str, data: &[u8]) {
    let Some((seed, body)) = data.split_last() else {
        return;
    };
    let dialect = Dialect::named(name).expect("a dialect");
    fuzzing::check(dialect, body, &crate::pieces(body, *seed));
}
