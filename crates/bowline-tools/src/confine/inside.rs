//! The launcher inside a network of its own: makes the proxy's listening socket there, hands it out,
//! and becomes the command.
//!
//! A socket belongs to the network that it was made in. Whoever holds one may accept on it from
//! anywhere, so the keeper needs no foot in the command's network, and no process of ours is left
//! there.

use std::ffi::OsString;
use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::net::{Ipv4Addr, TcpListener};
use std::os::fd::{AsFd as _, OwnedFd, RawFd};
use std::os::unix::process::CommandExt as _;
use std::process::Command;

use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, SocketFlags, SocketType, recvmsg, sendmsg, socketpair,
};

use crate::sandbox;

/// The word after the program's name: `bowline inside DOOR PROGRAM ARGUMENTS..`.
pub const INSIDE: &str = "inside";

/// Exit code of a launcher that could not become the command, as shells have it.
const NOT_STARTED: i32 = 126;

/// Variables that programs take a proxy from.
const PROXY_VARIABLES: [&str; 13] = [
    "HTTP_PROXY",
    "http_proxy",
    "HTTPS_PROXY",
    "https_proxy",
    "ALL_PROXY",
    "all_proxy",
    "CARGO_HTTP_PROXY",
    "PIP_PROXY",
    "npm_config_proxy",
    "npm_config_https_proxy",
    "npm_config_http_proxy",
    "YARN_HTTP_PROXY",
    "YARN_HTTPS_PROXY",
];

/// What is reached without it: the command's own loopback.
const DIRECT_VARIABLES: [&str; 3] = ["NO_PROXY", "no_proxy", "npm_config_noproxy"];
const DIRECT: &str = "localhost,127.0.0.1,::1";

/// Makes newer versions of Node.js look at those variables.
const NODE: (&str, &str) = ("NODE_USE_ENV_PROXY", "1");

/// Is the whole launcher, given what follows [`INSIDE`]. Call it first thing in `main`. Returns an
/// exit code and a sentence for stderr only if the command could not be started.
pub fn inside_main(arguments: impl IntoIterator<Item = OsString>) -> (i32, String) {
    let mut arguments = arguments.into_iter();
    let (Some(door), Some(program)) = (arguments.next(), arguments.next()) else {
        let why = "this is for Bowline's own use".to_owned();
        return (NOT_STARTED, why);
    };
    let error = match make_proxy(&door) {
        Ok(proxy) => {
            let mut command = Command::new(program);
            command.args(arguments).env(NODE.0, NODE.1);
            command.envs(PROXY_VARIABLES.map(|name| (name, &proxy)));
            command.envs(DIRECT_VARIABLES.map(|name| (name, DIRECT)));
            command.exec()
        }
        Err(error) => error,
    };
    (
        NOT_STARTED,
        format!("the command's network could not be made: {error}"),
    )
}

/// Makes the socket, hands it out and gives the address that programs find the proxy at.
fn make_proxy(door: &OsString) -> io::Result<String> {
    let door: Option<RawFd> = door.to_str().and_then(|door| door.parse().ok());
    let door = sandbox::inherited(door.ok_or(io::ErrorKind::InvalidInput)?)?;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let address = listener.local_addr()?;
    let handed = [listener.as_fd()];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    control.push(SendAncillaryMessage::ScmRights(&handed));
    sendmsg(
        &door,
        &[IoSlice::new(b"1")],
        &mut control,
        SendFlags::NOSIGNAL,
    )?;
    Ok(format!("http://{address}"))
}

/// A door for one socket: its outer and its inner side.
pub(super) fn doors() -> io::Result<(OwnedFd, OwnedFd)> {
    Ok(socketpair(
        AddressFamily::UNIX,
        SocketType::STREAM,
        SocketFlags::CLOEXEC,
        None,
    )?)
}

/// Takes the socket that a launcher hands out; `None` if there is no launcher any more.
///
/// # Errors
/// It cannot be taken.
pub(crate) fn take_listener(door: &OwnedFd) -> io::Result<Option<TcpListener>> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let mut byte = [0];
    loop {
        let taken = recvmsg(
            door,
            &mut [IoSliceMut::new(&mut byte)],
            &mut control,
            RecvFlags::CMSG_CLOEXEC,
        );
        match taken {
            Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
            Ok(_) => break,
        }
    }
    let mut handed = control.drain().flat_map(|message| match message {
        RecvAncillaryMessage::ScmRights(handed) => handed.collect(),
        _ => Vec::new(),
    });
    Ok(handed.next().map(TcpListener::from))
}
