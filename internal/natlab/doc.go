// Package natlab is test support: an Internet of network namespaces, with homes
// behind routers of the kinds that people have.
//
//	Ann -- router --+                    +-- router -- Ben
//	                |-- the Internet ----+
//	Cleo (public) --+                    +-- carrier -- router -- Dan
//
// Everybody on the Internet has one public-looking address (11.N.G.10: site N,
// its Gth address) and a cable of their own to a namespace that forwards, so that
// nobody is on anybody's local network. A home has 192.168.1.0/24, as homes do:
// two homes use the same addresses. Nothing is connected with the network of the
// machine that tests; no packet leaves it.
//
// A router is nftables in a namespace. What each kind is, in the words of RFC
// 4787, is told by [NAT] and measured by the test of this package. Names of
// namespaces carry the process id of the test. They are deleted when it ends,
// and those of a test that was killed by the next one.
//
// Linux and root only: [New] skips a test elsewhere and says why.
package natlab
