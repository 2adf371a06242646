//! The scripted server over real sockets.

#[cfg(test)]
mod client;
#[cfg(test)]
mod counting;
#[cfg(test)]
mod faults;
#[cfg(test)]
mod history;
#[cfg(test)]
mod replies;
