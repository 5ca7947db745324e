// Command holdfast is the program: one file a subcommand, and node.go, which puts the
// rooms together.
//
//	holdfast run          everything on this machine: NATS, state, HTTP, console
//	holdfast demo         run, with a simulated store network and its faults
//	holdfast simulate     the deltas of a simulated store network, and apart what was really so
//	holdfast replay FILE  a year of real sales through the whole of it
//	holdfast publish      deltas from a file or from standard input
//	holdfast watch        commands as they come
//	holdfast atp SKU      what can be promised
//	holdfast exceptions   what is wrong, worst exposure first
//	holdfast counts LOC   what a location should count first
//	holdfast master FILE  what is known of SKUs and locations beside their stock
//	holdfast bench        what this machine can do; bench quality: how good decisions are
//	holdfast token new    a token for the HTTP API, and its line for the tokens file
//	holdfast version
//
// Every flag is also a HOLDFAST_ variable and a key of the file that --config names.
// Exit codes: 0 done, 1 failed, 2 wrong usage, each with one line that says what to do.
package main
