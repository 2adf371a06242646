//! Decisions as objects, from events alone.
