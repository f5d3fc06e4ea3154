//! What a field's type says: one value, perhaps one, or many.

use syn::{GenericArgument, PathArguments, Type};

/// How many values a field has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    /// Exactly one.
    One,
    /// `Option`
    Optional,
    /// `Vec`
    Many,
}

/// The shape of a type, and the type of one value.
pub(super) fn shape(ty: &Type) -> (Shape, &Type) {
    if let Some(inner) = inside(ty, "Option") {
        return (Shape::Optional, inner);
    }
    match inside(ty, "Vec") {
        Some(inner) => (Shape::Many, inner),
        None => (Shape::One, ty),
    }
}

/// A type without what a macro by example puts around it, and without parentheses.
fn bare(ty: &Type) -> &Type {
    match ty {
        Type::Group(group) => bare(&group.elem),
        Type::Paren(paren) => bare(&paren.elem),
        ty => ty,
    }
}

/// The parameter of a type of this name.
fn inside<'t>(ty: &'t Type, name: &str) -> Option<&'t Type> {
    let Type::Path(path) = bare(ty) else { return None };
    let last = path.path.segments.last().filter(|last| last.ident == name)?;
    let PathArguments::AngleBracketed(arguments) = &last.arguments else { return None };
    match arguments.args.first() {
        Some(GenericArgument::Type(inner)) if arguments.args.len() == 1 => Some(inner),
        _ => None,
    }
}

/// Whether a type has this name, whatever its path.
pub(super) fn is_named(ty: &Type, name: &str) -> bool {
    match bare(ty) {
        Type::Path(path) => path.path.segments.last().is_some_and(|last| last.ident == name),
        _ => false,
    }
}
