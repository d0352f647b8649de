//! What happens outside Paddock, brought into the same history: never twice, and with no actor but one that is known.
//!
//! ```text
//!   Proxmox ── tasks ──────────────► import ── Paddock's own? ─ no ──► operation of origin `task`, with user and log
//!   LXC, crun ── each reading ────► watch ── at rest otherwise than before? ─► observed ── did Paddock do it?
//!                                                                                └─ no ──► operation of origin `observed`
//! ```
//!
//! For the server alone: two that did this on one database would each tell the same.

mod ended;
mod import;
mod look;
mod observed;
mod ours;
mod watch;

use std::time::Duration;

use futures::future::join;

use super::{AppState, Error};
use crate::domain::guest::BackendKind;

use self::{import::Importer, observed::Observer};

pub(super) use self::watch::{Event, Watch};

/// Backends whose guests are watched for changes: nothing else tells of these.
const WATCHED: [BackendKind; 2] = [BackendKind::Lxc, BackendKind::Crun];

/// Keeps the record of what happens outside.
pub struct Outside {
    importer: Option<Importer>,
    observer: Observer,
}

impl Outside {
    /// To be called before the inventory starts: its first reading is compared to what was known when Paddock was last
    /// up.
    pub async fn begin(state: &AppState) -> Result<Self, Error> {
        let observer = Observer::begin(state).await?;
        let importer = Importer::begin(state).await?;
        Ok(Self { importer, observer })
    }

    /// With another time between two requests for Proxmox's tasks than the usual 1.3 s.
    #[must_use]
    pub fn polling(self, interval: Duration) -> Self {
        Self { importer: self.importer.map(|importer| importer.polling(interval)), ..self }
    }

    /// Until it is dropped. What is then not finished is taken up at the next start.
    pub async fn keep(self) {
        let Self { importer, observer } = self;
        let import = async {
            if let Some(importer) = importer {
                importer.keep().await;
            }
        };
        join(import, observer.keep()).await;
    }
}
