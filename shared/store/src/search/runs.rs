//! Rows that are equal in a walked field, which the fields after it order.
//!
//! A few are read and ordered in memory. Of more, the ids are kept while the next field is walked. Of still more, each
//! row that this meets is read. So the cost grows with the root of the directory at worst.

use std::sync::Arc;

use domain::Error;
use serde::de::DeserializeOwned;
use uuid::Uuid;

use crate::search::Indexed;
use crate::search::merge::Merge;
use crate::search::order::By;
use crate::search::partition::{Entry, Start};
use crate::search::rows::Candidate;
use crate::search::schema::{ID, Kind};
use crate::search::walk::{Branch, Walk};

/// Rows that are cheap to read however many they are among.
const FEW: usize = 25;

/// The rows of one value.
struct Run {
    value: Option<String>,
    ids: Vec<Uuid>,
    /// Whether there are more than are worth reading.
    cut: bool,
}

impl<T: Indexed + DeserializeOwned + Send> Walk<'_, T> {
    /// Walks the entries of a field that others follow.
    pub(super) async fn stream_runs(&mut self, branch: &Branch, by: &By, decided: bool) -> Result<(), Error> {
        let first = self.start(branch);
        let mut merge = self.merge(branch, by, &first.clone().map_or(Start::First, Start::At), decided);
        let mut waiting = Vec::new();
        let mut next = merge.next().await?;
        while let Some(entry) = next {
            let run;
            (run, next) = self.run(&mut merge, branch, entry).await?;
            let size = run.ids.len();
            if !run.cut && decided && waiting.is_empty() && size as u64 <= self.rows.skip {
                self.rows.skip -= size as u64;
                continue;
            }
            let inner = branch.into(&run.value, first.as_ref() == Some(&run.value));
            let few = !run.cut && size <= self.few(branch.scope.rows());
            if few {
                waiting.extend(run.ids.iter().map(|id| Candidate { id: *id, claim: inner.claim.clone() }));
                if waiting.len() < self.rows.wanted() {
                    continue;
                }
            }
            self.take(std::mem::take(&mut waiting)).await?;
            if !few && !self.rows.is_full() {
                self.walk(if run.cut { Branch { unsure: true, ..inner } } else { among(inner, run.ids) }).await?;
            }
            if self.rows.is_full() {
                return Ok(());
            }
            if run.cut {
                merge.pass(run.value.as_deref());
                next = merge.next().await?;
            }
        }
        self.take(waiting).await
    }

    /// The rows of a value, of which the first entry has been read, and the entry after them.
    async fn run(
        &mut self,
        merge: &mut Merge<'_>,
        branch: &Branch,
        first: Entry,
    ) -> Result<(Run, Option<Entry>), Error> {
        let mut run = Run { value: first.value.clone(), ids: Vec::new(), cut: false };
        let (longest, mut read) = (self.longest(branch.scope.rows()), 0);
        let mut next = Some(first);
        while let Some(entry) = next.take_if(|entry| entry.value == run.value) {
            if self.is_possible(branch, entry.id) {
                run.ids.push(entry.id);
            }
            read += 1;
            if read > longest && run.ids.len() as u64 > self.rows.skip {
                run.cut = true;
                break;
            }
            next = merge.next().await?;
        }
        Ok((run, next))
    }

    /// Walks a branch after reading who is in it.
    pub(super) async fn collect(&mut self, branch: Branch) -> Result<(), Error> {
        let by_id = By { field: ID.to_owned(), kind: Kind::Sorted, descending: false, only: None };
        let mut merge = self.merge(&branch, &by_id, &Start::First, false);
        let mut ids = Vec::new();
        while let Some(Entry { id, .. }) = merge.next().await? {
            if self.is_possible(&branch, id) {
                ids.push(id);
            }
        }
        if ids.len() > self.few(self.population) {
            return self.walk(among(branch, ids)).await;
        }
        let candidates = ids.into_iter().map(|id| Candidate { id, claim: branch.claim.clone() });
        self.take(candidates.collect()).await
    }

    /// Reads rows, to order them in memory, after those that wait.
    async fn take(&mut self, candidates: Vec<Candidate>) -> Result<(), Error> {
        self.flush().await?;
        if self.rows.is_full() { Ok(()) } else { self.rows.take(candidates).await.map(drop) }
    }

    /// How many rows are read at less cost than their entries are met among those of `population`.
    fn few(&self, population: u64) -> usize {
        let met = (self.rows.most as u64).saturating_mul(population) / self.limits.unit as u64;
        usize::try_from(met.isqrt()).unwrap_or(usize::MAX).max(self.rows.most).max(FEW)
    }

    /// Of how many rows the ids are read at less cost than the rows that are met on the way to a page of them.
    pub(super) fn longest(&self, population: u64) -> usize {
        let met = (self.rows.most as u64).saturating_mul(population).saturating_mul(self.limits.unit as u64);
        usize::try_from(met.isqrt()).unwrap_or(usize::MAX).max(FEW)
    }
}

/// The branch, with who is in it.
fn among(branch: Branch, ids: Vec<Uuid>) -> Branch {
    Branch { members: Some(Arc::new(ids.into_iter().collect())), ..branch }
}
