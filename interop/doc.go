// Package interop plays our MLS against other implementations of RFC 9420,
// message by message, in every suite that both sides support. It is a module of
// its own, so that nothing of the others ever reaches the program; it also pins
// the module whose copy of the official vectors internal/mls tests with where
// ../shared is not there.
//
//	cd interop && go test                 mls-go, a Go module
//	cd interop/ts && npm ci               then also ts-mls, over a pipe
//
// What the peers get wrong, and where the test works around it:
//
//	peer          section of RFC 9420   what
//	mls-go 1.6.0  9.1                   one counter for both ratchets of a sender
//	mls-go 1.6.0  6.3.1                 cannot read a handshake with padding
//	mls-go 1.6.0  5.2, 12.4             forgets its own proposals by reference
//	mls-go 1.6.0  8.6                   no keys of earlier epochs in a group it made
//	mls-go 1.6.0  12.2                  SelfUpdate commits the committer's own Update
//	mls-go 1.6.0  11.2                  cannot store a group after a ReInit: not played
//	ts-mls 1.6.4  5.1.1                 compressed points as ECDSA public keys
//	ts-mls 1.6.4  12.4.3.2              external_pub without its length
//	ts-mls 1.6.4  8.4                   processMessage drops keys for a PrivateMessage
//
// Not played, because the peer has no call for it: an Update proposal by either
// peer on its own, a tree beside the Welcome with mls-go, external pre-shared
// keys with mls-go, SelfRemove and X-Wing under our number with both.
package interop
