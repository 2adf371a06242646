//! A plain HTTP client on a `TcpStream`, and a chat client that keeps its history as it should.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};

use bowline_model::scenario::Scenario;
use bowline_testkit::{Options, ScriptedServer};
use serde_json::{Map, Value, json};

pub(crate) fn start(steps: Value) -> ScriptedServer {
    start_with(steps, Options::default())
}

pub(crate) fn start_with(steps: Value, options: Options) -> ScriptedServer {
    let scenario = Scenario::from_value(json!({"version": 1, "steps": steps})).unwrap();
    ScriptedServer::start(scenario, options)
}

/// A response, with every chunk of a chunked body by itself.
pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) chunks: Vec<Vec<u8>>,
    /// Whether the body ended as its head promised.
    pub(crate) complete: bool,
}

impl Response {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.chunks.concat()).unwrap()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.chunks.concat()).unwrap()
    }

    /// The `data:` of every frame that ended, `[DONE]` included.
    pub(crate) fn frames(&self) -> Vec<String> {
        let text = self.text().replace("\r\n", "\n");
        let (ended, _torn) = text.rsplit_once("\n\n").unwrap_or_default();
        let data = |frame: &str| {
            frame
                .strip_prefix("data:")
                .map(|data| data.trim().to_owned())
        };
        ended.split("\n\n").filter_map(data).collect()
    }

    pub(crate) fn events(&self) -> Vec<Value> {
        let frames = self.frames();
        let events = frames.iter().filter(|frame| *frame != "[DONE]");
        events
            .map(|frame| serde_json::from_str(frame).unwrap())
            .collect()
    }
}

/// One keep-alive connection.
pub(crate) struct Client {
    reader: BufReader<TcpStream>,
}

impl Client {
    pub(crate) fn new(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_nodelay(true).unwrap();
        Self {
            reader: BufReader::new(stream),
        }
    }

    pub(crate) fn post(&mut self, body: &Value) -> io::Result<Response> {
        self.send(
            "POST",
            "/v1/chat/completions",
            "",
            body.to_string().as_bytes(),
        )?;
        self.receive()
    }

    pub(crate) fn send(
        &mut self,
        method: &str,
        path: &str,
        headers: &str,
        body: &[u8],
    ) -> io::Result<()> {
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: x\r\n{headers}Content-Length: {}\r\n\r\n",
            body.len()
        );
        self.write(&[head.as_bytes(), body].concat())
    }

    pub(crate) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.reader.get_mut().write_all(bytes)
    }

    /// Reads a response; an error if the connection ends before its head does.
    pub(crate) fn receive(&mut self) -> io::Result<Response> {
        let status = self.line()?;
        let status = status.split(' ').nth(1).and_then(|code| code.parse().ok());
        let mut headers = Vec::new();
        loop {
            let line = self.line()?;
            let Some((name, value)) = line.split_once(": ") else {
                break;
            };
            headers.push((name.to_ascii_lowercase(), value.to_owned()));
        }
        let status = status.ok_or(io::ErrorKind::InvalidData)?;
        let mut response = Response {
            status,
            headers,
            chunks: Vec::new(),
            complete: false,
        };
        response.complete = self.body(&mut response)?;
        Ok(response)
    }

    fn body(&mut self, response: &mut Response) -> io::Result<bool> {
        if let Some(length) = response.header("content-length") {
            let length = length.parse().unwrap();
            let mut body = Vec::new();
            self.reader.by_ref().take(length).read_to_end(&mut body)?;
            let complete = body.len() as u64 == length;
            response.chunks.push(body);
            return Ok(complete);
        }
        loop {
            let Ok(line) = self.line() else {
                return Ok(false);
            };
            let length = usize::from_str_radix(&line, 16).unwrap();
            let mut chunk = vec![0; length + 2];
            self.reader.read_exact(&mut chunk)?;
            chunk.truncate(length);
            if length == 0 {
                return Ok(true);
            }
            response.chunks.push(chunk);
        }
    }

    fn line(&mut self) -> io::Result<String> {
        let mut line = String::new();
        match self.reader.read_line(&mut line)? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            _ => Ok(line.trim_end().to_owned()),
        }
    }

    /// Reads until the bytes read hold `mark`, and not further than needed.
    pub(crate) fn read_past(&mut self, mark: &str) {
        let mut read = Vec::new();
        while !read.ends_with(mark.as_bytes()) {
            let mut byte = [0];
            self.read_exact(&mut byte);
            read.push(byte[0]);
        }
    }

    pub(crate) fn read_exact(&mut self, bytes: &mut [u8]) {
        self.reader.read_exact(bytes).unwrap();
    }

    /// Whether the server has closed its side.
    pub(crate) fn at_end(&mut self) -> bool {
        self.reader.fill_buf().is_ok_and(<[u8]>::is_empty)
    }
}

