//! A client that takes it for granted that the server may be gone in the middle of anything.

use std::{
    io::{self, Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    time::Duration,
};

/// A server that lives answers sooner, however busy the machine is.
const PATIENCE: Duration = Duration::from_secs(60);

#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    head: String,
    pub body: String,
}

impl Reply {
    /// The session's.
    pub fn cookie(&self) -> Option<String> {
        let cookies = self.fields("set-cookie").filter_map(|cookie| cookie.split(';').next());
        cookies.filter(|cookie| cookie.starts_with("paddock=")).map(str::to_owned).next()
    }

    fn fields(&self, name: &str) -> impl Iterator<Item = &str> {
        let fields = self.head.lines().filter_map(|line| line.split_once(": "));
        fields.filter(move |(given, _)| given.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    /// The operation that was begun; `None` where nothing was.
    pub fn operation(&self) -> Option<i64> {
        if self.status == 200 { self.body.trim().parse().ok() } else { None }
    }
}

/// One request, and its whole answer or none: nothing is promised by half of one.
pub fn ask(addr: SocketAddr, method: &str, path: &str, cookie: &str, body: &str) -> io::Result<Reply> {
    let mut stream = TcpStream::connect(addr)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    let accept = if path.starts_with("/api/") { "application/json" } else { "text/html" };
    // HTTP/1.0: no chunks, and the end of the answer is the end of the connection.
    write!(
        stream,
        "{method} {path} HTTP/1.0\r\nHost: {addr}\r\nAccept: {accept}\r\nCookie: {cookie}\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )?;
    let mut text = String::new();
    stream.read_to_string(&mut text)?;
    let cut_off = || io::Error::from(io::ErrorKind::UnexpectedEof);
    let (head, body) = text.split_once("\r\n\r\n").ok_or_else(cut_off)?;
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).ok_or_else(cut_off)?;
    let reply = Reply { status, head: head.to_owned(), body: body.to_owned() };
    let length = reply.fields("content-length").next().and_then(|length| length.parse().ok());
    if length.is_some_and(|length: usize| length != body.len()) { Err(cut_off()) } else { Ok(reply) }
}
