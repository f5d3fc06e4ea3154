//! Calls with regular expressions, whose patterns and flags are checked if they are there.

use crate::Names;
use crate::xpath::ast::Expr;
use crate::xpath::functions::Function;
use crate::xpath::regex_flags;

/// A call, its pattern compiled if it is there to be compiled.
pub(super) fn prepared<N: Names>(
    function: Function,
    arguments: Vec<Expr<N>>,
) -> Result<Expr<N>, String> {
    let flags = match arguments.get(2) {
        Some(Expr::Literal(flags)) => Some(&**flags),
        Some(_) => None,
        None => Some(""),
    };
    let any_case = flags.map(regex_flags).transpose()?;
    let pattern = match (arguments.get(1), any_case) {
        (Some(Expr::Literal(pattern)), Some(any_case)) => Some(N::pattern(pattern, any_case)?),
        _ => None,
    };
    Ok(Expr::Regex(function, arguments, pattern))
}
