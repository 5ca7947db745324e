// Package reload keeps a value that was read from files up to date with them.
//
// A [Value] looks at its files when it is asked for, at most once a second: size, time of
// change, and whether another file stands under the name, as after a rename or in a mounted
// secret. So there is no goroutine to end and no signal to send, and a change that nobody
// asks about costs nothing. What can't be read is logged once, and the value before it stays:
// a half-written file must not shut everybody out, nor let anybody in.
package reload
