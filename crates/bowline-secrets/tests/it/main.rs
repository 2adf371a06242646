//! What the crate promises, held against labelled texts and against texts that are made up.

mod corpus;
mod properties;
mod slots;
