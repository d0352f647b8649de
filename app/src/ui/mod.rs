//! WHAT IS SEEN: pages and the pieces they are made of. Knows only [`domain`](crate::domain) and
//! [`api`](crate::api).
//!
//! Every page is whole without JavaScript: links, GET forms, and POST forms to server functions. In the browser
//! the same view is then hydrated, and gains what only a browser can do: changes appear by themselves
//! ([`live`]), clocks tick ([`clock`]), keys work ([`keys`]).
//!
//! | file | what it is |
//! |---|---|
//! | [`app`] | the document, the routes |
//! | [`pages`] | one file a page: its data, its layout |
//! | [`components`] | pieces that more than one page shows |
//! | [`reply`] | what the server answers to a page |
//! | [`live`], [`board`] | what the server tells by itself, and the guests as the browser knows them by that |
//! | [`overlay`] | what can lie over a page: the command palette, the list of keys |
//! | [`plot`], [`text`] | pure helpers: where a chart's lines are, what a log may show |
//! | [`theme`], [`rail`], [`status`] | what the server hands in by context |

pub mod app;
pub mod board;
pub mod clock;
pub mod components;
pub mod keys;
pub mod live;
pub mod overlay;
pub mod pages;
pub mod plot;
pub mod rail;
pub mod reply;
pub mod status;
pub mod text;
pub mod theme;
pub mod typed;
