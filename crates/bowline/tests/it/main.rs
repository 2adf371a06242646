//! The binary as a person and a script meet it: real processes, files, sockets.

mod bad_input;
mod demo;
mod interrupt;
mod listing;
mod real_task;
mod secrets;
mod sessions;
mod support;
mod surface;
