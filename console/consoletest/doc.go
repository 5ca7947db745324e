// Package consoletest has a console.Backend in memory, for tests of what calls
// the HTTP API and for working on the console's pages.
//
// It keeps what it is given and computes nothing: deltas that are ingested change no
// stock. It is safe for use by many goroutines.
package consoletest
