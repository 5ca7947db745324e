// Package policy says what holdfast may do about an exception: when it is raised and
// cleared, whether holdfast acts by itself, who owns it and for how long a command
// stands.
//
// A [Policy] is a value. It is checked when it is made and never changes; the engine
// names its version in every command and every entry of the audit trail.
package policy
