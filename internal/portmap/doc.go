// Package portmap asks the router of a home to forward a port of this machine, so
// that others can come in.
//
// Vocabulary. A [Way] is a protocol by which a router is asked: PCP (RFC 6887),
// NAT-PMP (RFC 6886), UPnP IGD. A mapping is a port of the router's that it
// forwards, for the time of a lease. A pinhole is the same without translation:
// the router's firewall lets a port of an IPv6 address through. A side is what is
// done for one IP family. The gateway is the first router on the way out.
//
// What holds of every [Mapper]:
//   - It believes the gateway alone: an answer from another address, and a URL that
//     leads to another address, are dropped unread.
//   - What a router says is bounded before memory is taken, and no wait is without
//     an end.
//   - It asks again at half of the lease, when [Mapper.Kick] says that the network
//     is another, and when the gateway says that it started again. At rest it says
//     nothing else.
//   - Close takes the mappings back.
//
// Nothing that a router says is proof: it may lie about the external address. Who
// believes it tells others an address at which nobody answers, and loses nothing
// else, since links prove who is at their other end.
//
// docs/spec/portmap.md has the bytes, docs/adr/0044-portmap.md the reasons.
package portmap
