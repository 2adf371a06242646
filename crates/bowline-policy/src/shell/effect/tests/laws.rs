//! Laws that hold for every command: more arguments never take a hazard away, order of options does
//! not matter, every safeguard's row is reached.
