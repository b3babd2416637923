// Package bench measures Kith beside programs that do some of the same work. It
// is a module of its own: what it compares with never reaches the program.
package bench
