// Package process runs a part of a measurement as a process of its own, so that the
// operating system's accounting says what that part cost.
//
// A parent starts a program again with [Start] and speaks with it in lines of JSON. On the
// child's standard input: first its configuration, then one line for each question. On its
// standard output: ready, progress, answers, and why it failed. The child's main hands both to
// [Serve] with the [Role] that it is to play.
//
//	parent                          child
//	Start(Spec{Config: c})  ──c──▶  Host.Config
//	Ready(&r)               ◀──r──  Host.Ready
//	Ask("status", &s)       ──────▶ Host.Serve's handler of that name
//	                        ◀──s──
//	Stop: closes the input  ──────▶ the role's context ends; it lets go, and exits
//
// A child dies with its parent: whatever becomes of the parent, the system closes the pipe, and
// the child's context ends. One that doesn't let go then is abandoned after [LetGoMax].
//
// # What is counted
//
// [Process.Usage] is what the system has charged to the process so far: two calls are a window.
// On Linux it is read from /proc, to a hundredth of a second. Elsewhere it is known only once
// the process has ended, for its whole life, and Usage.Known says so. [Watch] samples memory.
package process
