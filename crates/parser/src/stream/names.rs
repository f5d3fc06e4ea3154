//! Names of elements and attributes, whose case depends on where they stand.
//!
//! In HTML names match in any case. In SVG and MathML the tree builder writes some in their
//! customary mixed case (HTML Standard, section 13.2.6.1, "adjust SVG attributes" and its like)
//! and selectors have to spell them so. The streaming pass sees names as written; that a
//! selector's spelling is the customary one can be told beforehand.

use crate::markup::events::Space;

/// A name in a selector, and where it can match.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Name {
    /// In lower case.
    text: Box<str>,
    in_svg: bool,
    in_math: bool,
}

impl Name {
    /// The name of an element.
    pub(super) fn of_element(name: &str) -> Self {
        let text = name.to_ascii_lowercase();
        let in_svg = name == customary(&SVG_ELEMENTS, &text);
        Self { in_svg, in_math: name == text, text: text.into() }
    }

    /// The name of an attribute in no namespace.
    pub(super) fn of_attribute(name: &str) -> Self {
        let text = name.to_ascii_lowercase();
        let is_plain = !NAMESPACED.contains(&&*text);
        let in_svg = is_plain && name == customary(&SVG_ATTRIBUTES, &text);
        let in_math = is_plain && name == customary(&["definitionURL"], &text);
        Self { in_svg, in_math, text: text.into() }
    }

    /// The name in lower case.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// Whether it is the name `written` of something that stands in `space`.
    pub(super) fn is(&self, written: &str, space: Space) -> bool {
        self.text.eq_ignore_ascii_case(written) && self.can_be_in(space)
    }

    /// Whether anything that stands in `space` has this name.
    pub(super) fn can_be_in(&self, space: Space) -> bool {
        match space {
            Space::Html => true,
            Space::Svg => self.in_svg,
            Space::Math => self.in_math,
        }
    }
}

/// What the tree builder makes of a name in lower case.
fn customary<'a>(mixed: &[&'a str], lower: &'a str) -> &'a str {
    mixed.iter().find(|name| name.eq_ignore_ascii_case(lower)).unwrap_or(&lower)
}

/// Attributes that are moved into a namespace in SVG and MathML, where selectors without one do
/// not see them.
const NAMESPACED: [&str; 11] = [
    "xlink:actuate",
    "xlink:arcrole",
    "xlink:href",
    "xlink:role",
    "xlink:show",
    "xlink:title",
    "xlink:type",
    "xml:lang",
    "xml:space",
    "xmlns",
    "xmlns:xlink",
];

const SVG_ELEMENTS: [&str; 37] = [
    "altGlyph",
    "altGlyphDef",
    "altGlyphItem",
    "animateColor",
    "animateMotion",
    "animateTransform",
    "clipPath",
    "feBlend",
    "feColorMatrix",
    "feComponentTransfer",
    "feComposite",
    "feConvolveMatrix",
    "feDiffuseLighting",
    "feDisplacementMap",
    "feDistantLight",
    "feDropShadow",
    "feFlood",
    "feFuncA",
    "feFuncB",
    "feFuncG",
    "feFuncR",
    "feGaussianBlur",
    "feImage",
    "feMerge",
    "feMergeNode",
    "feMorphology",
    "feOffset",
    "fePointLight",
    "feSpecularLighting",
    "feSpotLight",
    "feTile",
    "feTurbulence",
    "foreignObject",
    "glyphRef",
    "linearGradient",
    "radialGradient",
    "textPath",
];

const SVG_ATTRIBUTES: [&str; 58] = [
    "attributeName",
    "attributeType",
    "baseFrequency",
    "baseProfile",
    "calcMode",
    "clipPathUnits",
    "diffuseConstant",
    "edgeMode",
    "filterUnits",
    "glyphRef",
    "gradientTransform",
    "gradientUnits",
    "kernelMatrix",
    "kernelUnitLength",
    "keyPoints",
    "keySplines",
    "keyTimes",
    "lengthAdjust",
    "limitingConeAngle",
    "markerHeight",
    "markerUnits",
    "markerWidth",
    "maskContentUnits",
    "maskUnits",
    "numOctaves",
    "pathLength",
    "patternContentUnits",
    "patternTransform",
    "patternUnits",
    "pointsAtX",
    "pointsAtY",
    "pointsAtZ",
    "preserveAlpha",
    "preserveAspectRatio",
    "primitiveUnits",
    "refX",
    "refY",
    "repeatCount",
    "repeatDur",
    "requiredExtensions",
    "requiredFeatures",
    "specularConstant",
    "specularExponent",
    "spreadMethod",
    "startOffset",
    "stdDeviation",
    "stitchTiles",
    "surfaceScale",
    "systemLanguage",
    "tableValues",
    "targetX",
    "targetY",
    "textLength",
    "viewBox",
    "viewTarget",
    "xChannelSelector",
    "yChannelSelector",
    "zoomAndPan",
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dom::Dom;

    #[test]
    fn names_in_svg_are_those_that_the_tree_builder_writes() {
        for name in SVG_ELEMENTS {
            let html = format!("<svg><{}>", name.to_lowercase());
            let dom = Dom::html(&html, &[]);
            assert!(dom.range(0..dom.len()).any(|node| dom.name(node) == name), "{name}");
            assert!(Name::of_element(name).is(&name.to_uppercase(), Space::Svg));
            assert!(!Name::of_element(&name.to_lowercase()).is(name, Space::Svg));
            assert!(Name::of_element(name).is(&name.to_uppercase(), Space::Html));
            assert!(!Name::of_element(name).is(&name.to_uppercase(), Space::Math));
        }
        for name in SVG_ATTRIBUTES.into_iter().chain(["definitionURL"]) {
            let (tag, space) =
                if name.ends_with("URL") { ("math", Space::Math) } else { ("svg", Space::Svg) };
            let html = format!("<{tag} {}=x>", name.to_lowercase());
            let dom = Dom::html(&html, &[]);
            assert!(dom.range(0..dom.len()).any(|node| dom.attr(node, name).is_some()), "{name}");
            assert!(Name::of_attribute(name).is(&name.to_lowercase(), space));
            assert!(!Name::of_attribute(&name.to_lowercase()).is(name, space));
        }
        for name in NAMESPACED {
            let dom = Dom::html(&format!("<svg {name}=x><a {name}=x>"), &[]);
            let is_seen = |node| dom.attr(node, name).is_some();
            assert!(!dom.range(0..dom.len()).any(is_seen), "{name}");
            assert!(!Name::of_attribute(name).is(name, Space::Svg));
            assert!(Name::of_attribute(name).is(name, Space::Html));
        }
    }
}
