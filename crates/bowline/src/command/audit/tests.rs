//! How rows and logs look.
