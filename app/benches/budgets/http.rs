//! A browser's connection, without all that a browser adds: HTTP/1.1 on loopback, and streams of events.

use std::time::{Duration, Instant, SystemTime};

use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    net::TcpStream,
    sync::mpsc,
    task::AbortHandle,
    time::timeout,
};

/// Nothing that is waited for takes so long unless it has failed.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// What came back.
pub struct Reply {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Reply {
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// One connection that is kept, as whoever has this cookie.
pub struct Connection {
    port: u16,
    cookie: Option<String>,
    stream: BufReader<TcpStream>,
}

impl Connection {
    pub async fn open(port: u16, cookie: Option<&str>) -> Self {
        let stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        stream.set_nodelay(true).unwrap();
        Self { port, cookie: cookie.map(str::to_owned), stream: BufReader::new(stream) }
    }

    pub async fn get(&mut self, path: &str, accept: &str) -> Reply {
        self.send("GET", path, accept, None).await;
        self.reply().await
    }

    pub async fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Reply {
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        self.send("POST", path, "application/json", Some(&body)).await;
        self.reply().await
    }

    async fn send(&mut self, method: &str, path: &str, accept: &str, form: Option<&str>) {
        let host = format!("127.0.0.1:{}", self.port);
        let mut head = format!("{method} {path} HTTP/1.1\r\nHost: {host}\r\nAccept: {accept}\r\n");
        if let Some(cookie) = &self.cookie {
            head += &format!("Cookie: {cookie}\r\n");
        }
        if let Some(form) = form {
            head += &format!(
                "Origin: http://{host}\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n",
                form.len()
            );
        }
        let whole = format!("{head}\r\n{}", form.unwrap_or_default());
        self.stream.write_all(whole.as_bytes()).await.unwrap();
    }

    async fn line(&mut self) -> String {
        let mut line = String::new();
        self.stream.read_line(&mut line).await.unwrap();
        line.trim_end().to_owned()
    }

    async fn head(&mut self) -> (u16, Vec<(String, String)>) {
        let first = self.line().await;
        let status = first.split(' ').nth(1).and_then(|word| word.parse().ok()).unwrap();
        let mut headers = Vec::new();
        loop {
            let line = self.line().await;
            // One without a value is a header, too.
            let Some((name, value)) = line.split_once(':') else { break };
            headers.push((name.to_lowercase(), value.trim().to_owned()));
        }
        (status, headers)
    }

    /// One piece of a body that comes in pieces; empty is the last.
    async fn piece(&mut self) -> Vec<u8> {
        let size = usize::from_str_radix(&self.line().await, 16).unwrap_or(0);
        let mut piece = vec![0; size];
        self.stream.read_exact(&mut piece).await.unwrap();
        self.line().await;
        piece
    }

    async fn reply(&mut self) -> Reply {
        let (status, headers) = self.head().await;
        let value = |name: &str| headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
        let mut body = Vec::new();
        if let Some(length) = value("content-length") {
            body = vec![0; length.parse().unwrap()];
            self.stream.read_exact(&mut body).await.unwrap();
        } else if value("transfer-encoding") == Some("chunked") {
            loop {
                let piece = self.piece().await;
                if piece.is_empty() {
                    break;
                }
                body.extend(piece);
            }
        }
        Reply { status, headers, body }
    }
}

/// One event, and when it came.
pub struct Event {
    pub at: Instant,
    pub at_ms: i64,
    pub data: String,
}

/// `GET /events` of one open browser.
pub struct Events {
    events: mpsc::UnboundedReceiver<Event>,
    reader: AbortHandle,
}

impl Events {
    pub async fn open(port: u16, cookie: &str) -> Self {
        let mut connection = Connection::open(port, Some(cookie)).await;
        connection.send("GET", "/events", "text/event-stream", None).await;
        let (status, _) = timeout(PATIENCE, connection.head()).await.unwrap();
        assert_eq!(status, 200, "the stream of events");
        let (sender, events) = mpsc::unbounded_channel();
        let reader = tokio::spawn(async move {
            let mut text = String::new();
            loop {
                let piece = connection.piece().await;
                if piece.is_empty() {
                    break;
                }
                text.push_str(&String::from_utf8_lossy(&piece));
                while let Some((event, rest)) = text.split_once("\n\n") {
                    let lines = event.lines().filter_map(|line| line.strip_prefix("data:"));
                    let data: Vec<&str> = lines.map(str::trim_start).collect();
                    if !data.is_empty() {
                        let event = Event { at: Instant::now(), at_ms: now_ms(), data: data.join("\n") };
                        if sender.send(event).is_err() {
                            return;
                        }
                    }
                    text = rest.to_owned();
                }
            }
        });
        Self { events, reader: reader.abort_handle() }
    }

    pub async fn next(&mut self) -> Event {
        timeout(PATIENCE, self.events.recv()).await.unwrap().unwrap()
    }

    /// Forgets what has come so far.
    pub fn drain(&mut self) {
        while self.events.try_recv().is_ok() {}
    }
}

impl Drop for Events {
    fn drop(&mut self) {
        self.reader.abort();
    }
}

pub fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    i64::try_from(since.as_millis()).unwrap()
}