/// Puts the deltas of a stream together into the message that they describe.
pub(crate) fn assemble(events: &[Value]) -> Value {
    let mut message = Map::new();
    let mut calls: Vec<Value> = Vec::new();
    let append = |target: &mut Value, piece: &Value| {
        *target = json!(target.as_str().unwrap_or_default().to_owned() + piece.as_str().unwrap());
    };
    for event in events {
        let Some(delta) = event["choices"][0]["delta"].as_object() else {
            continue;
        };
        for (key, value) in delta {
            match key.as_str() {
                "content" | "reasoning_content" => {
                    append(message.entry(key).or_insert(json!("")), value);
                }
                "tool_calls" => {
                    let index = usize::try_from(value[0]["index"].as_u64().unwrap()).unwrap();
                    let mut piece = value[0].clone();
                    drop(piece.as_object_mut().unwrap().remove("index"));
                    if index == calls.len() {
                        calls.push(piece);
                    } else {
                        let arguments = &mut calls[index]["function"]["arguments"];
                        append(arguments, &piece["function"]["arguments"]);
                    }
                }
                _ => drop(message.insert(key.clone(), value.clone())),
            }
        }
    }
    if !calls.is_empty() {
        message.insert("tool_calls".to_owned(), json!(calls));
    }
    Value::Object(message)
}

/// A client that does what a harness does: keeps the history and answers calls.
pub(crate) struct Chat {
    pub(crate) client: Client,
    pub(crate) body: Value,
}

impl Chat {
    pub(crate) fn new(server: &ScriptedServer, tools: &[&str]) -> Self {
        let tool = |name: &&str| {
            json!({"type": "function", "function": {"name": name, "description": "d",
                "parameters": {"type": "object", "properties": {}}}})
        };
        let body = json!({
            "model": "m", "stream": true, "stream_options": {"include_usage": true},
            "messages": [{"role": "system", "content": "S"}, {"role": "user", "content": "U"}],
            "tools": tools.iter().map(tool).collect::<Value>(),
        });
        Self {
            client: Client::new(server.address()),
            body,
        }
    }

    pub(crate) fn messages(&mut self) -> &mut Vec<Value> {
        self.body["messages"].as_array_mut().unwrap()
    }

    pub(crate) fn ask(&mut self) -> Response {
        self.client.post(&self.body).unwrap()
    }

    /// Asks, keeps the reply, and answers its calls with `result`.
    pub(crate) fn step(&mut self, result: &str) -> Value {
        let response = self.ask();
        assert_eq!(response.status, 200, "{}", response.text());
        let message = match self.body["stream"] == true {
            true => assemble(&response.events()),
            false => response.json()["choices"][0]["message"].clone(),
        };
        self.messages().push(message.clone());
        for call in message["tool_calls"].as_array().into_iter().flatten() {
            let result = json!({"role": "tool", "tool_call_id": call["id"], "content": result});
            self.messages().push(result);
        }
        message
    }
}
