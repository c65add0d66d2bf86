//! What a change of a custom field does to the answers given before.

use crate::custom_field::Question;
use crate::id::LevelId;

/// A change of a field that answers given before may not survive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Invalidates {
    /// Answers are of another type now.
    Type,
    /// The choices with these keys are gone.
    Options(Vec<String>),
    /// Members without an answer are incomplete now.
    NewlyRequired,
    /// Two members may have the same answer already.
    NewlyUnique,
    /// Some members are no longer asked.
    Levels,
}

/// What the change of one field from `old` to `new` may invalidate; nothing if every member stays as it is.
#[must_use]
pub fn invalidates(old: &Question<'_>, new: &Question<'_>) -> Vec<Invalidates> {
    let (before, after) = (&old.field.fields, &new.field.fields);
    let (levels_before, levels_after) = (&before.level_ids.0.0, &after.level_ids.0.0);
    let gone = removed(old, new);
    let asked_before = before.required.0 && before.status.0 && covers(levels_before, levels_after);
    let found = [
        (before.kind != after.kind).then_some(Invalidates::Type),
        (before.kind == after.kind && !gone.is_empty()).then_some(Invalidates::Options(gone)),
        (after.required.0 && after.status.0 && !asked_before).then_some(Invalidates::NewlyRequired),
        (after.unique.0 && (!before.unique.0 || before.kind != after.kind)).then_some(Invalidates::NewlyUnique),
        (!covers(levels_after, levels_before)).then_some(Invalidates::Levels),
    ];
    found.into_iter().flatten().collect()
}

/// The keys of the choices that are no longer there.
fn removed(old: &Question<'_>, new: &Question<'_>) -> Vec<String> {
    let gone = old.choices.iter().filter(|choice| new.choices.iter().all(|kept| kept.key != choice.key));
    gone.map(|choice| choice.key.as_str().to_owned()).collect()
}

/// Whether a field with `levels` is asked of all members that one with `others` is asked of; none means all.
fn covers(levels: &[LevelId], others: &[LevelId]) -> bool {
    levels.is_empty() || (!others.is_empty() && others.iter().all(|level| levels.contains(level)))
}
