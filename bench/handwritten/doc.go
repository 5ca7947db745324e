// Package handwritten is the consumer that a good engineer writes by hand in an afternoon.
package handwritten
