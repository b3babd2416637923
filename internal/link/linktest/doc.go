// Package linktest is the contract of link.Link as tests, which every
// implementation runs, and a proxy that cuts and heals real sockets.
package linktest
