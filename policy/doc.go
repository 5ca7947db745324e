// Package policy says what holdfast may do about an exception: when it is raised and
// cleared, whether holdfast acts by itself, who owns it and for how long a command
// stands.
//
// # Documents
//
// A policy is a YAML document; default.yaml, which is built in, shows its shape. [Parse] takes nothing that it does not know, and says what
// is wrong line by line. A rule for each class, and overrides by channel, location and SKU, of which the last that matches counts.
// An override may ask for facts of the exception that opens, in the language of [expr]:
//
//	overrides:
//	  - {class: phantom_inventory, location: ["outlet-*"], set: {raise: 0.9, clear: 0.5}}
//	  - {channel: amazon, when: exposure >= 100000 and confidence < 0.95, set: {autonomy: recommend, owner: amazon-desk}}
//
// next_window is how far ahead lists of what is at risk look, four hours where it is not said. exceptions_per_second and
// exceptions_at_once bound how many exceptions a partition tells of as they open.
//
// Conditions are in expr rather than CEL: it is one module without dependencies where CEL brings a parser generator's runtime and protobuf, it
// reads like what planners write in their sheets, it checks types when the policy is checked, and without its
// functions, which are all switched off, it always ends and says the same for the same facts.
//
// A policy's version is its name and a hash of its text, so that two that differ never have one version. It takes
// effect by going through the log of each partition (package control), and is kept with the partition's state: a replay needs no file.
//
// A [Policy] is a value. It is checked when it is made and never changes; the engine
// names its version in every command and every entry of the audit trail.
//
// [expr]: https://expr-lang.org/docs/language-definition
package policy
