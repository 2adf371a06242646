//! A model server that asks for one file after another.

use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde_json::json;

use super::measure::Sample;

/// How long the binary may take for one step.
const STEP: Duration = Duration::from_secs(60);

/// The server; serves one client, connection after connection.
pub(super) struct Server {
    listener: TcpListener,
    steps: usize,
    files: usize,
}

impl Server {
    /// # Errors
    /// When loopback has no free port.
    pub(super) fn start(steps: usize, files: usize) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        listener.set_nonblocking(true)?;
        Ok(Self {
            listener,
            steps,
            files,
        })
    }

    /// Where the model is asked.
    pub(super) fn base_url(&self) -> String {
        let port = self
            .listener
            .local_addr()
            .map_or(0, |address| address.port());
        format!("http://127.0.0.1:{port}/v1")
    }

    /// Answers until the last step was; gives what `process` had used when each request was there.
    ///
    /// # Errors
    /// When the client goes away before, or sends nothing for a minute.
    pub(super) fn serve(&self, process: u32) -> Result<Vec<Sample>> {
        let mut samples = Vec::new();
        let mut bytes = 0;
        while samples.len() <= self.steps {
            let stream = self.accept()?;
            stream.set_nonblocking(false)?;
            stream.set_nodelay(true)?;
            stream.set_read_timeout(Some(STEP))?;
            let mut reader = BufReader::with_capacity(1 << 16, stream);
            while let Some(length) = request(&mut reader)? {
                bytes += length;
                let number = samples.len();
                samples.push(Sample::of(process, bytes)?);
                let answer = self.answer(number, length);
                reader.get_mut().write_all(answer.as_bytes())?;
                if number == self.steps {
                    return Ok(samples);
                }
            }
        }
        Ok(samples)
    }

    fn accept(&self) -> Result<TcpStream> {
        let deadline = Instant::now() + STEP;
        loop {
            match self.listener.accept() {
                Ok((stream, _)) => return Ok(stream),
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    if Instant::now() > deadline {
                        bail!("nobody asked for a minute");
                    }
                    std::thread::sleep(Duration::from_millis(2));
                }
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// A reply that asks for a file, or the last one.
    fn answer(&self, number: usize, length: u64) -> String {
        let delta = if number < self.steps {
            let arguments = json!({ "path": format!("f{}.txt", number * 7 % self.files) });
            json!({ "content": format!("Step {number}: the next file."), "tool_calls": [{
                "index": 0, "id": format!("call_{number}"), "type": "function",
                "function": { "name": "read", "arguments": arguments.to_string() } }] })
        } else {
            json!({ "content": "That was all." })
        };
        let finish = if number < self.steps {
            "tool_calls"
        } else {
            "stop"
        };
        let input = length / 4;
        let frames = [
            json!({ "choices": [{ "index": 0, "delta": delta }] }),
            json!({ "choices": [{ "index": 0, "delta": {}, "finish_reason": finish }] }),
            json!({ "choices": [], "usage": { "prompt_tokens": input, "completion_tokens": 40,
                "total_tokens": input + 40 } }),
        ];
        let mut body = String::new();
        for frame in frames {
            body.push_str(&format!("data: {frame}\n\n"));
        }
        body.push_str("data: [DONE]\n\n");
        format!(
            "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        )
    }
}

/// Reads one request and gives the length of its body; `None` if the client has closed.
fn request(reader: &mut BufReader<TcpStream>) -> Result<Option<u64>> {
    let mut line = String::new();
    let mut length = 0_u64;
    loop {
        line.clear();
        if reader.read_line(&mut line)? == 0 {
            return Ok(None);
        }
        if line.trim().is_empty() {
            break;
        }
        if let Some((name, value)) = line.split_once(':')
            && name.eq_ignore_ascii_case("content-length")
        {
            length = value.trim().parse().context("a length that is no number")?;
        }
    }
    let read = std::io::copy(&mut reader.by_ref().take(length), &mut std::io::sink())?;
    if read < length {
        bail!("a request broke off after {read} of {length} bytes");
    }
    Ok(Some(length))
}
