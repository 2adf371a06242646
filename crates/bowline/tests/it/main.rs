//! The binary as a person and a script meet it: real processes, files, sockets.
#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod alarms;
mod answers;
mod approvals;
mod audit;
mod bad_input;
mod bad_replies;
mod big_output;
mod bills;
mod bound;
mod caching;
mod caps_of_all;
mod compaction;
mod confined_work;
mod context;
mod demo;
mod disks;
mod doctor;
mod endpoints;
mod escape;
mod fetch;
mod first_run;
mod grants;
mod help;
mod hostile;
mod images;
mod in_force;
mod inbox;
mod interrupt;
mod jobs;
mod kept;
mod kills;
mod listing;
mod log;
mod loops;
mod memory;
mod models;
mod named_hosts;
mod nested;
mod overrun;
mod own_shell;
mod owner;
mod parties;
mod paths;
mod portable;
mod prune;
mod questions;
mod real_task;
mod repair;
mod retries;
mod risk;
mod rules;
mod running;
mod scrub;
mod secrets;
mod sessions;
mod steering;
mod stream_json;
mod support;
mod surface;
mod switching;
mod terminal;
mod told;
mod trust;
mod usage;
mod waits;
mod why;
