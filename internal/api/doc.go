// Package api serves a running node to its owner: the calls and the event
// stream of proto/kith/v1 over ConnectRPC, on a Unix socket in the home folder
// and, with the page, on localhost. docs/spec/api.md is its page for readers.
//
// # Vocabulary
//
// The socket is where the command line comes in; its folder and the other end's
// user are the login. The web side is where browsers come in. A code is good
// once, for a minute, and is exchanged for a token, which every call of the web
// side carries. The guard is what every request of the web side passes first.
//
// # Invariants
//
//  1. No call but Login is answered on the web side without a token; there is no
//     cookie.
//  2. The web side listens on loopback addresses alone, and on both of them.
//  3. A request that names another Host, or comes from another Origin, reaches
//     no handler.
//  4. Codes and tokens are kept as hashes, and neither is ever written to a log.
//  5. A text for people about a failure is made in errors.go and nowhere else.
package api
