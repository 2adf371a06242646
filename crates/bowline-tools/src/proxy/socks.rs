//! A client that speaks SOCKS5: connections only, no names and passwords.

use std::io::{self, Write as _};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use bowline_core::contact::Via;
use bowline_core::{Connection, Host};

use super::book::Way;
use super::dial::{NoLine, dial};
use super::relay::Pair;
use super::source::Source;
use super::{Shared, close, http};

/// The first byte of all that a client says.
pub(super) const VERSION: u8 = 5;

const NO_PASSWORD: u8 = 0;
const NO_METHOD: u8 = 0xff;
const CONNECT: u8 = 1;

const OF_V4: u8 = 1;
const OF_NAME: u8 = 3;
const OF_V6: u8 = 4;

/// What is answered.
#[derive(Debug, Clone, Copy)]
#[repr(u8)]
enum Reply {
    Connected = 0,
    Failed = 1,
    NotAllowed = 2,
    HostUnreachable = 4,
    Refused = 5,
    NoSuchCommand = 7,
    NoSuchAddress = 8,
}

/// Serves one client to its end.
pub(super) fn serve(shared: &Shared, mut source: Source) {
    match asked(&mut source) {
        Ok(Asked::For(host, port)) => {
            // A client that fails is gone, and so is what was for it.
            let _served = connect(shared, source, &host, port);
        }
        Ok(Asked::Badly(reply, host)) => {
            if let Some((host, why)) = host {
                shared.book.refuse(Connection {
                    via: Via::Socks,
                    ..http::unread(host, &why)
                });
            }
            let _told = answer(&source, reply);
            close(source.stream());
        }
        Err(_) => close(source.stream()),
    }
}

/// What a client asked for.
enum Asked {
    For(Host, u16),
    /// What it cannot have, with the host that could not be read and why.
    Badly(Reply, Option<(String, String)>),
}

fn asked(source: &mut Source) -> io::Result<Asked> {
    let greeting = source.take(2)?;
    let methods = source.take(greeting[1].into())?;
    if !methods.contains(&NO_PASSWORD) {
        (&mut source.stream()).write_all(&[VERSION, NO_METHOD])?;
        return Err(io::ErrorKind::PermissionDenied.into());
    }
    (&mut source.stream()).write_all(&[VERSION, NO_PASSWORD])?;
    let request = source.take(4)?;
    if request[0] != VERSION || request[2] != 0 {
        return Ok(Asked::Badly(Reply::Failed, None));
    }
    let host = match request[3] {
        OF_V4 => {
            let bytes: [u8; 4] = whole(source)?;
            Ok(Host::from(IpAddr::V4(Ipv4Addr::from(bytes))))
        }
        OF_V6 => {
            let bytes: [u8; 16] = whole(source)?;
            Ok(Host::from(IpAddr::V6(Ipv6Addr::from(bytes))))
        }
        OF_NAME => {
            let [length] = whole(source)?;
            let name = source.take(length.into())?;
            let name = String::from_utf8_lossy(&name).into_owned();
            Host::parse(&name).map_err(|error| (name, error.to_string()))
        }
        _ => return Ok(Asked::Badly(Reply::NoSuchAddress, None)),
    };
    let port = u16::from_be_bytes(whole(source)?);
    if request[1] != CONNECT {
        return Ok(Asked::Badly(Reply::NoSuchCommand, None));
    }
    Ok(match host {
        Ok(host) => Asked::For(host, port),
        Err(unread) => Asked::Badly(Reply::NotAllowed, Some(unread)),
    })
}

fn connect(shared: &Shared, source: Source, host: &Host, port: u16) -> io::Result<()> {
    let dialled = match dial(shared, host, port, Via::Socks) {
        Ok(dialled) => dialled,
        Err(why) => {
            let told = answer(&source, reply_to(&why));
            close(source.stream());
            return told;
        }
    };
    answer(&source, Reply::Connected)?;
    let (client, early) = source.into_parts();
    Pair::new(client, dialled, &shared.limits)?.run(|pair| {
        pair.write(Way::Out, &early)?;
        pair.copy(Way::Out)
    });
    Ok(())
}

fn reply_to(why: &NoLine) -> Reply {
    match why {
        NoLine::Refused(_) => Reply::NotAllowed,
        NoLine::Unreachable(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
            Reply::Refused
        }
        NoLine::Unknown(_) | NoLine::Unreachable(_) => Reply::HostUnreachable,
        NoLine::Over => Reply::Failed,
    }
}

/// A reply; which address it was dialled from is nobody's business.
fn answer(source: &Source, reply: Reply) -> io::Result<()> {
    let bytes = [VERSION, reply as u8, 0, OF_V4, 0, 0, 0, 0, 0, 0];
    (&mut source.stream()).write_all(&bytes)
}

fn whole<const COUNT: usize>(source: &mut Source) -> io::Result<[u8; COUNT]> {
    let bytes = source.take(COUNT)?;
    bytes
        .try_into()
        .map_err(|_| io::ErrorKind::UnexpectedEof.into())
}
