//! I2: state changes only through `apply`.
use bowline_core::{Epoch, State};

fn main() {
    let mut state = State::new();
    state.epoch = Epoch(7);
}
