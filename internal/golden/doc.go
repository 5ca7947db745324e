// Package golden keeps the bytes of every format that was ever stored or sent, so that tests can hold today's
// program against them. Files are in testdata/golden of the package that has the format, and named after it and its
// number; go test -update writes those that are not there. One that is there is never written again: what was stored
// once has to be read for good, or be refused.
package golden
