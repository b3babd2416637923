// Package interop plays our MLS against another implementation of RFC 9420,
// message by message. It is a module of its own, so that nothing of the other
// side ever reaches the program; it also pins the module whose copy of the
// official vectors internal/mls tests with where ../shared is not there.
//
//	cd interop && go test
package interop
