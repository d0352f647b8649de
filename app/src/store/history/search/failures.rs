//! Operations whose failure holds a text: through the lists of those that failed, by an index of words, or one by one.

use super::{
    super::{
        plan::{Axis, Cost, Source},
        words::{Part, Query},
    },
    Search, count,
};
use crate::{domain::history::Cursor, store::StoreError};

/// So many failures that hold the text are looked at one by one.
const FEW: i64 = 5000;

/// How the failures that hold the text are found.
#[derive(Debug, Clone)]
pub(super) enum Way {
    /// Through the lists of operations that failed.
    Lists(Axis),
    /// By the index of their words.
    Words(String),
    /// One by one, newest first.
    All,
}

impl Search<'_> {
    /// Of a source of failures: that the failure of the row `x` holds the text.
    pub(super) fn push_failed(&self, query: &mut Query<'_>, source: Source) {
        if let (Part::Failed, Some(needle)) = (source.kinds, &self.wanted.needle) {
            query.push(" AND EXISTS (SELECT 1 FROM history_failures AS f WHERE f.id = x.id AND");
            needle.push_failure(query);
            query.push(")");
        }
    }

    /// Those whose failure holds the text.
    pub(super) async fn failures(&mut self, way: Way) -> Result<Vec<Cursor>, StoreError> {
        let Some(needle) = self.wanted.needle.clone() else { return Ok(Vec::new()) };
        let mut query = Query::new("SELECT f.started_ms, f.id FROM ");
        match way {
            Way::Lists(axis) => return self.lists(Source { kinds: Part::Failed, ..Source::ALL }, axis).await,
            Way::Words(phrase) => {
                query.push("history_words AS w CROSS JOIN history_failures AS f ON f.id = w.rowid ");
                query.push("CROSS JOIN history AS x ON x.id = f.id WHERE history_words MATCH ");
                query.push_bind(phrase).push(" AND");
            }
            Way::All => {
                query.push("history_failures AS f INDEXED BY history_failures_by_time ");
                query.push("CROSS JOIN history AS x ON x.id = f.id WHERE");
            }
        }
        self.bounds.push(&mut query, "f");
        query.push(" AND");
        needle.push_failure(&mut query);
        self.push_asked(&mut query, Source::ALL, None);
        query.push(" ORDER BY f.started_ms DESC, f.id DESC LIMIT ").push_bind(count(self.limit));
        self.places(query).await
    }

    pub(super) async fn plan_failures(&mut self, span: i64) -> Result<(Way, Cost), StoreError> {
        let failed = Source { kinds: Part::Failed, ..Source::ALL };
        let all = self.failed().await?.min(span);
        let phrase = self.phrase("history_words_terms").await?;
        let holding = match &phrase {
            Some(phrase) => Some(self.holding(phrase).await?),
            None => None,
        };
        let all = match holding {
            // Nothing else is asked, so that so many of all are found soon.
            Some(holding) if holding > FEW && !self.wanted.asks_more_than_text() => {
                Cost::text(all.min(count(self.limit).saturating_mul(all) / holding))
            }
            _ => Cost::text(all),
        };
        let (axis, lists) = self.cheapest(failed, span).await?;
        let mut ways = vec![(Way::Lists(axis), lists), (Way::All, all)];
        if let (Some(phrase), Some(holding)) = (phrase, holding)
            && holding <= FEW
        {
            ways.push((Way::Words(phrase), Cost::found(holding)));
        }
        let cheapest = ways.into_iter().min_by_key(|(_, cost)| cost.sum());
        Ok(cheapest.unwrap_or((Way::All, all)))
    }

    /// How many failures hold the text, as far as they are [`FEW`].
    async fn holding(&mut self, phrase: &str) -> Result<i64, StoreError> {
        let mut query =
            Query::new("SELECT count(*) FROM (SELECT 1 FROM history_words WHERE history_words MATCH ");
        query.push_bind(phrase).push(" LIMIT ").push_bind(FEW + 1).push(")");
        Ok(query.build_query_scalar().fetch_one(&mut *self.connection).await?)
    }

    /// How many operations can have a failure.
    async fn failed(&mut self) -> Result<i64, StoreError> {
        let question = "SELECT coalesce(sum(n), 0) FROM history_kinds WHERE state NOT IN ('planned', 'running', 'succeeded')";
        Ok(Query::new(question).build_query_scalar().fetch_one(&mut *self.connection).await?)
    }
}
